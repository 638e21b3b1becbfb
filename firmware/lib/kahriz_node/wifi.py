# SPDX-License-Identifier: MIT
"""Joining the access point: by what was remembered, else by a scan; both inside one limit.

`station` is the chip's WLAN, `time` has ticks_ms, ticks_diff, sleep_ms. What is remembered: "ap"
[BSSID in hexadecimal digits, channel] spares the search, "lease" four addresses spare DHCP. The
caller forgets it when the gateway was not heard; then this looks at all channels and takes the
strongest access point of the name.
"""

import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, State

POLL_MS = 20
KNOWN_MS = 3000  # associations with a known BSSID took under 1 s (ESPHome, glenn20); then search
SCANS = 2  # a beacon may be missed once
OF_THE_CHIP = 200  # status codes of a failed attempt: 201 no access point, 202 wrong password, …


def join(
    station: "Any", time: "Any", ssid: str, password: str, limit_ms: int, known: "State"
) -> bool:
    """Associate and have an address; `known` then holds what to remember."""
    begin = time.ticks_ms()
    station.active(True)
    try:
        if "ap" in known:
            bssid, channel = known["ap"]
            if "lease" in known:
                station.ifconfig(tuple(known["lease"]))
            station.config(channel=channel)  # where the search begins
            station.connect(ssid, password, bssid=binascii.unhexlify(bssid))
            if _wait(station, time, begin, min(KNOWN_MS, limit_ms), True):
                return True
            station.disconnect()
        if "lease" in known:  # set in this wake; without "ap" by an attempt that was in vain
            station.ifconfig("dhcp")
        known.clear()
        found = search(station, ssid)
        if found is None:
            return False
        bssid, channel = found
        if bssid:
            station.connect(ssid, password, bssid=bssid)
        else:
            station.connect(ssid, password)
        if not _wait(station, time, begin, limit_ms, False):
            return False
        if bssid:
            known["ap"] = [binascii.hexlify(bssid).decode(), channel]
            known["lease"] = list(station.ifconfig())
        return True
    except OSError:  # "Wifi Internal Error": a radio that does not start is a network away
        return False


def search(station: "Any", ssid: str) -> "tuple[bytes, int] | None":
    """(BSSID, channel) of the strongest; no BSSID when it may hide its name; None: not there."""
    for _ in range(SCANS):
        seen = station.scan()
        ours = [(one[3], bytes(one[1]), one[2]) for one in seen if one[0] == ssid.encode()]
        if ours:
            return max(ours)[1:]
        if any(not one[0] for one in seen):
            return b"", 0
    return None


def _wait(station: "Any", time: "Any", begin: int, limit_ms: int, give_up: bool) -> bool:
    while not station.isconnected():
        if time.ticks_diff(time.ticks_ms(), begin) >= limit_ms:
            return False
        if give_up and OF_THE_CHIP <= station.status() < 1000:
            return False
        time.sleep_ms(POLL_MS)
    return True
