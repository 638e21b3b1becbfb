# SPDX-License-Identifier: MIT
"""The ways to people in a plan. Secrets lie in files of their own.

[modem]
device = "/dev/serial/by-id/usb-…"     # texts and calls; needs a SIM without a PIN
power_cycle = "uhubctl -l 1-1 -p 2 -a cycle -d 5"  # a command for a stick that hangs
credit_ussd = "*100#"                  # the operator's code for the credit left, asked every week
credit_least = 2.0                     # below it the office is told

[email]
host = "mail.example.az"
security = "starttls"                  # or "tls" from the first byte, or "none" on this machine
from = "kahriz@example.az"
user = "kahriz"
password_file = "/etc/kahriz/mail.password"

[telegram]
token_file = "/etc/kahriz/telegram.token"

[[apprise]]                            # anything else, for everybody who listens there
url_file = "/etc/kahriz/ntfy.url"
language = "az"
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from kahriz_water.name import LANGUAGES
from kahriz_water.strict import ConfigError, Table

SECURITY = {"starttls": 587, "tls": 465, "none": 25}  # with its usual port
TELEGRAM = "https://api.telegram.org"
USSD = re.compile(r"[*#][0-9*#]{1,40}#")
LOCAL = ("localhost", "::1")


@dataclass(frozen=True, slots=True)
class Modem:
    """`connection` is gammu's word for a serial line and its speed.

    `credit_pattern`: where the amount stands in the operator's answer, when it is not found.
    """

    device: str
    connection: str = "at115200"
    power_cycle: str | None = None  # a command, when the stick hangs
    credit_ussd: str | None = None
    credit_least: float = 1.0
    credit_pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Email:
    """`ca_file`: the authority of a mail server of one's own; None takes the machine's list."""

    host: str
    port: int
    security: str
    sender: str
    user: str | None = None
    password_file: str | None = None
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Telegram:
    token_file: str
    base_url: str = TELEGRAM


@dataclass(frozen=True, slots=True)
class Apprise:
    """`url_file` holds apprise's addresses, one a line: there are passwords in them."""

    url_file: str
    language: str = "az"


@dataclass(frozen=True, slots=True)
class Ways:
    """What is there to reach people; None where the plan has no such table."""

    modem: Modem | None = None
    email: Email | None = None
    telegram: Telegram | None = None
    apprises: tuple[Apprise, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """The personal channels that these make."""
        found = ("sms", "call") if self.modem else ()
        return (
            *found,
            *(("telegram",) if self.telegram else ()),
            *(("email",) if self.email else ()),
        )


def read_ways(top: Table) -> Ways:
    return Ways(
        _modem(top.optional_table("modem")),
        _email(top.optional_table("email")),
        _telegram(top.optional_table("telegram")),
        tuple(_apprise(table) for table in top.tables("apprise")),
    )


def _modem(table: Table | None) -> Modem | None:
    if table is None:
        return None
    least = table.optional_number("credit_least", 0, 1_000_000, "the operator's money")
    modem = Modem(
        device=table.text("device"),
        connection=table.text("connection", "at115200"),
        power_cycle=table.optional_text("power_cycle"),
        credit_ussd=table.optional_text("credit_ussd"),
        credit_least=1.0 if least is None else least,
        credit_pattern=table.optional_text("credit_pattern"),
    )
    table.done()
    try:
        shlex.split(modem.power_cycle or "")
    except ValueError as error:
        expected = f"a command ({error})"
        raise ConfigError(table.at("power_cycle"), expected, modem.power_cycle) from error
    if modem.credit_ussd is not None and USSD.fullmatch(modem.credit_ussd) is None:
        raise ConfigError(table.at("credit_ussd"), "a code such as *100#", modem.credit_ussd)
    if modem.credit_pattern is not None and _groups(modem.credit_pattern) != 1:
        expected = "a regular expression with one group, such as 'Balans: ([0-9.,]+)'"
        raise ConfigError(table.at("credit_pattern"), expected, modem.credit_pattern)
    return modem


def _groups(pattern: str) -> int:
    try:
        return re.compile(pattern).groups
    except re.error:
        return 0


def _email(table: Table | None) -> Email | None:
    if table is None:
        return None
    host = table.text("host")
    security = table.choice("security", tuple(SECURITY)) if table.has("security") else "starttls"
    table.raw("security")
    mail = Email(
        host=host,
        port=table.whole("port", 1, 65535, "a TCP port", SECURITY[security]),
        security=security,
        sender=table.text("from"),
        user=table.optional_text("user"),
        password_file=table.optional_text("password_file"),
        ca_file=table.optional_text("ca_file"),
    )
    table.done()
    if "@" not in mail.sender:
        raise ConfigError(table.at("from"), "an address such as kahriz@example.az", mail.sender)
    if (mail.user is None) != (mail.password_file is None):
        raise ConfigError(table.at("password_file"), "user and password_file together, or neither")
    local = host in LOCAL or host.startswith("127.")
    if security == "none" and not local:
        raise ConfigError(
            table.at("security"), "starttls or tls, because the server is beyond this machine", host
        )
    return mail


def _telegram(table: Table | None) -> Telegram | None:
    if table is None:
        return None
    found = Telegram(table.text("token_file"), table.text("base_url", TELEGRAM).rstrip("/"))
    table.done()
    if not found.base_url.startswith(("http://", "https://")):
        expected = "an address that starts with https://"
        raise ConfigError(table.at("base_url"), expected, found.base_url)
    return found


def _apprise(table: Table) -> Apprise:
    language = table.choice("language", LANGUAGES) if table.has("language") else "az"
    table.raw("language")
    found = Apprise(table.text("url_file"), language)
    table.done()
    return found
