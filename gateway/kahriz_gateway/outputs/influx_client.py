# SPDX-License-Identifier: MIT
"""The one door to influxdb-client: a synchronous write of lines that either all arrived or did not.

Its batching mode must not carry data: it loses its buffer when the program ends, drops batches
on 4xx and sleeps through one `Retry-After: 3600` with every writer of the process.
"""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

TIMEOUT_MS = 20_000  # a slow village link carries 5,000 gzipped lines (60 kB) in 10 s at 48 kbit/s


@dataclass(frozen=True)
class Refusal:
    """The server did not answer 204. `status` 0: no answer at all."""

    status: int
    reason: str
    retry_after_s: float | None = None


class LineWriter:
    """Writes line protocol in milliseconds to one bucket."""

    def __init__(
        self, url: str, org: str, bucket: str, token: str, *, basic: bool, gzip: bool = True
    ) -> None:
        self._bucket = bucket
        self._org = org
        self._client = InfluxDBClient(
            url=url, token=token, org=org, auth_basic=basic, enable_gzip=gzip, timeout=TIMEOUT_MS
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[str]) -> Refusal | None:
        """Write them in one request; None when the server has stored them (204)."""
        body = "\n".join(lines).encode()
        try:
            self._api.write(self._bucket, self._org, body, write_precision="ms")  # type: ignore[arg-type]
        except InfluxDBError as error:
            return _refusal(error)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Refusal(0, f"no answer ({type(error).__name__})")
        status = self._client.api_client.last_response.status
        if status != 204:  # a captive portal says 200 to everything
            return Refusal(
                status, "not the answer of an InfluxDB: a captive portal, wrong address?"
            )
        return None

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]


def _refusal(error: InfluxDBError) -> Refusal:
    reason = error.message
    if isinstance(reason, bytes):
        reason = reason.decode(errors="replace")
    status = getattr(error, "status", None) or getattr(error.response, "status", 0) or 0
    text = " ".join(str(reason).split())
    if text.startswith("{"):  # 1.x says {"error": "…"}
        with contextlib.suppress(ValueError):
            text = str(json.loads(text).get("error", text))
    return Refusal(int(status), text[:300], _seconds(error.retry_after))


def _seconds(retry_after: str | None) -> float | None:
    try:
        return float(retry_after) if retry_after is not None else None
    except ValueError:
        return None  # the HTTP-date form; our own pause applies
