# SPDX-License-Identifier: MIT
"""What the InfluxDB output does with everything a server can answer, over a real socket."""

import gzip
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kahriz_gateway.outputs import DeliveryError
from kahriz_gateway.outputs.influx import MAX_PAUSE_S, MIN_LINES, InfluxOutput
from kahriz_gateway.outputs.influx_client import LineWriter
from kahriz_gateway.outputs.influx_lines import AlarmMark

Answer = tuple[int, dict[str, str], bytes] | bytes | None  # None: hang up; bytes: as they are
STORED: Answer = (204, {}, b"")


class Server:
    """Answers each write as `answer(lines)` says and keeps what it said 204 to."""

    def __init__(self) -> None:
        self.answer: Callable[[list[str]], Answer] = lambda lines: STORED
        self.stored: list[str] = []
        self.requests: list[tuple[str, str, int]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                zipped = self.headers.get("Content-Encoding") == "gzip"
                lines = (gzip.decompress(body) if zipped else body).decode().splitlines()
                outer.requests.append((self.path, self.headers["Authorization"], len(lines)))
                answer = outer.answer(lines)
                if answer is None:
                    reset = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    self.connection.close()
                    return
                if isinstance(answer, bytes):
                    self.wfile.write(answer)
                    self.close_connection = True
                    return
                status, headers, text = answer
                if status == 204:
                    outer.stored += lines
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class Bench:
    """An output before that server, with a hand-driven clock and a quarantine in memory."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.now_s = 100.0
        self.quarantine: list[tuple[str, str]] = []
        writer = LineWriter(server.url, "kahriz", "kahriz", "secret", basic=False)
        self.output = InfluxOutput(
            writer, "s", {}, lambda text, why: self.quarantine.append((text, why)), self._clock
        )

    def _clock(self) -> float:
        return self.now_s

    def fails(self, lines: list[str]) -> DeliveryError:
        with pytest.raises(DeliveryError) as caught:
            self.output.write_lines(lines)
        return caught.value


@pytest.fixture
def bench() -> Iterator[Bench]:
    server = Server()
    made = Bench(server)
    yield made
    made.output.close()
    server.close()


def lines_of(count: int) -> list[str]:
    return [f"water,site=s v=1.0 {1764000000000 + i}" for i in range(count)]


def always(status: int, headers: dict[str, str] | None = None) -> Callable[[list[str]], Answer]:
    body = b'{"code":"x","message":"because"}'
    return lambda lines: (status, headers or {}, body)


def test_lines_go_out_in_large_gzipped_requests_in_milliseconds(bench: Bench) -> None:
    lines = lines_of(12_000)
    bench.output.write_lines(lines)
    assert bench.server.stored == lines
    assert [count for _, _, count in bench.server.requests] == [5000, 5000, 2000]
    path, key, _ = bench.server.requests[0]
    assert path == "/api/v2/write?org=kahriz&bucket=kahriz&precision=ms"
    assert key == "Token secret"


def test_one_poison_line_in_5000_costs_one_line(bench: Bench) -> None:
    lines = lines_of(5000)
    poison = lines[3210]
    bench.server.answer = lambda sent: (
        (400, {}, b'{"error":"field type conflict"}') if poison in sent else STORED
    )
    bench.output.write_lines(lines)
    assert bench.server.stored == [text for text in lines if text != poison]
    assert bench.quarantine == [(poison, "400: field type conflict")]
    assert len(bench.server.requests) < 30


def test_what_is_too_large_is_sent_in_smaller_pieces(bench: Bench) -> None:
    bench.server.answer = lambda sent: STORED if len(sent) <= 700 else (413, {}, b"too large")
    lines = lines_of(5000)
    bench.output.write_lines(lines)
    assert bench.server.stored == lines
    assert bench.quarantine == []


def test_when_every_line_is_refused_nothing_is_thrown_away(bench: Bench) -> None:
    bench.server.answer = always(400)
    error = bench.fails(lines_of(100))
    assert error.permanent
    assert "because" in str(error)
    assert bench.quarantine == []


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_large_batch_that_is_refused_whole_is_kept_after_few_requests(
    bench: Bench, status: int
) -> None:
    lines = lines_of(5000)
    bench.server.answer = always(status)
    for _ in range(3):
        del bench.server.requests[:]
        error = bench.fails(lines)
        assert error.permanent
        assert f"of 5000, all are kept: {status}: because" in str(error)
        assert len(bench.server.requests) < 50
    assert bench.quarantine == []
    bench.server.answer = lambda sent: STORED
    bench.output.write_lines(lines)
    assert bench.server.stored == lines


@pytest.mark.parametrize("good", [slice(0, 1), slice(-1, None), slice(0, None, 2)])
def test_a_large_batch_with_a_line_that_is_taken_costs_the_refused_lines_only(
    bench: Bench, good: slice
) -> None:
    lines = lines_of(100)
    taken = set(lines[good])
    bench.server.answer = lambda sent: STORED if taken.issuperset(sent) else (400, {}, b"{}")
    bench.output.write_lines(lines)
    assert sorted(bench.server.stored) == sorted(taken)
    assert [text for text, _ in bench.quarantine] == [x for x in lines if x not in taken]


@pytest.mark.parametrize("status", [401, 503])
def test_a_server_that_turns_away_while_lines_are_tried_costs_none(
    bench: Bench, status: int
) -> None:
    bench.server.answer = lambda sent: (400 if len(sent) > 1 else status, {}, b"{}")
    assert str(status) in str(bench.fails(lines_of(300)))
    assert (len(bench.server.requests), bench.quarantine) == (2, [])


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_a_person_must_mend_is_permanent(bench: Bench, status: int) -> None:
    bench.server.answer = always(status)
    error = bench.fails(lines_of(3))
    assert error.permanent
    assert str(status) in str(error)
    assert len(bench.server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_fault_is_tried_again_and_nothing_is_lost(bench: Bench, status: int) -> None:
    lines = lines_of(3)
    bench.server.answer = always(status)
    assert not bench.fails(lines).permanent
    bench.server.answer = lambda sent: STORED
    bench.output.write_lines(lines)
    assert bench.server.stored == lines


def test_a_server_that_asks_to_wait_is_left_alone_but_not_for_an_hour(bench: Bench) -> None:
    bench.server.answer = always(503, {"Retry-After": "3600"})
    bench.fails(lines_of(1))
    bench.server.answer = lambda sent: STORED
    bench.now_s += MAX_PAUSE_S - 1
    assert "asked to wait" in str(bench.fails(lines_of(1)))
    assert len(bench.server.requests) == 1
    bench.now_s += 2
    bench.output.write_lines(lines_of(1))
    assert len(bench.server.stored) == 1


def test_a_retry_after_that_is_a_date_does_no_harm(bench: Bench) -> None:
    bench.server.answer = always(429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})
    assert not bench.fails(lines_of(1)).permanent
    bench.server.answer = lambda sent: STORED
    bench.output.write_lines(lines_of(1))


def test_a_connection_that_breaks_on_large_bodies_gets_smaller_ones(bench: Bench) -> None:
    bench.server.answer = lambda sent: STORED if len(sent) <= 2000 else None
    lines = lines_of(5000)
    faults: list[bool] = []
    while set(bench.server.stored) != set(lines) and len(faults) < 5:
        try:
            bench.output.write_lines(lines)
        except DeliveryError as error:
            faults.append(error.permanent)
    assert faults == [False, False]  # 5000 and 2500 are too many, 1250 are not
    assert set(bench.server.stored) == set(lines)


def test_nobody_there_is_a_passing_fault(bench: Bench) -> None:
    bench.server.close()
    error = bench.fails(lines_of(MIN_LINES))
    assert not error.permanent
    assert "unreachable" in str(error)


def test_a_captive_portal_that_says_200_has_stored_nothing(bench: Bench) -> None:
    bench.server.answer = always(200)
    error = bench.fails(lines_of(1))
    assert not error.permanent
    assert "captive portal" in str(error)


def test_a_partial_write_is_mended_line_by_line(bench: Bench) -> None:
    """InfluxDB 2 stores the good lines of a 400 and names what it dropped; a repeat is harmless."""
    lines = lines_of(40)
    poison = {lines[7], lines[30]}

    def partial(sent: list[str]) -> Answer:
        bench.server.stored += [text for text in sent if text not in poison]
        dropped = sum(text in poison for text in sent)
        if not dropped:
            return 204, {}, b""
        text = (
            f'{{"code":"invalid","message":"partial write: field type conflict dropped={dropped}"}}'
        )
        return 400, {}, text.encode()

    bench.server.answer = partial
    bench.output.write_lines(lines)
    assert set(bench.server.stored) == set(lines) - poison
    assert {text for text, _ in bench.quarantine} == poison
    assert all("partial write" in why for _, why in bench.quarantine)


def test_what_the_bucket_no_longer_keeps_is_set_aside_and_the_rest_is_stored(bench: Bench) -> None:
    """422: older than the retention of the bucket."""
    lines = lines_of(30)
    bench.server.answer = lambda sent: (
        (422, {}, b'{"code":"unprocessable entity","message":"beyond retention"}')
        if lines[0] in sent
        else STORED
    )
    bench.output.write_lines(lines)
    assert bench.server.stored == lines[1:]
    assert bench.quarantine == [(lines[0], "422: beyond retention")]


@pytest.mark.parametrize(
    "half",
    [
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\n{",
        b"\x15\x03\x01\x00\x02\x02\x46",
    ],
)
def test_half_an_answer_is_no_answer_and_the_lines_come_again(bench: Bench, half: bytes) -> None:
    lines = lines_of(3)
    bench.server.answer = lambda sent: half
    error = bench.fails(lines)
    assert not error.permanent
    assert bench.quarantine == []
    bench.server.answer = lambda sent: STORED
    bench.output.write_lines(lines)
    assert bench.server.stored == lines


MARK = AlarmMark(7, "leak", "upper", 2_100_000_000_000, True, lps=2.0)
NOT_HERE = b'{"results":[{"statement_id":0,"error":"DELETE is not supported"}]}'


@pytest.mark.parametrize(
    "refusal",
    [(404, {}, b"{}"), (403, {}, b"{}"), (405, {}, b""), (200, {}, NOT_HERE)],
)
def test_where_the_server_removes_nothing_an_alarm_of_a_wrong_clock_is_over_there(
    bench: Bench, refusal: Answer
) -> None:
    bench.server.answer = lambda lines: STORED if lines else refusal
    bench.output.take_back_alarms([MARK])
    assert bench.server.stored == [
        "alarm,alarm=7,kind=leak,place=upper,site=s active=0.0,lps=2.0 2100000000000"
    ]


@pytest.mark.parametrize(
    "answer",
    [(401, {}, b"{}"), (503, {"Retry-After": "3600"}, b"{}"), (200, {}, b"<html>"), None],
)
def test_who_cannot_be_asked_to_remove_is_asked_again(bench: Bench, answer: Answer) -> None:
    bench.server.answer = lambda lines: answer
    with pytest.raises(DeliveryError):
        bench.output.take_back_alarms([MARK])
    assert bench.server.stored == []
