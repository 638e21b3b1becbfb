# SPDX-License-Identifier: MIT
"""The outermost edge of `kahriz`: what no machine takes is said in one line, by every command."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz.cli import main
from kahriz_gateway.village.store import open_village

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
PLAN = ("--config", str(SITE / "site.toml"))
LONG = "9" * 400


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("alarm", "show", LONG), "nobody's"),
        (("export", "visits", "--out", LONG, *PLAN), "File name too long"),
        (("site", "ca", "issue", "x", "--ca", LONG, *PLAN), "File name too long"),
    ],
)
def test_a_name_or_number_that_is_none_is_one_line(
    tmp_path: Path, argv: tuple[str, ...], words: str
) -> None:
    open_village(tmp_path / "village.db").close()
    data = () if argv[0] == "site" else ("--data", str(tmp_path))
    said = CliRunner().invoke(main, [*argv, *data])
    assert said.exit_code == 1
    assert isinstance(said.exception, SystemExit)
    assert words in said.stderr.splitlines()[-1]
    assert len(said.stderr) < 300


@pytest.mark.parametrize("command", ["'", "-5", "/tmp", "../no such"])
def test_a_way_to_the_gateway_that_does_not_run_is_named(command: str) -> None:
    said = CliRunner().invoke(main, ["node", "ota", "--gateway-command", command, "table"])
    assert said.exit_code == 2
    assert f"--gateway-command {command!r} does not run" in " ".join(said.stderr.split())


def test_a_passphrase_longer_than_any_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"x" * 1024)
    plain = ("--config", PLAN[1], "--ca", str(tmp_path / "ca"))
    argv = ("site", "ca", "new", *plain, "--passphrase-file", str(tmp_path / "words"))
    said = CliRunner().invoke(main, argv)
    assert said.exit_code == 1
    assert said.stderr == "site: a passphrase of 1024 bytes: at most 1023\n"
