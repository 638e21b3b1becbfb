# SPDX-License-Identifier: MIT
"""The comparison of uploads: only the pinned archive is run, and ours stands without it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from scripts import bench_upload
from scripts.bench_report import Figure, Report, added

PAPER = """\
# Speed

Load average: 1.

| what | median | spread | goal |  |
| --- | --- | --- | --- | --- |
| first | 1 s | one run |  |  |
| second | 2 s | one run |  |  |

## How to read it
"""


def test_an_archive_with_another_sum_is_refused_and_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / f"{bench_upload.NAME}.tar.gz").write_bytes(b"somebody else's")
    with pytest.raises(RuntimeError, match=r"has the sum .*, not b6a2520239e3"):
        bench_upload.fetched(tmp_path)
    assert not (tmp_path / bench_upload.NAME).exists()


@pytest.mark.needs("mosquitto")
def test_without_the_archive_ours_is_measured_and_the_other_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and nobody listens there
        monkeypatch.setattr(bench_upload, "URL", f"http://127.0.0.1:{deaf.getsockname()[1]}/")
        report = Report()
        bench_upload.uploads(report, tmp_path, 2)
    (told,) = report.left_out
    assert told.startswith("umqtt.simple: micropython-umqtt.simple-1.3.4 could not be fetched")
    (ours,) = report.figures
    assert len(ours.values) == 2
    assert all(
        value > 2.9 * bench_upload.ROUND_MS for value in ours.values
    )  # TCP, receipt, parting


def test_a_later_run_replaces_its_rows_and_adds_the_others() -> None:
    report = Report([Figure("first", [3.0], "s"), Figure("third", [4.0], "s")])
    once = added(PAPER, report, "make bench", "2")
    assert once.splitlines()[6:11] == [
        "| what | median | spread | goal |  |",
        "| --- | --- | --- | --- | --- |",
        "| first | 3 s | one run |  |  |",
        "| second | 2 s | one run |  |  |",
        "| third | 4 s | one run |  |  |",
    ]
    assert "`make bench` added rows: load average before and after 2." in once
    assert added(once, report, "make bench", "2") == once
