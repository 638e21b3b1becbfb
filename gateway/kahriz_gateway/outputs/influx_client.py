# SPDX-License-Identifier: MIT
"""The one door to influxdb-client: a synchronous write of lines that either all arrived or did not.

Its batching mode must not carry data: it loses its buffer when the program ends, drops batches
on 4xx and sleeps through one `Retry-After: 3600` with every writer of the process.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

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

    def delete(self, measurement: str, tags: Mapping[str, str], ts_ms: int) -> Refusal | None:
        """Remove one point, in InfluxQL as 1.x and 2.x know it; one that is not there is removed.

        A Refusal of 400 says that this server cannot.
        """
        where = [f"{_name(key)} = {_text(value)}" for key, value in tags.items()]
        where.append(f"time = {ts_ms}ms")
        asked = f"DELETE FROM {_name(measurement)} WHERE {' AND '.join(where)}"  # noqa: S608
        try:
            response = self._client.api_client.call_api(  # type: ignore[no-untyped-call]
                "/query",
                "POST",
                query_params=[("db", self._bucket), ("q", asked)],
                header_params={"Accept": "application/json"},
                async_req=False,
                _preload_content=False,
                _return_http_data_only=True,
            )
            body = json.loads(response.data)
            (result,) = body["results"]
        except InfluxDBError as error:
            return _refusal(error)
        except ApiException as error:
            return Refusal(int(error.status or 0), str(error.reason))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Refusal(0, f"no answer ({type(error).__name__})")
        except (ValueError, KeyError, TypeError):
            return Refusal(200, "not the answer of an InfluxDB: a captive portal, wrong address?")
        return Refusal(400, str(result["error"])) if "error" in result else None

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]


def _name(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


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
