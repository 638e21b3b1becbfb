# SPDX-License-Identifier: MIT
"""server/compose.yml is taken by docker-compose, pinned, health-checked, and names real files."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import rich_click as click

from kahriz_gateway.cli import gateway
from kahriz_server.cli import server

SERVER = Path(__file__).parents[2] / "server"
COMPOSE = SERVER / "compose.yml"
SECRETS = ("KAHRIZ_INFLUX_PASSWORD", "KAHRIZ_INFLUX_TOKEN", "KAHRIZ_GRAFANA_PASSWORD")

pytestmark = pytest.mark.needs("docker-compose")


def config(**secrets: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KAHRIZ_")}
    command = ["docker-compose", "-f", str(COMPOSE), "config"]
    return subprocess.run(
        command, env=clean | secrets, cwd=SERVER, capture_output=True, text=True, check=False
    )


def test_docker_compose_accepts_the_set() -> None:
    said = config(**dict.fromkeys(SECRETS, "secret-for-a-test"))
    assert said.returncode == 0, said.stderr
    for service in ("influxdb", "grafana", "mosquitto", "gateway", "server"):
        assert f"  {service}:\n" in said.stdout
    assert said.stdout.count("healthcheck:") == 5
    assert 'GF_SERVER_ENABLE_GZIP: "false"' in said.stdout.replace("'", '"')


@pytest.mark.parametrize("missing", SECRETS)
def test_a_secret_that_is_not_set_is_asked_for(missing: str) -> None:
    said = config(**{name: "x" for name in SECRETS if name != missing})
    assert said.returncode != 0
    assert "set it in server/.env" in said.stderr


def test_images_are_pinned_and_ports_stay_on_the_loopback() -> None:
    text = COMPOSE.read_text()
    images = re.findall(r"image: (\S+)", text)
    assert len(images) == 5
    assert all(re.search(r":\d+\.\d+\.\d+$", image) for image in images)
    published = re.findall(r"ports: \[(.+)\]", text)
    assert len(published) == 5
    assert all(port.startswith('"127.0.0.1:') for port in published)
    base = re.search(r"^FROM (\S+)", (SERVER / "Dockerfile").read_text(), re.MULTILINE)
    assert base is not None
    assert re.search(r":\d+\.\d+\.\d+", base[1])


def test_every_mounted_file_is_in_the_tree() -> None:
    mounts = re.findall(r"- (\./[^:]+):", COMPOSE.read_text())
    assert mounts
    assert [each for each in mounts if not (SERVER / each).exists()] == []


def test_the_example_of_secrets_names_all_of_them() -> None:
    example = (SERVER / ".env.example").read_text()
    assert all(f"{name}=" in example for name in SECRETS)


@pytest.mark.parametrize(("name", "group"), [("gateway", gateway), ("server", server)])
def test_a_service_takes_the_options_that_the_set_gives_it(
    name: str, group: click.RichGroup
) -> None:
    mine = COMPOSE.read_text().partition(f"\n  {name}:\n")[2].partition("healthcheck:")[0]
    given = set(re.findall(r"- (--[a-z-]+)=", mine))
    known = {option for each in group.commands["run"].params for option in each.opts}
    assert given
    assert given <= known
