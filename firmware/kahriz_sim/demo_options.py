# SPDX-License-Identifier: MIT
"""What one run of the demo is told, and how it refuses."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SITES_DIR = Path(__file__).parent / "sites"
SCENARIOS_DIR = Path(__file__).parent / "scenarios"


class DemoError(Exception):
    """The demo cannot run; the message is one line with the mend."""


@dataclass(frozen=True)
class DemoOptions:
    """What the command line chose."""

    site: str = "banovshalar-gozlu"
    scenario: str = "leak"
    leak_lps: float = 2.0
    leak_after: float = 60.0
    reach: str = "upper"
    speed: float = 60.0
    history_days: float = 7.0
    duration: float | None = None
    begins: datetime | None = None  # UTC
    seed: int = 1
    broker: str = "auto"
    page_address: str = "127.0.0.1:8080"
    data_dir: Path | None = None
    fresh: bool = False
    no_browser: bool = False
    no_influx: bool = False

    def begins_ms(self) -> int:
        """The full five minutes at which life begins, Unix time."""
        moment = self.begins.replace(tzinfo=UTC) if self.begins else datetime.now(UTC)
        return int(moment.timestamp()) // 300 * 300_000

    @property
    def site_dir(self) -> Path:
        return SITES_DIR / self.site
