# SPDX-License-Identifier: MIT
"""The journal: each reading has its number for ever, and what is gone is said."""

import json
import os

from journals import BEGIN_S, LAYOUT, Receipt, fill, gone, held, opened, reading, small_segments
from places import draw, folder

from kahriz_node import journal, records


def test_a_row_comes_back_as_the_contract_says():
    book = opened(folder())
    fill(book, 1)
    a, b, text, word = next(iter(book.rows(1, 1)))
    assert (a, b, word) == (1, 1, "")
    assert text.startswith(
        '{"ts":1764000300000,"n":1,"q":1,"air_c":-0.49,"weir_distance_m":0.6001,'
    )
    assert json.loads(text)["weir_echoes"] == 15


def test_a_journal_of_form_1_goes_on_where_no_older_program_finds_it():
    root = folder()
    old = opened(root)
    fill(old, 5)
    new = journal.Journal(root + "/journal.2", LAYOUT, draw)
    assert (new.id, new.next) == (old.id, 6)
    fill(new, 1)
    older = opened(root)  # a program of form 1 is put back: no number of that journal is given
    assert older.id != new.id
    assert older.next == 1
    again = journal.Journal(root + "/journal.2", LAYOUT, draw)
    assert (again.id, again.next) == (new.id, 7)


def test_numbers_go_on_after_every_wake():
    root = folder()
    for n in range(1, 30):
        book = opened(root)
        assert book.next == n
        fill(book, 1)
    assert [item[0] for item in held(book, 1, 99)] == list(range(1, 30))


def test_the_journal_keeps_its_id_and_a_new_flash_draws_another():
    root = folder()
    first = opened(root).id
    assert opened(root).id == first
    assert len(first) == 8


def test_a_record_of_two_channels_takes_16_bytes():
    assert LAYOUT.size == 16


def test_faults_and_unknown_times_are_kept():
    book = opened(folder(), boot=7)
    stamp = records.Stamp(0, records.UNKNOWN, 301, 7)
    book.append(stamp, 1, {"air": "crc", "weir": "timeout"})
    _, _, text, word = next(iter(book.rows(1, 1)))
    assert word == "unk"
    assert json.loads(text) == {
        "n": 1,
        "q": 1,
        "tq": "unk",
        "up_s": 301,
        "boot": 7,
        "air_fault": "crc",
        "weir_fault": "timeout",
    }


def test_a_value_too_large_for_its_record_is_a_fault_and_no_other_value():
    book = opened(folder())
    broken = reading(1)
    broken["air"] = {"c": 99999}
    book.append(records.Stamp(BEGIN_S, records.SYNCED), 1, broken)
    row = json.loads(next(iter(book.rows(1, 1)))[2])
    assert row["air_fault"] == "out_of_range"
    assert "air_c" not in row
    assert row["weir_echoes"] == 15


def test_segments_follow_each_other_without_a_seam():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 35)
    assert len(os.listdir(root + "/journal/" + book.id)) >= 3
    again = opened(root)
    assert again.next == 36
    assert [item[0] for item in held(again, 1, 35)] == list(range(1, 36))
    assert [item[0] for item in held(again, 9, 23)] == list(range(9, 24))


def test_a_changed_configuration_begins_a_segment_and_old_rows_stay_readable():
    root = folder()
    fill(opened(root), 3)
    other = opened(root, records.Layout([("loop", ("current_ma",))]))
    stamp = records.Stamp(BEGIN_S + 9999, records.SYNCED)
    assert other.append(stamp, 1, {"loop": {"current_ma": 14213}}) == 4
    texts = [json.loads(item[2]) for item in held(other, 1, 9)]
    assert texts[0]["weir_echoes"] == 15
    assert texts[3]["loop_current_ma"] == 14.213


def test_a_receipt_moves_the_mark():
    root = folder()
    book = opened(root)
    fill(book, 20)
    assert book.open_ranges() == [[1, 20]]
    book.obey(Receipt(18, [[3, 4], [9, 9]]))
    assert book.open_ranges() == [[3, 4], [9, 9], [19, 20]]
    book.save()
    assert opened(root).open_ranges() == [[3, 4], [9, 9], [19, 20]]


def test_a_restored_gateway_is_offered_everything_again():
    book = opened(folder())
    fill(book, 20)
    book.obey(Receipt(20))
    assert book.open_ranges() == []
    book.obey(Receipt(0, [[1, 20]], "d52e1b1c"))
    assert book.open_ranges() == [[1, 20]]


def test_a_gateway_that_knows_more_numbers_moves_the_next_one():
    root = folder()
    book = opened(root)
    fill(book, 3)
    book.obey(Receipt(10))
    assert book.next == 11
    fill(book, 1)
    assert opened(root).next == 12
    assert gone(opened(root), 1, 11) == [(4, 10, "lost")]


def test_a_receipt_of_four_billion_is_not_followed():
    book = opened(folder())
    fill(book, 3)
    book.obey(Receipt(4294967295))
    assert book.next == 4


def test_rtc_memory_can_be_ahead_of_flash_and_then_it_counts():
    root = folder()
    fill(opened(root), 3)
    book = opened(root, at_least=9)
    fill(book, 1)
    assert [item[0] for item in held(book, 1, 99)] == [1, 2, 3, 9]


def test_stamps_strictly_increase():
    book = opened(folder())
    for s in (BEGIN_S, BEGIN_S - 10, BEGIN_S, BEGIN_S + 300):
        book.append(records.Stamp(s, records.SYNCED), 1, reading(1))
    rows = [json.loads(item[2]) for item in held(book, 1, 9)]
    stamps = [row["ts"] for row in rows]
    assert stamps == sorted(set(stamps))
    assert [row.get("tq") for row in rows] == [None, "est", "est", None]


def test_stamps_strictly_increase_over_a_wake():
    root = folder()
    opened(root).append(records.Stamp(BEGIN_S, records.SYNCED), 1, reading(1))
    book = opened(root)
    book.append(records.Stamp(BEGIN_S - 20, records.SYNCED), 1, reading(2))
    rows = [json.loads(item[2]) for item in held(book, 1, 9)]
    assert rows[1]["ts"] > rows[0]["ts"]


def test_a_clock_set_back_by_a_year_makes_the_time_unknown_and_no_queue_of_seconds():
    book = opened(folder(), boot=2)
    book.append(records.Stamp(BEGIN_S, records.SYNCED), 1, reading(1))
    book.append(records.Stamp(BEGIN_S - 31000000, records.SYNCED, 77, 2), 1, reading(2))
    row = json.loads(held(book, 2, 2)[0][2])
    assert (row["tq"], row["up_s"], row["boot"]) == ("unk", 77, 2)
