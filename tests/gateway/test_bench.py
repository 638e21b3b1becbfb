# SPDX-License-Identifier: MIT
"""The bench counts right: what it calls stored is stored, what it calls lost is lost. No timing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kahriz_wire.messages import decode_rows
from scripts.bench_faults import count_rows
from scripts.bench_mqtt import Link, Message
from scripts.bench_nodes import Nodes
from scripts.bench_report import Figure, Report
from scripts.bench_rig import kill, rig, wait_until
from scripts.bench_site import ROWS, SITE, rows_text


def test_a_message_of_the_bench_is_one_of_the_contract() -> None:
    good, bad = decode_rows(rows_text(13))
    assert not bad
    assert [row.n for row in good] == list(range(13, 25))
    assert len({row.ts for row in good}) == ROWS
    assert json.loads(rows_text(13))[0]["weir_echoes"] == 15


def test_a_median_meets_its_goal_or_misses_it() -> None:
    assert Figure("a", [3.0, 1.0, 9.0], "s", "≤ 3", most=3).met is True
    assert Figure("a", [3.0, 1.0, 9.0], "s", "≤ 2", most=2).met is False
    assert Figure("a", [3.0, 1.0, 9.0], "×", "≥ 3.5", least=3.5).met is False
    assert Figure("a", [3.0], "×").met is None
    assert Figure("a", [3.0, 1.0, 9.0], "s").cells()[1:3] == ["3 s", "1 to 9"]


@pytest.mark.needs("mosquitto")
def test_200_messages_and_a_kill_are_counted_to_the_row(tmp_path: Path) -> None:
    with rig(tmp_path, 5, influx=False, python=sys.executable) as each:
        each.start_intake()
        nodes = Nodes(each.broker.port, each.site.nodes)

        def strike() -> None:
            kill(each.intake)
            each.intake.start()

        nodes.send(200, 1000, {120: strike})
        nodes.settle()
        assert each.stored() == nodes.sent * ROWS == 2400
        assert count_rows(each, 2400) == (0, 0)
        assert count_rows(each, 2412) == (12, 0)  # a message that never was is a loss
        nodes.close()
        each.broker.kill9()
        each.broker.restart()
        heard: list[Message] = []
        link = Link(each.broker.port, "test", on_message=heard.append)
        link.subscribe(f"kahriz/v1/{SITE}/+/up/+")
        load = each.site.load(200)
        link.publish(load.messages, window=7)
        link.settle()
        wait_until(lambda: link.listen(0.01) is None and len(heard) == 200, "our own come back")
        assert [(m.topic, m.payload) for m in heard] == load.messages
        assert link.acked == 200
        link.close()


def test_the_table_says_what_was_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.add(Figure("rate", [0.5], "×", "≥ 1.5", least=1.5))
    report.leave_out("a Raspberry Pi")
    text = report.markdown("make bench", "0.1, 0.2")
    assert "| rate | 0.5 × | one run | ≥ 1.5 | MISSED |" in text
    assert "- a Raspberry Pi" in text
    assert "MISSED" in capsys.readouterr().out
