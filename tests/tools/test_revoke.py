# SPDX-License-Identifier: MIT
"""`kahriz node revoke`: what cannot be meant is refused before anything is done."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_gateway.authority.site import found, open_ca
from kahriz_tools.cli import node
from kahriz_tools.neighbours import Authority


@pytest.mark.parametrize(
    ("option", "command"),
    [("--shell", "ssh 'pi"), ("--restart", "systemctl 'restart"), ("--restart", " ")],
)
def test_a_command_that_cannot_be_read_leaves_the_register_as_it_was(
    tmp_path: Path, option: str, command: str
) -> None:
    ca = tmp_path / "ca"
    found(ca, "banovshalar-gozlu", ())
    with open_ca(ca) as authority:
        authority.issue("middle")
    given = ["revoke", "middle", "--ca", str(ca), "--tls", str(tmp_path), option, command]
    said = CliRunner().invoke(node, [*given, "--json"])
    assert said.exit_code == 2, said.output
    (line,) = said.stderr.splitlines()
    assert option in line
    assert line.endswith("nothing was done; mend that")
    assert json.loads(said.stdout)["ok"] is False
    assert all(row["trusted"] for row in Authority(ca).register())
