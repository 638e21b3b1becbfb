# SPDX-License-Identifier: MIT
"""The real program on the strict board: mutual TLS from a clock at 2000, and fifteen accidents.

The chip's own milliseconds are what is held to the limits: sleeps, scans, DNS and association
count in them though they take no time here.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kahriz_tools.image import build_image
from tests.node.certs import Papers, Site
from tests.node.peer import Faults, Gateway, Peer

ROOT = Path(__file__).parents[2]
NODE = ROOT / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu" / "nodes" / "pool.json"
NOW_MS = 1_800_000_000_000  # January 2027, after the program was made
DEADLINE_MS = 2000  # of a session that fails, and then waits
PATIENT_MS = 20_000  # of one that shall be answered, however busy this machine is
SENSORS_MS = 3500  # boot, warm-up of the loop, journal
JOIN_MS = 8000
Bench = Any
Live = Callable[..., Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site"))
    site.sign("broker", ["127.0.0.1"])
    site.sign("old", ["127.0.0.1"], ends=datetime(2025, 6, 1, tzinfo=UTC))
    site.sign("pool")
    Site(site.folder, "stranger-ca")
    return site


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_image(folder)
    return folder


@pytest.fixture
def live(bench: Bench, program: Path, site: Site, tmp_path: Path) -> Iterator[Live]:
    """Some wakes of a node with certificates; returns the peer."""
    peers: list[Peer] = []

    def run(
        gateway: Gateway,
        faults: Faults | None = None,
        *,
        plain: bool = False,
        ca: str = "ca",
        broker: str = "broker",
        host: str = "127.0.0.1",
        deadline_ms: int = DEADLINE_MS,
        channel: dict[str, int] | None = None,
        **world: Any,
    ) -> Any:
        context = None if plain else site.server(Papers(site.folder, broker))
        peer = Peer(gateway, faults, context)
        peers.append(peer)
        config = json.loads(NODE.read_text())
        config["broker"] = {"host": host, "port": peer.port}
        if not plain:
            config["broker"]["tls"] = {
                "ca": "/tls/ca.der", "cert": "/tls/node.der", "key": "/tls/key.der"
            }  # fmt: skip
        config["deadline_ms"] = deadline_ms
        config["channels"]["loop"].update(channel or {})
        bench.image = tmp_path / f"image{len(peers)}"
        shutil.copytree(program, bench.image)
        files = {"ca": ca, "node": "pool", "key": "pool.key"}
        hexed = {
            f"/tls/{name}.der": (site.folder / f"{file}.der").read_bytes().hex()
            for name, file in files.items()
        }
        hexed["/config.json"] = json.dumps(config).encode().hex()
        boot = bench.image / "boot.py"
        boot.write_text(boot.read_text() + FILL.format(hexed))
        bench.last = bench.world(**world)
        bench.last.ssid = config["wifi"]["ssid"]
        bench.start(bench.last)
        peer.released.set()
        return peer

    yield run
    for peer in peers:
        peer.close()


FILL = """
import binascii, os
if "tls" not in os.listdir("/"):
    os.mkdir("/tls")
files = {!r}
for path in files:
    with open(path, "wb") as file:
        file.write(binascii.unhexlify(files[path]))
del files, file, path
"""


def awake_ms(bench: Bench) -> list[int]:
    return [request["awake_ms"] for request in bench.last.ops("sleep")]


def test_from_a_clock_at_2000_to_a_receipt_over_mutual_tls(bench: Bench, live: Live) -> None:
    gateway = Gateway(now=NOW_MS)
    peer = live(gateway, causes=["deepsleep"] * 4, deadline_ms=PATIENT_MS)
    assert not peer.complaints
    assert sorted(gateway.stored) == [1, 2, 3, 4, 5]
    assert [row.ts is None for row in gateway.stored.values()] == [True] + [False] * 4
    assert all(abs(row.ts - NOW_MS) < 3600000 for row in gateway.stored.values() if row.ts)


def test_without_lifting_the_clock_no_certificate_would_be_valid_yet(bench: Bench) -> None:
    lines = (
        "import time, machine\nfrom chip import clock\nimport mbedtls\n"
        "der = b'\\x30\\x1e\\x17\\x0d250101000000Z\\x17\\x0d350101000000Z'\n"
        "try:\n    mbedtls._dated(der, 0)\nexcept ValueError as e:\n    say(str(e).strip())\n"
        "machine.RTC().datetime((2026, 11, 23, 0, 0, 0, 0, 0)); say(mbedtls._dated(der, 0))\n"
        "machine.RTC().datetime((2036, 11, 23, 0, 0, 0, 0, 0))\n"
        "try:\n    mbedtls._dated(der, 0)\nexcept ValueError as e:\n    say(str(e).strip())\n"
    )
    lines = f"import sys; sys.path += {[str(ROOT / BOARD), str(ROOT / BOARD / 'fakes')]}\n" + lines
    said = bench.run(lines)
    assert said[0] == "The certificate validity starts in the future"
    assert said[1] == 0
    assert said[2] == "The certificate validity has expired"


BOARD = "firmware/kahriz_sim/board"
AWAY = {"up": False, "rssi": None, "assoc_ms": 8000}
UP = {"up": True, "rssi": -67, "assoc_ms": 900}
ACCIDENTS: dict[str, dict[str, Any]] = {
    "silent accept": {"faults": Faults(silent=True)},
    "lost CONNACK": {"faults": Faults(connack=None, lose_receipts=99)},
    "lost PUBACK": {"faults": Faults(lose_pubacks=True)},
    "lost receipt": {"faults": Faults(lose_receipts=99)},
    "lost FIN": {"faults": Faults(deaf=True)},
    "half-open TLS": {"faults": Faults(half_open=True)},
    "byte dribble": {"faults": Faults(dribble=True)},
    "RST": {"faults": Faults(reset_at="hello")},
    "DNS dead": {"host": "gateway.lan", "deadline_ms": 8000, "radio": UP | {"dns": False}},
    "DHCP dead": {"radio": UP | {"dhcp": False}},
    "wrong CA": {"ca": "stranger-ca"},
    "expired certificate": {"broker": "old"},
    "broker full": {"faults": Faults(connack=3)},
    "garbage": {"faults": Faults(before_receipt=b"\xff" * 64)},
    "clock jump": {"now": NOW_MS + 10 * 86400000},
    "gateway frozen": {"faults": Faults(never_stores=True)},
    "access point dead": {"radio": AWAY},
}


@pytest.mark.parametrize("what", ACCIDENTS)
def test_every_accident_ends_inside_the_deadline_and_loses_nothing(
    bench: Bench, live: Live, what: str
) -> None:
    accident = dict(ACCIDENTS[what])
    gateway = Gateway(now=accident.pop("now", NOW_MS))
    limit_ms = SENSORS_MS + JOIN_MS + accident.get("deadline_ms", DEADLINE_MS)
    live(gateway, accident.pop("faults", None), causes=[], **accident)
    assert len(awake_ms(bench)) == 1
    assert awake_ms(bench)[0] <= limit_ms
    gateway.now = NOW_MS
    live(gateway, causes=["button"], deadline_ms=PATIENT_MS)
    assert sorted(gateway.stored) == list(range(1, len(gateway.stored) + 1))
    assert len(gateway.stored) >= 3


def test_what_is_remembered_of_the_network_spares_the_search(bench: Bench, live: Live) -> None:
    gateway = Gateway(now=NOW_MS)
    live(gateway, plain=True, causes=["deepsleep"] * 2, deadline_ms=PATIENT_MS)
    assert len(bench.last.ops("radio")) == 4  # scan and association, then an association a wake
    assert sorted(gateway.stored) == [1, 2, 3]
    first, second = awake_ms(bench)[:2]
    assert second < first - 2000


MOVES = {
    "lease": UP | {"lease": ["10.0.0.7", "255.255.255.0", "10.0.0.1", "10.0.0.1"]},
    "access point": UP | {"bssid": "02000000beef", "channel": 11},
}


@pytest.mark.parametrize("what", MOVES)
def test_a_network_that_changed_is_found_again_in_the_same_wake(
    bench: Bench, live: Live, what: str
) -> None:
    gateway = Gateway(now=NOW_MS)
    answers = iter([UP] * 3 + [MOVES[what]] * 99)
    live(
        gateway,
        plain=True,
        causes=["deepsleep"] * 3,
        radio=lambda: next(answers),
        deadline_ms=PATIENT_MS,
    )
    assert len(bench.last.ops("radio")) == 2 + 1 + 3 + 1
    assert sorted(gateway.stored) == [1, 2, 3, 4]
    assert max(awake_ms(bench)) < SENSORS_MS + JOIN_MS + PATIENT_MS


def test_a_burst_reaches_the_gateway_in_the_wake_that_sees_it(bench: Bench, live: Live) -> None:
    gateway = Gateway(now=NOW_MS)
    levels = iter([8.0] * 10 + [9.0] * 10)
    peer = live(
        gateway,
        plain=True,
        causes=["deepsleep"] * 15,
        deadline_ms=PATIENT_MS,
        channel={"burst_ua_per_min": 100},
        loop=lambda: next(levels),
    )
    hellos = [json.loads(body)["next"] - 1 for body in peer.bodies("hello")]
    assert 11 in hellos  # the first reading of the new level
    assert 12 in hellos  # and the one that confirms it
    assert not {10, 13} & set(hellos)
