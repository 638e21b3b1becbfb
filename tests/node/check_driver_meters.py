# SPDX-License-Identifier: MIT
"""Pulse meter, conductivity probe, voltages, thermometers on a shared wire: values and faults."""

import json

from driver_bench import Board, with_channels

from kahriz_node import config
from kahriz_node.sensors import SensorError, _modbus, ds18b20, ec_modbus, pulse_meter, volts


def fault_of(read):
    try:
        value = read(0)
    except SensorError as error:
        return error.fault
    raise AssertionError("read " + repr(value))


def refusal(data):
    try:
        config.parse(data)
    except config.ConfigError as error:
        return str(error)
    raise AssertionError("taken")


class Meter:
    def __init__(self, *takes):
        self.takes = list(takes)

    def take(self):
        return self.takes.pop(0)


METER = {"driver": "pulse_meter", "pin": 32, "ul_per_pulse": 100000000}


def test_the_flow_is_divided_by_the_time_that_passed_not_by_the_interval():
    # 100 L a pulse, 36 pulses: 12 L/s in 300 s, 11.25 L/s when the wake came 20 s late
    driver = pulse_meter.PulseMeter(Meter((36, 300000), (36, 320000)), 100000000)
    assert driver.read(300000) == {"flow_lps": 12000, "pulses": 36}
    assert driver.read(300000) == {"flow_lps": 11250, "pulses": 36}


def test_a_small_meter_of_450_pulses_a_litre_is_read():
    driver = pulse_meter.PulseMeter(Meter((13500, 60000)), 2222)
    assert driver.read(0)["flow_lps"] == 500  # 30 L in 60 s


def test_no_pulse_is_no_flow_and_a_counter_just_started_says_nothing():
    driver = pulse_meter.PulseMeter(Meter((0, None), (0, 300000), (1, 10)), 2222)
    assert fault_of(driver.read) == "not_ready"
    assert driver.read(0) == {"flow_lps": 0, "pulses": 0}
    assert fault_of(driver.read) == "not_ready"


def test_a_pulse_meter_on_a_node_that_sleeps_deeply_is_refused():
    body = json.loads(with_channels(flow=METER))
    assert config.parse(json.dumps(body).encode()).powered is True
    for powered in (False, None):
        body["powered"] = powered
        if powered is None:
            del body["powered"]
        said = refusal(json.dumps(body).encode())
        assert "config.channels.flow: pulses are lost in deep sleep" in said, said


def test_two_meters_need_two_counters():
    other = dict(METER, pin=35)
    assert "two meters need two units" in refusal(with_channels(a=METER, b=other))
    other["unit"] = 1
    assert len(config.parse(with_channels(a=METER, b=other)).channels) == 2


class Probe:
    """A UART with a slave, which answers when DE went up, all was sent, and DE went down."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.log = []
        self.waiting = b""

    def value(self, level):
        self.log.append(level)
        if level == 0 and self.log[-3:-1] == ["write", "flush"]:
            self.waiting = self.answers.pop(0) if self.answers else b""

    def write(self, data):
        assert self.log[-1] == 1
        self.question = data
        self.log.append("write")

    def flush(self):
        self.log.append("flush")

    def read(self):
        data, self.waiting = self.waiting[:3], self.waiting[3:]  # in pieces, as the line is polled
        return data or None


def framed(*body):
    return bytes(body) + _modbus.crc(bytes(body))


def probe(*answers, **spec):
    uart = Probe(answers)
    line = _modbus.Line(uart, uart, Board().sleep_ms)
    spec.update({"address": 1, "warm_up_ms": 1000})
    return ec_modbus.EcModbus(line, spec, None, Board().doze_ms), uart


GOOD_C = framed(1, 3, 2, 0x06, 0xD6)  # 17.50


def test_the_crc_is_that_of_the_standard():
    # Modbus over serial line V1.02, 6.2.2: the frame 02 07 has the CRC 1241h, sent 41 12
    assert _modbus.crc(b"\x02\x07") == b"\x41\x12"


def test_a_probe_is_asked_for_two_registers_and_read():
    driver, uart = probe(framed(1, 3, 2, 0x03, 0x2C), GOOD_C)
    assert driver.read(0) == {"us_cm": 8120, "c": 1750}
    assert uart.question == framed(1, 3, 0, 0, 0, 1)
    assert uart.log == [1, "write", "flush", 0] * 2


def test_water_under_zero_is_read_and_other_registers_and_decimals_are_taken():
    driver, uart = probe(framed(1, 3, 2, 0x1F, 0xB8), framed(1, 3, 2, 0xFF, 0xFB))
    driver._spec.update({"ec_register": 21, "ec_decimals": 1, "c_register": 20, "c_decimals": 1})
    assert driver.read(0) == {"us_cm": 8120, "c": -50}
    assert uart.question == framed(1, 3, 0, 20, 0, 1)


def test_a_disturbed_answer_is_asked_again_once():
    bad = bytearray(GOOD_C)
    bad[4] ^= 1
    ec = framed(1, 3, 2, 0x03, 0x2C)
    assert probe(ec, bytes(bad), GOOD_C)[0].read(0)["c"] == 1750
    assert fault_of(probe(ec, bytes(bad), bytes(bad))[0].read) == "crc"
    assert fault_of(probe(ec, GOOD_C[:5], GOOD_C[:5])[0].read) == "crc"
    assert fault_of(probe(framed(2, 3, 2, 0, 1), framed(2, 3, 2, 0, 1))[0].read) == "crc"


def test_a_silent_probe_is_a_timeout():
    assert fault_of(probe()[0].read) == "timeout"


def test_a_refusal_has_its_name():
    for code, fault in (
        (1, "driver"),
        (2, "driver"),
        (4, "fault"),
        (5, "not_ready"),
        (6, "not_ready"),
    ):
        driver, uart = probe(framed(1, 0x83, code), framed(1, 0x83, code))
        assert fault_of(driver.read) == fault, code
        assert uart.log.count("write") == 1  # a refusal is an answer: not asked again


def test_a_value_no_probe_can_have_is_over_range():
    assert fault_of(probe(framed(1, 3, 2, 0xFF, 0xFF), GOOD_C)[0].read) == "over_range"
    ec = framed(1, 3, 2, 0x03, 0x2C)
    assert fault_of(probe(ec, framed(1, 3, 2, 0x7F, 0xFF))[0].read) == "over_range"


class Adc:
    def __init__(self, *uv):
        self.uv = uv
        self.at = 0

    def read_uv(self):
        self.at += 1
        return self.uv[self.at % len(self.uv)]


def test_a_voltage_is_the_mean_before_the_divider():
    assert volts.Volts(Adc(1999000, 2001000), 300, 150, 0).read(0) == {"v": 6000}
    assert volts.Volts(Adc(1650000), 1000, 1000, 2500).read(0) == {"v": 3300}
    assert volts.Volts(Adc(0), 300, 150, 0).read(0) == {"v": 0}  # a panel at night


def test_a_converter_at_its_end_and_a_wire_that_is_off_are_faults():
    assert fault_of(volts.Volts(Adc(2450000), 300, 150, 0).read) == "over_range"
    assert fault_of(volts.Volts(Adc(142000), 1000, 1000, 2500).read) == "disconnected"


ROM = "28ff641e0f7c1ab2"


class Wire:
    """Two DS18B20 on one wire; only the one that was selected is heard."""

    def __init__(self, temperatures):
        self.temperatures = temperatures
        self.written = []

    def reset(self):
        self.written = []
        return True

    def writebyte(self, byte):
        self.written.append(byte)

    def readinto(self, buffer):
        assert self.written[0] == 0x55
        raw = self.temperatures[bytes(self.written[1:9])]
        buffer[:] = bytes((raw & 0xFF, raw >> 8, 0, 0, 0x7F, 0xFF, 0, 0x10, 0))

    def crc8(self, data):
        return 0


def test_two_thermometers_on_a_wire_are_told_apart_by_their_roms():
    air, water = bytes.fromhex(ROM), bytes.fromhex("28ff641e0f7c1ab3")
    wire = Wire({air: 0x0191, water: 0x00A2})
    assert ds18b20.Ds18b20(wire, air, Board().doze_ms).read(0) == {"c": 2506}
    assert ds18b20.Ds18b20(wire, water, Board().doze_ms).read(0) == {"c": 1013}


def test_channels_share_a_wire_only_with_their_roms():
    air = {"driver": "ds18b20", "pin": 4}
    water = {"driver": "ds18b20", "pin": 4, "rom": ROM}
    assert "config.channels.air.rom: is missing" in refusal(with_channels(air=air, water=water))
    air["rom"] = "28ff641e0f7c1ab3"
    assert len(config.parse(with_channels(air=air, water=water)).channels) == 2
    for rom in ("28FF641E0F7C1AB3", "10ff641e0f7c1ab3", "28ff", 28, None):
        said = refusal(with_channels(air=dict(air, rom=rom), water=water))
        assert "config.channels.air.rom" in said, said


def test_a_bus_is_shared_by_one_kind_of_driver_only():
    loop = {"driver": "loop_ads1115", "i2c": 0, "sda": 21, "scl": 22, "addr": 72, "shunt_ohm": 150}
    loop["warm_up_ms"] = 2000
    other = dict(loop, addr=73)
    assert len(config.parse(with_channels(pool=loop, tank=other)).channels) == 2
    assert "the pin is taken" in refusal(
        with_channels(pool=loop, air={"driver": "ds18b20", "pin": 21})
    )
    swapped = dict(loop, sda=22, scl=21)
    assert "the pin is taken" in refusal(with_channels(pool=loop, tank=swapped))


def test_powered_is_a_truth_and_nothing_else():
    body = json.loads(with_channels(flow=METER))
    body["powered"] = 1
    assert "config.powered: expected true or false" in refusal(json.dumps(body).encode())
