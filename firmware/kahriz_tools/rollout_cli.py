# SPDX-License-Identifier: MIT
"""`kahriz node rollout`: a signed program to one site first, to the next when that one proved it.

Each gateway begins with one node and holds back the others until it has run the program for a day
(`kahriz gateway ota`). This command goes along the sites in the order they are named and stops at
the first where the proof is not there yet: call it again tomorrow. Twice does no harm.
"""

import json
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_tools.errors import BenchError
from kahriz_tools.neighbours import GATEWAY, Gateway
from kahriz_tools.talk import EXIT_CODES, Talk, json_option

WAITS = 1  # exit code: nothing is wrong, but it is not everywhere yet


@click.command(epilog=EXIT_CODES)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--site",
    "sites",
    multiple=True,
    required=True,
    metavar="NODE@DATA[@COMMAND]",
    help="A site in its turn: which node is first, the gateway's store, how to reach it: "
    "outlet@/var/lib/kahriz@'ssh pi@gozlu kahriz'.",
)
@click.option(
    "--proved-hours",
    type=click.IntRange(1, 24 * 30),
    default=24,
    show_default=True,
    help="Hours for which the first node must have run it before the others get it.",
)
@json_option
def rollout(file: Path, sites: tuple[str, ...], proved_hours: int, as_json: bool) -> None:
    """Offer the program in FILE as far as it is proved: site by site, one node first."""
    talk = Talk(as_json)
    with talk.mending():
        data = _read(file)
        places = [_place(text) for text in sites]
        told: list[dict[str, Any]] = []
        for first, gateway in places:
            name = gateway.command or gateway.data
            if told and not told[-1]["proved"]:
                talk.say(f"{name}: waits for {told[-1]['site']}")
                continue
            told.append({"site": name, **_at(gateway, first, data, proved_hours)})
            talk.say(f"{name}: {told[-1]['says']}")
        done = all(one["proved"] for one in told)
        talk.result({"ok": done, "sites": told})
        if not done:
            raise SystemExit(WAITS)


def _at(gateway: Gateway, first: str, data: bytes, hours: int) -> dict[str, Any]:
    """Do at one site what may be done today."""
    rule = ("--proved-hours", str(hours))
    gateway.run("ota", "offer", "-", first, *rule, given=data)
    table = _table(gateway, rule)
    mine = next(one for one in table if one["node"] == first)
    holders = [one for one in table if one["number"] == mine["number"]]
    proved = [one for one in holders if one["state"] == "proved"]
    if not proved:
        return {"proved": False, "says": f"{first} {_words(mine)}", "table": table}
    gateway.run("ota", "offer", "-", "--rest", *rule, given=data)
    table = _table(gateway, rule)
    words = ", ".join(f"{one['node']} {one['state']}" for one in table)
    return {"proved": True, "says": f"{mine['offered']} offered to all: {words}", "table": table}


def _table(gateway: Gateway, rule: tuple[str, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(gateway.run("ota", "table", "--json", *rule))
    return found


def _words(one: dict[str, Any]) -> str:
    return f"{one['state']}: {one['why']}" if one["why"] else str(one["state"])


def _place(text: str) -> tuple[str, Gateway]:
    first, _, rest = text.partition("@")
    data, _, command = rest.partition("@")
    if not first or not data:
        raise BenchError(f"--site {text}", "say NODE@DATA or NODE@DATA@COMMAND", 2)
    return first, Gateway(data, "site.toml", command or None)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BenchError(f"{file} cannot be read ({error.strerror})", "see it", GATEWAY) from error
