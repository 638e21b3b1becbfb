# SPDX-License-Identifier: MIT
"""Turns (növbə): whose water it is now, what each plot got, whether it was fair, and drought.

A rota is a cycle of plots in order, each with its agreed minutes; `-` stands for time in which the
water is let to nobody. It holds from its start until the next rota starts. What was done otherwise
is a correction: from then to then the water went to that plot, or to none. Nothing here knows
names: a plot is a code.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

MINUTE_MS = 60_000
NOBODY = ""  # a stretch of time that a correction takes from everyone
CLOSED = "-"  # a stretch of the cycle in which nobody has the water
MOST_PLOTS = 100
LONGEST_CYCLE_MIN = 60 * 24 * 60  # 60 days


class TurnsError(ValueError):
    """A rota that cannot be; `about` names the rule, `what` the part that breaks it."""

    def __init__(self, about: str, what: str, message: str) -> None:
        super().__init__(message)
        self.about = about
        self.what = what


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot's code and its minutes in each cycle."""

    code: str
    minutes: float


@dataclass(frozen=True, slots=True)
class Rota:
    """Plots in order from `start_ms`; `flow_lps` is the flow for which the minutes were agreed."""

    start_ms: int
    plots: tuple[Plot, ...]
    flow_lps: float

    def __post_init__(self) -> None:
        codes = [plot.code for plot in self.plots if plot.code != CLOSED]
        if not codes or len(codes) > MOST_PLOTS:
            text = f"{len(codes)} plots: a rota has 1 to {MOST_PLOTS}"
            raise TurnsError("count", str(len(codes)), text)
        for code in codes:
            if not code.strip() or len(code) > 12:
                raise TurnsError("code", code, f"plot {code!r}: a code of 1 to 12 characters")
            if codes.count(code) > 1:
                raise TurnsError("double", code, f"plot {code} stands {codes.count(code)} times")
        for plot in self.plots:
            if not (math.isfinite(plot.minutes) and plot.minutes >= 1.0):
                text = f"plot {plot.code}: {plot.minutes} minutes, at least 1"
                raise TurnsError("minutes", plot.code, text)
        if self.cycle_ms > LONGEST_CYCLE_MIN * MINUTE_MS:
            days = self.cycle_ms // 86_400_000
            raise TurnsError("cycle", str(days), f"the cycle takes {days} days, at most 60")
        if not (math.isfinite(self.flow_lps) and self.flow_lps > 0.0):
            raise TurnsError("flow", str(self.flow_lps), f"flow {self.flow_lps} L/s: more than 0")

    @property
    def cycle_ms(self) -> int:
        return sum(_ms(plot) for plot in self.plots)

    def share(self, code: str) -> float:
        """The agreed share of a plot, 0 to 1."""
        minutes = {p.code: p.minutes for p in self.plots if p.code != CLOSED}
        return minutes.get(code, 0.0) / sum(minutes.values())


@dataclass(frozen=True, slots=True)
class Turn:
    """The water went to `plot` from `start_ms` to `end_ms`; `corrected` when not as planned."""

    plot: str
    start_ms: int
    end_ms: int
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Got:
    """What a plot got in a span: m3 +- u_m3 over `covered_ms` of its `time_ms`."""

    plot: str
    turns: int
    time_ms: int
    m3: float
    u_m3: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Fairness:
    """A plot's m3 against its agreed share of all m3: `off_m3` is less or more than that.

    `off_m3` is None where too little of anybody's time was measured to compare.
    """

    got: Got
    agreed: float
    off_m3: float | None
    u_m3: float

    @property
    def fair(self) -> bool | None:
        """Whether the difference is within what is uncertain; None when it cannot be told."""
        return None if self.off_m3 is None else abs(self.off_m3) <= self.u_m3


MEASURED = 0.8  # of a plot's time, below which its water is not compared
WITHIN = 0.05  # of its fair share: differences that nobody on the field sees


def turns_between(
    rotas: Sequence[Rota], corrections: Iterable[Turn], start_ms: int, end_ms: int
) -> list[Turn]:
    """All turns that touch a span, in order, whole; the newest correction of a moment holds."""
    found = list(_planned(rotas, start_ms, end_ms))
    for correction in corrections:
        found = [part for turn in found for part in _without(turn, correction)]
        if correction.end_ms > start_ms and correction.start_ms < end_ms:
            found.append(replace(correction, corrected=True))
    had = (t for t in found if t.plot not in (NOBODY, CLOSED))
    return sorted(had, key=lambda t: (t.start_ms, t.plot))


def turn_at(rotas: Sequence[Rota], corrections: Iterable[Turn], now_ms: int) -> Turn | None:
    """Whose turn it is."""
    turns = turns_between(rotas, corrections, now_ms, now_ms + 1)
    return next((t for t in turns if t.start_ms <= now_ms < t.end_ms), None)


def rota_at(rotas: Sequence[Rota], now_ms: int) -> Rota | None:
    """The rota that holds: of those that have started the one that started last."""
    return max((r for r in rotas if r.start_ms <= now_ms), key=lambda r: r.start_ms, default=None)


def fairness(rota: Rota, got: Sequence[Got]) -> list[Fairness]:
    """Each plot's water against its agreed share of what all plots of the rota got together.

    The share is of the m3, not of the minutes: when the flow falls, equal minutes are not equal
    water. The systematic error of the one weir is in all alike and cancels in the comparison.
    """
    by_plot = {g.plot: g for g in got}
    plots = [p for p in rota.plots if p.code != CLOSED]
    mine = [by_plot[p.code] for p in plots if p.code in by_plot]
    known = len(mine) == len(plots) and all(g.coverage >= MEASURED for g in mine)
    whole = sum(g.m3 for g in mine)
    result = []
    for g in mine:
        due = rota.share(g.plot) * whole
        off = g.m3 - due if known else None
        result.append(Fairness(g, rota.share(g.plot), off, max(WITHIN * due, _random(g, mine))))
    return result


def stretched(rota: Rota, flow_lps: float, start_ms: int) -> Rota:
    """The same water for each plot at a smaller flow: minutes grow as the flow falls.

    Raises TurnsError where the flow is not smaller, or so small that the cycle is over 60 days.
    """
    if not (math.isfinite(flow_lps) and 0.0 < flow_lps < rota.flow_lps):
        text = f"{flow_lps:g} L/s is not less than the {rota.flow_lps:g} L/s of this rota"
        raise TurnsError("enough", f"{flow_lps:g}", text)
    factor = rota.flow_lps / flow_lps
    plots = tuple(
        p if p.code == CLOSED else Plot(p.code, float(round(p.minutes * factor)))
        for p in rota.plots
    )
    return Rota(start_ms, plots, flow_lps)


def by_plot(
    turns: Iterable[Turn], volumes: Mapping[Turn, tuple[float, float, float] | None]
) -> list[Got]:
    """Sum turns by plot; `volumes` gives (m3, u_m3, coverage) of each turn, None: not measured."""
    result = []
    key = lambda turn: turn.plot  # noqa: E731
    for plot, mine in itertools.groupby(sorted(turns, key=key), key=key):
        own = list(mine)
        parts = [(t.end_ms - t.start_ms, volumes[t] or (0.0, 0.0, 0.0)) for t in own]
        time_ms = sum(ms for ms, _ in parts)
        covered = sum(ms * coverage for ms, (_, _, coverage) in parts)
        m3 = sum(m3 for _, (m3, _, _) in parts)
        u_m3 = sum(u for _, (_, u, _) in parts)  # one weir: its error goes the same way each time
        result.append(Got(plot, len(own), time_ms, m3, u_m3, covered / time_ms))
    return result


def _planned(rotas: Sequence[Rota], start_ms: int, end_ms: int) -> Iterator[Turn]:
    ordered = sorted(rotas, key=lambda r: r.start_ms)
    for rota, after in itertools.zip_longest(ordered, ordered[1:]):
        until = end_ms if after is None else min(end_ms, after.start_ms)
        if until <= max(start_ms, rota.start_ms):
            continue
        cycles = max(0, (start_ms - rota.start_ms) // rota.cycle_ms)
        at = rota.start_ms + cycles * rota.cycle_ms
        for plot in itertools.cycle(rota.plots):
            if at >= until:
                break
            end = at + _ms(plot)
            cut = end if after is None else min(end, after.start_ms)
            if cut > start_ms:
                yield Turn(plot.code, at, cut)
            at = end


def _without(turn: Turn, other: Turn) -> Iterator[Turn]:
    """What is left of a turn when another takes its time."""
    if other.start_ms >= turn.end_ms or other.end_ms <= turn.start_ms:
        yield turn
        return
    if turn.start_ms < other.start_ms:
        yield replace(turn, end_ms=other.start_ms, corrected=True)
    if other.end_ms < turn.end_ms:
        yield replace(turn, start_ms=other.end_ms, corrected=True)


def _random(one: Got, all_: Sequence[Got]) -> float:
    """What differs between plots is only the time that nobody measured."""
    return max((1.0 - g.coverage) * g.m3 for g in (one, *all_)) if all_ else 0.0


def _ms(plot: Plot) -> int:
    return round(plot.minutes * MINUTE_MS)
