# SPDX-License-Identifier: MIT
"""Joules of a node: the states a simulated board was in, times what each state costs.

`make energy` lives days of the real program on the board, per policy and sensor, and prints this
model's answer with its band. The times are the program's own; the currents are other people's
measurements and data sheets (energy_profiles.toml), and nobody has put a meter to this node yet.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROFILES = Path(__file__).parent / "energy_profiles.toml"
LEAST, USUAL, MOST = 0, 1, 2
US = 1e-6
Bands = Mapping[str, Sequence[float]]  # "state.idle_ma", "board.devkit.sleep_ua" -> three figures


@dataclass(frozen=True)
class Cost:
    """What some wakes took: joules by state, seconds awake and with the radio on."""

    joules: dict[str, float]
    awake_s: float
    radio_s: float
    span_s: float

    @property
    def total_j(self) -> float:
        """All states together."""
        return sum(self.joules.values())


class Profile:
    """One board under one edge of the band; `measured` figures stand in place of the table's."""

    def __init__(self, board: str, edge: int = USUAL, measured: Bands | None = None) -> None:
        table = tomllib.loads(PROFILES.read_text())
        for name, band in (measured or {}).items():
            *groups, key = name.split(".")
            place = table
            for group in groups:
                place = place[group]
            if key not in place:
                raise KeyError(name)
            place[key] = list(band)
        self.about: str = table["board"][board]["about"]
        self.v = table["supply_v"][edge]
        self._state = {key: value[edge] for key, value in table["state"].items()}
        self._sensor = {key: value[edge] for key, value in table["sensor"].items()}
        self._board = {k: v[edge] for k, v in table["board"][board].items() if k != "about"}
        self._battery = {key: value[edge] for key, value in table["battery"].items()}

    @property
    def battery_j(self) -> float:
        """What the battery of the table gives."""
        charge: float = self._battery["mah"] * 3.6 * self._battery["usable"]
        return charge * float(self.v)

    def cost(self, wakes: Iterable[dict[str, Any]], tls: bool = False) -> Cost:
        """What the wakes of a ledger cost; `tls` adds a handshake to each plain connection."""
        millicoulombs: dict[str, float] = {}
        awake_s = radio_s = span_s = 0.0
        for wake in wakes:
            awake, radio = self._times(wake, tls)
            for key, value in self._wake(wake, tls, awake, radio).items():
                millicoulombs[key] = millicoulombs.get(key, 0.0) + value
            awake_s += awake
            radio_s += radio
            span_s += awake + wake["sleep_ms"] / 1000
        joules = {key: value * self.v / 1000 for key, value in millicoulombs.items()}
        return Cost(joules, awake_s, radio_s, span_s)

    def _times(self, wake: dict[str, Any], tls: bool) -> tuple[float, float]:
        """Seconds awake and with the radio on, on the chip."""
        state = self._state
        asked = sum(up and not leased for _, up, leased in wake["joins"])
        radio = wake["radio_us"] * US
        radio += asked * state["dhcp_ms"] / 1000 + wake["tcp"] * state["link_ms"] / 1000
        radio += self._handshakes(wake, tls) * state["tls_mc"] / state["radio_ma"]
        program = wake["cpu_us"] * US * state["program"]
        if wake["radio_us"]:
            radio += program / 2  # half of an upload's work is done with the radio on
        awake = (wake["awake_us"] - wake["boot_us"] - wake["radio_us"]) * US
        awake += self._board["boot_ms"] / 1000 + radio
        return awake + (program / 2 if wake["radio_us"] else program), radio

    def _wake(
        self, wake: dict[str, Any], tls: bool, awake: float, radio: float
    ) -> dict[str, float]:
        """Millicoulombs by state."""
        state, sensor, on = self._state, self._sensor, wake["on"]
        light = wake["light_us"] * US
        idle = awake - radio - light - self._board["boot_ms"] / 1000
        handshakes = self._handshakes(wake, tls) * state["tls_mc"]
        search = sum(us for us, up, _ in wake["joins"] if not up) * US
        linked = radio - search - handshakes / state["radio_ma"]
        loop_ma = sensor["loop_ma"] * sensor["loop_v"] / self.v / sensor["loop_efficiency"]
        leds = on.get("led_green", 0) + on.get("led_red", 0)
        return {
            "boot": self._board["boot_mc"],
            "idle": idle * state["idle_ma"] + light * state["light_ma"],
            "radio": search * state["search_ma"] + linked * state["radio_ma"] + handshakes,
            "sensor": on.get("ultrasonic", 0) * US * sensor["ultrasonic_ma"]
            + on.get("loop", 0) * US * loop_ma
            + wake["air"] * sensor["air_mc"]
            + leds * US * sensor["led_ma"],
            "sleep": wake["sleep_ms"] * self._board["sleep_ua"] * US,
        }

    def _handshakes(self, wake: dict[str, Any], tls: bool) -> int:
        held: int = wake["tcp"] if tls else wake["tls"]
        return held


def read(path: Path) -> list[dict[str, Any]]:
    """The wakes of a board's ledger."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def after(wakes: Sequence[dict[str, Any]], skip_s: float) -> list[dict[str, Any]]:
    """The wakes that began later: half an hour after power-on every reading goes out at once."""
    past = 0.0
    kept = []
    for wake in wakes:
        if past >= skip_s:
            kept.append(wake)
        past += wake["awake_us"] * US + wake["sleep_ms"] / 1000
    return kept
