# SPDX-License-Identifier: MIT
"""The benchmark of `kahriz node accept` on this machine, for the model's "program" figure."""

import shutil
import subprocess
import sys
from pathlib import Path

from kahriz_tools.accept_code import BENCH, BENCH_ROWS
from kahriz_tools.errors import BenchError

MISSING = 3
TIMES = 10  # this machine is so fast that so many rounds are timed
LIMIT_S = 120


def here_ms() -> float:
    """What BENCH_ROWS rows take here, under the same MicroPython as the model's nodes."""
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if found is None:
        raise BenchError("there is no micropython here", "run `make setup`", MISSING)
    code = BENCH + f"\nprint(min(_bench({BENCH_ROWS * TIMES}) for _ in range(3)))"
    done = subprocess.run(
        [found, "-c", code], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    if done.returncode:
        raise BenchError("the benchmark fails here", done.stderr.strip()[-200:], MISSING)
    return float(done.stdout) / TIMES
