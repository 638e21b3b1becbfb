# SPDX-License-Identifier: MIT
"""Keys for certificates, bursts and the radio: taken when right, named when wrong."""

from check_config import changed, refusal

from kahriz_node import config

TLS = {"ca": "/tls/ca.der", "cert": "/tls/cert.der", "key": "/tls/key.der"}
BROKER = {"host": "192.168.4.1", "tls": TLS}


def with_tls(**changes):
    files = {key: changes.get(key, TLS[key]) for key in TLS if changes.get(key, "") is not None}
    files.update({key: changes[key] for key in changes if key not in TLS})
    return changed(["broker"], {"host": "192.168.4.1", "tls": files})


def test_with_certificates_the_port_is_8883_unless_said():
    taken = config.parse(changed(["broker"], BROKER))
    assert taken.port == 8883
    assert taken.tls["key"] == "/tls/key.der"
    assert config.parse(changed(["broker", "tls"], TLS)).port == 1883
    assert config.parse(with_tls(name="gateway.lan")).tls["name"] == "gateway.lan"


def test_what_is_wrong_with_the_certificates_is_named():
    assert "config.broker.tls.key: is missing" in refusal(with_tls(key=None))
    assert "config.broker.tls.ca: expected a DER file" in refusal(with_tls(ca="/tls/ca.pem"))
    assert "config.broker.tls.cert: expected a DER file" in refusal(with_tls(cert="cert.der"))
    assert "config.broker.tls.cn: unknown key" in refusal(with_tls(cn="x"))


def test_a_name_that_must_be_looked_up_needs_time():
    named = changed(["broker"], {"host": "gateway.lan"})
    assert config.parse(named).host == "gateway.lan"
    assert "config.deadline_ms: a host by name needs 8000" in refusal(
        named.replace(b'"deadline_ms": 8000', b'"deadline_ms": 3000')
    )


def test_a_burst_is_a_rate_of_a_channel_that_measures_a_stage():
    key = ["channels", "weir", "burst_mm_per_min"]
    assert dict(config.parse(changed(key, 2)).channels)["weir"]["burst_mm_per_min"] == 2
    assert "config.channels.weir.burst_mm_per_min: expected a whole number" in refusal(
        changed(key, 0)
    )
    assert "unknown key" in refusal(changed(["channels", "air", "burst_mm_per_min"], 2))


def test_the_joules_of_the_radio_have_a_default_and_a_range():
    assert config.parse(changed(["dt_s"], 300)).radio_j_per_day == 60
    assert "config.radio_j_per_day: expected a whole number from 10" in refusal(
        changed(["radio_j_per_day"], 1)
    )
