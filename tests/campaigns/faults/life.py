# SPDX-License-Identifier: MIT
"""The node's life in a schedule: its water, radio, flash and link, as the truth has them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from kahriz_sim.lone_talk import NO_FAULT, Fault
from kahriz_sim.noise import USUAL
from kahriz_wire import topics

from ..life import BOOT_MS, CODES, LEAST_MA, STEP_MA, NodeLife, Wake
from ..weather import Rates, Weather
from .broker import NodeTalk
from .given_up import too_early
from .schedule import Happening, Schedule
from .site import Site
from .small import NODE, SITE, ZERO_M

STAGE_M, STAGE_NOISE_M = 0.150, 0.0007  # 12 L/s over a 90° notch
AIR_C = 20.0
LINK = ("link_loses", "receipt_lost", "same_client_id", "foreign_receipt")
COPY_S = 1800.0  # the age of the copy that a restored store begins with


class WorldClock:
    """What NodeLife takes for the clock: to set it is to let the gateway live on until then."""

    trust = True

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def ms(self) -> int:
        return self._site.time.now_ms()

    @ms.setter
    def ms(self, now: int) -> None:
        self._site.run_until((now - self._site.time.start_ms) / 1000)


class Sky(Weather):
    """The part of a schedule that NodeLife asks for by itself."""

    def __init__(self, schedule: Schedule, begin_ms: int) -> None:
        self.seed = str(schedule.seed)
        self.rates = Rates()
        self.begin_ms = begin_ms
        self.end_ms = begin_ms + round(schedule.lasts_s * 1000)
        self.base_ppm = schedule.drift_ppm
        self.outages = []
        self.restores: list[int] = []
        self.updates: list[int] = []
        self.cuts = sorted(
            begin_ms + round(h.at_s * 1000)
            for h in schedule.happenings
            if h.kind == "node_power_cut"
        )


class FaultLife(NodeLife):
    """Asked by the board; every answer that matters is remembered."""

    weather: Sky
    dark_most_ms = 2_400_000

    def __init__(self, schedule: Schedule, site: Site, flash: Path) -> None:
        sky = Sky(schedule, site.time.start_ms)
        super().__init__(sky, site, WorldClock(site))  # type: ignore[arg-type]
        self.schedule, self.site = schedule, site
        self.given_up: list[list[int]] = []  # numbers that were not stored
        self._flash_file, self._spoke = flash, False
        self.fall_ms = None if schedule.fall_s is None else sky.begin_ms + schedule.fall_s * 1000
        self.whole_ms: list[int] = []  # when a receipt that leaves nothing open was heard
        self.heard_ms: list[int] = []  # when the gateway took a session in
        self._flash = [h for h in schedule.happenings if h.kind.startswith("flash_cut")]
        self._noise = Random(f"noise {schedule.seed}")
        self._taken_over = 0
        self._upto = 0  # of the newest receipt

    def _on(self, kind: str) -> Happening | None:
        at_s = (self.t_ms - self.weather.begin_ms) / 1000
        for each in self.schedule.happenings:
            if each.kind == kind and each.at_s <= at_s < each.to_s:
                return each
        return None

    # -- the board's questions

    def sleep(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self._spoke and not asked.get("cut"):
            self.given_up += too_early(self._flash_file, self.site.data / "readings.db")
        self._spoke = False
        return super().sleep(asked)

    def _begin(self, cause: str) -> dict[str, Any]:
        reply = super()._begin(cause)
        reply.pop("cut", None)
        at_s = (self.t_ms - self.weather.begin_ms) / 1000
        if self._flash and at_s >= self._flash[0].at_s:
            what = self._flash.pop(0)
            reply["cut"] = [1 + what.how % 12, what.kind.rsplit("_", 1)[1]]
        return reply

    def sense(self, device: str, asked: dict[str, Any]) -> dict[str, Any]:
        if device == "battery":
            if self._wake is not None:
                self._wake.on_flash = True
            return {"v": 3.31}
        if self._wake is None:
            synced = self._syncs[-1] if self._syncs else None
            learned = len(self._syncs) > 1 and self._syncs[-1] - self._syncs[0] > 700_000
            self._wake = Wake(self.number, self.t_ms + BOOT_MS, synced, learned)
            self.wakes.append(self._wake)
            self._stage_m = self._level_m() + self._noise.gauss(0.0, STAGE_NOISE_M)
            self._air_c = round((AIR_C + self._noise.gauss(0.0, 0.08)) / 0.0625) * 0.0625
        if device == "air":
            return {"c": self._air_c}
        if device == "ultrasonic":
            speed = 331.3 + 0.606 * self._air_c
            seen_mm = (ZERO_M - self._stage_m) * 1000 * USUAL.fixed_speed_m_s / speed
            return {"echo_mm": [round(seen_mm)] * asked["count"]}
        return {"ma": LEAST_MA + self.number % CODES * STEP_MA}

    def _level_m(self) -> float:
        if self.fall_ms is None or self.t_ms < self.fall_ms:
            return STAGE_M
        return float(STAGE_M * self.schedule.fall_to**0.4)

    def radio(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self._on("wifi_away"):
            return {"up": False, "rssi": None, "assoc_ms": 8000}
        assoc_ms = self._chance.randint(300, 1500)
        self._clock.ms = self.t_ms + asked["at"]  # the board may give up and join anew: see passed
        reply: dict[str, Any] = {"up": True, "rssi": -67, "assoc_ms": assoc_ms}
        return reply | ({"dns": False} if self._on("dns_away") else {})

    def passed(self, awake_ms: int) -> None:
        self.site.time.at_s = max(
            self.site.time.at_s, (self.t_ms + awake_ms - self.weather.begin_ms) / 1000
        )

    # -- the line to the gateway

    def talk(self) -> NodeTalk:
        """A session begins."""
        self._fault = self._draw_link()
        self._told = 0
        self._spoke = True
        self.site.busy()
        return self.site.broker.talk(self._fault, self._hears)

    def _draw_link(self) -> Fault:
        chance = self._chance
        if self._on("link_loses"):
            return chance.choice(
                [
                    Fault(lose_pubacks=True),
                    Fault(reset_after=chance.randint(0, 6)),
                    Fault(unheard_after=chance.randint(0, 4)),
                ]
            )
        if self._on("receipt_lost"):
            return Fault(lose_answers=chance.choice((1, 2, 10**6)))
        if self._on("same_client_id"):  # the broker gives the session to the newcomer
            self._taken_over += 1
            return Fault(reset_after=self._taken_over % 4)
        return NO_FAULT

    def _hears(self, answers: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """What the gateway says, on its way to the node."""
        if answers:
            self.heard_ms.append(self._clock.ms)
        self._told += len(answers)
        if self._told > self._fault.lose_answers:
            for topic, payload in answers:
                if topic.endswith("/receipt"):
                    self._receipt(json.loads(payload))
        strange = self._on("foreign_receipt")
        if strange is not None and self._told <= len(answers):
            return [self._foreign(strange), *answers]
        return answers

    def _receipt(self, body: dict[str, Any]) -> None:
        now = self._clock.ms
        self._upto = body["upto"]
        if "now" in body and (not self._syncs or self._syncs[-1] < now):
            self._syncs.append(now)
        if not body.get("missing"):
            self.whole_ms.append(now)

    def _foreign(self, what: Happening) -> tuple[str, bytes]:
        """Somebody who may speak on this topic tells of another session, some rows ahead."""
        body = {"s": f"{what.how:08x}", "journal": f"{what.how:08x}", "store": "deadbeef",
                "upto": self._upto + 4, "missing": []}  # fmt: skip
        return topics.of(SITE, NODE, "receipt"), json.dumps(body).encode()
