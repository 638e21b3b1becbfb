# SPDX-License-Identifier: MIT
"""Replays the sites of a set as a user would and lets the set's own scorer judge the alarms."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
RULES = {  # the scorer's defaults
    "grace_hours": 0.0,
    "repeat_hours": 24.0,
    "max_delay_days": 30.0,
    "max_delay_abrupt_days": 3.0,
    "chance": 200,
}


# `kahriz` that says at its end how large it was: rusage would count us, its parent, too.
KAHRIZ = """
import atexit, kahriz.cli
def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            print(line.split()[1])
atexit.register(peak)
kahriz.cli.main()
"""


class ScoreError(RuntimeError):
    """A set cannot be scored; one line with the mend."""


@dataclass
class Played:
    """A site after its replay: what the scorer counted, and what the replay cost."""

    name: str
    counted: dict[str, Any]
    seconds: float
    peak_mb: float
    alarms: list[str] = field(default_factory=list)

    @property
    def s_per_million(self) -> float:
        return self.seconds / max(1, int(self.counted["readings"])) * 1e6


def scorer(path: Path) -> Any:
    """The scorer that lies beside the sets, as a module."""
    spec = importlib.util.spec_from_file_location("score_alarms", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ScoreError(f"{path}: expected the scorer; say --train FOLDER")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sites(folder: Path) -> list[Path]:
    return sorted(p.parent for p in folder.glob("*/events.csv"))


def play(site: Path, alarms: Path, judge: Any) -> Played:
    """`kahriz replay` in a process of its own: its time and memory are counted too."""
    readings = site / "readings.csv.gz"
    seconds, peak_mb = _replay(site, readings, alarms)
    counted = judge.score_site(
        str(readings),
        str(site / "events.csv"),
        str(alarms),
        Namespace(**RULES),
        site.name,
    )
    lines = alarms.read_text(encoding="utf-8").splitlines()[1:]
    return Played(site.name, counted, seconds, peak_mb, lines)


def _replay(site: Path, readings: Path, alarms: Path) -> tuple[float, float]:
    """CPU seconds and peak in MB of a program that is compiled, as an installed one is."""
    plan = site / "site.json"
    if not plan.is_file():
        plan = site / "site.toml"
    command = [sys.executable, "-c", KAHRIZ, "replay", "--site", str(plan)]
    command += ["--readings", str(readings), "--alarms", str(alarms)]
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(REPO / "build" / "score" / "bytecode")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    with subprocess.Popen(
        command, cwd=REPO, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ScoreError(f"{site.name}: {said.strip()}")
    return usage.ru_utime + usage.ru_stime, int(said.split()[-1]) / 1024


def play_all(folder: Path, out: Path, judge: Any, jobs: int, only: str | None) -> list[Played]:
    """Every site of a set, at most `jobs` at a time."""
    out.mkdir(parents=True, exist_ok=True)
    chosen = [s for s in sites(folder) if only is None or s.name == only]
    with tempfile.TemporaryDirectory() as folder_name:
        nothing = Path(folder_name, "nothing.csv")
        nothing.write_text("time,sensor,quantity,value\n", encoding="utf-8")
        for site in chosen[:1]:  # compiles the program
            _replay(site, nothing, nothing.with_name("alarms.csv"))
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda s: play(s, out / f"{s.name}.csv", judge), chosen))


def figures(judge: Any, played: list[Played]) -> dict[str, Any]:
    """The numbers of a set that are kept: counts and delays, none of the data."""
    summary = judge.summarise(judge.merge([p.counted for p in played]))
    kept = ("found", "total", "chance_found", "false_per_year", "repeats", "place_right")
    return {
        group: {name: part[name] for name in kept}
        | {"median_delay_h": part["median_delay_h"], "p90_delay_h": part["p90_delay_h"]}
        for group, part in summary["groups"].items()
    }


def load_last(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
