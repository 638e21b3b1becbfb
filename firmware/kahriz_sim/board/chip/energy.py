# SPDX-License-Identifier: MIT
"""What each wake spends its time on, one JSON line a wake: `run.py --energy FILE`.

The line says how long the chip was awake, in light sleep and asleep, how long each switched part
and the radio were on, and how much the program worked; joules are made of it by kahriz_sim.energy.
All but the last is the chip's time: what this machine takes, or makes others wait, is not in it.
The hooks are set only when asked for: without them the fakes are as they were.

    {"awake_us", "boot_us", "light_us", "cpu_us", "radio_us", "joins": [[us, up, leased], …],
     "tcp", "tls", "tx", "rx", "on": {name: us}, "air", "sleep_ms"}
"""

import json
import socket

import network
import utime

from chip import clock, pin, wiring

SWITCHED = {  # name: pin; on while it is driven high
    "ultrasonic": wiring.ULTRASONIC_POWER,
    "loop": wiring.LOOP_POWER,
    "led_green": 18,
    "led_red": 19,
}
TLS_HANDSHAKE = b"\x16\x03"  # how the first record of a TLS connection begins


def _lived_us():
    """Sleeps, transfers, waits on the line between the processes."""
    return clock.now.charged_us


class Ledger:
    """The wake that is going on, and the file that the wakes go to."""

    def __init__(self, path):
        self._file = open(path, "a")  # noqa: SIM115 - open as long as the board lives
        try:
            self._stat = open("/proc/self/schedstat")  # noqa: SIM115 - the host is out of sight later
        except OSError:  # macOS: the wall time is an upper bound
            self._stat = None
        self._since = {}
        self._begin()

    def watch(self):
        """Set the hooks, once the parts are wired."""
        for name in SWITCHED:
            self._watch_pin(name, SWITCHED[name])
        self._watch_air()
        self._watch_radio()
        self._watch_sockets()

    def _begin(self):
        self._on = {}
        self._since.clear()
        self._joins = []
        self._leased = False
        self._seen = {"tcp": 0, "tls": 0, "tx": 0, "rx": 0, "air": 0}
        self._cpu0_us = self._cpu_us()

    def _cpu_us(self):
        """What this process has worked so far: the load of the machine is not in it."""
        if self._stat is None:
            return utime.ticks_us()
        self._stat.seek(0)
        return int(self._stat.read().split(" ", 1)[0]) // 1000

    def close(self, sleep_ms):
        """The wake is over, and so much sleep is to follow it; write it down."""
        now_us = _lived_us()
        for name in list(self._since):
            self._switch(name, False, now_us)
        self._end_join(False, now_us)
        line = dict(self._seen)
        line["awake_us"] = now_us
        line["boot_us"] = clock.BOOT_US
        line["light_us"] = sum([stop - start for start, stop in clock.now.deaf])
        line["cpu_us"] = self._cpu_us() - self._cpu0_us
        line["radio_us"] = self._on.pop("radio", 0)
        line["joins"] = [join for join in self._joins if len(join) == 3]
        line["on"] = self._on
        line["sleep_ms"] = sleep_ms
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        self._begin()

    def _switch(self, name, on, now_us):
        if on and name not in self._since:
            self._since[name] = now_us
        elif not on and name in self._since:
            self._on[name] = self._on.get(name, 0) + now_us - self._since.pop(name)

    def _watch_pin(self, name, number):
        before = pin._watch.get(number)

        def level(value):
            self._switch(name, bool(value), _lived_us())
            if before is not None:
                before(value)

        pin.watch(number, level)

    def _watch_air(self):
        sensor = wiring._air
        before = sensor._byte

        def byte(value):
            if value == 0x44:  # 19-7487: convert
                self._seen["air"] += 1
            before(value)

        sensor._byte = byte

    def _end_join(self, up, now_us):
        if self._joins and len(self._joins[-1]) == 2:
            begun, leased = self._joins[-1]
            self._joins[-1] = [now_us - begun, up, leased]

    def _watch_radio(self):
        station = network.WLAN
        active, connect, isconnected, ifconfig = (
            station.active,
            station.connect,
            station.isconnected,
            station.ifconfig,
        )

        def watched_active(wlan, *on):
            if on and on[0]:
                self._switch("radio", True, _lived_us())
            was = active(wlan, *on)
            if on and not on[0]:
                self._switch("radio", False, _lived_us())
                self._end_join(False, _lived_us())
            return was

        def watched_connect(wlan, *ssid_key, **more):
            self._end_join(False, _lived_us())
            self._joins.append((_lived_us(), self._leased))
            connect(wlan, *ssid_key, **more)

        def watched_isconnected(wlan):
            up = isconnected(wlan)
            if up:
                self._end_join(True, _lived_us())
            return up

        def watched_ifconfig(wlan, *lease):
            if lease:
                self._leased = lease[0] != "dhcp"
            return ifconfig(wlan, *lease)

        station.active = watched_active
        station.connect = watched_connect
        station.isconnected = watched_isconnected
        station.ifconfig = watched_ifconfig

    def _watch_sockets(self):
        kind = socket.socket
        connect, send_some, recv = kind.connect, kind._send_some, kind.recv
        fresh = set()

        def watched_connect(line, address):
            self._seen["tcp"] += 1
            fresh.add(id(line))
            return connect(line, address)

        def watched_send(line, data):
            if id(line) in fresh:
                fresh.remove(id(line))
                if bytes(memoryview(data)[:2]) == TLS_HANDSHAKE:
                    self._seen["tls"] += 1
            sent = send_some(line, data)
            self._seen["tx"] += sent
            return sent

        def watched_recv(line, size):
            data = recv(line, size)
            self._seen["rx"] += len(data)
            return data

        kind.connect = watched_connect
        kind._send_some = watched_send
        kind.recv = watched_recv
