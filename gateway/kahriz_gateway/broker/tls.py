# SPDX-License-Identifier: MIT
"""How the gateway's services prove themselves to the broker: files or systemd credentials."""

from __future__ import annotations

import os
import ssl
from dataclasses import replace
from pathlib import Path

from kahriz_water.site import Broker, Tls
from kahriz_water.strict import ConfigError


def beside(broker: Broker, folder: Path) -> Broker:
    """The same broker with relative file names taken from the folder of site.toml."""
    tls = broker.tls
    if tls is None:
        return broker
    ca, cert, key = (str(folder / name) for name in (tls.ca, tls.cert, tls.key))
    return replace(broker, tls=Tls(ca, cert, key))


def files(tls: Tls, service: str) -> tuple[Path, Path, Path]:
    """Trust bundle, certificate and key of a service; the test node's name stands for itself."""
    ca, cert, key = (_file(name, service) for name in (tls.ca, tls.cert, tls.key))
    return ca, cert, key


def context(broker: Broker, service: str, bare: bool = False) -> ssl.SSLContext | None:
    """TLS with the site's authority alone and our own certificate (`bare`: without one)."""
    if broker.tls is None:
        return None
    ca, cert, key = files(broker.tls, service)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_verify_locations(ca)
    except OSError as error:
        raise ConfigError("broker.tls.ca", _wanted("ca.pem", error), str(ca)) from error
    if not bare:
        try:
            made.load_cert_chain(cert, key)
        except OSError as error:
            found = f"{cert}, {key}"
            raise ConfigError("broker.tls.cert", _wanted(cert.name, error), found) from error
    return made


def _file(name: str, service: str) -> Path:
    """A path; a file of that name among systemd's credentials goes before."""
    if service == "doctor":
        name = name.replace("gateway.{service}", "doctor")
    path = Path(name.replace("{service}", service))
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / path.name).exists():
        return Path(folder) / path.name
    return path


def _wanted(name: str, error: OSError) -> str:
    why = error.strerror if error.errno and not isinstance(error, ssl.SSLError) else str(error)
    return f"the files of CA/gateway ({name} and its key) that `kahriz site ca` made ({why})"
