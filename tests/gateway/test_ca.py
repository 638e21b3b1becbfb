# SPDX-License-Identifier: MIT
"""The site's authority: what it signs, what it keeps, what it never overwrites."""

import os
import shutil
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from kahriz_gateway.authority import issue as ca_issue
from kahriz_gateway.authority.files import CaError, write_new
from kahriz_gateway.authority.issue import BEGIN
from kahriz_gateway.authority.site import found, open_ca

SITE = "banovshalar-gozlu"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    found(tmp_path / "ca", SITE, ["kahriz.lan", "192.168.4.1"])
    return tmp_path / "ca"


def pem(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def revoked(ca: Path) -> set[int]:
    listing = x509.load_pem_x509_crl((ca / "gateway" / "crl.pem").read_bytes())
    return {each.serial_number for each in listing}


def test_secrets_are_the_owners_alone_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        found(tmp_path / "ca", SITE, [])
        with open_ca(tmp_path / "ca") as authority:
            authority.issue("outlet")
    finally:
        os.umask(before)
    keys = [*tmp_path.rglob("*.key"), tmp_path / "ca" / "nodes" / "outlet" / "key.der"]
    assert len(keys) == 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700


def test_nothing_is_overwritten_in_silence(ca: Path) -> None:
    key = (ca / "1" / "ca.key").read_bytes()
    with pytest.raises(CaError, match="already there"):
        found(ca, SITE, [])
    with pytest.raises(CaError, match="already there"):
        write_new(ca / "1" / "ca.key", b"other", 0o600)
    assert (ca / "1" / "ca.key").read_bytes() == key
    with open_ca(ca) as authority:
        authority.issue("outlet")
        first = (ca / "nodes" / "outlet" / "key.der").read_bytes()
        with pytest.raises(CaError, match="renew"):
            authority.issue("outlet")
        assert (ca / "nodes" / "outlet" / "key.der").read_bytes() == first
        authority.renew("outlet")
    kept = [path.read_bytes() for path in (ca / "nodes" / "outlet" / "old").glob("key-*.der")]
    assert kept == [first]


def test_a_node_gets_der_and_sec1_and_its_id_as_common_name(ca: Path) -> None:
    with open_ca(ca) as authority:
        folder = authority.issue("outlet").folder
    own = x509.load_der_x509_certificate((folder / "cert.der").read_bytes())
    key = serialization.load_der_private_key((folder / "key.der").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    sec1 = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    assert sec1 == (folder / "key.der").read_bytes()
    assert key.curve.name == "secp256r1"
    assert key.public_key() == own.public_key()
    assert own.subject.rfc4514_string() == "CN=outlet"
    own.verify_directly_issued_by(pem(ca / "1" / "ca.pem"))
    usage = own.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert own.not_valid_before_utc == BEGIN, "a node whose clock lags must not refuse its house"
    assert own.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3640)


def test_the_broker_answers_to_all_its_names(ca: Path) -> None:
    names = pem(ca / "gateway" / "broker.pem").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == [
        "kahriz-gateway", "localhost", "kahriz.lan",
    ]  # fmt: skip
    addresses = names.value.get_values_for_type(x509.IPAddress)
    assert [str(each) for each in addresses] == ["127.0.0.1", "192.168.4.1"]


def test_a_broker_that_moves_gets_a_further_name(ca: Path) -> None:
    with open_ca(ca) as authority:
        authority.add_hosts(["10.1.1.1"])
        authority.renew("broker")
    with open_ca(ca) as authority:
        assert authority.hosts[-2:] == ["192.168.4.1", "10.1.1.1"]
    names = pem(ca / "gateway" / "broker.pem").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    addresses = names.value.get_values_for_type(x509.IPAddress)
    assert [str(each) for each in addresses] == ["127.0.0.1", "192.168.4.1", "10.1.1.1"]


def test_a_revoked_name_is_on_the_list_and_may_have_a_new_certificate(ca: Path) -> None:
    with open_ca(ca) as authority:
        authority.issue("outlet")
        authority.renew("outlet")
        authority.issue("middle")
        gone = {entry.serial for entry in authority.revoke("outlet", "stolen")}
        assert len(gone) == 2, "the renewed and the old one"
        assert revoked(ca) == gone
        again = authority.issue("outlet").entry
    assert again.serial not in gone
    with open_ca(ca) as authority:
        assert [e.why for e in authority.register.of("outlet")] == ["stolen", "stolen", None]
        one = authority.renew("outlet").entry
        authority.revoke("outlet", "broken", again.serial)
        assert authority.register.newest("outlet") == one
        with pytest.raises(CaError, match="no such certificate"):
            authority.revoke("inlet", "never had one")


def test_the_revocation_list_lasts_as_long_as_its_authority(ca: Path) -> None:
    """A list that ends early shuts out every node of a village at once."""
    listing = x509.load_pem_x509_crl((ca / "gateway" / "crl.pem").read_bytes())
    assert listing.next_update_utc == pem(ca / "1" / "ca.pem").not_valid_after_utc


def test_a_key_under_words_opens_with_its_words_alone(tmp_path: Path) -> None:
    found(tmp_path / "ca", SITE, [], b"su gelir")
    assert b"ENCRYPTED" in (tmp_path / "ca" / "1" / "ca.key").read_bytes()
    with open_ca(tmp_path / "ca", b"su gelir") as authority:
        authority.issue("outlet")
    for words in (None, b"su getmir"):
        with open_ca(tmp_path / "ca", words) as authority:
            with pytest.raises(CaError, match="--passphrase-file"):
                authority.issue("middle")
            assert authority.register.of("middle") == []


def test_without_its_key_nothing_is_registered_that_did_not_happen(ca: Path) -> None:
    with open_ca(ca) as authority:
        authority.issue("outlet")
    (ca / "1" / "ca.key").unlink()
    with open_ca(ca) as authority:
        with pytest.raises(CaError, match="ca roll"):
            authority.revoke("outlet", "stolen")
        with pytest.raises(CaError, match="ca roll"):
            authority.issue("middle")
    with open_ca(ca) as authority:
        assert authority.register.newest("outlet") is not None
        assert authority.register.of("middle") == []


def test_a_change_of_key_shuts_nobody_out_unasked(ca: Path) -> None:
    with open_ca(ca) as authority:
        authority.issue("outlet")
        authority.issue("middle")
        assert authority.roll() == 2
        with pytest.raises(CaError, match="retire 1"):
            authority.roll()
        assert authority.behind() == ["middle", "outlet"]
        authority.renew("outlet")
        with pytest.raises(CaError, match="middle would be shut out"):
            authority.retire(1)
        assert (ca / "nodes" / "outlet" / "ca.der").exists()
        assert (ca / "nodes" / "outlet" / "ca2.der").exists()
        broker = pem(ca / "gateway" / "broker.pem")
        broker.verify_directly_issued_by(pem(ca / "1" / "ca.pem"))
        assert authority.retire(1, although=True) == ["middle"]
        assert authority.generations == [2]
        pem(ca / "gateway" / "broker.pem").verify_directly_issued_by(pem(ca / "2" / "ca.pem"))
        assert authority.register.newest("middle") is None
        with pytest.raises(CaError, match="the only one"):
            authority.retire(2)
    assert (ca / "gateway" / "ca.pem").read_bytes() == (ca / "2" / "ca.pem").read_bytes()


def test_two_at_once_do_not_work_on_one_authority(ca: Path) -> None:
    with open_ca(ca), pytest.raises(CaError, match="another"), open_ca(ca):
        pass


@pytest.mark.parametrize("name", ["gateway", "Outlet", "a.b", "", "reader.", "x" * 33, "../x"])
def test_some_names_get_no_certificate(ca: Path, name: str) -> None:
    with open_ca(ca) as authority, pytest.raises(CaError, match="no certificate for"):
        authority.issue(name)


@pytest.mark.parametrize("line", ["{", '{"what": "lost"}', '{"what": "revoked", "serial": "1"}'])
def test_a_damaged_register_is_refused_with_its_line(ca: Path, line: str) -> None:
    with (ca / "register.jsonl").open("a") as register:
        register.write(line + "\n")
    with pytest.raises(CaError, match=r"register\.jsonl line 5"), open_ca(ca):
        pass


def believes(trust: Path, cert: Path, key: Path) -> bool:
    """Whether a node with this authority in its flash finishes TLS with who has that key."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    node = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    node.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(trust.read_bytes()))
    to_node, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = node.wrap_bio(to_node, to_server, server_hostname="192.168.4.1")
    theirs = server.wrap_bio(to_server, to_node, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


def test_a_stolen_brokers_key_serves_until_its_end_or_a_new_authority(ca: Path) -> None:
    """Nodes read no revocation list: that is why the broker's certificate is the shortest."""
    with open_ca(ca) as site:
        site.issue("outlet")
    loot = ca.parent / "loot"
    shutil.copytree(ca / "gateway", loot)
    node = ca / "nodes" / "outlet" / "ca.der"
    stolen = (loot / "broker.pem", loot / "broker.key")
    assert believes(node, *stolen)
    with open_ca(ca) as site:
        site.revoke("broker", "the Pi was stolen")
    assert believes(node, *stolen), "so it is, and the drill says so"
    pem = x509.load_pem_x509_certificate(stolen[0].read_bytes())
    assert pem.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=2 * 365)
    with open_ca(ca) as site:  # its end, come sooner
        authority = ca_issue.Authority(
            ca_issue.load_key((ca / "1" / "ca.key").read_bytes(), None), site._certificate(1)
        )
    key = ca_issue.load_key(stolen[1].read_bytes(), None).public_key()
    past = datetime.now(UTC) - timedelta(days=1)
    ended = ca_issue.certify(authority, "broker", key, past, 7, ["192.168.4.1"])
    (loot / "ended.pem").write_bytes(ca_issue.pem(ended))
    assert not believes(node, loot / "ended.pem", stolen[1])
    with open_ca(ca) as site:
        site.issue("broker")
        site.roll()
        site.renew("outlet")
        site.retire(1, although=True)
    trusted = [p for p in (ca / "nodes" / "outlet").glob("ca*.der") if not believes(p, *stolen)]
    assert trusted, "a node that was visited after the change has an authority the thief lacks"
    assert believes(trusted[0], ca / "gateway" / "broker.pem", ca / "gateway" / "broker.key")
