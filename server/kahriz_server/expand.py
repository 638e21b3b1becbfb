# SPDX-License-Identifier: MIT
"""What Grafana does to a query before it is sent: time filter, interval and variables.

Ours, written after Grafana's documentation; no Grafana runs in the tests.
"""

import re
from collections.abc import Mapping, Sequence

_STEPS_MS = tuple(
    seconds * 1000
    for seconds in (
        *(1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800),
        *(3600, 7200, 10800, 21600, 43200, 86400, 604800, 2592000, 31536000),
    )
)
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)\]\]|\$(\w+)")
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")

Choice = str | Sequence[str]


def interval_ms(t0_ms: int, t1_ms: int, points: int = 1500, least: str = "1s") -> int:
    """Width of one interval: the span over the panel's points, rounded up to a usual step."""
    wanted = max((t1_ms - t0_ms) / points, duration_ms(least))
    return next((step for step in _STEPS_MS if step >= wanted), _STEPS_MS[-1])


def duration_ms(text: str) -> int:
    """Milliseconds of a duration as Grafana writes it, such as 5m."""
    match = re.fullmatch(r"(\d+)(ms|[smhd])", text)
    if match is None:
        raise ValueError(f"not a duration: {text!r} (expected for example 5m)")
    return int(match[1]) * _UNITS_MS[match[2]]


MACROS = ("timeFilter", "__interval", "interval", "__interval_ms")  # of the data source


def expand(
    query: str,
    t0_ms: int,
    t1_ms: int,
    step_ms: int,
    variables: Mapping[str, Choice],
    macros: bool = True,
) -> str:
    """The query as it would be sent. An unknown variable is left standing, as in Grafana.

    Without `macros` it is as a panel hands it to Grafana, whose data source replaces the rest.
    """
    width = f"{step_ms // 1000}s" if step_ms % 1000 == 0 else f"{step_ms}ms"

    def one(match: re.Match[str]) -> str:
        name = match[1] or match[3] or match[4]
        if not macros and name in MACROS:
            return match[0]
        if name == "timeFilter":
            return f"time >= {t0_ms}ms and time <= {t1_ms}ms"
        if name in ("__from", "__to"):
            return str(t0_ms if name == "__from" else t1_ms)
        if name in ("__interval", "interval"):
            return width
        if name == "__interval_ms":
            return str(step_ms)
        if name not in variables:
            return match[0]
        return format_choice(variables[name], match[2])

    return _VARIABLE.sub(one, query)


def format_choice(choice: Choice, how: str | None) -> str:
    """A variable's value in a query; a list of one stands for an `allValue` and goes in raw."""
    if isinstance(choice, str):
        return _SPECIAL.sub(r"\\\g<0>", choice) if how == "regex" else choice
    if list(choice) == [".*"]:
        return ".*"
    if how == "regex":
        escaped = [_SPECIAL.sub(r"\\\g<0>", each) for each in choice]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
    return choice[0] if len(choice) == 1 else f"({'|'.join(choice)})"


def left_over(query: str) -> list[str]:
    """Variables that nothing replaced. A `$` that ends a regular expression is not one."""
    return [match[0] for match in _VARIABLE.finditer(query)]
