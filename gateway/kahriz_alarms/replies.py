# SPDX-License-Identifier: MIT
"""What people answer by SMS or Telegram, in three languages, in digits, as they type it.

    1 acknowledge · 2 on my way · 3 fixed, with a cause · 4 shelve, hours · 5 or SU? state · 0 help

A digit may be followed by the number of the alarm: `3 17 dolasov`. Without one it means the
newest message. Case, folded letters (e for ə), blanks and punctuation do not matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kahriz_alarms.fold import bare

LONGEST = 500  # characters looked at
MOST_HOURS = 24 * 14

OPS = {
    "ack": "1 ok oldu basadusdum anladim aldim qebul qebuletdim prinyal prinyala prinyato "
    "ponyal ponyala yes beli da ack acknowledge got gotit",
    "coming": "2 gelirem gedirem yoldayam yoladusdum cixdim edu vyehal vyekhal vputi "
    "coming onmyway omw",
    "fixed": "3 duzeldi duzeltdim hazir hazirdir temir temirolundu qurtardi ispravil ispravila "
    "ispravleno gotovo pochinil pochinila fixed done repaired",
    "shelve": "4 sonra gozlesin teksonra otlozhit otlozhi pozzhe shelve later snooze",
    "state": "5 su suyum necedir kehriz veziyyet voda kakvoda sostoyanie state status water",
    "help": "0 komek kömek yardim pomoshch pomosh help",
}
CAUSES = {
    "terkdoyme": "1 terkdoyme derinlesdirme uglublenie uglubili deepened deepening",
    "dolasov": "2 dolasov ucqun zaval obval fall cleared",
    "aval": "3 aval sel selgetirdi nanos nanosy debris flood",
    "joint": "4 calaq birlesme catlaq styk tresh treshchina joint crack",
    "tapping": "5 qosulma ogurluq kenaraxma vrezka otvod tapping theft",
    "weir_cleaned": "6 suasiran temizledim temizlendi ochistil vodosliv weir "
    "cleanedweir weircleaned",
    "sensor": "7 sensor olcu qutu datchik pribor node",
    "nothing_there": "8 hecne yoxdur hecneyoxdur nichego nichegonet nothing nothingthere",
    "other": "9 basqa diger drugoe inoe other",
}


def _words(table: dict[str, str]) -> dict[str, str]:
    return {bare(word): key for key, words in table.items() for word in words.split()}


OP_OF, CAUSE_OF = _words(OPS), _words(CAUSES)


@dataclass(frozen=True, slots=True)
class Reply:
    """`alarm` is None when none was named; `words` are what a person said beside the cause."""

    op: str  # ack, coming, fixed, shelve, state, help, unknown
    alarm: int | None = None
    cause: str | None = None
    hours: int | None = None
    words: str = ""


def parse(text: str) -> Reply:
    """Read an answer; what nobody can read is `unknown` and gets the help text.

    >>> parse("  1 ")
    Reply(op='ack', alarm=None, cause=None, hours=None, words='')
    >>> parse("DÜZƏLDİ #17 dolaşov").cause, parse("3 17 2").cause
    ('dolasov', 'dolasov')
    >>> parse("4 12").hours, parse("SU?").op, parse("salam").op
    (12, 'state', 'unknown')
    """
    raw = re.findall(r"#?\w+", text[:LONGEST])
    tokens = [bare(t) for t in raw]
    op, used = _operation(tokens)
    if op is None:
        return Reply("unknown", words=text[:LONGEST].strip())
    rest = list(zip(raw[used:], tokens[used:], strict=True))
    if op == "fixed":
        return _fixed(rest)
    numbers = [(word, int(t)) for word, t in rest if t.isascii() and t.isdigit() and len(t) <= 9]
    named = next((n for word, n in numbers if word.startswith("#")), None)
    plain = [n for word, n in numbers if not word.startswith("#")]
    said = " ".join(word for word, t in rest if not t.isdigit())
    if op == "shelve":
        if named is None and len(plain) > 1:  # the alarm first, then the hours
            named = plain.pop(0)
        hours = plain[0] if plain and 1 <= plain[0] <= MOST_HOURS else None
        return Reply(op, named, hours=hours, words=said)
    if named is None and plain and op in ("ack", "coming"):
        named = plain[0]
    return Reply(op, named, words=said)


def _operation(tokens: list[str]) -> tuple[str | None, int]:
    """The longest of one to three first words that is an operation, and how many they were."""
    for count in (3, 2, 1):
        found = OP_OF.get("".join(tokens[:count])) if len(tokens) >= count else None
        if found is not None and (count == 1 or not tokens[0].isdigit()):
            return found, count
    return None, 0


def _fixed(rest: list[tuple[str, str]]) -> Reply:
    """`3`, `3 2` (cause), `3 17 2` (alarm, cause), `#17 dolasov`: one digit alone is a cause."""
    alarm: int | None = None
    cause: str | None = None
    said = []
    for n, (word, token) in enumerate(rest):
        last = n == len(rest) - 1
        number = token.isascii() and token.isdigit() and len(token) <= 9
        a_cause = last and token in CAUSE_OF
        if number and (word.startswith("#") or (alarm is None and not a_cause)):
            alarm = int(token)
        elif cause is None and token in CAUSE_OF:
            cause = CAUSE_OF[token]
        else:
            said.append(word)
    if cause is None and said:
        cause = "other"
    return Reply("fixed", alarm, cause, words=" ".join(said))
