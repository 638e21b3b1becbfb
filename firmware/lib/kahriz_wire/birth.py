# SPDX-License-Identifier: MIT
"""Birth (who I am, retained) and status (asleep, or gone without a word)."""

from kahriz_wire import checks, outgoing, words
from kahriz_wire.errors import WireError

MOST_BYTES = 4096
CHANNELS_MOST = 16
STATUS = ("online", outgoing.SLEEP.decode(), outgoing.OFFLINE.decode())


class Birth:
    """A node's certificate: firmware, rhythm and channels with their drivers."""

    def __init__(
        self,
        rev: int,
        fw: str,
        hw: str,
        dt_s: int,
        batch: int,
        channels: "dict[str, dict[str, object]]",
    ) -> None:
        self.rev = rev
        self.fw = fw
        self.hw = hw
        self.dt_s = dt_s
        self.batch = batch
        self.channels = channels
        self.cfg: int | None = None


def encode_birth(birth: Birth) -> bytes:
    """A birth as bytes."""
    return outgoing.birth(
        birth.rev, birth.fw, birth.hw, birth.dt_s, birth.batch, birth.cfg, birth.channels
    )


def decode_birth(payload: object) -> Birth:
    """A birth of contract version 1."""
    body = checks.table(checks.load(payload, MOST_BYTES, "birth"), "birth")
    checks.whole(checks.needed(body, "v", "birth"), 1, 1, "birth.v")
    channels: dict[str, dict[str, object]] = {}
    given = checks.table(checks.needed(body, "channels", "birth"), "birth.channels")
    if len(given) > CHANNELS_MOST:
        raise WireError("birth.channels", f"at most {CHANNELS_MOST}")
    for name, one in given.items():
        words.word(name, "birth.channels, a name")
        channels[name] = checks.table(one, "birth.channels." + name)
    birth = Birth(
        checks.whole(checks.needed(body, "rev", "birth"), 0, checks.N_MOST, "birth.rev"),
        words.text(checks.needed(body, "fw", "birth"), 64, "birth.fw"),
        words.text(checks.needed(body, "hw", "birth"), 64, "birth.hw"),
        checks.whole(checks.needed(body, "dt_s", "birth"), 1, 86400, "birth.dt_s"),
        checks.whole(checks.needed(body, "batch", "birth"), 1, 10000, "birth.batch"),
        channels,
    )
    birth.cfg = checks.maybe_whole(body, "cfg", 0, checks.N_MOST, "birth")
    return birth


def encode_status(status: str) -> bytes:
    """A status as bytes: plain text."""
    if status not in STATUS:
        raise WireError("status", "expected one of " + ", ".join(STATUS))
    return status.encode()


def decode_status(payload: object) -> str:
    """A status; never an alarm by itself."""
    for status in STATUS:
        if payload == status.encode():
            return status
    raise WireError("status", "expected one of " + ", ".join(STATUS))
