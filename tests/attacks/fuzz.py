# SPDX-License-Identifier: MIT
"""Fuzzing by coverage (atheris, libFuzzer): `make fuzz`, or

    python -m tests.attacks.fuzz up --seconds 300
    python -m tests.attacks.fuzz --list

It begins with the seeds, keeps what it learns in build/fuzz/<target>, and ends with 1 when
something came out that must not: the input lies there as `crash-…`. Mend it, and put the input
into tests/data/fuzz/<target>: `make test` tries it from then on.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "fuzz"
SHM = Path("/dev/shm")  # a store in memory spares the disk
CHILD = "KAHRIZ_FUZZ_CHILD"
LONGEST_BYTES = 8192
HANG_S = 10
PACKAGES = ["kahriz_wire", "kahriz_water", "kahriz_gateway.intake", "kahriz_gateway.orders",
            "kahriz_alarms.replies", "kahriz_alarms.credit", "kahriz_tools.bundle"]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("targets", nargs="*", help="all of them when none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--list", action="store_true", help="name the targets")
    chosen = parser.parse_args()
    try:
        import atheris
    except ImportError:
        print("fuzz: atheris is not installed: `.tools/bin/uv sync --group fuzz`", file=sys.stderr)
        return 3
    with atheris.instrument_imports(include=PACKAGES):
        from tests.attacks import targets

    names = chosen.targets or list(targets.TARGETS)
    unknown = sorted(set(names) - set(targets.TARGETS))
    if chosen.list or unknown:
        print(*targets.TARGETS, sep="\n")
        return 2 if unknown else 0
    if CHILD not in os.environ:  # libFuzzer ends its process without tidying: one for each target
        here = [sys.executable, "-m", "tests.attacks.fuzz", "--seconds", str(chosen.seconds)]
        ended = {}
        for name in names:
            with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
                environment = {**os.environ, CHILD: "yes", "TMPDIR": folder}
                ended[name] = subprocess.run([*here, name], check=False, env=environment).returncode
        for name, code in ended.items():
            print(f"fuzz {name}: {'nothing found' if code == 0 else f'FOUND ({code})'}")
        return int(any(ended.values()))

    (name,) = names
    kept = KEPT / name
    kept.mkdir(parents=True, exist_ok=True)
    for seed in targets.seeds(name):
        (kept / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    atheris.Setup(
        [
            "fuzz", str(kept), f"-max_total_time={chosen.seconds}", f"-timeout={HANG_S}",
            f"-max_len={LONGEST_BYTES}", f"-artifact_prefix={kept}/", "-rss_limit_mb=2048",
            "-print_final_stats=1", "-verbosity=0",
        ],
        targets.TARGETS[name],
    )  # fmt: skip
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
