# SPDX-License-Identifier: MIT
"""The drivers, against bytes as the sensors send them."""

from kahriz_node.sensors import SensorError, a02yyuw, ds18b20, loop_ads1115
from kahriz_wire import fields


class Pin:
    """A switch that remembers what it was told."""

    def __init__(self):
        self.told = []

    def value(self, level):
        self.told.append(level)


class Uart:
    """Hands out one chunk a read, the first when the driver clears the buffer."""

    def __init__(self, chunks):
        self.chunks = list(chunks)

    def read(self):
        return self.chunks.pop(0) if self.chunks else None


def no_wait(ms):
    assert ms >= 0


def frame(mm):
    return bytes((0xFF, mm >> 8, mm & 0xFF, (0xFF + (mm >> 8) + mm) & 0xFF))


def fault_of(read):
    try:
        value = read(0)
    except SensorError as error:
        if error.fault in fields.FAULTS:
            return error.fault
        value = error.fault + " as a fault, which the journal does not know"
    raise AssertionError("read " + repr(value))


def a02(chunks):
    return a02yyuw.A02yyuw(Uart(chunks), Pin(), no_wait, no_wait)


def test_the_known_frame_of_the_wiki_is_read():
    # DFRobot SEN0311 wiki: FF 07 A1 A7 is 1953 mm
    assert a02yyuw.frames(b"\xff\x07\xa1\xa7") == ([1953], 0, b"")


def test_frames_are_found_among_rubbish_and_in_pieces():
    found, broken, _ = a02yyuw.frames(b"\x00\x12" + frame(651) + b"\xff\x02\x8b\x00" + frame(652))
    assert found == [651, 652]
    assert broken == 1
    assert a02yyuw.frames(frame(651)[:3]) == ([], 0, frame(651)[:3])


def test_a_distance_that_looks_like_a_frame_head_is_read():
    data = b"".join(frame(mm) for mm in (255, 511, 3840, 4095))
    assert a02yyuw.frames(data)[0] == [255, 511, 3840, 4095]


def test_a_quiet_water_is_read_to_a_tenth_of_a_millimetre():
    chunks = [b"left over"] + [frame(651 + i % 2) for i in range(15)]
    assert a02(chunks).read(0) == {"distance_m": 6515, "spread_m": 4, "echoes": 15}


def test_frames_cut_by_the_polling_are_joined():
    stream = b"".join(frame(651) for _ in range(20))
    chunks = [b""] + [stream[i : i + 3] for i in range(0, len(stream), 3)]
    assert a02(chunks).read(0)["distance_m"] == 6510


def test_an_unplugged_ultrasonic_sensor_is_a_timeout_and_is_switched_off():
    power = Pin()
    assert fault_of(a02yyuw.A02yyuw(Uart([]), power, no_wait, no_wait).read) == "timeout"
    assert power.told == [1, 0]


def test_a_dead_ultrasonic_sensor_costs_a_bounded_time():
    spent = []
    fault_of(a02yyuw.A02yyuw(Uart([]), None, spent.append, spent.append).read)
    assert sum(spent) <= 5000


def test_zero_millimetres_is_no_echo():
    assert fault_of(a02([frame(0)] * 60).read) == "no_echo"


def test_a_noisy_line_is_a_checksum_fault():
    assert fault_of(a02([b"\xff\x01\x02\x00"] * 60).read) == "checksum"


class I2c:
    """An ADS1115 that has one voltage at its input."""

    def __init__(self, raw, busy=0, dead=False):
        self.raw = raw
        self.busy = busy
        self.dead = dead
        self.started = []

    def writeto_mem(self, addr, register, data):
        if self.dead:
            raise OSError(19)
        assert (addr, register) == (72, 1)
        self.started.append(data)

    def readfrom_mem(self, addr, register, count):
        assert (addr, count) == (72, 2)
        if register == 0:
            return bytes((self.raw >> 8 & 0xFF, self.raw & 0xFF))
        self.busy -= 1
        return b"\x43\x83" if self.busy >= 0 else b"\xc3\x83"


def loop(i2c, power=None):
    return loop_ads1115.LoopAds1115(i2c, 72, 150, power, 2000, no_wait, no_wait)


def test_twelve_milliamperes_over_150_ohm_are_read():
    # 12 mA x 150 ohm = 1.8 V = 14400 steps of 125 uV
    assert loop(I2c(14400)).read(0) == {"current_ma": 12000}


def test_the_converter_is_started_anew_for_each_sample_and_waited_for():
    i2c = I2c(14400, busy=3)
    assert loop(i2c).read(0) == {"current_ma": 12000}
    assert i2c.started == [b"\xc3\x83"] * loop_ads1115.SAMPLES


def test_a_broken_loop_wire_is_named():
    assert fault_of(loop(I2c(0)).read) == "open_loop"
    assert fault_of(loop(I2c(-3 & 0xFFFF)).read) == "open_loop"
    assert fault_of(loop(I2c(4300)).read) == "open_loop"  # 3.58 mA


def test_a_transmitter_in_fault_is_named():
    assert fault_of(loop(I2c(25300)).read) == "over_range"  # 21.08 mA


def test_a_converter_that_is_not_there_is_a_bus_fault_and_the_loop_is_switched_off():
    power = Pin()
    assert fault_of(loop(I2c(0, dead=True), power).read) == "bus"
    assert power.told == [1, 0]


def test_a_converter_that_never_finishes_is_a_timeout():
    assert fault_of(loop(I2c(14400, busy=1000)).read) == "timeout"


class OneWire:
    """A DS18B20 that answers with one scratchpad; None is an empty wire."""

    def __init__(self, scratchpad):
        self.scratchpad = scratchpad
        self.written = []

    def reset(self):
        return self.scratchpad is not None

    def writebyte(self, byte):
        self.written.append(byte)

    def readinto(self, buffer):
        buffer[:] = self.scratchpad

    def crc8(self, data):
        crc = 0
        for byte in data:
            for _ in range(8):
                mix = (crc ^ byte) & 1
                crc >>= 1
                if mix:
                    crc ^= 0x8C
                byte >>= 1
        return crc


def scratchpad(raw):
    eight = bytes((raw & 0xFF, raw >> 8 & 0xFF, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10))
    return eight + bytes((OneWire(None).crc8(eight),))


def test_the_temperatures_of_the_data_sheet_are_read():
    # Maxim 19-7487, table 1
    for raw, hundredths in ((0x07D0, 12500), (0x0191, 2506), (0x0008, 50), (0xFFF8, -50)):
        bus = OneWire(scratchpad(raw))
        assert ds18b20.Ds18b20(bus, b"", no_wait).read(0) == {"c": hundredths}, raw
        assert bus.written == [0xCC, 0x44, 0xCC, 0xBE]


def test_85_degrees_is_the_power_on_value():
    assert (
        fault_of(ds18b20.Ds18b20(OneWire(scratchpad(0x0550)), b"", no_wait).read)
        == "power_on_value"
    )


def test_minus_127_degrees_is_a_lost_sensor():
    lost = OneWire(scratchpad(-127 * 16 & 0xFFFF))
    assert fault_of(ds18b20.Ds18b20(lost, b"", no_wait).read) == "disconnected"


def test_a_shorted_or_floating_wire_is_no_temperature():
    for byte in (b"\x00", b"\xff"):
        assert fault_of(ds18b20.Ds18b20(OneWire(byte * 9), b"", no_wait).read) == "disconnected"


def test_an_empty_wire_has_no_presence():
    assert fault_of(ds18b20.Ds18b20(OneWire(None), b"", no_wait).read) == "no_presence"


def test_a_flipped_bit_is_found():
    flipped = bytearray(scratchpad(0x0191))
    flipped[0] ^= 4
    assert fault_of(ds18b20.Ds18b20(OneWire(flipped), b"", no_wait).read) == "crc"
