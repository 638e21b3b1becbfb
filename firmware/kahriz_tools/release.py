# SPDX-License-Identifier: MIT
"""A signed release of the node's program, for the way over the air; and the key that signs it.

The private key stays on one laptop or stick; every node gets the public modulus by cable
(`kahriz node flash --release-key`) and takes no program that is not signed by it.
"""

import hashlib
import os
import struct
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kahriz_node import stamp
from kahriz_tools import image
from kahriz_tools.errors import BenchError
from kahriz_wire import WireError, release

KEY_BITS = 3072
KEY_PATH = "/release.key"  # on the node
CODE = 3


@dataclass(frozen=True)
class Made:
    """A release and what it is."""

    data: bytes
    number: int
    version: str
    files: int


def make_key(file: Path) -> None:
    """A new private key, readable by its owner only; an old one is never overwritten."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(pem)
    except OSError as error:
        raise BenchError(
            f"{file} cannot be made ({error.strerror})", "give a new name", CODE
        ) from error


def load_key(file: Path) -> rsa.RSAPrivateKey:
    """The private key of a file."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BenchError(
            f"{file} is no private key ({error})", "make one: `kahriz node release key`", CODE
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != KEY_BITS:
        raise BenchError(f"{file} is no RSA key of {KEY_BITS} bits", "make one", CODE)
    return key


def modulus(file: Path) -> bytes:
    """What a node keeps: the modulus of a private or public key in hexadecimal digits."""
    try:
        data = file.read_bytes()
        if b"PRIVATE" in data:
            public = load_key(file).public_key()
        else:
            found = serialization.load_pem_public_key(data)
            if not isinstance(found, rsa.RSAPublicKey) or found.key_size != KEY_BITS:
                raise ValueError(f"no RSA key of {KEY_BITS} bits")
            public = found
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise BenchError(
            f"{file} is no key ({error})", "make one: `kahriz node release key`", CODE
        ) from error
    return f"{public.public_numbers().n:x}\n".encode()


def public_pem(file: Path) -> bytes:
    """The public half, to be given away."""
    return (
        load_key(file)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def make(
    key: rsa.RSAPrivateKey, version: str | None = None, drivers: Collection[str] | None = None
) -> Made:
    """Compile, list, sign."""
    version = version or stamp.VERSION
    try:
        number = release.number(version)
    except WireError as error:
        raise BenchError(f"version {version}", str(error), CODE) from error
    files = program(version, number, drivers)
    return pack(key, files, version)


def pack(key: rsa.RSAPrivateKey, files: dict[str, bytes], version: str) -> Made:
    """List and sign; `files` are .mpy by their path in the program."""
    manifest = manifest_text(files, version)
    body = b"".join(files.values())
    if len(manifest) > release.MANIFEST_MOST_BYTES or len(body) > release.FILES_MOST_BYTES:
        raise BenchError("the program is too large for a slot", "leave drivers out", CODE)
    signature = key.sign(manifest, padding.PKCS1v15(), hashes.SHA256())
    head = release.MAGIC + struct.pack(">HI", len(manifest), len(body))
    data = head + signature + manifest + body
    return Made(data, release.number(version), version, len(files))


def manifest_text(files: dict[str, bytes], version: str) -> bytes:
    """What is signed: the version, and the sum and size of every file."""
    mpy = min(data[1] for data in files.values())
    lines = [f"kahriz 1 {release.number(version)} {mpy} {version} {release.FORM}"]
    lines += [
        f"{hashlib.sha256(data).hexdigest()} {len(data)} {path}" for path, data in files.items()
    ]
    return ("\n".join(lines) + "\n").encode()


def program(version: str, number: int, drivers: Collection[str] | None) -> dict[str, bytes]:
    """The program of this version: path in a slot -> .mpy."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "image"
        lib = root / "lib"
        files = {
            path.relative_to(lib).as_posix(): path.read_bytes()
            for path in image.build_image(root, drivers, version)
            if lib in path.parents
        }
    return dict(sorted(files.items()))
