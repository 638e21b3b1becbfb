# SPDX-License-Identifier: MIT
"""The real mosquitto in our configuration believes a certificate, and nothing that a node says."""

import contextlib
import re
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from kahriz_gateway.authority import issue as ca_issue
from kahriz_gateway.authority.site import found, open_ca
from kahriz_gateway.broker import conf as broker_conf
from kahriz_gateway.broker.tls import files
from kahriz_gateway.config import Options, read_plan
from kahriz_water.plan import parse_plan
from kahriz_water.strict import ConfigError
from kahriz_wire import topics

from .conftest import PATIENCE_S
from .site_broker import HERE, SITE, SITE_TOML, Site, Visitor

pytestmark = pytest.mark.needs("mosquitto")
ROOT = Path(__file__).parents[2]
Come = Callable[..., Visitor]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site")).start()
    yield made
    made.stop()


@pytest.fixture
def come(site: Site) -> Iterator[Come]:
    """Somebody who comes with a certificate; the tests say which."""
    made: list[Visitor] = []

    def visitor(own: tuple[Path, Path] | None, client_id: str = "whoever") -> Visitor:
        made.append(site.client(own, client_id))
        return made[-1]

    yield visitor
    for each in made:
        each.close()


def test_a_node_says_and_hears_its_own_and_nothing_else(site: Site, come: Come) -> None:
    """Every PUBLISH below is answered with a PUBACK: only what arrives counts."""
    intake = come(site.service("gateway.intake"))
    node = come(site.pem_of("outlet"))
    neighbour = come(site.pem_of("middle"))
    for each in (intake, node, neighbour):
        assert each.connect() == "Success"
    intake.subscribe(f"{HERE}/#")
    neighbour.subscribe("#", f"{HERE}/#", f"{HERE}/outlet/receipt", f"{HERE}/middle/receipt")
    node.subscribe(f"{HERE}/outlet/receipt")
    for denied in (
        "middle/hello", "middle/up/9f3a01c2", "middle/ack", "middle/status", "middle/receipt",
        "outlet/receipt", "outlet/config", "outlet/other", "outlet", "outlet/up", "outlet/hello/x",
        "gateway/status", "gateway/state/outlet", "doctor/hello", "doctor/echo/1",
    ):  # fmt: skip
        node.publish(f"{HERE}/{denied}")
    node.publish("kahriz/v1/another-site/outlet/hello")
    allowed = ["hello", "up/9f3a01c2", "ack", "birth", "status"]
    for kind in allowed:
        node.publish(f"{HERE}/outlet/{kind}")
    assert [intake.hears()[0] for _ in allowed] == [f"{HERE}/outlet/{kind}" for kind in allowed]
    intake.publish(f"{HERE}/outlet/receipt", b"for outlet")
    intake.publish(f"{HERE}/middle/receipt", b"for middle")
    assert node.hears() == (f"{HERE}/outlet/receipt", b"for outlet")
    assert neighbour.hears() == (f"{HERE}/middle/receipt", b"for middle")
    assert neighbour.heard.empty()
    assert node.heard.empty()


def test_a_node_that_calls_itself_its_neighbour_does_not_take_over_its_session(
    site: Site, come: Come
) -> None:
    outlet = come(site.pem_of("outlet"), f"kahriz-{SITE}-outlet")
    assert outlet.connect() == "Success"
    outlet.subscribe(f"{HERE}/outlet/receipt")
    thief = come(site.pem_of("middle"), f"kahriz-{SITE}-outlet")
    assert thief.connect() == "Success"
    thief.subscribe(f"{HERE}/outlet/receipt")
    as_thief = come(site.pem_of("middle"), "outlet")
    assert as_thief.connect() == "Success"
    intake = come(site.service("gateway.intake"))
    assert intake.connect() == "Success"
    intake.publish(f"{HERE}/outlet/receipt", b"mine")
    assert outlet.hears() == (f"{HERE}/outlet/receipt", b"mine")
    assert outlet.lost.empty()
    assert thief.lost.get(timeout=PATIENCE_S), "a second session of middle ends the first"
    assert as_thief.heard.empty()


def test_a_reader_reads_the_gateway_and_no_node(site: Site, come: Come) -> None:
    with contextlib.suppress(Exception):
        site.edit(lambda ca: ca.issue("reader.lamp"))
    folder = site.ca / "readers" / "lamp"
    lamp = come((folder / "reader.lamp.pem", folder / "reader.lamp.key"))
    village = come(site.service("gateway.village"))
    assert (lamp.connect(), village.connect()) == ("Success", "Success")
    lamp.subscribe(f"{HERE}/#")
    village.subscribe(f"{HERE}/gateway/#")
    lamp.publish(f"{HERE}/gateway/alarm/1", b"forged")
    village.publish(f"{HERE}/outlet/receipt")
    village.publish(f"{HERE}/gateway/alarm/1", b"leak")
    assert lamp.hears() == (f"{HERE}/gateway/alarm/1", b"leak")
    assert village.hears() == (f"{HERE}/gateway/alarm/1", b"leak")


def test_who_has_no_certificate_is_refused(site: Site, come: Come) -> None:
    assert come(None).connect().startswith("refused")
    with socket.create_connection(("127.0.0.1", site.port), PATIENCE_S) as plain:
        plain.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00")
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = plain.recv(64)
        assert b"\x20\x02\x00\x00" not in answer


def test_a_foreign_authority_is_refused(site: Site, come: Come, tmp_path: Path) -> None:
    found(tmp_path / "foreign", SITE, ())
    with open_ca(tmp_path / "foreign") as ca:
        ca.issue("outlet")
    foreign = site.pem_of("outlet", tmp_path / "foreign" / "nodes" / "outlet")
    assert come(foreign).connect().startswith("refused")


def own_made(site: Site, name: str, ends: datetime, hosts: list[str] | None) -> tuple[Path, Path]:
    """A certificate by the site's own key, such as `site ca` would never issue."""
    key = ca_issue.load_key((site.ca / "1" / "ca.key").read_bytes(), None)
    authority = ca_issue.Authority(
        key, x509.load_pem_x509_certificate((site.ca / "1" / "ca.pem").read_bytes())
    )
    own = ca_issue.new_key()
    made = ca_issue.certify(authority, name, own.public_key(), ends, 4711, hosts)
    cert, secret = site.folder / f"{name}-made.pem", site.folder / f"{name}-made.key"
    cert.write_bytes(ca_issue.pem(made))
    secret.write_bytes(ca_issue.key_pem(own))
    return cert, secret


def test_an_expired_certificate_is_refused_and_a_fresh_one_is_not(site: Site, come: Come) -> None:
    now = datetime.now(UTC)
    for ends, refused in ((now - timedelta(days=1), True), (now + timedelta(days=1), False)):
        words = come(own_made(site, "outlet", ends, None)).connect()
        assert words.startswith("refused") is refused, words


def test_the_brokers_certificate_opens_no_door(site: Site, come: Come) -> None:
    """It is a server's: who steals it cannot speak as a client."""
    assert come(site.service("broker")).connect().startswith("refused")


def test_a_revoked_certificate_is_refused_and_its_successor_is_not(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path).start()
    try:
        lost = site.pem_of("outlet")
        first = site.client(lost)
        assert first.connect() == "Success"
        first.close()
        site.edit(lambda ca: ca.revoke("outlet", "stolen"))
        site.restart()
        again = site.client(lost)
        assert again.connect().startswith("refused")
        again.close()
        site.edit(lambda ca: ca.issue("outlet"))
        successor, neighbour = (
            site.client(site.pem_of("outlet")),
            site.client(site.pem_of("middle")),
        )
        assert (successor.connect(), neighbour.connect()) == ("Success", "Success")
        successor.close()
        neighbour.close()
    finally:
        site.stop()


def test_the_shipped_files_are_what_the_command_makes() -> None:
    plan = parse_plan(SITE_TOML.read_text())
    shipped = ROOT / "gateway" / "deploy" / "mosquitto"
    tls = Path("/etc/mosquitto/kahriz")
    assert (shipped / "mosquitto.conf").read_text() == broker_conf.configuration(
        plan.id, tls, tls / "kahriz.acl"
    )
    assert (shipped / "kahriz.acl").read_text() == broker_conf.access(plan.id, plan.nodes)


def test_every_kind_of_message_has_one_who_may_say_it() -> None:
    """A kind added to the contract must be given to the node or to the gateway here."""
    kinds = [k.split("/")[0] for k in (*broker_conf.NODE_SAYS, *broker_conf.NODE_HEARS)]
    assert sorted(kinds) == sorted(topics.KINDS)


def plan_with(broker: str, folder: Path) -> Path:
    path = folder / "site.toml"
    rest = re.sub(r"\[broker\]\n([^\[]*\n)?", "", SITE_TOML.read_text())
    path.write_text(f"{rest}\n[broker]\n{broker}\n")
    return path


@pytest.mark.parametrize(
    ("broker", "override", "refused"),
    [
        ('host = "192.168.4.1"', None, True),
        ('host = "192.168.4.1"\nplain = true', None, False),
        ('host = "192.168.4.1"\n[broker.tls]', None, False),
        ('host = "127.0.0.1"', None, False),
        ('host = "localhost"', "broker.lan:1883", True),
        ('host = "localhost"', "127.0.0.1:1884", False),
        ('host = "192.168.4.1"\n[broker.tls]\ncart = "x"', None, True),
    ],
)
def test_a_broker_beyond_this_machine_is_spoken_to_by_tls_unless_the_plan_says_so(
    tmp_path: Path, broker: str, override: str | None, refused: bool
) -> None:
    options = Options(plan_with(broker, tmp_path), tmp_path, broker=override)
    if refused:
        with pytest.raises(ConfigError, match="tls"):
            read_plan(options)
    else:
        read_plan(options)


def test_tls_files_lie_beside_the_plan_or_among_the_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = read_plan(Options(plan_with("[broker.tls]", tmp_path), tmp_path)).broker
    assert broker.port == 8883
    assert broker.tls is not None
    tls = tmp_path / "tls"
    assert files(broker.tls, "intake") == (
        tls / "ca.pem", tls / "gateway.intake.pem", tls / "gateway.intake.key",
    )  # fmt: skip
    assert files(broker.tls, "doctor")[1] == tls / "doctor.pem"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "gateway.village.key").write_text("secret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert files(broker.tls, "village")[2] == credentials / "gateway.village.key"
    assert files(broker.tls, "village")[1] == tls / "gateway.village.pem"


@pytest.mark.parametrize("word", ["gateway", "doctor", "broker"])
def test_a_node_is_never_called_like_a_part_of_the_house(word: str) -> None:
    text = SITE_TOML.read_text().replace('node = "tank"', f'node = "{word}"')
    with pytest.raises(ConfigError, match="reserved"):
        parse_plan(text)
