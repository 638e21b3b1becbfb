# SPDX-License-Identifier: MIT
"""What a technician does at a proven node: look, walk, change, replace, shut out, find faults."""

import json
import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kahriz_tools import doctor_cli, pulled
from kahriz_tools.case import Case
from kahriz_tools.cli import node
from kahriz_tools.neighbours import Authority
from tests.tools.bench_board import BenchBoard
from tests.tools.commission import Commission, told, wanted
from tests.tools.test_rescue import COUNT, SITE, journal

pytestmark = pytest.mark.needs("mosquitto")
TEN_MINUTES_S = 600


def run(*arguments: str) -> Result:
    return CliRunner().invoke(node, list(arguments))


def test_read_tells_every_sensor_in_its_unit(proven: BenchBoard) -> None:
    result = run("read", "--port", proven.port, "--json")
    assert result.exit_code == 0, result.output
    assert told(result)["sensors"]["weir"]["distance_m"] == 6510
    assert "air: c 21.44 degC" in result.stderr


def test_watch_tells_the_stage_as_the_staff_gauge_should_show_it(proven: BenchBoard) -> None:
    result = run(
        "watch", "--port", proven.port, "--zero-m", "0.803", "--count", "2", "--every", "0"
    )
    assert result.exit_code == 0, result.output
    assert result.stderr.count("stage 0.152 m") == 2


def test_walk_refuses_a_place_under_the_margin(field: Commission, first: object) -> None:
    levels = iter([-60, -80, -66])
    radio = {"radio": lambda: {"up": True, "rssi": next(levels), "assoc_ms": 900}}
    with field.board(**radio) as board:
        result = run("walk", "--port", board.port, "--count", "3", "--json")
    assert result.exit_code == 11, result.output
    assert "under the margin here (-80 dBm, 0 lost)" in told(result)["what"]
    assert "-60 dBm  reached" in result.stderr


def test_a_configuration_goes_out_and_back_with_its_difference(
    proven: BenchBoard, tmp_path: Path
) -> None:
    file = tmp_path / "node.toml"
    result = run("pull", "--port", proven.port, "--out", str(file))
    assert result.exit_code == 0, result.output
    text = file.read_text()
    assert "demo-only-not-secret" not in text
    same = told(run("apply", str(file), "--port", proven.port, "--json"))
    assert (same["differs"], same["written"]) == ([], False)
    file.write_text(text.replace("dt_s = 300", "dt_s = 600"))
    dry = told(run("apply", str(file), "--port", proven.port, "--dry-run", "--json"))
    assert dry == {"ok": True, "differs": ["- dt_s = 300", "+ dt_s = 600"], "written": False}
    assert told(run("apply", str(file), "--port", proven.port, "--json"))["written"]
    file.write_text(text)
    assert told(run("apply", str(file), "--port", proven.port, "--json"))["written"]
    file.write_text(text.replace('node = "outlet"', 'node = "inlet"'))
    refused = run("apply", str(file), "--port", proven.port)
    assert refused.exit_code == 8
    assert "kahriz node provision" in refused.stderr


def test_calibrate_is_the_gateways_own_command(field: Commission, first: object) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "kahriz", "node", "calibrate", "zero", "--point", "outlet"]
    command += ["--who", "R. Quliyev", "--config", str(field.folder / "site.toml")]
    done = subprocess.run(
        [*command, "--data", str(field.data)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "staff" in done.stderr, "three staff readings are needed first"


# --- a spare, and a lost node


def test_a_spare_takes_the_place_and_the_old_board_is_out(
    field: Commission,
    first: object,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """With all that the old board had kept; the log tells the machine's time of it."""
    state = field.folder / "commissioned" / "outlet" / "state.json"
    kept = json.loads(state.read_text())
    owner = {"site": SITE, "node": "outlet"}
    pulled.keep(Case(wanted(field)), "24:0a:c4:00:00:99", journal(tmp_path / "old"), owner)
    before = field.readings()
    with field.board() as board:
        same = field.provision(board.port, command="replace")
        assert same.exit_code == 6, same.output
        assert "this is the board that outlet was" in told(same)["what"]
        state.write_text(json.dumps({**kept, "mac": "24:0a:c4:00:00:99"}))
        other = field.provision(board.port)
        assert other.exit_code == 6, other.output
        assert "kahriz node replace" in told(other)["mend"]
        result = field.provision(board.port, command="replace")
        assert result.exit_code == 0, result.output
        said = told(result)
        assert {"certificate", "files", "receipt"} <= {*said["did"], "receipt"}
        assert {"old board", "readings"} <= {*said["did"]}
        assert field.readings() >= before + COUNT - 1, "what the old board had kept"
        record_property("replace_machine_seconds", said["seconds"])
        assert said["seconds"] < TEN_MINUTES_S
        print(f"replace: {said['seconds']} s of machine time; hands are not in it")
        again = told(field.provision(board.port, command="replace"))
        assert again["did"] == []
    rows = json.loads(
        CliRunner()
        .invoke(_site(), ["ca", "show", "--json", "--ca", str(field.folder / "ca")])
        .stdout
    )
    mine = [row for row in rows if row["name"] == "outlet"]
    assert [row["trusted"] for row in mine] == [False, True]
    assert "24:0a:c4:00:00:99" in mine[0]["why"]


def _site() -> "object":
    from kahriz_gateway.authority.cli import site

    return site


def test_revoke_is_proved_at_the_broker(field: Commission, first: object, tmp_path: Path) -> None:
    """In one command; without the broker's restart it says that the node is still let in."""
    ca, broker = field.folder / "ca", f"127.0.0.1:{field.site.port}"
    field.site.edit(lambda authority: authority.issue("middle"))
    field.site.edit(lambda authority: authority.renew("middle"))
    after = run("revoke", "middle", "--ca", str(ca), "--old", "--register-only")
    assert after.exit_code == 0, after.output
    register = Authority(ca).register()
    assert [r["trusted"] for r in register if r["name"] == "middle"] == [False, True]
    there = tmp_path / "tls"
    there.mkdir()
    options = ["revoke", "middle", "--ca", str(ca), "--tls", str(there), "--broker", broker]
    half = run(*options, "--restart", "true")
    assert half.exit_code == 12, half.output
    assert "still lets middle in" in half.stderr
    assert "until then the lost node is still let in" in half.stderr
    field.site.restart()  # as `--restart` does where mosquitto is a unit of systemd
    result = run(*options, "--restart", "true", "--json")
    assert result.exit_code == 0, result.output
    assert told(result)["proved"]
    assert (there / "crl.pem").read_bytes() == (ca / "gateway" / "crl.pem").read_bytes()
    assert ssl.PEM_cert_to_DER_cert((there / "ca.pem").read_text())


# --- the laptop


def test_doctor_tells_a_charging_cable_from_a_missing_driver(tmp_path: Path) -> None:
    nothing = list(doctor_cli.examine(None, tmp_path))[-1]
    assert nothing[1] == "cable"
    assert "data wires" in nothing[3]
    (tmp_path / "1-1").mkdir()
    (tmp_path / "1-1" / "idVendor").write_text("1a86\n")
    (tmp_path / "1-1" / "idProduct").write_text("7523\n")
    found = list(doctor_cli.examine(None, tmp_path))[-1]
    assert found[1] == "driver"
    assert "CH340" in found[2]
    assert "modprobe ch341" in found[3]


def test_doctor_tells_a_busy_port_and_one_that_is_not_there(proven: BenchBoard) -> None:
    import serial

    with serial.Serial(proven.port, exclusive=True):
        assert list(doctor_cli.examine(proven.port))[-1][1] == "busy"
    assert list(doctor_cli.examine(proven.port))[-1][:2] == (True, "port")
    assert "there is no" in list(doctor_cli.examine("/dev/ttyUSB99"))[-1][2]


def test_doctor_names_the_group_of_a_port_that_is_not_ours(proven: BenchBoard) -> None:
    me = os.geteuid()
    os.chmod(proven.port, 0)
    if me == 0:
        os.seteuid(65534)
    try:
        found = list(doctor_cli.examine(proven.port))[-1]
    finally:
        os.seteuid(me)
    assert found[1] == "permission"
    assert "usermod -aG" in found[3]
