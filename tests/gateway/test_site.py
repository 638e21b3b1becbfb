# SPDX-License-Identifier: MIT
"""A site from an empty folder to a receipt by TLS, and the drills: lost node, lost key."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_gateway.authority.cli import site as site_command

from ..node.nodes import Node
from .conftest import PATIENCE_S, SITE, SITE_TOML, wait_for
from .site_broker import Site

NODE_PROGRAM = Path(__file__).with_name("micropython_tls.py")
MICROPYTHON = Path(sys.executable).parent / "micropython"
Reach = Callable[..., str]


def kahriz_site(*words: object) -> str:
    result = CliRunner().invoke(site_command, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(site_command, [str(word) for word in words])
    assert result.exit_code != 0
    return result.exit_code, result.output


class Village:
    """A TLS broker and the real intake as a process."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder).start()
        self.log = folder / "intake.log"
        self.start_intake()

    def start_intake(self) -> None:
        argv = ["--config", str(self.site.plan()), "--data", str(self.site.folder / "data")]
        with self.log.open("wb") as out:
            self.intake = subprocess.Popen(
                [sys.executable, "-m", "kahriz_gateway.intake.service", *argv],
                stdout=out, stderr=out,
            )  # fmt: skip
        wait_for(lambda: b"subscribed" in self.log.read_bytes(), "intake subscribes")

    def stop_intake(self) -> None:
        self.intake.terminate()
        self.intake.wait(PATIENCE_S)

    def restart(self) -> None:
        """As after new files were brought to the Pi."""
        self.stop_intake()
        self.site.restart()
        self.start_intake()

    def node(self, name: str = "outlet", host: str = "kahriz-gateway") -> str:
        """How a MicroPython node fares with the files it would carry."""
        done = subprocess.run(
            [MICROPYTHON, NODE_PROGRAM, self.site.ca / "nodes" / name, str(self.site.port), SITE,
             name, host],
            capture_output=True, text=True, timeout=PATIENCE_S, check=True,
        )  # fmt: skip
        return done.stdout

    def stop(self) -> None:
        self.stop_intake()
        self.site.stop()


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    made = Village(tmp_path_factory.mktemp("village"))
    yield made
    made.stop()


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("host", ["kahriz-gateway", "localhost", "127.0.0.1"])
def test_a_micropython_node_gets_its_receipt_over_mutual_tls(village: Village, host: str) -> None:
    answer = village.node(host=host)
    assert answer.startswith("receipt ")
    assert json.loads(answer.removeprefix("receipt "))["s"] == "5be1c07a"


@pytest.mark.needs("mosquitto")
def test_the_nodes_own_program_delivers_its_rows_over_mutual_tls(village: Village) -> None:
    """kahriz_node under MicroPython, the shipped broker configuration, the real intake."""
    files = village.site.ca / "nodes" / "middle"
    papers = {key: str(files / f"{key}.der") for key in ("ca", "cert", "key")}
    node = Node("micropython")
    try:
        outcome = node.order(village.site.port, rows=100, tls=papers)
        assert not outcome["answered"], "with middle's certificate outlet has no say"
        papers = {key: path.replace("middle", "outlet") for key, path in papers.items()}
        outcome = node.order(village.site.port, tls=papers)
        assert (outcome["answered"], outcome["error"], outcome["open"]) == (True, "", [])
    finally:
        node.close()
    conn = sqlite3.connect(village.site.folder / "data" / "readings.db", timeout=PATIENCE_S)
    stored = conn.execute("SELECT count(*), min(n), max(n) FROM reading").fetchone()
    conn.close()
    assert stored == (100, 1, 100)


@pytest.mark.needs("mosquitto")
def test_a_node_refuses_a_broker_of_another_name(village: Village) -> None:
    assert "Common Name" in village.node(host="kahriz.example")


@pytest.mark.needs("mosquitto")
def test_the_drill_of_a_lost_key_loses_no_node_that_is_visited(tmp_path: Path) -> None:
    """The key of authority 1 is gone for good; nothing that it signed stops before it is told."""
    village = Village(tmp_path)
    try:
        (village.site.ca / "1" / "ca.key").unlink()
        kahriz_site("ca", "roll", "--ca", village.site.ca)
        village.restart()
        assert village.node("outlet").startswith("receipt"), "not yet visited"
        assert village.node("middle").startswith("receipt")
        kahriz_site("ca", "renew", "outlet", "--ca", village.site.ca)
        assert village.node("outlet").startswith("receipt"), "visited"
        code, words = refused("ca", "retire", "1", "--ca", village.site.ca)
        assert (code, "middle would be shut out" in words) == (1, True)
        kahriz_site("ca", "retire", "1", "--although", "--ca", village.site.ca)
        village.restart()
        assert village.node("outlet").startswith("receipt"), "trusts both, the broker is new"
        assert "not correctly signed" in village.node("middle")
    finally:
        village.stop()


@pytest.mark.needs("mosquitto")
def test_the_drill_of_a_stolen_pi_needs_no_visit_to_a_node(tmp_path: Path) -> None:
    village = Village(tmp_path)
    try:
        ca = village.site.ca
        loot = {name: village.site.service(name) for name in ("gateway.intake", "doctor")}
        taken = tmp_path / "taken"
        taken.mkdir()
        for name, files in loot.items():
            loot[name] = tuple(taken / path.name for path in files)
            for path, kept in zip(files, loot[name], strict=True):
                kept.write_bytes(path.read_bytes())
        for name in ("gateway.intake", "gateway.village", "doctor", "broker"):
            kahriz_site("ca", "revoke", name, "--why", "stolen Pi", "--ca", ca)
            kahriz_site("ca", "issue", name, "--ca", ca)
        village.restart()
        assert village.node().startswith("receipt"), "the node has its old files"
        for own in loot.values():
            thief = village.site.client(own)
            assert thief.connect().startswith("refused")
            thief.close()
    finally:
        village.stop()


def test_the_commands_from_nothing_to_a_brokers_configuration(tmp_path: Path) -> None:
    ca, plan, etc = tmp_path / "ca", SITE_TOML, tmp_path / "etc"
    kahriz_site("ca", "new", "--ca", ca, "--config", plan, "--host", "kahriz.lan")
    issued = json.loads(kahriz_site("ca", "issue", "--all", "--ca", ca, "--config", plan, "--json"))
    assert [Path(each["folder"]).name for each in issued] == [each["name"] for each in issued]
    assert len(issued) == 6
    assert kahriz_site("ca", "issue", "--all", "--ca", ca, "--config", plan) == ""
    kahriz_site("ca", "issue", "spare-1", "reader.lamp", "--ca", ca)
    kahriz_site("ca", "revoke", "tank", "--ca", ca)
    rows = json.loads(kahriz_site("ca", "show", "--json", "--ca", ca))
    assert [row["name"] for row in rows if not row["trusted"]] == ["tank"]
    assert "revoked" in kahriz_site("ca", "show", "--ca", ca)
    kahriz_site("broker", "--config", plan, "--ca", ca, "--to", etc)
    acl = (etc / "kahriz.acl").read_text()
    users = [line.removeprefix("user ") for line in acl.splitlines() if line.startswith("user ")]
    assert users == [
        "gateway.intake", "gateway.village", "outlet", "middle", "inlet", "pool", "fields", "tank",
        "spare-1", "doctor", "reader.lamp",
    ]  # fmt: skip
    (etc / "kahriz.acl").write_text("# changed by hand\n")
    assert "--force" in refused("broker", "--config", plan, "--ca", ca, "--to", etc)[1]
    assert (etc / "kahriz.acl").read_text() == "# changed by hand\n"
    kahriz_site("broker", "--config", plan, "--ca", ca, "--to", etc, "--force")
    assert (etc / "kahriz.acl").read_text() == acl


def test_an_authority_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    code, words = refused("ca", "issue", "outlet", "--ca", tmp_path / "nowhere")
    assert (code, words.count("\n")) == (1, 1)
    assert "site ca new" in words
