# SPDX-License-Identifier: MIT
"""Fifty random schedules of faults: nothing lost, nothing doubled, no alarm lost or made up."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.store import open_store
from kahriz_tools.image import build_image
from kahriz_wire.release import JOURNAL

from . import soak
from .cable import new_flash
from .faults.campaign import DRIVERS, command, one, shrunk
from .faults.given_up import too_early
from .faults.lines import Book, lines_of, to_be_lived_again
from .faults.real import Run
from .faults.real_node import lost_and_doubled
from .faults.run import run
from .faults.schedule import DAY_S, KINDS, MONTH, Happening, Schedule, draw
from .faults.small import NODE, SITE, node_config
from .faults.table import real, virtual
from .faults.verdict import Verdict
from .life import LEAST_MA, STEP_MA

SEEDS = range(1, 51)
pytestmark = pytest.mark.timeout(900)  # the fifty need 40 s of a core


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_image(folder, DRIVERS)
    return folder


@pytest.fixture(scope="module")
def lived(image: Path) -> list[Verdict]:
    return [one(seed, image) for seed in SEEDS]


def test_fifty_schedules_break_no_promise(lived: list[Verdict]) -> None:
    assert {v.seed: v.faults for v in lived if v.faults} == {}


def test_the_fifty_were_no_easy_ones(lived: list[Verdict]) -> None:
    assert {kind for v in lived for kind in v.kinds} >= set(KINDS)
    assert sum(v.texts for v in lived) > 10


def test_a_run_is_the_same_when_it_is_lived_again(image: Path) -> None:
    schedule = Schedule(
        7, 5400.0, 300, 3, 20_000, None, 1.0,
        (Happening("intake_killed", 1500.0, 30.0, 17), Happening("link_loses", 2500.0, 900.0, 5)),
    )  # fmt: skip
    first, second = run(schedule, image), run(schedule, image)
    assert (first.measured, first.stored, first.faults) == (second.measured, second.stored, [])
    assert first.measured > 15


def test_a_broken_schedule_is_shrunk_to_what_breaks_it(image: Path) -> None:
    broken = Schedule(
        7, 3600.0, 300, 3, 0, None, 1.0,
        (Happening("dns_away", 1200.0, 400.0, 1), Happening("disk_full", 1500.0, 9e6, 2)),
    )  # fmt: skip
    _, keep, verdict = shrunk(broken, image)
    assert keep == (1,)
    assert verdict.pending > 0
    assert verdict.faults


def test_a_broken_seed_is_told_as_a_command() -> None:
    assert command(draw(3), (0, 2)) == "make faults ARGS='--only 3 --keep 0,2'"


def _line(seed: int, commit: str = "0000001", **known: object) -> str:
    kinds = [h.kind for h in draw(seed).happenings]
    return json.dumps(Verdict(seed, kinds, **known).as_dict() | {"commit": commit}) + "\n"  # type: ignore[arg-type]


def test_the_report_counts_a_schedule_in_the_row_of_each_of_its_faults(tmp_path: Path) -> None:
    kept = tmp_path / "runs.jsonl"  # 3: flash cut garbage; 37: that and three more
    first = _line(3, measured=10, stored=9, missing=1, recovery_s={"flash_cut_garbage": 60.0})
    kept.write_text(first + _line(37, measured=20, stored=20, alarms_right=1, excused=["a: b"]))
    others = {h.kind for h in draw(37).happenings} - {"flash_cut_garbage"}
    assert len(others) > 0
    rows = virtual([kept]).splitlines()
    both = "| 2 | 30 | 29 | 0 | 1 | 0 | 0 | 0 | 1 / 0 / 0 | 0 | 1 |"
    assert f"| flash cut garbage {both} 60 s; 60 s |" in rows
    assert f"| **all, each once** {both}  |" in rows
    for kind in others:
        name = kind.replace("_", " ")
        assert f"| {name} | 1 | 20 | 20 | 0 | 0 | 0 | 0 | 0 | 1 / 0 / 0 | 0 | 1 |  |" in rows


def test_a_seed_that_was_lived_twice_counts_as_it_was_lived_last(tmp_path: Path) -> None:
    early, late = tmp_path / "early.jsonl", tmp_path / "late.jsonl"
    early.write_text(_line(3, "aaaaaaa", faults=["lost"]) + _line(4, "aaaaaaa", faults=["lost"]))
    late.write_text(_line(3, "bbbbbbb") + _line(5, "bbbbbbb"))
    words = virtual([early, late])
    assert words.startswith("3 schedules, seeds 3 to 5, 1 broken.")
    assert "Commits: bbbbbbb 2 (0 broken); aaaaaaa 1 (1 broken)." in words
    assert " 1 seeds were broken on an earlier commit and are sound on the one that" in words
    assert "\n- seed 4: lost" in words
    assert "seed 3: lost" not in words


def test_a_run_of_real_processes_counts_as_it_was_lived_last(tmp_path: Path) -> None:
    kept, again = tmp_path / "runs.jsonl", tmp_path / "again.jsonl"
    runs = [Run(s, ["disk_full"], 720, 720, receipts_s=1.0, database_s=2.0) for s in (7, 8, 10)]
    runs[1].faults.append("waited")
    kept.write_text("".join(json.dumps(asdict(run)) + "\n" for run in runs))
    assert real([kept]).startswith("3 runs, seeds 7 to 10 without 1 of them, 1 broken.")
    again.write_text(json.dumps(asdict(runs[1]) | {"faults": []}) + "\n")
    words = real([kept, again])
    assert words.startswith("3 runs, seeds 7 to 10 without 1 of them, 0 broken.")
    assert "Broken at first, and sound when lived again: 8." in words
    assert "| disk full | 3 | 2,160 | 2,160 | 0 | 0 | 1.0 s; 1.0 s |" in words


def test_a_line_of_a_schedule_that_its_seed_no_longer_draws_is_not_counted(tmp_path: Path) -> None:
    kept = tmp_path / "runs.jsonl"
    strange = Verdict(4, ["wifi_away"]).as_dict()
    kept.write_text(_line(3) + json.dumps(strange) + "\n")
    words = virtual([kept])
    assert words.startswith("1 schedules, seeds 3 to 3, 0 broken.")
    assert "1 lines of seeds that draw another schedule now are left out." in words
    assert to_be_lived_again(kept) == [4]


def test_a_campaign_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    kept = tmp_path / "runs.jsonl"
    kept.write_text(_line(3) + _line(4)[:40])  # in the middle of a line
    book = Book(kept)
    assert book.lived == {3}
    book.put(Verdict(4, [h.kind for h in draw(4).happenings]))
    book.close()
    assert [line["seed"] for line in lines_of(kept)] == [3, 4]
    assert lines_of(kept)[1]["commit"]


def test_what_a_node_gives_up_before_it_is_stored_is_seen(tmp_path: Path) -> None:
    store = tmp_path / "readings.db"
    conn = open_store(store, SITE)
    conn.execute("UPDATE meta SET value='50000001' WHERE key='store'")
    conn.executemany(
        "INSERT INTO reading(node, journal, n, q, body) VALUES(?, '7e50aa11', ?, 1, '{}')",
        [(NODE, n) for n in (1, 2, 3, 6)],
    )
    conn.execute("INSERT INTO closed(node, journal, a, b, reason) VALUES(?,?,5,5,'lost')",
                 (NODE, "7e50aa11"))  # fmt: skip
    conn.close()

    def seen(*mark: object) -> list[list[int]]:
        flash = tmp_path / "node.lfs"
        keep = b"8 bytes:" + json.dumps(mark).encode()
        new_flash(flash, node_config(300, 3), {f"{JOURNAL}/7e50aa11/mark": keep})
        return too_early(flash, store)

    assert seen("50000001", 3, []) == []
    assert seen("50000001", 6, [[4, 4]]) == [], "it still owes it, or it is closed with a reason"
    assert seen("50000001", 7, []) == [[4, 4], [7, 7]]
    assert seen("another1", 7, []) == [], "to this store all is offered again"


def _verdict_of(image: Path, *happenings: Happening) -> Verdict:
    return run(Schedule(9, 4800.0, 300, 3, 0, None, 1.0, happenings), image)


UNREADABLE, RESTORED = Happening("unreadable_message", 2000.0, 0.0, 17), 1800.0


def test_an_unreadable_message_that_its_store_took_with_it_is_excused_by_name(image: Path) -> None:
    put_back = Happening("store_restored", 2000.0 + RESTORED - 600.0, 0.0, 0)
    verdict = _verdict_of(image, UNREADABLE, put_back)
    assert verdict.excused == ["message 17: it came after the copy of the store that was put back"]
    assert (verdict.unreadable, verdict.faults) == (1, [])


def test_an_unreadable_message_that_the_copy_has_must_be_there(image: Path) -> None:
    put_back = Happening("store_restored", 2000.0 + RESTORED + 600.0, 0.0, 0)
    verdict = _verdict_of(image, UNREADABLE, put_back)
    assert (verdict.unreadable, verdict.excused, verdict.faults) == (1, [], [])


def test_a_quarantine_that_drops_is_seen_though_the_store_was_put_back(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "put", lambda *given, **named: None)
    for after_s in (-600.0, 600.0):
        put_back = Happening("store_restored", 2000.0 + RESTORED + after_s, 0.0, 0)
        verdict = _verdict_of(image, UNREADABLE, put_back)
        assert verdict.faults == ["unreadable messages that were not kept: ['message 17']"]
    lost = Happening("broker_lost_state", 2600.0, 30.0, 0)
    verdict = _verdict_of(image, UNREADABLE, lost)
    assert verdict.faults == ["unreadable messages that were not kept: ['message 17']"]


def test_a_broker_that_loses_its_state_takes_with_it_what_waited_there(image: Path) -> None:
    away = Happening("intake_frozen", 1900.0, 1500.0, 0)
    lost = Happening("broker_lost_state", 2600.0, 30.0, 0)
    verdict = _verdict_of(image, away, UNREADABLE, lost)
    assert verdict.excused == ["message 17: it waited in a broker that lost its state"]
    assert verdict.faults == []


def test_after_thirty_days_the_server_has_all_in_order_and_the_gateway_stayed_small(
    image: Path,
) -> None:
    away = Happening(MONTH, 1.1 * DAY_S, 30 * DAY_S, 0)
    cut = Happening("village_killed", away.to_s + 60.0, 20.0, 30)  # while it catches up
    schedule = Schedule(11, away.to_s + 6 * 3600.0, 3600, 12, 9_000, None, 1.0, (away, cut))
    verdict = run(schedule, image)
    assert verdict.faults == []
    assert verdict.stored == verdict.measured > 700
    assert verdict.alarms_right == 1  # of the office, after a day
    assert verdict.bytes_a_row is not None


def test_each_wake_of_a_real_node_has_its_row_once() -> None:
    def rows(*wakes: int) -> list[dict[str, float]]:
        return [{"loop_current_ma": LEAST_MA + wake * STEP_MA} for wake in wakes]

    measured, written = {1, 2, 3, 4}, {1, 2, 4}
    assert lost_and_doubled(measured, written, rows(1, 2, 4)) == (0, 0)
    assert lost_and_doubled(measured, written, rows(1, 2, 3, 4)) == (0, 0)  # cut after writing
    assert lost_and_doubled(measured, written, rows(1, 4)) == (1, 0)
    assert lost_and_doubled(measured, written, rows(1, 2, 2, 4)) == (0, 1)
    assert lost_and_doubled(measured, written, rows(1, 2, 4, 9)) == (0, 1)


def test_a_soak_tells_what_grew_since_the_warm_weeks() -> None:
    week = {"week": 1, "village_mb": 80.0, "village_handles": 29, "village_bytes_a_row": 200.0}
    calm = [week] * 13
    assert soak.judge(calm) == []
    for name, last in (
        ("village_mb", 101.0),
        ("village_handles", 32),
        ("village_bytes_a_row", 240),
    ):
        (words,) = soak.judge([*calm, {**week, name: last}])
        assert words.startswith(f"{name}: {last}")
