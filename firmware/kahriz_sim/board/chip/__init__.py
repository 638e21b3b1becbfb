# SPDX-License-Identifier: MIT
"""The simulated ESP32 behind the fake modules: clock, pins, buses, radio, flash, world.

Nothing here is importable on the chip; the node's program sees only the modules in `fakes/`.
A wake begins with `power_up()`; only `clock.rtc_*`, `memory` and the flash file live longer.
"""
