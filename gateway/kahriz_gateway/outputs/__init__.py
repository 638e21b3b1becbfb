# SPDX-License-Identifier: MIT
"""Where interpreted values go besides our own store: an index, one a file.

An output has `write(values) -> None` or raises DeliveryError(message, permanent). A follower
keeps its place and comes again, so that `write` must bear a repeat. One that also has
`write_health`, `write_alarms` or `write_turns` is given those, and `take_back_alarms` what it was
told of alarms by a wrong clock. One that makes something whole of many values (hours, files) has
`refresh(conn, spans)` instead and reads the store itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from kahriz_alarms.delivery import DeliveryError as DeliveryError
from kahriz_gateway.village.changes import Span
from kahriz_water.site import Plan
from kahriz_water.value import Value


class Writes(Protocol):
    def write(self, values: Sequence[Value]) -> None: ...


@runtime_checkable
class Refreshes(Protocol):
    def refresh(self, conn: sqlite3.Connection, spans: Sequence[Span]) -> None: ...


Output = Writes | Refreshes


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What outputs are handed."""

    data_dir: Path
    publish_retained: Callable[[str, bytes], bool] | None


def _influx(plan: Plan, around: Surroundings) -> Output | None:
    if plan.influx is None:
        return None
    from kahriz_gateway.outputs import influx  # 280 ms and 39 MB: only if used

    return influx.from_plan(plan, around.data_dir)


def _influx_1h(plan: Plan, around: Surroundings) -> Output | None:
    if plan.influx is None:
        return None
    from kahriz_gateway.outputs import influx_hours

    return influx_hours.from_plan(plan, around.data_dir)


def _csv(plan: Plan, around: Surroundings) -> Output | None:
    if plan.csv is None:
        return None
    from kahriz_gateway.outputs import csv_files

    return csv_files.from_plan(plan, around.data_dir)


def _mqtt_state(plan: Plan, around: Surroundings) -> Output | None:
    if around.publish_retained is None:
        return None
    from kahriz_gateway.outputs.mqtt_state import MqttState

    return MqttState(plan.id, around.publish_retained)


OUTPUTS: Mapping[str, Callable[[Plan, Surroundings], Output | None]] = {
    "influx": _influx,
    "influx_1h": _influx_1h,
    "csv": _csv,
    "mqtt_state": _mqtt_state,
}


def outputs(plan: Plan, around: Surroundings) -> dict[str, Output]:
    """All outputs a plan asks for, by name."""
    built = {name: build(plan, around) for name, build in OUTPUTS.items()}
    return {name: output for name, output in built.items() if output is not None}
