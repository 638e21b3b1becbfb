# SPDX-License-Identifier: MIT
"""A program over the air: fetched in pieces, its signature checked, tried, kept or left again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from kahriz_gateway.orders import ota
from kahriz_tools import release as tools
from kahriz_wire import release

from .whole import Place


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The program of version 0.1.1, with the drivers of the outlet."""
    return tools.program("0.1.1", release.number("0.1.1"), ["a02yyuw", "ds18b20"])


@pytest.fixture
def place(tmp_path: Path, key: rsa.RSAPrivateKey) -> Iterator[Place]:
    """A board that has once been at its gateway and knows who may sign."""
    place = Place(tmp_path)
    place.live([])
    place.put("/release.key", f"{key.public_key().public_numbers().n:x}".encode())
    yield place
    place.close()


def offer(place: Place, made: tools.Made) -> None:
    ota.put(place.village.conn, made.data, None)
    ota.offer(place.village.conn, "outlet", made.number, None)


def errors(place: Place) -> str:
    return " | ".join(str(hello.get("error")) for hello in place.village.hellos())


def test_a_signed_release_is_fetched_runs_and_is_kept(
    place: Place, key: rsa.RSAPrivateKey, files: dict[str, bytes]
) -> None:
    offer(place, tools.pack(key, files, "0.1.1"))
    place.live(["deepsleep"] * 4)
    versions = [hello["fw"] for hello in place.village.hellos()]
    assert versions[0] == "0.1.0"
    assert versions[-1] == "0.1.1", errors(place)
    place.live([])  # good: a power cut changes nothing
    assert place.village.runs().fw == "0.1.1"
    assert place.on_board("say(open('/sel').read())") == ["a g lib"]
    numbers = place.village.numbers()
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_pieces_go_on_where_the_last_wake_stopped(
    place: Place, key: rsa.RSAPrivateKey, files: dict[str, bytes]
) -> None:
    made = tools.pack(key, files, "0.1.1")
    offer(place, made)
    place.village.pieces_most = 5
    place.live(["deepsleep"] * 2)
    assert place.village.runs().fw == "0.1.0"
    place.village.pieces_most = 10**6
    place.live(["deepsleep"] * 3)
    assert place.village.runs().fw == "0.1.1", errors(place)
    offsets = [int(offset) for offset in place.village.pieces]
    assert sorted(set(offsets)) == list(range(0, len(made.data), release.CHUNK_BYTES))
    assert len(offsets) == len(set(offsets))


def test_a_program_that_dies_goes_back_after_three_boots_and_is_not_fetched_again(
    place: Place, key: rsa.RSAPrivateKey, files: dict[str, bytes]
) -> None:
    broken = {name: data for name, data in files.items() if name != "kahriz_node/reading.mpy"}
    offer(place, tools.pack(key, broken, "0.1.1"))
    place.live(["deepsleep"] * 12)
    hellos = place.village.hellos()
    assert {hello["fw"] for hello in hellos} == {"0.1.0"}
    assert f"release {release.number('0.1.1')}: no receipt, gone back" in errors(place)
    assert len(place.village.pieces) == len(set(place.village.pieces))
    assert place.on_board("say(open('/sel').read())") == ["lib x a"]
    numbers = place.village.numbers()
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_program_that_finds_no_gateway_goes_back(
    place: Place, key: rsa.RSAPrivateKey, files: dict[str, bytes]
) -> None:
    deaf = {name: data for name, data in files.items() if name != "kahriz_node/uplink.mpy"}
    offer(place, tools.pack(key, deaf, "0.1.1"))
    place.live(["deepsleep"] * 60)
    assert place.village.runs().fw == "0.1.0"
    assert "gone back" in errors(place)


@pytest.mark.parametrize("what", ["signature", "file", "older", "nobody's key", "form"])
def test_what_is_not_right_is_refused_by_name_and_the_old_program_runs_on(
    place: Place,
    key: rsa.RSAPrivateKey,
    files: dict[str, bytes],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = "0.0.9" if what == "older" else "0.1.1"
    if what == "form":  # a laptop and a gateway of another day
        monkeypatch.setattr(release, "FORM", 3)
    made = tools.pack(key, files, version)
    data = bytearray(made.data)
    if what == "signature":
        data[release.HEAD_BYTES + 5] ^= 1
    elif what == "file":
        data[-5] ^= 1
    elif what == "nobody's key":
        place.on_board("import os\nos.remove('/release.key')")
    offer(place, tools.Made(bytes(data), made.number, version, made.files))
    place.live(["deepsleep"] * 3)
    assert {hello["fw"] for hello in place.village.hellos()} == {"0.1.0"}
    said = {
        "signature": "release.signature",
        "file": "release.kahriz_wire/",
        "older": None,
        "nobody's key": "release.key",
        "form": "release.form",
    }[what]
    if said is None:
        assert place.village.pieces == []
    else:
        assert said in errors(place)
        place.live(["deepsleep"])  # after a power cut it is not fetched again
        assert place.village.pieces.count("0") == 1
    assert place.on_board("import os\nsay([n for n in os.listdir('/') if n == 'sel'])") == [[]]


def test_below_the_battery_limit_nothing_is_fetched(
    place: Place, key: rsa.RSAPrivateKey, files: dict[str, bytes]
) -> None:
    offer(place, tools.pack(key, files, "0.1.1"))
    place.live(["deepsleep"] * 2, battery=3.1)
    assert place.village.pieces == []
    assert "battery too low" in errors(place)


def test_factory_and_cable_bring_the_cables_program_back(
    place: Place, key: rsa.RSAPrivateKey, files: dict[str, bytes]
) -> None:
    from kahriz_gateway.orders import commands

    offer(place, tools.pack(key, files, "0.1.1"))
    place.live(["deepsleep"] * 4)
    assert place.village.runs().fw == "0.1.1", errors(place)
    ota.withdraw(place.village.conn, "outlet")
    commands.put(place.village.conn, "outlet", "factory", {}, None)
    place.live(["deepsleep"] * 3)
    assert place.village.runs().fw == "0.1.0", (errors(place), commands.listed(place.village.conn))
    assert json.dumps(place.village.numbers()) == json.dumps(
        list(range(1, len(place.village.numbers()) + 1))
    )
