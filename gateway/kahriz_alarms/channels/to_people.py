# SPDX-License-Identifier: MIT
"""The ways to one person that a plan sets up: an index, one line a channel.

Text and call share one modem. A way without its table in site.toml is not made; a person who has
only such ways is refused by `kahriz gateway check`.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

from kahriz_alarms.channels.call import CallChannel
from kahriz_alarms.channels.email import EmailChannel
from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.modem_power import switch
from kahriz_alarms.channels.sms import SmsChannel
from kahriz_alarms.channels.telegram import TelegramChannel
from kahriz_alarms.personal import PersonalChannel
from kahriz_water.site import Plan
from kahriz_water.strict import ConfigError

ReadSecret = Callable[[str], bytes]


def _modem(plan: Plan, read_secret: ReadSecret) -> list[PersonalChannel]:
    wanted = plan.ways.modem
    if wanted is None:
        return []
    power = switch(wanted.power_cycle)
    modem = Modem(wanted.device, wanted.connection, power_cycle=power)
    return [SmsChannel(modem), CallChannel(modem)]


def _telegram(plan: Plan, read_secret: ReadSecret) -> list[PersonalChannel]:
    wanted = plan.ways.telegram
    if wanted is None:
        return []
    return [TelegramChannel(read_secret(wanted.token_file).decode(), wanted.base_url)]


def _email(plan: Plan, read_secret: ReadSecret) -> list[PersonalChannel]:
    wanted = plan.ways.email
    if wanted is None:
        return []
    login = None
    if wanted.user is not None and wanted.password_file is not None:
        login = (wanted.user, read_secret(wanted.password_file).decode())
    try:
        context = ssl.create_default_context(cafile=wanted.ca_file)
    except OSError as error:
        raise ConfigError("email.ca_file", f"certificates that can be read ({error})") from error
    return [
        EmailChannel(
            wanted.host, wanted.port, wanted.sender, wanted.security, login, context, plan.id
        )
    ]


WAYS = (_modem, _telegram, _email)


def to_people(plan: Plan, read_secret: ReadSecret) -> list[PersonalChannel]:
    """All ways to persons that a plan sets up; ConfigError when a secret cannot be read."""
    return [channel for build in WAYS for channel in build(plan, read_secret)]
