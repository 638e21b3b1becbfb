# SPDX-License-Identifier: MIT
"""A TOML table read strictly: every key is expected, of its type and in its range, or refused."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import Any

ID = re.compile(r"[a-z0-9-]{1,32}")


class ConfigError(Exception):
    """A configuration that cannot be meant: where, what was expected, what stood there."""

    def __init__(self, path: str, expected: str, found: object = None) -> None:
        self.path = path
        self.expected = expected
        self.found = found
        tail = "" if found is None else f"; found {found!r}"
        super().__init__(f"{path}: expected {expected}{tail}")


def toml(text: str, source: str) -> dict[str, Any]:
    """What a TOML text holds; `source` stands at the head of the complaint."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, f"TOML ({error})") from error
    except RecursionError:
        raise ConfigError(source, "TOML nested a few levels") from None


class Table:
    """One TOML table with its path; the reader takes keys out, `done` refuses what is left."""

    def __init__(self, data: object, path: str) -> None:
        if not isinstance(data, dict):
            raise ConfigError(path, "a table", data)
        self._data: dict[str, Any] = dict(data)
        self._known: list[str] = []
        self.path = path

    def at(self, key: str) -> str:
        return f"{self.path}.{key}"

    def has(self, key: str) -> bool:
        return key in self._data

    def keys(self) -> list[str]:
        """What stands there and has not been taken."""
        return list(self._data)

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._data.pop(key, None)

    def _near(self, key: str) -> str:
        """A key that stands there instead of a missing one: length_km for length_m."""
        near = difflib.get_close_matches(key, list(self._data), n=1, cutoff=0.6)
        return f" (found {near[0]} instead)" if near else ""

    def text(self, key: str, default: str | None = None) -> str:
        found = self._take(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or not found.strip():
            near = self._near(key) if found is None else ""
            raise ConfigError(self.at(key), f"a text{near}", found)
        return found

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self._data else self._take(key)

    def ident(self, key: str) -> str:
        found = self.text(key)
        if ID.fullmatch(found) is None:
            raise ConfigError(self.at(key), "an id of a-z, 0-9 and '-', at most 32 long", found)
        return found

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        found = self._take(key)
        if found not in choices:
            raise ConfigError(self.at(key), "one of " + ", ".join(choices), found)
        return str(found)

    def boolean(self, key: str, default: bool) -> bool:
        found = self._take(key)
        if found is None:
            return default
        if not isinstance(found, bool):
            raise ConfigError(self.at(key), "true or false", found)
        return found

    def whole(self, key: str, low: int, high: int, unit: str, default: int | None = None) -> int:
        found = self._take(key)
        if found is None and default is not None:
            return default
        if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            raise ConfigError(self.at(key), f"a whole number of {unit}, {low} to {high}", found)
        return found

    def number(self, key: str, low: float, high: float, unit: str) -> float:
        found = self._take(key)
        if isinstance(found, bool) or not isinstance(found, int | float):
            near = self._near(key) if found is None else ""
            raise ConfigError(self.at(key), f"a number of {unit}, {low:g} to {high:g}{near}", found)
        if not low <= found <= high:
            raise ConfigError(self.at(key), f"{unit}, {low:g} to {high:g}", found)
        return float(found)

    def optional_number(self, key: str, low: float, high: float, unit: str) -> float | None:
        return self.number(key, low, high, unit) if key in self._data else self._take(key)

    def moment(self, key: str) -> Any:
        """A date with time and zone, in TOML's own notation; None when the key is absent."""
        found = self._take(key)
        if found is None:
            return None
        if getattr(found, "tzinfo", None) is None:
            raise ConfigError(self.at(key), "a moment such as 2026-04-01T08:00:00+04:00", found)
        return found

    def raw(self, key: str) -> Any:
        return self._take(key)

    def table(self, key: str) -> Table:
        return Table(self._take(key), self.at(key))

    def optional_table(self, key: str) -> Table | None:
        return self.table(key) if key in self._data else self._take(key)

    def tables(self, key: str) -> list[Table]:
        found = self._take(key)
        if found is None:
            return []
        if not isinstance(found, list):
            raise ConfigError(self.at(key), f"tables written [[{key}]]", found)
        return [Table(one, f"{self.at(key)}[{i + 1}]") for i, one in enumerate(found)]

    def done(self) -> None:
        """Refuse the first key that nobody asked for, and name the nearest one that exists."""
        for key in self._data:
            near = difflib.get_close_matches(key, self._known, n=1, cutoff=0.5)
            expected = "one of " + ", ".join(sorted(self._known))
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ConfigError(self.at(key), f"no such key{hint}; known here: {expected[7:]}")
