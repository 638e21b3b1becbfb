# SPDX-License-Identifier: MIT
"""One run of the demo: starts every program, lets the water flow, counts what came of it."""

import contextlib
import json
import shutil
import signal
import sys
import tempfile
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from kahriz_sim import kept
from kahriz_sim.audit import Audit, audit
from kahriz_sim.demo_options import SCENARIOS_DIR, DemoError, DemoOptions
from kahriz_sim.demo_parts import Parts
from kahriz_sim.demo_screen import Screen
from kahriz_sim.services import ServiceError, claim_page
from kahriz_sim.services_pulse import Pulse, running
from kahriz_sim.world import World

DAY_MS = 86_400_000
DRAIN_S = 60.0  # the village may be a few thousand rows behind when life ends
LEARN_DAYS = 3.0  # the balance of a reach says nothing before (kahriz_detect.reach.balance)
STEP_MS = 300_000  # the screen looks up after each step of the history


@dataclass(frozen=True)
class Result:
    """What was measured, what arrived, what rang."""

    counts: Audit
    alarms: list[dict[str, object]]

    def as_dict(self) -> dict[str, object]:
        c = self.counts
        return {
            "measured": c.measured,
            "stored": c.stored,
            "pending": c.pending,
            "missing": c.missing,
            "duplicates": c.duplicates,
            "redelivered": c.redelivered,
            "cut_short": c.cut_short,
            "alarms": self.alarms,
        }

    def in_words(self) -> str:
        c = self.counts
        lines = [
            f"{c.measured} readings measured, {c.stored} stored, {c.pending} still in the nodes,",
            f"{c.missing} missing, {c.duplicates} doubled, {c.redelivered} delivered again.",
        ]
        for alarm in self.alarms:
            litres = "" if alarm["lps"] is None else f", {alarm['lps']} L/s"
            lines.append(f"alarm: {alarm['kind']} at {alarm['place']}{litres}")
        return "\n".join(lines)


def _folder(options: DemoOptions) -> tuple[Path, bool]:
    """Where this run lives, and whether it goes away at the end."""
    if options.data_dir is None and options.duration is not None:
        return Path(tempfile.mkdtemp(prefix="kahriz-demo-")), True
    folder = options.data_dir or Path("demo-data") / options.site
    try:
        if options.fresh and (folder / "demo.json").exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".writable").touch()
        (folder / ".writable").unlink()
    except OSError as error:
        raise DemoError(
            f"cannot write {folder} ({error.strerror}): choose another folder with --data"
        ) from None
    return folder.resolve(), False


def _settings(folder: Path, options: DemoOptions) -> dict[str, object]:
    """Choose what must stay the same when a run is gone on with; the first run decides it."""
    path = folder / "demo.json"
    chosen: dict[str, object] = {
        "site": options.site,
        "scenario": options.scenario,
        "seed": options.seed,
        "reach": options.reach,
        "leak_lps": options.leak_lps,
        "leak_after_s": options.leak_after,
    }
    if path.exists():
        before: dict[str, object] = json.loads(path.read_text())
        other = sorted(k for k in chosen if before.get(k) != chosen[k])
        if other:
            raise DemoError(
                f"{folder} holds a run with another {', '.join(other)}: go on with the same, "
                "or add --fresh to begin anew, or choose another folder with --data"
            )
        return before
    life_ms = options.begins_ms()
    chosen["life_ms"] = life_ms
    chosen["start_ms"] = life_ms - int(options.history_days * DAY_MS)
    kept.put(path, json.dumps(chosen))
    return chosen


def audit_only(options: DemoOptions) -> Result:
    """Count what an earlier run left, with nothing running."""
    folder = options.data_dir or Path("demo-data") / options.site
    if not (folder / "world.jsonl").exists():
        raise DemoError(f"no run was kept in {folder}: name its folder with --data")
    if running(folder):
        raise DemoError(
            f"a run is still going on in {folder}: end it with Ctrl-C, it counts by itself then;"
            " now, readings on their way would look missing"
        )
    return Result(audit(folder), alarms_of(folder))


def alarms_of(folder: Path) -> list[dict[str, object]]:
    """Each alarm of the store, with how long after the loss began the gateway could tell of it."""
    rows = kept.ask(folder / "village.db", "SELECT kind, place, lps, stored FROM alarm ORDER BY id")
    began = [
        (event["t"], event["reach"])
        for event in map(json.loads, (folder / "world.jsonl").read_text().splitlines())
        if event.get("event") == "leak"
    ]
    alarms = []
    for kind, place, lps, told in rows:
        starts = [t for t, reach in began if reach == place and t <= told]
        alarms.append(
            {
                "kind": kind,
                "place": place,
                "lps": None if lps is None else round(lps, 2),
                "raised_after_s": round((told - max(starts)) / 1000) if starts else None,
            }
        )
    return alarms


class _Stop:
    """Ctrl-C or SIGTERM: asked once it ends in order, asked again it is not held up."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked.is_set():
            signal.signal(number, signal.SIG_IGN)
        self.asked.set()


def run_demo(options: DemoOptions, *, quiet: bool) -> Result:
    """Run until the duration ends or somebody presses Ctrl-C; every node uploads once more."""
    try:
        claim_page(options.page_address)
    except ServiceError as error:
        raise DemoError(str(error)) from None
    folder, passing = _folder(options)
    settings = _settings(folder, options)
    screen = Screen(sys.stderr, quiet=quiet)
    stop = _Stop()
    parts: Parts | None = None
    try:
        world = World(
            options.site_dir,
            SCENARIOS_DIR / f"{options.scenario}.toml",
            options.seed,
            int(str(settings["start_ms"])),
            folder,
            options.speed,
            origin_ms=int(str(settings["life_ms"])),
        )
        parts = Parts(options, folder, world, screen)
        parts.start()
        if world.resumed:
            screen.go_on(world.now_ms, parts.alarms())
        _doubt(options, settings, screen)
        pulse = Pulse(folder)
        pulse.begun_anew()
        _live(options, settings, world, parts, screen, stop, pulse)
        parts.keeper.let_end("node-")
        world.finish()
        if not parts.drain(DRAIN_S):
            screen.say("the village did not come to the end of the readings in time")
        tell_restarts(pulse, screen)  # what died late may have taken its time to come back
        parts.stop()
        return Result(audit(folder), alarms_of(folder))
    except ServiceError as error:
        raise DemoError(str(error)) from None
    finally:
        if parts:
            parts.stop()
        if passing:
            shutil.rmtree(folder, ignore_errors=True)


def _doubt(options: DemoOptions, settings: dict[str, object], screen: Screen) -> None:
    """Say beforehand why a leak that was asked for will not ring."""
    if options.scenario != "leak":
        return
    days = (int(str(settings["life_ms"])) - int(str(settings["start_ms"]))) / DAY_MS
    if days < LEARN_DAYS:
        screen.say(
            f"no leak can ring at first: the detector learns the usual loss for {LEARN_DAYS:g} "
            f"days, and --history-days {days:g} are fewer"
        )
    if options.duration is not None and options.duration <= options.leak_after:
        screen.say(
            f"no leak comes: --duration {options.duration:g} ends before "
            f"--leak-after {options.leak_after:g}"
        )


def _live(
    options: DemoOptions,
    settings: dict[str, object],
    world: World,
    parts: Parts,
    screen: Screen,
    stop: _Stop,
    pulse: Pulse,
) -> None:
    life_ms = int(str(settings["life_ms"]))
    if options.scenario == "leak":
        begins_ms = life_ms + int(options.leak_after * options.speed * 1000)
        world.add_leak(options.reach, options.leak_lps, begins_ms)
    address = f"http://{options.page_address}"
    screen.say(f"the page: {address}   (committee's PIN: {parts.pin_file.read_text().strip()})")
    while world.now_ms < life_ms and not stop.asked.is_set():
        world.run_until(min(life_ms, world.now_ms + STEP_MS * 12), paced=False)
        tell_restarts(pulse, screen)
        screen.history(world.now_ms, int(str(settings["start_ms"])), life_ms)
    screen.say(f"life begins: {options.speed:g} seconds of the kahriz in one of yours")
    if not options.no_browser:
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(address)
    end_ms = None
    if options.duration is not None:
        end_ms = max(world.now_ms, life_ms) + int(options.duration * options.speed * 1000)
    while not stop.asked.is_set() and (end_ms is None or world.now_ms < end_ms):
        step = world.now_ms + int(options.speed * 1000)  # about a second of ours
        world.run_until(step if end_ms is None else min(step, end_ms), paced=True)
        tell_restarts(pulse, screen)
        screen.life(world.now_ms, parts.stored(), parts.alarms())


def tell_restarts(pulse: Pulse, screen: Screen) -> None:
    """What `kahriz gateway run` has started again, in the words of the demo's own keeper."""
    for service in pulse.begun_anew():
        screen.say(f"{service} died and is started again")
