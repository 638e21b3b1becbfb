# SPDX-License-Identifier: MIT
"""Joining: what is remembered first, then a search; a scripted station stands for the radio."""

from kahriz_node import wifi

NEAR, FAR = b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02"
LEASE = ("192.168.4.11", "255.255.255.0", "192.168.4.1", "192.168.4.1")


class Station:
    """Has the access points of `seen`, and takes `took_ms` to associate with one of them."""

    def __init__(self, seen, took_ms=900, dhcp=True):
        self.seen = seen
        self.took_ms = took_ms
        self.dhcp = dhcp
        self.now = 0
        self.asked = []
        self.static = None
        self.target = None
        self.ready = 0

    def ticks_ms(self):
        return self.now & 0x3FFFFFFF

    def ticks_diff(self, later, earlier):
        return later - earlier

    def sleep_ms(self, ms):
        self.now += ms

    def active(self, on):
        self.asked.append("on")

    def config(self, channel):
        self.asked.append(channel)

    def ifconfig(self, *lease):
        if lease:
            self.static = None if lease[0] == "dhcp" else lease[0]
            self.asked.append(lease[0])
        return self.static or LEASE

    def scan(self):
        self.asked.append("scan")
        self.now += 2100
        return [(name, bssid, 6, rssi, 3, False) for name, bssid, rssi in self.seen]

    def connect(self, ssid, password, bssid=None):
        self.asked.append(bssid)
        there = [one for one in self.seen if bssid in (None, one[1])]
        self.target = there[0] if there else None
        self.ready = self.now + self.took_ms

    def disconnect(self):
        self.target = None

    def isconnected(self):
        return bool(self.target and self.now >= self.ready and (self.static or self.dhcp))

    def status(self):
        return 1001 if self.now < self.ready or self.target else 201


def join(station, known, limit_ms=8000):
    return wifi.join(station, station, "kahriz", "word", limit_ms, known)


def test_the_first_time_the_strongest_of_the_name_is_taken_and_remembered():
    known = {}
    station = Station([(b"other", b"x" * 6, -20), (b"kahriz", FAR, -80), (b"kahriz", NEAR, -50)])
    assert join(station, known)
    assert station.asked == ["on", "scan", NEAR]
    assert known == {"ap": ["020000000001", 6], "lease": list(LEASE)}


def test_what_is_remembered_spares_scan_and_dhcp():
    known = {"ap": ["020000000001", 6], "lease": list(LEASE)}
    lease = known["lease"]
    station = Station([(b"kahriz", NEAR, -50)], dhcp=False)
    assert join(station, known)
    assert station.asked == ["on", LEASE, 6, NEAR]
    assert known["lease"] is lease  # so the caller knows that it was a remembered one
    assert station.now < 1000


def test_an_access_point_that_was_replaced_is_searched_and_asked_for_an_address():
    known = {"ap": ["020000000001", 6], "lease": ["10.0.0.7", "255.0.0.0", "10.0.0.1", "10.0.0.1"]}
    station = Station([(b"kahriz", FAR, -60)])
    assert join(station, known)
    assert "dhcp" in station.asked
    assert known == {"ap": ["020000000002", 6], "lease": list(LEASE)}


def test_after_a_lease_in_vain_the_address_is_asked_for():
    known = {"lease": ["10.0.0.7", "255.0.0.0", "10.0.0.1", "10.0.0.1"]}
    station = Station([(b"kahriz", NEAR, -60)])
    station.static = tuple(known["lease"])
    assert join(station, known)
    assert known["lease"] == list(LEASE)


def test_nobody_there_is_known_after_two_scans():
    known = {}
    station = Station([(b"other", NEAR, -50)])
    assert not join(station, known)
    assert station.asked == ["on", "scan", "scan"]
    assert station.now < 5000
    assert known == {}


def test_an_access_point_that_hides_its_name_is_called_by_it():
    known = {}
    station = Station([(b"", NEAR, -50)])
    assert join(station, known)
    assert station.asked == ["on", "scan", None]
    assert known == {}


def test_a_dead_dhcp_ends_at_the_limit():
    station = Station([(b"kahriz", NEAR, -50)], dhcp=False)
    assert not join(station, {}, 6000)
    assert 6000 <= station.now <= 6100


def test_a_radio_that_does_not_start_is_a_network_away():
    class Broken(Station):
        def connect(self, ssid, password, bssid=None):
            raise OSError("Wifi Internal Error")

    assert not join(Broken([(b"kahriz", NEAR, -50)]), {})
