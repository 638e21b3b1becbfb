# SPDX-License-Identifier: MIT
"""The alarms over HTTP, served by the real village, and e-mail that leaves it over STARTTLS."""

from __future__ import annotations

import contextlib
import email
import http.client
import json
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from kahriz_detect.finding import RAISED
from kahriz_gateway.alarms.cli import alarm as command
from kahriz_gateway.checks import About
from kahriz_gateway.checks.people import people as check_people
from kahriz_gateway.clock import SystemClock
from kahriz_gateway.config import Options
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village import village
from kahriz_sim.services import free_port
from kahriz_water.plan import Plan, parse_plan
from tests.server.office import AnyPort

from .conftest import PATIENCE_S, wait_for
from .test_alarm_loop import PEOPLE, TELLS, TEXT, leak


def _certificate(folder: Path) -> Path:
    """Key and certificate of a mail server on this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    path = folder / "mail.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


class Mail:
    """A mail server that wants STARTTLS; keeps what came, and whether it came encrypted."""

    def __init__(self) -> None:
        self.kept: list[tuple[bool, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.kept.append((session.ssl is not None, envelope.content))
        return "250 OK"


class Site:
    """A village that runs in this process, with one mail way."""

    def __init__(self, folder: Path, plan: Plan, mail: Mail) -> None:
        self.data, self.plan, self.mail = folder / "data", plan, mail
        self.toml = folder / "site.toml"
        self.port = plan.page.port

    def ask(self, method: str, path: str, body: object = None, token: str | None = "") -> Any:
        if token == "":
            token = (self.data / "api.token").read_text().strip()
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        link.request(method, path, data, headers)
        answer = link.getresponse()
        found = answer.read()
        link.close()
        return answer.status, json.loads(found)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("village")
    pem = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    mail, page_port = Mail(), free_port()
    server = AnyPort(
        mail, hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True,
        ready_timeout=PATIENCE_S,
    )  # fmt: skip
    server.start()
    base = TEXT + PEOPLE.replace('channels = ["sms", "call"]', 'channels = ["email"]').replace(
        'phone = "+994501234567"', 'email = "ali@example.az"'
    )
    base += (
        f'[email]\nhost = "localhost"\nport = {server.port}\nfrom = "k@example.az"\n'
        f'ca_file = "{pem}"\n[alarms]\ngather_minutes = 0\n'
        f'public_url = "http://127.0.0.1:{page_port}"\n'
    )
    (folder / "site.toml").write_text(base, encoding="utf-8")
    plan = parse_plan(base)
    plan = replace(
        plan,
        page=replace(plan.page, port=page_port),
        broker=replace(plan.broker, port=free_port()),
        influx=None,
    )
    stop = threading.Event()
    made = Site(folder, plan, mail)
    thread = threading.Thread(
        target=village.run, args=(plan, made.data, SystemClock(), stop), daemon=True
    )
    thread.start()
    until(lambda: (made.data / "api.token").exists() and _answers(page_port))
    yield made
    stop.set()
    thread.join(PATIENCE_S)
    server.stop()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
    except OSError:
        return False
    return True


def until(true: Callable[[], object]) -> None:
    wait_for(true, "it happens")


def notified(site: Site, ident: int) -> bool:
    """As the store has it: over HTTP only so many may ask in a minute."""
    path = site.data / "village.db"
    with contextlib.closing(village_store.open_village(path, read_only=True)) as conn:
        found = village_alarms.load(conn, ident)
        return found is not None and found.state == "notified"


@pytest.fixture
def ident(site: Site) -> Iterator[int]:
    """An open leak in the running village."""
    conn = village_store.open_village(site.data / "village.db")
    now = SystemClock().now_ms()
    with village_store.transaction(conn):
        village_alarms.apply(conn, [leak(RAISED, now)], site.plan, now, TELLS)
        found = village_alarms.open_alarm(conn, "leak", "upper")
    assert found is not None
    yield found.id
    with village_store.transaction(conn):
        left = village_alarms.load(conn, found.id)
        if left is not None and left.open:
            now = SystemClock().now_ms()
            village_alarms.step(conn, left, "closed", now, TELLS, now, "test", None, {})
    conn.close()


def test_the_village_mails_an_alarm_over_starttls(site: Site, ident: int) -> None:
    until(lambda: notified(site, ident))
    assert all(encrypted for encrypted, _ in site.mail.kept)
    came = [email.message_from_bytes(content, policy=default) for _, content in site.mail.kept]
    mail = [each for each in came if each["To"] == "ali@example.az"][-1]
    body = mail.get_body()  # type: ignore[attr-defined]
    assert "Sızma: Yuxarı arx, 2,0 l/s" in body.get_content()
    assert site.ask("GET", f"/api/alarms/{ident}")[1]["state"] == "notified"


def test_a_test_message_is_sent_by_the_running_village(site: Site) -> None:
    words = ["test", "--person", "rena", "--config", str(site.toml), "--data", str(site.data)]
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    assert result.output == "rena by email: sent; ask whether it arrived\n"


def test_an_alarm_is_taken_mended_and_closed_over_http(site: Site, ident: int) -> None:
    status, listed = site.ask("GET", "/api/alarms")
    assert (status, [a["id"] for a in listed["alarms"]]) == (200, [ident])
    path = f"/api/alarms/{ident}"
    assert site.ask("POST", f"{path}/ack", {"who": "rena"})[1]["owner"] == "rena"
    assert site.ask("POST", f"{path}/coming", {"who": "rena"})[1]["state"] == "in_repair"
    shelf = site.ask("POST", f"{path}/shelve", {"who": "rena", "hours": 2, "note": "yol"})[1]
    assert shelf["shelved_why"] == "yol"
    mended = site.ask("POST", f"{path}/fixed", {"who": "rena", "cause": "joint"})[1]
    assert mended["state"] == "reported_fixed"
    assert site.ask("POST", f"{path}/ack", {"who": "rena"})[0] == 409
    shut = site.ask("POST", f"{path}/close", {"who": "rena", "cause": "nothing_there"})[1]
    assert (shut["state"], shut["proved"]) == ("closed", False)
    assert [s["what"] for s in site.ask("GET", path)[1]["steps"]][-1] == "closed"
    stats = CliRunner().invoke(command, ["stats", "--json", "--data", str(site.data)])
    assert json.loads(stats.output)["kinds"]["leak"]["nothing_there"] == 1


@pytest.mark.parametrize(
    ("op", "body"),
    [
        ("ack", "[" * 4000),
        ("ack", "x" * 5000),
        ("ack", {}),
        ("ack", {"who": "\ud800"}),
        ("fixed", {"who": "a", "cause": "magic"}),
        ("shelve", {"who": "a", "hours": 1e9, "note": "n"}),
        ("shelve", '{"who": "a", "note": "n", "hours": NaN}'),
        ("shelve", {"who": "a", "hours": True, "note": "n"}),
        ("burn", {"who": "a"}),
    ],
)
def test_a_request_that_cannot_be_meant_changes_nothing(
    site: Site, ident: int, op: str, body: object
) -> None:
    assert site.ask("POST", f"/api/alarms/{ident}/{op}", body)[0] == 400
    assert site.ask("GET", f"/api/alarms/{ident}")[1]["owner"] is None


def test_token_and_key_are_for_the_service_alone(site: Site) -> None:
    for name in ("api.token", "link.key"):
        assert stat.S_IMODE((site.data / name).stat().st_mode) == 0o600


def test_maintenance_keeps_a_place_quiet_and_its_end_lets_it_speak(site: Site) -> None:
    where = ["--data", str(site.data)]
    plan = ["--config", str(site.toml)]

    def run(*words: str) -> Any:
        return CliRunner().invoke(command, ["maintenance", *words])

    words = ["--hours", "2", "--why", "repair", "--who", "rena"]
    assert run("add", "nowhere", *words, *plan, *where).exit_code == 6
    assert run("add", "upper", *words, *plan, *where).exit_code == 0
    conn = village_store.open_village(site.data / "village.db")
    now = SystemClock().now_ms()
    with village_store.transaction(conn):
        village_alarms.apply(conn, [leak(RAISED, now)], site.plan, now, TELLS)
        found = village_alarms.open_alarm(conn, "leak", "upper")
    assert found is not None
    assert found.shelved_why == "repair"
    listed = json.loads(run("list", "--json", *where).output)
    assert run("end", str(listed[0]["id"]), *where).exit_code == 0
    after = village_alarms.load(conn, found.id)
    assert after is not None
    assert after.shelved_until is None
    assert run("end", str(listed[0]["id"]), *where).exit_code == 6
    conn.close()
    site.ask("POST", f"/api/alarms/{found.id}/close", {"who": "rena", "cause": "other"})


def test_without_the_token_there_is_nothing_and_guessing_is_slow(site: Site) -> None:
    assert site.ask("GET", "/api/alarms", token=None)[0] == 401
    wrong = [site.ask("GET", "/api/alarms", token=f"no{n}")[0] for n in range(12)]
    assert wrong[0] == 401
    assert wrong[-1] == 429
    assert site.ask("GET", "/api/alarms")[0] == 200  # who has it is not shut out


def test_the_check_refuses_a_person_whom_nothing_reaches(tmp_path: Path) -> None:
    toml = tmp_path / "site.toml"
    toml.write_text(TEXT + PEOPLE, encoding="utf-8")
    found = check_people(About(Options(toml, tmp_path)))
    assert found.state == "FAIL"
    assert "ali can never be told" in found.says
    assert "[modem]" in found.mend
    said = subprocess.run(
        [
            Path(sys.executable).parent / "kahriz",
            "gateway",
            "check",
            "--config",
            str(toml),
            "--data",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert said.returncode != 0
    assert "ali can never be told" in said.stdout + said.stderr
