# SPDX-License-Identifier: MIT
"""Everybody in the plan can be reached: one of their channels is set up, with what it needs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kahriz_alarms.service import secret_file
from kahriz_gateway.alarms import sign as alarm_sign
from kahriz_gateway.checks import About, Finding, bad, good
from kahriz_water.site import Plan

TABLE = {"sms": "[modem]", "call": "[modem]", "telegram": "[telegram]", "email": "[email]"}


def people(about: About) -> Finding:
    plan = about.plan
    if not plan.people:
        return good("nobody is in site.toml: alarms reach the page, webhooks and MQTT only")
    for person in plan.people:
        if not set(person.channels) & set(plan.ways.channels):
            tables = " or ".join(dict.fromkeys(TABLE[c] for c in person.channels))
            return bad(
                f"{person.id} can never be told: no way of {', '.join(person.channels)} is set up",
                f"add {tables} to site.toml, or give {person.id} another channel",
            )
        if not set(person.channels) & set(plan.ways.channels) - {"call"}:
            return bad(
                f"{person.id} has only the ring, and a ring says nothing",
                f"give {person.id} a channel for text: sms, telegram or email",
            )
    return (
        _sign(plan)
        or _files(plan)
        or good(
            f"{len(plan.people)} people, by {', '.join(plan.ways.channels)}; "
            "whether it arrives: kahriz alarm test"
        )
    )


def _sign(plan: Plan) -> Finding | None:
    if plan.alarms.sign_of_life is None or alarm_sign.receivers(plan):
        return None
    return bad(
        "alarms.sign_of_life: no technician can be reached by sms",
        "add [modem], and a person of the role technician with the channel sms",
    )


def _files(plan: Plan) -> Finding | None:
    ways = plan.ways
    if ways.modem is not None:
        if importlib.util.find_spec("gammu") is None:
            return bad("[modem] needs python-gammu", "install it: uv sync")
        if not Path(ways.modem.device).exists():
            return bad(f"no modem at {ways.modem.device}", "plug it in, or change modem.device")
    secrets = {
        "email.password_file": ways.email.password_file if ways.email else None,
        "telegram.token_file": ways.telegram.token_file if ways.telegram else None,
        "alarms.link_key_file": plan.alarms.link_key_file,
    }
    secrets |= {f"apprise[{n}].url_file": way.url_file for n, way in enumerate(ways.apprises, 1)}
    if ways.apprises and importlib.util.find_spec("apprise") is None:
        return bad("[[apprise]] needs apprise", "install it: pip install 'kahriz-monitor[apprise]'")
    for key, name in secrets.items():
        if name is None:
            continue
        try:
            empty = not secret_file.path_of(name).read_bytes().strip()
        except OSError as error:
            return bad(f"{key}: {error}", "write the file, readable for the service's user alone")
        if empty:
            return bad(f"{key}: {name} is empty", "put the secret into it")
    return None
