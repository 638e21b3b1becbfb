# SPDX-License-Identifier: MIT
"""A proposal in words and as JSON, with the uncertainty beside each discharge."""

from __future__ import annotations

from kahriz_hardware.channel import FREEBOARD_M, UNDER_MOUTH_M
from kahriz_hardware.propose import Flume, Proposal, Weir

SHOOTS = 0.9  # of Froude's number; near 1 the surface stands in waves
U_STAGE_M = 0.002  # standard: a zero and an echo of 1 to 2 mm


def in_words(found: Proposal, min_lps: float, max_lps: float) -> list[str]:
    """Lines for the technician: what was refused and why, then what to build."""
    lines = [f"not {name}: {why}" for name, why in found.refused]
    if found.weir is not None:
        return lines + _weir_in_words(found.weir, min_lps, max_lps)
    lines.append("No weir may stand here.")
    if found.flume is not None:
        lines.append(
            f"Build a Parshall flume of {found.flume.throat}, its floor "
            f"{found.flume.floor_m:.3f} m over the bed: the water stands at "
            f"{found.flume.level_max_m:.3f} m at {max_lps:g} L/s."
        )
    else:
        lines.append("No flume either: take a meter in a full pipe.")
    return lines


def _weir_in_words(chosen: Weir, min_lps: float, max_lps: float) -> list[str]:
    lines = [
        f"Build a {chosen.candidate.name}, {chosen.candidate.contraction.name}.",
        f"  crest {chosen.crest_m:+.3f} m over the channel's bed, {chosen.sill_m:.3f} m over the "
        "pool's floor",
    ]
    for lps, head in ((min_lps, chosen.head_min_m), (max_lps, chosen.head_max_m)):
        said = chosen.structure.discharge(head, U_STAGE_M)
        share = 100.0 * (said.u_lps or 0.0) / (said.lps or lps)
        lines.append(f"  {lps:g} L/s: head {head * 1000:.0f} mm, ± {share:.0f} % (k = 2)")
    lines.append(
        f"  water at {max_lps:g} L/s stands at {chosen.level_max_m:.3f} m; backwater "
        f"{chosen.backwater_m:.0f} m; tailwater at {chosen.tail_m:.3f} m"
    )
    lines.append(f"  sensor at least {4.0 * chosen.head_max_m:.2f} m upstream of the plate")
    if chosen.needs_gauging:
        lines.append("  bed and walls are near: two gaugings before its litres are believed")
    if chosen.froude >= SHOOTS:
        lines.append(
            f"  the water shoots in this channel (Froude {chosen.froude:.1f}): calm it for ten "
            "channel widths above the sensor, or measure where the bed is flatter"
        )
    if chosen.candidate.angle_deg is None:
        lines.append("  a pipe must bring air under the sheet of water")
    lines.append(
        f"  rules kept: {UNDER_MOUTH_M * 1000:.0f} mm under the mouth's invert, "
        f"{FREEBOARD_M * 1000:.0f} mm of lining left, "
        f"{chosen.candidate.free_fall_m * 1000:.0f} mm of fall to the tailwater"
    )
    return lines


def as_json_object(found: Proposal, min_lps: float, max_lps: float) -> dict[str, object]:
    """The same for programs: lengths in m, heads in mm."""
    return {
        "weir": None if found.weir is None else _weir_json(found.weir),
        "flume": None if found.flume is None else _flume_json(found.flume),
        "refused": [{"structure": name, "why": why} for name, why in found.refused],
        "min_lps": min_lps,
        "max_lps": max_lps,
    }


def _weir_json(chosen: Weir) -> dict[str, object]:
    return {
        "structure": chosen.structure.kind,
        "angle_deg": chosen.candidate.angle_deg,
        "width_m": chosen.candidate.width_m or None,
        "contraction": chosen.candidate.contraction.name,
        "crest_m": round(chosen.crest_m, 3),
        "sill_m": round(chosen.sill_m, 3),
        "head_min_mm": round(chosen.head_min_m * 1000, 1),
        "head_max_mm": round(chosen.head_max_m * 1000, 1),
        "level_max_m": round(chosen.level_max_m, 3),
        "tail_m": round(chosen.tail_m, 3),
        "backwater_m": round(chosen.backwater_m, 1),
        "froude": round(chosen.froude, 2),
        "needs_gauging": chosen.needs_gauging,
    }


def _flume_json(flume: Flume) -> dict[str, object]:
    return {
        "throat": flume.throat,
        "floor_m": round(flume.floor_m, 3),
        "head_max_mm": round(flume.head_max_m * 1000, 1),
        "level_max_m": round(flume.level_max_m, 3),
    }
