# SPDX-License-Identifier: MIT
"""Water balance of a reach: leak, fouled weir, or a balance that cannot be trusted.

    r(t) = Q_up(t - travel) - Q_dn(t) - normal loss

What is lost now beyond what was always lost. A leak lowers the downstream weir; a leaf in the
notch lifts the upstream one and changes nothing below: the commonest false leak, 10 mm of it read
2.1 L/s at 12 L/s.
"""

from __future__ import annotations

import math
from typing import Any

from kahriz_detect.blocks import BLOCK_MS, Blocks
from kahriz_detect.cusum import Cusum
from kahriz_detect.detector import Detector
from kahriz_detect.episode import Episode
from kahriz_detect.finding import Finding, Sample
from kahriz_detect.normal import Normal

KEEP_BLOCKS = 48  # half a day: longer than water needs to any of our weirs
RECENT, AT_MOST, BEFORE = 3, 16, 12  # blocks: what is now, what was just before it began
SURE = 0.65  # share of the change that one weir must explain to be the one that moved
CLEAR = 3.0  # times its own scatter a change must be to be held against a weir
CORRELATED = 1.5  # quarter hours are not independent: variance of a mean is larger by this
SUDDEN = 0.6  # share of a loss that came since it began, else it crept in before
DOUBT_BLOCKS = 16  # undecided for four hours: then it is said to be undecided
SETTLED_SHARE = 0.25  # a size that still grows by more is not told yet
SUSPECT = 3  # QARTOD: a stage without its thermometer is no argument against a weir
FLOOR_SHARE, FLOOR_LPS = 0.01, 0.03  # no balance of two weirs scatters less


class Balance(Detector):
    """Mass balance between two points of a reach, quarter hour by quarter hour.

    Thresholds are multiples of the scatter seen here, set on simulated and recorded balances,
    whose residuals are autocorrelated (AR(1), 0.7 in five minutes): textbook run lengths lie.

    Parameters
    ----------
    place, up, down : the reach and its two points.
    travel_s : how long the water is under way; 2 s a metre fits 0.5 m/s.
    learn_days : before that nothing is said.
    memory_days : how long the normal loss remembers; it is frozen while suspicious.
    drift, threshold, persist : of the CUSUM, in scatters and blocks of a quarter hour.
    least_share : the smallest loss worth a word, as a share of the upstream flow.

    Examples
    --------
    >>> reach = Balance("upper", "outlet", "middle", travel_s=0, learn_days=1)
    >>> found = []
    >>> for i in range(2 * 288):
    ...     leak = 2.0 if i >= 400 else 0.0
    ...     found += reach.update(Sample(i * 300_000, "outlet", "discharge_lps", 12 + i % 3 * 0.1))
    ...     found += reach.update(Sample(i * 300_000, "middle", "discharge_lps", 11.5 - leak))
    >>> [(f.kind, f.place, f.ts // 300_000, f.lps) for f in found if f.what == "raised"]
    [('leak', 'upper', 408, 2.0)]

    References
    ----------
    Page (1954), Continuous inspection schemes, Biometrika 41.
    """

    kinds: tuple[str, ...] = ("leak", "fouled_weir", "balance_doubt")
    by_clock = False

    def __init__(
        self,
        place: str,
        up: str,
        down: str,
        travel_s: float,
        learn_days: float = 3.0,
        memory_days: float = 10.0,
        drift: float = 2.0,
        threshold: float = 8.0,
        persist: int = 3,
        least_share: float = 0.05,
    ) -> None:
        if learn_days <= 0 or memory_days <= 0 or travel_s < 0 or least_share <= 0:
            raise ValueError("days and least_share must be positive, travel_s not negative")
        self.place, self.up, self.down = place, up, down
        self.lag = travel_s * 1000.0 / BLOCK_MS
        self.learn_days, self.least_share = learn_days, least_share
        self.flows = {up: Blocks(KEEP_BLOCKS), down: Blocks(KEEP_BLOCKS)}
        self.loss = Normal(memory_days)
        self.levels = {up: Normal(memory_days / 4.0), down: Normal(memory_days / 4.0)}
        self.lost = Cusum(drift, threshold, persist)
        self.gained = Cusum(drift, threshold, persist)
        self.episode = Episode()
        self.undecided = 0
        self.block: int | None = None

    @property
    def name(self) -> str:
        return f"balance:{self.place}"

    @property
    def points(self) -> tuple[str, ...]:
        return (self.up, self.down)

    def update(self, sample: Sample) -> list[Finding]:
        """Take one value in, in time order; what is missing or failed is a gap."""
        if sample.point not in self.flows or sample.quantity not in ("discharge_lps", "flow_lps"):
            return []
        found = self.tick(sample.ts)
        least = sample.bound == "lt" and sample.point == self.down  # so much is lost at the least
        if least or (sample.bound is None and sample.q < SUSPECT):
            self.flows[sample.point].add(sample.ts, sample.value)
        return found

    def tick(self, watermark_ms: int) -> list[Finding]:
        """Nothing older than the watermark will come: close the quarter hours behind it."""
        block = watermark_ms // BLOCK_MS
        found: list[Finding] = []
        if self.block is None or block - self.block > KEEP_BLOCKS:
            self.block = max(self.block or block, block - KEEP_BLOCKS)
        while self.block < block:
            found += self._close(self.block)
            self.block += 1
        return found

    def _flow(self, point: str, block: int) -> float | None:
        return self.flows[point].at(block - self.lag if point == self.up else block)

    def _close(self, block: int) -> list[Finding]:
        up, down = self._flow(self.up, block), self._flow(self.down, block)
        if up is None or down is None:
            return []
        e = up - down - self.loss.expected(block)
        scatter = max(1.25 * self.loss.scatter, FLOOR_SHARE * up + FLOOR_LPS)
        unit = max(scatter, self.least_share * up / self.lost.drift)
        if self.loss.days < self.learn_days:
            self._learn(block, up, down)
            return []
        if self.episode.kind is not None:
            found = self.episode.follow(block, e, self.lost.drift * unit, scatter)
            if self.episode.kind is None:
                self.lost.reset()
                self.gained.reset()
            return found
        rings = [self.lost.update(e / unit, block), self.gained.update(-e / unit, block)]
        if any(rings):
            return self._judge(block, scatter, lost=rings[0])
        self.undecided = 0
        if not self.lost.suspicious and not self.gained.suspicious:
            self._learn(block, up, down)
        return []

    def _learn(self, block: int, up: float, down: float) -> None:
        self.loss.learn(up - down, block)
        self.levels[self.up].learn(up, block)
        self.levels[self.down].learn(down, block)

    def _judge(self, block: int, scatter: float, lost: bool) -> list[Finding]:
        """Which of the two weirs moved says what it is."""
        self.undecided += 1
        since = (self.lost if lost else self.gained).since or block
        losses = self._losses(block)
        rise, fall, u = self._moved(block, since, losses, scatter)
        last = self.undecided >= DOUBT_BLOCKS
        step = losses[-1] - losses[-2] if len(losses) > 1 else losses[-1]
        if step > max(2.0 * scatter, SETTLED_SHARE * losses[-1]) and not last:
            return []
        if lost and fall > max(SURE * (rise + fall), CLEAR * u):
            kind, place = "leak", self.place
        elif lost and rise > max(SURE * (rise + fall), CLEAR * u):
            kind, place = "fouled_weir", self.up
        elif last:
            kind, place = "balance_doubt", self.place
        else:
            return []
        self.undecided = 0
        evidence: dict[str, float | str] = {
            "since_ms": float(since * BLOCK_MS),
            "up_change_lps": round(rise, 3),
            "down_change_lps": round(-fall, 3),
            "change_u_lps": round(2.0 * u, 3),
            "scatter_lps": round(scatter, 3),
        }
        return [self.episode.begin(kind, place, block, since, losses[-2:], scatter, evidence)]

    def _losses(self, block: int) -> list[float]:
        """Beyond the normal loss, in the last blocks; the newest has data, or nothing had rung."""
        losses: list[float] = []
        for b in range(block - RECENT + 1, block + 1):
            up, down = self._flow(self.up, b), self._flow(self.down, b)
            if up is not None and down is not None:
                losses.append(up - down - self.loss.expected(b))
        return losses

    def _moved(
        self, block: int, since: int, losses: list[float], scatter: float
    ) -> tuple[float, float, float]:
        """Rise upstream, fall downstream, and the standard uncertainty of each.

        Measured from just before it began, so that a storm that lifts both is no argument; what
        crept in over days is measured from the learned level.
        """
        now = range(min(block - RECENT + 1, max(since, block - AT_MOST + 1)), block + 1)
        before = range(since - BEFORE, since)
        u = scatter * math.sqrt(CORRELATED / 2.0 * (1.0 / len(now) + 1.0 / BEFORE))
        up, down = (self._mean(p, now) - self._mean(p, before) for p in (self.up, self.down))
        if abs(up - down) > SUDDEN * abs(sum(losses) / len(losses)):
            return up, -down, u
        up, down = (
            self._mean(p, now) - sum(self.levels[p].expected(b) for b in now) / len(now)
            for p in (self.up, self.down)
        )
        return up, -down, u

    def _mean(self, point: str, blocks: range) -> float:
        """Mean over blocks that have data; the learned level where none has."""
        found = [f for b in blocks if (f := self._flow(point, b)) is not None]
        return sum(found) / len(found) if found else self.levels[point].mean

    def dump(self) -> Any:
        """All that is known, as JSON."""
        return {
            "flows": {p: b.dump() for p, b in self.flows.items()},
            "levels": {p: n.dump() for p, n in self.levels.items()},
            "loss": self.loss.dump(),
            "lost": self.lost.dump(),
            "gained": self.gained.dump(),
            "episode": self.episode.dump(),
            "undecided": self.undecided,
            "block": self.block,
        }

    def load(self, state: Any) -> None:
        for point, blocks in self.flows.items():
            blocks.load(state["flows"][point])
            self.levels[point].load(state["levels"][point])
        for part in ("loss", "lost", "gained", "episode"):
            getattr(self, part).load(state[part])
        self.undecided, self.block = state["undecided"], state["block"]
