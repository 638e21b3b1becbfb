# SPDX-License-Identifier: MIT
"""Further devices, wired to the pins their drivers name in their examples when the world fits them.

The world lists them in its answer to `attach`: "fitted": ["jsn", "hrxl", "probe", "flow", "panel",
"water"]. Only these are loaded: the board's heap is small.
"""

import _onewire

from chip import counter, pin, soc, uart
from chip.world import world

JSN_TRIGGER, JSN_ECHO = 23, 13
HRXL_TX, HRXL_RX, HRXL_POWER = 14, 36, 15
PROBE_TX, PROBE_RX, PROBE_DE, PROBE_POWER = 27, 39, 5, 2
FLOW = 32
PANEL = 35
PANEL_DIVIDER = 3  # 300 kΩ over 150 kΩ
WATER_SERIAL = b"\x4b\x52\x48\x5a\x00\x02"

_devices = []


def connect(names, air, air_pin):
    """Wire what the world fits; `air` is the thermometer that shares its wire with the water's."""
    if "jsn" in names:
        from chip.jsn_sr04t import JsnSr04t

        jsn = JsnSr04t()
        pin.watch(JSN_TRIGGER, jsn.trigger)
        soc.pulse(JSN_ECHO, jsn.pulse)
        _devices.append(jsn)
    if "hrxl" in names:
        from chip.hrxl import Hrxl

        hrxl = Hrxl()
        uart.attach(HRXL_RX, HRXL_TX, hrxl)
        pin.watch(HRXL_POWER, hrxl.power)
        _devices.append(hrxl)
    if "probe" in names:
        from chip.modbus_probe import ModbusProbe

        probe = ModbusProbe()
        uart.attach(PROBE_RX, PROBE_TX, probe)
        pin.watch(PROBE_DE, probe.drive)
        pin.watch(PROBE_POWER, probe.power)
        _devices.append(probe)
    if "flow" in names:
        counter.source(FLOW, lambda: world.sense("flow")["hz"])
    if "panel" in names:
        soc.measure(PANEL, lambda: world.sense("panel")["v"] / PANEL_DIVIDER)
    if "water" in names:
        from chip.ds18b20 import Ds18b20
        from chip.wire_bus import WireBus

        water = Ds18b20(WATER_SERIAL, "water")
        _onewire._wires[air_pin] = WireBus([air, water])
        _devices.append(water)


def wake(power_lost):
    """A new wake, after a power loss or a sleep."""
    for device in _devices:
        device.wake()
        if power_lost and hasattr(device, "power_up"):
            device.power_up()
