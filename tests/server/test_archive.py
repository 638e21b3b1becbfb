# SPDX-License-Identifier: MIT
"""History once more over an archive: the same alarms as one by one, whatever breaks beside them."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kahriz_detect.replay.cli import replay_command
from kahriz_detect.replay.run import text_of
from kahriz_gateway.export import cli as export_cli
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.store import Value
from kahriz_server import archive as archives
from kahriz_server import many, reports
from kahriz_server.cli import server
from kahriz_water.structures.v_notch import VNotch

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
STEP_MS = 300_000
T0 = 1_764_000_000_000
DAYS = 6


def water(leak_day: float | None) -> Iterator[Value]:
    for k in range(DAYS * 288):
        ts = T0 + k * STEP_MS
        lost = 3.0 if leak_day is not None and k > leak_day * 288 else 0.0
        for point, lps in (("outlet", 12.0), ("middle", 11.5 - lost), ("inlet", 11.0 - lost)):
            yield Value(point, "discharge_lps", ts, lps + 0.01 * (k % 3), 0.3, 1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three kahrizes out of their gateways' stores; one of them leaks."""
    folder = tmp_path_factory.mktemp("archive")
    for name, leak_day in (("dry", None), ("leaking", 3.5), ("other", None)):
        place = folder / name
        place.mkdir()
        (place / "site.toml").write_text((SITE / "site.toml").read_text(encoding="utf-8"))
        conn = village_store.open_village(place / "village.db")
        with contextlib.closing(conn), village_store.transaction(conn):
            village_store.put_values(conn, list(water(leak_day)))
        said = CliRunner().invoke(
            export_cli.export,
            [
                *("values", "--form", "replay", "--out", str(place / "readings.csv")),
                *("--config", str(place / "site.toml"), "--data", str(place)),
                *("--from", "2025-01-01", "--to", "2026-01-01"),
            ],
        )
        assert said.exit_code == 0, said.output
    return folder


def replay(archive: Path, out: Path, *more: str, code: int = 0) -> str:
    said = CliRunner().invoke(server, ["replay", str(archive), "--out", str(out), *more])
    assert said.exit_code == code, said.output
    return said.output


def test_each_kahriz_gets_the_alarms_that_it_gets_alone(archive: Path, tmp_path: Path) -> None:
    replay(archive, tmp_path / "out", "--jobs", "2")
    tables = {p.stem: p.read_text() for p in (tmp_path / "out").glob("*.csv")}
    assert set(tables) == {"dry", "leaking", "other"}
    assert ",leak,upper" in tables["leaking"]
    assert "leak" not in tables["dry"]
    alone = tmp_path / "alone.csv"
    said = CliRunner().invoke(
        replay_command,
        [
            *("--site", str(archive / "leaking" / "site.toml")),
            *("--readings", str(archive / "leaking" / "readings.csv"), "--alarms", str(alone)),
        ],
    )
    assert said.exit_code == 0, said.output
    assert alone.read_text() == tables["leaking"]


def test_what_is_done_is_not_done_again_and_what_fails_is_named(
    archive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "leaking.csv").write_text("done before")
    broken = archive / "other" / "readings.csv"
    whole = broken.read_text()
    broken.write_text(whole.replace("discharge_lps,11.0", "discharge_lps,wet", 1))
    try:
        said = replay(archive, out, code=1)
    finally:
        broken.write_text(whole)
    assert "2 kahrizes, 1 done before" in said
    assert "not done: other" in said
    assert "expected an ISO time and a number" in said
    assert (out / "dry.csv").exists()
    assert not (out / "other.csv").exists()
    assert (out / "leaking.csv").read_text() == "done before"
    assert "1 kahrizes, 2 done before" in replay(archive, out)


def test_an_empty_archive_is_said(tmp_path: Path) -> None:
    assert "no folder with a site.toml" in replay(tmp_path, tmp_path / "out", code=1)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three workers, of which each test kills one: none has to wait until one is started anew."""
    dask, distributed = (pytest.importorskip(name) for name in ("dask", "distributed"))
    options = {"n_workers": 3, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    patient = {f"distributed.comm.timeouts.{name}": "120s" for name in ("connect", "tcp")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many, "JOIN_S", 120)
        with (
            dask.config.set(patient),
            distributed.LocalCluster(host="127.0.0.1", silence_logs=50, **options) as running,
        ):
            yield running


def killing_a_worker(cluster: Any, work: Iterator[many.Done]) -> list[many.Done]:
    """What becomes of the work when a worker dies as the first of it is ready, the rest not."""
    found = []
    for done in work:
        if not found:
            alive = [w for w in cluster.workers.values() if w.process and w.process.pid]
            known = cluster.scheduler.workers
            busy = [w for w in alive if w.worker_address in known]
            busy.sort(key=lambda w: len(known[w.worker_address].processing))
            os.kill(busy[-1].process.pid, signal.SIGKILL)
        found.append(done)
    return found


@pytest.fixture(scope="module")
def several(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    for n in range(5):
        shutil.copytree(archive / "leaking", folder / f"kahriz-{n:02}")
    return folder


def test_a_cluster_finishes_though_a_worker_is_killed_in_the_middle(
    cluster: Any, archive: Path, several: Path, tmp_path: Path
) -> None:
    alone = archives.replay_one(archive / "leaking", tmp_path)
    assert alone.error == ""
    folders = archives.kahrizes(several)
    address = cluster.scheduler_address
    found = killing_a_worker(
        cluster, archives.replay_all(folders, tmp_path / "out", cluster=address)
    )
    assert sorted(done.name for done in found) == [folder.name for folder in folders]
    assert [done.error for done in found if done.error] == []
    tables = [path.read_text() for path in (tmp_path / "out").glob("*.csv")]
    assert tables == [(tmp_path / "leaking.csv").read_text()] * 5


def test_reports_come_from_the_same_cluster_though_a_worker_is_killed(
    cluster: Any, several: Path, tmp_path: Path
) -> None:
    pytest.importorskip("typst")
    folders = reports.stores(several)
    found = killing_a_worker(
        cluster,
        reports.report_all(folders, tmp_path, "2025-11", "az", cluster=cluster.scheduler_address),
    )
    assert sorted(done.name for done in found) == [folder.name for folder in folders]
    assert [done.error for done in found if done.error] == []
    pages = sorted(tmp_path.iterdir())
    assert [page.name for page in pages] == [f"kahriz-{n:02}-2025-11-az.pdf" for n in range(5)]
    assert all(page.read_bytes().startswith(b"%PDF-") for page in pages)


def test_a_cluster_that_is_not_there_is_said(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(many, "JOIN_S", 0.5)
    said = replay(archive, tmp_path / "out", "--cluster", "tcp://127.0.0.1:9", code=1)
    assert "tcp://127.0.0.1:9" in said


def test_reports_here_name_what_cannot_be_and_go_on_with_what_is_not_done(
    archive: Path, tmp_path: Path
) -> None:
    pytest.importorskip("typst")
    several = tmp_path / "several"
    for name in ("good", "torn"):
        shutil.copytree(archive / "dry", several / name)
    (several / "torn" / "village.db").write_bytes(b"half a page" * 500)
    (several / "empty").mkdir()
    given = ["reports", str(several), "--out", str(tmp_path / "out"), "--month", "2025-11"]
    said = CliRunner().invoke(server, [*given, "--lang", "ru", "--jobs", "2"])
    assert said.exit_code == 1
    assert "2 kahrizes, 0 done before" in said.output
    assert "good: good-2025-11-ru.pdf" in said.output
    assert "torn: " in said.output
    assert "is damaged" in said.output
    assert "not done: torn" in said.output
    again = CliRunner().invoke(server, [*given, "--lang", "ru"])
    assert "1 kahrizes, 1 done before" in again.output


RATING = """
[[rating]]
point = "%s"
from = 2025-11-24T00:00:00+00:00
author = "R. Quliyev"
structure = { kind = "v_notch", angle_deg = 90 }
"""
NOTCH = VNotch(angle_deg=90)


@cache
def stage_m(lps: float) -> float:
    """Of the notch, by halving."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if NOTCH.free_flow_m3s(middle) * 1000 < lps else (low, middle)
    return low


def hidden_leak() -> Iterator[list[str]]:
    """The two lower weirs lose 3 L/s, and a wrong rating gave them back: only stages tell."""
    for k in range(DAYS * 288):
        moment, lost = text_of(T0 + k * STEP_MS), 3.0 if k > 3.5 * 288 else 0.0
        for point, lps, gone in (("inlet", 11.0, lost), ("middle", 11.5, lost), ("outlet", 12, 0)):
            recorded = lps + 0.01 * (k % 3)
            yield [moment, point, "discharge_lps", f"{recorded:.3f}", "1"]
            yield [moment, point, "stage_m", f"{stage_m(round(recorded - gone, 3)):.5f}", "1"]


def test_other_ratings_change_what_is_found_and_only_where_they_stand(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    for name in ("rated", "own"):
        folder = archive / name
        folder.mkdir(parents=True)
        (folder / "site.toml").write_text((SITE / "site.toml").read_text(encoding="utf-8"))
        with (folder / "readings.csv").open("w", newline="") as out:
            head = ["time", "sensor", "quantity", "value", "q"]
            csv.writer(out).writerows([head, *hidden_leak()])
    (archive / "rated" / "new.toml").write_text(RATING % "middle" + RATING % "inlet")
    said = replay(archive, tmp_path / "out", "--ratings", "new.toml")
    assert "other ratings" in said
    assert "its own ratings" in said
    assert ",leak,upper" in (tmp_path / "out" / "rated.csv").read_text()
    assert ",leak,upper" not in (tmp_path / "out" / "own.csv").read_text()
    assert "has a file old.toml" in replay(archive, tmp_path / "o", "--ratings", "old.toml", code=1)


@pytest.mark.parametrize(
    ("ratings", "complaint"),
    [
        (RATING % "nowhere", "one of"),
        ("[[rating]\n", "expected TOML ("),
        ("", "at least one [[rating]]"),
        (RATING % "middle", "a discharge and no stage_m in the readings"),
    ],
)
def test_ratings_that_cannot_serve_are_refused(
    archive: Path, tmp_path: Path, ratings: str, complaint: str
) -> None:
    """The archive has discharges alone: without their stages a rating has nothing to work on."""
    (tmp_path / "other.toml").write_text(ratings)
    place = archive / "dry"
    given = ["--site", str(place / "site.toml"), "--readings", str(place / "readings.csv")]
    alarms = tmp_path / "alarms.csv"
    said = CliRunner().invoke(
        replay_command,
        [*given, "--alarms", str(alarms), "--ratings", str(tmp_path / "other.toml")],
    )
    assert said.exit_code == 1
    assert complaint in said.output
    assert not alarms.exists()
