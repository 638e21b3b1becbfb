# SPDX-License-Identifier: MIT
"""`kahriz node rollout`: one site first, the next when that one has proved it; stores are real."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kahriz_tools.cli import node
from tests.gateway.conftest import Gateway
from tests.gateway.test_node_orders import a_release
from tests.gateway.test_rollout import HOUR_MS, NEW, live, say


class Sites:
    """Two gateways' stores, their nodes' sessions dated backwards from now."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "release"
        self.file.write_bytes(a_release())
        self.folders = [folder / name for name in ("gozlu", "valibay")]
        self.gateways = []
        for each in self.folders:
            each.mkdir()
            gateway = Gateway(each / "readings.db")
            gateway.clock.ms = int(time.time() * 1000) - 60_000
            say(gateway)
            say(gateway, "middle")
            self.gateways.append(gateway)

    def roll(self, code: int) -> list[dict[str, Any]]:
        sites = [f"--site=outlet@{folder}" for folder in self.folders]
        result = CliRunner().invoke(node, ["rollout", str(self.file), *sites, "--json"])
        assert result.exit_code == code, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)["sites"]
        return found

    def run_for_a_day(self, number: int) -> None:
        """As if the offer had been made yesterday and the outlet had run it since."""
        gateway = self.gateways[number]
        gateway.clock.ms -= 27 * HOUR_MS
        gateway.conn.execute("UPDATE offer SET at=? WHERE node='outlet'", (gateway.clock.ms,))
        live(gateway, 1)
        live(gateway, 25, ota=NEW)
        gateway.clock.ms += HOUR_MS
        say(gateway, ota=NEW)
        say(gateway, "middle")


def offered(gateway: Gateway) -> list[Any]:
    return [row[0] for row in gateway.query("SELECT node FROM offer ORDER BY node")]


def test_a_program_goes_from_node_to_site_to_sites(tmp_path: Path) -> None:
    sites = Sites(tmp_path)
    first, second = sites.gateways
    (told,) = sites.roll(1)
    assert told["says"] == "outlet waits: it has not spoken since the offer"
    assert (offered(first), offered(second)) == (["outlet"], [])
    sites.run_for_a_day(0)
    one, two = sites.roll(1)
    assert one["says"].startswith("0.1.1 offered to all: ")
    assert not two["proved"]
    assert (offered(first), offered(second)) == (["middle", "outlet"], ["outlet"])


@pytest.mark.parametrize("site", ["outlet", "@/data", "outlet@"])
def test_a_site_said_by_halves_is_refused(tmp_path: Path, site: str) -> None:
    (tmp_path / "release").write_bytes(a_release())
    result = CliRunner().invoke(node, ["rollout", str(tmp_path / "release"), "--site", site])
    assert result.exit_code == 2
    assert "NODE@DATA" in result.output


def test_a_gateway_that_is_not_there_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "release").write_bytes(a_release())
    site = f"outlet@{tmp_path}"
    result = CliRunner().invoke(node, ["rollout", str(tmp_path / "release"), "--site", site])
    assert result.exit_code == 12
    assert "no store in" in result.output
