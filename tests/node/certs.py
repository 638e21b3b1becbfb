# SPDX-License-Identifier: MIT
"""A site's certificates as the gateway makes them, and the files a node gets of them."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kahriz_gateway.authority import issue as ca_issue

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=3650)


@dataclass(frozen=True)
class Papers:
    """What one side shows: a certificate and its key."""

    folder: Path
    name: str

    @property
    def pem(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def files(self, ca: str = "ca") -> dict[str, str]:
        """broker.tls of a node that has these files where they are."""
        folder = self.folder
        return {
            "ca": str(folder / f"{ca}.der"),
            "cert": str(folder / f"{self.name}.der"),
            "key": str(folder / f"{self.name}.key.der"),
        }


class Site:
    """An authority and what it signs, in a folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self.authority = ca_issue.new_authority("banovshalar-gozlu", 1, LATER)
        (folder / f"{name}.der").write_bytes(ca_issue.der(self.authority.certificate))
        (folder / f"{name}.pem").write_bytes(ca_issue.pem(self.authority.certificate))
        self._serial = 1

    def sign(self, name: str, hosts: Iterable[str] | None = None, ends: datetime = LATER) -> Papers:
        """A server's papers when it has hosts, else a node's."""
        self._serial += 1
        key = ca_issue.new_key()
        one = ca_issue.certify(
            self.authority, name, key.public_key(), ends, self._serial, hosts=hosts
        )
        papers = Papers(self.folder, name)
        papers.pem.write_bytes(ca_issue.key_pem(key) + ca_issue.pem(one))
        (self.folder / f"{name}.der").write_bytes(ca_issue.der(one))
        (self.folder / f"{name}.key.der").write_bytes(ca_issue.key_der(key))
        return papers

    def server(self, papers: Papers, ca: str = "ca") -> ssl.SSLContext:
        """The broker's side: shows these papers, asks for a node's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(papers.pem)
        context.load_verify_locations(self.folder / f"{ca}.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return context
