# SPDX-License-Identifier: MIT
"""The fakes have nothing that an ESP32 does not have, and refuse what the chip refuses."""

import ast
import gc
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OnChip = Callable[..., Any]
ROOT = Path(__file__).parents[2]
BOARD = ROOT / "firmware" / "kahriz_sim" / "board"
WHERE = {
    "machine": [
        *(f"chip/{part}.py" for part in ("pin", "uart", "i2c", "soc", "counter")),
        "fakes/machine.py",
    ],
    "network": ["fakes/network.py"],
    "esp32": ["fakes/esp32.py"],
    "time": ["fakes/time.py"],
    "socket": ["fakes/socket.py"],
    "errno": ["chip/chip_errno.py"],
    "onewire": ["fakes/onewire.py"],
    "_onewire": ["fakes/_onewire.py"],
}
OURS = {  # functions of the board itself beside the classes it lends to `machine` and `network`
    "machine": {"power_up", "watch", "drive", "number_of", "output_level", "attach", "lose_power"}
    | {"measure", "set_unique_id", "memory", "RTC_PINS", "RTC_MEMORY_MAX", "number", "EXT0_WAKE"}
    | {"EXT1_WAKE", "IRQ_RX", "pulse", "source"},
    "network": {"power_up", "asleep", "is_up", "radio_is_on", "is_routed", "has_dns"},
    "socket": {"drop_all"},
}


def stubs(module: str) -> Path:
    """The stub file that was read off an ESP32_GENERIC with MicroPython 1.29."""
    found = importlib.util.find_spec("mypy")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parents[1] / f"{module}.pyi"
    if not path.is_file():
        pytest.fail(f"{path} is missing: make setup")
    return path


def public(tree: ast.Module) -> dict[str, set[str]]:
    """Names of a module: its own under "", those of each class under the class."""
    names: dict[str, set[str]] = {"": set()}
    for node in tree.body:
        names[""] |= defined(node)
        if isinstance(node, ast.ClassDef):
            names[node.name] = set().union(*(defined(inner) for inner in node.body))
    return {of: {name for name in found if not name.startswith("_")} for of, found in names.items()}


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    if isinstance(node, ast.Assign):
        targets = [t for target in node.targets for t in getattr(target, "elts", [target])]
        return {target.id for target in targets if isinstance(target, ast.Name)}
    return set()


def parsed(path: Path) -> ast.Module:
    """A file's tree. CPython 3.11 counts its own depth wrongly when a collection comes between."""
    gc.disable()
    try:
        return ast.parse(path.read_text())
    finally:
        gc.enable()


@pytest.mark.parametrize("module", sorted(WHERE))
def test_a_fake_has_no_name_that_the_chip_lacks(module: str) -> None:
    real = public(parsed(stubs(module)))
    if module == "machine":
        real["SoftI2C"] = real["I2C"] | real["SoftI2C"]
    for path in WHERE[module]:
        for of, names in public(parsed(BOARD / path)).items():
            if of.startswith("_"):
                continue
            if of and of not in real:
                pytest.fail(f"the chip has no {module}.{of}")
            surplus = names - real.get(of, set()) - OURS.get(module, set())
            surplus -= {"ioctl"}  # the stream protocol, which C code has instead of methods
            assert not surplus, f"the chip has no {module}.{of} {sorted(surplus)}"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("machine.Pin(6)", "ValueError"),  # 6-8 and 11 carry the flash chip
        ("machine.Pin(34, machine.Pin.OUT)", "ValueError"),  # 34-39 are inputs
        ("machine.Pin(25, mode=machine.Pin.OUT, alt=3)", "TypeError"),
        ("machine.Pin(25).value(value=1)", "TypeError"),
        ("machine.Pin(25).high()", "AttributeError"),
        ("machine.UART(0, 9600)", "ValueError"),  # the REPL's
        ("machine.UART(3, 9600)", "ValueError"),
        ("machine.UART(1, 9600, bits=9)", "ValueError"),
        ("machine.UART(1, 9600, read_buf_len=64)", "TypeError"),
        ("machine.I2C(2)", "ValueError"),
        ("machine.I2C(0).readfrom(0x20, 2)", "OSError"),  # nobody acknowledges
        ("machine.ADC(machine.Pin(16))", "ValueError"),  # no converter there
        ("machine.ADC(machine.Pin(34)).read_volts()", "AttributeError"),
        ("machine.WDT(timeout=0)", "ValueError"),
        ("machine.RTC().memory('x' * 2049)", "ValueError"),
        ("machine.RTC().datetime((2026, 1, 1))", "ValueError"),
        ("machine.Timer(0)", "AttributeError"),  # not simulated: said, not guessed
        ("machine.freq(123456789)", "ValueError"),
        ("network.WLAN(7)", "ValueError"),
        ("network.WLAN().connect('kahriz')", "OSError"),  # not active
        ("network.WLAN().config('essids')", "ValueError"),
        ("network.WLAN().status('noise')", "ValueError"),
        ("network.LAN()", "AttributeError"),
        ("esp32.wake_on_ext0(machine.Pin(16), 0)", "ValueError"),
        ("time.clock()", "AttributeError"),  # of the unix port only
        ("time.perf_counter()", "AttributeError"),
        ("time.ticks_add(0, 2**29)", "OverflowError"),
        ("os.getenv('HOME')", "AttributeError"),
        ("os.system('ls')", "AttributeError"),
        ("__import__('termios')", "ImportError"),
        ("socket.socket(socket.AF_INET6)", "OSError"),
        ("socket.inet_pton(2, '127.0.0.1')", "AttributeError"),
        ("socket.create_connection(('127.0.0.1', 1))", "AttributeError"),
    ],
)
def test_what_fails_on_the_chip_fails_here(on_chip: OnChip, line: str, error: str) -> None:
    lines = "import esp32, machine, network, os, socket, time\n"
    lines += f"try:\n    {line}\nexcept Exception as error:\n    say(type(error).__name__)\n"
    assert on_chip(lines) == error


def test_the_modules_old_names_lead_to_the_same_fakes(on_chip: OnChip) -> None:
    assert on_chip("import utime, usocket\nsay([utime.gmtime(0)[0], usocket.SOL_SOCKET])") == [
        2000,
        4095,
    ]
