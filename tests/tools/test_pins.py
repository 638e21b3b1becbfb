# SPDX-License-Identifier: MIT
"""MicroPython's sum: refused until it is pinned, pinned by two copies that came different ways."""

import functools
import hashlib
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kahriz_tools import micropython, pins
from kahriz_tools.errors import BenchError
from kahriz_tools.firmware_cli import firmware
from tests.node.certs import Site
from tests.tools.commission import Commission, small_micropython

NAME = "ESP32_GENERIC-20260824-v1.29.0.bin"
SAYS = b"MicroPython v1.29.0 on 2026-08-24; Generic ESP32 module with ESP32"
IMAGE = small_micropython(says=SAYS)
TODAY = "2026-11-23"


def run(*words: object) -> Result:
    return CliRunner().invoke(firmware, [*map(str, words)])


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site" / "nodes").mkdir(parents=True)
    return tmp_path / "site"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    folder = tmp_path / "copy"
    folder.mkdir()
    (folder / NAME).write_bytes(IMAGE)
    return folder / NAME


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pin file of our own in the place of the real one."""
    path = tmp_path / "pins.toml"
    path.write_text(pins.FILE.read_text(encoding="utf-8"), encoding="utf-8")
    for function in (pins.load, pins.save):
        defaults = tuple(path if one == pins.FILE else one for one in function.__defaults__ or ())
        monkeypatch.setattr(function, "__defaults__", defaults)
    return path


@pytest.fixture
def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An https server by two names; only a throw-away authority vouches for it."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / NAME).write_bytes(IMAGE)
    papers = Site(tmp_path).sign("server", ["localhost", "127.0.0.1"])
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(papers.pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/elsewhere/"):  # leads to the other name
            self.send_response(302)
            port = self.server.server_address[1]
            self.send_header("Location", f"https://localhost:{port}/{NAME}")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


def test_the_pins_of_the_repository_are_whole() -> None:
    for pin in pins.load():
        assert pin.board == pins.BOARD
        assert pin.url.startswith(pins.OFFICIAL)
        parts = pins.NAME.fullmatch(pin.name)
        assert parts
        assert parts[3] == pin.version
        assert bool(pin.sha256) == bool(pin.verified_by) == bool(pin.verified_on)
        assert not pin.sha256 or len(pin.sources) == 2


def test_a_file_that_nobody_has_compared_is_refused_and_nothing_is_kept(
    book: Path, image: Path, site: Path
) -> None:
    said = run("fetch", "--from", image, "--site", site)
    assert said.exit_code == 3, said.output
    assert f"the sum of {NAME} is not pinned" in said.stderr
    for mend in ("kahriz node firmware pin", "--sha256", "--unpinned"):
        assert mend in said.stderr
    assert not (site / "firmware").exists()


def test_a_file_believed_as_it_came_says_so_for_ever(book: Path, image: Path, site: Path) -> None:
    said = run("fetch", "--from", image, "--site", site, "--unpinned", "--json")
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["pinned"] is False
    assert "NOT PINNED: believed as it came" in said.stderr
    assert "it calls itself MicroPython 1.29.0 of 2026-08-24" in said.stderr
    assert micropython.load(site).trust.startswith("NOT PINNED")
    given = run(
        "fetch", "--from", image, "--site", site, "--sha256", micropython.look("", IMAGE).sha256
    )
    assert given.exit_code == 0
    assert "NOT PINNED: it has the sum that was given" in given.stderr


def test_two_copies_that_came_different_ways_make_a_pin(
    book: Path, image: Path, official: str, site: Path
) -> None:
    pin = pins.compare([official + NAME, str(image)], "A. Quliyev", TODAY, official)
    pins.save(pin)
    assert [one for one in pins.load() if one.url == pin.url] == [pin]
    again = book.read_bytes()
    pins.save(pin)
    assert book.read_bytes() == again
    kept = micropython.keep(site, str(image), None)
    assert kept.pinned
    assert kept.trust == "official: MicroPython 1.29.0, compared by A. Quliyev on 2026-11-23"
    changed = small_micropython(says=SAYS + b" ")
    image.write_bytes(changed)
    for words in ((), ("--unpinned",), ("--sha256", hashlib.sha256(changed).hexdigest())):
        said = run("fetch", "--from", image, "--site", site, *words)
        assert said.exit_code == 3, said.output
        assert f"{NAME} is not the official file" in said.stderr
    assert micropython.load(site) == kept, "what was kept stays"


def test_by_two_hosts_too_and_the_same_host_twice_is_one_way(book: Path, official: str) -> None:
    other = official.replace("localhost", "127.0.0.1")
    pin = pins.compare([official + NAME, other + NAME], "A", TODAY, official)
    assert pin.sources == (official + NAME, other + NAME)
    with pytest.raises(BenchError, match="both copies came from localhost"):
        pins.compare([official + NAME, other + "elsewhere/" + NAME], "A", TODAY, official)


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (IMAGE[:-1] + b"\0", "the two copies differ"),
        (IMAGE[:-5000], "the two copies differ"),
        (b"", "the two copies differ"),
    ],
)
def test_copies_that_differ_make_none(
    book: Path, image: Path, official: str, second: bytes, why: str
) -> None:
    before = book.read_bytes()
    image.write_bytes(second)
    with pytest.raises(BenchError, match=why):
        pins.compare([official + NAME, str(image)], "A", TODAY, official)
    assert book.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "says", "why"),
    [
        (NAME, SAYS.replace(b"1.29.0", b"1.29.0-preview.3"), "calls itself"),
        (NAME, SAYS.replace(b"Generic ESP32 module", b"ET-Board"), "calls itself"),
        (NAME, b"", "calls itself None"),
        ("ESP32_GENERIC-20260824-v1.28.0.bin", SAYS, "calls itself"),
        ("ESP32_GENERIC_S3-20260824-v1.29.0.bin", SAYS, "no release of ESP32_GENERIC"),
        ("../x.bin", SAYS, "no release of ESP32_GENERIC"),
    ],
)  # fmt: skip
def test_an_image_that_is_not_what_its_name_says_makes_none(
    book: Path, tmp_path: Path, official: str, name: str, says: bytes, why: str
) -> None:
    data = small_micropython(says=says)
    (tmp_path / "served" / Path(name).name).write_bytes(data)
    (tmp_path / "other.bin").write_bytes(data)
    with pytest.raises(BenchError, match=why):
        pins.compare([official + name, str(tmp_path / "other.bin")], "A", TODAY, official)


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (["FILE"], "say --from twice"),
        (["FILE", "FILE"], "exactly one source must be the official address"),
        (["https://example.org/x.bin", "FILE"], "exactly one source must be the official address"),
        (["http://micropython.org/resources/firmware/x.bin", "FILE"], "exactly one source"),
        ([pins.OFFICIAL + "a.bin", pins.OFFICIAL + "b.bin"], "exactly one source"),
    ],
)
def test_a_maintainer_who_has_only_one_way_is_told(
    book: Path, image: Path, sources: list[str], why: str
) -> None:
    words = [word for one in sources for word in ("--from", str(image) if one == "FILE" else one)]
    said = run("pin", *words, "--who", "A")
    assert said.exit_code in (2, 3)
    assert why in said.stderr
    assert "Traceback" not in said.output


def test_a_pin_is_not_written_over_with_another_sum(book: Path, image: Path, official: str) -> None:
    pin = pins.compare([official + NAME, str(image)], "A", TODAY, official)
    pins.save(pin)
    with pytest.raises(BenchError, match="pinned with another sum by A"):
        pins.save(pins.Pin(pin.version, pin.board, pin.url, "0" * 64, "B", TODAY, pin.sources))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('sha256 = ""', 'sha256 = "abc"'),
        ('verified_by = ""', "verified_by = 4"),
        ("sources = []", "sources = 7"),
        ("[[image]]", "[[image"),
        ("board =", "bord ="),
    ],
)
def test_a_spoiled_pin_file_pins_nothing_and_is_told(
    book: Path, image: Path, site: Path, old: str, new: str
) -> None:
    text = book.read_text(encoding="utf-8")
    assert old in text
    book.write_text(text.replace(old, new), encoding="utf-8")
    said = run("fetch", "--from", image, "--site", site, "--unpinned")
    assert said.exit_code == 3, said.output
    assert str(book) in said.stderr
    assert not (site / "firmware").exists()


@pytest.mark.needs("mosquitto")
def test_a_micropython_that_nobody_has_compared_is_told_and_stands_on_the_sheet(
    field: Commission, first: tuple[dict[str, object], str]
) -> None:
    assert "NOT PINNED: believed as it came, nobody has compared it" in first[1]
    sheet = (field.folder / "commissioned" / "outlet" / "sheet.json").read_text(encoding="utf-8")
    assert "(not pinned)" in json.loads(sheet)["micropython"]
