# SPDX-License-Identifier: MIT
"""Time, sleep, resets and what survives them, as on the chip."""

from collections.abc import Callable
from typing import Any

OnChip = Callable[..., Any]
Bench = Any


def test_the_epoch_is_2000(on_chip: OnChip) -> None:
    # docs.micropython.org, time: the ESP32 port counts from 2000-01-01
    lines = "import time\nsay(time.gmtime(0)); say(time.mktime((2026, 11, 23, 0, 0, 0, 0, 0)))"
    assert on_chip(lines) == [[2000, 1, 1, 0, 0, 0, 5, 1], 848_707_200]


def test_after_power_on_it_is_2000(on_chip: OnChip) -> None:
    assert on_chip("import machine\nsay(machine.RTC().datetime()[:4])") == [2000, 1, 1, 5]


def test_ticks_wrap_at_2_to_the_30(on_chip: OnChip) -> None:
    # ports/esp32: small ints of 31 bits, MICROPY_PY_TIME_TICKS_PERIOD = 2**30
    lines = """
import time
top = time.ticks_add(0, -1)
say([top, time.ticks_add(top, 5), time.ticks_diff(4, top)])
before = time.ticks_us()
time.sleep(1080)
say([0 <= time.ticks_us() < 2**30, time.ticks_us() < before + 1080000000])
"""
    assert on_chip(lines) == [[2**30 - 1, 4, 5], [True, True]]


def test_a_sleep_takes_chip_time_and_no_wall_time(bench: Bench) -> None:
    lines = """
import time
start, clock = time.ticks_ms(), time.time()
for _ in range(100):
    time.sleep(3600)
say([time.ticks_diff(time.ticks_ms(), start) // 1000, time.time() - clock])
"""
    assert bench.run(lines, timeout_s=60) == [[360_000, 360_000]]


def test_rtc_memory_holds_2048_bytes_and_not_one_more(on_chip: OnChip) -> None:
    # MICROPY_HW_RTC_USER_MEM_MAX 2048; ports/esp32/machine_rtc.c raises ValueError
    lines = """
import machine
rtc = machine.RTC()
rtc.memory(bytes(2048))
try:
    rtc.memory(bytes(2049))
except ValueError as error:
    say([len(rtc.memory()), str(error)])
"""
    assert on_chip(lines) == [2048, "buffer too long"]


DIARY = """
import machine, time
rtc = machine.RTC()
say([machine.reset_cause(), machine.wake_reason(), len(rtc.memory()), time.time()])
rtc.memory(rtc.memory() + b"x")
"""


def test_deep_sleep_keeps_memory_and_clock_and_a_power_cut_does_not(bench: Bench) -> None:
    said = bench.run(DIARY, bench.world(causes=["deepsleep", "power_on", "button"]))
    causes, reasons, lengths, seconds = zip(*said, strict=True)
    assert causes == (1, 4, 1, 4)  # PWRON_RESET, DEEPSLEEP_RESET
    assert reasons == (0, 4, 0, 2)  # ESP_SLEEP_WAKEUP_TIMER, _EXT0
    assert lengths == (0, 1, 0, 1)
    assert [second // 300 for second in seconds] == [0, 1, 0, 1]


def test_nothing_in_ram_survives_a_wake(bench: Bench) -> None:
    (bench.image / "lib" / "counter.py").write_text("wakes = []\n")
    main = "import counter\ncounter.wakes.append(1)\nsay(len(counter.wakes))"
    assert bench.run(main, bench.world(causes=["deepsleep", "deepsleep"])) == [1, 1, 1]


def test_the_rtc_drifts_while_the_chip_sleeps(bench: Bench) -> None:
    world = bench.world(causes=["deepsleep"], rtc_ppm=-20_000)
    said = bench.run(DIARY, world)
    slept_s = said[1][3] - said[0][3]
    true_s = (world.t_ms - 1_790_000_100_000) / 2000
    assert abs(slept_s - 300) <= 1
    assert 1.015 < true_s / slept_s < 1.025


def test_a_button_ends_the_sleep_early_and_the_clock_knows(bench: Bench) -> None:
    main = DIARY + "\nmachine.deepsleep(10**6 if len(rtc.memory()) < 2 else 1)\n"
    world = bench.world(causes=["button"])
    world.early_ms = 123_000
    seconds = [line[3] for line in bench.run(main, world)]
    assert 122 <= seconds[1] - seconds[0] <= 124


def test_the_watchdog_bites_a_wake_that_does_not_end(bench: Bench) -> None:
    main = DIARY + "machine.WDT(timeout=5000)\nif len(rtc.memory()) < 2: time.sleep(6)\n"
    causes = [line[0] for line in bench.run(main, bench.world(causes=["deepsleep"]))]
    assert causes == [1, 3]  # WDT_RESET


def test_a_fed_watchdog_does_not_bite(on_chip: OnChip) -> None:
    lines = """
import machine, time
dog = machine.WDT(timeout=5000)
for _ in range(5):
    time.sleep(4)
    dog.feed()
say(True)
"""
    assert on_chip(lines) is True


def test_a_reset_keeps_rtc_memory(bench: Bench) -> None:
    # ports/esp32/machine_rtc.c: the user memory lies in RTC_NOINIT_ATTR since 1.20
    main = DIARY + "if len(rtc.memory()) < 2: machine.reset()\n"
    said = bench.run(main, bench.world(causes=["deepsleep"]))
    assert [line[::2][:2] for line in said] == [[1, 0], [2, 1]]


def test_a_bare_except_cannot_stay_awake(bench: Bench) -> None:
    main = "import machine, time\ntry:\n    machine.deepsleep(1)\nexcept BaseException:\n"
    assert bench.run(main + "    say(1)\n    time.sleep(1)\n    say(2)\n") == [1]
    assert bench.code == 0


def test_what_was_not_flushed_before_sleep_is_gone(bench: Bench) -> None:
    main = "import os\nsay(os.listdir('/'))\nf = open('/a', 'w')\nf.write('1234')\n"
    said = bench.run(main, bench.world(causes=["deepsleep"]))
    assert said[1] in (["lib"], ["a", "lib"], ["lib", "a"])
    main = "try:\n    say(open('/a').read())\nexcept OSError:\n    say('')\n"
    assert bench.run(main) == [""]


def test_an_uncaught_exception_is_told_with_the_time_and_ends_at_the_repl(bench: Bench) -> None:
    bench.run("import time\ntime.sleep(7)\nraise RuntimeError('over')")
    assert "RuntimeError: over" in bench.stderr
    assert "+76" in bench.stderr
    assert bench.code == 1


def test_a_program_that_dies_under_a_watchdog_starts_again(bench: Bench) -> None:
    main = DIARY + "if len(rtc.memory()) < 2:\n    machine.WDT(timeout=9000); raise ValueError\n"
    said = bench.run(main, bench.world(causes=["deepsleep"]))
    assert [line[0] for line in said] == [1, 3]


def test_ext0_takes_only_rtc_pins(on_chip: OnChip) -> None:
    lines = """
import esp32, machine
esp32.wake_on_ext0(pin=machine.Pin(33), level=esp32.WAKEUP_ALL_LOW)
try:
    esp32.wake_on_ext0(machine.Pin(18), False)
except ValueError:
    say(True)
"""
    assert on_chip(lines) is True
