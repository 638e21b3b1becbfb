# SPDX-License-Identifier: MIT
"""What can ail a gateway: an index of checks, each a function that looks and names the mend.

A new check is one function `check(about) -> Finding` in a file here and one line in CHECKS.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kahriz_gateway.cli_net import in_words
from kahriz_gateway.clock import Clock, ClockError, open_clock
from kahriz_gateway.config import Options, read_plan
from kahriz_water.site import Plan
from kahriz_water.strict import ConfigError

PASS = "pass"
FAIL = "FAIL"
RUNBOOK = "or restore a backup; gateway/RUNBOOK.md says what comes again by itself"
IDLE = "idle"  # there is nothing to look at, or something else must be mended first


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw; a FAIL names its mend."""

    state: str
    says: str
    mend: str = ""


def good(says: str) -> Finding:
    return Finding(PASS, says)


def bad(says: str, mend: str) -> Finding:
    return Finding(FAIL, says, mend)


def idle(says: str) -> Finding:
    return Finding(IDLE, says)


class UnreadableError(Exception):
    """A check wants what another check has already found to be bad."""


class About:
    """The gateway that is looked at: its options, and its plan and clock where they can be had."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._plan: Plan | ConfigError | None = None

    @property
    def plan(self) -> Plan:
        try:
            return self.plan_or_error()
        except ConfigError:
            raise UnreadableError("the plan cannot be read: mend it first") from None

    @property
    def clock(self) -> Clock:
        try:
            return open_clock(self.options.clock_file)
        except ClockError:
            raise UnreadableError("the clock cannot be read: mend it first") from None

    def plan_or_error(self) -> Plan:
        """The plan; ConfigError tells what is wrong with it."""
        if self._plan is None:
            try:
                self._plan = read_plan(self.options)
            except ConfigError as error:
                self._plan = error
        if isinstance(self._plan, ConfigError):
            raise self._plan
        return self._plan


Check = Callable[[About], Finding]
_HERE = "kahriz_gateway.checks."

CHECKS: Mapping[str, str] = {
    "machine": "machine:bits",
    "plan": "machine:plan",
    "data": "machine:folder",
    "clock": "machine:clock",
    "store": "stores:store",
    "records": "stores:records",
    "people": "people:people",
    "broker": "broker:reachable",
    "broker tls": "broker:tls",
    "certificates": "certificates:certificates",
    "broker access": "broker_ways:access",
    "broker retained": "broker_ways:retained",
    "broker queue": "broker_ways:queue",
    "broker nodelay": "broker_ways:no_delay",
    "receipt": "receipt:receipt",
    "page": "page:page",
    "influx": "influx:influx",
    "office": "office:office",
    "nodes": "nodes:late",
}
# What intake looks at when it starts: whether the broker is the one we ship.
SELF_TEST = ("broker access", "broker retained", "broker queue", "broker nodelay", "receipt")


@dataclass(frozen=True, slots=True)
class Result:
    """A finding under the name of its check."""

    name: str
    finding: Finding

    @property
    def passed(self) -> bool:
        return self.finding.state != FAIL

    def as_dict(self) -> dict[str, Any]:
        found = self.finding
        return {
            "name": self.name,
            "state": found.state,
            "passed": self.passed,
            "says": found.says,
            "mend": found.mend,
        }


def examine(about: About, names: Iterable[str] | None = None) -> Iterable[Result]:
    """Run the checks of the index, or those named, one after the other."""
    for name in CHECKS if names is None else names:
        yield Result(name, _look(name, about))


def _look(name: str, about: About) -> Finding:
    module, _, function = CHECKS[name].partition(":")
    try:
        check: Check = getattr(importlib.import_module(_HERE + module), function)
        return check(about)
    except UnreadableError as error:
        return idle(str(error))
    except Exception as error:  # noqa: BLE001 the outermost edge of a check: the others go on
        words = in_words(error)
        if words is not None:
            return bad(words, RUNBOOK)
        return bad(f"the check itself failed: {error!r}", "report this, with what stands above")
