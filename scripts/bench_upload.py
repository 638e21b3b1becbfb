# SPDX-License-Identifier: MIT
"""One upload over a slow link: ours beside umqtt.simple, in turn, on the same broker and machine.

Both run on the same MicroPython and hand over the same ten readings by QoS 1. Ours holds a whole
session: hello, the readings in one message, the gateway's receipt from its disk, `sleep`. umqtt is
given them as its examples do, a message each, and then all in one message, which is the least that
it can do; it asks for no receipt. Time is taken on the link, from the connection to its end.

umqtt.simple is MicroPython's own, from PyPI. pip refuses the archive (no setup.py in it), so it is
fetched by its address, held against its sum, and unpacked; it is kept in build/bench.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

from scripts.bench_report import Figure, Report
from scripts.bench_rig import Rig, rig
from scripts.bench_site import FIRST_MS, SITE
from tests.campaigns.slow_link import SlowLink
from tests.node.nodes import Node

MICROPYTHON = Path(sys.executable).with_name("micropython")
NAME = "micropython-umqtt.simple-1.3.4"
URL = (
    "https://files.pythonhosted.org/packages/bd/cf/"
    f"697e3418b2f44222b3e848078b1e33ee76aedca9b6c2430ca1b1aec1ce1d/{NAME}.tar.gz"
)
SHA256 = "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f"
MEMBER = f"{NAME}/umqtt/simple.py"
FETCH_S = 20
ROUND_MS = 5.0
READINGS = 10
GOAL_MS = 30.0
NODE = "n000"
PATIENCE = {"deadline_ms": 60_000, "quiet_ms": 30_000}  # a loaded machine is slow, not broken

UMQTT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from umqtt.simple import MQTTClient
while True:
    line = sys.stdin.readline()
    if not line:
        break
    port, topic, bodies = json.loads(line)
    client = MQTTClient("bench-umqtt", "127.0.0.1", port)
    client.connect()
    for body in bodies:
        client.publish(topic, body, qos=1)
    client.disconnect()
    print("done")
"""


class Umqtt:
    """A MicroPython that publishes with umqtt.simple, as often as it is told to."""

    def __init__(self, folder: Path) -> None:
        program = folder / "bench.py"
        program.write_text(UMQTT, encoding="utf-8")
        self._process = subprocess.Popen(
            [MICROPYTHON, program, folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def publish(self, port: int, topic: str, bodies: list[str]) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([port, topic, bodies]) + "\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "done\n":
            raise RuntimeError("umqtt.simple broke off")

    def close(self) -> None:
        self._process.communicate()  # the end of its input is the end of it


def fetched(build: Path) -> Path:
    """The folder in which umqtt/simple.py is, as it stands in the archive."""
    archive = build / f"{NAME}.tar.gz"
    if archive.exists():
        data = archive.read_bytes()
    else:
        with urllib.request.urlopen(URL, timeout=FETCH_S) as answer:
            data = answer.read()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{archive.name} has the sum {found}, not {SHA256}: delete {archive}")
    build.mkdir(parents=True, exist_ok=True)
    beside = archive.with_name(f"{archive.name}.{os.getpid()}")
    beside.write_bytes(data)
    beside.replace(archive)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        source = tar.extractfile(MEMBER)
        assert source is not None
        text = source.read()
    place = build / NAME / "umqtt" / "simple.py"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text)
    return build / NAME


def uploads(report: Report, build: Path, rounds: int) -> None:
    """Ten readings by each in turn; without the archive only ours is measured, and that is said."""
    build.mkdir(parents=True, exist_ok=True)
    umqtt = None
    try:
        umqtt = Umqtt(fetched(build))
    except OSError as error:
        report.leave_out(f"umqtt.simple: {NAME} could not be fetched from PyPI ({error})")
    try:
        with (
            tempfile.TemporaryDirectory(dir=build) as folder,
            rig(Path(folder), 1, influx=False, python=sys.executable) as each,
        ):
            each.start_intake()
            _in_turn(report, each, umqtt, rounds)
    finally:
        if umqtt is not None:
            umqtt.close()


def _in_turn(report: Report, each: Rig, umqtt: Umqtt | None, rounds: int) -> None:
    node = Node("micropython")
    link = SlowLink(each.broker.port, ROUND_MS)
    rows = [_row(n) for n in range(1, READINGS + 1)]
    topic = "bench/umqtt"  # ten readings of somebody whom our intake does not listen to
    ours, single, joined = [], [], []
    try:
        for _ in range(rounds):
            outcome = node.order(
                link.port, rows=READINGS, batch=READINGS, site=SITE, node=NODE, **PATIENCE
            )
            if not outcome["answered"] or outcome["open"]:
                raise RuntimeError(f"no receipt: {outcome}")
            ours.append(_taken(link))
            if umqtt is not None:
                umqtt.publish(link.port, topic, rows)
                single.append(_taken(link))
                umqtt.publish(link.port, topic, [f"[{','.join(rows)}]"])
                joined.append(_taken(link))
    finally:
        node.close()
        link.close()
    what = f"{READINGS} readings over a round trip of {ROUND_MS:g} ms"
    name = f"{what}: ours, until the receipt from disk is in and all is said"
    report.add(Figure(name, ours, "ms", f"≤ {GOAL_MS:g}", most=GOAL_MS))
    for how, values in (("a message a reading", single), ("all in one message", joined)):
        if values:
            report.add(Figure(f"… umqtt.simple 1.3.4, {how}", values, "ms"))
            pairs = [ours_ms / ms for ours_ms, ms in zip(ours, values, strict=True)]
            report.add(Figure(f"… ours / umqtt.simple, {how}", pairs, "×"))


def _taken(link: SlowLink) -> float:
    """What the last connection took, with the round trip of TCP's own handshake."""
    return link.took_ms() + ROUND_MS


def _row(n: int) -> str:
    """A reading as the node writes it."""
    return (
        f'{{"ts":{FIRST_MS + 300_000 * n},"n":{n},"q":1,"air_c":{21 + n / 100:.2f},'
        f'"weir_distance_m":{0.65 + n / 10000:.4f},"weir_spread_m":0.0012,"weir_echoes":15}}'
    )
