# SPDX-License-Identifier: MIT
"""TOML tables into frozen dataclasses: an unknown or missing key is refused with its path."""

import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from kahriz_sim.errors import ConfigError

T = TypeVar("T")


def load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise ConfigError(f"{path}: no such file") from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path}: not TOML: {exc}") from exc


def build(cls: type[T], table: object, where: str) -> T:
    """One dataclass from one table; lists become tuples, numbers become floats where asked."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: expected a table")
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise ConfigError(f"{where}.{key}: unknown; expected one of {', '.join(known)}")
    values: dict[str, Any] = {}
    for name, field in known.items():
        if name in table:
            values[name] = _value(table[name], _kind(field.type), f"{where}.{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(f"{where}.{name}: missing")
    return cls(**values)


def build_all(cls: type[T], tables: object, where: str) -> tuple[T, ...]:
    if not isinstance(tables, list):
        raise ConfigError(f"{where}: expected [[{where}]]")
    return tuple(build(cls, table, f"{where}[{i}]") for i, table in enumerate(tables))


def _kind(kind: object) -> str:
    return kind if isinstance(kind, str) else str(getattr(kind, "__name__", kind))


def _value(value: object, kind: str, where: str) -> object:
    if kind.startswith("tuple"):
        if not isinstance(value, list):
            raise ConfigError(f"{where}: expected a list")
        return tuple(value)
    if kind.startswith("float"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{where}: expected a number")
        return float(value)
    if kind.startswith("int"):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ConfigError(f"{where}: expected a whole number")
        return value
    if kind.startswith("str"):
        if not isinstance(value, str):
            raise ConfigError(f"{where}: expected a text")
        return value
    raise ConfigError(f"{where}: cannot be set here")
