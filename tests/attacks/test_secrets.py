# SPDX-License-Identifier: MIT
"""Every secret of a village at work, looked for wherever others look: log, pages, numbers, backup.

All ways to people and to the office lead to a server that refuses everything, because words about
failures are where secrets come out.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz.cli import main
from kahriz_gateway.committee import book, pins
from kahriz_sim.services import free_port
from tests.gateway.conftest import wait_for
from tests.page.phone import Phone
from tests.page.stores_made import NOW, SITES, heard, living, plan_of

SECRETS = {
    name: f"geheim{number}x{name}"
    for number, name in enumerate(("mail", "telegram", "apprise", "webhook", "influx"))
}
PATHS = ("/", "/alarms", "/work", "/missing", "/healthz", "/metrics", "/help", "/api")
WAYS = """
[[person]]
id = "rena"
name = "Rena"
role = "technician"
language = "en"
channels = ["email", "telegram"]
email = "rena@example.az"
telegram = "123456789"

[email]
host = "127.0.0.1"
port = {port}
security = "none"
from = "kahriz@example.az"
user = "kahriz"
password_file = "{folder}/mail"

[telegram]
token_file = "{folder}/telegram"
base_url = "http://127.0.0.1:{port}"

[[apprise]]
url_file = "{folder}/apprise"
language = "en"

[[webhook]]
url = "http://127.0.0.1:{port}/hook"
secret_file = "{folder}/webhook"

[influx]
url = "http://127.0.0.1:{port}"
bucket = "kahriz"
org = "kahriz"
token_file = "{folder}/influx"
"""


class Refuses(http.server.BaseHTTPRequestHandler):
    """Whoever asks is refused; what was asked is kept."""

    asked: list[str] = []  # noqa: RUF012 - one list for all requests

    def _no(self) -> None:
        self.asked.append(f"{self.path} {self.headers}")
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = _no  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def kahriz(*words: str) -> str:
    """What a command of the gateway says, whatever its end."""
    where = ["--config", "site.toml", "--data", "data"]
    return CliRunner().invoke(main, [*words, *where]).output


@contextlib.contextmanager
def at_work(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "kahriz", "gateway", "village", "--config", "site.toml"]
    words += ["--data", "data", "--page", f"127.0.0.1:{port}", "--clock-file", "clock"]
    with (folder / "village.log").open("wb") as log:
        village = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
        try:
            yield village
        finally:
            village.terminate()
            village.wait(60)


def test_no_secret_of_the_village_comes_out_anywhere(
    tmp_path: Path, refusing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    living(data)
    heard(data, plan_of())
    conn = book.open_book(data)
    codes = [pins.set_pin(conn, name, "committee", NOW) for name in ("aqsaqqal", "mirab")]
    conn.close()
    for name, secret in SECRETS.items():
        whole = f"json://kahriz:{secret}@127.0.0.1:{refusing}/x" if name == "apprise" else secret
        (tmp_path / name).write_text(whole, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    plan = (SITES / "banovshalar-gozlu" / "site.toml").read_text("utf-8")
    plan += WAYS.format(port=refusing, folder=tmp_path)
    (tmp_path / "site.toml").write_text(plan, encoding="utf-8")
    (tmp_path / "clock").write_bytes(NOW.to_bytes(8, "little"))
    seen: dict[str, str] = {}
    secrets = dict(SECRETS)
    Refuses.asked.clear()
    page = free_port()
    with at_work(tmp_path, page) as village:
        phone = Phone(f"http://127.0.0.1:{page}")

        def served() -> bool:
            assert village.poll() is None, (tmp_path / "village.log").read_text("utf-8")
            with contextlib.suppress(OSError):
                return phone.get("/healthz")[0] in (200, 503)
            return False

        wait_for(served, "the page is served", 120)
        words = ("start", "--days", "1", "--why", "flood", "--who", "rena")
        seen["advisory"] = kahriz("alarm", "advisory", *words)
        seen["alarm test"] = kahriz("alarm", "test", "--wait", "1")
        wait_for(lambda: any("/bot" in one for one in Refuses.asked), "Telegram was tried", 120)
        wait_for(lambda: any("/write" in one for one in Refuses.asked), "InfluxDB was tried", 120)
        assert phone.enter("000000")[0] != 303
        pages: list[dict[str, str]] = []
        for pin in codes:
            assert phone.enter(pin)[0] == 303
            pages.append({path: phone.get(path)[1] for path in PATHS})
        for proc in ("cmdline", "environ"):
            seen[proc] = Path(f"/proc/{village.pid}/{proc}").read_bytes().decode("utf-8", "replace")
    for words in (("gateway", "check"), ("alarm", "list"), ("alarm", "events")):
        seen[" ".join(words)] = kahriz(*words)
    seen["doctor"] = kahriz("doctor")
    seen["backup"] = kahriz("gateway", "backup", "backups")
    seen["log"] = (tmp_path / "village.log").read_text("utf-8")
    for name in ("api.token", "link.key"):
        if (data / name).exists():
            secrets[name] = (data / name).read_text("utf-8").strip()
            assert (data / name).stat().st_mode & 0o077 == 0
    for folder, _, names in os.walk(tmp_path / "backups"):
        for name in names:
            text = (Path(folder) / name).read_bytes().decode("latin-1")
            seen[f"backup: {name}"] = text.replace((tmp_path / "site.toml").read_text("utf-8"), "")
    assert len(seen) > 10
    assert "backup: village.db" in seen
    texts = [*seen.items(), *(each for own in pages for each in own.items())]
    found = [(where, name) for name, secret in secrets.items() for where, text in texts
             if secret in text]  # fmt: skip
    assert found == []
    told = [{where for where, text in (seen | own).items() if pin in text}
            for pin, own in zip(codes, pages, strict=True)]  # fmt: skip
    assert told[0] & told[1] == set(), "six digits of one may stand in a number; not of both"
