# SPDX-License-Identifier: MIT
"""A real InfluxDB as a child process: Debian's influxd 1.6.7 behind nginx, which gives it
the v2 write address that influxdb-client uses. Small settings, as on a Raspberry Pi."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from kahriz_sim.services_process import (
    Child,
    ServiceError,
    claim_port,
    find_program,
    free_port,
    make_dir,
)

USER = "kahriz"
PASSWORD = "kahriz-local"  # guards nothing but the loopback; a real server has its own
ORG = "kahriz"
_TRIES = 3
_TIMEOUT_S = 60.0  # for a broken database, not for a busy machine

_INFLUXD = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{dir}/meta"
[data]
  dir = "{dir}/data"
  wal-dir = "{dir}/wal"
  index-version = "tsi1"
  cache-snapshot-memory-size = "4m"
  max-concurrent-compactions = 1
  query-log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = true
  log-enabled = false
  flux-enabled = false
[logging]
  level = "warn"
  suppress-logo = true
"""
# One process, everything under its own prefix (-p): no root, no daemon, nothing in /var, and no
# path of ours in here that would have to be quoted.
_NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log nginx-error.log warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size {max_body_bytes};
  proxy_read_timeout 120s;
  server {{
    listen 127.0.0.1:{port};
    set $influx http://127.0.0.1:{influxd};
    location = /api/v2/write {{
      set $unit $arg_precision;
      if ($unit = ns) {{ set $unit n; }}
      if ($unit = us) {{ set $unit u; }}
      rewrite ^ /write?db=$arg_bucket&precision=$unit? break;
      proxy_pass $influx;
    }}
    location = /health {{
      default_type application/json;
      return 200 '{{"name":"influxdb","status":"pass","version":"1.6.7"}}';
    }}
    location = /ping {{ proxy_pass $influx; }}
    location = /query {{ proxy_pass $influx; }}
    location / {{ return 404; }}
  }}
}}
"""


class Influx:
    """A running InfluxDB. `login_url` carries user and password, for --influx-url."""

    def __init__(self, port: int, bucket: str, engine: Child, door: Child) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.login_url = f"http://{USER}:{PASSWORD}@127.0.0.1:{port}"
        self.org = ORG
        self.bucket = bucket
        self.user = USER
        self.password = PASSWORD
        self._engine = engine
        self._door = door

    @property
    def pids(self) -> tuple[int, int]:
        """Process ids of influxd and nginx."""
        return self._engine.pid, self._door.pid

    @property
    def running(self) -> bool:
        return self._engine.running and self._door.running

    def query(self, influxql: str, bucket: str | None = None) -> list[dict[str, Any]]:
        """Run InfluxQL (sent as POST) and return the results, in milliseconds."""
        form = {"q": influxql, "epoch": "ms"}
        if bucket != "":
            form["db"] = bucket or self.bucket
        request = urllib.request.Request(
            f"{self.url}/query", urllib.parse.urlencode(form).encode(), method="POST"
        )
        key = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {key}")
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply:
            results: list[dict[str, Any]] = json.load(reply)["results"]
        return results

    def stop(self) -> None:
        self._door.stop()
        self._engine.stop()

    def kill9(self) -> None:
        self._door.kill9()
        self._engine.kill9()

    def restart(self) -> None:
        """Stop what still runs, start both again on the same ports and folder."""
        self.stop()
        self._start()

    def _start(self) -> None:
        self._engine.start()
        self._door.start()
        try:
            self._engine.wait_until(self._answers)
        except ServiceError:
            self.stop()
            raise

    def _answers(self) -> bool:
        if not self._door.running:
            raise ServiceError(f"the {self._door.what} ended at once: {self._door.last_line()}")
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=1.0):
                return True
        except OSError:
            return False


def start_influx(
    data_dir: Path, port: int = 0, bucket: str = "kahriz", max_body_bytes: int = 25_000_000
) -> Influx:
    """Start influxd and its nginx on the loopback, with one user and one bucket made."""
    programs = {name: find_program(name) for name in ("influxd", "nginx")}
    for name, path in programs.items():
        if path is None:
            raise ServiceError(f"no {name} found: apt install influxdb nginx-light")
    folder = make_dir(data_dir.resolve() / "influx")
    for attempt in range(_TRIES):
        actual = claim_port(port, "InfluxDB")
        influx = _assemble(folder, programs, actual, bucket, max_body_bytes)
        try:
            influx._start()
        except ServiceError:
            if attempt == _TRIES - 1:
                raise
            continue
        _prepare(influx)
        return influx
    raise ServiceError("no free port for InfluxDB on the loopback")


def _assemble(
    folder: Path, programs: dict[str, str | None], port: int, bucket: str, max_body_bytes: int
) -> Influx:
    inner = free_port()
    (folder / "influxd.conf").write_text(_INFLUXD.format(rpc=free_port(), port=inner, dir=folder))
    (folder / "nginx.conf").write_text(
        _NGINX.format(port=port, influxd=inner, max_body_bytes=max_body_bytes)
    )
    engine = Child(
        "InfluxDB (influxd)",
        [str(programs["influxd"]), "-config", str(folder / "influxd.conf")],
        folder / "influxd.log",
        env={"GOMEMLIMIT": "120MiB", "HOME": str(folder)},
    )
    door = Child(
        "InfluxDB (nginx)",
        [str(programs["nginx"]), "-p", str(folder), "-c", str(folder / "nginx.conf")],
        folder / "nginx.log",
    )
    return Influx(port, bucket, engine, door)


def _prepare(influx: Influx) -> None:
    """Make the user once, and the buckets (idempotent). One shard a year suits sparse data."""
    try:
        influx.query("SHOW DATABASES", bucket="")
    except urllib.error.HTTPError:  # 401 or 403: no user yet
        influx.query(f"CREATE USER {USER} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES", "")
    for bucket in (influx.bucket, f"{influx.bucket}_1h"):  # values, and the gateway's hours
        influx.query(f'CREATE DATABASE "{bucket}" WITH SHARD DURATION 364d', "")
