# SPDX-License-Identifier: MIT
"""An intake that the broker cannot reach any more: it ends, for a new start is the only mend."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.service.notify import Notifier
from kahriz_gateway import notify_sign
from kahriz_gateway.intake.intake import Intake
from kahriz_gateway.intake.pulse import DeafError, Pulse
from kahriz_gateway.mqtt import Arrival, Door
from kahriz_sim.services import Broker

from .conftest import SITE, TestClock, wait_for


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
