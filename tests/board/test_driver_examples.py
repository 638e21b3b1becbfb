# SPDX-License-Identifier: MIT
"""The example in each driver's docstring reads its sensor on the simulated board."""

import json
from pathlib import Path
from typing import Any

import pytest

from kahriz_node.sensors import SENSORS
from kahriz_tools.image import build_image

WORLD = {
    "hrxl": {"echo_mm": [1233, 1234, 1235, 1234]},
    "jsn": {"echo_us": [5824]},
    "probe": {"us_cm": 812, "c": 17.5},
    "flow": {"hz": 2.0},
    "panel": {"v": 6.0},
}
READS = {
    "a02yyuw": {"distance_m": 6510, "spread_m": 6, "echoes": 15},
    "ds18b20": {"c": 2144},
    "ec_modbus": {"us_cm": 8120, "c": 1750},
    "hrxl": {"distance_m": 12340, "spread_m": 7, "echoes": 15},
    "jsn_sr04t": {"distance_m": 10000, "spread_m": 0, "echoes": 15},
    "loop_ads1115": {"current_ma": 12000},
    "volts": {"v": 6000},
}
READ = """
import json, machine, time
from kahriz_node import sensors
from kahriz_node.board_esp32 import Board
board = Board()
def read(spec):
    start = time.ticks_ms()
    try:
        values = sensors.module(spec["driver"]).start(board, spec).read(0)
    except sensors.SensorError as error:
        values = error.fault
    say([values, time.ticks_diff(time.ticks_ms(), start)])
    return values
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_image(folder)
    return folder


def example(driver: str) -> dict[str, Any]:
    text = (
        Path(__file__).parents[2] / "firmware/lib/kahriz_node/sensors" / f"{driver}.py"
    ).read_text()
    found: dict[str, Any] = json.loads(text.split("config.json: ")[1].split("}")[0] + "}")
    return found


def run(bench: Any, image: Path, lines: str, **world: Any) -> list[Any]:
    bench.image = image
    said = bench.run(READ + lines, bench.world(**WORLD | world))
    assert (bench.code, bench.stderr) == (0, "")
    return list(said)


def test_every_driver_has_an_expected_reading() -> None:
    assert sorted(READS) == sorted(set(SENSORS) - {"pulse_meter"})


def test_every_example_reads_its_sensor(bench: Any, image: Path) -> None:
    """One after the other on one board, so that no driver leaves a bus in a state that hurts."""
    lines = "".join(f"read({example(driver)!r})\n" for driver in READS)
    for (driver, values), (found, took_ms) in zip(
        READS.items(), run(bench, image, lines), strict=True
    ):
        assert found == values, driver
        assert took_ms < 6000, driver


def test_a_sensor_that_is_not_wired_is_a_fault_in_its_time(bench: Any, image: Path) -> None:
    """The same drivers on pins where nothing is."""
    lines = (
        'read({"driver": "a02yyuw", "uart": 1, "tx": 12, "rx": 34})\n'
        'read({"driver": "hrxl", "uart": 1, "tx": 12, "rx": 34, "nearest_mm": 300})\n'
        'read({"driver": "jsn_sr04t", "trigger": 12, "echo": 34})\n'
        'read({"driver": "ec_modbus", "uart": 1, "tx": 12, "rx": 34, "de": 0, "address": 1,'
        ' "warm_up_ms": 0})\n'
        'read({"driver": "ds18b20", "pin": 12})\n'
        'read({"driver": "loop_ads1115", "i2c": 0, "sda": 12, "scl": 0, "addr": 72,'
        ' "shunt_ohm": 150, "warm_up_ms": 0})\n'
        'read({"driver": "volts", "pin": 39, "top_kohm": 1, "bottom_kohm": 1, "least_mv": 500})\n'
    )
    found = run(bench, image, lines)
    assert [fault for fault, _ in found] == [
        "timeout",
        "timeout",
        "timeout",
        "timeout",
        "no_presence",
        "bus",
        "disconnected",
    ]
    assert max(took_ms for _, took_ms in found) < 6000


def test_the_probes_exceptions_and_disturbed_answers_have_their_names(
    bench: Any, image: Path
) -> None:
    line = f"read({example('ec_modbus')!r})\n"
    for truth, fault in (({"exception": 6}, "not_ready"), ({"garble": True}, "crc")):
        found = run(bench, image, line, probe={"us_cm": 812, "c": 17.5} | truth)
        assert found[0][0] == fault


def test_air_and_water_are_read_on_one_wire(bench: Any, image: Path) -> None:
    lines = """
from kahriz_node.sensors import ds18b20
roms = sorted(ds18b20.roms(board.onewire(4)))
for rom in roms:
    read({"driver": "ds18b20", "pin": 4, "rom": rom})
read({"driver": "ds18b20", "pin": 4, "rom": "28" + "00" * 7})
"""
    air, water, nobody = run(bench, image, lines, water={"c": 13.5}, air=25.0)
    assert (air[0], water[0]) == ({"c": 2500}, {"c": 1350})
    assert nobody[0] == "disconnected"


def test_the_flow_is_that_of_the_time_awake(bench: Any, image: Path) -> None:
    spec = example("pulse_meter") | {"ul_per_pulse": 1_000_000}  # 1 L a pulse, 2 pulses a second
    lines = f"spec = {spec!r}\nread(spec)\nboard.stay_awake(100000)\nread(spec)\n"
    lines += "board.doze_ms(50000)\nread(spec)\n"  # does not sleep lightly while a counter runs
    first, second, third = (values for values, _ in run(bench, image, lines))
    assert first == "not_ready"
    assert abs(second["flow_lps"] - 2000) <= 30
    assert abs(second["pulses"] - 200) <= 1
    assert abs(third["flow_lps"] - 2000) <= 40


def test_light_sleep_is_most_of_an_ultrasonic_reading(bench: Any, image: Path) -> None:
    """What the chip spends awake: the driver's own polling, not the sensor's pace."""
    watch = """
slept = []
genuine = machine.lightsleep
def lightsleep(ms):
    slept.append(ms)
    genuine(ms)
machine.lightsleep = lightsleep
"""
    for driver in ("a02yyuw", "hrxl", "jsn_sr04t"):
        found = run(bench, image, watch + f"read({example(driver)!r})\nsay(sum(slept))\n")
        (_, took_ms), slept_ms = found
        assert slept_ms > 0.55 * took_ms, driver


def test_the_loop_is_warmed_up_for_the_stated_time_and_off_without_its_switch(
    bench: Any, image: Path
) -> None:
    spec = example("loop_ads1115")
    bare = {key: value for key, value in spec.items() if key != "power"}
    lines = "".join(f"read({one!r})\n" for one in (spec, spec | {"warm_up_ms": 40}, bare))
    warm, cold, unsupplied = (values for values, _ in run(bench, image, lines, loop=12.0))
    assert warm == {"current_ma": 12000}
    assert cold["current_ma"] < 11950  # the transmitter was still starting: state its own time
    assert unsupplied == "open_loop"
