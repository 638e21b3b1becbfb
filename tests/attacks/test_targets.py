# SPDX-License-Identifier: MIT
"""What `make fuzz` begins with, and whatever it has ever found, goes through its target."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.attacks import targets


@pytest.mark.parametrize("name", targets.TARGETS)
def test_every_seed_and_every_old_finding_goes_through(name: str) -> None:
    seeds = targets.seeds(name)
    assert len(seeds) > 10
    for seed in seeds:
        targets.TARGETS[name](seed)


def test_every_finding_has_a_target_that_tries_it() -> None:
    kept = {path.name for path in targets.FOUND.iterdir()} if targets.FOUND.is_dir() else set()
    assert kept <= set(targets.TARGETS)


def test_the_program_says_what_it_lacks_or_what_it_aims_at() -> None:
    words = [sys.executable, "-m", "tests.attacks.fuzz", "--list"]
    done = subprocess.run(words, cwd=targets.ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 3:
        assert "uv sync --group fuzz" in done.stderr
    else:
        assert done.stdout.split() == list(targets.TARGETS)
