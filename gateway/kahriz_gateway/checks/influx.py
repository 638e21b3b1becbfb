# SPDX-License-Identifier: MIT
"""InfluxDB: a point is written with the gateway's own login and read back, in both buckets."""

from __future__ import annotations

import base64
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import replace

from kahriz_gateway.checks import About, Finding, bad, good, idle
from kahriz_gateway.outputs.influx_login import login
from kahriz_water.site import Influx
from kahriz_water.strict import ConfigError

TIMEOUT_S = 10.0
HOURS = "_1h"  # as in outputs/influx_hours.py, which costs 280 ms to import
_HOUR_MS = 3_600_000
_RIGHTS = "make a token (or user) that may write and read this bucket, see [influx] in site.toml"


def influx(about: About) -> Finding:
    """Write one point an hour at most (measurement `doctor`), and ask for it."""
    settings = about.plan.influx
    if settings is None:
        return idle("none in the plan")
    try:
        url, secret, basic = login(settings)
    except ConfigError as error:
        return bad(str(error), "write the token into that file, readable for the gateway alone")
    buckets = (settings.bucket, settings.bucket + HOURS)  # the values, and the hours of them
    for bucket in buckets:
        mark = secrets.randbelow(1_000_000)
        ts_ms = about.clock.now_ms() // _HOUR_MS * _HOUR_MS
        into = replace(settings, bucket=bucket)
        wrong = _write(into, url, secret, basic, about.plan.id, mark, ts_ms)
        wrong = wrong or _read_back(into, url, secret, basic, about.plan.id, mark)
        if wrong is not None:
            return wrong
    return good(f"written and read back in {' and '.join(map(repr, buckets))}")


def _write(
    settings: Influx, url: str, secret: str, basic: bool, site: str, mark: int, ts_ms: int
) -> Finding | None:
    from kahriz_gateway.outputs.influx_client import LineWriter  # 280 ms: only if used

    writer = LineWriter(url, settings.org, settings.bucket, secret, basic=basic)
    try:
        refusal = writer.write([f"doctor,site={site} mark={mark}.0 {ts_ms}"])
    finally:
        writer.close()
    if refusal is None:
        return None
    says = f"{url} refuses to write: {refusal.status or ''} {refusal.reason}".replace("  ", " ")
    if refusal.status in (401, 403):
        return bad(says, _RIGHTS)
    if refusal.status == 404:
        hours = " (the hours go there)" if settings.bucket.endswith(HOURS) else ""
        mend = f"make the bucket {settings.bucket!r}{hours}, or name another in [influx]"
        return bad(says, mend)
    if refusal.status == 0:
        return bad(says, "start InfluxDB, or mend url in [influx]; readings wait in the store")
    return bad(says, "mend what it says; readings wait in the store")


def _read_back(
    settings: Influx, url: str, secret: str, basic: bool, site: str, mark: int
) -> Finding | None:
    ask = f"SELECT last(mark) FROM doctor WHERE site = '{site}'"  # noqa: S608 an id of a-z, 0-9, -
    words = urllib.parse.urlencode({"db": settings.bucket, "q": ask})
    how = "Basic " + base64.b64encode(secret.encode()).decode() if basic else f"Token {secret}"
    request = urllib.request.Request(f"{url}/query?{words}", headers={"Authorization": how})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            result = json.load(answer)["results"][0]
            found = result["series"][0]["values"][0][1]
    except urllib.error.HTTPError as error:
        return bad(f"{url} refuses to read: {error.code} {error.reason}", _RIGHTS)
    except (KeyError, IndexError):
        return bad(
            "what was written cannot be read back",
            f"map the database {settings.bucket!r} to its bucket (influx v1 dbrp create)",
        )
    except (OSError, ValueError) as error:
        return bad(f"{url} does not answer a query ({error})", "mend url in [influx]")
    if found != mark:
        return bad("an older point was read back", f"is {settings.bucket!r} the bucket written to?")
    return None
