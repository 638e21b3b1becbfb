# SPDX-License-Identifier: MIT
"""The simulated sensors say what their data sheets say, through the chip's own buses."""

from collections.abc import Callable
from typing import Any

import pytest

OnChip = Callable[..., Any]

LISTEN = """
import machine, time
power = machine.Pin(25, machine.Pin.OUT, value={power})
uart = machine.UART(1, baudrate={baud}, tx=17, rx=16, invert=machine.UART.INV_TX)
heard = b""
for _ in range(10):
    time.sleep_ms(100)
    heard += uart.read() or b""
say(list(heard))
"""


def frames(data: list[int]) -> list[int]:
    found, at = [], 0
    while at + 4 <= len(data):
        head, high, low, check = data[at : at + 4]
        if head == 0xFF and (head + high + low) & 0xFF == check:
            found.append(high << 8 | low)
            at += 4
        else:
            at += 1
    return found


def test_a02yyuw_frame_is_that_of_the_data_sheet(on_chip: OnChip) -> None:
    # DFRobot wiki SEN0311: 1953 mm is FF 07 A1 A7
    heard = on_chip(LISTEN.format(power=1, baud=9600), ultrasonic=[1953])
    assert bytes((0xFF, 0x07, 0xA1, 0xA7)) in bytes(heard)
    assert set(frames(heard)) == {1953}


def test_a02yyuw_sends_a_raw_frame_each_100_ms_after_some_garbage(on_chip: OnChip) -> None:
    heard = on_chip(LISTEN.format(power=1, baud=9600))
    assert 8 <= len(frames(heard)) <= 9
    assert heard[:3] != [0xFF, *heard[1:3]]


def test_a02yyuw_is_silent_without_its_supply(on_chip: OnChip) -> None:
    assert on_chip(LISTEN.format(power=0, baud=9600)) == []


def test_a02yyuw_without_an_echo_says_zero(on_chip: OnChip) -> None:
    assert set(frames(on_chip(LISTEN.format(power=1, baud=9600), ultrasonic=[None]))) == {0}


def test_a_wrong_baud_rate_hears_garbage(on_chip: OnChip) -> None:
    heard = on_chip(LISTEN.format(power=1, baud=115200))
    assert heard
    assert 651 not in frames(heard)


def test_a_uart_hears_nothing_in_light_sleep(on_chip: OnChip) -> None:
    # ESP-IDF programming guide, sleep modes: the UART is not clocked in light sleep
    lines = LISTEN.format(power=1, baud=9600).replace("time.sleep_ms", "machine.lightsleep")
    heard = on_chip(lines)
    assert frames(heard) == []
    assert len(heard) < 4, "a byte may fall between two sleeps, a frame cannot"


def test_a_uart_ring_holds_256_bytes(on_chip: OnChip) -> None:
    # ports/esp32/machine_uart.c: rxbuf = 256; nobody reads for 10 s of 4-byte frames each 100 ms
    lines = """
import machine, time
machine.Pin(25, machine.Pin.OUT, value=1)
uart = machine.UART(1, baudrate=9600, tx=17, rx=16, invert=machine.UART.INV_TX)
for _ in range(100):
    time.sleep_ms(100)
    uart.any()
say(uart.any())
"""
    assert on_chip(lines) == 256


ADS = """
import machine, time
i2c = machine.I2C(0, sda=machine.Pin(21), scl=machine.Pin(22), freq=100000)
loop = machine.Pin(26, machine.Pin.OUT, value=0)
def word(register):
    high, low = i2c.readfrom_mem(72, register, 2)
    return high << 8 | low
def start(config):
    i2c.writeto_mem(72, 1, bytes((config >> 8, config & 0xFF)))
"""


def test_ads1115_stands_alone_on_the_bus_with_its_reset_configuration(on_chip: OnChip) -> None:
    # TI SBAS444: address 1001000, configuration register after reset 8583h
    assert on_chip(ADS + "say(i2c.scan()); say(word(1))") == [[0x48], 0x8583]


@pytest.mark.parametrize(("milliamps", "counts"), [(4.0, 4800), (12.0, 14400), (20.0, 24000)])
def test_ads1115_counts_are_125_microvolts(on_chip: OnChip, milliamps: float, counts: int) -> None:
    # SBAS444, table 3: 4.096 V / 32768 = 125 µV; 150 ohm, so 1 mA is 1200 counts
    lines = ADS + "loop.on(); time.sleep_ms(2000); start(0xC383); time.sleep_ms(9); say(word(0))"
    assert on_chip(lines, loop=milliamps) == counts


def test_ads1115_keeps_the_old_value_until_the_conversion_is_done(on_chip: OnChip) -> None:
    # SBAS444: at 128 samples a second a conversion takes 1/128 s; OS reads 0 while it runs
    lines = ADS + (
        "loop.on(); time.sleep_ms(2000); start(0xC383); time.sleep_ms(3)\n"
        "say([word(0), word(1) >> 15]); time.sleep_ms(6); say([word(0), word(1) >> 15])"
    )
    assert on_chip(lines, loop=12.0) == [[0, 0], [14400, 1]]


def test_the_loop_gives_nothing_unless_its_supply_is_on_and_warm(on_chip: OnChip) -> None:
    lines = ADS + (
        "start(0xC383); time.sleep_ms(9); say(word(0))\n"
        "loop.on(); time.sleep_ms(50); start(0xC383); time.sleep_ms(9); say(word(0))\n"
        "time.sleep_ms(2000); start(0xC383); time.sleep_ms(9); say(word(0))"
    )
    off, cold, warm = on_chip(lines, loop=12.0)
    assert off == 0
    assert 0 < cold < 0.6 * warm
    assert warm == 14400


def test_too_high_a_gain_saturates(on_chip: OnChip) -> None:
    # PGA 101: ±0.256 V; 1.8 V is full scale
    lines = ADS + "loop.on(); time.sleep_ms(2000); start(0xCB83); time.sleep_ms(9); say(word(0))"
    assert on_chip(lines) == 0x7FFF


WIRE = """
import machine, onewire, time
wire = onewire.OneWire(machine.Pin(4))
def scratchpad():
    wire.reset(True); wire.writebyte(0xCC); wire.writebyte(0xBE)
    nine = bytearray(9); wire.readinto(nine)
    return list(nine)
def convert():
    wire.reset(True); wire.writebyte(0xCC); wire.writebyte(0x44)
"""


def test_ds18b20_scratchpad_is_that_of_the_data_sheet(on_chip: OnChip) -> None:
    # Maxim 19-7487: 85 °C after power-on; +25.0625 °C is 0191h
    lines = WIRE + "say(scratchpad()); convert(); time.sleep_ms(760); say(scratchpad())"
    fresh, measured = on_chip(lines, air=25.0625)
    assert fresh[:5] == [0x50, 0x05, 0x4B, 0x46, 0x7F]
    assert measured[:2] == [0x91, 0x01]


@pytest.mark.parametrize(("celsius", "raw"), [(-10.125, 0xFF5E), (-55.0, 0xFC90), (0.5, 0x0008)])
def test_ds18b20_counts_in_twos_complement(on_chip: OnChip, celsius: float, raw: int) -> None:
    # 19-7487, temperature/data relationship
    lines = WIRE + "convert(); time.sleep_ms(760); say(scratchpad())"
    low, high = on_chip(lines, air=celsius)[:2]
    assert high << 8 | low == raw


def test_ds18b20_read_too_early_gives_the_old_value(on_chip: OnChip) -> None:
    lines = WIRE + "convert(); time.sleep_ms(300); say(wire.readbit()); say(scratchpad()[:2])"
    assert on_chip(lines) == [0, [0x50, 0x05]]


def test_crc8_is_that_of_application_note_27(on_chip: OnChip) -> None:
    # Maxim AN27: the ROM code A2 00 00 00 01 B8 1C 02 ends in its own CRC, so the sum is 0
    lines = (
        WIRE
        + 'say(wire.crc8(b"\\x02\\x1c\\xb8\\x01\\x00\\x00\\x00"))\n'
        + "say(wire.crc8(bytes(scratchpad())))"
    )
    assert on_chip(lines) == [0xA2, 0]


def test_a_scan_finds_the_one_sensor(on_chip: OnChip) -> None:
    roms = on_chip(WIRE + "say([list(rom) for rom in wire.scan()])")
    assert len(roms) == 1
    assert roms[0][0] == 0x28


def test_a_lost_sensor_gives_no_presence_pulse(on_chip: OnChip) -> None:
    assert on_chip(WIRE + "say(bool(wire.reset())); say(wire.readbyte())", air=None) == [False, 255]


def test_battery_is_seen_through_the_divider_by_adc1(on_chip: OnChip) -> None:
    lines = "import machine\nadc = machine.ADC(machine.Pin(34), atten=machine.ADC.ATTN_11DB)\n"
    assert on_chip(lines + "say(adc.read_uv())", battery=3.3) == 1_650_000
