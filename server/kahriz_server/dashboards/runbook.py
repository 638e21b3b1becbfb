# SPDX-License-Identifier: MIT
"""What is to be done for each kind of alarm, a panel a kind: where the links of alarms lead.

The words are those that a crew gets by message (kahriz_alarms), so that the two never differ.
"""

from kahriz_alarms.crew import WORK
from kahriz_alarms.messages import DANGER, KINDS, translate
from kahriz_alarms.messages_sms import WARNING
from kahriz_server.dashboards.common import Json, dashboard
from kahriz_server.texts import Lang, say

UID = "kahriz-runbook"
ORDER = tuple(KINDS)


def build(lang: Lang) -> Json:
    """The dashboard in one language."""
    return dashboard(UID, say("runbook", lang), lang, [_page(kind, lang) for kind in ORDER], [], [])


def link(lang: Lang, kind: str = "") -> str:
    """The address within Grafana; of one kind its panel alone."""
    panel = f"?viewPanel={ORDER.index(kind) + 1}" if kind else ""
    return f"/d/{UID}-{lang}{panel}"


def words(kind: str, lang: Lang) -> str:
    """What to look at, what to bring, what to beware of; as Markdown."""
    work = WORK.get(kind)
    lines = []
    if work is None:
        lines.append(say("ask_doctor", lang))
    else:
        lines.append(f"**{say('look', lang)}** {translate(work.look, lang)}")
        lines.append(f"**{say('bring', lang)}** {translate(work.bring, lang)}")
    if kind in DANGER:
        lines.append(f"**{translate(WARNING, lang)}**")
    return "\n\n".join(lines)


def _page(kind: str, lang: Lang) -> Json:
    return {
        "type": "text",
        "title": translate(KINDS[kind], lang),
        "description": kind,
        "gridPos": {"x": 0, "y": 0, "w": 12, "h": 5},
        "targets": [],
        "fieldConfig": {"defaults": {}, "overrides": []},
        "options": {"mode": "markdown", "content": words(kind, lang)},
    }
