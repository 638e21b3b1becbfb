# SPDX-License-Identifier: MIT
"""A release of the node's program as it travels: head, signature, manifest, the files behind it.

`KHR1`, length of the manifest (2 bytes) and of the files (4 bytes), signature (RSA-3072, PKCS#1
v1.5, SHA-256 over the manifest), manifest, files. The manifest is text: `kahriz 1 <number> <.mpy
version> <version> <form>`, then a line `<sha256> <size> <path>` a file. The larger number is the
newer. The form is that of the journal on flash: a program that keeps it otherwise does not come
over the air, because boot.py could not go back from it.
"""

import struct

from kahriz_wire import WireError

MAGIC = b"KHR1"
HEAD_BYTES = 10
SIGNATURE_BYTES = 384
MANIFEST_MOST_BYTES = 8192
FILES_MOST_BYTES = 200000
CHUNK_BYTES = 1536  # one message `ota/<number>/<offset>`
FORM = 2  # of the journal: 2 has its newest rows in `tail` and its segments in `index`
JOURNAL = "/journal.2"  # on flash; a program of another form does not find it and begins its own
WINDOW = 8  # messages that the gateway sends when it is asked once


def number(version: str) -> int:
    """The number of a version of up to four parts, such as 0.1.0 or 0.1.0.7."""
    try:
        parts = [int(part) for part in version.split(".")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 4 or not all(0 <= part <= 99 for part in parts) or parts[0] > 41:
        raise WireError("version", "expected up to four numbers from 0 to 99, as in 0.1.0")
    while len(parts) < 4:
        parts.append(0)
    return ((parts[0] * 100 + parts[1]) * 100 + parts[2]) * 100 + parts[3]


def head(data: bytes) -> "tuple[int, int]":
    """Length of the manifest and of the files, from the first bytes."""
    if len(data) < HEAD_BYTES or data[:4] != MAGIC:
        raise WireError("release.kind", "this is no release of the node's program")
    manifest, files = struct.unpack(">HI", data[4:HEAD_BYTES])
    if not 0 < manifest <= MANIFEST_MOST_BYTES or not 0 < files <= FILES_MOST_BYTES:
        raise WireError("release.head", "its head is not plausible")
    return manifest, files


def total(data: bytes) -> int:
    """Bytes of the whole release, from its first bytes."""
    manifest, files = head(data)
    return HEAD_BYTES + SIGNATURE_BYTES + manifest + files


def first_line(line: str) -> "tuple[int, int, str]":
    """Number, .mpy version and version, from the manifest's first line."""
    words = line.split()
    if not 5 <= len(words) <= 6 or words[0] != "kahriz" or words[1] != "1":
        raise WireError("release.manifest", "a manifest of another kind")
    if words[5:] != [str(FORM)]:
        raise WireError(
            "release.form",
            "its program keeps the journal in another form than form "
            + str(FORM)
            + ": make the release anew from a source of today, or put it on by cable",
        )
    if not words[2].isdigit() or not words[3].isdigit() or number(words[4]) != int(words[2]):
        raise WireError("release.version", "number and version contradict each other")
    return int(words[2]), int(words[3]), words[4]


def file_line(line: str) -> "tuple[str, int, str]":
    """sha256, size and path of a file; a path stays inside the program's folder."""
    words = line.split()
    if len(words) != 3 or len(words[0]) != 64 or not words[1].isdigit():
        raise WireError("release.line", "a line of the manifest cannot be read")
    path = words[2]
    if path[0] == "/" or ".." in path or not path.endswith(".mpy") or path.count("/") > 2:
        raise WireError("release.path", "a path that leaves the program's folder")
    return words[0], int(words[1]), path
