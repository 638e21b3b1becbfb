# SPDX-License-Identifier: MIT
"""Steps of commissioning on paper: the gateway's records, the label for the box."""

import io
import json
import tomllib
from datetime import datetime
from typing import Any

from kahriz_node import sensors
from kahriz_tools.case import Case, now
from kahriz_tools.errors import BenchError
from kahriz_tools.neighbours import GATEWAY
from kahriz_tools.provision_board import AtBoard
from kahriz_tools.provision_laptop import Laptop
from kahriz_tools.steps import Step

NEED_ZERO = {"distance_m", "current_ma", "level_m"}  # a level needs to know from where
LABEL = "label.svg"
Json = dict[str, Any]


class OnPaper:
    """What stays when the technician leaves."""

    def __init__(self, case: Case, laptop: Laptop, at_board: AtBoard) -> None:
        self.case = case
        self.laptop = laptop
        self.at_board = at_board
        self.deployments: list[Json] = []
        self.gaugings: list[Json] = []

    def steps(self) -> list[Step]:
        look = "look into the gateway's store: `kahriz gateway records export`"
        old = [Step("old board", "look into the authority", self.out, self.shut_out, waits=True)]
        return [
            *(old if self.case.wish.other_board else ()),
            Step("records", look, self.recorded, self.record, waits=True),
            Step("label", "own the site's folder", self.labelled, self.label, waits=True),
        ]

    def out(self) -> str | None:
        """What this board replaces is shut out, once this one is proven."""
        replaces = self.case.state.get("replaces", {})
        serial, mac = replaces.get("serial"), replaces.get("mac")
        if serial is None:
            return f"{mac} had no certificate"
        for row in self.case.wish.authority.register():
            if row["serial"] == serial and row["revoked"]:
                return f"the certificate of {mac} is revoked; tell the broker: `revoke --old`"
        return None

    def shut_out(self) -> None:
        wish, replaces = self.case.wish, self.case.state["replaces"]
        wish.authority.revoke(wish.node, f"board {replaces['mac']} replaced", replaces["serial"])

    # --- the gateway's records

    def recorded(self) -> str | None:
        """The gateway holds this node's deployments just so."""
        gateway = self.case.wish.gateway
        self.deployments = self._wanted()
        try:
            held = tomllib.loads(gateway.run("records", "export"))
        except BenchError as error:
            if "no village.db" in error.what:
                return None
            raise
        self.gaugings = [g for g in held.get("gauging", []) if g["point"] in self.points()]
        there = held.get("deployment", [])
        for wanted in self.deployments:
            if not any(all(one.get(k) == v for k, v in wanted.items()) for one in there):
                return None
        return ", ".join(f"{one['channel']} at {one['point']}" for one in self.deployments)

    def record(self) -> None:
        text = "\n".join(_block("deployment", one) for one in self.deployments)
        self.case.wish.gateway.run("records", "import", "/dev/stdin", given=text, plan=True)

    def _wanted(self) -> list[Json]:
        """From the site's records.toml; a channel that is not there gets what was said."""
        wish = self.case.wish
        file = wish.site / "records.toml"
        try:
            known = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        except (OSError, ValueError) as error:
            raise BenchError(f"{file} cannot be read ({error})", "mend it", GATEWAY) from error
        ours = [one for one in known.get("deployment", []) if one.get("node") == wish.node]
        said = {**wish.zeros, **wish.spans}
        named = {one.get("channel") for one in ours} - set(said)
        made = [
            self._new(name, spec) for name, spec in self.laptop.config.channels if name not in named
        ]
        return [one for one in ours if one.get("channel") in named] + made

    def _new(self, channel: str, spec: Json) -> Json:
        wish, points = self.case.wish, self.points()
        if len(points) != 1:
            raise BenchError(
                f"{wish.node} measures at {', '.join(points)}: where is {channel}?",
                f"write its [[deployment]] into {wish.site}/records.toml",
                GATEWAY,
            )
        begin = self.case.state.get("deployed_from")
        if begin is None:
            begin = now()
            self.case.keep(deployed_from=begin)
        driver: Any = sensors.module(spec["driver"])
        found: Json = {
            "node": wish.node,
            "channel": channel,
            "point": points[0],
            "from": datetime.fromisoformat(begin),
        }
        if NEED_ZERO & set(driver.KEYS):
            if channel not in wish.zeros:
                raise BenchError(
                    f"nobody said from where {channel} measures",
                    f"--zero {channel}=METRES: the sensor's face over the notch's point by tape, "
                    "or the level at 4 mA",
                    GATEWAY,
                )
            found["zero_m"] = wish.zeros[channel]
        if channel in wish.spans:
            found["span_m"] = wish.spans[channel]
        if hasattr(driver, "SOUND_SPEED"):
            found["sound_speed"] = driver.SOUND_SPEED
        return found

    def points(self) -> list[str]:
        node = self.case.wish.node
        points = self.laptop.plan.get("point", [])
        return [one["id"] for one in points if one.get("node", one["id"]) == node]

    # --- the label

    def _words(self) -> str:
        """What the QR code says; a stranger who reads it learns nothing that opens a door."""
        laptop = self.laptop
        words = f"kahriz:{laptop.config.site}/{laptop.config.node}?mac={self.at_board.chip.mac}"
        return words + (f"&cert={laptop.serial[:8]}" if laptop.serial else "")

    def _label(self) -> bytes:
        import segno

        out = io.BytesIO()
        code = segno.make(self._words(), error="q", micro=False)
        code.save(out, kind="svg", scale=4, border=4, title=self._words(), xmldecl=False)
        return out.getvalue()

    def labelled(self) -> str | None:
        file = self.case.home / LABEL
        same = file.is_file() and file.read_bytes() == self._label()
        return f"{file}: {self._words()}" if same else None

    def label(self) -> None:
        self.case.put(LABEL, self._label())


def _block(name: str, pairs: Json) -> str:
    """One [[name]] table of TOML."""
    lines = [f"[[{name}]]"]
    for key, value in pairs.items():
        text = value.isoformat() if isinstance(value, datetime) else json.dumps(value)
        lines.append(f"{key} = {text}")
    return "\n".join(lines) + "\n"
