# SPDX-License-Identifier: MIT
"""Readings pulled off a board: kept as its files, told to the gateway as the node would tell them.

<site>/commissioned/<node>/pulled/<MAC>/ holds the files of the journal as they were on flash, and
board.json, written last: whose readings these are. Without it a pull was cut and is made again.
"""

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from kahriz_node.journal import Journal
from kahriz_node.records import Layout
from kahriz_tools import filesystem, node_config
from kahriz_tools.case import Case
from kahriz_tools.errors import BenchError
from kahriz_wire import WireError, outgoing, topics

HOME, OWNER = "pulled", "board.json"
BY_HAND = "00000000"  # the session of what was said by hand
GONE_AT_ONCE = 32


def folder_of(mac: str) -> str:
    return f"{HOME}/{mac.replace(':', '')}"


def owner_of(config: node_config.Json | None) -> dict[str, str]:
    """Site and node as the board's own configuration has them; empty when nobody knows."""
    if config is None or not all(isinstance(config.get(key), str) for key in ("site", "node")):
        return {}
    return {"site": config["site"], "node": config["node"]}


def keep(case: Case, mac: str, files: Mapping[str, bytes], owner: Mapping[str, str]) -> None:
    """All files, then whose they are."""
    where = folder_of(mac)
    (case.home / where / OWNER).unlink(missing_ok=True)
    for path, data in files.items():
        case.put(f"{where}{path}", data)
    case.put(f"{where}/{OWNER}", json.dumps(owner, sort_keys=True).encode())


def kept(case: Case, mac: str, files: Mapping[str, bytes], owner: Mapping[str, str]) -> Path | None:
    """Where they are kept, when they are all there."""
    folder = case.home / folder_of(mac)
    wanted = {**files, f"/{OWNER}": json.dumps(owner, sort_keys=True).encode()}
    for path, data in wanted.items():
        file = folder / path.lstrip("/")
        if not file.is_file() or file.read_bytes() != data:
            return None
    return folder


def folders(case: Case) -> list[Path]:
    """Every whole pull of this node's home."""
    return sorted(path.parent for path in (case.home / HOME).glob(f"*/{OWNER}"))


def owner(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / OWNER).read_text(encoding="utf-8"))
    return found


def mark(folder: Path) -> str:
    """The sum of a pull: what was delivered once is not delivered again."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def messages(folder: Path) -> bytes:
    """Lines of `topic payload`: the rows that can be read, and what cannot with its reason."""
    whose = owner(folder)
    lines = []
    for root in sorted(path for path in folder.iterdir() if path.is_dir()):
        if not filesystem.is_journal(f"/{root.name}"):
            continue
        try:
            book = Journal(str(root), Layout([]), _no_id, writable=False)
            for kind, payload in _payloads(book):
                topic = topics.of(whose["site"], whose["node"], kind)
                lines.append(f"{topic} ".encode() + payload)
        except (OSError, ValueError, LookupError, TypeError, struct.error, WireError) as error:
            raise BenchError(
                f"the journal in {root} cannot be read ({type(error).__name__} {error})",
                "its files stay there: keep them, and tell us",
                node_config.CONFIG_CODE,
            ) from error
    return b"\n".join(lines) + b"\n" if lines else b""


def _payloads(book: Journal) -> Iterator[tuple[str, bytes]]:
    """(kind, payload): rows of one sort together, as many as a message takes."""
    gone: list[tuple[int, int, str]] = []
    texts: list[str] = []
    sort, size = "", 0
    for a, b, text, word in book.rows(1, book.next - 1):
        if text is None:
            gone.append((a, b, word))
            continue
        if texts and (word != sort or size + len(text.encode()) + 1 > outgoing.UP_MOST_BYTES - 2):
            yield f"up/{book.id}", outgoing.up(texts)
            texts, size = [], 0
        sort = word
        texts.append(text)
        size += len(text.encode()) + 1
    if texts:
        yield f"up/{book.id}", outgoing.up(texts)
    for start in range(0, len(gone), GONE_AT_ONCE):
        yield "ack", outgoing.ack(BY_HAND, book.id, gone[start : start + GONE_AT_ONCE], [])


def _no_id() -> str:
    raise ValueError("no journal in it")
