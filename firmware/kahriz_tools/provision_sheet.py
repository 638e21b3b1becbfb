# SPDX-License-Identifier: MIT
"""The last step of commissioning: the sheet, drawn, and signed by the site's authority.

sheet.json holds the facts and their sum, sheet.pdf shows them with the sum as QR, sheet.sig is the
authority's signature over both (`kahriz node verify`). A site without TLS has no authority: its
sheet says so.
"""

import hashlib
import io
import json
from datetime import datetime
from importlib.resources import files
from typing import Any

from kahriz_node import stamp
from kahriz_tools import signature
from kahriz_tools.case import Case
from kahriz_tools.errors import BenchError
from kahriz_tools.neighbours import GATEWAY
from kahriz_tools.provision_board import AtBoard
from kahriz_tools.provision_laptop import Laptop
from kahriz_tools.provision_paper import OnPaper
from kahriz_tools.selftest import values
from kahriz_tools.steps import Step

SHEET, PAGE, SIGNATURE = "sheet.json", "sheet.pdf", "sheet.sig"
UNSIGNED = "not signed: this site has no authority"
Json = dict[str, Any]


class Sheet:
    """What stays of a commissioning, for whoever comes later."""

    def __init__(self, case: Case, laptop: Laptop, at_board: AtBoard, paper: OnPaper) -> None:
        self.case = case
        self.laptop = laptop
        self.at_board = at_board
        self.paper = paper

    def step(self) -> Step:
        return Step("sheet", "own the site's folder", self.told, self.tell, waits=True)

    def told(self) -> str | None:
        """Drawn from these facts, and signed as it lies there."""
        try:
            made = {name: (self.case.home / name).read_bytes() for name in (SHEET, PAGE)}
        except OSError:
            return None
        sheet = self._sheet()
        if made[SHEET] != sheet:
            return None
        signed = self._signed(made)
        if signed is None:
            return None
        digits = signature.short(json.loads(sheet)["sha256"])
        return f"{self.case.home / PAGE}, sum {digits}, {signed}"

    def tell(self) -> None:
        facts = self._facts()
        self.case.keep(**{key: facts[key] for key in ("who", "place", "photo") if facts[key]})
        photo = self._photo()
        sheet = self._sheet()
        page = self._draw(sheet, photo)
        self.case.put(PAGE, page)
        self.case.put(SHEET, sheet)
        wish = self.case.wish
        if wish.plain:
            (self.case.home / SIGNATURE).unlink(missing_ok=True)
            return
        asked = signature.statement(
            facts["site"], facts["node"], facts["who"], {SHEET: sheet, PAGE: page}
        )
        self.case.put(SIGNATURE, wish.authority.sign(asked))

    def _signed(self, made: dict[str, bytes]) -> str | None:
        if self.case.wish.plain:
            return UNSIGNED
        file = self.case.home / SIGNATURE
        try:
            said = signature.check(file.read_bytes(), made, self._authorities())
        except (OSError, BenchError):  # none yet, or of what was there before
            return None
        return f"signed for {said['who'] or 'nobody'} at {said['at']}"

    def _authorities(self) -> list[signature.Certificate]:
        return signature.trusted(self.case.wish.authority.folder)

    def _photo(self) -> str:
        """The name of the photo beside the sheet; empty when there is none."""
        given = self.case.wish.photo
        if given is None:
            kept = sorted(self.case.home.glob("photo.*"))
            return kept[0].name if kept else ""
        name = f"photo{given.suffix.lower()}"
        self.case.put(name, given.read_bytes())
        return name

    def _draw(self, sheet: bytes, photo: str) -> bytes:
        import typst

        page = files("kahriz_tools").joinpath("sheet.typ").read_bytes()
        facts = json.loads(sheet)
        told = {
            "sheet": sheet.decode(),
            "photo": photo,
            "sum": signature.short(facts["sha256"]),
            "authority": self._authority_in_words(),
            "code": self._code(facts),
        }
        try:
            drawn = typst.Compiler(page, root=str(self.case.home), sys_inputs=told)
            made = drawn.compile(format="pdf")
        except RuntimeError as error:
            raise BenchError(
                f"typst cannot draw the sheet ({str(error).splitlines()[0]})",
                "is the photo a whole JPEG or PNG?",
                GATEWAY,
            ) from error
        assert isinstance(made, bytes)
        return made

    def _authority_in_words(self) -> str:
        if self.case.wish.plain:
            return UNSIGNED
        newest = self._authorities()[-1]
        digits = signature.short(signature.fingerprint(newest))
        return f"Signed by {newest.subject.rfc4514_string()}, fingerprint {digits}"

    def _code(self, facts: Json) -> str:
        """The sum as a QR code, as SVG: to hold the paper against the file."""
        import segno

        words = f"kahriz:sheet/{facts['site']}/{facts['node']}?sum={facts['sha256']}"
        out = io.BytesIO()
        segno.make(words, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False)
        return out.getvalue().decode()

    def _facts(self) -> Json:
        wish, laptop, state = self.case.wish, self.laptop, self.case.state
        photo = wish.photo.read_bytes() if wish.photo else None
        return {
            "site": laptop.config.site,
            "node": wish.node,
            "points": self.paper.points(),
            "who": wish.who or state.get("who", ""),
            "place": wish.place or state.get("place", ""),
            "photo": hashlib.sha256(photo).hexdigest() if photo else state.get("photo", ""),
            "board": f"{self.at_board.chip.kind}, MAC {self.at_board.chip.mac}",
            "micropython": f"{laptop.firmware.name} {_grouped(laptop.firmware.sha256)}"
            + ("" if laptop.firmware.pinned else " (not pinned)"),
            "program": f"{stamp.VERSION}, sum {laptop.mark[:16]}",
            "certificate": laptop.serial or "none",
            "network": f"{laptop.config.ssid}, broker {laptop.config.host}:{laptop.config.port}",
            "proof": _proof(state.get("proof", {})),
            "deployments": [_plain(one) for one in self.paper.deployments],
            "gaugings": [_plain(one) for one in self.paper.gaugings],
        }

    def _sheet(self) -> bytes:
        facts = self._facts()
        text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        summed = {**facts, "sha256": hashlib.sha256(text.encode()).hexdigest()}
        return (json.dumps(summed, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def _proof(proof: Json) -> Json:
    """The self-test as it stands on the sheet; an empty one was not made."""
    told = {key: value for key, value in proof.items() if key != "of"}
    if "sensors" in told:
        told["sensors"] = {name: values(name, one) for name, one in told["sensors"].items()}
    return told


def _grouped(digits: str) -> str:
    """A sum that a line may break.

    >>> _grouped("0123456789abcdef0123")
    '0123456789abcdef 0123'
    """
    return " ".join(digits[at : at + 16] for at in range(0, len(digits), 16))


def _plain(record: Json) -> Json:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in record.items()}
