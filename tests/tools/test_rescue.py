# SPDX-License-Identifier: MIT
"""`kahriz node rescue`: a dying board's readings reach the gateway, each of them once."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kahriz_node.journal import Journal
from kahriz_node.records import SYNCED, UNKNOWN, Layout, Stamp
from kahriz_tools import filesystem, micropython
from kahriz_tools.cli import node
from tests.gateway.conftest import NOW_MS, SITE, SITE_TOML, Gateway
from tests.tools.bench_board import FIRST, IMAGE_MAGIC, VFS, VFS_BYTES, BenchBoard, Flash
from tests.tools.commission import small_micropython

LAYOUT = Layout([("air", ("c",)), ("weir", ("distance_m",))])
JOURNAL = "9f3a01c2"
FILES_BYTES = 0x20000
COUNT = 300


def journal(folder: Path) -> dict[str, bytes]:
    """The files of a journal of 300 readings, the last ten without a time, one of them spoilt."""
    folder.mkdir()
    book = Journal(str(folder / "journal.2"), LAYOUT, lambda: JOURNAL, boot=3)
    for n in range(1, COUNT + 1):
        known = n <= COUNT - 10
        second = NOW_MS // 1000 - 86_400 + n
        stamp = Stamp(second, SYNCED) if known else Stamp(0, UNKNOWN, n, 3)
        book.append(stamp, 1, {"air": {"c": 2000}, "weir": {"distance_m": 6000 + n}})
    found = {
        f"/{path.relative_to(folder)}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    segment = f"/journal.2/{JOURNAL}/00000001"
    body = bytearray(found[segment])
    body[-50 * LAYOUT.size] ^= 1
    found[segment] = bytes(body)
    return found


class Bench:
    """A site's folder, its gateway's store, and a board that lives no longer as it should."""

    def __init__(self, folder: Path, site: str = SITE, alive: bool = True) -> None:
        self.site = folder / "site"
        (self.site / "nodes").mkdir(parents=True)
        shutil.copy(SITE_TOML, self.site)
        shutil.copy(SITE_TOML.parent / "nodes" / "outlet.json", self.site / "nodes")
        (folder / "small.bin").write_bytes(small_micropython(FILES_BYTES))
        micropython.keep(self.site, str(folder / "small.bin"), None, unpinned=True)
        self.gateway = Gateway(folder / "data" / "readings.db")
        self.files = journal(folder / "made")
        self.config = json.dumps({"site": site, "node": "outlet"}).encode()
        self.flash = Flash()
        self.flash.data[FIRST] = IMAGE_MAGIC if alive else 0
        self.fill(self.files)
        self.folder = folder

    def fill(self, files: dict[str, bytes]) -> None:
        size = VFS_BYTES if self.flash.starts else FILES_BYTES  # the boot loader's way is slow
        image = filesystem.make({**files, "/config.json": self.config}, size)
        self.flash.data[VFS : VFS + size] = image

    def rescue(self, code: int = 0, *more: str) -> dict[str, Any]:
        with BenchBoard(self.folder / "board", self.flash) as board:
            command = ["rescue", "--node", "outlet", "--port", board.port, "--by-hand", "--json"]
            command += ["--site", str(self.site), *(more or self.store())]
            result = CliRunner().invoke(node, command)
        assert result.exit_code == code, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def store(self) -> list[str]:
        plan = str(self.site / "site.toml")
        return ["--gateway-data", str(self.folder / "data"), "--gateway-config", plan]

    def says(self, told: dict[str, Any], step: str) -> str:
        return next(str(one["says"]) for one in told["steps"] if one["name"] == step)

    def stored(self) -> list[int]:
        return [n for (n,) in self.gateway.query("SELECT n FROM reading ORDER BY n")]


def test_what_the_gateway_lacks_comes_once_and_twice_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.gateway.hello(1, COUNT + 1, journal=JOURNAL)
    told = bench.rescue()
    said = bench.says(told, "readings")
    assert f"({COUNT - 1} readings: {COUNT - 1} new, 0 known)" in said
    ((lost, last, why),) = bench.gateway.query("SELECT a, b, reason FROM closed")
    assert (lost, why) == (last, "crc")
    assert bench.stored() == [n for n in range(1, COUNT + 1) if n != lost]
    undated = "SELECT count(*) FROM reading WHERE tq='unk'"
    assert bench.gateway.query(undated) == [(10,)]
    assert bench.gateway.query("SELECT count(*) FROM quarantine") == [(0,)]
    before = bench.gateway.query("SELECT * FROM reading")
    again = bench.rescue()
    assert "readings" not in again["did"]
    assert bench.gateway.query("SELECT * FROM reading") == before, "not even counted"


def test_a_board_that_is_silent_is_read_through_its_boot_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kahriz_tools.provision_board.LOOK_S", 0.3)
    bench = Bench(tmp_path, alive=False)
    bench.gateway.hello(1, COUNT + 1, journal=JOURNAL)
    bench.rescue()
    assert len(bench.stored()) == COUNT - 1


def test_readings_of_another_site_are_kept_and_not_mixed_in(tmp_path: Path) -> None:
    bench = Bench(tmp_path, site="baharli-valibay")
    told = bench.rescue()
    said = bench.says(told, "readings")
    assert said.startswith("none were pulled")
    assert "is of baharli-valibay/outlet: bring it there" in said
    assert bench.stored() == []


def test_without_a_gateway_they_stay_in_the_folder_and_the_mend_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    told = bench.rescue(12, "--by-hand")
    assert told["what"].startswith("readings: the gateway's store was not named")
    assert "--gateway-data" in told["mend"]
    pulled = bench.site / "commissioned" / "outlet" / "pulled"
    assert (next(pulled.iterdir()) / "board.json").is_file()
    bench.rescue()
    assert len(bench.stored()) == COUNT - 1


def test_a_spoilt_journal_is_told_and_its_files_stay(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    segment = f"/journal.2/{JOURNAL}/00000001"
    bench.fill({**bench.files, segment: b"KJ1" + b"\xff" * 400})
    told = bench.rescue()
    assert bench.stored() == [], bench.says(told, "readings")


def test_a_board_without_readings_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.fill({})
    told = bench.rescue()
    assert bench.says(told, "pull") == "it keeps no readings"
    assert bench.says(told, "readings").startswith("none were pulled")


def test_rows_that_the_node_sends_afterwards_are_known(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.rescue()
    bench.gateway.accept.books.forget()
    receipt = bench.gateway.hello(1, COUNT + 1, journal=JOURNAL)
    assert receipt.missing == []
    assert receipt.upto == COUNT
