# SPDX-License-Identifier: MIT
"""Storm water in the gallery: conductivity or temperature leaps while the flow rises.

    z(t) = |x(t) - normal(t)| / scatter,   rise(t) = Q(last hour) / median(Q of the hours before)

Ground water keeps its salt and its warmth for months; rain that has run over the ground and into
a shaft has neither, and brings what lay there. Either sign alone is something else: a sensor that
was cleaned, a gate that was opened, a spring that rises slowly.
"""

from __future__ import annotations

from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.blocks import Blocks, steps_of
from kahriz_detect.numbers.middle import median
from kahriz_detect.numbers.normal import Normal
from kahriz_detect.site import CONDUCTIVITY, FLOW, TEMPERATURE, Signal, Site

LEARN_DAYS, MEMORY_DAYS = 3.0, 5.0
Z_SEEN, Z_CALM = 6.0, 3.0  # scatters
LEAST = {CONDUCTIVITY: 0.06, TEMPERATURE: 0.5}  # of the mean; °C: less is no storm
SCATTER = {CONDUCTIVITY: 0.01, TEMPERATURE: 0.08}  # no probe is steadier, in the same units
RISE = 1.10  # of the flow before; a weir scatters by 2 %
PERSIST = 2  # blocks: an hour
NOW, BEFORE = 2, 24  # blocks of flow: an hour, and twelve hours before it
CALM_H, LASTS_DAYS = 24.0, 14.0  # as before for so long; a new normal after so long


class Storm(Detector):
    """A leap of one probe in the water with a rise of the flow at the mouth.

    Parameters
    ----------
    place, flow : the source, and the flow at its mouth.
    trace, quantity : the probe in the water, conductivity or temperature.
    step_s : length of a frame.

    Examples
    --------
    >>> storm = Storm("outlet", "outlet", "salt", "conductivity_us_cm")
    >>> found = []
    >>> for i in range(700):
    ...     wet = i >= 600
    ...     frame = Frame(i, i * 600_000, {"outlet": 15.0 if wet else 12.0,
    ...                                    "salt": 700.0 if wet else 900.0 + i % 5})
    ...     found += storm.step(frame)
    >>> [(f.what, f.kind, f.place, f.ts // 600_000) for f in found]
    [('raised', 'storm', 'outlet', 606)]

    References
    ----------
    Ryan and Meiman 1996, Ground Water 34(1) 23-30: a karst spring's conductivity falls when storm
    water arrives, hours after its flow rises, and faecal bacteria come with it.
    """

    kinds = ("storm",)

    def __init__(
        self, place: str, flow: str, trace: str, quantity: str, step_s: float = 600.0
    ) -> None:
        if quantity not in LEAST or step_s <= 0:
            raise ValueError(f"a trace is one of {', '.join(LEAST)}, step_s is positive")
        self.place, self.flow, self.trace, self.quantity = place, flow, trace, quantity
        self.steps = steps_of(step_s)
        self.block_ms = round(self.steps * step_s * 1000)
        self.a_day = max(1, 86_400_000 // self.block_ms)
        self.blocks = {key: Blocks(2, self.steps) for key in (flow, trace)}
        self.flows: list[float] = []
        self.normal = Normal(MEMORY_DAYS, self.a_day)
        self.off = 0  # blocks in a row
        self.since: int | None = None  # the first of them
        self.open: list[int] | None = None  # block, calm blocks

    @property
    def name(self) -> str:
        return f"storm:{self.trace}"

    def step(self, frame: Frame) -> list[Finding]:
        """Take a frame in; a flow above the weir's range is at least that much."""
        for key, blocks in self.blocks.items():
            value = frame.values.get(key)
            if value is not None and frame.bounds.get(key, "gt") == "gt":
                blocks.add(frame.number, value)
        if (frame.number + 1) % self.steps:
            return []
        return self._close(frame.number // self.steps)

    def _close(self, block: int) -> list[Finding]:
        flow, value = self.blocks[self.flow].at(block), self.blocks[self.trace].at(block)
        if flow is not None:
            self.flows = [*self.flows[-(NOW + BEFORE) + 1 :], flow]
        if value is None:
            return []
        z, change = self._far(value, block)
        if self.open is not None:
            return self._over(block, z, value)
        if self.normal.days < LEARN_DAYS or z < Z_CALM:
            self.normal.learn(value, block)
        strange = self.normal.days >= LEARN_DAYS and z >= Z_SEEN and change >= LEAST[self.quantity]
        self.off = self.off + 1 if strange else 0
        self.since = None if not strange else block if self.since is None else self.since
        if self.off < PERSIST:
            return []
        if not self._rises():
            return self._new_normal(block)
        return self._raise(block, value)

    def _far(self, value: float, block: int) -> tuple[float, float]:
        """In scatters, and in the unit of LEAST."""
        expected = self.normal.expected(block)
        unit = abs(self.normal.mean) or 1.0 if self.quantity == CONDUCTIVITY else 1.0
        change = abs(value - expected) / unit
        return change / max(1.25 * self.normal.scatter / unit, SCATTER[self.quantity]), change

    def _rises(self) -> bool:
        if len(self.flows) < NOW + BEFORE // 2:
            return False
        before = median(self.flows[:-NOW])
        return before > 0 and sum(self.flows[-NOW:]) / NOW >= RISE * before

    def _new_normal(self, block: int) -> list[Finding]:
        """A leap that lasts without any rise of the flow: the probe was moved, or cleaned."""
        if self.since is not None and block - self.since >= LASTS_DAYS * self.a_day:
            self.normal, self.off, self.since = Normal(MEMORY_DAYS, self.a_day), 0, None
        return []

    def _raise(self, block: int, value: float) -> list[Finding]:
        self.open = [block, 0]
        evidence: dict[str, float | str] = {
            f"{self.quantity}_before": round(self.normal.expected(block), 2),
            f"{self.quantity}_now": round(value, 2),
            "before_lps": round(median(self.flows[:-NOW]), 2),
            "now_lps": round(sum(self.flows[-NOW:]) / NOW, 2),
        }
        if self.since is not None:
            evidence["since_ms"] = float(self.since * self.block_ms)
        return [Finding(RAISED, "storm", self.place, self._ts(block), evidence=evidence)]

    def _over(self, block: int, z: float, value: float) -> list[Finding]:
        assert self.open is not None
        began, calm = self.open
        calm = calm + 1 if z < Z_CALM else 0
        self.open = [began, calm]
        lasts = block - began >= LASTS_DAYS * self.a_day
        if calm * self.block_ms < CALM_H * 3_600_000 and not lasts:
            return []
        self.open, self.off, self.since = None, 0, None
        if lasts:
            self.normal = Normal(MEMORY_DAYS, self.a_day)
        self.normal.learn(value, block)
        why: dict[str, float | str] = {"explained_by": "lasts"} if lasts else {}
        return [Finding(CLEARED, "storm", self.place, self._ts(block), evidence=why)]

    def dismiss(self, kind: str, place: str) -> None:
        if self.open is not None and (kind, place) == ("storm", self.place):
            self.open, self.off, self.since = None, 0, None
            self.normal = Normal(MEMORY_DAYS, self.a_day)

    def _ts(self, block: int) -> int:
        return (block + 1) * self.block_ms

    def dump(self) -> Any:
        return {
            "blocks": {key: blocks.dump() for key, blocks in self.blocks.items()},
            "flows": self.flows,
            "normal": self.normal.dump(),
            "numbers": [self.off, self.since, self.open],
        }

    def load(self, state: Any) -> None:
        for key, blocks in self.blocks.items():
            blocks.load(state["blocks"][key])
        self.flows = list(state["flows"])
        self.normal.load(state["normal"])
        self.off, self.since, self.open = state["numbers"]


def storms(site: Site) -> list[Detector]:
    """One for each probe in the water; the flow is that of the first source."""
    place, flow = mouth(site)
    traces = traces_of(site) if flow is not None else ()
    return [Storm(place, flow or "", t.key, t.quantity, site.step_s) for t in traces]


def traces_of(site: Site) -> tuple[Signal, ...]:
    return site.of(CONDUCTIVITY, TEMPERATURE)


def mouth(site: Site) -> tuple[str, str | None]:
    """Place and flow of the source; the first flow where no source is known."""
    if site.sources:
        return site.sources[0].place, site.sources[0].outlet
    first = next(iter(site.of(FLOW)), None)
    return (site.id, None) if first is None else (first.point, first.key)
