# SPDX-License-Identifier: MIT
"""One node's /config.json: from the site folder, completed with Wi-Fi and broker, checked.

The site folder holds `nodes/<node>.json` without secrets. What the board knows already stays
when nothing else is said, so a second run needs no password.
"""

import copy
import importlib.util
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kahriz_node.config import Config, ConfigError
from kahriz_node.sensors import SENSORS
from kahriz_tools.errors import BenchError
from kahriz_wire import WireError

CONFIG_CODE = 8  # exit code, see cli.py
PATH = "/config.json"
ID = re.compile(r"[a-z0-9-]{1,32}")
MASK = "********"
DEMO_PASSWORD = "demo-only-not-secret"  # of the sites that come with the program

Json = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What the technician said beyond the site folder; None where nothing was said."""

    ssid: str | None = None
    password: str | None = None
    broker_host: str | None = None
    broker_port: int | None = None


def site_folder(site: str) -> Path:
    """A folder as given, or one of the sites that come with the program, by name."""
    shipped = _shipped_sites()
    for folder in (Path(site), shipped / site):
        if (folder / "nodes").is_dir():
            return folder
    names = sorted(found.parent.name for found in shipped.glob("*/nodes"))
    raise BenchError(
        f"no site {site!r}",
        f"give a folder that holds nodes/<node>.json, or one of: {', '.join(names) or 'none'}",
        CONFIG_CODE,
    )


def load(site: str, node: str) -> Json:
    """The node's file of this site."""
    folder = site_folder(site)
    file = folder / "nodes" / f"{node}.json"
    if not ID.fullmatch(node) or not file.is_file():
        names = ", ".join(sorted(found.stem for found in file.parent.glob("*.json")))
        raise BenchError(f"{folder.name} has no node {node!r}", f"it has: {names}", CONFIG_CODE)
    return parse(file.read_bytes(), str(file))


def parse(data: bytes, where: str) -> Json:
    try:
        config = json.loads(data)
    except ValueError as error:
        raise BenchError(f"{where} is not JSON ({error})", "mend that line", CONFIG_CODE) from error
    if not isinstance(config, dict):
        raise BenchError(f"{where} holds no object", "it begins with {", CONFIG_CODE)
    return config


def drivers(config: Json) -> list[str]:
    """The sensor drivers that a node's file names; an unknown one is refused by `check`."""
    named = {
        _section(config["channels"], name).get("driver") for name in _section(config, "channels")
    }
    return sorted(name for name in SENSORS if name in named)


def complete(config: Json, on_board: Json | None, wanted: Wanted) -> Json:
    """Fill in Wi-Fi and broker: what was said, else what the board has, else the site's."""
    done = copy.deepcopy(config)
    before = on_board if on_board is not None and _same_node(config, on_board) else {}
    site_wifi, board_wifi = _section(config, "wifi"), _section(before, "wifi")
    ssid = wanted.ssid or board_wifi.get("ssid") or site_wifi.get("ssid")
    password = wanted.password
    for known in (board_wifi, site_wifi):
        if password is None and known.get("ssid") == ssid:
            password = known.get("password") or None
    if not ssid or password is None:
        raise BenchError(
            "the Wi-Fi of this node is not known",
            "say --wifi-ssid; the password is asked for, or taken from KAHRIZ_WIFI_PASSWORD or "
            "--wifi-password-file",
            CONFIG_CODE,
        )
    done["wifi"] = {**site_wifi, **board_wifi, "ssid": ssid, "password": password}
    broker = {**_section(config, "broker"), **_section(before, "broker")}
    said = {"host": wanted.broker_host, "port": wanted.broker_port}
    done["broker"] = {**broker, **{key: value for key, value in said.items() if value is not None}}
    return done


def doubts(config: Json) -> list[str]:
    """What lets the program run but not reach its gateway."""
    found = []
    host = _section(config, "broker").get("host")
    if _is_this_machine(host):
        found.append(
            f"the broker {host!r} is the chip itself: for a real site say --broker-host with the "
            "gateway's address on its Wi-Fi"
        )
    if _section(config, "wifi").get("password") == DEMO_PASSWORD:
        found.append("the Wi-Fi is the demo's: for a real site say --wifi-ssid")
    return found


def check(config: Json, node: str) -> None:
    """Refuse what the program on the chip would refuse, in its own words."""
    if config.get("node") != node:
        raise BenchError(
            f"the file says node {config.get('node')!r}, not {node!r}", "mend the file", CONFIG_CODE
        )
    try:
        Config(config)
    except (WireError, ConfigError) as error:
        raise BenchError(
            f"{node}: the chip would refuse {error}", "mend it", CONFIG_CODE
        ) from error


def encode(config: Json) -> bytes:
    """Always the same bytes for the same configuration, so that a second run writes nothing."""
    return (json.dumps(config, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def masked(config: Json) -> Json:
    """For the eyes of others: no password."""
    shown = copy.deepcopy(config)
    if "password" in _section(shown, "wifi"):
        shown["wifi"]["password"] = MASK
    return shown


def _same_node(config: Json, on_board: Json) -> bool:
    return all(config.get(key) == on_board.get(key) for key in ("site", "node"))


def _section(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = config.get(name)
    return section if isinstance(section, dict) else {}


def _is_this_machine(host: object) -> bool:
    if not isinstance(host, str) or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shipped_sites() -> Path:
    spec = importlib.util.find_spec("kahriz_sim")  # found, not imported
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / "sites" if places else Path("sites")
