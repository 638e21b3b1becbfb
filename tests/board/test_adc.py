# SPDX-License-Identifier: MIT
"""The converter behind a divider: panel and battery, full scale, ADC2 while the radio is on."""

from collections.abc import Callable
from typing import Any

import pytest

OnChip = Callable[..., Any]

READ = "import machine\nadc = machine.ADC(machine.Pin(35), atten=machine.ADC.ATTN_11DB)\n"


@pytest.mark.parametrize(("panel_v", "uv"), [(6.0, 2_000_000), (0.0, 0), (9.0, 2_450_000)])
def test_the_panel_is_seen_as_a_third_and_not_above_full_scale(
    on_chip: OnChip, panel_v: float, uv: int
) -> None:
    assert on_chip(READ + "say(adc.read_uv())", panel={"v": panel_v}) == uv


@pytest.mark.parametrize("call", ["ADC()", "ADC(35, width=12)", "ADC(17)", "ADC(35, atten=4)"])
def test_a_wrong_call_is_refused(on_chip: OnChip, call: str) -> None:
    lines = f"import machine\ntry:\n    machine.{call}\nexcept (TypeError, ValueError):\n"
    assert on_chip(lines + "    say('refused')", panel={"v": 6.0}) == "refused"
