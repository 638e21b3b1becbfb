# SPDX-License-Identifier: MIT
"""What a receipt says is true, whatever arrives in whatever order."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.intake.ledger import GAPS_MOST, Ledger
from kahriz_gateway.intake.store import gaps, open_store
from kahriz_wire import ranges, topics
from kahriz_wire.messages import (
    MISSING_MOST,
    Ack,
    Hello,
    Row,
    decode_receipt,
    encode_ack,
    encode_hello,
    encode_rows,
)

from .conftest import NOW_MS, SITE, TestClock

NODE, JOURNAL = "outlet", "9f3a01c2"
NUMBERS = st.integers(1, 120)


def test_an_empty_ledger_says_one_below_first() -> None:
    ledger = Ledger()
    assert ledger.hello("5be1c07a", 41, 41) == [[1, 40]]
    assert ledger.statement() == (40, [])


def test_all_from_first_to_next_is_asked_for() -> None:
    ledger = Ledger()
    assert ledger.hello("5be1c07a", 5, 11) == [[1, 4]]
    assert ledger.statement() == (10, [[5, 10]])


def test_with_more_gaps_than_fit_upto_stops_before_the_first_unlisted_one() -> None:
    ledger = Ledger()
    ledger.hello("5be1c07a", 1, 101)
    for n in range(2, 101, 2):
        ledger.hold(n)
    upto, missing = ledger.statement()
    assert missing == [[n, n] for n in range(1, 2 * MISSING_MOST, 2)]
    assert upto == 2 * MISSING_MOST


def test_rows_beyond_next_are_held_and_what_lies_between_is_not_asked_for_yet() -> None:
    ledger = Ledger()
    ledger.hello("5be1c07a", 1, 11)
    for n in [*range(1, 11), 11, 12, 15]:
        ledger.hold(n)
    assert ledger.statement() == (12, [])
    ledger.hello("5be1c07b", 1, 16)
    assert ledger.statement() == (15, [[13, 14]])


def test_a_gap_that_reaches_beyond_next_is_listed_up_to_it() -> None:
    ledger = Ledger()
    ledger.hello("5be1c07a", 1, 11)
    for n in [1, 2, 3, 15]:
        ledger.hold(n)
    assert ledger.statement() == (10, [[4, 10]])


def test_what_is_gone_never_undoes_what_is_held() -> None:
    ledger = Ledger()
    ledger.hello("5be1c07a", 1, 11)
    for n in (4, 5):
        ledger.hold(n)
    assert ledger.close(3, 7) == [[3, 3], [6, 7]]
    assert ledger.close(3, 7) == []
    assert ledger.statement() == (10, [[1, 2], [8, 10]])


def test_a_ledger_in_too_many_pieces_takes_only_what_does_not_break_it_further() -> None:
    ledger = Ledger()
    ledger.hello("5be1c07a", 1, 4 * GAPS_MOST)
    for n in range(2, 2 * GAPS_MOST, 2):
        assert not ledger.too_many([[n, n]])
        ledger.hold(n)
    assert len(ledger.missing) == GAPS_MOST
    top = 4 * GAPS_MOST
    assert ledger.too_many([[3 * GAPS_MOST, 3 * GAPS_MOST + 5]])  # in the midst of a gap
    assert ledger.too_many([[top + 9, top + 9]])  # far beyond all
    assert ledger.too_many([[1, 1], [3 * GAPS_MOST, 3 * GAPS_MOST]])
    for welcome in ([1, 1], [3, 8], [top - 12, top - 1], [top, top + 9], [1, 3 * GAPS_MOST]):
        assert not ledger.too_many([welcome])
    assert not ledger.hold_new([top + 9])  # looked at one by one
    ledger.close(1, 99)
    assert not ledger.too_many([[3 * GAPS_MOST, 3 * GAPS_MOST]])


def test_a_node_cannot_close_numbers_it_has_not_given_yet() -> None:
    ledger = Ledger()
    ledger.hello("5be1c07a", 1, 11)
    assert ledger.close(1, 0xFFFFFFFF) == [[1, 10]]
    assert ledger.top == 10


class LedgerModel(RuleBasedStateMachine):
    """A node, a store and a set of plain numbers; after each step the receipt must be true."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.clock = TestClock()
        self.stored: set[int] = set()
        self.closed: set[int] = set()
        self.first = self.next = 1
        self.s = 0
        self.open()

    def open(self) -> None:
        self.conn = open_store(Path(self.folder.name) / "readings.db", SITE)
        self.conn.execute("PRAGMA synchronous=OFF")  # the model tests logic, not the disk
        self.accept = Accept(self.conn, SITE, lambda node: node == NODE, self.clock)

    def tell(self, kind: str, payload: bytes) -> None:
        self.conn.execute("BEGIN IMMEDIATE")
        self.accept.message(topics.of(SITE, NODE, kind), payload)
        self.accept.books.save(self.clock.now_ms())
        self.conn.execute("COMMIT")

    @initialize()
    def first_hello(self) -> None:
        self.hello(5, 0)

    @rule(grown=st.integers(0, 20), forgotten=st.integers(0, 10))
    def hello(self, grown: int, forgotten: int) -> None:
        self.next += grown
        self.first = min(self.first + forgotten, self.next)
        self.s += 1
        hello = Hello(f"{self.s:08x}", JOURNAL, self.first, self.next)
        self.tell("hello", encode_hello(hello))
        self.closed |= set(range(1, self.first)) - self.stored

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=12, unique=True))
    def rows_arrive(self, numbers: list[int]) -> None:
        rows = [Row(n, 1, {"air_c": n / 10}, NOW_MS - 1_000_000 + n) for n in numbers]
        self.tell(f"up/{JOURNAL}", encode_rows(rows))
        self.stored |= set(numbers)
        self.closed -= set(numbers)

    @rule(n=NUMBERS)
    def an_unreadable_row_arrives(self, n: int) -> None:
        self.tell(f"up/{JOURNAL}", b'[{"ts":1764000000000,"n":%d,"air_c":"warm"}]' % n)
        if n < self.next or n < max(self.stored, default=0):
            self.closed |= {n} - self.stored

    @rule(a=NUMBERS, length=st.integers(0, 15))
    def the_node_has_lost_some(self, a: int, length: int) -> None:
        self.tell("ack", encode_ack(Ack("5be1c07a", JOURNAL, [(a, a + length, "crc")], [])))
        top = max(self.next - 1, max(self.stored, default=0))
        self.closed |= {n for n in range(a, a + length + 1) if n <= top} - self.stored

    @rule()
    def intake_is_killed_and_starts_again(self) -> None:
        self.conn.close()
        self.open()

    @rule()
    def a_transaction_is_rolled_back(self) -> None:
        self.conn.execute("BEGIN IMMEDIATE")
        rows = [Row(n, 1, {"air_c": n / 10}, NOW_MS - 1_000_000 + n) for n in range(100, 112)]
        self.accept.message(topics.up(SITE, NODE, JOURNAL), encode_rows(rows))
        self.conn.execute("ROLLBACK")
        self.accept.books.forget()

    @invariant()
    def the_receipt_is_true(self) -> None:
        answer = self.accept.receipt((NODE, JOURNAL))
        if answer is None:
            assert self.s == 0
            return
        receipt = decode_receipt(answer[1])
        assert receipt.s == f"{self.s:08x}"
        listed = {n for a, b in receipt.missing for n in range(a, b + 1)}
        held = self.stored | self.closed
        assert not listed & held, "asks for what it has"
        assert all(self.first <= n < self.next for n in listed), "asks for what the node lacks"
        covered = held | listed
        assert set(range(1, receipt.upto + 1)) <= covered, "claims what it has not"
        lacking = set(range(self.first, self.next)) - held
        if len(ranges.of(sorted(lacking))) <= MISSING_MOST:
            assert listed == lacking, "does not ask for all"
            assert receipt.upto + 1 not in covered, "upto is not the largest"

    @invariant()
    def the_store_agrees(self) -> None:
        found = {n for (n,) in self.conn.execute("SELECT n FROM reading")}
        assert found == self.stored
        closed = [[a, b] for a, b in self.conn.execute("SELECT a, b FROM closed ORDER BY a")]
        assert {n for a, b in closed for n in range(a, b + 1)} == self.closed
        missing = {n for gap in gaps(self.conn) for n in range(gap.a, gap.b + 1)}
        assert missing == set(range(1, self.next)) - self.stored - self.closed

    def teardown(self) -> None:
        self.conn.close()
        self.folder.cleanup()


TestLedgerModel = LedgerModel.TestCase
TestLedgerModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_gap_keeps_the_day_it_was_first_seen(tmp_path: Path) -> None:
    clock = TestClock()
    conn = open_store(tmp_path / "readings.db", SITE)
    accept = Accept(conn, SITE, lambda node: True, clock)

    def tell(kind: str, payload: bytes) -> None:
        accept.message(topics.of(SITE, NODE, kind), payload)
        accept.books.save(clock.now_ms())

    tell("hello", encode_hello(Hello("00000001", JOURNAL, 1, 11)))
    clock.ms += 3_600_000
    tell(f"up/{JOURNAL}", encode_rows([Row(5, 1, {"air_c": 1.0}, NOW_MS)]))
    tell("hello", encode_hello(Hello("00000002", JOURNAL, 1, 21)))
    assert [(g.a, g.b, g.since_ms) for g in gaps(conn)] == [(1, 4, NOW_MS), (6, 20, NOW_MS)]
