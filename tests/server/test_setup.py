# SPDX-License-Identifier: MIT
"""`kahriz server setup`: made once, found again, and clear when something is in the way.

InfluxDB 2 and Grafana are stand-ins written after their documentation; no real ones ran.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_server.cli import server

from .stand_ins import Office, serving

SITE = "banovshalar-gozlu"


class Desk:
    """A stand-in of each, and the command before them."""

    def __init__(self, office: Office, folder: Path, influx: str, grafana: str) -> None:
        self.office, self.folder = office, folder
        self.wanted = folder / "server.toml"
        self.write(influx, grafana)
        (folder / "influx.token").write_text("operator-token\n")
        (folder / "grafana.password").write_text("admin-password\n")

    def write(self, influx: str, grafana: str, more: str = "") -> None:
        self.wanted.write_text(
            f'[influx]\nurl = "{influx}"\n{more}[grafana]\nurl = "{grafana}"\n'
            f'[[gateway]]\nid = "{SITE}"\n'
        )

    def setup(self, *options: str, code: int = 0) -> str:
        said = CliRunner().invoke(
            server,
            [
                *("setup", str(self.wanted), "--tokens", str(self.folder / "tokens")),
                *("--influx-token-file", str(self.folder / "influx.token")),
                *("--grafana-password-file", str(self.folder / "grafana.password"), *options),
            ],
        )
        assert said.exit_code == code, said.output
        if code:  # a refusal stands in a box
            return " ".join(" ".join(line.strip("│ ") for line in said.output.splitlines()).split())
        return said.output


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    office = Office()
    with serving(office, "influx") as influx, serving(office, "grafana") as grafana:
        yield Desk(office, tmp_path, influx, grafana)


def test_setup_makes_all_that_is_wanted_and_twice_changes_nothing(desk: Desk) -> None:
    desk.setup()
    kept = desk.office.kept
    assert [b["name"] for b in kept["buckets"]] == ["kahriz", "kahriz_1h"]
    assert [(d["database"], d["bucketID"]) for d in kept["dbrps"]] == [
        (b["name"], b["id"]) for b in kept["buckets"]
    ]
    who = {
        a["description"]: {p["action"] for p in a["permissions"]} for a in kept["authorizations"]
    }
    assert who == {f"kahriz gateway {SITE}": {"write"}, "kahriz grafana": {"read"}}
    token = desk.folder / "tokens" / SITE
    assert token.read_text().startswith("token-")
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert [f["uid"] for f in kept["folders"]] == [f"kahriz-folder-{x}" for x in ("az", "ru", "en")]
    assert kept["permissions"][-1]["items"][-1] == {"teamId": 7, "permission": 1}
    assert kept["users"][0]["login"] == f"committee-{SITE}"
    before = len(desk.office.writes())
    assert "0 changes" in desk.setup()
    assert len(desk.office.writes()) == before


def test_a_dry_run_says_everything_and_changes_nothing(desk: Desk) -> None:
    said = desk.setup("--dry-run")
    assert desk.office.writes() == []
    assert not (desk.folder / "tokens").exists()
    would = [line for line in said.splitlines() if line.startswith("would ")]
    assert f"{len(would)} changes would be made" in said
    done = [line for line in desk.setup().splitlines() if line.startswith("done: ")]
    assert [line.removeprefix("done: ") for line in done] == [
        line.removeprefix("would ") for line in would
    ]


def test_another_retention_changes_that_alone(desk: Desk) -> None:
    desk.setup()
    urls = [line.split('"')[1] for line in desk.wanted.read_text().splitlines() if "url" in line]
    desk.write(*urls, more="keep_days = 730\n")
    said = desk.setup()
    assert "keep bucket kahriz 730 days, not unlimited" in said
    assert "1 changes" in said


def test_what_broke_off_in_the_middle_is_finished_by_the_next_run(desk: Desk) -> None:
    (desk.folder / "tokens").write_text("not a folder")
    assert "cannot write" in desk.setup(code=1)
    assert "authorizations" not in desk.office.kept
    (desk.folder / "tokens").unlink()
    desk.setup()
    assert "0 changes" in desk.setup()


def test_a_token_whose_file_is_gone_is_not_silently_replaced(desk: Desk) -> None:
    desk.setup()
    (desk.folder / "tokens" / SITE).unlink()
    said = desk.setup(code=1)
    assert "shown only once" in said
    assert len(desk.office.kept["authorizations"]) == 2


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"token": "another"}, "refuses the token"),
        ({"password": "another"}, "--grafana-password-file"),
        ({"influx_version": "1.8.10"}, "CREATE DATABASE"),
        ({"influx_version": "v2.6.1"}, "knows 2.7 and newer"),
        ({"influx_version": "3.2.0"}, "knows 2.7 and newer"),
        ({"grafana_version": "8.5.0"}, "10 or newer"),
        ({"ahead_s": 3600.0}, "60 min ahead"),
        ({"ahead_s": -3600.0}, "60 min behind"),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(
    desk: Desk, change: dict[str, object], complaint: str
) -> None:
    for name, value in change.items():
        setattr(desk.office, name, value)
    said = desk.setup(code=1)
    assert complaint in said


def test_a_dead_server_and_a_wrong_file_are_one_line(desk: Desk) -> None:
    good = desk.wanted.read_text()
    desk.write("http://127.0.0.1:9", "http://127.0.0.1:9")
    assert "does not answer" in desk.setup(code=1)
    desk.wanted.write_text(good + f'[[gateway]]\nid = "{SITE}"\n')
    assert "each id once" in desk.setup(code=1)
    desk.wanted.write_text(good.replace("[influx]", "[influx]\nbukket = 'x'"))
    assert "bukket" in desk.setup(code=1)


def test_another_mapping_is_not_taken_over(desk: Desk) -> None:
    desk.setup()
    desk.office.kept["dbrps"][0]["bucketID"] = "ffff"
    assert "mapped to another bucket" in desk.setup(code=1)


@pytest.mark.parametrize("url", ["x", "", "http://[", "http://h:x", "http://a b", "http:///"])
def test_what_is_no_address_is_refused_in_words(tmp_path: Path, url: str) -> None:
    (tmp_path / "token").write_text("t")
    through = ["--grafana-token-file", str(tmp_path / "token"), "--grafana-url", url]
    for given in (["--url", url], through):
        said = CliRunner().invoke(server, ["panels", *given])
        assert said.exit_code == 1, said.output
        assert f"{url!r} is no address" in said.output
