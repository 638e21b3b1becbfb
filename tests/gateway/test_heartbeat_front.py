# SPDX-License-Identifier: MIT
"""A heartbeat through nginx with TLS, as server/deploy/nginx.conf has it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kahriz_gateway.heartbeat.beats import seed_of
from kahriz_gateway.heartbeat.collect import collect
from kahriz_gateway.heartbeat.post import PostError, post
from kahriz_sim.services_process import free_port
from kahriz_water.site import OfficeServer
from tests.gateway.heart import (
    PLAN,
    ROOT,
    heard,
    standing,
)
from tests.server.office import PATIENCE_S, certificate


@contextmanager
def nginx(folder: Path, to: int) -> Iterator[int]:
    """The front of server/deploy/nginx.conf on a free port; another one where that was taken."""
    cert, secret = certificate(folder)
    child, port = None, 0
    while child is None:
        port = free_port()
        child = _front(folder, port, to, cert, secret)
    try:
        yield port
    finally:
        child.terminate()
        child.wait(PATIENCE_S)


def _front(
    folder: Path, port: int, to: int, cert: Path, secret: Path
) -> subprocess.Popen[bytes] | None:
    text = (ROOT / "server" / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    text = re.sub(r"    listen \[::\].*\n", "", text)
    text = text.replace("listen 443", f"listen 127.0.0.1:{port}").replace("8420", str(to))
    text = text.replace("/etc/ssl/kahriz/office.pem", str(cert))
    text = text.replace("/etc/ssl/kahriz/office.key", str(secret))
    head = "daemon off;\nmaster_process off;\npid nginx.pid;\n"
    head += "events {}\nhttp {\naccess_log off;\n"
    temps = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    head += "".join(f"{each}_temp_path {folder}/{each};\n" for each in temps)
    conf, log = folder / "nginx.conf", folder / "nginx.log"
    conf.write_text(f"{head}{text}}}\n", encoding="utf-8")
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None
    child = subprocess.Popen([program, "-p", str(folder), "-c", str(conf), "-e", str(log)])
    while child.poll() is None:
        with contextlib.suppress(ConnectionError):
            socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
            return child
        time.sleep(0.02)
    assert "Address already in use" in log.read_text()
    return None


@pytest.mark.needs("nginx")
def test_a_heartbeat_goes_through_the_front_with_tls_and_nothing_else_does(tmp_path: Path) -> None:
    with (
        standing(tmp_path) as (bench, village, office),
        nginx(tmp_path, office.port) as port,
    ):
        url, own = f"https://127.0.0.1:{port}", str(tmp_path / "office.pem")
        seed = seed_of(village.data)
        beat = collect(PLAN, village.data, village.clock, 5)
        with pytest.raises(PostError, match="certificate"):
            post(beat, seed, OfficeServer(url))
        post(beat, seed, OfficeServer(url, ca_file=own))
        assert heard(bench).n == 5
        trusted = ssl.create_default_context(cafile=own)
        for path in ("/healthz", "/metrics", "/"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(url + path, context=trusted, timeout=PATIENCE_S)
