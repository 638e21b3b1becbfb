# SPDX-License-Identifier: MIT
"""Which weir fits a channel, and how high: or why none does, with the numbers, and what else would.

The crest stands where the largest flow neither ponds nor plunges, or as low above that as its
standard allows. A weir that would
drown the gallery's mouth, overtop the lining or be drowned from below is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kahriz_hardware.candidates import PARTIAL, Candidate, flumes, head_m, weirs
from kahriz_hardware.channel import FREEBOARD_M, UNDER_MOUTH_M, Channel, SiteError
from kahriz_water.structures import Structure

LEAST_LPS, MOST_LPS = 0.01, 10_000.0  # no kahriz beyond
GRID_M = 0.005  # a mason sets a crest to 5 mm


@dataclass(frozen=True)
class Weir:
    """A weir that fits: heights over the channel's bed, sill over the pool's floor, metres."""

    candidate: Candidate
    structure: Structure
    crest_m: float
    sill_m: float
    head_min_m: float
    head_max_m: float
    level_max_m: float
    tail_m: float
    backwater_m: float
    froude: float  # of the channel above at the largest flow

    @property
    def needs_gauging(self) -> bool:
        """The curve holds only roughly: two gaugings before its litres are believed."""
        return self.candidate.contraction is PARTIAL


@dataclass(frozen=True)
class Flume:
    """A Parshall flume that would pass the flow where no weir may stand, metres."""

    throat: str
    floor_m: float
    head_max_m: float
    level_max_m: float


@dataclass(frozen=True)
class Proposal:
    """The weir, or None with why not; `refused` holds name and reason of each that failed."""

    weir: Weir | None
    flume: Flume | None
    refused: tuple[tuple[str, str], ...]


def propose(channel: Channel, min_lps: float, max_lps: float) -> Proposal:
    """Try all weirs from the most exact; then a flume."""
    if not LEAST_LPS <= min_lps <= max_lps <= MOST_LPS:
        raise SiteError(
            f"min_lps {min_lps:g} and max_lps {max_lps:g}: "
            f"need {LEAST_LPS:g} <= min <= max <= {MOST_LPS:g}"
        )
    refused: list[tuple[str, str]] = []
    for candidate in weirs(min_lps, channel.approach_width_m):
        found = _try(candidate, channel, min_lps, max_lps)
        if isinstance(found, Weir):
            return Proposal(found, None, tuple(refused))
        refused.append((f"{candidate.name}, {candidate.contraction.name}", found))
    return Proposal(None, _flume(channel, min_lps, max_lps, refused), tuple(refused))


def _try(candidate: Candidate, channel: Channel, min_lps: float, max_lps: float) -> Weir | str:
    """The weir at its lowest allowed crest, or why it cannot be."""
    limits = candidate.contraction
    if channel.approach_width_m < limits.width_m:
        return (
            f"needs a channel of {limits.width_m:.2f} m, this one has "
            f"{channel.approach_width_m:.2f} m"
        )
    tail = channel.tail_level_m(max_lps / 1000.0)
    sill = limits.sill_m
    for _ in range(8):  # a level crest's head and its sill depend on each other
        structure = candidate.structure(sill)
        heads = _heads(structure, min_lps, max_lps)
        if isinstance(heads, str):
            return heads
        head_min, head_max = heads
        needed = candidate.sill_for_m(head_max)
        lowest = max(needed - channel.drop_m, tail + candidate.free_fall_m)
        lowest = math.ceil(lowest / GRID_M - 1e-9) * GRID_M
        crest = max(lowest, _calm(channel, head_max, max_lps))
        if abs(crest + channel.drop_m - sill) < 1e-9:
            break
        sill = crest + channel.drop_m
    level = crest + head_max
    widest = max(candidate.top_width_m(head_max), head_max / limits.head_per_width)
    if widest > channel.approach_width_m:
        return (
            f"{head_max * 1000:.0f} mm of head need a pool {widest:.2f} m wide, this one has "
            f"{channel.approach_width_m:.2f} m"
        )
    if level > channel.highest_level_m:
        return _too_high(candidate, channel, crest, level, needed, tail)
    backwater = channel.backwater_m(level, max_lps / 1000.0)
    froude = channel.froude(max_lps / 1000.0)
    return Weir(
        candidate, structure, crest, sill, head_min, head_max, level, tail, backwater, froude
    )


def _calm(channel: Channel, head_max: float, max_lps: float) -> float:
    """The crest at which the largest flow neither ponds nor plunges into the pool."""
    level = min(channel.normal_depth_m(max_lps / 1000.0), channel.highest_level_m)
    return math.floor((level - head_max) / GRID_M + 1e-9) * GRID_M


def _heads(structure: Structure, min_lps: float, max_lps: float) -> tuple[float, float] | str:
    """Heads at the smallest and the largest flow, or which of them it cannot measure."""
    low, high = (structure.free_flow_m3s(x) * 1e3 for x in (structure.low_m, structure.high_m))
    head_min, head_max = head_m(structure, min_lps), head_m(structure, max_lps)
    if head_min is None:
        return f"measures {low:.2f} to {high:.1f} L/s, the smallest flow is {min_lps:g} L/s"
    if head_max is None:
        return f"measures {low:.2f} to {high:.1f} L/s, the largest flow is {max_lps:g} L/s"
    return head_min, head_max


def _too_high(
    candidate: Candidate, channel: Channel, crest: float, level: float, sill: float, tail: float
) -> str:
    """Why the lowest allowed crest is still too high: which rule pushes up, which holds down."""
    if channel.mouth_invert_m - UNDER_MOUTH_M <= channel.depth_m - FREEBOARD_M:
        harm = (
            f"ponds the gallery: the water would stand at {level:.3f} m, the mouth's invert less "
            f"{UNDER_MOUTH_M * 1000:.0f} mm is {channel.mouth_invert_m - UNDER_MOUTH_M:.3f} m"
        )
    else:
        harm = (
            f"overtops the lining: the water would stand at {level:.3f} m, the lining less "
            f"{FREEBOARD_M * 1000:.0f} mm is {channel.depth_m - FREEBOARD_M:.3f} m"
        )
    lower = crest - (level - channel.highest_level_m)
    if lower < tail + candidate.free_fall_m:
        return (
            f"{harm}; {lower:.3f} m of crest would be drowned: the tailwater stands at "
            f"{tail:.3f} m and must stay {candidate.free_fall_m * 1000:.0f} mm below"
        )
    return (
        f"{harm}; a crest at {lower:.3f} m would stand {lower + channel.drop_m:.3f} m over the "
        f"pool's floor and needs {sill:.3f} m"
    )


def _flume(
    channel: Channel, min_lps: float, max_lps: float, refused: list[tuple[str, str]]
) -> Flume | None:
    tail = channel.tail_level_m(max_lps / 1000.0)
    for throat, structure, submergence in flumes():
        low, high = head_m(structure, min_lps), head_m(structure, max_lps)
        if low is None or high is None:
            continue
        floor = max(0.0, tail - submergence * high)
        level = floor + high
        if level <= channel.highest_level_m:
            return Flume(throat, floor, high, level)
        refused.append(
            (
                f"Parshall flume {throat}",
                f"the water would stand at {level:.3f} m, {channel.highest_level_m:.3f} m is free",
            )
        )
    return None
