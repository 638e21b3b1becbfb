# SPDX-License-Identifier: MIT
"""The doctor before real parts: certificates, mosquitto by TLS, InfluxDB, a whole gateway."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from kahriz_gateway import checks
from kahriz_gateway.authority import issue as ca_issue
from kahriz_gateway.authority.files import replace
from kahriz_gateway.authority.site import found, open_ca
from kahriz_gateway.checks import FAIL, IDLE, PASS
from kahriz_gateway.checks.influx import HOURS
from kahriz_gateway.config import Options
from kahriz_gateway.outputs import influx_hours
from kahriz_sim.services_influx import Influx, start_influx
from kahriz_sim.services_process import free_port
from kahriz_wire.messages import Hello, encode_hello

from .conftest import PATIENCE_S, SITE, SITE_TOML, wait_for
from .site_broker import HERE, Site
from .test_doctor import NODES, failed, look, options, run_doctor, with_plan

__all__ = ["options"]


def test_certificates_that_are_open_foreign_missing_or_about_to_end(tmp_path: Path) -> None:
    site = Site(tmp_path)
    (tmp_path / "data").mkdir()
    options = Options(site.plan(), tmp_path / "data")
    assert look("certificates", options)[0] == PASS
    key = site.gateway / "gateway.village.key"
    os.chmod(key, 0o640)
    failed("certificates", options, "chmod 600")
    os.chmod(key, 0o600)
    right = key.read_bytes()
    replace(key, (site.gateway / "doctor.key").read_bytes(), 0o600)
    failed("certificates", options, "do not fit")
    key.unlink()
    failed("certificates", options, "bring CA/gateway")
    replace(key, right, 0o600)
    cert = site.gateway / "gateway.village.pem"
    kept = cert.read_bytes()
    own = ca_issue.load_key(right, None)
    ends = datetime.now(UTC) + timedelta(days=20)
    short = ca_issue.certify(authority(site), "gateway.village", own.public_key(), ends, 7)
    replace(cert, ca_issue.pem(short))
    failed("certificates", options, "renew gateway.village")
    replace(cert, kept)
    assert look("certificates", options)[0] == PASS


def authority(site: Site) -> ca_issue.Authority:
    key = ca_issue.load_key((site.ca / "1" / "ca.key").read_bytes(), None)
    pem = (site.ca / "1" / "ca.pem").read_bytes()
    return ca_issue.Authority(key, x509.load_pem_x509_certificate(pem))


@pytest.mark.needs("mosquitto")
def test_a_broker_behind_a_wrong_certificate(tmp_path: Path) -> None:
    site = Site(tmp_path)
    options = Options(site.plan(), tmp_path / "data")
    own = ca_issue.load_key((site.gateway / "broker.key").read_bytes(), None).public_key()
    soon, past = (datetime.now(UTC) + timedelta(days=days) for days in (300, -1))
    found(tmp_path / "foreign", SITE, ())
    with open_ca(tmp_path / "foreign") as ca:
        foreign = ca_issue.Authority(
            ca_issue.load_key((tmp_path / "foreign" / "1" / "ca.key").read_bytes(), None),
            ca._certificate(1),
        )
    ours = authority(site)
    for signer, host, ends, word in (
        (foreign, "127.0.0.1", soon, "not the broker we know"),
        (ours, "10.0.0.1", soon, "mismatch"),
        (ours, "127.0.0.1", past, "expired"),
    ):
        cert = ca_issue.certify(signer, "broker", own, ends, 7, [host])
        replace(site.gateway / "broker.pem", ca_issue.pem(cert))
        site.start()
        failed("broker tls", options, word)
        site.stop()


@pytest.mark.needs("mosquitto")
def test_a_doctor_who_is_revoked_says_so(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.edit(lambda ca: ca.revoke("doctor", "tried"))
    site.start()
    failed("broker tls", Options(site.plan(), tmp_path / "data"), "ca show")
    assert look("receipt", Options(site.plan(), tmp_path / "data"))[0] == IDLE
    site.stop()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    started = start_influx(tmp_path_factory.mktemp("influx"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def influx(engine: Influx) -> str:
    return engine.login_url


@pytest.mark.needs("influxd", "nginx")
def test_influx_is_written_and_read_back(
    options: Options, engine: Influx, influx: str, tmp_path: Path
) -> None:
    assert look("influx", options)[0] == IDLE
    for _ in range(2):
        well = with_plan(options, f'[influx]\nurl = "{influx}"')
        assert look("influx", well) == (PASS, "written and read back in 'kahriz' and 'kahriz_1h'; ")
    assert HOURS == influx_hours.SUFFIX
    failed("influx", with_plan(options, f'[influx]\nurl = "{influx}"\nbucket = "none"'), "bucket")
    no_hours = with_plan(options, f'[influx]\nurl = "{influx}"\nbucket = "alone"')
    engine.query('CREATE DATABASE "alone"', "")
    failed("influx", no_hours, "make the bucket 'alone_1h' (the hours go there)")
    nobody = f'[influx]\nurl = "http://127.0.0.1:{free_port()}"'
    failed("influx", with_plan(options, nobody), "start InfluxDB")
    stranger = f'[influx]\nurl = "http://some:body@{influx.rpartition("@")[2]}"'
    failed("influx", with_plan(options, stranger), "token")
    missing = f'[influx]\nurl = "{influx}"\ntoken_file = "{tmp_path / "none"}"'
    failed("influx", with_plan(options, missing), "token")


@pytest.mark.needs("mosquitto", "influxd", "nginx")
def test_a_gateway_that_is_well_passes_everything(influx: str, tmp_path: Path) -> None:
    site = Site(tmp_path, NODES).start()
    plan = site.plan()
    page = free_port()
    plan.write_text(
        plan.read_text().replace("port = 8080", f"port = {page}")
        + f'\n[influx]\nurl = "{influx}"\n'
    )
    options = ("--config", str(plan), "--data", str(tmp_path / "data"))
    kahriz = [sys.executable, "-m", "kahriz", "gateway"]
    records = SITE_TOML.with_name("records.toml")
    brings = [*kahriz, "records", "import", str(records), *options]
    subprocess.run(brings, check=True, timeout=PATIENCE_S)
    log = tmp_path / "gateway.log"
    with log.open("wb") as out:
        gateway = subprocess.Popen([*kahriz, "run", *options], stdout=out, stderr=out)
    try:
        wait_for(lambda: "receipt: stored" in log.read_text(), "intake has looked at its broker")
        for node in NODES:
            visitor = site.client(site.pem_of(node))
            assert visitor.connect() == "Success"
            visitor.subscribe(f"{HERE}/{node}/receipt")
            visitor.publish(
                f"{HERE}/{node}/hello", encode_hello(Hello("00000001", "9f3a01c2", 1, 1))
            )
            assert visitor.hears()[0] == f"{HERE}/{node}/receipt"
            visitor.close()
        wait_for(lambda: look("page", Options(plan, tmp_path / "data"))[0] == PASS, "page serves")
        result = run_doctor(*options, "--json")
        found = {each["name"]: each for each in json.loads(result.stdout)}
        timing = found.pop("broker nodelay")
        idle = [name for name, each in found.items() if each["state"] != PASS]
        assert idle == ["office"], found  # its plan names none
        assert found["office"]["state"] == IDLE
        assert timing["state"] in (PASS, FAIL), "this machine may be too busy to judge"
        assert list(found) == [name for name in checks.CHECKS if name != "broker nodelay"]
        assert "WARNING" not in log.read_text().replace("WARNING broker nodelay", "")
    finally:
        gateway.terminate()
        gateway.wait(PATIENCE_S)
        site.stop()
