# SPDX-License-Identifier: MIT
"""Every limit that a panel colours or an alert rule asks for, in one place.

They judge nothing: the village's own detectors raise the alarms. These colours are for looking.
"""

from typing import Any

Steps = tuple[tuple[float | None, str], ...]

# from that value on that colour; None: from below
MISSING_ROWS: Steps = ((None, "green"), (1, "orange"))  # a missing reading is never normal
LOST_ROWS: Steps = ((None, "green"), (1, "red"))
UNACCOUNTED_ROWS: Steps = ((None, "red"), (0, "green"), (1, "red"))
OPEN_ALARMS: Steps = ((None, "green"), (1, "red"))
CHANGE_PCT: Steps = ((None, "red"), (-30, "orange"), (-15, "text"))
BATTERY_V: Steps = ((None, "red"), (3.2, "orange"), (3.4, "green"))  # one lithium cell
RSSI_DBM: Steps = ((None, "red"), (-85, "orange"), (-75, "green"))
REPAIR_S: Steps = ((None, "green"), (2 * 86_400, "orange"), (7 * 86_400, "red"))

DEAD_MAN_HOURS = 3  # nodes speak each hour; one missed hour is nothing yet
HISTORY_DAYS = 400  # as far back as an alarm that is still open is looked for


def steps(given: Steps) -> dict[str, Any]:
    """As Grafana writes thresholds."""
    made = [{"color": colour, "value": value} for value, colour in given]
    return {"mode": "absolute", "steps": made}
