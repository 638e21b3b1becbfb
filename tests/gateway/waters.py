# SPDX-License-Identifier: MIT
"""Stores of the demo site with readings that a test makes, and the gateway's programs on them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from kahriz_gateway.cli import gateway
from kahriz_gateway.intake import store
from kahriz_gateway.records import records
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import newest
from kahriz_gateway.village.interpret import Interpreter
from kahriz_water.plan import parse_plan
from kahriz_water.value import Value

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
START_MS = 1_790_000_100_000
DT_MS = 300_000
Body = dict[str, Any]


def weir(stage_m: float, air_c: float = 20.0) -> Body:
    """What the outlet's node says of a stage."""
    read_m = (0.800 - stage_m) * 343.4 / (331.3 + 0.606 * air_c)
    return {"weir_distance_m": read_m, "weir_spread_m": 0.002, "weir_echoes": 15, "air_c": air_c}


class Waters:
    """readings.db and village.db of a site, and the village's interpreter over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "site.toml"
        text = (SITE / "site.toml").read_text(encoding="utf-8")
        ask = 'timezone = "Asia/Baku"\nask = "R. Quliyev"'
        self.config.write_text(text.replace('timezone = "Asia/Baku"', ask), encoding="utf-8")
        self.plan = parse_plan(self.config.read_text(encoding="utf-8"))
        self.readings = store.open_store(folder / "readings.db", self.plan.id)
        self.conn = village_store.open_village(folder / "village.db")
        records.import_records(self.conn, SITE / "records.toml", self.plan)
        self.interpreter = Interpreter(self.conn, self.plan)

    def put(self, bodies: Iterable[Body], node: str = "outlet", first: int = 0) -> None:
        """Readings every five minutes, from number `first` on."""
        for k, body in enumerate(bodies, first):
            self.readings.execute(
                "INSERT INTO reading(node, journal, n, ts, q, received, body)"
                " VALUES(?,'9f3a01c2',?,?,1,?,?)",
                (node, k + 1, START_MS + k * DT_MS, START_MS + k * DT_MS, json.dumps(body)),
            )
        self.readings.commit()

    def work(self) -> None:
        """What the village's loop does with readings."""
        while True:
            self.interpreter.look_at_records()
            with village_store.transaction(self.conn):
                taken = self.interpreter.take(self.readings)
            if not taken:
                return

    def import_(self, text: str) -> int:
        """Records by hand, as `kahriz gateway records import` does in another process."""
        path = self.folder / "more.toml"
        path.write_text(text, encoding="utf-8")
        other = village_store.open_village(self.folder / "village.db")
        changed = records.import_records(other, path, self.plan)
        other.close()
        return changed

    def run(self, *arguments: str, code: int = 0) -> str:
        """`kahriz gateway ...` on these stores."""
        given = ["--config", str(self.config), "--data", str(self.folder)]
        result = CliRunner().invoke(gateway, [*arguments, *given])
        assert result.exit_code == code, result.output
        return result.output

    def values(self, quantity: str, point: str = "outlet") -> list[Value]:
        rows = self.conn.execute(
            "SELECT * FROM value WHERE point=? AND quantity=? ORDER BY ts", (point, quantity)
        )
        return [village_store.value_of(r) for r in rows]

    def changes(self) -> int:
        return newest(self.conn)

    def raw(self) -> list[tuple[Any, ...]]:
        return [tuple(r) for r in self.readings.execute("SELECT * FROM reading ORDER BY rev")]
