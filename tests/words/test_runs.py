# SPDX-License-Identifier: MIT
"""Commands of the pages that need no hardware, run as they stand there; their words are compared.

They run one after another in a folder like a technician's: the demo's plan and stores of an old
gateway. Every line must stand on its page, so that neither changes without the other.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz.cli import main
from tests.words import commands
from tests.words.markdown import ROOT, pages

SITE = ROOT / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
STORES = ROOT / "tests" / "data" / "stores"


class Desk:
    """A folder in which lines of pages are typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def types(self, page: str, line: str, code: int = 0, **put_in: str) -> str:
        """What the line prints; `put_in` are this folder's names for those of the page."""
        text = next(each.text for each in pages() if each.name == page)
        assert line in re.sub(r"\\\n\s*", " ", text), f"{line} does not stand in {page}"
        for there, here in put_in.items():
            line = line.replace(there, here)
        said = ""
        for words in commands.simple(line):
            assert words[0] in commands.OURS
            result = CliRunner().invoke(main, words[1:])
            said += result.output
            assert result.exit_code == code, f"{shlex.join(words)}: {said} {result.exception!r}"
        return said


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    shutil.copytree(SITE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "data").mkdir()
    for kind in ("readings", "village"):
        shutil.copy(STORES / f"{kind}-v1.db", tmp_path / "data" / f"{kind}.db")
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


def test_the_ledger_prints_what_the_handbook_shows(desk: Desk) -> None:
    page = next(each for each in pages() if each.name == "gateway/README.md")
    shown = next(b.text for b in page.blocks() if b.text.startswith("$ kahriz gateway ledger"))
    asked, _, answer = shown.partition("\n")
    assert desk.types(page.name, asked.removeprefix("$ ")) == answer


def test_a_gateway_is_checked_filled_with_records_and_told_what_is_missing(desk: Desk) -> None:
    page = "gateway/README.md"
    line = "kahriz gateway check --config site.toml --data data"
    said = desk.types(page, line, code=1)  # no broker is here
    assert "pass  plan: banovshalar-gozlu: 6 points" in said
    assert "FAIL  broker" in said
    line = "kahriz gateway records import records.toml --config /etc/kahriz/site.toml --data /var/lib/kahriz"  # noqa: E501
    put_in = {"/etc/kahriz/site.toml": "site.toml", "/var/lib/kahriz": "data"}
    assert "records new or changed" in desk.types(page, line, **put_in)


def test_last_nights_backup_is_put_into_an_empty_folder(desk: Desk) -> None:
    assert "checked" in desk.types("gateway/RUNBOOK.md", "kahriz gateway backup", backup="backup b")
    backup = next((desk.folder / "b").iterdir())
    assert re.fullmatch(r"banovshalar-gozlu-\d{8}T\d{6}Z", backup.name)
    there = "/media/kahriz-backup/SITE-20261122T024000Z"
    put_in = {there: str(backup), "/var/lib/private/kahriz": "empty"}
    line = f"kahriz gateway restore {there} --data /var/lib/private/kahriz"
    assert "Nothing was written" in desk.types("gateway/RUNBOOK.md", f"{line} --dry-run", **put_in)
    assert not (desk.folder / "empty").exists()
    assert "restored into empty as store" in desk.types("gateway/RUNBOOK.md", line, **put_in)
    assert {path.name for path in (desk.folder / "empty").iterdir()} >= {"readings.db"}


def test_the_drill_of_the_release_page_shows_that_a_backup_is_one(desk: Desk) -> None:
    page = next(each for each in pages() if each.name == "docs/release.md")
    (drill,) = [block.text for block in page.blocks() if "--data drill" in block.text]
    desk.types("gateway/RUNBOOK.md", "kahriz gateway backup", backup="backup b")
    put_in = {
        "/media/kahriz-backup/SITE-20261122T024000Z": str(next((desk.folder / "b").iterdir()))
    }
    said = [desk.types(page.name, line, **put_in) for line in commands.lines(drill)]
    assert "whole" in said[0]
    assert "CONTRADICTION" not in said[2]
    assert "[[deployment]]" in said[3]
    assert "12 rows in drill.csv" in said[4]


def test_a_site_gets_its_authority_loses_a_node_and_changes_the_authority(desk: Desk) -> None:
    page = "gateway/deploy/README.md"
    assert "keep ca/1/ca.key off the Pi" in desk.types(
        page, "kahriz site ca new --host 192.168.4.1"
    )
    assert "tank: ca/nodes/tank" in desk.types(page, "kahriz site ca issue --all")
    desk.types(page, "kahriz site broker --to ca/broker")
    assert (desk.folder / "ca/broker/kahriz.acl").is_file()
    assert "is revoked" in desk.types(page, "kahriz site ca revoke outlet --why stolen")
    desk.types(page, "kahriz site ca issue outlet")
    desk.types(page, "kahriz site ca issue reader.lamp")
    desk.types(page, "kahriz site ca renew gateway.intake")
    desk.types(page, "kahriz site ca renew broker --host 10.1.1.1")
    assert "authority 2 is trusted" in desk.types(page, "kahriz site ca roll")
    assert "outlet" in desk.types("docs/technician.md", "kahriz site ca show")
    for name in ("ca.pem", "crl.pem", "broker.pem", "broker.key", "doctor.key"):
        assert (desk.folder / "ca/gateway" / name).is_file()  # what the page then installs


def test_an_office_gets_its_tables_its_report_and_its_dashboards(desk: Desk) -> None:
    page = "server/README.md"
    assert "12 rows" in desk.types(page, "kahriz export values --out all.csv")
    desk.types(page, "kahriz export totals --a month --out months.csv")
    desk.types(page, "kahriz export ratings --out r.csv; kahriz export visits --out v.csv")
    said = desk.types(page, "kahriz export read-back all.csv --into copy/")
    assert "12 values in" in said
    desk.types(page, "kahriz report month --month 2026-05 --lang az --out may.pdf")
    assert (desk.folder / "may.pdf").read_bytes()[:5] == b"%PDF-"
    desk.types(page, "kahriz server dashboards --out DIR --reach orchard:mouth:gate")
    assert "orchard" in "".join(p.read_text("utf-8") for p in (desk.folder / "DIR").rglob("*.json"))


def test_an_advisory_begins_and_ends_by_hand(desk: Desk) -> None:
    page = "gateway/kahriz_alarms/README.md"
    line = 'kahriz alarm advisory start --days 3 --why "flood over shaft 4" --who rena'
    assert "rena: flood over shaft 4" in desk.types(page, line)
    line = 'kahriz alarm advisory end --why "laboratory, 3 samples" --who rena'
    assert "ended by rena" in desk.types(page, line)
    assert "advisory: 1 alarms, 0 open" in desk.types(page, "kahriz alarm stats")
    assert '"what": "closed"' in desk.types("docs/alarms.md", "kahriz alarm events")


def test_the_sums_before_anybody_buys_or_digs_are_those_of_the_page(desk: Desk) -> None:
    page = "hardware/README.md"
    line = "kahriz hardware well --sensor a02yyuw --nearest-m 0.3 --farthest-m 0.5 --well-mm 150"
    said = desk.types(page, line, code=3)
    assert re.search("289 mm in radius.*75 mm", said, re.S)
    assert "289 mm in radius against 75" in (ROOT / page).read_text("utf-8")
    line = "kahriz hardware well --sensor pressure --well-mm 103"
    assert "Yes" in desk.types("hardware/pool/README.md", line)
    assert "wanted 15 dB" in desk.types(
        page, "kahriz hardware link --distance-m 900 --antenna-dbi 2"
    )
    desk.types(page, "kahriz hardware labels --site site.toml --out labels", code=3)  # no path
    assert (desk.folder / "labels/below-ground.svg").is_file()
    desk.types(page, "kahriz hardware sheet --out .")
    said = desk.types(page, "kahriz hardware power")
    kits = re.findall(r"^\| ([a-z-]+) \| ([\d.]+) \| [\d.]+", table(page), re.M)
    assert len(kits) >= 6
    for kit, daily_wh in kits:
        found = re.search(rf"^{kit} +([\d.]+) Wh", said, re.M)
        assert found is not None
        assert float(found[1]) == pytest.approx(float(daily_wh), rel=0.02)


def table(page: str) -> str:
    text = (ROOT / page).read_text("utf-8")
    return text[text.index("| kit | Wh a day") :]


def test_a_laptop_says_what_it_lacks(desk: Desk) -> None:
    said = desk.types("docs/technician.md", "kahriz node firmware fetch", code=3)
    assert "https://micropython.org" in said


def test_what_is_not_on_its_page_is_not_run(desk: Desk) -> None:
    with pytest.raises(AssertionError, match="does not stand in"):
        desk.types("gateway/README.md", "kahriz gateway check --data nowhere")
