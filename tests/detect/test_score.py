# SPDX-License-Identifier: MIT
"""A floor under the score on recorded sites that lie beside the repository, where they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import score_sets

TRAIN = Path(__file__).parents[3] / "shared" / "train"
FLOORS = {  # one site a set: found at least, false alarms at most
    ("kahriz/s02", "loss"): (6, 1),
    ("kahriz/s02", "source"): (2, 0),
    ("kahriz/s02", "fault"): (3, 0),
    ("dma_real/dma07", "loss"): (6, 3),
}

pytestmark = pytest.mark.skipif(
    not (TRAIN / "score_alarms.py").is_file(),
    reason=f"no ../shared beside this checkout: the labelled sets are not at {TRAIN}",
)


Play = Callable[[str], score_sets.Played]


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Each site once."""
    done: dict[str, score_sets.Played] = {}

    def played(site: str) -> score_sets.Played:
        if site not in done:
            out = tmp_path_factory.mktemp("alarms") / "alarms.csv"
            judge = score_sets.scorer(TRAIN / "score_alarms.py")
            done[site] = score_sets.play(TRAIN / site, out, judge)
        return done[site]

    return played


@pytest.mark.parametrize(("site", "group"), sorted(FLOORS))
def test_the_score_does_not_fall_below_its_floor(play: Play, site: str, group: str) -> None:
    played = play(site)
    rows = [r for r in played.counted["rows"] if r["group"] == group]
    found, false = FLOORS[site, group]
    assert sum(r["found"] for r in rows) >= found
    assert played.counted["false"][group] <= false
    assert sum(r["found"] for r in rows) > played.counted["chance"][group]


def test_a_replay_is_small(play: Play) -> None:
    assert play("kahriz/s02").peak_mb <= 50
