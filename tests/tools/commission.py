# SPDX-License-Identifier: MIT
"""A site to be commissioned: authority, broker with mutual TLS, intake, and a bare board."""

import contextlib
import hashlib
import json
import shutil
import sqlite3
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from kahriz_gateway.broker import conf as broker_conf
from kahriz_tools import micropython
from kahriz_tools.case import Case
from kahriz_tools.cli import node
from kahriz_tools.esptool import Chip
from kahriz_tools.provision_board import AtBoard
from kahriz_tools.provision_cli import provision as command
from kahriz_tools.provision_cli import wish
from kahriz_tools.provision_laptop import Laptop
from kahriz_tools.provision_paper import OnPaper
from kahriz_tools.provision_proof import Proof
from kahriz_tools.provision_readings import Readings
from kahriz_tools.provision_sheet import Sheet
from kahriz_tools.steps import Told, walk
from tests.gateway.conftest import SITE, SITE_TOML, wait_for
from tests.gateway.site_broker import Site
from tests.tools.bench_board import VFS, VFS_BYTES, BenchBoard, Flash

DEADLINE_MS = 3000  # of the node: what fails in vain shall not cost the test eight seconds


def small_micropython(vfs_bytes: int = VFS_BYTES, says: bytes = b"") -> bytes:
    """A whole image as ESP-IDF lays it out, with next to nothing inside."""
    app = bytearray(struct.pack("<BBBB20s", 0xE9, 1, 2, 0x20, b""))
    app[23] = 1  # a hash is appended
    body = says + b"\0" + b"an application" * 300
    app += struct.pack("<II", 0x3F400000, len(body)) + body
    app += b"\0" * (-(len(app) + 1) % 16) + b"\xee"
    app += hashlib.sha256(app).digest()
    entry = micropython.ENTRY
    table = entry.pack(b"\xaa\x50", 0, 0, 0x10000, 0x180000, b"factory", 0)
    table += entry.pack(b"\xaa\x50", 1, 0x81, VFS, vfs_bytes, b"vfs", 0)
    table += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()
    loader = bytes([0xE9]) + b"boot loader" * 700
    image = loader.ljust(micropython.TABLE - micropython.BEGIN, b"\xff") + table
    return image.ljust(0x10000 - micropython.BEGIN, b"\xff") + bytes(app)


class Commission:
    """All that a technician has in the field; `folder` is the site's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(folder, nodes=())
        self.site.configure(broker_conf.access(SITE, ["outlet"], []))
        self.site.start()
        self.site.plan()
        source = SITE_TOML.parent
        shutil.copy(source / "records.toml", folder)
        (folder / "nodes").mkdir()
        body = json.loads((source / "nodes" / "outlet.json").read_text())
        body["deadline_ms"] = DEADLINE_MS
        (folder / "nodes" / "outlet.json").write_text(json.dumps(body))
        (folder / "small.bin").write_bytes(small_micropython())
        micropython.keep(folder, str(folder / "small.bin"), None, unpinned=True)
        self.data = folder / "data"
        self.data.mkdir()
        self.flash = Flash()
        self.intake: subprocess.Popen[bytes] | None = None

    def start_intake(self) -> None:
        command = [sys.executable, "-m", "kahriz_gateway.intake.service"]
        command += ["--config", str(self.folder / "site.toml"), "--data", str(self.data)]
        log = self.folder / "intake.log"
        with log.open("wb") as out:
            self.intake = subprocess.Popen(command, stdout=out, stderr=out)
        wait_for(lambda: b"subscribed" in log.read_bytes(), "intake subscribes")

    def stop_intake(self) -> None:
        if self.intake is not None:
            self.intake.terminate()
            self.intake.wait()
            self.intake = None

    def close(self) -> None:
        self.stop_intake()
        self.site.stop()

    def board(self, **senses: Any) -> BenchBoard:
        return BenchBoard(self.folder / "board", self.flash, **senses)

    def options(self, port: str, *more: str) -> list[str]:
        return [
            "--port", port, "--by-hand", "--node", "outlet", "--site", str(self.folder),
            "--broker-host", "127.0.0.1", "--broker-port", str(self.site.port),
            "--gateway-data", str(self.data), "--gateway-config", str(self.folder / "site.toml"),
            *more,
        ]  # fmt: skip

    def provision(self, port: str, *more: str, command: str = "provision") -> Result:
        return CliRunner().invoke(node, [command, *self.options(port, *more), "--json"])

    def readings(self) -> int:
        with contextlib.closing(sqlite3.connect(self.data / "readings.db")) as conn:
            return int(conn.execute("SELECT count(*) FROM reading").fetchone()[0])

    def files(self) -> dict[str, bytes]:
        """What the technician's folder holds, but for what runs beside it."""
        beside = ("data", "board", "broker", "intake.log")
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.relative_to(self.folder).parts[0] not in beside
        }


def told(result: Result) -> dict[str, Any]:
    assert result.stdout.count("\n") == 1, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


MAC = "24:0a:c4:e2:95:26"  # of the mock
BEFORE_IMAGE = (
    "site",
    "micropython",
    "certificate",
    "config",
)  # what the others stand on


def wanted(field: Commission, port: str = "/dev/none", **changes: Any) -> Any:
    """The wish that the command line would make."""
    arguments = field.options(port)
    context = command.make_context("provision", arguments)
    given = {k: v for k, v in context.params.items() if k not in ("without", "dry_run", "as_json")}
    return replace(wish(given.pop("node"), **given), **changes)


class Prepared:
    """A run that stands before a step: what comes before it was done by the first run."""

    def __init__(self, field: Commission, port: str = "/dev/none", **changes: Any) -> None:
        case = Case(wanted(field, port, **changes))
        case.load()
        self.laptop = Laptop(case)
        self.at_board = AtBoard(case, self.laptop, lambda _: None)
        self.paper = OnPaper(case, self.laptop, self.at_board)
        proof = Proof(case, self.laptop, self.at_board)
        self.at_board.port = port
        self.at_board.chip = Chip("ESP32-D0WDQ6", MAC, 4 << 20)
        self.sheet = Sheet(case, self.laptop, self.at_board, self.paper)
        steps = (
            *(*self.laptop.steps(), *self.at_board.steps(), *proof.steps(), Readings(case).step()),
            *(*self.paper.steps(), self.sheet.step()),
        )
        self.steps = {step.name: step for step in steps}

    def fails(self, name: str, *before: str) -> Told:
        """The step's own complaint; the steps before it must pass."""
        run = walk([self.steps[one] for one in (*before, name)], lambda _: None)
        self.at_board.end()
        assert run.failed is not None, run.told
        assert run.told[-1].name == name
        assert run.failed.what.startswith(f"{name}: ")
        assert run.told[-1].mend
        return run.told[-1]
