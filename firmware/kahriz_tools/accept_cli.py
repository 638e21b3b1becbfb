# SPDX-License-Identifier: MIT
"""`kahriz node accept`: a first real board, measured: 20 minutes with a USB meter.

What the board can time it times by itself; for what it draws it is held in a state while the
technician reads the meter. The names are those of the energy model (energy_profiles.toml), so each
figure stands beside the estimate that it replaces. What was not measured is not in the file.
"""

import math
import sys
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_tools.accept_ask import Asker
from kahriz_tools.accept_steps import BY_HAND, METERED, OFF, STAYS, STEPS, TIMED
from kahriz_tools.talk import EXIT_CODES, Talk, json_option, port_option

FILE = click.Path(path_type=Path, dir_okay=False)
HOLD_S = 30  # long enough for a meter that averages over ten seconds
SHORT = {key.rpartition(".")[2]: key for key in STEPS}


def _pairs(_: object, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for each in given:
        name, _, text = each.partition("=")
        if SHORT.get(name, name) not in STEPS:
            raise click.BadParameter(f"{name}: one of {', '.join(SHORT)}")
        if not text.strip():
            raise click.BadParameter(f"{each!r}: expected NAME={param.metavar}")
        found[SHORT.get(name, name)] = text.strip()
    return found


def _readings(context: Any, param: click.Parameter, given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for key, text in _pairs(context, param, given).items():
        try:
            found[key] = float(text)
        except ValueError:
            raise click.BadParameter(f"{key}={text}: expected a number") from None
        if not math.isfinite(found[key]):
            raise click.BadParameter(f"{key}={text}: expected a number")
        if key in {step.key for step in TIMED}:
            raise click.BadParameter(f"{key}: the board times this by itself")
    return found


@click.command(epilog=EXIT_CODES)
@port_option
@click.option(
    "--out",
    type=FILE,
    default=Path("accept.json"),
    show_default=True,
    help="Where the readings go; begun, it goes on there.",
)
@click.option(
    "--board",
    type=click.Choice(["devkit", "bare", "tuned"]),
    default="devkit",
    show_default=True,
    help="Which board of the energy model this one stands for.",
)
@click.option(
    "--meter-step-ma",
    type=click.FloatRange(0.001, 100),
    default=1.0,
    show_default=True,
    help="The last digit that the meter shows.",
)
@click.option(
    "--regulator",
    type=click.Choice(["linear", "switching"]),
    default="linear",
    show_default=True,
    help="Of the board. Behind a switching one no current can be told: times only.",
)
@click.option(
    "--meter",
    "given",
    multiple=True,
    callback=_readings,
    metavar="NAME=READING",
    help="As the meter showed it, in mA: not asked for again.",
)
@click.option(
    "--skip", "skips", multiple=True, callback=_pairs, metavar="NAME=REASON", help="Leave it out."
)
@click.option(
    "--again", multiple=True, metavar="NAME", help="Measure anew; 'skipped' for all left out."
)
@click.option(
    "--hold-s",
    type=click.IntRange(1, 60),
    default=HOLD_S,
    show_default=True,
    help="Seconds that the board stays in each state.",
)
@click.option("--about", default="", help="Which board and which meter, in words.")
@json_option
def accept(
    port: str | None, out: Path, board: str, meter_step_ma: float, regulator: str,
    given: dict[str, float], skips: dict[str, str], again: tuple[str, ...], hold_s: int,
    about: str, as_json: bool,
) -> None:  # fmt: skip
    """Measure a first real board: its timings, and what it draws by a USB meter you read.

    The meter stands on the 5 V side. The file is kept after every figure; cut at any place, repeat:
    it goes on there. `make energy ARGS="--profile accept.json"` shows model beside measured.
    """
    from kahriz_tools.accept_board import Bench, check_same, config_of, opened
    from kahriz_tools.board import Board
    from kahriz_tools.ports import find_port

    talk = Talk(as_json)
    with talk.mending():
        result = opened(out, board, meter_step_ma, about)
        _forget(result, again)
        for key, why in skips.items():
            result.skip(key, why)
        ask = Asker(talk, result, given, sys.stdin.isatty())
        where = port or find_port()
        with Board(where) as link:
            check_same(link, result)
            result.save()  # before anybody has read a meter in vain
            config = config_of(link)
        if regulator == "switching":
            for step in (OFF, *METERED):
                if step.key not in result.steps:
                    result.skip(step.key, "a switching regulator: no current can be told from 5 V")
        ask.read(OFF)
        with Board(where) as link:
            bench = Bench(link, result, config)
            timed = {step.key for step in TIMED if step.key not in result.steps}
            bench.time_all(timed, talk.say)
            result.save()
            for step in METERED:
                if step.key not in result.steps and (why := bench.lacks(step)):
                    result.skip(step.key, why)
                ask.measure(step, bench, hold_s)
            link.restart()
        for step in BY_HAND:
            ask.read(step)
        told = _told(result)
        _say(talk, told)
        talk.result(told)
    raise SystemExit(0 if told["ok"] else 1)


def _forget(result: Any, again: tuple[str, ...]) -> None:
    for name in again:
        keys = [SHORT.get(name, name)]
        if name == "skipped":
            keys = [key for key, told in result.steps.items() if "skipped" in told]
        for key in keys:
            if key not in STEPS:
                raise click.BadParameter(f"--again {name}: one of skipped, {', '.join(SHORT)}")
            result.steps.pop(key, None)


def _told(result: Any) -> dict[str, Any]:
    left = [key for key in STEPS if key not in result.steps]
    return {
        "ok": not left,
        "file": str(result.path),
        "measured": {k: t["value"] for k, t in result.steps.items() if "value" in t},
        "skipped": {k: t["skipped"] for k, t in result.steps.items() if "skipped" in t},
        "open": left,
        "stays_model": STAYS,
        "told": result.body["told"],
    }


def _say(talk: Talk, told: dict[str, Any]) -> None:
    for key, band in told["measured"].items():
        low, usual, high = (f"{one:.4g}" for one in band)
        talk.say(f"measured {key:24} {usual} {STEPS[key].unit} [{low} - {high}]")
    for key, why in told["skipped"].items():
        talk.say(f"model    {key:24} skipped: {why}")
    for key in told["open"]:
        talk.say(f"open     {key:24} not measured yet: repeat, or --skip NAME=REASON")
    for key, why in STAYS.items():
        talk.say(f"model    {key:24} {why}")
    talk.say(f"{told['file']}: " + ("complete" if told["ok"] else f"{len(told['open'])} open"))
