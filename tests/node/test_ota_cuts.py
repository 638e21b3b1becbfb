# SPDX-License-Identifier: MIT
"""The power goes at every flash operation of an update: the old program or the new, whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from kahriz_tools.release import pack

from .test_power_cuts import MODES, Day, program, recorded

BLOCKS = 64
PARTS = 4


def files(version: int) -> dict[str, bytes]:
    """A small program: three modules of two packages."""
    return {
        f"{name}.mpy": b"M\x06" + bytes([version]) * size
        for name, size in (
            ("kahriz_node/__init__", 40),
            ("kahriz_node/node", 5000),
            ("kahriz_wire/a", 700),
        )
    }


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> tuple[Day, dict[str, Any]]:
    """The update, lived once with every operation recorded."""
    folder = tmp_path_factory.mktemp("ota")
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    (folder / "r").write_bytes(pack(key, files(2), "0.0.0.2").data)
    (folder / "r.old").write_bytes(pack(key, files(1), "0.0.0.1").data)
    (folder / "r.key").write_text(f"{key.public_key().public_numbers().n:x}\n")
    log = folder / "operations"
    told = json.loads(program("ota_life.py", str(log), str(folder / "r")))
    return recorded(log, []), told


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_cut_leaves_the_old_program_or_the_new_one_whole(
    life: tuple[Day, dict[str, Any]], part: int, mode: str, tmp_path: Path
) -> None:
    day, told = life
    for done in range(part, len(day.operations), PARTS):
        image = tmp_path / "image"
        image.write_bytes(day.image(done, mode))
        said = json.loads(program("ota_check.py", str(image), str(BLOCKS)))
        what = f"{mode} cut at operation {done} of {told}: {said}"
        assert said["runs"] in ("0.0.0.1", "0.0.0.2"), what
        assert said["later"] == said["after"] == "0.0.0.2", what
        assert said["dt_s"] in (300, 600), what
        assert said["refused"] in (7, 9), what
        if done >= told["proven"]:
            assert (said["runs"], said["state"]) == ("0.0.0.2", "g"), what
        elif done < told["switched"] // 2:
            assert said["runs"] == "0.0.0.1", what


def test_the_update_is_lived_to_its_end(life: tuple[Day, dict[str, Any]]) -> None:
    day, told = life
    assert 0 < told["switched"] < told["proven"] < told["operations"] == len(day.operations)
