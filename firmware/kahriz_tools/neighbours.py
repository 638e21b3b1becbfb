# SPDX-License-Identifier: MIT
"""The site's authority and the gateway, asked through their own commands: they are other houses.

The gateway may be this machine, or another one behind a command such as `ssh pi@kahriz-gateway
kahriz`.
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kahriz_tools.errors import BenchError

AUTHORITY, GATEWAY = 10, 12  # exit codes, see cli.py
LONGEST_S = 60
PAPERS = ("ca.der", "ca2.der", "cert.der", "key.der")


def ask(command: Sequence[str], code: int, given: str | bytes = "") -> str:
    """Standard output of a command of ours; its own words when it refuses."""
    data = given if isinstance(given, bytes) else given.encode()
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"`{command[0]}` does not run ({error})", "repeat", code) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace")
        lines = [line for line in said.splitlines() if line.strip()] or ["no reason given"]
        what, _, mend = lines[-1].partition(": ")[2].rpartition(": ")
        raise BenchError(what or lines[-1], mend or "mend that", code)
    return done.stdout.decode("utf-8", "replace")


@dataclass(frozen=True)
class Authority:
    """The site's certificate authority, in a folder of the technician's."""

    folder: Path
    passphrase_file: Path | None = None

    def papers(self, node: str) -> dict[str, bytes]:
        """What goes into the node: file name -> bytes; empty when there is none yet."""
        folder = self.folder / "nodes" / node
        found = {}
        for name in PAPERS:
            path = folder / name
            if path.is_file():
                found[name] = path.read_bytes()
        return found

    def standing(self, node: str) -> str | None:
        """The serial of the node's certificate, when it stands and lies in the folder."""
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import load_der_private_key

        papers = self.papers(node)
        if not {"ca.der", "cert.der", "key.der"} <= papers.keys():
            return None
        try:
            own = x509.load_der_x509_certificate(papers["cert.der"])
            key = load_der_private_key(papers["key.der"], None)
        except (ValueError, TypeError) as error:
            raise BenchError(
                f"the certificate of {node} cannot be read ({error})",
                f"`kahriz site ca renew {node} --ca {self.folder}`",
                AUTHORITY,
            ) from error
        if key.public_key() != own.public_key():
            raise BenchError(
                f"key and certificate of {node} are not one pair",
                f"`kahriz site ca renew {node} --ca {self.folder}`",
                AUTHORITY,
            )
        serial = f"{own.serial_number:x}"
        for row in self.register():
            if row["serial"] == serial and row["name"] == node:
                return serial if row["trusted"] else None
        return None

    def register(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self._ca("show", "--json"))
        return rows

    def issue(self, node: str) -> None:
        """A key and certificate: the first, or a new one when the old is lost to us."""
        stands = any(row["name"] == node and row["trusted"] for row in self.register())
        self._ca("renew" if stands else "issue", node, *self._words())

    def revoke(self, node: str, why: str, serial: str | None = None) -> str:
        """Shut out all certificates of a node, or one."""
        one = ["--serial", serial] if serial else []
        return self._ca("revoke", node, "--why", why, *one, *self._words())

    def sign(self, statement: dict[str, Any]) -> bytes:
        """A statement under the authority's name, as it is kept beside the sheet."""
        text = json.dumps(statement, ensure_ascii=False)
        return self._ca("sign", *self._words(), given=text).encode()

    def _words(self) -> list[str]:
        return ["--passphrase-file", str(self.passphrase_file)] if self.passphrase_file else []

    def _ca(self, *arguments: str, given: str = "") -> str:
        command = [sys.executable, "-m", "kahriz", "site", "ca", *arguments]
        return ask([*command, "--ca", str(self.folder)], AUTHORITY, given)


@dataclass(frozen=True)
class Gateway:
    """`kahriz gateway`, here or behind a command; `data` None: it cannot be reached from here."""

    data: str | None
    config: str
    command: str | None = None

    def run(self, *arguments: str, given: str | bytes = "", plan: bool = False) -> str:
        if self.data is None:
            raise BenchError(
                "the gateway's store was not named",
                "on the gateway's machine say --gateway-data FOLDER; from elsewhere also "
                "--gateway-command 'ssh pi@kahriz-gateway kahriz'; or --without records",
                GATEWAY,
            )
        try:
            first = shlex.split(self.command) if self.command else [sys.executable, "-m", "kahriz"]
        except ValueError as error:
            raise BenchError(
                f"--gateway-command {self.command!r}: {error}", "quote it", GATEWAY
            ) from error
        more = ["--config", self.config] if plan else []
        return ask([*first, "gateway", *arguments, "--data", self.data, *more], GATEWAY, given)
