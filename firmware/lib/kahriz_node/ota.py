# SPDX-License-Identifier: MIT
"""Puts a fetched release into the spare slot: signature first, every file checked, then one rename.

A cut before the rename leaves the old program as it is and the release to be unpacked again; after
it the new one is on trial, and boot.py goes back by itself when no receipt comes.
"""

import binascii
import hashlib
import os
import sys

from kahriz_node import slots
from kahriz_wire import WireError, release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, BinaryIO, Callable

KEY = "/release.key"  # the modulus in hexadecimal digits, put there by cable
PIECE_BYTES = 512
IS_FOLDER = 0x4000
# PKCS#1 v1.5: DER of an SHA-256 digest, RFC 8017, 9.2, note 1
SHA256_DER = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"


def digest(file: "BinaryIO", size: int) -> bytes:
    """sha256 of the next bytes of a file."""
    sha = hashlib.sha256()
    while size:
        data = file.read(min(size, PIECE_BYTES))
        if not data:
            raise WireError("release.short", "too short")
        sha.update(data)
        size -= len(data)
    whole: bytes = sha.digest()
    return whole


def genuine(modulus: int, signature: bytes, sha256: bytes) -> bool:
    """RSA-3072, PKCS#1 v1.5, exponent 65537."""
    sealed = int.from_bytes(signature, "big")
    if not 0 < sealed < modulus:
        return False
    opened = sealed
    for _ in range(16):
        opened = opened * opened % modulus
    opened = opened * sealed % modulus
    tail = SHA256_DER + sha256
    padded = b"\x00\x01" + b"\xff" * (release.SIGNATURE_BYTES - 3 - len(tail)) + b"\x00" + tail
    return opened.to_bytes(release.SIGNATURE_BYTES, "big") == padded


def install(root: str, number: int, running: int, feed: "Callable[[], None]") -> None:
    """Check and unpack /ota.<number>, and put it on trial; WireError when it is not to be."""
    path = root + "/ota." + str(number)
    run, state, _ = slots.read(root)
    if state.isdigit():
        raise WireError("release.trial", "another is on trial")
    slot = "b" if run == "a" else "a"
    with open(path, "rb") as file:
        manifest, _ = release.head(file.read(release.HEAD_BYTES))
        signature = file.read(release.SIGNATURE_BYTES)
        sha256 = digest(file, manifest)
        feed()
        if not genuine(key(root), signature, sha256):
            raise WireError("release.signature", "the signature is not ours")
        feed()
        file.seek(release.HEAD_BYTES + release.SIGNATURE_BYTES)
        named, mpy, _ = release.first_line(file.readline().decode())
        if named != number or number <= running:
            raise WireError("release.number", "not newer than what runs")
        if mpy != getattr(sys.implementation, "_mpy", mpy) & 0xFF:
            raise WireError("release.micropython", "for another MicroPython")
        clear(root + "/" + slot)
        unpack(file, root + "/" + slot, manifest, feed)
    slots.write(root, slot, str(slots.TRIAL_BOOTS), run)
    os.remove(path)


def key(root: str) -> int:
    """The modulus of the one who may sign."""
    try:
        with open(root + KEY) as file:
            return int(file.read().strip(), 16)
    except (OSError, ValueError):
        raise WireError("release.key", "this node has no key to check it") from None


def unpack(file: "Any", folder: str, manifest: int, feed: "Callable[[], None]") -> None:
    """Write every file and read it back."""
    begin = release.HEAD_BYTES + release.SIGNATURE_BYTES
    end = at = begin + manifest
    line = file.tell()
    made = [folder]
    os.mkdir(folder)
    while line < end:
        file.seek(line)
        sha256, size, name = release.file_line(file.readline().decode())
        line = file.tell()
        parts = name.split("/")
        for deep in range(1, len(parts)):
            inside = folder + "/" + "/".join(parts[:deep])
            if inside not in made:
                os.mkdir(inside)
                made.append(inside)
        copy(file, at, size, folder + "/" + name)
        at += size
        with open(folder + "/" + name, "rb") as back:
            if binascii.hexlify(digest(back, size)).decode() != sha256:
                raise WireError("release." + name, "is damaged")
        feed()
    copy(file, begin, manifest, folder + "/manifest")


def copy(file: "BinaryIO", at: int, size: int, path: str) -> None:
    """Some bytes of a file into one of their own."""
    file.seek(at)
    with open(path, "wb") as out:
        while size:
            data = file.read(min(size, PIECE_BYTES))
            if not data:
                raise WireError("release.short", "too short")
            out.write(data)
            size -= len(data)


def clear(folder: str) -> None:
    """Take the folder away with all below it."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        inside = folder + "/" + name
        if os.stat(inside)[0] & IS_FOLDER:
            clear(inside)
        else:
            os.remove(inside)
    os.rmdir(folder)
