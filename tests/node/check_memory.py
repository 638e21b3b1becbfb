# SPDX-License-Identifier: MIT
"""RTC memory may vanish or be damaged at any time; then the node begins anew."""

from kahriz_node import memory


def test_state_survives():
    state = {"boot": 3, "clock": {"sync": [1764000000000, 946684800000, 40]}, "error": "timeout"}
    assert memory.load(memory.dump(state)) == state


def test_after_power_loss_there_is_nothing():
    assert memory.load(b"") == {}


def test_damage_is_noticed():
    whole = memory.dump({"boot": 3})
    for at in range(len(whole)):
        broken = whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :]
        assert memory.load(broken) in ({}, {"boot": 3}), at
    assert memory.load(whole[:-1]) == {}
    assert memory.load(b"\xff" * 64) == {}


def test_more_than_the_chip_holds_is_refused():
    try:
        memory.dump({"error": "x" * 3000})
    except ValueError:
        return
    raise AssertionError("taken")
