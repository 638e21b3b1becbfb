# SPDX-License-Identifier: MIT
"""The index of drivers: their modules here, as config.json names them. A new one adds its line.

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

SENSORS = (
    "a02yyuw",
    "ds18b20",
    "ec_modbus",
    "hrxl",
    "jsn_sr04t",
    "loop_ads1115",
    "pulse_meter",
    "volts",
)


class SensorError(Exception):
    """A reading that failed; `fault` is one of kahriz_wire.fields.FAULTS."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def module(name: str) -> "DriverModule":
    """The driver module of that name; only what a node uses is loaded."""
    package: Any = __import__("kahriz_node.sensors." + name)
    driver: DriverModule = getattr(package.sensors, name)
    return driver
