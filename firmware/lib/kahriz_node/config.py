# SPDX-License-Identifier: MIT
"""The node's configuration, /config.json: read, checked key by key, refused with the mend."""

import json

from kahriz_wire import WireError, checks, topics

from kahriz_node import sensors

CHANNELS_MOST = 8
KEYS = (
    "v",
    "rev",
    "site",
    "node",
    "dt_s",
    "batch",
    "phase_s",
    "wifi",
    "broker",
    "deadline_ms",
    "radio_above_mv",
    "channels",
)


class ConfigError(Exception):
    """A key that is wrong, and what was expected."""


class Config:
    """The checked configuration; `channels` is a list of (name, spec) in the order of the names."""

    def __init__(self, body):
        known(body, KEYS, "config")
        whole(body, "v", 1, 1)
        self.rev = whole(body, "rev", 0, checks.N_MOST)
        self.site = topics.check_id(needed(body, "site"), "config.site")
        self.node = topics.check_id(needed(body, "node"), "config.node")
        if self.node == topics.GATEWAY:
            raise WireError("config.node", "'gateway' is taken")
        self.dt_s = whole(body, "dt_s", 10, 86400)
        self.batch = whole(body, "batch", 1, 288)
        self.phase_s = whole(body, "phase_s", 0, 86400, 0)
        self.deadline_ms = whole(body, "deadline_ms", 2000, 30000, 8000)
        self.radio_above_mv = whole(body, "radio_above_mv", 0, 30000, 3000)
        wifi = section(body, "wifi", ("ssid", "password"))
        self.ssid = checks.text(needed(wifi, "ssid", "wifi."), 32, "config.wifi.ssid")
        self.wifi_password = checks.text(
            needed(wifi, "password", "wifi."), 64, "config.wifi.password"
        )
        broker = section(body, "broker", ("host", "port", "user", "password"))
        self.host = checks.text(needed(broker, "host", "broker."), 64, "config.broker.host")
        self.port = whole(broker, "port", 1, 65535, 1883, "broker.")
        self.user = checks.maybe_text(broker, "user", 64, "config.broker")
        self.password = checks.maybe_text(broker, "password", 128, "config.broker")
        self.channels = []
        channels = checks.table(needed(body, "channels"), "config.channels")
        if not 1 <= len(channels) <= CHANNELS_MOST:
            raise WireError("config.channels", f"expected 1 to {CHANNELS_MOST}")
        pins = {}
        for name in sorted(channels):
            self.channels.append((name, channel(name, channels[name], pins)))


def needed(body, key, path=""):
    """A key that must be there."""
    return checks.needed(body, key, ("config." + path).rstrip("."))


def whole(body, key, low, high, otherwise=None, path=""):
    """A whole number of the configuration; `otherwise` stands for it when it may be left out."""
    if otherwise is not None and key not in body:
        return otherwise
    return checks.whole(needed(body, key, path), low, high, "config." + path + key)


def known(body, keys, what):
    """Refuse a key that nobody reads: most often it is a typing error."""
    for key in checks.table(body, what):
        if key not in keys:
            raise WireError(what + "." + str(key), "unknown key; known: " + ", ".join(keys))


def section(body, key, keys):
    """A table inside the configuration."""
    known(needed(body, key), keys, "config." + key)
    return body[key]


def channel(name, spec, pins):
    """One channel, checked by what its driver needs; two drivers cannot share a pin."""
    what = "config.channels." + name
    if "_" in checks.word(name, what):
        raise WireError(what, "a channel has no _ in its name: row keys are <channel>_<quantity>")
    driver = checks.text(checks.needed(checks.table(spec, what), "driver", what), 32, what)
    if driver not in sensors.SENSORS:
        raise WireError(what + ".driver", "expected one of " + ", ".join(sorted(sensors.SENSORS)))
    module = sensors.module(driver)
    keys = ["driver"]
    keys.extend(module.NEEDS)
    keys.extend(module.MAY)
    known(spec, keys, what)
    for table, must in ((module.NEEDS, True), (module.MAY, False)):
        for key in table:
            if must or key in spec:
                low, high = table[key]
                checks.whole(checks.needed(spec, key, what), low, high, what + "." + key)
    for key in module.PINS:
        if key in spec:
            if spec[key] in pins:
                raise WireError(what + "." + key, "the pin is taken by " + pins[spec[key]])
            pins[spec[key]] = what + "." + key
    return spec


def read(path):
    """The configuration and the check sum material of its file, or ConfigError."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        return Config(checks.table(json.loads(data), "config")), data
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from None
    except WireError as error:
        raise ConfigError(f"{path}: {error}") from None
    except (ValueError, RuntimeError) as error:
        raise ConfigError(f"{path}: not JSON ({error})") from None
