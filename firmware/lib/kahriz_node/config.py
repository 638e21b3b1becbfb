# SPDX-License-Identifier: MIT
"""The node's configuration, /config.json: read, checked key by key, refused with the mend."""

import json

from kahriz_node import policy, sensors
from kahriz_node.settings import Settings
from kahriz_wire import WireError, checks, topics, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Sequence, Spec

CHANNELS_MOST = 8
DNS_MS = 8000  # lwIP asks a dead DNS for 7 s, and nothing can stop it
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
    "radio_j_per_day",
    "powered",
    "channels",
)


class ConfigError(ValueError):
    """A key that is wrong, and what was expected."""


def check(body: "Spec") -> None:
    """Refuse what the program could not run with."""
    known(body, KEYS, "config")
    whole(body, "v", 1, 1)
    whole(body, "rev", 0, checks.N_MOST)
    topics.check_id(needed(body, "site"), "config.site")
    if topics.check_id(needed(body, "node"), "config.node") == topics.GATEWAY:
        raise WireError("config.node", "'gateway' is taken")
    whole(body, "dt_s", 10, 86400)
    whole(body, "batch", 1, 288)
    for key, low, high in (
        ("phase_s", 0, 86400),
        ("deadline_ms", 2000, 30000),
        ("radio_above_mv", 0, 30000),
        ("radio_j_per_day", 10, 2000),
    ):
        checks.maybe_whole(body, key, low, high, "config")
    if not isinstance(body.get("powered", False), bool):
        raise WireError("config.powered", "expected true or false")
    wifi = section(body, "wifi", ("ssid", "password"))
    broker = section(body, "broker", ("host", "port", "user", "password", "tls"))
    for part, name, key, most in (
        (wifi, "wifi.", "ssid", 32),
        (wifi, "wifi.", "password", 64),
        (broker, "broker.", "host", 64),
    ):
        words.text(needed(part, key, name), most, "config." + name + key)
    if body.get("deadline_ms", DNS_MS) < DNS_MS and not broker["host"].replace(".", "").isdigit():
        raise WireError("config.deadline_ms", f"a host by name needs {DNS_MS}; DNS may take 7 s")
    checks.maybe_whole(broker, "port", 1, 65535, "config.broker")
    words.maybe_text(broker, "user", 64, "config.broker")
    words.maybe_text(broker, "password", 128, "config.broker")
    if "tls" in broker:
        certificates(broker)
    channels = checks.table(needed(body, "channels"), "config.channels")
    if not 1 <= len(channels) <= CHANNELS_MOST:
        raise WireError("config.channels", f"expected 1 to {CHANNELS_MOST}")
    pins: dict[int, tuple[str, str]] = {}
    for name in channels:
        channel(name, channels[name], pins)
    for name in channels:
        spec: Spec = channels[name]  # type: ignore[assignment]
        own = getattr(sensors.module(spec["driver"]), "check", None)
        if own is not None:
            own(spec, body, "config.channels." + name)


class Config(Settings):
    """Settings that were checked."""

    def __init__(self, body: "Spec") -> None:
        check(body)
        super().__init__(body)


def needed(body: "Spec", key: str, path: str = "") -> object:
    """A key that must be there."""
    return checks.needed(body, key, ("config." + path).rstrip("."))


def whole(body: "Spec", key: str, low: int, high: int) -> int:
    """A whole number that must be there."""
    return checks.whole(needed(body, key), low, high, "config." + key)


def known(body: object, keys: "Sequence[str]", what: str) -> None:
    """Refuse a key that nobody reads: most often it is a typing error."""
    for key in checks.table(body, what):
        if key not in keys:
            raise WireError(what + "." + str(key), "unknown key; known: " + ", ".join(keys))


def section(body: "Spec", key: str, keys: "Sequence[str]") -> "Spec":
    """A table inside the configuration."""
    known(needed(body, key), keys, "config." + key)
    part: Spec = body[key]
    return part


def certificates(broker: "Spec") -> None:
    """Names of the files that broker.tls needs, and of the broker where its host is an address."""
    what = "config.broker.tls"
    known(broker["tls"], ("ca", "ca2", "cert", "key", "name"), what)
    given: Spec = broker["tls"]
    for key in ("ca", "cert", "key") + (("ca2",) if "ca2" in given else ()):
        path = words.text(checks.needed(given, key, what), 64, what + "." + key)
        if not path.startswith("/") or not path.endswith(".der"):
            raise WireError(what + "." + key, "expected a DER file of the node, /tls/NAME.der")
    words.maybe_text(given, "name", 64, what)


def channel(name: str, given: object, pins: "dict[int, tuple[str, str]]") -> None:
    """One channel, checked by what its driver needs; two drivers share no pin but of one bus."""
    what = "config.channels." + name
    if "_" in words.word(name, what):
        raise WireError(what, "a channel has no _ in its name: row keys are <channel>_<quantity>")
    spec: Spec = checks.table(given, what)
    driver = words.text(checks.needed(spec, "driver", what), 32, what)
    if driver not in sensors.SENSORS:
        raise WireError(what + ".driver", "expected one of " + ", ".join(sorted(sensors.SENSORS)))
    try:
        module = sensors.module(driver)
    except ImportError:  # an image holds the drivers of its own configuration
        raise WireError(what + ".driver", "not in this node's program") from None
    keys = ["driver"]
    keys.extend(module.NEEDS)
    keys.extend(module.MAY)
    for quantity in module.KEYS:
        if quantity in policy.BURSTS:
            key = policy.BURSTS[quantity][0]
            keys.append(key)
            checks.maybe_whole(spec, key, 1, 10000, what)
    keys.extend(getattr(module, "TEXTS", ()))
    known(spec, keys, what)
    for table, must in ((module.NEEDS, True), (module.MAY, False)):
        for key in table:
            if must or key in spec:
                low, high = table[key]
                checks.whole(checks.needed(spec, key, what), low, high, what + "." + key)
    for key in module.PINS:
        if key in spec:
            taken, use = pins.get(spec[key], ("", ""))
            bus = driver + "." + key if key in getattr(module, "BUS", ()) else ""
            if taken and not use == bus != "":
                raise WireError(what + "." + key, "the pin is taken by " + taken)
            pins[spec[key]] = (what + "." + key, bus)


def parse(data: bytes) -> Config:
    """The checked configuration of a file's bytes, or ConfigError."""
    try:
        return Config(checks.table(json.loads(data), "config"))
    except WireError as error:
        raise ConfigError(str(error)) from None
    except (ValueError, RuntimeError) as error:
        raise ConfigError(f"config.json: not JSON ({error})") from None
