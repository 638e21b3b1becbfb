# SPDX-License-Identifier: MIT
"""What a life's node gets by cable: its configuration, papers for TLS, the key of releases."""

import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from littlefs import LittleFS

from kahriz_tools import release
from tests.node.certs import Site

BLOCK_BYTES = 4096  # as the board formats its flash
BLOCKS = 384
UNIT_BYTES = 32
VERSIONS = ("0.1.0.1", "0.1.0.2", "0.1.0.3")


@dataclass(frozen=True)
class Updates:
    """Signed programs, the later the newer, and the modulus that judges them."""

    modulus: bytes
    releases: tuple[bytes, ...]


def make_updates(drivers: list[str]) -> Updates:
    """Programs of a day: the one that the image holds, under other numbers."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=release.KEY_BITS)
    modulus = f"{key.public_key().public_numbers().n:x}\n".encode()
    return Updates(modulus, tuple(release.make(key, one, drivers).data for one in VERSIONS))


def papers(folder: Path, node: str) -> tuple[dict[str, bytes], ssl.SSLContext]:
    """The node's certificates by their place on its flash, and the broker's side of TLS."""
    site = Site(folder)
    site.sign(node)
    context = site.server(site.sign("broker", ["127.0.0.1"]))
    files = {"ca": "ca.der", "cert": f"{node}.der", "key": f"{node}.key.der"}
    return {f"/tls/{name}.der": (folder / file).read_bytes() for name, file in files.items()}, (
        context
    )


def new_flash(path: Path, config: dict[str, Any], files: dict[str, bytes]) -> None:
    """A flash file as a laptop would leave it, before the node's first wake."""
    fs = LittleFS(
        block_size=BLOCK_BYTES, block_count=BLOCKS, read_size=UNIT_BYTES, prog_size=UNIT_BYTES
    )
    for name, data in {"/config.json": json.dumps(config).encode(), **files}.items():
        if name.count("/") > 1:
            fs.makedirs(name.rsplit("/", 1)[0], exist_ok=True)
        with fs.open(name, "wb") as file:
            file.write(data)
    path.write_bytes(bytes(fs.context.buffer))
