# SPDX-License-Identifier: MIT
"""server/influxdb/map-bucket.sh makes the second bucket and maps both."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_both_buckets_are_made_and_mapped(tmp_path: Path) -> None:
    """The program `influx` is a stand-in that writes down what it is asked."""
    said = tmp_path / "said"
    program = tmp_path / "influx"
    listing = 'printf "0b1d\\tkahriz_1h\\n"'
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {said}\nif [ "$1" = bucket ]; then {listing}; fi\n'
    )
    program.chmod(0o755)
    given = {"ORG": "office", "ADMIN_TOKEN": "secret", "BUCKET": "kahriz", "BUCKET_ID": "0a0a"}
    environment = {f"DOCKER_INFLUXDB_INIT_{key}": value for key, value in given.items()}
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(
        ["sh", str(ROOT / "server" / "influxdb" / "map-bucket.sh")],
        env={**environment, "PATH": path},
        check=True,
    )
    first, made, second = said.read_text().splitlines()
    assert "--db kahriz --rp autogen --default --bucket-id 0a0a --org office" in first
    assert "bucket create --name kahriz_1h --retention 0" in made
    assert "--db kahriz_1h --rp autogen --default --bucket-id 0b1d" in second
