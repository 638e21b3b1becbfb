# SPDX-License-Identifier: MIT
"""Why an alarm was raised: its evidence in plain lines."""

from __future__ import annotations

from kahriz_detect.finding import CLEARED, RAISED
from kahriz_detect.replay.run import Raised, text_of


def explain(alarm: Raised) -> list[str]:
    """The lines of one alarm."""
    end = "still open" if alarm.end is None else f"over at {text_of(alarm.end)}"
    lines = [f"{text_of(alarm.start)}  {alarm.kind}  {alarm.place or '-'}  ({end})"]
    first = next((f for f in alarm.findings if f.what == RAISED), None)
    if first is None:
        return lines
    if first.lps is not None:
        last = next((f for f in reversed(alarm.findings) if f.lps is not None), first)
        u = "" if first.lps_u is None else f" ± {first.lps_u:.2f}"
        later = "" if last is first else f", later {last.lps:.2f} L/s"
        lines.append(f"    size {first.lps:.2f}{u} L/s{later}")
    last = alarm.findings[-1]
    used = last.m3 if last.what == CLEARED and first.lps_u is None else None
    if used is not None:
        lines.append(f"    {used:.0f} m3 in all")
    for name, value in first.evidence.items():
        text = f"{value:.3f}" if isinstance(value, float) else str(value)
        if name.endswith("_ms") and isinstance(value, float):
            name, text = name[:-3], text_of(int(value))
        lines.append(f"    {name.replace('_', ' ')}: {text}")
    return lines
