# SPDX-License-Identifier: MIT
"""A recorded series as a node's journal, and the plan of the site that recorded it.

CSV columns `time` (UTC, ISO 8601), `sensor`, `quantity`, `value`; .gz or plain. Rows of one time
become one reading of one node, numbered in order of time.
"""

import csv
import gzip
import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from kahriz_sim.errors import ConfigError
from kahriz_wire import ranges, rows
from kahriz_wire.receipt import Receipt

NODE = "logger"
COLUMNS = ("time", "sensor", "quantity", "value")
# What recorders call a quantity, where it is not our own word for it.
SAME = {"temperature_c": "c", "conductivity_us_cm": "us_cm"}
KIND = {
    "flow_lps": "flow",
    "level_m": "level",
    "pressure_bar": "pressure",
    "c": "temperature",
    "us_cm": "conductivity",
}


@dataclass(frozen=True)
class Sensor:
    """One recorded sensor: its own name, our channel, the quantity."""

    name: str
    channel: str
    quantity: str
    note: str


@dataclass(frozen=True)
class Series:
    """Readings in order of time: (milliseconds since 1970, {sensor name: value})."""

    readings: list[tuple[int, dict[str, float]]]
    values: int

    @property
    def first_ms(self) -> int:
        return self.readings[0][0]

    @property
    def last_ms(self) -> int:
        return self.readings[-1][0]


@dataclass(frozen=True)
class Site:
    """What a site.json says."""

    id: str
    interval_s: int
    sensors: dict[str, Sensor]

    def plan_toml(self) -> str:
        """The gateway's plan: one point a sensor."""
        text = [
            "[site]",
            f'id = "{self.id}"',
            f"name = {_names(self.id)}",
            'district = "-"',
            'timezone = "Asia/Baku"',
        ]
        for sensor in self.sensors.values():
            text += [
                "[[point]]",
                f'id = "{sensor.channel}"',
                f"name = {_names(sensor.note)}",
                f'kind = "{KIND[sensor.quantity]}"',
                f'node = "{NODE}"',
                f"dt_s = {self.interval_s}",
            ]
        return "\n".join(text) + "\n"

    def records_toml(self) -> str:
        """The gateway's records: each channel of the one node at its point, for ever."""
        return "\n".join(
            f'[[deployment]]\nnode = "{NODE}"\nchannel = "{sensor.channel}"\n'
            f'point = "{sensor.channel}"\nfrom = 1970-01-01T00:00:00Z'
            for sensor in self.sensors.values()
        )


def _names(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return f"{{ az = {quoted}, ru = {quoted}, en = {quoted} }}"


def _ident(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:32]


def read_site(path: Path) -> Site:
    """Read site.json; ConfigError names the file, the key and what was expected."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        sensors = {}
        for name, about in data["sensors"].items():
            quantity = SAME.get(about["quantity"], about["quantity"])
            if quantity not in KIND:
                known = ", ".join(sorted([*KIND, *SAME]))
                raise ConfigError(
                    f"{path}: sensor {name}: quantity {quantity!r} is none of {known}"
                )
            note = f"{name}: {about['at']}" if "at" in about else name
            sensors[name] = Sensor(name, _ident(name), quantity, note)
        return Site(_ident(data["site"]), int(data["interval_s"]), sensors)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} is no site.json ({type(error).__name__}: {error}): "
            "it needs site, interval_s and sensors, each with its quantity"
        ) from None


def read_series(path: Path, site: Site) -> Series:
    """Read the CSV; ConfigError names the line."""
    found: dict[int, dict[str, float]] = {}
    values = 0
    try:
        with _text(path) as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ConfigError(f"{path}: the columns must be {','.join(COLUMNS)}")
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                ts, sensor, value = _take(row, site, where)
                at = found.setdefault(ts, {})
                if sensor in at:
                    raise ConfigError(f"{where}: {sensor} has two values at {row['time']}")
                at[sensor] = value
                values += 1
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    if not found:
        raise ConfigError(f"{path} holds no reading")
    return Series(sorted(found.items()), values)


def _text(path: Path) -> TextIO:
    """UTF-8 with or without the mark that spreadsheets put before it."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _take(row: dict[str | Any, str | Any], site: Site, where: str) -> tuple[int, str, float]:
    if None in row or None in row.values():
        raise ConfigError(f"{where}: not four fields (a decimal comma?): {row}")
    sensor = site.sensors.get(row["sensor"] or "")
    if sensor is None:
        raise ConfigError(f"{where}: sensor {row['sensor']!r} is not in site.json")
    quantity = row["quantity"] or ""
    if SAME.get(quantity, quantity) != sensor.quantity:
        raise ConfigError(f"{where}: {sensor.name} measures {sensor.quantity}, not {quantity}")
    try:
        time = datetime.fromisoformat(row["time"] or "")
        value = float(row["value"] or "")
        if not math.isfinite(value):
            raise ValueError
    except ValueError:
        raise ConfigError(f"{where}: time or value cannot be read: {row}") from None
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    if time.timestamp() < 0:
        raise ConfigError(f"{where}: {row['time']} lies before 1970, which no reading can carry")
    return int(time.timestamp() * 1000), sensor.name, value


class Recording:
    """The series as the journal of a node: the interface that a session asks for."""

    def __init__(self, ident: str, series: Series, site: Site) -> None:
        self.id = ident
        self.first = 1
        self.next = len(series.readings) + 1
        self.stuck: list[list[int]] = []
        self._series = series
        self._sensors = site.sensors
        self._upto = 0
        self._missing: list[list[int]] = []

    def open_ranges(self) -> list[list[int]]:
        """What the gateway has not receipted."""
        return ranges.normal([*self._missing, [self._upto + 1, self.next - 1]])

    def obey(self, receipt: Receipt) -> None:
        """Move the mark to the gateway's word."""
        self._upto = receipt.upto
        self._missing = receipt.missing

    def rows(self, a: int, b: int) -> Iterator[tuple[int, int, str, str]]:
        """Each row as text; nothing is ever gone."""
        for n in range(a, b + 1):
            ts, values = self._series.readings[n - 1]
            pairs = []
            for name in self._sensors:
                if name in values:
                    sensor = self._sensors[name]
                    # The digits of the recorder, not those of our own sensors.
                    pairs.append((f"{sensor.channel}_{sensor.quantity}", json.dumps(values[name])))
            yield n, n, rows.row_text(n, 2, pairs, ts), ""
