# SPDX-License-Identifier: MIT
"""`kahriz server check`, `gateway` and `alarm`: one line for what cannot be meant."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_alarms.heartbeat import key
from kahriz_server.cli import server
from kahriz_server.watch import judge, store
from kahriz_server.watch.config import Rules

from .office import OFFICE, PATIENCE_S, START, Node

SERVER = Path(__file__).parents[2] / "server"


def run(*given: str) -> tuple[int, str]:
    said = CliRunner().invoke(server, [*given])
    return said.exit_code, said.output


def test_gateways_are_added_changed_listed_and_removed(tmp_path: Path) -> None:
    data, node, new = ["--data", str(tmp_path)], Node("left"), Node("left")
    print_ = key.fingerprint(node.public)
    adds = ["gateway", "add", "left", node.public]
    assert run(*adds, *data) == (0, f"left: added, key {print_}\n")
    assert run(*adds, *data) == (0, f"left: known already, key {print_}\n")
    assert "changed" in run(*adds, "--region", "agdam", *data)[1]
    assert "changed" in run("gateway", "add", "left", new.public, *data)[1]
    (listed,) = json.loads(run("gateway", "list", "--json", *data)[1])
    assert listed == {"site": "left", "key": key.fingerprint(new.public), "heard": "never"}
    assert run("gateway", "remove", "left", *data) == (0, "left: removed\n")
    assert run("gateway", "remove", "left", *data)[0] == 6
    assert run("gateway", "list", *data)[1].startswith("no gateway is known")


def test_a_look_into_a_mistyped_folder_makes_no_store_and_says_so(tmp_path: Path) -> None:
    wrong = tmp_path / "ofice"
    for asked in (
        ("alarm", "list"),
        ("alarm", "list", "--json"),
        ("alarm", "ack", "1", "--who", "Aytən"),
        ("gateway", "list"),
        ("gateway", "remove", "left"),
    ):
        code, said = run(*asked, "--data", str(wrong))
        assert (code, said.startswith(f"server: no office.db in {wrong}: ")) == (4, True), said
        assert len(said.splitlines()) == 1
    assert not wrong.exists()


@pytest.mark.parametrize(
    ("site", "public"),
    [
        ("left", "ed25519:AAAA"),
        ("left", "AAAA"),
        ("left", "ed25519:***"),
        ("Left!", Node("x").public),
        ("../x", Node("x").public),
    ],
    ids=["short", "no sort", "no base64", "a capital", "a path"],  # a key is another in each worker
)
def test_what_is_no_name_or_no_key_is_refused_in_words(
    tmp_path: Path, site: str, public: str
) -> None:
    code, said = run("gateway", "add", site, public, "--data", str(tmp_path))
    assert (code, "Traceback" in said) == (2, False)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("port = 0", "port = 70000", "listen.port"),
        ("port = 0", 'port = 0\nhost = "0.0.0.0"', "listen.cert"),
        ("port = 0", 'port = 0\ncert = "x"', "listen.key"),
        ('oldest = "0.1"', 'oldest = "new"', "watch.oldest"),
        ('oldest = "0.1"', "silent_hour = 2", "did you mean silent_hours"),
        ('role = "office"', 'role = "boss"', "person[1].role"),
        ('id = "office"', "", "office.id"),
        ("[office]", "[office", "TOML"),
    ],
)
def test_an_office_that_cannot_be_meant_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    path = tmp_path / "office.toml"
    path.write_text(OFFICE.replace("PORT", "25").replace(old, new, 1), encoding="utf-8")
    for command in ("check", "run"):
        code, said = run(command, "--config", str(path), "--data", str(tmp_path / "office"))
        assert code == 3
        assert says in said
        assert len(said.strip().splitlines()) == 1


def test_check_says_what_is_wrong_before_the_service_does(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    text = OFFICE.replace("PORT", "25")
    given = ["check", "--config", str(path), "--data", str(tmp_path / "office")]
    path.write_text(text, encoding="utf-8")
    code, said = run(*given)
    assert (code, "WRONG" in said) == (0, False)
    assert not (tmp_path / "office").exists()  # it has changed nothing
    path.write_text(text + '[influx]\nurl = "http://127.0.0.1:1"\n', encoding="utf-8")
    code, said = run(*given)
    assert code == 1
    assert "WRONG influx" in said
    path.write_text(text.replace('role = "office"', 'role = "crew"'), encoding="utf-8")
    code, said = run(*given)
    assert code == 1
    assert "nobody is asked" in said


def test_a_port_that_is_taken_and_a_folder_that_cannot_be_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = OFFICE.replace("PORT", "25").replace("port = 0", f"port = {port}")
        path.write_text(text, encoding="utf-8")
        argv = ["server", "run", "--config", str(path), "--data", str(tmp_path / "office")]
        said = subprocess.run(
            [sys.executable, "-m", "kahriz", *argv],
            capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
    assert said.returncode == 6
    assert "stop what uses this port" in said.stderr
    assert "Traceback" not in said.stderr
    code, words = run("gateway", "list", "--data", str(path / "office"))
    assert code == 4
    assert "see --data" in words


def test_alarms_are_listed_taken_and_closed_from_the_command_line(tmp_path: Path) -> None:
    from kahriz_alarms.loop import findings
    from kahriz_detect.finding import RAISED, Finding
    from kahriz_server.watch.config import read_office

    path, data = tmp_path / "office.toml", ["--data", str(tmp_path / "office")]
    path.write_text(OFFICE.replace("PORT", "25"), encoding="utf-8")
    conn = store.open_office(tmp_path / "office")
    finding = Finding(RAISED, "gateway_silent", "left", START, evidence={"says": "on battery"})
    with store.transaction(conn):
        findings.raise_alarm(conn, finding, read_office(path).plan, START, {})
    conn.close()
    assert "gateway_silent left  on battery" in run("alarm", "list", *data)[1]
    assert "Aytən has it" in run("alarm", "ack", "1", "--who", "Aytən", *data)[1]
    assert run("alarm", "ack", "9", "--who", "Aytən", *data)[0] == 6
    assert run("alarm", "close", "1", "--who", "Aytən", *data)[0] == 0
    assert run("alarm", "ack", "1", "--who", "Aytən", *data)[0] == 6
    assert run("alarm", "list", *data)[1].startswith("no open alarm")
    assert len(json.loads(run("alarm", "list", "--all", "--json", *data)[1])) == 1


def test_every_alarm_of_the_office_has_its_paragraph_and_its_drill() -> None:
    text = (SERVER / "RUNBOOK.md").read_text(encoding="utf-8")
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert [k for k in judge.KINDS if not any(f"`{k}`" in title for title in titles)] == []
    for file, name in re.findall(r"`(test_\w+\.py)::(\w+)`", text):
        assert f"def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")


def test_every_key_of_an_office_stands_in_its_readme() -> None:
    text = (SERVER / "README.md").read_text(encoding="utf-8")
    keys = ("host", "port", "cert", "key", "plain", *(f.name for f in fields(Rules)))
    assert [name for name in keys if not re.search(rf"^{name} = ", text, re.MULTILINE)] == []
