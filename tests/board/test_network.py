# SPDX-License-Identifier: MIT
"""Radio and sockets: every trap of the chip that passes on a host is sprung here."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kahriz_sim.services import free_port

OnChip = Callable[..., Any]
Bench = Any

JOIN = """
import network, socket, errno, select, time
wlan = network.WLAN(network.STA_IF)
wlan.active(True)
wlan.connect("kahriz", "secret")
start = time.ticks_ms()
while not wlan.isconnected() and time.ticks_diff(time.ticks_ms(), start) < 20000:
    time.sleep_ms(20)
took_ms = time.ticks_diff(time.ticks_ms(), start)
def failure(function, *arguments):
    try:
        return function(*arguments)
    except OSError as error:
        return error.errno
def connected(port):
    s = socket.socket()
    s.setblocking(False)
    failure(s.connect, ("127.0.0.1", port))
    poll = select.poll()
    poll.register(s, select.POLLOUT)
    poll.poll(1000)
    return s
"""


class Peer:
    """A host that accepts and then says what it is told, when it is told."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.got = bytearray()
        self.said: list[tuple[float, bytes]] = []
        self.threads: list[threading.Thread] = []

    def say(self, *said: tuple[float, bytes]) -> "Peer":
        self.said = list(said)
        self.threads.append(threading.Thread(target=self._serve, daemon=True))
        self.threads[-1].start()
        return self

    def _serve(self) -> None:
        try:
            line, _ = self.listener.accept()
        except OSError:
            return
        with line:
            for wait_s, data in self.said:
                time.sleep(wait_s)
                line.sendall(data)
            while data := line.recv(65536):
                self.got += data

    def close(self) -> None:
        self.listener.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


def test_association_takes_the_time_the_world_says(on_chip: OnChip) -> None:
    slow = {"up": True, "rssi": -67, "assoc_ms": 9000}
    took_ms, rssi = on_chip(JOIN + "say([took_ms, wlan.status('rssi')])", radio=slow)
    assert 8980 <= took_ms <= 11_000
    assert rssi == -67


def test_a_dead_access_point_never_connects(on_chip: OnChip) -> None:
    away = {"up": False, "rssi": None, "assoc_ms": 8000}
    lines = JOIN + "say([wlan.isconnected(), wlan.status() == network.STAT_NO_AP_FOUND])"
    assert on_chip(lines, radio=away) == [False, True]


def test_a_wrong_network_name_never_connects(on_chip: OnChip) -> None:
    assert on_chip(JOIN.replace('"kahriz"', '"other"') + "say(wlan.isconnected())") is False


def test_an_association_left_open_over_deep_sleep_makes_the_next_one_slow(bench: Bench) -> None:
    # Home Assistant reports of 6-15 s; 1 s when the node left the access point first
    causes = ["deepsleep"]
    leave = "\nwlan.disconnect(); wlan.active(False)\n"
    left_open = bench.run(JOIN + "say(took_ms)", bench.world(causes=causes))
    assert left_open[0] < 3000
    assert left_open[1] > 6000
    closed = bench.run(JOIN + "say(took_ms)" + leave, bench.world(causes=causes))
    assert max(closed) < 3000


def test_there_is_no_network_before_the_association(on_chip: OnChip) -> None:
    lines = """
import errno, socket
look_up = lambda: socket.getaddrinfo("127.0.0.1", 1883)
connect = lambda: socket.socket().connect(("127.0.0.1", 9))
for call in (look_up, connect):
    try:
        call()
    except OSError as error:
        say(error.errno)
"""
    assert on_chip(lines) == [-202, 118]  # EAI_FAIL of lwIP, EHOSTUNREACH


def test_error_numbers_are_the_chips(on_chip: OnChip) -> None:
    # micropython-esp32-esp32_generic-stubs 1.29, errno
    # getattr, because the host's compiler (not mpy-cross) folds errno.NAME into the host's number
    lines = "import errno\nnames = 'EINPROGRESS', 'ETIMEDOUT', 'EHOSTUNREACH'\n"
    lines += "say([getattr(errno, name) for name in names])\nsay(hasattr(errno, 'ENOSPC'))"
    assert on_chip(lines) == [[119, 116, 118], False]


def test_a_non_blocking_connect_is_in_progress_and_poll_tells_the_end(
    on_chip: OnChip, peer: Peer
) -> None:
    peer.say()
    lines = JOIN + (
        "s = socket.socket(); s.setblocking(False)\n"
        f"say(failure(s.connect, ('127.0.0.1', {peer.port})))\n"
        "poll = select.poll(); poll.register(s, select.POLLOUT)\n"
        "say([event for _, event in poll.poll(1000)] == [select.POLLOUT])"
    )
    assert on_chip(lines) == [119, True]


def test_a_refused_connection_shows_in_poll_and_in_the_next_write(on_chip: OnChip) -> None:
    port = free_port()
    lines = JOIN + (
        "s = socket.socket(); s.setblocking(False)\n"
        f"say(failure(s.connect, ('127.0.0.1', {port})))\n"
        "poll = select.poll(); poll.register(s, select.POLLOUT)\n"
        "say(bool(poll.poll(1000)[0][1] & (select.POLLHUP | select.POLLERR)))\n"
        "say(failure(s.write, b'x'))"
    )
    assert on_chip(lines) == [119, True, 104]


def test_a_blocking_connect_takes_ten_seconds_in_spite_of_its_timeout(on_chip: OnChip) -> None:
    # micropython issue 8326; a full backlog of a listener swallows the SYN
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        lines = JOIN + (
            "s = socket.socket(); s.settimeout(2); start = time.ticks_ms()\n"
            f"say(failure(s.connect, ('127.0.0.1', {port})))\n"
            "say(time.ticks_diff(time.ticks_ms(), start))"
        )
        error, took_ms = on_chip(lines)
        for filler in fillers:
            filler.close()
    assert error == 116
    assert took_ms >= 10_000


def test_the_read_timeout_begins_again_with_every_byte(on_chip: OnChip, peer: Peer) -> None:
    peer.say(*[(0.4, b"x")] * 6)
    lines = JOIN + (
        f"s = connected({peer.port}); s.settimeout(1.8); start = time.ticks_ms()\n"
        "say(len(s.read(6))); say(time.ticks_diff(time.ticks_ms(), start) > 1800)"
    )
    assert on_chip(lines) == [6, True]


def test_a_read_of_a_silent_peer_times_out_with_the_chips_number(
    on_chip: OnChip, peer: Peer
) -> None:
    peer.say()
    lines = JOIN + f"s = connected({peer.port}); s.settimeout(0.2); say(failure(s.read, 1))"
    assert on_chip(lines) == 116


def test_setblocking_true_removes_the_timeout_and_only_the_watchdog_helps(
    bench: Bench, peer: Peer
) -> None:
    peer.say()
    main = "import machine\nif machine.reset_cause() == 3:\n    say('bitten')\n" + "else:\n"
    body = JOIN + (
        f"machine.WDT(timeout=1500)\ns = connected({peer.port}); s.settimeout(0.2)\n"
        "s.setblocking(True)\nsay(failure(s.read, 1))\n"
    )
    main += "".join(f"    {line}\n" for line in body.splitlines())
    assert bench.run(main, bench.world(causes=["deepsleep"])) == ["bitten"]


def test_a_write_without_blocking_is_partial(on_chip: OnChip, peer: Peer) -> None:
    # lwIP: TCP_SND_BUF is 5744 bytes
    peer.say()
    lines = JOIN + f"s = connected({peer.port}); say(s.write(bytes(20000)) <= 5744)"
    assert on_chip(lines) is True


def test_a_blocking_write_arrives_whole(on_chip: OnChip, peer: Peer) -> None:
    peer.say()
    lines = JOIN + f"s = connected({peer.port}); s.settimeout(60); say(s.write(bytes(20000)))"
    assert on_chip(lines) == 20_000
    deadline = time.monotonic() + 60
    while len(peer.got) < 20_000 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(peer.got) == 20_000


def test_reading_without_blocking_gives_none_and_recv_eagain(on_chip: OnChip, peer: Peer) -> None:
    peer.say()
    lines = JOIN + f"s = connected({peer.port}); say([s.read(1), failure(s.recv, 1)])"
    assert on_chip(lines) == [None, 11]


def test_what_the_chips_socket_does_not_have_is_missing_here(on_chip: OnChip) -> None:
    # ports/esp32/modsocket.c, socket_locals_dict_table
    names = ["recv_into", "shutdown", "getsockopt", "getpeername", "detach", "__enter__", "sendmsg"]
    lines = f"import socket\ns = socket.socket()\nsay([n for n in {names} if hasattr(s, n)])\n"
    constants = ["SO_KEEPALIVE", "SO_ERROR", "SO_LINGER", "SO_SNDTIMEO", "timeout", "SHUT_RDWR"]
    assert on_chip(lines + f"say([n for n in {constants} if hasattr(socket, n)])") == [[], []]


def test_tcp_nodelay_is_an_option_and_linger_is_not(on_chip: OnChip) -> None:
    lines = JOIN + (
        "s = socket.socket()\n"
        "say(failure(s.setsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))\n"
        "say(failure(s.setsockopt, socket.SOL_SOCKET, 13, 1))"
    )
    assert on_chip(lines) == [None, 22]


def test_the_connection_dies_with_the_radio(on_chip: OnChip, peer: Peer) -> None:
    peer.say()
    lines = JOIN + f"s = connected({peer.port}); wlan.active(False); say(failure(s.read, 1))"
    assert on_chip(lines) == 113  # ECONNABORTED


def test_adc2_is_taken_by_the_radio(on_chip: OnChip) -> None:
    # docs.micropython.org, esp32 quick reference: ADC2 is used by WiFi
    lines = JOIN + "import machine\nadc = machine.ADC(machine.Pin(27)); say(failure(adc.read_uv))"
    assert on_chip(lines) == 116
