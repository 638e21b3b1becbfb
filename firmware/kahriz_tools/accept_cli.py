# SPDX-License-Identifier: MIT
"""`kahriz node accept`: the first real board, measured: 20 minutes with a USB meter.

What the board can time it times by itself; for what it draws it is held in a state while the
technician reads the meter. The names are those of the energy model (energy_profiles.toml), so each
figure stands beside the estimate that it replaces. What was not measured is not in the file.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from kahriz_tools.talk import EXIT_CODES, Talk, json_option, port_option

if TYPE_CHECKING:
    from kahriz_tools.board import Board

FILE = click.Path(path_type=Path, dir_okay=False)
HOLD_S = 30  # long enough for a meter that averages over ten seconds
ANSWER_S = 30.0
HOLD = {  # name of the model -> what the meter shows meanwhile, code that holds the state
    "idle_ma": ("awake, radio off", "import time\ntime.sleep({s})"),
    "light_ma": ("in light sleep", "import machine\nmachine.lightsleep({s} * 1000)"),
    "search_ma": (
        "radio on, searching",
        "import network, time\n_w = network.WLAN(network.STA_IF)\n_w.active(True)\n"
        "_t = time.ticks_ms()\nwhile time.ticks_diff(time.ticks_ms(), _t) < {s} * 1000:\n"
        "    _ = _w.scan()\n    time.sleep_ms(10)\n_w.active(False)",
    ),
}
SLEEP = ("sleep_ma", "in deep sleep", "import machine\nmachine.deepsleep({s} * 1000)")
SENSOR_MS = """
import json, time
from kahriz_node import sensors as _s
from kahriz_node.board_esp32 import Board as _B
_b = _B()
_c = json.load(open("/config.json"))["channels"]
_told = {}
for _n in _c:
    _t = time.ticks_ms()
    try:
        _s.module(_c[_n]["driver"]).start(_b, _c[_n]).read(0)
    except Exception:
        continue
    _told[_n] = time.ticks_diff(time.ticks_ms(), _t)
"""
JOIN_MS = """
import json, network, time
_c = json.load(open("/config.json"))["wifi"]
_w = network.WLAN(network.STA_IF)
_t = time.ticks_ms()
_w.active(True)
_w.connect(_c["ssid"], _c["password"])
while not _w.isconnected() and time.ticks_diff(time.ticks_ms(), _t) < 15000:
    time.sleep_ms(10)
_told = time.ticks_diff(time.ticks_ms(), _t) if _w.isconnected() else None
_w.disconnect()
_w.active(False)
"""
HEAP = "import gc\ngc.collect()\n_told = gc.mem_free()"


def _meters(_: object, __: object, given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for each in given:
        name, _, text = each.partition("=")
        if name not in (*HOLD, SLEEP[0]):
            raise click.BadParameter(f"{name}: one of {', '.join((*HOLD, SLEEP[0]))}")
        try:
            found[name] = float(text)
        except ValueError:
            raise click.BadParameter(f"{each!r}: expected NAME=MILLIAMPERES") from None
    return found


@click.command(epilog=EXIT_CODES)
@port_option
@click.option("--out", type=FILE, default=Path("accept.json"), show_default=True)
@click.option(
    "--meter",
    "given",
    multiple=True,
    callback=_meters,
    metavar="NAME=MA",
    help="Read before: not asked for again.",
)
@click.option("--hold-s", type=click.IntRange(1, 60), default=HOLD_S, show_default=True)
@click.option("--about", default="", help="Which board and which meter, in words.")
@json_option
def accept(
    port: str | None, out: Path, given: dict[str, float], hold_s: int, about: str, as_json: bool
) -> None:
    """Measure a first real board: its timings, and what it draws by a USB meter you read.

    The meter stands on the 5 V side: regulator and USB bridge are in its figures. The file is kept
    after every figure; a repeated run asks for what is missing.
    """
    from kahriz_tools.board import Board
    from kahriz_tools.ports import find_port

    talk = Talk(as_json)
    with talk.mending():
        kept = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
        found: dict[str, Any] = {"about": about, "milliseconds": {}, "usb_5v_ma": {}, **kept}

        def keep() -> None:
            text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)
            out.write_text(text + "\n", encoding="utf-8")

        with Board(port or find_port()) as board:
            identity = board.identity()
            found["machine"] = identity.machine
            found["micropython"] = ".".join(map(str, identity.version))
            _times(board, found, talk)
            keep()
            for name, (what, code) in HOLD.items():
                if name in found["usb_5v_ma"]:
                    continue

                def hold(code: str = code) -> None:
                    board.ask(code.format(s=hold_s), "None", hold_s + ANSWER_S)

                _meter(talk, found["usb_5v_ma"], name, what, given, hold)
                keep()
            name, what, code = SLEEP
            if name not in found["usb_5v_ma"]:

                def sleep() -> None:
                    board.begin(code.format(s=hold_s))
                    time.sleep(hold_s)

                _meter(talk, found["usb_5v_ma"], name, what, given, sleep)
                keep()
            else:
                board.restart()
        missing = [name for name in (*HOLD, SLEEP[0]) if name not in found["usb_5v_ma"]]
        talk.say(f"{out}: " + (f"not measured: {', '.join(missing)}" if missing else "complete"))
        talk.result({"ok": not missing, "file": str(out), "missing": missing, **found})
    raise SystemExit(1 if missing else 0)


def _times(board: "Board", found: dict[str, Any], talk: Talk) -> None:
    """What the board can time by itself."""
    board.ask("import sys\nsys.path.insert(0, '/lib')", "None")
    begin = time.monotonic()
    board.ask("", "None")
    found["milliseconds"]["repl"] = round((time.monotonic() - begin) * 1000, 1)
    found["heap_free_bytes"] = board.ask(HEAP, "_told")
    found["milliseconds"]["join"] = board.ask(JOIN_MS, "_told", ANSWER_S)
    found["milliseconds"]["sensors"] = board.ask(SENSOR_MS, "_told", ANSWER_S)
    talk.say(f"timed: {json.dumps(found['milliseconds'])}, heap {found['heap_free_bytes']}")


def _meter(
    talk: Talk, into: dict[str, float], name: str, what: str, given: dict[str, float],
    hold: Callable[[], None],
) -> None:  # fmt: skip
    """Hold a state and ask for the meter's figure; without a person it stays unmeasured."""
    if name in given:
        into[name] = given[name]
    elif sys.stdin.isatty():
        talk.say(f"{name}: the board is now {what}; read the meter's average, in mA")
        hold()
        said = click.prompt("mA (Enter: not measured)", default="", show_default=False, err=True)
        try:
            into[name] = float(said)
        except ValueError:
            talk.say(f"{name}: not measured")
