# SPDX-License-Identifier: MIT
"""What fuzzing aims at: each takes bytes, and only what the reader promises may come out."""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kahriz_alarms import credit, replies
from kahriz_alarms.channels.modem_program import SilentError, answer_of
from kahriz_gateway.intake.plain import plain_rows
from kahriz_gateway.orders import ota
from kahriz_tools import bundle
from kahriz_tools.errors import BenchError
from kahriz_water.plan import parse_plan
from kahriz_water.strict import ConfigError
from kahriz_wire import messages
from kahriz_wire.checks import MS_MOST
from kahriz_wire.errors import WireError
from tests.attacks.favourites import NASTY
from tests.gateway.conftest import NOW_MS, Gateway

ROOT = Path(__file__).parents[2]
WIRE = ROOT / "tests" / "data" / "wire"
FOUND = ROOT / "tests" / "data" / "fuzz"  # what fuzzing has found once; a folder a target
SITES = ROOT / "firmware" / "kahriz_sim" / "sites"
DECODERS = (
    messages.decode_hello,
    messages.decode_receipt,
    messages.decode_ack,
    messages.decode_birth,
    messages.decode_status,
)


@contextlib.contextmanager
def in_words(kind: type[Exception]) -> Iterator[None]:
    """Read, or refused by this error with words; any other one passes through."""
    try:
        yield
    except kind as error:
        if not str(error):
            raise AssertionError("refused without a word") from error


@functools.cache
def gateway() -> Gateway:
    """A real store."""
    folder = tempfile.mkdtemp(prefix="kahriz-fuzz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = Gateway(Path(folder) / "readings.db")
    made.hello(1, 2)
    return made


def up(data: bytes) -> None:
    """Rows: read or refused; what the quick reader takes the strict one reads alike; and stored."""
    quick = plain_rows(data, 1, MS_MOST)
    try:
        good, bad = messages.decode_rows(data)
    except WireError:
        assert quick is None or quick == []
        good = []
    else:
        assert not quick or (not bad and [row.n for row in good] == [each[0] for each in quick])
    village = gateway()
    receipt = village.tell("up/9f3a01c2", data)
    if receipt is None:
        return
    for row in good:
        if row.ts is None or 1_735_689_600_000 <= row.ts <= NOW_MS:  # 2025
            held = village.query(f"SELECT count(*) FROM reading WHERE n={row.n}")  # noqa: S608
            assert held == [(1,)], row.n


def session(data: bytes) -> None:
    """Hello, receipt, ack, birth, status: read or refused."""
    for decode in DECODERS:
        with in_words(WireError):
            decode(data)
    for kind in ("hello", "ack", "birth"):
        gateway().tell(kind, data, node="middle")


def site(data: bytes) -> None:
    """site.toml: a plan, or a refusal that names the place."""
    with in_words(ConfigError):
        parse_plan(data.decode("utf-8", "replace"), "site.toml")


def manifest(data: bytes) -> None:
    """A signed release and a bundle: whole, or refused in words."""
    with in_words(ota.OtaError):
        ota.read(data)
    with tempfile.NamedTemporaryFile(dir=gateway().path.parent) as file:
        file.write(data)
        file.flush()
        with in_words(BenchError):
            bundle.read(Path(file.name))


def modem(data: bytes) -> None:
    """What comes from a stick: people's answers, an operator's, a line of our own worker."""
    text = data.decode("utf-8", "replace")
    found = replies.parse(text)
    assert found.alarm is None or 0 <= found.alarm < 10**9
    assert found.hours is None or 0 < found.hours < 10_000
    for pattern in (None, r"Balans: ([0-9.,]+)"):
        left = credit.amount(text, pattern)
        assert left is None or abs(left) < 10**15
    with in_words(SilentError):
        assert {"ok", "error"} & answer_of(data).keys()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "up": up,
    "session": session,
    "site": site,
    "manifest": manifest,
    "modem": modem,
}


def seeds(name: str) -> list[bytes]:
    """Where fuzzing begins: real messages and plans, the old favourites, and what it has found."""
    kinds = {"up": "up.*.json", "session": "[!u]*.json"}
    made = [path.read_bytes() for path in sorted(WIRE.glob(kinds.get(name, "none")))]
    if name == "site":
        made += [path.read_bytes() for path in sorted(SITES.glob("*/site.toml"))]
    if name == "manifest":
        made += [
            b"KHR1\x00\x1f\x00\x00\x00\x01" + bytes(384) + b"kahriz 1 100 6 0.0.1 2\n",
            a_zip(),
        ]
    if name == "modem":
        made += [b"3 17 dolasov", b"4 12", b"SU?", b"Balans: 1.234,50 AZN"]
        made += [b'{"ok": 1}\n', b'{"error": "ERR_TIMEOUT", "permanent": false}\n']
    found = sorted((FOUND / name).glob("*")) if (FOUND / name).is_dir() else []
    return [*made, *NASTY, *(path.read_bytes() for path in found)]


def a_zip() -> bytes:
    """A bundle in small."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("MANIFEST", "kahriz 1 10000 6 0.1.0 2\n")
        made.writestr("program/lib/kahriz_node/x.mpy", b"M\x06")
    return out.getvalue()
