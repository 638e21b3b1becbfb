# SPDX-License-Identifier: MIT
"""A powered node stays awake between its readings, so that its pulse meter counts."""

import json
from pathlib import Path
from typing import Any

import pytest

from kahriz_sim.flash_journal import owed_rows
from kahriz_tools.image import build_image

CONFIG = {
    "v": 1,
    "rev": 1,
    "site": "site",
    "node": "outlet",
    "dt_s": 60,
    "batch": 12,
    "powered": True,
    "wifi": {"ssid": "kahriz", "password": "secret-enough"},
    "broker": {"host": "127.0.0.1", "port": 1},
    "channels": {
        "meter": {"driver": "pulse_meter", "pin": 32, "ul_per_pulse": 1_000_000},
        "weir": {"driver": "a02yyuw", "uart": 1, "tx": 17, "rx": 16, "power": 25},
    },
}
LAPS = """
import machine
from kahriz_node import node
from kahriz_node.board_esp32 import Board
board = Board()
for _ in range({laps}):
    node.run(board)
say(board.cause())
"""


@pytest.fixture
def powered(bench: Any, tmp_path: Path) -> Any:
    build_image(bench.image)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    bench.more = ["--config", str(tmp_path / "config.json")]
    return bench


def rows(bench: Any) -> list[dict[str, Any]]:
    """The un-receipted rows on the flash."""
    return [row.body for row in owed_rows(bench.flash)]


def test_flow_is_measured_between_the_readings(powered: Any) -> None:
    down = {"up": False, "rssi": None, "assoc_ms": 500}
    world = powered.world(flow={"hz": 3.0}, radio=down)
    assert powered.run(LAPS.format(laps=4), world) == ["timer"]
    assert powered.stderr == ""
    found = rows(powered)
    assert [row.get("meter_fault") for row in found] == ["not_ready", None, None, None]
    for row in found[1:]:
        assert row["meter_flow_lps"] == pytest.approx(3.0, rel=0.02)
        assert row["meter_pulses"] > 100  # a minute and more at 3 Hz
        assert row["weir_distance_m"] == pytest.approx(0.651)
    assert not world.ops("sleep")[:-1]  # the whole time in one wake
