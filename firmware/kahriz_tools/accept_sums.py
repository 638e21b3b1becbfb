# SPDX-License-Identifier: MIT
"""From a reading on the 5 V side to a figure of the model; refuses what the meter cannot tell.

A linear regulator lets through the current that it is asked for, so the chip's current is the
reading less the one with the chip held off: regulator, USB bridge and lamp fall out. Both readings
are known to half a step of the meter each, so the difference is known to one step.
"""

from kahriz_tools.accept_file import Band, Result
from kahriz_tools.accept_steps import STEPS, Step

RAIL_V = 3.3
LEAST_STEPS = 3  # of the meter; under it the figure would be the meter's, not the board's


class DoubtError(ValueError):
    """A reading that cannot be true, or that says nothing; in words."""


def figure(step: Step, read: float, result: Result, seconds: float | None) -> Band:
    """[least, usual, most] of a step; `seconds` is how long the thing lasts that is charged."""
    if not step.over:
        return within(step, (read, read, read))
    base = result.read(step.over)
    if base is None:
        raise DoubtError(f"{step.over} was not measured, and is to be taken off")
    step_ma = float(result.body["meter_step_ma"])
    more = read - base
    if more < 0:
        raise DoubtError(f"{read:g} mA is less than {step.over} with {base:g} mA")
    if more < LEAST_STEPS * step_ma:
        raise DoubtError(
            f"{more:g} mA more: under what a meter with steps of {step_ma:g} mA can tell"
        )
    band = (more - step_ma, more, more + step_ma)
    if step.unit == "mC":
        if seconds is None:
            raise DoubtError("its time was not measured")
        return within(step, (band[0] * seconds, band[1] * seconds, band[2] * seconds))
    if step.key == "sensor.loop_efficiency":
        loop_v, loop_ma = result.measured("sensor.loop_v"), result.body["told"].get("loop_now_ma")
        if loop_v is None or not loop_ma:
            raise DoubtError(
                "sensor.loop_v by voltmeter and the board's own loop current are needed"
            )
        out = loop_v[1] * float(loop_ma) / RAIL_V
        return within(step, (out / band[2], out / band[1], out / band[0]))
    return within(step, band)


def within(step: Step, band: Band) -> Band:
    """The band, if its middle can be true."""
    low, high = step.gate
    if not low <= band[1] <= high:
        raise DoubtError(
            f"{band[1]:.4g} {step.unit} is not between {low:g} and {high:g}: not believed"
        )
    return max(band[0], 0.0), band[1], band[2]


def spread(key: str, times: list[float]) -> Band:
    """Shortest, median, longest of what was timed."""
    found = sorted(times)
    if not found:
        raise DoubtError("nothing was timed")
    return within(STEPS[key], (found[0], found[len(found) // 2], found[-1]))
