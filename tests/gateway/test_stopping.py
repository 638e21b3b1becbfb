# SPDX-License-Identifier: MIT
"""A service ends when it is told to, at whatever moment the word comes."""

import os
import signal
from collections.abc import Iterator

import pytest

from kahriz_alarms.service.stopping import stop_at_signal

PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_word_is_heard_while_the_loop_holds_the_events_lock(number: int) -> None:
    stop = stop_at_signal()
    with stop._cond:  # where `stop.wait()` stands for a moment, again and again
        os.kill(os.getpid(), number)
        signal.sigtimedwait([], 0.05)  # let the handler run here and not after the lock
    assert stop.wait(PATIENCE_S)
