# SPDX-License-Identifier: MIT
"""The list of parts of what is handed out (CycloneDX 1.5), the same bytes for the same parts."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import subprocess
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scripts.uv import ROOT, uv

Parts = dict[str, Any]


def locked(extras: Sequence[str]) -> Parts:
    """What uv.lock has for these extras, on any machine."""
    wanted = [word for extra in extras for word in ("--extra", extra)]
    said = uv(
        "export", "--quiet", "--locked", "--no-dev", *wanted, "--format", "cyclonedx1.5",
        "--preview-features", "sbom-export", "--project", str(ROOT),
    )  # fmt: skip
    found = json.loads(said)
    assert isinstance(found, dict)
    return found


def of_wheels(parts: Parts, wheels: Iterable[Path]) -> Parts:
    """Those of the parts whose wheels are handed out, each with the sum of its file."""
    known = {(plain(each["name"]), each["version"]) for each in parts["components"]}
    ours = parts["metadata"]["component"]
    known.add((plain(ours["name"]), ours["version"]))
    found = []
    for wheel in sorted(wheels):
        name, version = wheel.name.split("-")[:2]
        if (plain(name), version) not in known:
            raise SystemExit(f"sbom: {wheel.name} is not in uv.lock")
        found.append(part(name, version, wheel))
    return document(found)


def part(name: str, version: str, file: Path) -> Parts:
    """A Python package of which this file is handed out."""
    purl = f"pkg:pypi/{plain(name)}@{version}"
    about = {"type": "library", "bom-ref": purl, "name": plain(name), "version": version}
    return about | {"purl": purl, "hashes": [sum_of(file.read_bytes())]}


def document(components: list[Parts]) -> Parts:
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}


def finished(parts: Parts, name: str, version: str, when_s: int) -> bytes:
    """The document about one product: named, dated by its source, numbered by its contents."""
    moment = datetime.datetime.fromtimestamp(when_s, datetime.UTC)
    about = {"type": "application", "name": name, "version": version}
    body = parts | {"metadata": {"timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "component": about}}
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return (json.dumps(body | {"serialNumber": f"urn:uuid:{number}"}, indent=1) + "\n").encode()


def sum_of(data: bytes) -> dict[str, str]:
    return {"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}


def plain(name: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def source_date_s() -> int:
    """When the last commit was made; the day of the program's stamp without a git."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    from kahriz_node import stamp

    return int(done.stdout.strip() or stamp.BUILT_S)
