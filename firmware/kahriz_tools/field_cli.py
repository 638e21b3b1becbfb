# SPDX-License-Identifier: MIT
"""`kahriz node read|watch|walk|logs`: what a board shows at the water, over its cable."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import rich_click as click

from kahriz_tools.talk import EXIT_CODES, Talk, json_option, port_option

if TYPE_CHECKING:
    from kahriz_node.config import Config
    from kahriz_tools.board import Board

LIVE = ("distance_m", "current_ma")  # what a person can compare with the staff gauge
LEAST_DBM = -75  # the same margin as in provision
_COUNT = click.option("--count", type=click.IntRange(1), help="So often; else until Ctrl-C.")
_FILTER = click.option(
    "--port-filter",
    multiple=True,
    metavar="KEY=TEXT",
    help="Which USB port, where there are several: vid=, pid=, name=, serial=.",
)


@contextmanager
def _session(port: str | None, filters: tuple[str, ...]) -> "Iterator[tuple[Board, Config]]":
    """A board and its configuration; it runs its program afterwards."""
    from kahriz_node import config
    from kahriz_tools.board import Board
    from kahriz_tools.errors import BenchError
    from kahriz_tools.node_config import CONFIG_CODE, PATH
    from kahriz_tools.ports import find_port

    with Board(port or find_port(filters)) as board:
        data = board.read(PATH)
        try:
            if data is None:
                raise config.ConfigError("it has none")
            found = config.parse(data)
        except config.ConfigError as error:
            raise BenchError(
                f"the board's configuration: {error}", "`kahriz node provision`", CONFIG_CODE
            ) from error
        yield board, found
        board.restart()


@click.command(epilog=EXIT_CODES)
@port_option
@_FILTER
@json_option
def read(port: str | None, port_filter: tuple[str, ...], as_json: bool) -> None:
    """Read every sensor once, by its own driver; nothing is stored."""
    from kahriz_tools import selftest

    talk = Talk(as_json)
    with talk.mending(), _session(port, port_filter) as (board, config):
        told = selftest.sensors(board)
        words = _in_words(told)
        for name, text in words.items():
            talk.say(f"{name}: {text}")
        talk.result({"ok": True, "node": config.node, "sensors": told})
        selftest.judge_sensors(config, told)


def _in_words(told: dict[str, Any]) -> dict[str, str]:
    from kahriz_wire import fields

    return {
        name: ", ".join(f"{q} {fields.text(q, v)} {fields.FIELDS[q][0]}" for q, v in one.items())
        if isinstance(one, dict)
        else f"fault {one}"
        for name, one in sorted(told.items())
    }


@click.command(epilog=EXIT_CODES)
@port_option
@_FILTER
@click.option("--zero-m", type=float, help="Sensor's zero: tells stage or level beside the value.")
@click.option("--span-m", type=float, help="4-20 mA: its span.")
@click.option(
    "--depth-m",
    type=float,
    help="4-20 mA, at a known depth: ends with words for `calibrate pressure`.",
)
@click.option("--channel", help="Else the first that measures a distance or a current.")
@click.option(
    "--every",
    type=click.FloatRange(0, 60),
    default=2.0,
    show_default=True,
    help="Seconds between two readings.",
)
@_COUNT
@json_option
def watch(
    port: str | None, port_filter: tuple[str, ...], zero_m: float | None, span_m: float | None,
    depth_m: float | None, channel: str | None, every: float, count: int | None, as_json: bool,
) -> None:  # fmt: skip
    """The live stage or level beside the staff gauge, until Ctrl-C."""
    from kahriz_tools import selftest

    talk = Talk(as_json)
    seen: dict[str, list[float]] = {quantity: [] for quantity in LIVE}
    looks = 0
    with talk.mending(), _session(port, port_filter) as (board, config):
        try:
            while count is None or looks < count:
                looks += 1
                told = selftest.sensors(board)
                name = channel or _live_channel(told)
                quantity, value = _live(told.get(name))
                line = _in_words(told).get(name, f"there is no channel {name}")
                if quantity is not None:
                    seen[quantity].append(value)
                    line = _level(quantity, value, zero_m, span_m, line)
                talk.say(f"{time.strftime('%H:%M:%S')}  {line}")
                if count is None or looks < count:
                    time.sleep(every)
        except KeyboardInterrupt:
            talk.say("ended")
        currents = seen["current_ma"]
        if depth_m is not None and currents:
            talk.say("".join(f" --read {depth_m:g},{current:.3f}" for current in currents).strip())
        told_any = {quantity: values for quantity, values in seen.items() if values}
        talk.result({"ok": bool(told_any), "node": config.node, "distance_m": [], **told_any})
        if not told_any:
            raise SystemExit(selftest.FAILED)


def _live(one: object) -> tuple[str | None, float]:
    """Quantity and value of a channel, in its unit."""
    from kahriz_wire import fields

    for quantity in LIVE:
        if isinstance(one, dict) and quantity in one:
            return quantity, one[quantity] / 10 ** fields.FIELDS[quantity][1]
    return None, 0.0


def _live_channel(told: dict[str, Any]) -> str:
    return next((n for n in sorted(told) if _live(told[n])[0]), min(told, default="weir"))


def _level(
    quantity: str, value: float, zero_m: float | None, span_m: float | None, line: str
) -> str:
    if zero_m is None or (quantity == "current_ma" and span_m is None):
        return line
    if quantity == "distance_m":
        return f"stage {zero_m - value:.3f} m   ({line})"
    return f"level {zero_m + (value - 4) / 16 * (span_m or 0):.3f} m   ({line})"


@click.command(epilog=EXIT_CODES)
@port_option
@_FILTER
@click.option(
    "--least-dbm",
    type=int,
    default=LEAST_DBM,
    show_default=True,
    help="Weakest WiFi signal that a place may have, in dBm.",
)
@_COUNT
@json_option
def walk(
    port: str | None, port_filter: tuple[str, ...], least_dbm: int, count: int | None, as_json: bool
) -> None:
    """Signal and loss while you walk with box and laptop; a place under the margin is refused."""
    from kahriz_tools import selftest
    from kahriz_tools.errors import BenchError

    talk = Talk(as_json)
    heard: list[dict[str, Any]] = []
    with talk.mending(), _session(port, port_filter) as (board, config):
        try:
            while count is None or len(heard) < count:
                told = selftest.radio(board)
                heard.append(told)
                good = "reached" if told["up"] and not told["tcp"] else "LOST"
                talk.say(f"{len(heard):3}  {told['rssi'] or '-'} dBm  {good}")
        except KeyboardInterrupt:
            talk.say("ended")
        levels = [one["rssi"] for one in heard if one["up"]]
        lost = sum(not one["up"] or bool(one["tcp"]) for one in heard)
        share = 100 * lost / len(heard) if heard else 100.0
        weakest = min(levels, default=None)
        talk.say(f"weakest {weakest} dBm, {share:.0f} % of {len(heard)} lost")
        if weakest is None or weakest < least_dbm or lost:
            raise BenchError(
                f"{config.ssid} is under the margin here ({weakest} dBm, {lost} lost)",
                f"another place or antenna, or a relay; {least_dbm} dBm and no loss is needed",
                selftest.FAILED,
            )
        talk.result({"ok": True, "weakest_dbm": weakest, "lost": lost, "tries": len(heard)})


@click.command(epilog=EXIT_CODES)
@port_option
@_FILTER
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 3600),
    default=30.0,
    show_default=True,
    help="How long it listens.",
)
def logs(port: str | None, port_filter: tuple[str, ...], seconds: float) -> None:
    """What the board says on its line, each line with the time; it is not disturbed."""
    import serial

    from kahriz_tools.board import BAUD, LOST, PORT
    from kahriz_tools.errors import BenchError
    from kahriz_tools.ports import find_port

    talk = Talk(False)
    with talk.mending():
        name = port or find_port(port_filter)
        until = time.monotonic() + seconds
        try:
            line = serial.serial_for_url(name, do_not_open=True)
            line.baudrate, line.timeout, line.dtr, line.rts = BAUD, 0.2, False, False
            line.open()
        except (OSError, ValueError) as error:
            raise BenchError(
                f"{name} does not open ({error})", "`kahriz node doctor`", PORT
            ) from error
        begun = b""
        with line:
            while time.monotonic() < until:
                try:
                    begun += line.read(256)
                except OSError as error:
                    raise BenchError(f"{name} went away", "plug it in again", LOST) from error
                *whole, begun = begun.split(b"\n")
                for text in whole:
                    click.echo(
                        f"{time.strftime('%H:%M:%S')} {text.decode('utf-8', 'replace').rstrip()}"
                    )
                    sys.stdout.flush()
