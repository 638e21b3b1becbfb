# SPDX-License-Identifier: MIT
"""The index of drivers: name in config.json -> module. A new driver adds its line here.

A driver module has KEYS (quantities of kahriz_wire.fields it reads), NEEDS and MAY (its keys in
config.json with their lowest and highest value), PINS (which of them are pins), and
LIMIT_MS (a dead sensor costs no more, beyond its `warm_up_ms`), and
`start(board, spec) -> driver`; a driver has `read(elapsed_ms) -> {quantity: scaled int}`.
It may have BUS (pins that channels of the same driver share), TEXTS (its keys that are texts) and
`check(spec, body, what)`, which refuses a configuration; ultrasonic ones have SOUND_SPEED.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, DriverModule

SENSORS = {
    "a02yyuw": "kahriz_node.sensors.a02yyuw",
    "ds18b20": "kahriz_node.sensors.ds18b20",
    "ec_modbus": "kahriz_node.sensors.ec_modbus",
    "hrxl": "kahriz_node.sensors.hrxl",
    "jsn_sr04t": "kahriz_node.sensors.jsn_sr04t",
    "loop_ads1115": "kahriz_node.sensors.loop_ads1115",
    "pulse_meter": "kahriz_node.sensors.pulse_meter",
    "volts": "kahriz_node.sensors.volts",
}


class SensorError(Exception):
    """A reading that failed; `fault` is one of kahriz_wire.fields.FAULTS."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def module(name: str) -> "DriverModule":
    """The driver module of that name; only what a node uses is loaded."""
    parts = SENSORS[name].split(".")
    loaded: Any = __import__(SENSORS[name])
    for part in parts[1:]:
        loaded = getattr(loaded, part)
    driver: DriverModule = loaded
    return driver
