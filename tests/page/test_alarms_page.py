# SPDX-License-Identifier: MIT
"""The page of the warnings: the advisory first, what is kept quiet, how repairs went, the modem."""

import re
from pathlib import Path

from answer import Answer
from conftest import Serve
from stores_made import DAY, HOUR, NOW, open_for_writing, plan_of

from kahriz_gateway.alarms import advisory as alarm_advisory
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store


def test_the_advisory_stands_before_everything_and_is_escaped(data: Path, serve: Serve) -> None:
    conn = open_for_writing(data)
    with village_store.transaction(conn):
        why = "sel <b>suyu</b>"
        alarm_advisory.start(conn, plan_of(), NOW + 3 * DAY, "rena", why, NOW, {})
    conn.close()
    url = serve(data)
    for path in ("/?lang=en", "/alarms?lang=en"):
        body = Answer(url + path).text
        first = body.split('class="alarm-card', 2)[1]
        assert "Nobody should drink this water until it is tested: until 26.11 11:05" in first
        assert "<span>sel &lt;b&gt;suyu" in first
        assert "rena" not in body
        assert "<strong>Do not drink until tested" not in body  # it is told once


def test_who_keeps_it_quiet_and_what_became_of_others_is_shown(data: Path, serve: Serve) -> None:
    conn = open_for_writing(data)
    (leak,) = alarm_book.open_alarms(conn)
    kept = {"network_at": NOW - HOUR, "network_ok": True, "network": {"operator": "Azercell"}}
    kept["network"]["percent"] = 54  # type: ignore[index]
    with village_store.transaction(conn):
        until = {"until": NOW + HOUR}
        village_alarms.step(conn, leak, "shelved", NOW, {}, NOW, "rena", "yol bağlıdır", until)
        known = {"credit": 4.2, "credit_known_at": NOW - DAY}
        village_store.set_state(conn, "alarm:modem", kept | known)
    conn.close()
    answer = Answer(serve(data) + "/alarms?lang=az")
    body = answer.text
    assert ": yol bağlıdır)" in body
    assert "rena" not in body  # names are for those who have entered
    outcome = answer.words.partition("Bütün kəhriz")[2]
    assert re.match(r"[^\d]*1[^\d]*0[^\d]*–[^\d]*0", outcome), outcome[:200]
    assert "Azercell, 54 %" in body
    assert "4,20 · " in body
