# SPDX-License-Identifier: MIT
"""The facts as what stands on the page: texts and numbers of one language, for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from kahriz_alarms import kinds as alarm_kinds
from kahriz_alarms.messages import KINDS, translate
from kahriz_gateway.page.format import NBSP, Formats
from kahriz_gateway.records.approvals import APPROVED, PROVISIONAL, REVISED
from kahriz_gateway.report.facts import Day, Month, Share, Water
from kahriz_gateway.report.words import say
from kahriz_water.turns import MEASURED

Json = dict[str, Any]
DASH = "—"
HOUR_MS = 3_600_000
PLOTS = 10  # of one page


def month_page(month: Month, lang: str) -> Json:
    """One kahriz."""
    write = _Writer(lang)
    name = month.plan.name.of(lang)
    main = month.water[0].point.name.of(lang) if month.water else ""
    return {
        "lang": lang,
        "title": say("month", lang),
        "name": f"{name}, {month.plan.district}",
        "span": write.span(month.span.start, month.span.end),
        "tables": [
            write.table(
                "water",
                ("point", "volume", "mean", "change", "complete"),
                [write.water(each) for each in month.water],
                say("nothing", lang),
            ),
            write.table(
                "losses",
                ("reach", "loss", "sure"),
                [
                    [
                        _reach(month, each.reach, lang),
                        write.pair(each.m3, each.u_m3, 0),
                        say(
                            "unknown"
                            if each.m3 is None
                            else "certain"
                            if each.certain
                            else "within",
                            lang,
                        ),
                    ]
                    for each in month.losses
                ],
                say("unknown", lang),
            ),
            *write.turns(month.turns),
            write.table(
                "alarms",
                ("kind", "raised", "open", "repaired", "hours"),
                [
                    [
                        kind_name(kind, lang),
                        *map(str, (row.alarms, row.open, row.repaired)),
                        write.number(row.median_hours_to_repair, 1),
                    ]
                    for kind, row in _gravest_first(month)
                ],
                say("no_alarms", lang),
            ),
        ],
        "notes": {
            "title": say("missing", lang),
            "lines": [
                say("uptime", lang) % write.share(month.measured),
                *write.missing(month.days, main),
                *([say("lost", lang) % write.number(month.lost_m3, 0)] if month.lost_m3 else []),
            ],
        },
        "chart": {
            "title": say("chart", lang) % main,
            "days": [each.m3 for each in month.days],
            "top": write.number(max((d.m3 or 0 for d in month.days), default=0), 0),
        },
        "foot": write.foot([month]),
    }


def fleet_page(
    months: Sequence[Month], targets: Mapping[str, Mapping[str, float]], lang: str
) -> Json:
    """All kahrizes, one line each, with what was promised to who pays."""
    write = _Writer(lang)
    heads = ["kahriz", "volume", "mean", "target", "reached", "change", "households", "hectares"]
    heads += ["readings", "open", "hours"]
    rows = []
    for month in sorted(months, key=lambda m: m.plan.name.of(lang)):
        water = month.water[0] if month.water else None
        lps = water.lps if water else None
        aim = targets.get(month.plan.id, {})
        target = aim.get("target_lps")
        alarms = month.all_alarms
        rows.append(
            [
                month.plan.name.of(lang),
                write.number(water.m3 if water else None, 0),
                write.number(lps, 1),
                write.number(target, 1),
                write.share(lps / target) if lps is not None and target else DASH,
                write.signed(water.change if water else None),
                write.number(aim.get("households"), 0),
                write.number(aim.get("hectares"), 1),
                write.share(month.measured),
                str(alarms.open),
                write.number(alarms.median_hours_to_repair, 1),
            ]
        )
    return {
        "lang": lang,
        "title": say("fleet", lang),
        "name": "",
        "span": write.span(months[0].span.start, months[0].span.end),
        "tables": [write.table("water", heads, rows, say("nothing", lang))],
        "notes": None,
        "chart": None,
        "foot": write.foot(months),
    }


def kind_name(kind: str, lang: str) -> str:
    """What people call a kind of alarm."""
    return translate(KINDS.get(kind.partition(":")[0], kind), lang)


def _gravest_first(month: Month) -> list[tuple[str, Any]]:
    most = sorted(month.alarms.items(), key=lambda x: (not alarm_kinds.of(x[0]).urgent, x[0]))
    return most[:8]  # of one page


def _reach(month: Month, ident: str, lang: str) -> str:
    found = month.plan.reach(ident)
    return found.name.of(lang) if found else ident


class _Writer:
    """Numbers, shares and days as one language writes them."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._format = Formats(lang)

    def foot(self, months: Sequence[Month]) -> str:
        """Who answers for the numbers, what the bounds are, and what the report does not say."""
        said = {month.approval for month in months}
        least = next(word for word in (PROVISIONAL, REVISED, APPROVED) if word in said)
        text = say(least, self._lang)
        if least == APPROVED:
            held = [approval for month in months for approval in month.approvals]
            who = ", ".join(dict.fromkeys(each.who for each in held))
            text %= (who, self._format.day(max(each.at for each in held)))
        return f"{text} {say('no_word_on_health', self._lang)}"

    def number(self, value: float | None, decimals: int) -> str:
        return DASH if value is None else self._format.number(value, decimals)

    def pair(self, value: float | None, u: float | None, decimals: int) -> str:
        if value is None or u is None:
            return DASH
        return f"{self.number(value, decimals)} ± {self.number(u, decimals)}"

    def share(self, value: float) -> str:
        return f"{self._format.number(value * 100, 0)}{NBSP}%"

    def signed(self, value: float | None) -> str:
        if value is None:
            return DASH
        return ("+" if round(value * 100) > 0 else "") + self.share(value)

    def span(self, start: int, end: int) -> str:
        last = end - HOUR_MS
        return say("span", self._lang) % (self._format.day(start), self._format.day(last))

    def water(self, each: Water) -> list[str]:
        return [
            each.point.name.of(self._lang),
            self.pair(each.m3, each.u_m3, 0),
            self.number(each.lps, 1),
            self.signed(each.change),
            self.share(each.completeness),
        ]

    def turns(self, shares: Sequence[Share]) -> list[Json]:
        """Water by turns, the plots in the order of their codes; no table where none are agreed."""
        if not shares:
            return []
        known = [each for each in shares if each.got.coverage >= MEASURED]
        whole = sum(each.got.m3 for each in known) if len(known) == len(shares) else 0.0
        rows = [self._turn(each, whole) for each in shares[:PLOTS]]
        if len(shares) > PLOTS:
            rest = shares[PLOTS:]
            count = sum(each.got.turns for each in rest)
            sure = all(each.got.coverage >= MEASURED for each in rest)
            m3 = sum(each.got.m3 for each in rest) if sure else None
            words = say("other_plots", self._lang) % len(rest)
            rows.append([words, str(count), DASH, self.number(m3, 0), DASH, DASH])
        heads = ("plot", "turns", "hours_of_turns", "volume", "part", "agreed")
        return [self.table("by_turns", heads, rows, "")]

    def _turn(self, each: Share, whole: float) -> list[str]:
        got = each.got
        sure = got.coverage >= MEASURED
        return [
            got.plot,
            str(got.turns),
            self.number(got.time_ms / HOUR_MS, 0),
            self.pair(got.m3, got.u_m3, 0) if sure else DASH,
            self.share(got.m3 / whole) if sure and whole else DASH,
            DASH if each.agreed is None else self.share(each.agreed),
        ]

    def table(
        self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], empty: str
    ) -> Json:
        return {
            "title": say(title, self._lang),
            "heads": [say(head, self._lang) for head in heads],
            "rows": [list(row) for row in rows],
            "empty": empty,
        }

    def missing(self, days: Sequence[Day], main: str) -> list[str]:
        """The days without a sum, runs of them as one."""
        if not days:
            return [say("nothing", self._lang)]
        told = []
        for gone, run in groupby(days, key=lambda day: day.m3 is None):
            found = [f"{self._format.day(day.start)[:5]}" for day in run]
            if gone:
                told.append(found[0] if len(found) == 1 else f"{found[0]}–{found[-1]}")
        if not told:
            return [say("none_missing", self._lang) % main]
        return [say("days_missing", self._lang) % (main, ", ".join(told))]
