# SPDX-License-Identifier: MIT
"""The file of `kahriz node accept`: what a first real board measured, to share and to reckon with.

It names board, meter and program, and no network, password or address. Each step stands in it as
measured (reading, [least, usual, most]) or as skipped with the reason; what is neither is open.
"""

import datetime
import json
import math
import os
from pathlib import Path
from typing import Any

from kahriz_node import stamp
from kahriz_tools.accept_steps import BOARD, STEPS
from kahriz_tools.errors import BenchError

KIND, VERSION, CODE = "kahriz accept", 1, 8
BOARDS = ("devkit", "bare", "tuned")
Band = tuple[float, float, float]


class Result:
    """One board's file; `save` after every step."""

    def __init__(self, path: Path, body: dict[str, Any]) -> None:
        self.path = path
        self.body = body
        self.steps: dict[str, dict[str, Any]] = body["steps"]

    def measured(self, key: str) -> Band | None:
        found = self.steps.get(key, {})
        return tuple(found["value"]) if "value" in found else None

    def read(self, key: str) -> float | None:
        """What the meter showed."""
        found: float | None = self.steps.get(key, {}).get("read")
        return found

    def put(self, key: str, read: float | None, value: Band) -> None:
        told: dict[str, Any] = {"value": [float(f"{one:.6g}") for one in value]}
        self.steps[key] = told | ({} if read is None else {"read": read}) | self._stamp(key)
        self.save()

    def skip(self, key: str, why: str) -> None:
        self.steps[key] = {"skipped": why} | self._stamp(key)
        self.save()

    def _stamp(self, key: str) -> dict[str, str]:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        return {"unit": STEPS[key].unit, "on": today, "how": STEPS[key].do}

    def save(self) -> None:
        text = json.dumps(self.body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        beside = self.path.with_name(self.path.name + ".part")
        try:
            beside.write_text(text, encoding="utf-8")
            os.replace(beside, self.path)
        except OSError as error:
            raise BenchError(
                f"cannot write {self.path} ({error.strerror})", "choose another --out", 3
            ) from error

    @property
    def board(self) -> str:
        return str(self.body["board"])

    def profile(self) -> dict[str, Band]:
        """Measured figures under the names of the model's table."""
        found = {}
        for key in STEPS:
            band = self.measured(key)
            group, dot, name = key.partition(".")
            if band is not None and dot:
                group = f"{group}.{self.board}" if group == BOARD else group
                found[f"{group}.{name}"] = band
        return found


def fresh(path: Path, board: str, step_ma: float, about: str) -> Result:
    """A file without a measurement."""
    body: dict[str, Any] = {
        "kind": KIND, "v": VERSION, "kahriz": stamp.VERSION, "about": about, "board": board,
        "meter_step_ma": step_ma, "steps": {}, "told": {},
    }  # fmt: skip
    return Result(path, body)


def load(path: Path) -> Result:
    """A file of ours, each figure inside its gate; refused with the place and the mend."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _bad(path, f"cannot be read ({error})") from error
    if not isinstance(body, dict) or (body.get("kind"), body.get("v")) != (KIND, VERSION):
        raise _bad(path, f"is no {KIND!r} of version {VERSION}")
    if body.get("board") not in BOARDS:
        raise _bad(path, f"board {body.get('board')!r}: one of {', '.join(BOARDS)}")
    step_ma = body.get("meter_step_ma", 0)
    if not _number(step_ma) or not 0.0 < step_ma <= 100.0:
        raise _bad(path, f"meter_step_ma {step_ma!r}")
    for part in ("steps", "told"):
        if not isinstance(body.get(part), dict):
            raise _bad(path, f"{part} is missing")
    for key, told in body["steps"].items():
        if key not in STEPS:
            raise _bad(path, f"steps: unknown {key!r}")
        if not isinstance(told, dict) or ("value" in told) == ("skipped" in told):
            raise _bad(path, f"{key}: neither measured nor skipped")
        if not ("read" not in told or _number(told["read"])):
            raise _bad(path, f"{key}: read {told['read']!r}")
        if "value" in told:
            _check_band(path, key, told["value"])
    return Result(path, body)


def _check_band(path: Path, key: str, band: object) -> None:
    low, high = STEPS[key].gate
    if not isinstance(band, list) or len(band) != 3 or not all(_number(one) for one in band):
        raise _bad(path, f"{key}: expected [least, usual, most]")
    if not (0.0 <= band[0] <= band[1] <= band[2] and low <= band[1] <= high):
        raise _bad(path, f"{key}: {band} is not rising, or not between {low:g} and {high:g}")


def _number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(float(str(value)))


def _bad(path: Path, why: str) -> BenchError:
    return BenchError(f"{path}: {why}", "take the file that `kahriz node accept` wrote", CODE)
