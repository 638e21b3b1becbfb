# SPDX-License-Identifier: MIT
"""Sends a recorded series through the whole chain, as a node sends its backlog."""

import contextlib
import secrets
import struct
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from kahriz_node import uplink
from kahriz_sim import kept
from kahriz_sim.chain import Chain
from kahriz_sim.demo_screen import Screen
from kahriz_sim.link import Net
from kahriz_sim.play_series import NODE, Recording, Series, Site, read_series, read_site
from kahriz_sim.services import ServiceError, claim_page

SESSION_MS = 20_000  # one deadline a session, as on the node; a long backlog takes several
TRIES = 20  # sessions without progress before it is given up
DRAIN_S = 600.0  # the village interprets after the store; years take a while
DAY_MS = 86_400_000


@dataclass(frozen=True)
class PlayOptions:
    """What the command line chose."""

    readings: Path
    site: Path
    data_dir: Path | None = None
    page_address: str = "127.0.0.1:8080"
    broker: str = "auto"
    no_influx: bool = False
    serve: bool = False


@dataclass(frozen=True)
class Played:
    """What was sent and what stands in the stores."""

    rows: int
    values: int
    stored: int
    repeated: int
    interpreted: int
    flagged: int
    seconds: float
    sessions: int

    def as_dict(self) -> dict[str, float]:
        return dict(vars(self))

    def in_words(self) -> str:
        return (
            f"{self.rows} readings ({self.values} values) sent in {self.seconds:.1f} s and "
            f"{self.sessions} sessions: {self.stored} stored once, {self.repeated} came again; "
            f"{self.interpreted} values shown, {self.flagged} flagged as failed"
        )


@dataclass(frozen=True)
class _Plan:
    """Whom the session talks to."""

    site: str
    node: str
    host: str
    port: int
    deadline_ms: int = SESSION_MS
    batch: int = 12
    user: str | None = None
    password: str | None = None
    tls: dict[str, str] | None = None


def send(site: Site, series: Series, journal_id: str, host: str, port: int, screen: Screen) -> int:
    """Sessions until the gateway has receipted every row; returns how many it took."""
    recording = Recording(journal_id, series, site)
    plan = _Plan(site.id, NODE, host, port)
    sessions = idle = 0
    while recording.open_ranges():
        before = recording.open_ranges()
        outcome = uplink.run(Net(), recording, plan, {})
        sessions += 1
        idle = 0 if recording.open_ranges() != before else idle + 1
        if idle > TRIES:
            why = outcome.error or "it answers, but takes no row"
            raise ServiceError(f"the gateway at {host}:{port} takes no more rows: {why}")
        if idle:
            time.sleep(0.5)
        left = sum(b - a + 1 for a, b in recording.open_ranges())
        screen.progress("sent", len(series.readings) - left, len(series.readings))
    return sessions


def run_play(options: PlayOptions, *, quiet: bool) -> Played:
    """Start broker and gateway for the recorded site, send everything, count what is stored."""
    claim_page(options.page_address)
    site = read_site(options.site)
    series = read_series(options.readings, site)
    screen = Screen(sys.stderr, quiet=quiet)
    with contextlib.ExitStack() as stack:
        folder = options.data_dir
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kahriz-play-")))
        folder = folder.resolve()
        chain = Chain(folder, screen, options.page_address)
        stack.callback(chain.stop)
        chain.start_broker(options.broker)
        chain.start_influx(wanted=not options.no_influx)
        (folder / "site.toml").write_text(site.plan_toml(), encoding="utf-8")
        (folder / "records.toml").write_text(site.records_toml(), encoding="utf-8")
        # The recorder's own time: a reading of ten years ago is old, and neither wrong nor ahead.
        (folder / "clock").write_bytes(struct.pack("<q", series.last_ms))
        day = time.strftime("%Y-%m-%d", time.gmtime(series.first_ms / 1000 - 86_400))
        chain.start_gateway(
            site.id, folder / "site.toml", folder / "records.toml",
            ["--clock-file", str(folder / "clock"), "--earliest", day],
        )  # fmt: skip
        started = time.monotonic()
        sessions = send(site, series, _journal(folder), "127.0.0.1", chain.broker_port, screen)
        seconds = time.monotonic() - started
        if not chain.drain(DRAIN_S):
            raise ServiceError(f"the village is not through yet: see {folder / 'log'}")
        played = _count(folder, series, seconds, sessions)
        if options.serve:
            screen.say(f"{played.in_words()}")
            screen.say(f"the page: http://{options.page_address} (Ctrl-C ends it)")
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
        return played


def _journal(folder: Path) -> str:
    """One journal a folder: played twice, the same rows come again and are known."""
    path = folder / "journal"
    if not path.exists():
        kept.put(path, secrets.token_hex(4))
    return path.read_text()


def _count(folder: Path, series: Series, seconds: float, sessions: int) -> Played:
    ((stored, times),) = kept.ask(
        folder / "readings.db", "SELECT count(*), coalesce(sum(times), 0) FROM reading"
    )
    ((shown, flagged),) = kept.ask(
        folder / "village.db",
        "SELECT count(*) FILTER (WHERE q < 4), count(*) FILTER (WHERE q >= 4) FROM value",
    )
    return Played(
        rows=len(series.readings),
        values=series.values,
        stored=stored,
        repeated=times - stored,
        interpreted=shown,
        flagged=flagged,
        seconds=round(seconds, 2),
        sessions=sessions,
    )
