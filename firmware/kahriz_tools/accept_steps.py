# SPDX-License-Identifier: MIT
"""The steps of `kahriz node accept`: for each figure of the energy model how it is measured.

Keys are those of the model's table (kahriz_sim/energy_profiles.toml); BOARD stands for its board.
What stands in STAYS cannot be had with a USB meter and the serial line, and says why.
"""

from dataclasses import dataclass

from kahriz_tools import accept_code as code

BOARD = "board"
Band = tuple[float, float]


@dataclass(frozen=True)
class Step:
    """One figure: what the person does and reads, and between which bounds it can be true."""

    key: str
    unit: str
    gate: Band
    do: str
    hold: str = ""  # what the board runs while the meter is read
    over: str = ""  # the reading that is taken off: the chip's own, or the waking chip's
    needs: str = ""  # a driver that must be on the board
    power: bool = False  # its supply must be switched by a pin


ASK_OFF = "base_ma"
OFF = Step(
    ASK_OFF,
    "mA",
    (0.0, 80.0),
    "hold the EN button down until you have read: the chip is off, what is left is regulator, USB "
    "bridge and lamp",
)
ULTRASONIC = ("a02yyuw", "hrxl", "jsn_sr04t")
METERED = (
    Step("state.idle_ma", "mA", (10, 90), "awake, radio off", code.IDLE, ASK_OFF),
    Step("state.light_ma", "mA", (0.2, 15), "in light sleep", code.LIGHT, ASK_OFF),
    Step("state.search_ma", "mA", (50, 300), "searching with the radio on", code.SEARCH, ASK_OFF),
    Step("state.radio_ma", "mA", (50, 300), "joining again and again", code.RADIO, ASK_OFF),
    Step("state.tls_mc", "mC", (3, 1500), "shaking hands with the broker, again and again",
         "_told = _shake(HOLD_S)", ASK_OFF),
    Step("sensor.ultrasonic_ma", "mA", (0.5, 80), "awake with the ultrasonic on", code.POWER,
         "state.idle_ma", "ultrasonic", True),
    Step("sensor.air_mc", "mC", (0.05, 10), "awake, the thermometer converting without end",
         code.AIR, "state.idle_ma", "ds18b20"),
    Step("sensor.loop_v", "V", (10, 30), "awake with the loop on: by voltmeter, U7.VOUT+ to ground",
         code.POWER, needs="loop_ads1115", power=True),
    Step("sensor.loop_efficiency", "share", (0.3, 1.0), "awake with the 4-20 mA loop on",
         code.POWER, "state.idle_ma", "loop_ads1115", True),
    Step("sensor.led_ma", "mA", (0.3, 25), "awake with the green lamp on",
         code.POWER.replace("PIN", str(code.LED_GREEN_PIN), 1), "state.idle_ma"),
    Step(f"{BOARD}.boot_mc", "mC", (3, 500), "starting out of deep sleep again and again",
         over=ASK_OFF),
)  # fmt: skip
BY_HAND = (  # read with another instrument, without the USB cable
    Step(f"{BOARD}.sleep_ua", "µA", (5, 20000),
         "USB out; a multimeter in mA, later µA, in the lead of X4, the box on its own cell; "
         "bridge it while the node is awake; read when all lamps have been dark for a minute"),
)  # fmt: skip
TIMED = (  # by the board itself, or by this laptop's clock; nobody reads anything
    Step("state.dhcp_ms", "ms", (50, 10000), "an address asked for, less one that was kept"),
    Step("state.link_ms", "ms", (1, 5000), "TCP, CONNECT and its answer"),
    Step(f"{BOARD}.boot_ms", "ms", (20, 5000), "out of deep sleep to MicroPython's prompt"),
    Step("bench_ms", "ms", (50, 60000), "2000 rows made and read again: for state.program"),
)
STAYS = {
    "supply_v": "a choice of the model, the rail to which all currents refer",
    "state.program": "made from bench_ms by `make energy --profile`: it also depends on the "
    "machine on which the model runs",
    "sensor.loop_ma": "follows the water in the pool; the board tells it as loop_now_ma",
    "battery.mah": "takes a discharge of days through a tester, no USB meter on the board's side",
    "battery.usable": "cold, age and cut-off show in a winter only",
}
STEPS = {step.key: step for step in (OFF, *TIMED, *METERED, *BY_HAND)}
