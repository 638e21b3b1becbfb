# SPDX-License-Identifier: MIT
"""The topics of the contract: kahriz/v1/<site>/<node>/<kind>."""

from kahriz_wire import WireError, checks, outgoing
from kahriz_wire.outgoing import ROOT

__all__ = ["ROOT", "Topic", "check_hex", "check_id", "of", "parse", "up"]

GATEWAY = "gateway"  # reserved: no node may be called so
KINDS = ("hello", "up", "receipt", "ack", "birth", "status", "config", "ota")
ID_LONGEST = 32


def check_id(value: object, what: str) -> str:
    """Return the id when it is [a-z0-9-]{1,32}."""
    if (
        isinstance(value, str)
        and 0 < len(value) <= ID_LONGEST
        and not value.strip("abcdefghijklmnopqrstuvwxyz0123456789-")
    ):
        return value
    raise WireError(what, "an id is 1 to 32 of a-z, 0-9 and -")


def check_hex(value: object, what: str) -> str:
    """Return a drawn id (journal, session, store) when it is 8 small hexadecimal digits."""
    return checks.hex8(value, what)


def of(site: str, node: str, kind: str) -> str:
    """The topic of one kind of message of a node."""
    return outgoing.topic(check_id(site, "site"), check_id(node, "node"), kind)


def up(site: str, node: str, journal: str) -> str:
    """The topic of the rows of one journal."""
    return of(site, node, "up/" + check_hex(journal, "journal"))


class Topic:
    """A topic taken apart; `rest` is the journal of an `up`, the part of an `ota`, else empty."""

    def __init__(self, site: str, node: str, kind: str, rest: str) -> None:
        self.site = site
        self.node = node
        self.kind = kind
        self.rest = rest


def parse(topic: str) -> Topic:
    """Take a node's topic apart; WireError when it is none."""
    parts = topic.split("/")
    if len(parts) < 5 or parts[0] + "/" + parts[1] != ROOT:
        raise WireError("topic", "expected kahriz/v1/<site>/<node>/<kind>")
    site = check_id(parts[2], "topic, site")
    node = check_id(parts[3], "topic, node")
    kind = parts[4]
    rest = "/".join(parts[5:])
    if kind not in KINDS:
        raise WireError("topic, kind", "expected one of " + ", ".join(KINDS))
    if kind == "up":
        check_hex(rest, "topic, journal")
    elif rest and kind != "ota":
        raise WireError("topic", kind + " has nothing below it")
    return Topic(site, node, kind, rest)
