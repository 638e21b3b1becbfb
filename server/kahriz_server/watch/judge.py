# SPDX-License-Identifier: MIT
"""What is wrong with which gateway, and what one cause explains many: pure, at a moment handed in.

Silence is counted in hours in which the server itself could hear (`deaf_until`): a server that
was off for a night accuses nobody. What a silent gateway said last stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kahriz_server.watch.config import Rules, release
from kahriz_server.watch.store import Gateway

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
ROOM_USED = 0.8  # as the gateway's own alarm `disk_nearly_full`
TOGETHER_MS = 30 * MINUTE_MS  # three missed heartbeats: those that stop within it stopped at once
DATA_TOGETHER_MS = 2 * HOUR_MS  # nodes bring their readings hourly
LEAST = 2  # one alone says nothing about a cause of many

SILENT, NO_HEARTBEAT, NO_DATA = "gateway_silent", "no_heartbeat", "no_data"
CLOCK, STORE, VERSION = "gateway_clock", "gateway_store", "gateway_version"
MANY, DATABASE = "many_gateways", "office_database"
SHARED = (SILENT, NO_HEARTBEAT, NO_DATA, CLOCK)  # what can have one cause for many
KINDS = (*SHARED, STORE, VERSION, MANY, DATABASE)

Evidence = dict[str, float | str]


@dataclass(frozen=True, slots=True)
class Wrong:
    """An alarm that shall stand now; `since` is when it began, as far as is known."""

    kind: str
    place: str
    since: int
    says: str
    explains: tuple[str, ...] = field(default=())  # kinds, of a cause of many


@dataclass(frozen=True, slots=True)
class Senses:
    """What the server itself could see: since when it hears, whether InfluxDB answers.

    `data` is None without InfluxDB in office.toml; `data_since` is when it began to answer, or
    not to.
    """

    office: str
    deaf_until: int
    data: bool | None = None
    data_since: int = 0
    data_says: str = ""


def judge(gateways: Sequence[Gateway], senses: Senses, rules: Rules, now: int) -> list[Wrong]:
    """All that is wrong now."""
    found = [wrong for each in gateways for wrong in _of_one(each, senses, rules, now)]
    if senses.data is False:
        found.append(Wrong(DATABASE, senses.office, senses.data_since, senses.data_says))
    return [*found, *_shared(found, gateways, senses)]


def explains(place: str, gateway: Gateway | None, office: str) -> bool:
    """Whether a cause at that place (the office, a region) is above a gateway."""
    return place == office or (gateway is not None and gateway.region == place)


def _of_one(each: Gateway, senses: Senses, rules: Rules, now: int) -> Iterable[Wrong]:
    heard = each.added if each.received is None else each.received
    silent = now - max(heard, senses.deaf_until) >= rules.silent_hours * HOUR_MS
    fed = each.added if each.reading is None else each.reading
    asked = max(fed, senses.deaf_until, senses.data_since)
    unfed = now - asked >= rules.data_hours * HOUR_MS
    flows = senses.data is True and each.reading is not None and not unfed
    if silent and flows:
        yield Wrong(NO_HEARTBEAT, each.site, heard, "readings still come")
    elif silent:
        yield Wrong(SILENT, each.site, heard, _last_words(each))
    elif senses.data is True and unfed and each.received is not None:
        yield Wrong(NO_DATA, each.site, fed, _backlog(each))
    if each.beat is not None and each.received is not None:
        yield from _as_it_said(each, rules)


def _as_it_said(each: Gateway, rules: Rules) -> Iterable[Wrong]:
    beat, received = each.beat, each.received
    assert beat is not None
    assert received is not None
    off_ms = each.off or 0
    if not beat.trusted or abs(off_ms) > rules.clock_minutes * MINUTE_MS:
        way = "ahead" if off_ms > 0 else "behind"
        says = f"{abs(off_ms) / MINUTE_MS:.0f} minutes {way}"
        if not beat.trusted:
            says += ", and the gateway does not believe it"
        yield Wrong(CLOCK, each.site, received, says)
    full = beat.room_used is not None and beat.room_used >= ROOM_USED
    soon = beat.days_left is not None and beat.days_left < rules.store_days
    if full or soon or beat.stopped:
        used = "" if beat.room_used is None else f"{beat.room_used:.0%} of the room is used"
        days = "" if beat.days_left is None else f"{beat.days_left:.0f} days are left"
        stopped = "nothing can be stored now" if beat.stopped else ""
        yield Wrong(STORE, each.site, received, ", ".join(t for t in (stopped, used, days) if t))
    known = release(beat.version)
    if known is not None and known < rules.oldest:
        least = ".".join(str(number) for number in rules.oldest)
        yield Wrong(VERSION, each.site, received, f"{beat.version}, at least {least} is wanted")


def _shared(found: Sequence[Wrong], gateways: Sequence[Gateway], senses: Senses) -> Iterable[Wrong]:
    """One alarm a place for what struck many at once: the office first, else a region whole."""
    regions: dict[str, list[str]] = {}
    for each in gateways:
        if each.region is not None:
            regions.setdefault(each.region, []).append(each.site)
    everyone = [each.site for each in gateways]
    causes: dict[str, list[tuple[str, int, int]]] = {}
    offset = {each.site: each.off or 0 for each in gateways}
    for kind in SHARED:
        struck = {w.place: w.since for w in found if w.kind == kind}
        together = _together(kind, struck, offset)
        if len(together) >= max(LEAST, (len(everyone) + 1) // 2):
            since = min(struck[site] for site in together)
            causes.setdefault(senses.office, []).append((kind, len(together), since))
            continue
        for region, members in regions.items():
            if len(members) >= LEAST and all(site in struck for site in members):
                since = min(struck[site] for site in members)
                causes.setdefault(region, []).append((kind, len(members), since))
    for place, kinds in causes.items():
        since = min(since for _kind, _count, since in kinds)
        says = ", ".join(f"{kind}: {count} gateways" for kind, count, _since in kinds)
        yield Wrong(MANY, place, since, says, tuple(kind for kind, _count, _since in kinds))


def _together(kind: str, struck: dict[str, int], offset: dict[str, int]) -> list[str]:
    """The most that began at one time; of clocks, the most that are wrong by the same."""
    width = {NO_DATA: DATA_TOGETHER_MS, CLOCK: 2 * MINUTE_MS}.get(kind, TOGETHER_MS)
    at = sorted((offset[site] if kind == CLOCK else since, site) for site, since in struck.items())
    start, best = 0, (0, 0)
    for end, (moment, _site) in enumerate(at):  # a window that slides over them
        while moment - at[start][0] > width:
            start += 1
        best = max(best, (start, end + 1), key=lambda span: span[1] - span[0])
    return [site for _moment, site in at[slice(*best)]]


def _last_words(each: Gateway) -> str:
    beat = each.beat
    if beat is None:
        return "it has never been heard"
    if beat.mains is False:
        hours = "" if beat.battery_hours is None else f", {beat.battery_hours:.1f} hours left"
        return f"it was on its battery{hours}"
    return "nothing was wrong when it spoke last" if not beat.stopped else "it could not store"


def _backlog(each: Gateway) -> str:
    beat = each.beat
    if beat is None or beat.backlog is None:
        return "the gateway does not say what waits there"
    return f"{beat.backlog} changes wait at the gateway"
