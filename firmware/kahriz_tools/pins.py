# SPDX-License-Identifier: MIT
"""The sums of official MicroPython images, who compared them, and how a sum gets in there.

Two copies that came different ways must be the same bytes, be whole, and call themselves an
official release of the board: one copy alone would only show that it is itself.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kahriz_tools import micropython
from kahriz_tools.errors import BenchError

FILE = Path(__file__).with_name("micropython_pins.toml")
OFFICIAL = "https://micropython.org/resources/firmware/"
BOARD, MACHINE = "ESP32_GENERIC", "Generic ESP32 module with ESP32"
CODE = 3
NAME = re.compile(r"([A-Z0-9_]+)-(\d{8})-v(\d+\.\d+\.\d+)\.bin")
SUM = re.compile(r"[0-9a-f]{64}")
BANNER = re.compile(rb"MicroPython v([ -~]{1,60}?) on (\d{4}-\d\d-\d\d); ([ -~]{1,80}?)\0")


@dataclass(frozen=True)
class Pin:
    """An official image; without a sum nobody has compared it."""

    version: str
    board: str
    url: str
    sha256: str
    verified_by: str
    verified_on: str
    sources: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def words(self) -> str:
        return f"MicroPython {self.version}, compared by {self.verified_by} on {self.verified_on}"


def load(path: Path = FILE) -> list[Pin]:
    """The pins, each key of them; a broken file pins nothing and says so."""
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("image", [])
        found = [Pin(**{**row, "sources": tuple(row["sources"])}) for row in rows]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BenchError(
            f"{path} cannot be read ({error})", "take it from the repository", CODE
        ) from error
    for pin in found:
        texts = (pin.version, pin.board, pin.url, pin.sha256, pin.verified_by, pin.verified_on)
        whole = SUM.fullmatch(pin.sha256) and pin.verified_by and pin.verified_on
        if not all(isinstance(one, str) for one in texts) or not (whole or pin.sha256 == ""):
            raise BenchError(
                f"{path}: the pin of {pin.url} is not whole",
                "a sum of 64 digits, who compared it and when; or none of them",
                CODE,
            )
    return found


def judge(name: str, sha256: str, pins: Sequence[Pin]) -> Pin | None:
    """The pin of these bytes; refused when the name is a pinned one and the bytes are not."""
    for pin in pins:
        if pin.sha256 == sha256:
            return pin
    for pin in pins:
        if pin.sha256 and pin.name == name:
            raise BenchError(
                f"{name} is not the official file: its sum is {sha256}, pinned is {pin.sha256}",
                f"take it from {pin.url}; if it comes again, tell us: somebody changes it",
                CODE,
            )
    return None


def banner(data: bytes) -> tuple[str, str, str] | None:
    """Version, day and machine as the program will say them at its prompt."""
    found = BANNER.search(data)
    if found is None:
        return None
    version, day, machine = (one.decode("ascii") for one in found.groups())
    return version, day, machine


def compare(sources: Sequence[str], who: str, today: str, official: str = OFFICIAL) -> Pin:
    """A pin from two copies, one of them from the official address."""
    if len(sources) != 2:
        raise BenchError(f"{len(sources)} sources", "say --from twice: two different ways", 2)
    ours = [one for one in sources if one.startswith(official)]
    if len(ours) != 1:
        raise BenchError(
            "exactly one source must be the official address",
            f"one {official}NAME.bin, and a copy that came another way",
            CODE,
        )
    name = ours[0].removeprefix(official)
    parts = NAME.fullmatch(name)
    if parts is None or parts[1] != BOARD:
        raise BenchError(f"{name} is no release of {BOARD}", f"one of {micropython.PAGE}", CODE)
    copies = [micropython.get(one) for one in sources]
    if len({copy.host for copy in copies}) != 2:
        raise BenchError(
            f"both copies came from {copies[0].host}",
            "another host, or a file that was fetched in another network",
            CODE,
        )
    first, second = (copy.data for copy in copies)
    if first != second:
        sums = " and ".join(hashlib.sha256(one).hexdigest() for one in (first, second))
        raise BenchError(f"the two copies differ: {sums}", "do not use either; look which", CODE)
    micropython.look(name, first)
    day = f"{parts[2][:4]}-{parts[2][4:6]}-{parts[2][6:]}"
    said = banner(first)
    if said != (parts[3], day, MACHINE):
        raise BenchError(
            f"the image calls itself {said}, its name says {(parts[3], day, MACHINE)}",
            f"take a release of {micropython.PAGE}",
            CODE,
        )
    told = tuple(one if one.startswith("https://") else f"file {Path(one).name}" for one in sources)
    return Pin(parts[3], BOARD, ours[0], hashlib.sha256(first).hexdigest(), who, today, told)


def save(pin: Pin, path: Path = FILE) -> None:
    """Fill in or add a pin; one that stands with another sum is not written over."""
    pins = load(path)
    for at, one in enumerate(pins):
        if one.url == pin.url:
            if one.sha256 not in ("", pin.sha256):
                raise BenchError(
                    f"{pin.name} is pinned with another sum by {one.verified_by}",
                    "find out which of you saw a changed file before anybody uses it",
                    CODE,
                )
            pins[at] = replace(pin)
            break
    else:
        pins.append(pin)
    head = path.read_text(encoding="utf-8").partition("\n[[image]]")[0].rstrip("\n")
    lines = [head]
    for one in pins:
        lines += ["", "[[image]]"]
        for key, value in asdict(one).items():
            value = list(value) if isinstance(value, tuple) else value
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=True)}")
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchError(
            f"cannot write {path} ({error.strerror})", "run it in a clone", CODE
        ) from error
