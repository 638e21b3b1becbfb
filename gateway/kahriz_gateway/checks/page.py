# SPDX-License-Identifier: MIT
"""The page's port: our page answers there, and no other program."""

from __future__ import annotations

import http.client
import json

from kahriz_gateway.checks import About, Finding, bad, good

TIMEOUT_S = 5.0


def page(about: About) -> Finding:
    where = about.plan.page
    host = "127.0.0.1" if where.host in ("0.0.0.0", "::") else where.host
    place = f"{host}:{where.port}"
    link = http.client.HTTPConnection(host, where.port, timeout=TIMEOUT_S)
    try:
        link.request("GET", "/healthz")
        answer = json.loads(link.getresponse().read(65_536))
    except ConnectionRefusedError:
        return bad(f"nobody at {place}", "start the village (`systemctl status kahriz-village`)")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return bad(
            f"another program holds {place} ({error!r})",
            f"stop it (`ss -ltnp | grep {where.port}`), or change [page] in site.toml",
        )
    finally:
        link.close()
    if not isinstance(answer, dict):
        return bad(f"another program answers at {place}", "change [page] in site.toml")
    return good(f"answers at {place}")
