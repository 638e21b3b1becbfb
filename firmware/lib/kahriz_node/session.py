# SPDX-License-Identifier: MIT
"""One session with the gateway, to the letter of the contract; nothing is believed but a receipt.

`net` and `plan` are those of uplink.py, which makes the connection.

`journal`: id (8 hexadecimal digits); first (oldest n held), next (n not yet given); stuck, a list
of [a, b, sessions] that the session reads and replaces; open_ranges() -> ranges without receipt;
obey(receipt) moves the mark; rows(a, b) yields (a, b, text, word) in order of n, each either one
row (its JSON text; word is "unk" when its time is unknown, else "") or a range the journal has no
more (text None, word the reason).
"""

from kahriz_node import mqtt
from kahriz_node.page import Page
from kahriz_wire import WireError, outgoing, ranges, receipt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, Book, Callable, Iterator, Net, Plan
    from kahriz_node.uplink import Outcome

AGAIN_MS = 1000  # once more hello: a broker may answer before the subscription stands
QUIET_MS = 2500  # no further receipt for so long after the last rows: the rest is for next time
PARTING_MS = 700  # kept back for ack, sleep and DISCONNECT
STUCK_SESSIONS = 3
ROUND_MOST_MS = 2000  # the gateway's time is believed up to this round trip


class Session:
    """The state between hello and DISCONNECT."""

    def __init__(
        self,
        net: "Net",
        journal: "Book",
        plan: "Plan",
        health: "dict[str, Any]",
        birth: "Callable[[], bytes] | None",
        errands: "Callable[[Session], None] | None",
        outcome: "Outcome",
    ) -> None:
        self._net = net
        self._journal = journal
        self._plan = plan
        self._birth = birth
        self._errands = errands
        self.heard: Callable[[bytes, bytes], None] | None = None  # what is no receipt goes there
        self._number = 0
        self.last = 0  # number of the last row sent
        self._extra = 0  # rows beyond the newest batch
        self._gone: list[tuple[int, int, str]] = []  # as the ack says it
        self._not_held: list[list[int]] = []  # the same as ranges
        self.done: list[dict[str, object]] = []  # results of commands
        self._pubacks = 0
        self._max_rows: int | None = None
        self._birth_wanted = False
        self._page = Page(self._topic("up/" + journal.id))
        self._receipt_topic = outgoing.topic(plan.site, plan.node, "receipt").encode()
        self.outcome = outcome
        self.s = net.random_hex8()
        self._hello = outgoing.hello(
            self.s, journal.id, journal.first, journal.next, list(health.items())
        )

    def run(self, wire: mqtt.Wire, deadline: mqtt.Deadline, connect: bytes) -> None:
        """The whole conversation on a connected wire; CONNECT is what is still to be said of it."""
        self._wire = wire
        self._deadline = deadline
        self._open(connect)
        self._await_receipt()
        self._backlog()
        if self._errands is not None:
            self._errands(self)
        self._part()

    def _topic(self, kind: str) -> str:
        return outgoing.topic(self._plan.site, self._plan.node, kind)

    def _next_number(self) -> int:
        self._number = self._number % 0xFFFF + 1
        return self._number

    def _publish(self, kind: str, payload: bytes, retain: bool = False) -> bytes:
        return mqtt.publish(self._next_number(), self._topic(kind), payload, retain)

    def _open(self, connect: bytes) -> None:
        page = self._page
        page.put(connect)
        page.put(mqtt.subscribe(self._next_number(), self._topic("receipt"), 0))
        page.put(self._publish("hello", self._hello))
        held = self._held(self._journal.open_ranges())
        new = ranges.minus(held, self._stuck())
        newest = ranges.minus(new, ranges.head(new, ranges.count(new) - self._plan.batch))
        self._hello_spent = self._deadline.spent()
        for _, count in self._arrays(newest):
            self._wire.write(page.taken())  # a batch is one array: all of this is one write
            self.outcome.rows += count
        self._wire.write(page.taken())  # without rows it is still there

    def _await_receipt(self) -> None:
        again = self._hello_spent + AGAIN_MS
        while not self.outcome.answered:
            wait = again - self._deadline.spent() if again else self._deadline.left()
            self._listen(max(wait, 0))
            if again and self._deadline.spent() >= again and not self.outcome.answered:
                self._wire.write(self._publish("hello", self._hello))
                again = 0

    def _backlog(self) -> None:
        """Send what the receipt leaves open, until it is covered, quiet, or time to part."""
        quiet_since = self._deadline.spent()
        while self._deadline.left() > PARTING_MS:
            before = self.outcome.receipt
            if self._send_open():
                quiet_since = self._deadline.spent()
            if not ranges.common(self.outcome.sent, self._open_ranges()):
                return
            quiet = QUIET_MS - (self._deadline.spent() - quiet_since)
            if quiet <= 0:
                return
            self._listen(min(quiet, max(self._deadline.left() - PARTING_MS, 0)))
            if self.outcome.receipt is not before:
                quiet_since = self._deadline.spent()

    def _send_open(self) -> bool:
        """Rows without receipt that this session has not sent; those that never pass go last."""
        todo = ranges.minus(self._held(self._open_ranges()), self.outcome.sent)
        most = self._max_rows
        if most is not None:
            todo = ranges.head(todo, most - self._extra)
        stuck = ranges.common(todo, self._stuck())
        before = self.outcome.rows
        for part in [ranges.minus(todo, stuck)] + [
            [[n, n]] for a, b in stuck for n in range(a, b + 1)
        ]:
            if not self.send(part):
                break
        return self.outcome.rows > before

    def _part(self) -> None:
        """Ack if there is something to say, sleep, and out once the broker has heard it."""
        packets = []
        if self._birth_wanted and self._birth is not None:
            packets.append(self._publish("birth", self._birth(), True))
        wanted = self._journal.open_ranges()
        gone = [one for one in self._gone if ranges.common([list(one[:2])], wanted)]
        if gone or self.done:
            ack = outgoing.ack(self.s, self._journal.id, gone, self.done)
            packets.append(self._publish("ack", ack))
        packets.append(self._publish("status", outgoing.SLEEP, True))
        self._wire.write(b"".join(packets))
        until = self._deadline.spent() + PARTING_MS
        while self._pubacks != self._number and self._deadline.spent() < until:
            self._listen(min(PARTING_MS, self._deadline.left()))  # a reset would eat the last words
        self._wire.write(mqtt.DISCONNECT)

    def _stuck(self) -> "list[list[int]]":
        return [[a, b] for a, b, times in self._journal.stuck if times >= STUCK_SESSIONS]

    def _open_ranges(self) -> "list[list[int]]":
        """What is without receipt and not known to be gone."""
        return ranges.minus(self._journal.open_ranges(), self._not_held)

    def _held(self, wanted: "list[list[int]]") -> "list[list[int]]":
        """Of the ranges asked for those in the journal; the gateway closes what is below first."""
        return ranges.common(wanted, [[self._journal.first, self._journal.next - 1]])

    def _arrays(self, wanted: "list[list[int]]") -> "Iterator[tuple[int, int]]":
        """Fill the page; each array of one segment and one kind of time is to be sent at once.

        Yield its last number and how many rows it has. What is gone is noted for the ack.
        """
        page = self._page
        first = last = 0
        unknown = False
        for a, b in wanted:
            for c, d, text, word in self._journal.rows(a, b):
                if text is None:
                    if len(self._gone) < outgoing.GONE_MOST:
                        self._gone.append((c, d, word))
                    self._not_held.append([c, d])
                    continue
                row = text.encode()
                if page.rows and (not page.takes(row) or unknown != (word == "unk")):
                    yield last, page.rows
                    self._sent([first, last])
                if not page.rows:
                    first = c
                    unknown = word == "unk"
                    self._next_number()
                page.add(row, self._number)
                last = d
        if page.rows:
            yield last, page.rows
            self._sent([first, last])

    def _sent(self, one: "list[int]") -> None:
        outcome = self.outcome
        outcome.sent = ranges.normal(outcome.sent + [one])  # noqa: RUF005 - as in journal.py

    def _listen(self, most_ms: int) -> bool:
        """Take one packet; False when none comes in time."""
        packet = self._wire.read(most_ms)
        if packet is None:
            return False
        kind, body = packet
        if kind == mqtt.CONNACK:
            if len(body) != 2 or body[1]:
                raise mqtt.MqttError(f"refused {body[1] if len(body) == 2 else 0}")
        elif kind == mqtt.PUBACK and len(body) == 2:
            self._pubacks = body[0] << 8 | body[1]
        elif kind & 0xF0 == mqtt.PUBLISH:
            topic, payload, number = mqtt.message(kind, body)
            if number:
                self._wire.write(mqtt.puback(number))
            if topic == self._receipt_topic:
                self._heed(payload)
            elif self.heard is not None:
                self.heard(topic, payload)
        return True

    def _heed(self, payload: bytes) -> None:
        try:
            word = receipt.decode_receipt(payload)
        except WireError:
            return
        if word.s != self.s or word.journal != self._journal.id:
            return
        outcome = self.outcome
        if not outcome.answered:
            outcome.now_tick = self._net.ticks_ms()
            outcome.round_ms = self._deadline.spent() - self._hello_spent
            if word.now is not None and outcome.round_ms <= ROUND_MOST_MS:
                outcome.now_ms = word.now + outcome.round_ms // 2
        outcome.answered = True
        outcome.receipt = word
        self._hello = b""  # it was heard
        self._max_rows = word.max_rows
        self._birth_wanted = word.birth
        self._journal.obey(word)

    def left(self) -> int:
        """Milliseconds until it is time to part."""
        return self._deadline.left() - PARTING_MS

    def send(self, wanted: "list[list[int]]") -> bool:
        """Send rows of these ranges, `last` being the newest of them; False when time is up."""
        for last, count in self._arrays(self._held(wanted)):
            if self.left() <= 0:
                return False
            self._wire.write(self._page.taken())
            self.last = last
            self.outcome.rows += count
            self._extra += count
            while self._listen(0):  # what was heard meanwhile shall not pile up
                pass
        return True

    def ask(self, kind: str) -> None:
        """Subscribe to one more kind of message."""
        self._wire.write(mqtt.subscribe(self._next_number(), self._topic(kind), 1))

    def say(self, kind: str, payload: bytes) -> None:
        """Publish something."""
        self._wire.write(self._publish(kind, payload))

    def listen(self, most_ms: int) -> bool:
        """Take one packet; False when none comes in time, or it is time to part."""
        left = self.left()
        return left > 0 and self._listen(min(most_ms, left))
