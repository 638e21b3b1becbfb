# SPDX-License-Identifier: MIT
"""`network` of the ESP32 port: the station interface, its association scripted by the _world.

An association left open over deep sleep makes the access point refuse the next one for a while
(6-15 s in reports of Home Assistant users; 8 s here). The world's answer may also have bssid (12
hexadecimal digits) and channel of the access point, lease (four addresses), dhcp and dns (false:
dead). An address of another network than the access point's reaches nobody.
"""

import binascii as _binascii

from chip import clock as _clock
from chip.world import world as _world

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204
STAT_BEACON_TIMEOUT = 200

_REFUSED_MS = 8000  # how much longer an association takes that was left open
_NOT_STARTED = "Wifi Not Started"
_LEASE = ("192.168.4.11", "255.255.255.0", "192.168.4.1", "192.168.4.1")
_BSSID = b"\x02\x00\x00\x00\x00\x01"
_hostname = ["mpy-esp32"]


class _Radio:
    def __init__(self):
        self.left_open = False
        self.power_up()

    def power_up(self):
        self.active = False
        self.joining = None  # what the world said about this attempt
        self.ready_us = 0
        self.failed = False
        self.lease = None
        self.channel = 6
        self.reconnects = -1

    def up(self):
        return (
            self.active
            and self.joining is not None
            and self.joining["up"]
            and not self.failed
            and (self.lease is not None or self.joining.get("dhcp", True))
            and _clock.peek_us() >= self.ready_us
        )

    def offered(self):
        """The lease that the access point's own network gives."""
        return tuple((self.joining or {}).get("lease", _LEASE))


_radio = _Radio()


def power_up(power_lost):
    """A wake begins; only the access point remembers an association that nobody closed."""
    _radio.left_open = not power_lost and _radio.left_open
    _radio.power_up()


def asleep():
    """A wake ends."""
    _radio.left_open = _radio.up()


def is_up():
    return _radio.up()


def is_routed():
    """Whether the address in use belongs to the network that the station has joined."""
    return _radio.lease is None or _radio.lease[2] == _radio.offered()[2]


def has_dns():
    return is_routed() and _radio.joining.get("dns", True)


def radio_is_on():
    return _radio.active


class WLAN:
    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2
    SEC_OPEN = 0
    SEC_WPA2 = 3
    SEC_WPA_WPA2 = 4
    SEC_WPA3 = 6
    SEC_WPA2_WPA3 = 7

    def __init__(self, *interface):
        if len(interface) > 1:
            raise TypeError("extra positional arguments given")
        _clock.elapsed_us()
        if interface and interface[0] == AP_IF:
            raise NotImplementedError("this board simulates the station only")
        if interface and interface[0] != STA_IF:
            raise ValueError("invalid WLAN interface identifier")

    def active(self, *on):
        _clock.elapsed_us()
        if on:
            on = bool(on[0])
            if on and not _radio.active:
                _clock.charge_us(60_000)  # esp_wifi_start with calibration data in NVS, about 60 ms
            if not on:
                _radio.joining = None
            _radio.active = on
        return _radio.active

    def connect(self, *ssid_key, bssid=None):
        _clock.elapsed_us()
        if len(ssid_key) > 2:
            raise TypeError("extra positional arguments given")
        if not _radio.active:
            raise OSError(_NOT_STARTED)
        if bssid is not None and len(bssid) != 6:
            raise ValueError
        if _radio.joining is not None and not _radio.failed:
            raise OSError("Wifi Internal State Error")  # esp_wifi_connect() while it is at it
        _radio.joining = reply = _world.ask("radio")
        _radio.failed = bool(ssid_key) and _world.ssid is not None and ssid_key[0] != _world.ssid
        _radio.failed = _radio.failed or bssid not in (None, _bssid(reply))
        late_ms = reply["assoc_ms"] + (_REFUSED_MS if _radio.left_open else 0)
        _radio.left_open = False
        _radio.ready_us = _clock.elapsed_us() + late_ms * 1000

    def disconnect(self):
        _clock.elapsed_us()
        if not _radio.active:
            raise OSError(_NOT_STARTED)
        _radio.joining = None

    def isconnected(self):
        _clock.elapsed_us()
        return _radio.up()

    def status(self, *what):
        _clock.elapsed_us()
        if what:
            if what[0] != "rssi":
                raise ValueError("unknown status param")
            if not _radio.up():
                raise OSError("Wifi Not Connected")
            return _radio.joining["rssi"]
        if _radio.joining is None:
            return STAT_IDLE
        if _radio.up():
            return STAT_GOT_IP
        if _clock.peek_us() < _radio.ready_us:
            return STAT_CONNECTING
        return STAT_NO_AP_FOUND

    def ifconfig(self, *lease):
        _clock.elapsed_us()
        if lease == ("dhcp",):
            _radio.lease = None
            return None
        if lease:
            if len(lease[0]) != 4:
                raise ValueError(f"requested length 4 but object has length {len(lease[0])}")
            _radio.lease = tuple(lease[0])
            return None
        if _radio.lease is not None:
            return _radio.lease
        return _radio.offered() if _radio.up() else ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")

    def config(self, *query, **settings):
        _clock.elapsed_us()
        if query and settings:
            raise TypeError("either pos or kw args are allowed")
        if settings:
            for name, value in settings.items():
                if name in ("channel", "reconnects"):
                    setattr(_radio, name, value)
                elif name not in ("pm", "txpower", "protocol", "mac", "hostname"):
                    raise ValueError("unknown config param")
            return None
        if len(query) != 1:
            raise TypeError("can query only one param")
        if query[0] == "channel" and _radio.up():
            return _radio.joining.get("channel", 6)
        if query[0] in ("channel", "reconnects"):
            return getattr(_radio, query[0])
        if query[0] == "mac":
            from chip import soc

            return soc.unique_id()
        if query[0] == "ssid":
            return _world.ssid if _radio.joining is not None else ""
        if query[0] == "pm":
            return WLAN.PM_PERFORMANCE
        if query[0] == "txpower":
            return 20
        if query[0] == "hostname":
            return _hostname[0]
        raise ValueError("unknown config param")

    def scan(self):
        _clock.charge_us(2_100_000)  # thirteen channels, 120 ms each, and the overhead
        if not _radio.active:
            raise OSError("STA must be active")
        reply = _world.ask("radio")
        if not reply["up"]:
            return []
        name = (_world.ssid or "").encode()
        return [(name, _bssid(reply), reply.get("channel", 6), reply["rssi"], 3, False)]


def _bssid(reply):
    return _binascii.unhexlify(reply["bssid"]) if "bssid" in reply else _BSSID


def hostname(*name):
    if name:
        _hostname[0] = name[0]
        return None
    return _hostname[0]
