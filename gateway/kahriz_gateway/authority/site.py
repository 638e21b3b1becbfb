# SPDX-License-Identifier: MIT
"""A site's certificate authority in a folder: found it, issue, renew, revoke, change its key.

    ca/site.json register.jsonl      which site, which addresses; every serial ever given
    ca/1/ca.key ca.pem crl.pem       the authority; after a change of key also 2/ …
    ca/gateway/                      what goes to the Pi: trust bundle, revocations, services
    ca/nodes/<id>/                   what goes into a node: ca.der, cert.der, key.der
    ca/readers/<name>/               what a lamp or Home Assistant is given

During a change of key two authorities are trusted; the older one still signs the broker, because
nodes not yet visited know no other.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from kahriz_gateway.authority import issue as ca_issue
from kahriz_gateway.authority import names as ca_names
from kahriz_gateway.authority import sign as ca_sign
from kahriz_gateway.authority.files import (
    PUBLIC,
    SECRET,
    CaError,
    make_folder,
    replace,
    set_aside,
    write_new,
)
from kahriz_gateway.authority.files import read as read_file
from kahriz_gateway.authority.register import Entry, Register, stamp

YEAR = timedelta(days=365)
LOCAL_HOSTS = ("kahriz-gateway", "localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and where it was put."""

    entry: Entry
    folder: Path


@contextmanager
def open_ca(folder: Path, passphrase: bytes | None = None) -> Iterator[SiteCa]:
    """Work on a site's authority alone."""
    if not (folder / "site.json").exists():
        raise CaError(f"no authority in {folder}: `kahriz site ca new --ca {folder}` founds one")
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CaError(f"another `kahriz site ca` works in {folder}: wait for it") from None
        yield SiteCa(folder, passphrase)


def found(folder: Path, site: str, hosts: Sequence[str], passphrase: bytes | None = None) -> None:
    """Found the authority of a site; refused where there is one."""
    make_folder(folder)
    names = list(dict.fromkeys((*LOCAL_HOSTS, *hosts)))
    write_new(folder / "site.json", _settings(site, names), PUBLIC)
    with open_ca(folder, passphrase) as ca:
        ca.add_generation()
        for name in ca_names.GATEWAY_NAMES:
            ca.issue(name)


class SiteCa:
    """An opened authority."""

    def __init__(self, folder: Path, passphrase: bytes | None) -> None:
        self.folder = folder
        self._passphrase = passphrase
        settings = json.loads(read_file(folder / "site.json", "the authority's settings"))
        self.site: str = settings["site"]
        self.hosts: list[str] = settings["hosts"]
        self.register = Register(folder / "register.jsonl")

    @property
    def generations(self) -> list[int]:
        """Authorities that are trusted, oldest first."""
        found = sorted(int(path.parent.name) for path in self.folder.glob("[0-9]*/ca.pem"))
        return [each for each in found if each not in self.register.retired]

    def add_generation(self) -> int:
        """A new authority beside those there are."""
        now = _now()
        everything = [0, *(int(path.name) for path in self.folder.glob("[0-9]*"))]
        generation = max(everything) + 1
        ends = now + ca_names.AUTHORITY_YEARS * YEAR
        authority = ca_issue.new_authority(self.site, generation, ends)
        home = make_folder(self.folder / str(generation))
        write_new(home / "ca.key", ca_issue.key_pem(authority.key, self._passphrase), SECRET)
        write_new(home / "ca.pem", ca_issue.pem(authority.certificate), PUBLIC)
        self._publish_revocations(generation, authority)
        self._publish_trust()
        return generation

    def issue(self, name: str) -> Issued:
        """A first certificate, or one after all earlier ones were revoked or retired."""
        if self.register.newest(ca_names.check(name)) is not None:
            raise CaError(f"{name} has a certificate that stands: renew it, or revoke it first")
        return self._certify(name)

    def renew(self, name: str) -> Issued:
        """A new key and certificate; the old ones go to old/ and stay valid until they end."""
        if not self.register.of(name):
            raise CaError(f"{name} never had a certificate: `kahriz site ca issue {name}`")
        return self._certify(name)

    def add_hosts(self, hosts: Sequence[str]) -> None:
        """Further names and addresses of the broker, for its next certificate."""
        self.hosts = list(dict.fromkeys((*self.hosts, *hosts)))
        replace(self.folder / "site.json", _settings(self.site, self.hosts))

    def revoke(self, name: str, why: str, serial: int | None = None) -> list[Entry]:
        """Shut out a name (all its certificates) or one serial of it."""
        doomed = [e for e in self.register.of(name) if e.good and serial in (None, e.serial)]
        if not doomed:
            raise CaError(f"{name} has no such certificate that stands: see `kahriz site ca show`")
        authorities = {g: self._authority(g) for g in sorted({e.generation for e in doomed})}
        for entry in doomed:
            self.register.revoke(entry, why, _now())
        for generation, authority in authorities.items():
            self._publish_revocations(generation, authority)
        self._publish_trust()
        return doomed

    def roll(self) -> int:
        """Begin a change of key: a second authority, trusted beside the first; services first."""
        if len(self.generations) > 1:
            raise CaError(f"a change of key is under way: finish it (`ca retire {self._oldest}`)")
        generation = self.add_generation()
        for name in ca_names.GATEWAY_NAMES:
            if name != ca_names.BROKER:
                self._certify(name)
        return generation

    def behind(self) -> list[str]:
        """Names whose newest certificate is not of the newest authority."""
        newest = {entry.name: entry for entry in self.register.standing()}
        return sorted(
            name
            for name, entry in newest.items()
            if entry.generation != self._newest and name != ca_names.BROKER
        )

    def retire(self, generation: int, although: bool = False) -> list[str]:
        """End a change of key: the old authority is trusted no more; who stays behind is told."""
        if generation not in self.generations:
            raise CaError(f"authority {generation} is not trusted anyway")
        if len(self.generations) == 1:
            raise CaError(f"authority {generation} is the only one: `kahriz site ca roll` first")
        behind = self.behind()
        if behind and not although:
            raise CaError(
                f"{', '.join(behind)} would be shut out: renew and visit them first, "
                "or say --although when the key is in wrong hands"
            )
        self.register.retire(generation, _now())
        self._certify(ca_names.BROKER)
        self._publish_trust()
        return behind

    def sign(self, asked: str) -> str:
        """A statement signed by the newest authority."""
        return ca_sign.sign(self._authority(self._newest), self.site, asked, _now())

    @property
    def _oldest(self) -> int:
        return self.generations[0]

    @property
    def _newest(self) -> int:
        return self.generations[-1]

    def _certify(self, name: str) -> Issued:
        generation = self._oldest if name == ca_names.BROKER else self._newest
        authority = self._authority(generation)
        now = _now()
        ends = min(now + ca_names.years(name) * YEAR, authority.certificate.not_valid_after_utc)
        key = ca_issue.new_key()
        serial = x509.random_serial_number()
        hosts = self.hosts if name == ca_names.BROKER else None
        certificate = ca_issue.certify(authority, name, key.public_key(), ends, serial, hosts)
        entry = Entry(serial, name, generation, stamp(now), stamp(ends))
        self.register.issued(entry)
        return Issued(entry, self._lay_down(name, key, certificate, f"{serial:x}"[:8]))

    def _lay_down(self, name: str, key: ca_issue.Key, own: x509.Certificate, mark: str) -> Path:
        """Key and certificate where they are fetched from; what was there goes to old/."""
        if ca_names.is_node(name):
            folder = make_folder(self.folder / "nodes" / name)
            trusted = [self._certificate(g) for g in self.generations]
            names = ("ca.der", "ca2.der")
            files = {n: (ca_issue.der(c), PUBLIC) for n, c in zip(names, trusted, strict=False)}
            files["cert.der"] = (ca_issue.der(own), PUBLIC)
            files["key.der"] = (ca_issue.key_der(key), SECRET)
        else:
            reader = name.startswith(ca_names.READER)
            folder = self.folder / ("readers" if reader else "gateway")
            folder = make_folder(folder / name.removeprefix(ca_names.READER) if reader else folder)
            files = {f"{name}.pem": (ca_issue.pem(own), PUBLIC)}
            files[f"{name}.key"] = (ca_issue.key_pem(key), SECRET)
            if reader:
                files["ca.pem"] = (self._bundle("ca.pem"), PUBLIC)
        for file in ("ca2.der", *files):
            set_aside(folder / file, mark)
        for file, (data, mode) in files.items():
            write_new(folder / file, data, mode)
        return folder

    def _certificate(self, generation: int) -> x509.Certificate:
        data = read_file(self.folder / str(generation) / "ca.pem", f"authority {generation}")
        return x509.load_pem_x509_certificate(data)

    def _authority(self, generation: int) -> ca_issue.Authority:
        path = self.folder / str(generation) / "ca.key"
        if not path.exists():
            raise CaError(
                f"the key of authority {generation} is not in {path}: bring it back from its "
                "copy; if there is none, change the key (`kahriz site ca roll`, see "
                "gateway/deploy/README.md)"
            )
        try:
            key = ca_issue.load_key(read_file(path, "the authority's key"), self._passphrase)
        except (ValueError, TypeError) as error:
            raise CaError(
                f"{path} cannot be opened ({error}): give its words in --passphrase-file"
            ) from error
        return ca_issue.Authority(key, self._certificate(generation))

    def _publish_revocations(self, generation: int, authority: ca_issue.Authority) -> None:
        doomed = [
            (e.serial, datetime.fromisoformat(e.revoked))
            for e in self.register.entries.values()
            if e.revoked is not None and e.generation == generation
        ]
        listing = ca_issue.revocations(authority, doomed, len(doomed) + 1)
        replace(self.folder / str(generation) / "crl.pem", ca_issue.pem(listing))

    def _publish_trust(self) -> None:
        for name in ("ca.pem", "crl.pem"):
            replace(self.folder / "gateway" / name, self._bundle(name))

    def _bundle(self, name: str) -> bytes:
        return b"".join(
            read_file(self.folder / str(g) / name, f"authority {g}") for g in self.generations
        )


def _settings(site: str, hosts: Sequence[str]) -> bytes:
    return json.dumps({"v": 1, "site": site, "hosts": hosts}, indent=1).encode() + b"\n"


def _now() -> datetime:
    now = datetime.now(UTC)
    if now < ca_issue.BEGIN:
        raise CaError(f"this machine's clock says {now:%Y-%m-%d}: set it first")
    return now
