# SPDX-License-Identifier: MIT
"""What a receipt carries beside the ledger: configuration, commands, programs; and their CLI."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kahriz_gateway.cli import gateway as gateway_cli
from kahriz_gateway.orders import commands, node_config, ota
from kahriz_wire import release
from kahriz_wire.messages import Ack, encode_ack

from .conftest import JOURNAL, SITE, SITE_TOML, Gateway, rows

BODY = json.loads((SITE_TOML.parent / "nodes" / "outlet.json").read_text())


def wish(gateway: Gateway, **changes: Any) -> int:
    body = node_config.parse(json.dumps({**BODY, **changes}), SITE, "outlet")
    return node_config.put(gateway.conn, "outlet", body, None)


def acked(gateway: Gateway, *done: dict[str, object], **more: Any) -> None:
    ack = Ack(f"{gateway.sessions:08x}", JOURNAL, [], list(done))
    ack.ota = more.get("ota")
    gateway.tell("ack", encode_ack(ack))


def a_release(version: str = "0.1.1", size: int = 20_000) -> bytes:
    """A release whose signature is nobody's: the gateway does not judge it."""
    name = "kahriz_node/node.mpy"
    manifest = (
        f"kahriz 1 {release.number(version)} 6 {version} 2\n{'ab' * 32} {size} {name}\n".encode()
    )
    head = release.MAGIC + struct.pack(">HI", len(manifest), size)
    return head + bytes(release.SIGNATURE_BYTES) + manifest + bytes(range(250)) * (size // 250)


def test_a_receipt_names_a_configuration_until_the_node_runs_it(gateway: Gateway) -> None:
    assert gateway.hello(1, 1, cfg=1).cfg is None
    assert wish(gateway, dt_s=600) == 2
    assert gateway.hello(1, 1, cfg=1).cfg == 2
    (topic, payload, retained) = gateway.accept.errands.outbox()[0]
    assert (topic, retained) == (f"kahriz/v1/{SITE}/outlet/config", True)
    sent = json.loads(payload)
    assert (sent["rev"], sent["dt_s"]) == (2, 600)
    assert "wifi" not in sent
    assert "broker" not in sent
    assert gateway.hello(1, 1, cfg=2).cfg is None
    assert gateway.accept.errands.outbox() == []


def test_a_node_of_an_older_program_is_named_nothing(gateway: Gateway) -> None:
    wish(gateway)
    assert gateway.hello(1, 1).cfg is None


def test_a_revision_is_larger_than_all_that_the_node_has_run(gateway: Gateway) -> None:
    gateway.hello(1, 1, cfg=41)
    assert wish(gateway) == 42
    assert wish(gateway) == 43


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"node": "middle"}, "node is 'middle'"),
        ({"site": "elsewhere"}, "site is 'elsewhere'"),
        ({"channels": {}}, "channels: expected"),
        ({"channels": {"weir": {"driver": "x" * 4000}}}, "at most 3800"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    gateway: Gateway, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(node_config.NodeConfigError, match=why):
        wish(gateway, **changes)


def test_a_command_is_in_every_receipt_until_it_is_answered(gateway: Gateway) -> None:
    ident = commands.put(gateway.conn, "outlet", "identify", {"times": 3}, None)
    for _ in range(2):
        receipt = gateway.hello(1, 1)
        assert receipt.cmd == [{"id": ident, "op": "identify", "args": {"times": 3}}]
    answer = gateway.up(rows(1, 3))
    assert answer is not None
    assert answer.cmd == receipt.cmd
    assert commands.listed(gateway.conn)[0].sent == 2
    acked(gateway, {"id": ident, "ok": 1, "n": 3})
    assert gateway.hello(1, 4).cmd == []
    (done,) = commands.listed(gateway.conn)
    assert (done.ok, done.n) == (True, 3)


def test_the_first_answer_counts_and_nonsense_is_none(gateway: Gateway) -> None:
    ident = commands.put(gateway.conn, "outlet", "zero", {}, None)
    other = commands.put(gateway.conn, "middle", "zero", {}, None)
    gateway.hello(1, 1)
    acked(
        gateway, {"id": True, "ok": 1}, {"id": "1", "ok": 1}, {"ok": 1}, {"id": ident, "ok": "yes"}
    )
    assert [one.ok for one in commands.listed(gateway.conn)] == [None, None]
    acked(gateway, {"id": ident, "ok": 0, "why": "nothing was measured"}, {"id": other, "ok": 1})
    acked(gateway, {"id": ident, "ok": 1})
    mine, theirs = commands.listed(gateway.conn)
    assert (mine.ok, mine.why) == (False, "nothing was measured")
    assert theirs.ok is None


def test_a_receipt_takes_eight_commands_the_oldest_first(gateway: Gateway) -> None:
    for _ in range(10):
        commands.put(gateway.conn, "outlet", "sample", {}, None)
    assert [one["id"] for one in gateway.hello(1, 1).cmd] == list(range(1, 9))


def test_a_release_is_named_and_its_pieces_follow_the_question(gateway: Gateway) -> None:
    data = a_release()
    made = ota.put(gateway.conn, data, None)
    ota.offer(gateway.conn, "outlet", made.number, None)
    assert gateway.hello(1, 1, ota=10000).ota == 10100
    got = b""
    while True:
        acked(gateway, ota=(made.number, len(got)))
        sent = gateway.accept.errands.outbox()
        if not sent:
            break
        assert len(sent) <= release.WINDOW
        for topic, payload, retained in sent:
            assert topic.endswith(f"/outlet/ota/{made.number}/{len(got)}")
            assert len(payload) <= 2048
            assert not retained
            got += payload
    assert got == data
    assert gateway.hello(1, 1, ota=10100).ota is None


def test_what_is_not_offered_is_not_sent(gateway: Gateway) -> None:
    made = ota.put(gateway.conn, a_release(), None)
    ota.offer(gateway.conn, "middle", made.number, None)
    gateway.hello(1, 1, ota=10000)
    acked(gateway, ota=(made.number, 0))
    assert gateway.accept.errands.outbox() == []


@pytest.mark.parametrize("spoilt", [b"", b"KHR1", b"not a release at all", a_release()[:-1]])
def test_a_file_that_is_no_whole_release_is_refused(gateway: Gateway, spoilt: bytes) -> None:
    with pytest.raises(ota.OtaError):
        ota.put(gateway.conn, spoilt, None)


def test_a_program_from_before_the_journals_index_is_refused_with_the_mend(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = a_release().replace(b" 2\n", b"\n")
    head = old[:4] + struct.pack(">H", struct.unpack(">H", old[4:6])[0] - 2) + old[6:]
    with pytest.raises(ota.OtaError, match=r"form 2: make the release anew .* by cable"):
        ota.put(gateway.conn, head, None)


def test_one_version_has_one_content(gateway: Gateway) -> None:
    ota.put(gateway.conn, a_release(), None)
    ota.put(gateway.conn, a_release(), None)
    with pytest.raises(ota.OtaError, match="raise its version"):
        ota.put(gateway.conn, a_release(size=10_000), None)


def cli(gateway: Gateway, *words: str) -> Result:
    return CliRunner().invoke(gateway_cli, [*words, "--data", str(gateway.path.parent)])


def test_the_command_line_queues_lists_and_takes_back(gateway: Gateway) -> None:
    assert cli(gateway, "command", "outlet", "resend", "a=5", "b=9").exit_code == 0
    assert "needs a=FIRST" in cli(gateway, "command", "outlet", "resend", "a=5").stderr
    assert cli(gateway, "command", "Outlet", "sample").exit_code == 3
    line = "command 1 outlet resend a=5 b=9: waiting for its next word"
    assert line in cli(gateway, "commands").stdout
    assert line in cli(gateway, "ledger").stdout
    assert json.loads(cli(gateway, "commands", "--json").stdout)[0]["args"] == {"a": 5, "b": 9}
    assert cli(gateway, "commands", "--cancel", "1").exit_code == 0
    assert cli(gateway, "commands", "--cancel", "1").exit_code == 3


def test_the_command_line_sets_shows_and_compares_a_configuration(
    gateway: Gateway, tmp_path: Path
) -> None:
    file = tmp_path / "outlet.json"
    file.write_text(json.dumps(BODY))
    assert cli(gateway, "node-config", "show", "outlet").exit_code == 3
    assert "revision 1" in cli(gateway, "node-config", "set", "outlet", str(file)).stdout
    assert cli(gateway, "node-config", "diff", "outlet", str(file)).exit_code == 0
    file.write_text(json.dumps({**BODY, "dt_s": 600}))
    changed = cli(gateway, "node-config", "diff", "outlet", str(file))
    assert (changed.exit_code, changed.stdout) == (1, "- dt_s = 300\n+ dt_s = 600\n")
    assert cli(gateway, "node-config", "set", "outlet", str(file), "--network").exit_code == 0
    shown = cli(gateway, "node-config", "show", "outlet").stdout
    assert json.loads(shown)["wifi"]["password"] == "********"


def test_the_command_line_offers_and_withdraws_a_release(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "release"
    file.write_bytes(a_release())
    both = cli(gateway, "ota", "offer", str(file), "outlet", "middle")
    assert both.exit_code == 3
    assert "goes to one node first, not to 2: offer 0.1.1 to one" in both.stderr
    assert cli(gateway, "ota", "offer", str(file), "outlet").exit_code == 0
    gateway.hello(1, 1, ota=10000, fw="0.1.0")
    table = cli(gateway, "ota", "table", "--config", str(SITE_TOML)).stdout
    assert "node    wanted  runs     state" in table
    assert "outlet  0.1.1   0.1.0    late: silent for" in table
    assert "tank    -       unknown  late: it never spoke" in table
    found = json.loads(cli(gateway, "ota", "table", "--json").stdout)
    assert [(one["node"], one["offered"], one["runs"]) for one in found] == [
        ("outlet", "0.1.1", "0.1.0")
    ]
    later = cli(gateway, "ota", "offer", str(file), "middle")
    assert later.exit_code == 3
    assert "release 0.1.1 is not proved yet (outlet late" in later.stderr
    assert cli(gateway, "ota", "offer", str(file), "--rest").exit_code == 0, "there is one node"
    assert cli(gateway, "ota", "offer", str(file)).exit_code == 2
    assert cli(gateway, "ota", "table", "--config", str(tmp_path / "none")).exit_code == 3
    assert cli(gateway, "ota", "withdraw", "outlet").exit_code == 0
    assert "outlet  -" in cli(gateway, "ota", "table").stdout
    file.write_bytes(b"KHR1 of no length")
    assert cli(gateway, "ota", "offer", str(file), "outlet").exit_code == 3
