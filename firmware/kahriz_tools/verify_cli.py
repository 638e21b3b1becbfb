# SPDX-License-Identifier: MIT
"""`kahriz node verify`: who signed a commissioning sheet, when, and that no byte changed since."""

import json
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_tools.errors import BenchError
from kahriz_tools.talk import EXIT_CODES, Talk, json_option

SHEET, SIGNATURE = "sheet.json", "sheet.sig"
LEAST_DIGITS = 16


@click.command(epilog=EXIT_CODES)
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--ca", type=click.Path(path_type=Path), help="The authority's folder or ca.pem; else SITE/ca."
)
@click.option("--sum", "printed", help="What is printed on the paper, to be compared.")
@json_option
def verify(folder: Path, ca: Path | None, printed: str | None, as_json: bool) -> None:
    """Check the sheet in FOLDER (commissioned/NODE): its signature and every byte of it."""
    talk = Talk(as_json)
    with talk.mending():
        home = folder if folder.is_dir() else folder.parent
        said = look(home, ca or home.parent.parent / "ca")
        digits = str(said["sum"])
        if printed is not None:
            compare(printed, digits)
        who = said["who"] or "nobody (--who was not said)"
        talk.say(f"{said['site']}/{said['node']}: signed for {who} at {said['at']}")
        talk.say(f"by {said['authority']}, fingerprint {said['short_fingerprint']}")
        talk.say(f"sum on the paper: {said['short_sum']}")
        talk.result({"ok": True, **said})


def look(home: Path, ca: Path) -> dict[str, Any]:
    """The statement under the sheet, after everything was checked."""
    from kahriz_tools import signature

    signed = _bytes(home / SIGNATURE, "`kahriz node provision` signs it")
    names = signature.files_of(signed)
    files = {name: (home / name).read_bytes() for name in names if (home / name).is_file()}
    said = signature.check(signed, files, signature.trusted(ca))
    try:
        facts = json.loads(files[SHEET])
        digits, same = (
            facts["sha256"],
            (facts["site"], facts["node"]) == (said["site"], said["node"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise BenchError(f"there is no {SHEET} under it", "it is none of ours") from error
    if not same:
        raise BenchError("sheet and signature name two nodes", "do not believe it")
    shorts = {
        "short_fingerprint": signature.short(said["fingerprint"]),
        "short_sum": signature.short(digits),
    }
    return {**said, "sum": digits, **shorts}


def compare(printed: str, digits: str) -> None:
    """What a person read off the paper, with or without its spaces."""
    given = "".join(printed.split()).lower()
    if len(given) < LEAST_DIGITS:
        raise BenchError(f"{len(given)} digits", f"{LEAST_DIGITS} or more say something", 2)
    if not digits.startswith(given):
        raise BenchError(
            "the paper has another sum than this sheet", "it is the paper of another sheet"
        )


def _bytes(file: Path, mend: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BenchError(f"there is no {file} ({error.strerror})", mend) from error
