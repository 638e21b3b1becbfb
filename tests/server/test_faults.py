# SPDX-License-Identifier: MIT
"""Every command of the office under every fault: one clear line, and nothing lost.

A full disk is the kernel's own refusal (RLIMIT_FSIZE); the dead server is a port nobody listens
at; the server that refuses is one that says 401 to everything. `run`, `check`, `gateway` and
`alarm` have tests of their own (test_watch*.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kahriz_gateway.export.cli import export
from kahriz_gateway.report.cli import report
from kahriz_gateway.village import store as village_store
from kahriz_server.cli import server
from kahriz_water.value import Value

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
T0, STEP_MS, DAYS = 1_764_000_000_000, 300_000, 8
DEAD = "http://127.0.0.1:9"


@dataclass
class Desk:
    """A folder with all that the commands read, and where they write."""

    folder: Path
    refusing: str

    def __post_init__(self) -> None:
        self.out = self.folder / "out"
        self.own = self.folder / "archive" / "gozlu"
        self.token = self.folder / "token"
        self.url = DEAD

    def wanted(self) -> Path:
        path = self.folder / "server.toml"
        if not path.exists():
            path.write_text(f'[influx]\nurl = "{self.url}"\n[[gateway]]\nid = "gozlu"\n')
        return path

    def digests(self) -> dict[str, str]:
        """What may not be lost: everything but the marks that SQLite keeps beside its stores."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.name.endswith(("-wal", "-shm", ".new", ".part", ".lock"))
        }


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """A server that refuses whoever comes."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            ready = self.path in ("/health", "/ping")
            body = json.dumps({"version": "v2.7.11"} if ready else {"message": "no"}).encode()
            self.send_response(200 if ready else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve  # noqa: N815 - named by http.server

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gateway's stores and the readings of an archive; checkpointed, as a copy is."""
    made = tmp_path_factory.mktemp("stores")
    shutil.copy(SITE / "site.toml", made)
    moments = [T0 + k * STEP_MS for k in range(DAYS * 288)]
    with contextlib.closing(village_store.open_village(made / "village.db")) as conn:
        with village_store.transaction(conn):
            found = [Value("outlet", "discharge_lps", ts, 12.0, 0.3, 1) for ts in moments]
            village_store.put_values(conn, found)
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    lines = [
        f"2025-11-24T00:{k // 60:02}:{k % 60:02},outlet,discharge_lps,12.0" for k in range(600)
    ]
    (made / "readings.csv").write_text("\n".join(["time,sensor,quantity,value", *lines, ""]))
    return made


@pytest.fixture
def desk(tmp_path: Path, stores: Path, refusing: str) -> Desk:
    made = Desk(tmp_path, refusing)
    shutil.copytree(stores, made.own)
    made.out.mkdir()
    made.token.write_text("a-token\n")
    made.token.chmod(0o600)
    return made


@contextlib.contextmanager
def full_disk(size: int = 64) -> Iterator[None]:
    """The kernel takes no more than so many bytes into any file, of this process and its own."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


Words = Callable[[Desk], tuple[click.Command, list[str]]]


def of_server(*words: str, out: bool = False, influx: bool = False) -> Words:
    def made(desk: Desk) -> tuple[click.Command, list[str]]:
        given = [word.format(desk=desk) for word in words]
        given += ["--out", str(desk.out)] if out else []
        given += ["--url", desk.url, "--token-file", str(desk.token)] if influx else []
        return server, given

    return made


def of_gateway(group: click.Command, *words: str) -> Words:
    def made(desk: Desk) -> tuple[click.Command, list[str]]:
        place = ["--config", str(desk.own / "site.toml"), "--data", str(desk.own)]
        return group, [*words, "--out", str(desk.out / "file"), *place]

    return made


def setup(desk: Desk) -> tuple[click.Command, list[str]]:
    tokens = ["--influx-token-file", str(desk.token), "--tokens", str(desk.out / "tokens")]
    return server, ["setup", str(desk.wanted()), *tokens]


COMMANDS: dict[str, Words] = {
    "dashboards": of_server("dashboards", out=True),
    "setup": setup,
    "panels": of_server("panels", influx=True),
    "refill": of_server("refill", "{desk.own}", influx=True),
    "replay": of_server("replay", "{desk.folder}/archive", "--jobs", "1", out=True),
    "reports": of_server("reports", "{desk.folder}/archive", "--month", "2025-11", out=True),
    "export values": of_gateway(export, "values"),
    "export totals": of_gateway(export, "totals"),
    "report month": of_gateway(report, "month", "--month", "2025-11"),
}
# What each says under a fault; a fault that cannot meet a command is not in its row.
TABLE: dict[str, dict[str, str]] = {
    "dashboards": {"full disk": "cannot write", "half a file": "18 dashboards, 1 changed"},
    "setup": {
        "wrong token": "refuses the token (401)",
        "dead server": "does not answer",
        "half a file": "server.toml",
        "torn token": "expected a file with the secret alone",
    },
    "panels": {
        "wrong token": "401",
        "dead server": "does not answer as an InfluxDB",
        "torn token": "expected",
    },
    "refill": {
        "wrong token": "InfluxDB 401",
        "dead server": "InfluxDB unreachable",
        "half a file": "is damaged",
        "torn token": "a readable file with the secret alone",
    },
    "replay": {"full disk": "File too large", "half a file": "was cut short: export it again"},
    "reports": {"full disk": "not done: gozlu", "half a file": "is damaged"},
    "export values": {"full disk": "is the disk full", "half a file": "is damaged"},
    "export totals": {"full disk": "is the disk full", "half a file": "is damaged"},
    "report month": {"full disk": "is the disk full", "half a file": "is damaged"},
}
CASES = [(name, fault) for name, row in TABLE.items() for fault in row]


def tear(desk: Desk, name: str) -> None:
    """Of what the command reads, or has written before, half is gone."""
    if name == "dashboards":
        path = desk.out / "en" / "kahriz.json"
    elif name == "setup":
        path = desk.wanted()
        path.write_text(path.read_text().replace("[[gateway]]", "[[gatew"))
        return
    elif name == "replay":
        path = desk.own / "readings.csv"
    else:
        path = desk.own / "village.db"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 - 3])


def one_line(output: str) -> str:
    """What is said, without the box around a refusal."""
    return " ".join(" ".join(line.strip("│╭╰─╮╯ ") for line in output.splitlines()).split())


def run(desk: Desk, name: str) -> tuple[int, str]:
    command, words = COMMANDS[name](desk)
    said = CliRunner().invoke(command, words)
    assert said.exception is None or isinstance(said.exception, SystemExit), said.exception
    text = one_line(said.output)
    assert "Traceback" not in text
    return said.exit_code, text


@pytest.mark.parametrize(("name", "fault"), CASES, ids=[f"{n}: {f}" for n, f in CASES])
def test_one_clear_line_and_nothing_lost(desk: Desk, name: str, fault: str) -> None:
    if name == "dashboards":
        run(desk, name)
    if fault == "half a file":
        tear(desk, name)
    if fault == "torn token":
        desk.token.write_bytes(b"\xff\x00 half")
    if fault == "wrong token":
        desk.url = desk.refusing
    if name == "setup":
        desk.wanted()
    if name == "dashboards" and fault == "full disk":
        (desk.out / "az" / "fleet.json").write_text("an older one")
    before = desk.digests()
    with full_disk() if fault == "full disk" else contextlib.nullcontext():
        code, said = run(desk, name)
    assert TABLE[name][fault] in said
    mends = (name, fault) == ("dashboards", "half a file")
    assert code == 0 if mends else code != 0
    if not mends:
        kept = {n: d for n, d in desk.digests().items() if n in before}
        if name == "refill" and fault != "half a file":  # its place is kept in the store
            store = str((desk.own / "village.db").relative_to(desk.folder))
            assert kept.pop(store)
            assert before.pop(store)
            assert values_of(desk) == DAYS * 288
        assert kept == before


def values_of(desk: Desk) -> int:
    with contextlib.closing(village_store.open_village(desk.own / "village.db")) as conn:
        return int(conn.execute("SELECT count(*) FROM value").fetchone()[0])


def test_setup_makes_no_token_that_the_disk_cannot_keep(tmp_path: Path) -> None:
    """It would be shown once and lost: the disk is tried first."""
    from .stand_ins import Office, serving

    office = Office()
    with serving(office, "influx") as url:
        desk = Desk(tmp_path, url)
        desk.url = url
        desk.token.write_text("operator-token\n")
        with full_disk(100):
            code, said = run(desk, "setup")
        assert code == 1
        assert "cannot write" in said
        assert "authorizations" not in office.kept
        assert run(desk, "setup")[0] == 0
    assert (desk.out / "tokens" / "gozlu").read_text().startswith("token-")


def test_what_a_full_disk_broke_off_goes_on_when_there_is_room(desk: Desk) -> None:
    with full_disk(100_000):
        assert "make room or give another --out" in run(desk, "export values")[1]
    assert (desk.out / "file.part").stat().st_size == 100_000
    assert run(desk, "export values")[0] == 0
    again = desk.out / "again"
    shutil.move(desk.out / "file", again)
    assert run(desk, "export values")[0] == 0
    assert (desk.out / "file").read_bytes() == again.read_bytes()
