# SPDX-License-Identifier: MIT
"""The journal: each reading has its number for ever, and what is gone is said."""

import json
import os

from places import draw, folder

from kahriz_node import journal, keep, records, room

LAYOUT = records.Layout([("air", ("c",)), ("weir", ("distance_m", "spread_m", "echoes"))])
BEGIN_S = 1764000000


class Receipt:
    def __init__(self, upto, missing=(), store="c41d0a0b"):
        self.store = store
        self.upto = upto
        self.missing = [list(one) for one in missing]


def opened(root, layout=LAYOUT, **more):
    return journal.Journal(root + "/journal", layout, draw, **more)


def reading(n):
    return {"air": {"c": n - 50}, "weir": {"distance_m": 6000 + n, "spread_m": 12, "echoes": 15}}


def fill(book, count):
    for _ in range(count):
        n = book.next
        assert book.append(records.Stamp(BEGIN_S + 300 * n, records.SYNCED), 1, reading(n)) == n


def held(book, a, b):
    return [item for item in book.rows(a, b) if item[2] is not None]


def gone(book, a, b):
    return [(c, d, word) for c, d, text, word in book.rows(a, b) if text is None]


def small_segments(count=10):
    """Segments of a few records, so that a test sees many."""
    journal.SEGMENT_BYTES = 125 + count * LAYOUT.size


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


def file_of(root, book, name="00000001"):
    return root + "/journal/" + book.id + "/" + name


def flip(path, at):
    """One bit of a file, counted from its end."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[-at] ^= 1
    with open(path, "wb") as file:
        file.write(data)


def test_a_flipped_bit_costs_one_record_and_is_told():
    root = folder()
    book = opened(root)
    fill(book, 20)
    flip(file_of(root, book), 2 * LAYOUT.size + 5)
    again = opened(root)
    ((a, b, word),) = gone(again, 1, 20)
    assert (a, word) == (b, "crc")
    assert again.next == 21


def test_a_flipped_bit_in_the_tail_costs_one_record_and_no_number_is_given_twice():
    flash = folder()
    for broken in (1, 3, 5):  # the last, one between, the first
        root = flash + "/" + str(broken)
        os.mkdir(root)
        book = opened(root)
        fill(book, 6)
        flip(file_of(root, book, "tail"), broken * LAYOUT.size - 5)
        again = opened(root)
        assert gone(again, 1, 6) == [(7 - broken, 7 - broken, "crc")]
        assert again.next == 7


def test_a_tail_without_its_file_or_a_file_without_its_tail_gives_no_number_twice():
    root = folder()
    book = opened(root)
    fill(book, 6)
    with open(file_of(root, book, "tail"), "rb") as file:
        tail = file.read()
    fill(book, 6)  # the first six are in the file now
    with open(file_of(root, book, "tail"), "wb") as file:
        file.write(tail)  # as after a cut between the two writes
    again = opened(root)
    n = again.next
    assert n > 9
    fill(again, 1)
    assert [item[0] for item in held(again, 1, n)] == list(range(1, n + 1))


def test_a_torn_record_gives_no_number_twice_and_the_hole_is_told():
    root = folder()
    book = opened(root)
    fill(book, 12)
    with open(file_of(root, book), "ab") as file:
        file.write(b"half a")
    again = opened(root)
    n = again.next
    assert n > 12
    fill(again, 1)
    rows = [item[0] for item in held(again, 1, n)]
    assert rows[:-1] == list(range(1, len(rows)))
    assert rows[-1] == n
    assert gone(again, 1, n) == [(len(rows), n - 1, "lost")]


def test_a_broken_header_costs_its_segment_and_no_number_twice():
    root = folder()
    book = opened(root)
    fill(book, 5)
    path = root + "/journal/" + book.id + "/00000001"
    with open(path, "rb") as file:
        data = bytearray(file.read())
    data[9] ^= 1
    with open(path, "wb") as file:
        file.write(data)
    again = opened(root)
    assert again.next > 5
    n = again.next
    fill(again, 1)
    assert gone(again, 1, n) == [(1, n - 1, "crc")]


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


def test_a_broken_mark_costs_a_second_delivery_only():
    root = folder()
    book = opened(root)
    fill(book, 4)
    book.obey(Receipt(4))
    book.save()
    with open(root + "/journal/" + book.id + "/mark", "wb") as file:
        file.write(b"00000000[1]")
    again = opened(root)
    assert again.open_ranges() == [[1, 4]]
    assert again.next == 5


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


def test_a_full_flash_drops_the_oldest_receipted_segment_first():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 60)
    book.obey(Receipt(60, [[1, 15]]))
    assert room.evict(book)
    ((a, b, word),) = gone(book, 1, 60)
    assert a > 15
    assert word == "dropped"
    assert gone(opened(root), 1, 60) == [(a, b, "dropped")]
    assert [item[0] for item in held(book, 1, 15)] == list(range(1, 16))


def test_holes_that_were_dropped_and_holes_that_never_were_have_their_own_words():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 30)
    book.obey(Receipt(40, [[1, 5]]))  # the gateway knows of ten more
    fill(book, 30)
    book.obey(Receipt(70, [[1, 5], [65, 70]]))
    while room.evict(book, True):
        pass
    for one in (book, opened(root)):
        words = gone(one, 1, 70)
        assert {word for _, _, word in words} == {"dropped"}
        assert [n for n, _, text, _ in one.rows(1, 70) if text is not None and n <= 5]
    assert len(opened(root).firsts) <= 4  # what was dropped side by side is one entry


def test_the_index_may_name_a_segment_that_never_came():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 25)
    firsts = list(book.firsts)
    firsts.extend((26, 30))
    keep.save(file_of(root, book, "index"), firsts)
    again = opened(root)
    assert again.next == 26
    fill(again, 1)
    assert [item[0] for item in held(opened(root), 1, 26)] == list(range(1, 27))


def test_without_a_readable_index_the_names_are_listed():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 45)
    flip(file_of(root, book, "index"), 3)
    again = opened(root)
    assert again.next == 46
    fill(again, 20)
    assert [item[0] for item in held(opened(root), 1, 65)] == list(range(1, 66))


def test_with_nothing_receipted_the_oldest_goes_and_new_readings_are_never_refused():
    small_segments()
    root = folder()
    book = opened(root)
    fill(book, 40)
    first = book.first
    while book.first == first:
        assert room.evict(book)
    fill(book, 1)
    assert book.first > 1
    reasons = gone(book, 1, book.next - 1)
    assert reasons == [(1, book.first - 1, "dropped")]
    assert opened(root).first == book.first


def test_what_was_never_given_is_not_offered():
    book = opened(folder())
    assert (book.first, book.next) == (1, 1)
    assert book.open_ranges() == []
    fill(book, 2)
    assert gone(book, 1, 5) == [(3, 5, "lost")]
