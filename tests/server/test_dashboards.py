# SPDX-License-Identifier: MIT
"""The dashboards in git are what their source says, in three languages, and keep the rules."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kahriz_alarms.messages import KINDS
from kahriz_server import alerts, dashboards, thresholds
from kahriz_server.cli import HERE, RULES, server
from kahriz_server.dashboards import kahriz, runbook
from kahriz_server.dashboards.common import SOURCE_UID, Json
from kahriz_server.lint import lint_board, lint_query, lint_set, lint_texts
from kahriz_server.texts import LANGS, Lang
from kahriz_server.units import unit
from kahriz_wire.fields import FIELDS

ROOT = Path(__file__).parents[2]
GOOD = 'SELECT mean("c") FROM "water" WHERE "q" < 4 AND "c_q" < 4 AND $timeFilter'


def boards() -> dict[str, Json]:
    return {name: json.loads(text) for name, text in dashboards.render().items()}


def test_the_files_in_git_are_up_to_date() -> None:
    assert dashboards.stale(HERE) == []


def test_a_changed_a_missing_and_a_foreign_file_are_stale(tmp_path: Path) -> None:
    dashboards.write(tmp_path)
    assert dashboards.stale(tmp_path) == []
    (tmp_path / "az" / "kahriz.json").write_text("{}")
    (tmp_path / "ru" / "kahriz.json").unlink()
    (tmp_path / "en" / "other.json").write_text("{}")
    wanted = ["az/kahriz.json", "en/other.json", "ru/kahriz.json"]
    assert dashboards.stale(tmp_path) == wanted


def test_all_dashboards_keep_the_rules() -> None:
    assert list(lint_set(boards())) == []
    assert list(lint_texts()) == []


@pytest.mark.parametrize("name", dashboards.PAGES)
def test_the_three_languages_differ_in_words_only(name: str) -> None:
    def queries(board: Json) -> list[str]:
        return [target["query"] for panel in board["panels"] for target in panel["targets"]]

    made = boards()
    assert set(made) == {f"{lang}/{name}.json" for lang in LANGS for name in dashboards.PAGES}
    az, ru, en = (made[f"{lang}/{name}.json"] for lang in LANGS)
    assert queries(az) == queries(ru) == queries(en)
    titles = [{panel["title"] for panel in board["panels"]} for board in (az, ru, en)]
    assert titles[0].isdisjoint(titles[1])
    assert titles[1].isdisjoint(titles[2])
    assert titles[0].isdisjoint(titles[2])


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        (GOOD.replace('"q" < 4 AND ', ""), '"q" < 4'),
        (GOOD.replace('"c_q" < 4 AND ', ""), "_q"),
        (GOOD.replace('"water"', '"autogen"."water"'), "retention policy"),
        (GOOD.replace(" AND $timeFilter", ""), "$timeFilter"),
        ('SELECT max("c") FROM "water" WHERE $timeFilter', '"q" < 4'),
        ('SELECT last("active") FROM "alarm" WHERE "kind" = \'leak\'', "all years"),
        (f"{GOOD}; DROP MEASUREMENT water", "only one SELECT"),
        (GOOD.replace("FROM", 'INTO "other" FROM'), "only one SELECT"),
        (GOOD.replace('"water"', '"water", (SELECT c FROM "water")'), '"q" < 4'),
        ('SELECT sum("m3") FROM "turn" WHERE $timeFilter', "withdrawn turns"),
    ],
)
def test_the_lint_finds_a_query_that_breaks_a_rule(query: str, complaint: str) -> None:
    assert list(lint_query(GOOD)) == []
    assert any(complaint in each for each in lint_query(query))


def test_the_lint_finds_a_panel_that_breaks_a_rule() -> None:
    def broken(change: str) -> list[str]:
        board = kahriz.build("en")
        first, second = board["panels"][:2]
        if change == "unit":
            del first["fieldConfig"]["defaults"]["unit"]
        elif change == "title":
            first["title"] = ""
        elif change == "place":
            second["gridPos"] = dict(first["gridPos"])
        elif change == "source":
            first["targets"][0]["datasource"] = {"uid": "another"}
        elif change == "variable":
            first["targets"][0]["query"] += " $village"
        return list(lint_board(board))

    assert broken("nothing") == []
    assert "no unit" in broken("unit")[0]
    assert "no title" in broken("title")[0]
    assert "over another panel" in broken("place")[0]
    assert "another data source" in broken("source")[0]
    assert "nothing replaces $village" in broken("variable")[0]


def test_the_alert_rules_in_git_are_up_to_date_and_say_what_no_data_means() -> None:
    assert RULES.read_text(encoding="utf-8") == alerts.render()
    for rule in alerts.rules():
        assert rule["noDataState"] in ("Alerting", "OK")
        assert rule["execErrState"] == "Alerting"
        assert list(lint_query(rule["data"][0]["model"]["query"])) == []
        assert {f"summary_{lang}" for lang in LANGS} <= rule["annotations"].keys()


@pytest.mark.parametrize("lang", LANGS)
def test_the_runbook_has_a_page_for_every_kind_and_links_lead_to_it(lang: Lang) -> None:
    made = runbook.build(lang)
    for kind in KINDS:
        (page,) = (each for each in made["panels"] if each["description"] == kind)
        assert page["options"]["content"]
        assert runbook.link(lang, kind) == f"/d/{made['uid']}?viewPanel={page['id']}"


def test_panels_colour_by_the_one_file_of_thresholds() -> None:
    written = [
        steps["steps"]
        for made in boards().values()
        for steps in find(made, "thresholds")
        if "steps" in steps
    ]
    known = [thresholds.steps(each)["steps"] for each in all_thresholds()]
    assert written
    assert [each for each in written if each not in known] == []


def all_thresholds() -> list[thresholds.Steps]:
    return [each for name, each in vars(thresholds).items() if isinstance(each, tuple)]


def find(made: Any, key: str) -> Iterator[Any]:
    """Everything under a key, and the values of Grafana's `id`/`value` properties of that name."""
    if isinstance(made, list):
        for each in made:
            yield from find(each, key)
    elif isinstance(made, dict):
        if made.get("id") == key:
            yield made["value"]
        for name, each in made.items():
            if name == key:
                yield each
            yield from find(each, key)


def test_two_dashboards_with_one_uid_are_found() -> None:
    twice = {"a": kahriz.build("en"), "b": kahriz.build("en")}
    assert list(lint_set(twice)) == ["kahriz-en: the uid of more than one dashboard"]


def test_every_field_has_a_unit_in_every_language() -> None:
    for quantity in FIELDS:
        for lang in LANGS:
            assert unit(quantity, lang)
    assert unit("discharge_lps", "ru") == "suffix: л/с"


def test_another_kahriz_names_its_own_reaches(tmp_path: Path) -> None:
    command = ["dashboards", "--out", str(tmp_path), "--reach", "orchard:mouth:gate"]
    said = CliRunner().invoke(server, command)
    assert said.exit_code == 0, said.output
    text = (tmp_path / "ru" / "kahriz.json").read_text()
    assert "'mouth'" in text
    assert '"alias": "orchard"' in text
    bad = CliRunner().invoke(server, ["dashboards", "--out", str(tmp_path), "--reach", "orchard"])
    assert bad.exit_code == 2
    assert "NAME:UPPER:LOWER" in bad.output


def test_the_command_checks_without_writing(tmp_path: Path) -> None:
    checked = CliRunner().invoke(server, ["dashboards", "--check", "--out", str(tmp_path)])
    assert checked.exit_code == 1
    assert "out of date" in checked.output
    assert list(tmp_path.iterdir()) == []


def test_the_provisioned_source_is_the_one_the_dashboards_name() -> None:
    folder = ROOT / "server" / "grafana" / "provisioning"
    source = (folder / "datasources" / "kahriz.yml").read_text()
    assert f"uid: {SOURCE_UID}\n" in source
    providers = (folder / "dashboards" / "kahriz.yml").read_text()
    for lang in LANGS:
        assert f"path: /var/lib/kahriz/dashboards/{lang}\n" in providers
