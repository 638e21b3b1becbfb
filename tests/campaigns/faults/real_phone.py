# SPDX-License-Identifier: MIT
"""The crew's modem in the real chain: a stick on a pseudo-terminal, spoken to by the real gammu."""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path

from kahriz_detect.finding import RAISED, Finding
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_sim.modem import Modem as Stick
from kahriz_sim.modem_pty import Terminal
from kahriz_sim.modem_trouble import Trouble
from kahriz_water.plan import parse_plan

PROMISE_S = 300.0
PEOPLE = """
[modem]
device = "{device}"

[alarms]
gather_minutes = 0

[[person]]
id = "ali"
name = "Əli"
role = "crew"
language = "az"
channels = ["sms"]
phone = "+994501234567"
"""


class Phone:
    """`raise_alarm` is the water's word; `told` says what the crew has of it."""

    def __init__(self, site_toml: Path, village: Path) -> None:
        self.stick = Stick(Trouble(share=0.0, seed=7))
        self.line = Terminal(self.stick)
        with site_toml.open("a", encoding="utf-8") as out:
            out.write(PEOPLE.format(device=self.line.device))
        self._plan = parse_plan(site_toml.read_text(encoding="utf-8"))
        self._village = village

    def trouble(self, kinds: tuple[str, ...], share: float) -> None:
        self.stick.trouble.kinds, self.stick.trouble.share = kinds, share

    def well(self) -> None:
        """Somebody pulls the plug and puts it back."""
        self.stick.trouble.share = 0.0
        self.stick.power_cycle()

    def raise_alarm(self, place: str) -> None:
        """As the detectors of the village do, into its store."""
        now = round(time.time() * 1000)
        leak = Finding(RAISED, "leak", place, now, 2.0, 0.4, 7.0)
        with (
            contextlib.closing(village_store.open_village(self._village)) as conn,
            village_store.transaction(conn),
        ):
            village_alarms.apply(conn, [leak], self._plan, now, {})

    def texts(self, place: str) -> list[str]:
        """What has left about it, whole."""
        found, text = [], ""
        for piece in list(self.stick.sent):
            text = piece.text if piece.part == 1 else text + piece.text
            if piece.part == piece.parts:
                found.append(text)
        return [text for text in found if re.search(rf"\b{place}\b", text)]

    def close(self) -> None:
        self.line.close()
