# SPDX-License-Identifier: MIT
"""The office's server hears this gateway: a heartbeat is sent, and its answer believed."""

from __future__ import annotations

from kahriz_gateway.checks import About, Finding, bad, good, idle
from kahriz_gateway.heartbeat.once import NoKeyError, own_key, send_once
from kahriz_gateway.heartbeat.post import PostError


def office(about: About) -> Finding:
    plan = about.plan
    if plan.server is None:
        return idle("no [server] in site.toml: no office hears of this gateway")
    data = about.options.data
    try:
        _, public = own_key(data)
        send_once(plan, data, about.clock)
    except NoKeyError as error:
        return bad(str(error), "start the village (`systemctl status kahriz-village`)")
    except PostError as error:
        add = f"`kahriz server gateway add {plan.id} {public}` at the office"
        return bad(str(error), f"the Internet, [server] in site.toml, or {add}")
    return good(f"heard by {plan.server.url}")
