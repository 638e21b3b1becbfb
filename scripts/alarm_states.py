# SPDX-License-Identifier: MIT
"""Write the tables of docs/alarms.md from the states and steps in the program.

python scripts/alarm_states.py            # write them; a test compares
"""

from pathlib import Path

from kahriz_alarms import states

PAGE = Path(__file__).resolve().parents[1] / "docs" / "alarms.md"
BEGIN, END = "<!-- states: begin -->\n", "<!-- states: end -->"


def written(page: str) -> str:
    """The page with the tables as they are now."""
    head, _, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    return head + BEGIN + states.table() + end + tail


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
