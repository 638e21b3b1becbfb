# SPDX-License-Identifier: MIT
"""History once more over an archive: the same alarms as one by one, whatever breaks beside them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_detect.replay.cli import replay_command
from kahriz_gateway.export import cli as export_cli
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.store import Value
from kahriz_server import archive as archives
from kahriz_server.cli import server

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
    broken.write_text(whole[:-4].replace("discharge_lps,11.0", "discharge_lps,wet", 1))
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


def test_a_cluster_finishes_though_a_worker_is_killed_in_the_middle(
    archive: Path, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    many = tmp_path / "many"
    for n in range(6):
        shutil.copytree(archive / "leaking", many / f"kahriz-{n:02}")
    single = tmp_path / "single"
    replay(archive, single, "--jobs", "1")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(host="127.0.0.1", silence_logs=50, **options) as cluster:
        folders = archives.kahrizes(many)
        address = cluster.scheduler_address
        found = []
        for done in archives.replay_all(folders, tmp_path / "out", cluster=address):
            if not found:  # the first one is ready, the others are not
                os.kill(cluster.workers[0].process.pid, signal.SIGKILL)
            found.append(done)
    assert sorted(done.name for done in found) == [folder.name for folder in folders]
    assert [done.error for done in found if done.error] == []
    tables = {path.read_text() for path in (tmp_path / "out").glob("*.csv")}
    assert tables == {(single / "leaking.csv").read_text()}


def test_a_cluster_that_is_not_there_is_said(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(archives, "JOIN_S", 0.5)
    said = replay(archive, tmp_path / "out", "--cluster", "tcp://127.0.0.1:9", code=1)
    assert "tcp://127.0.0.1:9" in said
