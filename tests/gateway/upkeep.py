# SPDX-License-Identifier: MIT
"""A village's upkeep over real stores, whose clock a test moves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from kahriz_gateway.intake.store import notice, open_store
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.upkeep import EVERY_MS, Upkeep
from kahriz_water.plan import Plan, parse_plan
from kahriz_water.site import Ups

from .conftest import NOW_MS, SITE, SITE_TOML


def plan_with(tmp_path: Path, power: Ups | None = None) -> Plan:
    return replace(parse_plan(SITE_TOML.read_text(encoding="utf-8")), ups=power)


class Keeper:
    """An upkeep whose clock the test moves."""

    def __init__(self, data: Path, plan: Plan) -> None:
        self.data = data
        self.plan = plan
        self.readings = open_store(data / "readings.db", SITE)
        self.conn = village_store.open_village(data / "village.db")
        self.now_ms = NOW_MS
        self.restart()

    def restart(self) -> None:
        self._upkeep = Upkeep(self.conn, self.plan, self.data, {"log": ("raised", "cleared")})

    def look(self, passed_ms: int = EVERY_MS) -> dict[str, str]:
        """Let time pass, look; the open alarms with their detail."""
        self.now_ms += passed_ms
        self._upkeep.look(self.readings, self.now_ms)
        found = self.conn.execute(
            "SELECT kind, evidence FROM alarm WHERE closed IS NULL AND calm IS NULL"
        )
        return {kind: json.loads(evidence)["detail"] for kind, evidence in found}

    def notice(self, kind: str, node: str | None = "outlet", at: int | None = 0) -> None:
        notice(self.readings, self.now_ms if at == 0 else at, node, kind, f"{kind} in words")

    def raised(self, kind: str) -> int:
        return int(
            self.conn.execute("SELECT count(*) FROM alarm WHERE kind=?", (kind,)).fetchone()[0]
        )
