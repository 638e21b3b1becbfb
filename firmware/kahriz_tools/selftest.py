# SPDX-License-Identifier: MIT
"""The board tries itself over the serial line: each sensor, the radio, TLS, the gateway's receipt.

Three pieces of code go through the REPL. The first two use the chip's own modules and the drivers
by hand; the last lives one wake of the node's own program, so what passes here is what will run.
"""

import time
from typing import Any

from kahriz_node.config import Config
from kahriz_tools.board import Board
from kahriz_tools.errors import BenchError
from kahriz_wire import fields

FAILED = 11  # exit code, see cli.py
WAKE_S = 75.0  # under the node's watchdog of 90 s
RADIO_S = 40.0
APART_S = 120  # of two clocks: a wake takes at most 90 s of it
LEAST_DBM = -75  # ten above where an ESP32 begins to lose packets (data sheet: -88 to -75 at MCS7)

SENSORS = """
import json
from kahriz_node import sensors as _s
from kahriz_node.board_esp32 import Board as _B
_b = _B()
_spec = json.load(open("/config.json"))["channels"]
_told = {}
for _n in sorted(_spec):
    try:
        _told[_n] = _s.module(_spec[_n]["driver"]).start(_b, _spec[_n]).read(0)
    except Exception as _e:
        _told[_n] = str(_e) or type(_e).__name__
    _b.feed()
"""
RADIO = """
import json, network, socket, time
_c = json.load(open("/config.json"))
_w = network.WLAN(network.STA_IF)
_w.active(True)
_w.connect(_c["wifi"]["ssid"], _c["wifi"]["password"])
_t = time.ticks_ms()
while not _w.isconnected() and time.ticks_diff(time.ticks_ms(), _t) < 15000:
    time.sleep_ms(50)
_told = {"up": _w.isconnected(), "status": _w.status(), "rssi": None, "tcp": ""}
_o = _c["broker"]
if _told["up"]:
    _told["rssi"] = _w.status("rssi")
    _s = socket.socket()
    try:
        _s.settimeout(8)
        _p = _o.get("port", 8883 if "tls" in _o else 1883)
        _s.connect(socket.getaddrinfo(_o["host"], _p, 0, socket.SOCK_STREAM)[0][-1])
    except OSError as _e:
        _told["tcp"] = str(_e) or "error"
    _s.close()
_w.disconnect()
_w.active(False)
"""
WAKE = """
import machine
machine.RTC().memory(b"")
from kahriz_node import node as _m
from kahriz_node.board_esp32 import Board as _B
_n = _m.Node(_B())
_n.cause = "button"
_told = {"answered": False, "error": "", "crash": ""}
try:
    _n.wake()
except Exception as _e:
    _told["crash"] = type(_e).__name__ + " " + str(_e)
_told["answered"] = _n.answered
_told["error"] = _n.state.get("error") or ""
_told["now_ms"] = (_n.state["clock"].get("sync") or [None])[0]
machine.RTC().memory(b"")
"""

TLS_WORDS = {  # what the node says in its hello -> what it means, what mends it
    "tls-expired": ("the broker's certificate is over", "`kahriz site ca renew broker`"),
    "tls-future": ("a certificate is not valid yet", "set the laptop's clock, make it anew"),
    "tls-ca": (
        "the broker shows a certificate of another authority",
        "bring CA/gateway of this very site to the gateway, restart mosquitto",
    ),
    "tls-name": (
        "the broker's certificate has another name",
        "`kahriz site ca renew broker --host NAME`, or correct the broker's host",
    ),
    "tls-alert": (
        "the broker does not take the node's certificate",
        "is it revoked? is CA/gateway on the gateway of this site? restart mosquitto",
    ),
    "tls-file": ("a certificate file is missing on the node", "repeat the command"),
    "tls-key": ("the node's key cannot be read", "`kahriz site ca renew NODE`"),
    "tls-cert": ("a certificate cannot be read", "`kahriz site ca renew NODE`"),
    "tls-memory": ("the chip has no memory left for TLS", "leave drivers out"),
    "closed": (
        "the broker hangs up on the node",
        "is its certificate revoked? is it in the access list (`kahriz site broker`)?",
    ),
}


def sensors(board: Board) -> dict[str, Any]:
    """Each channel by its driver: {quantity: scaled value}, or a fault word."""
    _path(board)
    found: dict[str, Any] = board.ask(SENSORS, "_told", WAKE_S)
    return found


def judge_sensors(config: Config, told: dict[str, Any]) -> str:
    """In words; refused with the pin where to look when one is silent."""
    for name, spec in config.channels:
        if not isinstance(told.get(name), dict):
            pins = ", ".join(f"{key} {spec[key]}" for key in spec if isinstance(spec[key], int))
            raise BenchError(
                f"sensor {name} ({spec['driver']}) says {told.get(name)!r}",
                f"look at its plug and wires ({pins}), see firmware/DRIVERS.md; then repeat",
                FAILED,
            )
    return "; ".join(f"{name} {values(name, told[name])}" for name, _ in config.channels)


def values(name: str, reading: dict[str, int]) -> str:
    parts = []
    for quantity, scaled in sorted(reading.items()):
        unit, decimals, _, _ = fields.FIELDS[quantity]
        text = fields.text(quantity, scaled)
        if not fields.plausible(quantity, scaled / 10**decimals):
            raise BenchError(
                f"sensor {name} reads {quantity} {text} {unit}, which cannot be true here",
                "look at its plug, its mounting and its settings; then repeat",
                FAILED,
            )
        parts.append(f"{quantity} {text} {unit}")
    return ", ".join(parts)


def radio(board: Board) -> dict[str, Any]:
    """Join, and reach the broker's port."""
    told: dict[str, Any] = board.ask(RADIO, "_told", RADIO_S)
    return told


def judge_radio(config: Config, told: dict[str, Any], least_dbm: int) -> str:
    if not told.get("up"):
        why = {
            201: "no such network here",
            202: "the password is refused",
            203: "the access point refuses",
            204: "the password is refused",
        }.get(told.get("status", 0), f"status {told.get('status')}")
        raise BenchError(
            f"Wi-Fi {config.ssid!r} does not take the node ({why})",
            "is the access point on? else say --wifi-ssid and its password again",
            FAILED,
        )
    if told["rssi"] < least_dbm:
        raise BenchError(
            f"Wi-Fi {config.ssid!r} is heard at {told['rssi']} dBm, under the least of {least_dbm}",
            "move box or antenna (`kahriz node walk`), or put up a relay",
            FAILED,
        )
    return f"{config.ssid} at {told['rssi']} dBm, {told['rssi'] - least_dbm} above the least"


def judge_broker(config: Config, told: dict[str, Any]) -> str:
    where = f"{config.host}:{config.port}"
    if told.get("tcp"):
        raise BenchError(
            f"nobody answers the node at {where} ({told['tcp']})",
            "is the gateway on, in the same Wi-Fi, at this address? else --broker-host; then "
            "`kahriz doctor` on the gateway",
            FAILED,
        )
    return where


def wake(board: Board) -> dict[str, Any]:
    """One wake of the program with an upload; how far our clock is from the gateway's."""
    told: dict[str, Any] = board.ask(WAKE, "_told", WAKE_S)
    now_ms = told.pop("now_ms", None)
    told["ahead_s"] = None if now_ms is None else round(time.time() - now_ms / 1000)
    return told


def judge_tls(config: Config, told: dict[str, Any]) -> str:
    error = str(told.get("error", ""))
    if config.tls and (error in TLS_WORDS or error.startswith("tls")):
        what, mend = TLS_WORDS.get(error, (f"TLS fails ({error})", "`kahriz doctor` there"))
        raise BenchError(what, mend, FAILED)
    return "both showed a certificate of this site" if config.tls else "off: this site has no TLS"


def judge_receipt(told: dict[str, Any]) -> str:
    if told.get("crash"):
        raise BenchError(
            f"the node's program failed ({told['crash']})",
            "update kahriz-monitor, repeat; please report this line",
            FAILED,
        )
    if not told.get("answered"):
        raise BenchError(
            f"the gateway gave no receipt ({told.get('error') or 'no error'})",
            "does `kahriz gateway run` run, and does site.toml name this node? `kahriz doctor` "
            "on the gateway",
            FAILED,
        )
    ahead_s = told.get("ahead_s")
    if ahead_s is not None and abs(ahead_s) > APART_S:
        word = "ahead of" if ahead_s > 0 else "behind"
        raise BenchError(
            f"this laptop's clock is {abs(ahead_s)} s {word} the gateway's",
            "set the one that is wrong: deployments, zeros and signatures are dated by yours",
            FAILED,
        )
    return "the gateway has the first reading"


def _path(board: Board) -> None:
    """What boot.py does, which raw mode may have cut short."""
    board.ask(
        "import sys\nif '/lib' in sys.path:\n    sys.path.remove('/lib')\n"
        "sys.path.insert(0, '/lib')",
        "1",
    )
