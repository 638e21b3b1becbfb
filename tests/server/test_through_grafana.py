# SPDX-License-Identifier: MIT
"""The check of a real office, run here: a real InfluxDB behind a strict stand-in of Grafana.

What holds for the stand-in is our reading of Grafana. `python -m tests.campaigns.office` runs the
same against real ones (INFLUX_URL, GRAFANA_URL).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_server.cli import server
from kahriz_server.dashboards import common
from kahriz_server.setup.ask import SetupError
from kahriz_sim.services import Influx, start_influx

from ..campaigns import office as campaign
from .grafana_stand_in import TOKEN, Grafana, serving
from .test_panels import T1

pytestmark = pytest.mark.needs("influxd", "nginx")


def given(influx: Influx) -> dict[str, str]:
    return {"INFLUX_URL": influx.url, "INFLUX_TOKEN": f"{influx.user}:{influx.password}"}


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    running = start_influx(tmp_path_factory.mktemp("influx"), bucket=campaign.BUCKET)
    made = campaign.of_environment(given(running))
    assert made is not None
    campaign.write(made)
    yield running
    running.stop()


@pytest.fixture
def grafana() -> Grafana:
    return Grafana()


@pytest.fixture
def office(influx: Influx, grafana: Grafana) -> Iterator[campaign.Office]:
    with serving(grafana) as url:
        around = {**given(influx), "GRAFANA_URL": url, "GRAFANA_TOKEN": TOKEN}
        made = campaign.of_environment(around)
        assert made is not None
        yield made


def test_every_query_and_rule_goes_through_and_nothing_stays_behind(
    office: campaign.Office, grafana: Grafana
) -> None:
    said: list[str] = []
    assert campaign.check(office, said.append, ["az"]) == []
    assert "queries of 6 dashboards" in said[1]
    assert said[3].startswith("Grafana stand-in at http://127.0.0.1:")
    assert grafana.asked.count(("POST", "/api/dashboards/db")) == 6
    asked = grafana.asked.count(("POST", "/api/ds/query"))
    assert f"  {asked - 4} queries of 6 dashboards" in said[4]
    assert (grafana.sources, grafana.folders, grafana.boards) == ({}, {}, {})


def test_without_a_grafana_it_says_that_none_was_asked(office: campaign.Office) -> None:
    office.grafana_url = None
    said: list[str] = []
    assert campaign.check(office, said.append, []) == []
    assert said[-1].startswith("GRAFANA_URL is not set")
    assert campaign.of_environment({}) is None


def test_a_grafana_that_keeps_other_queries_is_found_and_all_is_taken_away(
    office: campaign.Office, grafana: Grafana
) -> None:
    grafana.migrates = True
    wrong = campaign.check(office, lambda _: None, ["en"])
    assert any("kahriz-en-check: Grafana keeps other queries" in each for each in wrong)
    assert (grafana.sources, grafana.folders, grafana.boards) == ({}, {}, {})


def test_a_wrong_token_is_one_line_and_leaves_nothing(
    office: campaign.Office, grafana: Grafana
) -> None:
    office.grafana_token = "another"
    with pytest.raises(
        SetupError, match=r"refuses the token \(401\): it must be a service account"
    ):
        campaign.check(office, lambda _: None, [])
    assert grafana.sources == {}


def test_the_command_asks_through_grafana(
    office: campaign.Office, grafana: Grafana, tmp_path: Path
) -> None:
    key = tmp_path / "token"
    key.write_text(f"{TOKEN}\n")
    assert office.grafana_url is not None
    words = ["panels", "--grafana-url", office.grafana_url, "--grafana-token-file", str(key)]
    words += ["--until-ms", str(T1)]
    missing = CliRunner().invoke(server, words)
    assert missing.exit_code == 1
    assert "data source not found" in missing.output
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(campaign, "UID", common.SOURCE_UID)
        with campaign.source_of(office, campaign.grafana_door.door(office.grafana_url, TOKEN)):
            said = CliRunner().invoke(server, words)
    assert said.exit_code == 0, said.output
    assert "rule       kahriz-dead-man: [{'site': 'baharli-valibay'}]" in said.output
