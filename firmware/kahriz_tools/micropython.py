# SPDX-License-Identifier: MIT
"""The official MicroPython of the ESP32: one file, checked by its sum and by its own hashes.

The file is fetched once where there is Internet and kept in the site's folder with its sum and with
the reason why it is believed (pins.py); in the field nothing is fetched. It is written so that the
chip never runs half of it: the boot loader's first sector is erased first and written last.
"""

import hashlib
import json
import struct
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kahriz_tools.errors import BenchError

PAGE = "https://micropython.org/download/ESP32_GENERIC/"
CODE = 3
FOLDER, RECORD = "firmware", "micropython.json"
BEGIN = 0x1000  # where a whole image of an ESP32 is written
TABLE = 0x8000  # the partition table, ESP-IDF's default
ENTRY = struct.Struct("<2sBBII16sI")
ENTRY_MAGIC, SUM_MAGIC = b"\xaa\x50", b"\xeb\xeb"
IMAGE_MAGIC = 0xE9
APP = (0, 0x00)  # type, subtype: the factory application
SECTOR = 4096
FETCH_S = 60
LARGEST_BYTES = 16 << 20


@dataclass(frozen=True)
class Partition:
    """A line of the partition table."""

    name: str
    kind: tuple[int, int]
    offset: int
    size: int


@dataclass(frozen=True)
class Firmware:
    """A file that was checked."""

    name: str
    sha256: str
    data: bytes
    partitions: tuple[Partition, ...]
    trust: str = ""  # why these bytes are believed, in words
    pinned: bool = False

    @property
    def files(self) -> Partition:
        """Where the file system goes."""
        for one in self.partitions:
            if one.name == "vfs":
                return one
        raise BenchError(f"{self.name} has no partition for files", f"take one of {PAGE}", CODE)

    @property
    def flash_bytes(self) -> int:
        """How large the flash must be."""
        return max(one.offset + one.size for one in self.partitions)

    @property
    def first(self) -> dict[int, bytes]:
        """The sector without which the chip starts nothing: erased first, written last."""
        return {BEGIN: self.data[:SECTOR]}

    @property
    def rest(self) -> dict[int, bytes]:
        rest = self.data[SECTOR:]
        return {BEGIN + SECTOR: rest + b"\xff" * (-len(rest) % SECTOR)}

    @property
    def all(self) -> dict[int, bytes]:
        """For comparing."""
        return {**self.first, **self.rest}


def look(name: str, data: bytes) -> Firmware:
    """Check a file by what it says of itself: boot loader, table with its MD5, application."""
    table = data[TABLE - BEGIN : TABLE - BEGIN + 0xC00]
    partitions = []
    for at in range(0, len(table) - ENTRY.size + 1, ENTRY.size):
        magic, major, minor, offset, size, label, _ = ENTRY.unpack_from(table, at)
        if magic == SUM_MAGIC and table[at + 16 : at + 32] != hashlib.md5(table[:at]).digest():
            raise _bad(name, "its partition table is spoiled")
        if magic != ENTRY_MAGIC:
            break
        text = label.rstrip(b"\0").decode("ascii", "replace")
        partitions.append(Partition(text, (major, minor), offset, size))
    if not data or data[0] != IMAGE_MAGIC or not partitions:
        raise _bad(name, "it is no whole image of an ESP32")
    for one in partitions:
        if one.kind == APP and not _whole(data[one.offset - BEGIN :]):
            raise _bad(name, "its application is spoiled")
    return Firmware(name, hashlib.sha256(data).hexdigest(), data, tuple(partitions))


def _whole(app: bytes) -> bool:
    """Whether an application carries the hash that ESP-IDF appends; one without is believed."""
    if len(app) < 24 or app[0] != IMAGE_MAGIC:
        return False
    at = 24  # after the header
    for _ in range(app[1]):
        if at + 8 > len(app):
            return False
        at += 8 + int(struct.unpack_from("<I", app, at + 4)[0])
    at = (at // 16 + 1) * 16  # padded to 15, then one byte of checksum
    if app[23] != 1:
        return at <= len(app)
    return app[at : at + 32] == hashlib.sha256(app[:at]).digest()


@dataclass(frozen=True)
class Copy:
    """Bytes, and the host that gave them in the end; of a file there is none."""

    data: bytes
    host: str


def keep(site: Path, source: str, sha256: str | None, unpinned: bool = False) -> Firmware:
    """Take a file or an address into the site's folder, and write down sum and trust."""
    from kahriz_tools import pins

    data = get(source).data
    name = Path(urllib.parse.urlsplit(source).path).name
    found = look(name, data)
    if sha256 is not None and found.sha256 != sha256.lower():
        raise BenchError(
            f"{name} has the sum {found.sha256}", f"it should be {sha256}: fetch it again", CODE
        )
    pin = pins.judge(name, found.sha256, pins.load())
    if pin is not None:
        trust = f"official: {pin.words}"
    elif sha256 is not None:
        trust = "NOT PINNED: it has the sum that was given with --sha256"
    elif unpinned:
        trust = "NOT PINNED: believed as it came, nobody has compared it"
    else:
        raise BenchError(
            f"the sum of {name} is not pinned: {found.sha256}",
            "nobody can tell it from a changed one. `kahriz node firmware pin` compares two "
            "copies; or --sha256 with a sum from whom you trust; or --unpinned, believing it",
            CODE,
        )
    try:
        folder = site / FOLDER
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
        record = {"file": name, "sha256": found.sha256, "from": source, "trust": trust}
        (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchError(f"cannot write {error.filename} ({error.strerror})", "", CODE) from error
    return replace(found, trust=trust, pinned=pin is not None)


def load(site: Path) -> Firmware:
    """The file that the site keeps, if it still is what was kept."""
    from kahriz_tools import pins

    folder = site / FOLDER
    try:
        record: Mapping[str, str] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        name, wanted = record["file"], record["sha256"]
        data = (folder / name).read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(
            f"no MicroPython in {folder}",
            f"download the newest .bin of {PAGE} where there is Internet, then "
            "`kahriz node firmware fetch --from FILE`",
            CODE,
        ) from error
    if hashlib.sha256(data).hexdigest() != wanted:
        raise BenchError(
            f"{folder / name} is not the file that was kept (its sum differs)",
            "`kahriz node firmware fetch` it again",
            CODE,
        )
    pin = pins.judge(name, wanted, pins.load())  # it may have been pinned since, or been found bad
    trust = str(record.get("trust", "NOT PINNED: kept before sums were pinned"))
    trust = trust if pin is None else f"official: {pin.words}"
    return replace(look(name, data), trust=trust, pinned=pin is not None)


def get(source: str) -> Copy:
    """Bytes of an https address or a file."""
    try:
        if source.startswith("https://"):
            with urllib.request.urlopen(source, timeout=FETCH_S) as answer:
                host = urllib.parse.urlsplit(answer.geturl()).hostname or ""
                return Copy(answer.read(LARGEST_BYTES), host)
        return Copy(Path(source).read_bytes(), "")
    except (OSError, urllib.error.URLError) as error:
        raise BenchError(
            f"{source} cannot be read ({error})", f"there is one at {PAGE}", CODE
        ) from error


def _bad(name: str, why: str) -> BenchError:
    return BenchError(f"{name}: {why}", f"download it again from {PAGE}", CODE)
