# SPDX-License-Identifier: MIT
"""The node's program as one file to hand out: compiled, listed, the same bytes for the same source.

`kahriz-node-<version>.zip` holds, in this order,

    MANIFEST       the release's manifest: a first line, then `<sha256> <size> <path>` a file
    SHA256SUMS     of every file beside it, for `sha256sum --check`
    sbom.cdx.json  what it is made of (CycloneDX 1.5)
    program/       boot.py, main.py, lib/…: as they lie on the chip

It is not signed: `kahriz node release sign --bundle` signs what lies in it, so that who keeps the
key need not compile, and who wants to compare can make the same file anew.
"""

import hashlib
import importlib.metadata
import io
import json
import os
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path

from kahriz_node import stamp
from kahriz_tools import image
from kahriz_tools.errors import BenchError
from kahriz_tools.release import manifest_text
from kahriz_wire import WireError, release

PROGRAM = "program/"
LIB = f"{PROGRAM}lib/"
CODE = 3
MOST_BYTES = 4 * release.FILES_MOST_BYTES  # a zip that unpacks to more is no bundle of ours
COMPILER = "mpy-cross"
UNREADABLE = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    KeyError,
    ValueError,
    RuntimeError,
)


def make(version: str | None = None, drivers: Collection[str] | None = None) -> bytes:
    """Compile and pack; the day is that of SOURCE_DATE_EPOCH, else today."""
    version = version or stamp.VERSION
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        try:
            program = {
                PROGRAM + path.relative_to(root).as_posix(): path.read_bytes()
                for path in image.build_image(root, drivers, version)
            }
        except WireError as error:
            raise BenchError(f"version {version}", str(error), CODE) from error
    files = {"MANIFEST": manifest_text(on_the_slot(program), version)}
    files["sbom.cdx.json"] = parts(program, version)
    files |= program
    sums = "".join(f"{_sum(data)}  {name}\n" for name, data in sorted(files.items()))
    return _packed({"MANIFEST": files["MANIFEST"], "SHA256SUMS": sums.encode(), **files})


def read(file: Path) -> tuple[str, dict[str, bytes]]:
    """Version and compiled files of a bundle, each with the sum that its manifest says."""
    try:
        with zipfile.ZipFile(file) as bundle:
            if sum(each.file_size for each in bundle.infolist()) > MOST_BYTES:
                raise _not_whole(file, "it unpacks to more than a program may have")
            inside = {name: bundle.read(name) for name in bundle.namelist()}
        first, *lines = inside["MANIFEST"].decode("ascii").splitlines()
        _, _, version = release.first_line(first)
        listed = [release.file_line(line) for line in lines]
    except WireError as error:
        raise _not_whole(file, str(error)) from error
    except UNREADABLE as error:
        raise _not_whole(file, f"it cannot be read ({error})") from error
    files = on_the_slot(inside)
    if list(files) != [path for _, _, path in listed]:
        raise _not_whole(file, "its files are not those of its manifest")
    for sha256, size, path in listed:
        if len(files[path]) != size or _sum(files[path]) != sha256:
            raise _not_whole(file, f"{path} is not what its manifest says")
    return version, files


def on_the_slot(files: dict[str, bytes]) -> dict[str, bytes]:
    """Of a bundle's files those that go over the air, by their path in a slot."""
    return {name[len(LIB) :]: files[name] for name in sorted(files) if name.startswith(LIB)}


def parts(program: dict[str, bytes], version: str) -> bytes:
    """The list of parts: our own files alone, and the compiler that made them."""
    components = [
        {
            "type": "file",
            "name": name,
            "hashes": [{"alg": "SHA-256", "content": _sum(data)}],
            "licenses": [{"license": {"id": "MIT"}}],
        }
        for name, data in sorted(program.items())
    ]
    compiler = {
        "type": "application",
        "name": COMPILER,
        "version": importlib.metadata.version(COMPILER),
    }
    about = {"type": "firmware", "name": "kahriz-node", "version": version}
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"tools": {"components": [compiler]}, "component": about},
        "components": components,
    }
    return (json.dumps(body, indent=1) + "\n").encode()


def _packed(files: dict[str, bytes]) -> bytes:
    day = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))[:3]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (*day, 0, 0, 0))
            entry.create_system = 3  # as on a Unix, wherever it is made
            entry.external_attr = 0o100644 << 16
            bundle.writestr(entry, data)  # stored: a compressor of another version packs otherwise
    return out.getvalue()


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _not_whole(file: Path, why: str) -> BenchError:
    return BenchError(f"{file} is no bundle of the node's program: {why}", "make it anew", CODE)
