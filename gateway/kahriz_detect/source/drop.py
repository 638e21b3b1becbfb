# SPDX-License-Identifier: MIT
"""A sudden loss at the source: collapse of the gallery, or a blockage below its mouth.

    drop = 1 - mean(Q of the last hour) / median(Q of the hours before)
    rise = ln(level) - 2 ln(Q) - normal                (of the chamber, `rating`)

A collapse takes water from outlet and chamber alike. A blockage lifts the chamber for the flow
that is left, and creeps before the flow falls at all. A storm that fades falls by 2 % an hour and
a drought by that in a month; stone takes its share at once. Without a chamber the next weir must
have lost its part too, or it was a leaf that somebody brushed off.

What a metered offtake takes above the mouth is not lost. Of a mouth that people keep closed only a
chamber that falls with it is told: no gate does that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.blocks import Blocks, steps_of
from kahriz_detect.numbers.cusum import Cusum
from kahriz_detect.numbers.normal import Normal
from kahriz_detect.numbers.rating import Rating
from kahriz_detect.source.around import Around

LEARN_DAYS = 2.0
SHARE_SEEN = 0.12  # a drop that the chamber confirms
BACK = 0.9  # of what was before: the gallery is open again
CLEAR_H, LASTS_DAYS = 6.0, 30.0
FORGET_DAYS = 3.0  # after so long a gap nothing is compared with what was before
CLOSED_SHARE = 0.1  # so little of the flow, and the chamber full: somebody shut the gate
CLOSED_H = 8.0  # for so long a closure is planned use
METER = 0.35  # share of the rise by which the next flow may exceed the outlet's


class SourceDrop(Detector):
    """Fall of the flow at the mouth, confirmed by the chamber there or by the next weir.

    Parameters
    ----------
    place, outlet, next_flow : the source, the flow at its mouth, the next flow.
    below : the reach in which a blockage lies.
    chamber : level above the outlet, if there is one.
    share : the smallest sudden loss worth a word without a chamber.
    confirm : part of that share which the next weir must show.
    taken : metered offtakes between the gallery and the outlet.

    Examples
    --------
    >>> source = SourceDrop("gallery", "outlet", "middle", "upper")
    >>> found = []
    >>> for i in range(400):
    ...     lps = 12.0 if i < 350 else 6.0
    ...     found += source.step(Frame(i, i * 600_000, {"outlet": lps, "middle": lps}))
    >>> [(f.kind, f.place, f.ts // 600_000, f.lps) for f in found]
    [('source_drop', 'gallery', 354, 6.0)]

    References
    ----------
    Notes on failure modes of kahrizes: a collapse takes 30 to 100 % in minutes to hours.
    """

    kinds = ("source_drop", "collapse", "blockage")
    sees_shut = True

    def __init__(
        self,
        place: str,
        outlet: str,
        next_flow: str | None,
        below: str,
        chamber: str | None = None,
        step_s: float = 600.0,
        share: float = 0.16,
        confirm: float = 0.5,
        taken: Sequence[str] = (),
    ) -> None:
        if not 0 < share < 1 or not 0 < confirm <= 1 or step_s <= 0:
            raise ValueError("share and confirm are parts of one, step_s is positive")
        self.place, self.below = place, below
        self.outlet, self.next_flow, self.chamber = outlet, next_flow, chamber
        self.share, self.confirm = share, confirm
        self.steps = steps_of(step_s)
        self.block_ms = round(self.steps * step_s * 1000)
        self.a_day = max(1, 86_400_000 // self.block_ms)
        self.keys = [k for k in (outlet, next_flow, chamber) if k is not None]
        self.blocks = {k: Blocks(2, self.steps) for k in self.keys}
        self.taken = tuple(taken)
        self.around = Around(self.keys)
        self.last_block = 0
        self.rating = Rating(self.a_day)
        self.ratio = Normal(10.0, self.a_day)  # ln of next to outlet
        self.rise = Cusum(1.5, 8.0, 2)
        self.block: int | None = None
        self.seen = 0
        self.open: dict[str, list[float]] = {}  # kind: flow before, block, calm blocks
        self.shut = 0  # blocks since somebody closed the gate

    @property
    def name(self) -> str:
        return f"source:{self.outlet}"

    def step(self, frame: Frame) -> list[Finding]:
        """Take a frame in; "less than" counts as that much."""
        number, values, bounds = frame.number, frame.values, frame.bounds
        for key in self.keys:
            value = values.get(key)
            if value is not None and (not bounds or bounds.get(key, "lt") == "lt"):
                if key == self.outlet:  # silence of an offtake explains nothing
                    value += sum(frame.get(k) or 0.0 for k in self.taken)
                self.blocks[key].add(number, value)
        if (number + 1) % self.steps:
            return []
        return self._close(number // self.steps)

    def _close(self, block: int) -> list[Finding]:
        values = {k: self.blocks[k].at(block) for k in self.keys}
        flow = values[self.outlet]
        if flow is None:
            return []
        if (block - self.last_block) > FORGET_DAYS * self.a_day:
            self.around.forget()
        self.last_block = block
        closed = self.outlet in self.closed((block + 1) * self.block_ms)
        self.around.add(values, closed)
        level = values[self.chamber] if self.chamber is not None else None
        if closed:
            known = level is not None and self.seen >= LEARN_DAYS * self.a_day
            return self._dropped(block, flow, level, closed) if known else []
        self.seen += 1
        found = self._over(block, flow)
        if level is not None:
            found += self._blocked(block, flow, level, values.get(self.next_flow or ""))
        if self.seen >= LEARN_DAYS * self.a_day and not self.shut:
            found += self._dropped(block, flow, level)
        return found

    def _dropped(
        self, block: int, flow: float, level: float | None, closed: bool = False
    ) -> list[Finding]:
        around = self.around.of(self.outlet, closed)
        if around is None or "drop" in self.open or around[1] <= 0:
            return []
        now, before = around
        drop = 1.0 - now / before
        if drop < SHARE_SEEN:
            return []
        evidence: dict[str, float | str] = {
            "before_lps": round(before, 3),
            "now_lps": round(now, 3),
            "drop_share": round(drop, 3),
        }
        kind = "source_drop"
        at = self.chamber if level is not None else None
        chamber = self.around.of(at, closed) if at else None
        if chamber is not None:
            if chamber[0] > (1.0 - drop) * chamber[1]:  # a collapse takes both
                return []
            kind = "collapse"
            evidence["chamber_before_m"] = round(chamber[1], 3)
            evidence["chamber_now_m"] = round(chamber[0], 3)
        else:
            below = self.around.of(self.next_flow) if self.next_flow and not closed else None
            if drop < self.share or below is None or below[1] <= 0:
                return []
            drop_below = 1.0 - below[0] / below[1]
            if drop_below < self.confirm * drop:
                return []
            evidence["drop_share_below"] = round(drop_below, 3)
        self.open["drop"] = [before, float(block), 0.0, float(kind == "collapse")]
        return [self._finding(RAISED, kind, self.place, block, before - flow, evidence)]

    def _blocked(
        self, block: int, flow: float, level: float, next_lps: float | None
    ) -> list[Finding]:
        off = self.rating.off(flow, level)
        usual = math.exp(self.rating.flow)
        if self.rating.opening.count and flow < CLOSED_SHARE * usual:
            self.shut += 1
            if self.shut * self.block_ms < CLOSED_H * 3_600_000 or "blockage" in self.open:
                return []
            return self._block(
                block, flow, usual, level, off or 0.0, "shut for longer than a closure"
            )
        if self.shut:
            self.shut = 0
            self.rise.reset()
            self.around.forget()
            return []
        if off is None:
            return []
        sure = self.rating.scatter(level)
        ratio = math.log(next_lps / flow) if next_lps and next_lps > 0 and flow > 0 else None
        if self.rating.opening.days < LEARN_DAYS:
            self._learn(block, flow, level, ratio)
            return []
        z = max(-6.0, min(6.0, off / sure))
        rang = self.rise.update(z, block)
        if "blockage" in self.open:
            return []
        if abs(z) < 3.0 and not self.rise.suspicious:
            self._learn(block, flow, level, ratio)
        if not rang:
            return []
        if ratio is not None and self.ratio.count:
            more = ratio - self.ratio.mean
            if more > max(METER * off, 3.0 * max(1.25 * self.ratio.scatter, 0.008)):
                return []  # the next flow never fell: the outlet's meter reads low
        return self._block(block, flow, usual, level, off, "")

    def _learn(self, block: int, flow: float, level: float, ratio: float | None) -> None:
        self.rating.learn(block, flow, level)
        if ratio is not None:
            self.ratio.learn(ratio, block)

    def _block(
        self, block: int, flow: float, usual: float, level: float, off: float, why: str
    ) -> list[Finding]:
        evidence: dict[str, float | str] = {
            "chamber_m": round(level, 3),
            "chamber_expected_m": round(level * math.exp(-off), 3),
            "now_lps": round(flow, 3),
            "off_scatters": round(off / self.rating.scatter(level), 1),
        }
        if why:
            evidence["why"] = why
        if self.rise.since is not None:
            evidence["since_ms"] = float(self.rise.since * self.block_ms)
        self.open["blockage"] = [usual, float(block), 0.0, 0.0]
        return [self._finding(RAISED, "blockage", self.below, block, None, evidence)]

    def _over(self, block: int, flow: float) -> list[Finding]:
        found = []
        for what, kept in list(self.open.items()):
            before, since, _, collapse = kept
            if what == "drop":
                calm, kind, place = flow >= BACK * before, "source_drop", self.place
                kind = "collapse" if collapse else kind
            else:
                kind, place = "blockage", self.below
                calm = self.rise.sum < 0.5 * self.rise.threshold and not self.shut
                self.rise.sum = min(self.rise.sum, 3.0 * self.rise.threshold)
            kept[2] = kept[2] + 1 if calm else 0.0
            lasts = (block - since) > LASTS_DAYS * self.a_day
            if kept[2] * self.block_ms >= CLEAR_H * 3_600_000 or lasts:
                del self.open[what]
                why: dict[str, float | str] = {"explained_by": "lasts"} if lasts else {}
                found.append(self._finding(CLEARED, kind, place, block, None, why))
                self.rise.reset()
                if lasts and what == "blockage":
                    self.rating = Rating(self.a_day)
        return found

    def dismiss(self, kind: str, place: str) -> None:
        drop = self.open.get("drop")
        if drop and (kind, place) == ("collapse" if drop[3] else "source_drop", self.place):
            del self.open["drop"]
            self.around.forget()
        if "blockage" in self.open and (kind, place) == ("blockage", self.below):
            del self.open["blockage"]
            self.rating = Rating(self.a_day)
            self.rise.reset()

    def _finding(
        self,
        what: str,
        kind: str,
        place: str,
        block: int,
        lps: float | None,
        evidence: dict[str, float | str],
    ) -> Finding:
        return Finding(what, kind, place, (block + 1) * self.block_ms, lps, evidence=evidence)

    def dump(self) -> Any:
        return {
            "blocks": {k: b.dump() for k, b in self.blocks.items()},
            "last": self.around.dump(),
            "rating": self.rating.dump(),
            "ratio": self.ratio.dump(),
            "rise": self.rise.dump(),
            "open": self.open,
            "numbers": [self.last_block, self.block, self.seen, self.shut],
        }

    def load(self, state: Any) -> None:
        for k, blocks in self.blocks.items():
            blocks.load(state["blocks"][k])
        self.around.load(state["last"])
        self.rating.load(state["rating"])
        self.ratio.load(state["ratio"])
        self.rise.load(state["rise"])
        self.open = {k: list(v) for k, v in state["open"].items()}
        self.last_block, self.block, self.seen, self.shut = state["numbers"]
