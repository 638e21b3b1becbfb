# SPDX-License-Identifier: MIT
"""Short texts of alarms in Azerbaijani, Russian and English, and the flat JSON beside them.

Texts never say that water is safe. English is the source, `locale/` has the others. The case of
a text is never changed: i and ı are two letters.
"""

from __future__ import annotations

import gettext
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from kahriz_alarms.alarm import Alarm, Event
from kahriz_water.site import LANGUAGES, Plan

LOCALE = Path(__file__).parent / "locale"
BAKU = timezone(timedelta(hours=4))  # Asia/Baku: no summer time since 2016 (IANA tz, 2016d)


def mark(text: str) -> str:
    """Tell the catalogue of a text that is translated later, where it is shown."""
    return text


KINDS = {
    "leak": mark("Leak"),
    "fouled_weir": mark("Clean the weir"),
    "balance_doubt": mark("Weirs do not agree"),
    "source_drop": mark("Sudden loss at the source"),
    "silent_node": mark("Node is silent"),
    "gateway": mark("No node is heard"),
    "twin": mark("Two boards with one name"),
    "journal_replaced": mark("New board or wiped memory"),
    "second_gateway": mark("A second gateway is at work"),
    "store": mark("Readings cannot be stored"),
    "ledger_recounted": mark("The ledger was counted again"),
    "restored": mark("Restored from a backup"),
    "clock_went_back": mark("The gateway's clock was set back"),
    "certificate": mark("A certificate is about to end"),
    "disk_half": mark("Half of the disk's room is used"),
    "disk_nearly_full": mark("The disk is nearly full"),
    "mains": mark("Mains power is lost"),
    "mains_ending": mark("The battery is nearly empty"),
    "tapping": mark("Water is tapped"),
    "collapse": mark("Collapse in the gallery"),
    "blockage": mark("Gallery is blocked"),
    "decline": mark("Source declines"),
    "storm": mark("Storm water"),
    "pool_leak": mark("Pool leaks"),
    "sensor": mark("Sensor fault"),
    "wifi": mark("Access point is silent"),
    "office": mark("The office is not reached"),
    "gateway_silent": mark("Gateway is silent"),
    "no_heartbeat": mark("Readings come, no heartbeat"),
    "no_data": mark("Heartbeat comes, no readings"),
    "gateway_clock": mark("Gateway's clock is wrong"),
    "gateway_store": mark("Gateway's store fills up"),
    "gateway_version": mark("Gateway's program is old"),
    "many_gateways": mark("Many gateways at once"),
    "office_database": mark("The office's database is silent"),
    "alarm_path": mark("An alarm path is broken"),
    "credit_low": mark("Telephone credit is low"),
    "advisory": mark("Do not drink until tested"),
    "test": mark("Test message"),
    "sensor_fault": mark("Sensor fault"),
}
DANGER = ("source_drop", "collapse", "blockage", "storm")


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language not in LANGUAGES or language == "en":
        return gettext.NullTranslations()
    return gettext.translation("alarms", LOCALE, [language])


def translate(text: str, language: str) -> str:
    return _catalogue(language).gettext(text)


def number(value: float, decimals: int, language: str) -> str:
    """
    >>> number(2.04, 1, "az"), number(2.04, 1, "en")
    ('2,0', '2.0')
    """
    text = f"{value:.{decimals}f}"
    return text if language == "en" else text.replace(".", ",")


def place(plan: Plan, ident: str, language: str) -> str:
    """What people call a reach or a point."""
    if ident == plan.id:
        return plan.name.of(language)
    found = plan.reach(ident) or plan.point(ident) or plan.wifi(ident)
    return found.name.of(language) if found else ident


def kind(alarm: Alarm, language: str) -> str:
    text = KINDS.get(alarm.kind) or KINDS.get(alarm.kind.partition(":")[0])
    return _catalogue(language).gettext(text) if text else alarm.kind


def short(event: Event, plan: Plan, language: str) -> str:
    """One line: kind, place, litres, since when; what it lost so far, what to beware of."""
    alarm, say = event.alarm, _catalogue(language).gettext
    head = f"{kind(alarm, language)}: {place(plan, alarm.place, language)}"
    parts = [head]
    if alarm.lps is not None:
        litres = number(alarm.lps, 1, language)
        if alarm.lps_u is not None:
            litres += f" ± {number(alarm.lps_u, 1, language)}"
        parts.append(say("%(litres)s L/s") % {"litres": litres})
    if alarm.m3 is not None and alarm.m3 >= 1:
        parts.append(say("%(volume)s m³ lost") % {"volume": number(alarm.m3, 0, language)})
    since = moment(int(float(alarm.evidence.get("since_ms", alarm.raised))))
    parts.append(say("since %(time)s") % {"time": since})
    if event.what == "cleared":
        parts.append(say("back to normal since %(time)s") % {"time": moment(event.at)})
    elif event.what == "closed":
        parts.append(say("closed"))
    elif event.what == "silent" and alarm.silent_since is not None:
        silent = moment(alarm.silent_since)
        parts.append(say("last known; silent since %(time)s") % {"time": silent})
    elif event.what == "raised" and alarm.kind in DANGER:
        parts.append(say("Do not enter the gallery or a shaft"))
    if event.again:
        parts.append(say("(possibly sent before)"))
    return ", ".join(parts)


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(BAKU).strftime("%d.%m %H:%M")


def flat(alarm: Alarm, plan: Plan) -> dict[str, object]:
    """Flat JSON of an alarm: no nesting, absent instead of null."""
    found: dict[str, object] = {
        "site": plan.id,
        "id": alarm.id,
        "kind": alarm.kind,
        "place": alarm.place,
        "place_name": place(plan, alarm.place, "en"),
        "state": alarm.state,
        "raised": alarm.raised,
        "closed": alarm.closed,
        "lps": None if alarm.lps is None else round(alarm.lps, 3),
        "lps_u": None if alarm.lps_u is None else round(alarm.lps_u, 3),
        "m3": None if alarm.m3 is None else round(alarm.m3, 1),
        "silent_since": alarm.silent_since,
    }
    return {key: value for key, value in found.items() if value is not None}
