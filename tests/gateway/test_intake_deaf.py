# SPDX-License-Identifier: MIT
"""An intake that the broker cannot reach any more ends; what else goes wrong beside it does not."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.service.notify import Notifier
from kahriz_gateway import notify_sign
from kahriz_gateway.intake.intake import Intake
from kahriz_gateway.intake.pulse import DeafError, Pulse
from kahriz_gateway.intake.store import open_store
from kahriz_gateway.mqtt import Arrival, Door
from kahriz_sim.services import Broker
from kahriz_wire.messages import Hello, decode_receipt, encode_hello

from .conftest import PATIENCE_S, SITE, TestClock, wait_for
from .test_intake_trouble import JOURNAL, Bench


def fails(arrival: Arrival) -> None:
    """What no message should ever do to us."""
    raise ZeroDivisionError(arrival.topic)


@pytest.fixture
def door(mosquitto: Broker) -> Iterator[Door]:
    made = Door("deaf", "127.0.0.1", mosquitto.port, ["deaf/#"], fails)
    made.start()
    yield made
    made.stop()


@pytest.mark.needs("mosquitto")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_intake_whose_ear_has_died_says_so_and_ends(door: Door, tmp_path: Path) -> None:
    intake = Intake(tmp_path / "readings.db", SITE, lambda node: True, TestClock())
    pulse = Pulse(tmp_path, intake, door, TestClock(), Notifier({}))
    wait_for(lambda: door.subscribed.is_set(), "the broker has let us in")
    pulse()
    assert (notify_sign.read(tmp_path, "intake") or {})["state"] == "online"
    door.publish("deaf/word", b"x", qos=1)
    wait_for(lambda: not door.working, "the broker's thread has ended")
    with pytest.raises(DeafError, match="thread has ended"):
        intake.run(door, threading.Event(), pulse)
    pulse.stopped()
    assert (notify_sign.read(tmp_path, "intake") or {})["state"] == "stopped"


def test_to_hang_up_on_a_broker_that_was_quicker_is_no_fault() -> None:
    busy, go_on = threading.Event(), threading.Event()

    def keeps(arrival: Arrival) -> None:
        busy.set()
        go_on.wait(PATIENCE_S)  # meanwhile paho cannot see that the connection is gone

    with socket.create_server(("127.0.0.1", 0)) as server:
        door = Door("quicker", "127.0.0.1", server.getsockname()[1], ["a/#"], keeps)
        door.start()
        broker = server.accept()[0]
        assert broker.recv(1024)
        broker.sendall(b"\x20\x02\x00\x00")  # CONNACK
        subscribe = broker.recv(1024)
        broker.sendall(b"\x90\x03" + subscribe[2:4] + b"\x01")  # SUBACK
        broker.sendall(b"\x30\x06\x00\x03a/bx")
        assert busy.wait(PATIENCE_S)
        broker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        broker.close()  # with a reset
        door.call_again()
        go_on.set()
    door.stop()


def test_what_cannot_be_noted_stops_no_storing(tmp_path: Path) -> None:
    path = tmp_path / "readings.db"
    bench = Bench(path)
    with contextlib.closing(open_store(path, SITE)) as conn:
        conn.execute(
            "CREATE TRIGGER full BEFORE INSERT ON notice BEGIN SELECT raise(FAIL, 'full'); END"
        )
    bench.intake.status_heard(b'{"run":"%s"}' % bench.intake.announcement.online[-10:-2])
    bench.intake.status_heard(b'{"run":"other","store":"c41d0001"}')
    bench.thread.start()
    for s in ("5be1c07a", "5be1c07b"):
        bench.arrive("hello", encode_hello(Hello(s, JOURNAL, 1, 13)))
        assert decode_receipt(bench.ear.said.get(timeout=PATIENCE_S)[1]).s == s
    assert bench.intake.rival is not None
    bench.end()
