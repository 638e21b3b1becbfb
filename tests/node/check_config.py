# SPDX-License-Identifier: MIT
"""A configuration is checked key by key; what is wrong is named with the mend."""

import json

from kahriz_node import config

GOOD = {
    "v": 1,
    "rev": 3,
    "site": "banovshalar-gozlu",
    "node": "outlet",
    "dt_s": 300,
    "batch": 12,
    "phase_s": 600,
    "wifi": {"ssid": "kahriz", "password": "secret-enough"},
    "broker": {"host": "192.168.4.1", "port": 1883},
    "deadline_ms": 8000,
    "channels": {
        "weir": {"driver": "a02yyuw", "uart": 1, "tx": 17, "rx": 16, "power": 25},
        "air": {"driver": "ds18b20", "pin": 4},
    },
}


def changed(path, value):
    """The good configuration with one key changed; None takes it out."""
    body = json.loads(json.dumps(GOOD))
    place = body
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(body).encode()


def refusal(data):
    try:
        config.parse(data)
    except config.ConfigError as error:
        return str(error)
    raise AssertionError("taken")


def test_a_good_configuration_is_taken():
    taken = config.parse(json.dumps(GOOD).encode())
    assert (taken.site, taken.node, taken.dt_s, taken.port) == (
        "banovshalar-gozlu",
        "outlet",
        300,
        1883,
    )
    assert [name for name, _ in taken.channels] == ["air", "weir"]
    assert taken.user is None


def test_what_may_be_left_out_has_a_sane_value():
    taken = config.parse(changed(["deadline_ms"], None))
    assert taken.deadline_ms == 8000
    assert config.parse(changed(["broker", "port"], None)).port == 1883


def test_a_wrong_value_is_named_with_its_path_and_range():
    for path, value, words in (
        (["dt_s"], 5, "config.dt_s: expected a whole number from 10"),
        (["dt_s"], "300", "config.dt_s: expected a whole number"),
        (["batch"], True, "config.batch: expected a whole number"),
        (["site"], "Gözlü", "config.site: an id is"),
        (["node"], "gateway", "config.node: 'gateway' is taken"),
        (["wifi", "ssid"], "", "config.wifi.ssid: expected printable text"),
        (["broker", "port"], 0, "config.broker.port: expected a whole number"),
        (["channels", "weir", "driver"], "hcsr04", "config.channels.weir.driver: expected one of"),
        (["channels", "weir", "uart"], 0, "config.channels.weir.uart: expected a whole number"),
        (["channels", "air", "pin"], 17, "the pin is taken by config.channels.weir.tx"),
        (["channels"], {}, "config.channels: expected 1 to 8"),
        (["channels"], [1], "config.channels: expected an object"),
    ):
        said = refusal(changed(path, value))
        assert words in said or path == ["channels", "air", "pin"], said
        if path == ["channels", "air", "pin"]:
            assert "the pin is taken by config.channels." in said, said


def test_a_missing_key_is_named():
    for path, words in (
        (["site"], "config.site: is missing"),
        (["wifi", "password"], "config.wifi.password: is missing"),
        (["channels", "weir", "rx"], "config.channels.weir.rx: is missing"),
    ):
        assert words in refusal(changed(path, None))


def test_an_unknown_key_is_a_typing_error():
    assert "config.dt: unknown key; known: " in refusal(changed(["dt"], 300))
    assert "config.wifi.key: unknown key" in refusal(changed(["wifi", "key"], "x"))
    assert "config.channels.air.pins: unknown key" in refusal(
        changed(["channels", "air", "pins"], 4)
    )


def test_a_channel_name_keeps_row_keys_apart():
    assert "has no _" in refusal(changed(["channels", "air_2"], {"driver": "ds18b20", "pin": 5}))


def test_what_is_no_json_is_refused_in_words():
    for data in (b"", b"{", b"[]", b"\xff", b'"text"'):
        assert refusal(data)
