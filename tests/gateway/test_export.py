# SPDX-License-Identifier: MIT
"""Exports: complete to the last digit, honest about gaps, and going on after a kill."""

from __future__ import annotations

import contextlib
import csv
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kahriz_gateway.export import cli, read_back, values
from kahriz_gateway.export.provenance import Span, ms
from kahriz_gateway.export.table_file import read_table, write_table
from kahriz_gateway.intake.store import StoreError
from kahriz_gateway.outputs.csv_files import zone_of
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import parse_plan
from kahriz_water.value import Value

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
PLAN = parse_plan((SITE / "site.toml").read_text(encoding="utf-8"))
ZONE = zone_of(PLAN)
DAY_MS = 86_400_000
T0 = ms("2026-05-01T00:00:00+04:00")
ALL = Span(0, 1 << 53)

numbers = st.floats(allow_nan=False, allow_infinity=False)
some = st.builds(
    Value,
    st.sampled_from(["outlet", "middle", "pool"]),
    st.sampled_from(["stage_m", "discharge_lps", "discharge_lt_lps", "c"]),
    st.integers(T0, T0 + 5 * DAY_MS),
    numbers,
    st.none() | numbers,
    st.sampled_from([1, 2, 3, 4, 9]),
    st.none() | numbers,
    st.booleans(),
)


def village(folder: Path, found: list[Value]) -> sqlite3.Connection:
    conn = village_store.open_village(folder / "village.db")
    with village_store.transaction(conn):
        village_store.put_values(conn, found)
    return conn


def stored(conn: sqlite3.Connection) -> list[tuple[object, ...]]:
    rows = conn.execute("SELECT * FROM value ORDER BY point, quantity, ts")
    return [tuple(row) for row in rows]


def long(conn: sqlite3.Connection, path: Path) -> Path:
    def rows(last: list[str] | None) -> Iterator[values.Row]:
        return values.long_rows(conn, ALL, ZONE, last)

    write_table(path, ["head"], values.LONG, rows)
    return path


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(some, max_size=30), st.data())
def test_export_and_import_into_an_empty_store_is_the_same_store_also_after_a_kill(
    tmp_path_factory: pytest.TempPathFactory, found: list[Value], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("export")
    with contextlib.closing(village(folder, found)) as conn:
        before = stored(conn)
        path = long(conn, folder / "all.csv")
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        zeros = data.draw(st.sampled_from([b"", bytes(4096)]))  # what a power cut leaves behind
        (folder / "all.csv.part").write_bytes(whole[:cut] + zeros)
        assert long(conn, path).read_bytes() == whole
    assert read_back.read_back(path, folder / "copy") == len(before)
    with contextlib.closing(village_store.open_village(folder / "copy" / "village.db")) as copy:
        assert stored(copy) == before


def day(point: str, k: int, hours: float, lps: float = 10.0) -> Iterator[Value]:
    """A day's first hours of discharge, every five minutes."""
    for ts in range(T0 + k * DAY_MS, T0 + k * DAY_MS + int(hours * 3_600_000), 300_000):
        yield Value(point, "discharge_lps", ts, lps, 0.5, 1, 0.01)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    found = [*day("outlet", 0, 24), *day("outlet", 1, 20), *day("outlet", 2, 18)]
    found.append(
        Value("outlet", "discharge_lt_lps", T0 + 2 * DAY_MS + 20 * 3_600_000, 0.9, None, 3)
    )
    found.append(Value("outlet", "stage_m", T0, 0.1234, 0.002, 4))
    village(tmp_path, found).close()
    return tmp_path


def run(site: Path, *arguments: str, code: int = 0, to: str = "2026-05-05") -> str:
    span = ("--from", "2026-05-01", "--to", to)
    place = ("--config", str(SITE / "site.toml"), "--data", str(site))
    said = CliRunner().invoke(cli.export, [*arguments, *place, *span])
    assert said.exit_code == code, said.output
    return said.output


def test_a_day_without_enough_readings_has_no_sum_but_its_completeness(site: Path) -> None:
    run(site, "totals", "--out", str(site / "days.csv"))
    rows = list(read_table(site / "days.csv"))
    assert [row["volume_m3"] for row in rows] == ["864.0", "720.0", "", ""]
    assert [row["completeness"] for row in rows] == ["1.000", "0.833", "0.759", "0.000"]
    assert rows[0]["start"] == "2026-05-01T00:00:00+04:00"
    run(site, "totals", "--a", "month", "--out", str(site / "m.csv"), to="2026-06-01")
    (month,) = read_table(site / "m.csv")
    assert (month["volume_m3"], month["start"]) == ("", "2026-05-01T00:00:00+04:00")


def test_the_head_says_where_it_comes_from_and_that_it_is_provisional(site: Path) -> None:
    run(site, "values", "--out", str(site / "long.csv"))
    head = [line for line in (site / "long.csv").read_text().splitlines() if line[0] == "#"]
    for word in ("banovshalar-gozlu", "Kahriz Monitor 0.", "QARTOD", "provisional", "v_notch"):
        assert any(word in line for line in head), word
    rows = list(read_table(site / "long.csv"))
    (bound,) = (row for row in rows if row["bound"])
    assert (bound["quantity"], bound["bound"], bound["value"]) == ("discharge_lt_lps", "<", "0.9")
    assert bound["time"] == "2026-05-03T20:00:00+04:00"
    assert all(datetime.fromisoformat(row["time"]).utcoffset() for row in rows)


def test_the_wide_table_leaves_out_what_failed_and_keeps_its_flag(site: Path) -> None:
    run(site, "values", "--form", "wide", "--out", str(site / "wide.csv"))
    first = next(read_table(site / "wide.csv"))
    assert (first["stage_m [m]"], first["stage_m q"]) == ("", "4")
    assert (first["discharge_lps [L/s]"], first["discharge_lps u [L/s]"]) == ("10.000", "0.500")


@pytest.mark.parametrize("what", [("values", "--form", "replay"), ("ratings",), ("visits",)])
def test_a_name_that_no_file_can_have_is_refused_in_one_line(
    site: Path, what: tuple[str, ...]
) -> None:
    assert run(site, *what, "--out", "", code=4) == "gateway: . is no file: give another --out\n"


def test_a_store_that_has_changed_meanwhile_begins_anew(site: Path) -> None:
    run(site, "values", "--out", str(site / "a.csv"))
    old = (site / "a.csv").read_bytes()
    (site / "a.csv.part").write_bytes(old[: len(old) // 2])
    village(site, [Value("outlet", "discharge_lps", T0, 11.0, 0.5, 1, 0.01)]).close()
    run(site, "values", "--out", str(site / "a.csv"))
    rows = [row for row in read_table(site / "a.csv") if row["quantity"] == "discharge_lps"]
    assert rows[0]["value"] == "11.0"


def test_ratings_and_visits_have_the_names_of_the_usgs_and_no_name_of_a_person(site: Path) -> None:
    run(site, "ratings", "--out", str(site / "ratings.csv"))
    rows = [r for r in read_table(site / "ratings.csv") if r["site_no"].endswith("/outlet")]
    assert all(float(a["DEP"]) < float(b["DEP"]) for a, b in pairwise(rows))
    with contextlib.closing(village_store.open_village(site / "village.db")) as conn:
        conn.execute(
            "INSERT INTO gauging VALUES('outlet',?,'bucket',?,'Rəşad Quliyev',0.07,1.95,'')",
            (T0, '[{"litres": 20, "seconds": 10.0}, {"litres": 20, "seconds": 10.2}]'),
        )
    run(site, "visits", "--out", str(site / "visits.csv"))
    (visit,) = read_table(site / "visits.csv")
    assert (visit["party_nm"], visit["gage_height_va"]) == ("RQ", "0.0700")
    assert float(visit["discharge_va"]) == pytest.approx(1.98, abs=0.01)
    assert "Quliyev" not in (site / "visits.csv").read_text(encoding="utf-8")


def test_bad_files_and_full_stores_end_in_one_clear_line(site: Path) -> None:
    run(site, "values", "--out", str(site / "long.csv"))
    text = (site / "long.csv").read_text()
    (site / "cut.csv").write_text(text[:-30])
    with pytest.raises(StoreError, match="has not all its columns"):
        read_back.read_back(site / "cut.csv", site / "copy")
    with contextlib.closing(village_store.open_village(site / "copy" / "village.db")) as conn:
        assert stored(conn) == []
    with pytest.raises(StoreError, match="values already"):
        read_back.read_back(site / "long.csv", site)
    (site / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StoreError, match="no long table"):
        read_back.read_back(site / "other.csv", site / "copy")
    said = run(site, "values", "--out", "/proc/no/long.csv", code=4)
    assert "gateway: cannot write" in said
    assert "is no file" in run(site, "values", "--out", "/dev/null", code=4)
    assert "--to: expected a day" in run(site, "values", "--out", "x.csv", code=3, to="May")
    assert "after --from" in run(site, "values", "--out", "x.csv", code=3, to="2026-05-01")


def test_a_spreadsheet_reads_the_file(site: Path) -> None:
    run(site, "values", "--form", "wide", "--out", str(site / "wide.csv"))
    lines = [x for x in (site / "wide.csv").read_text().splitlines() if not x.startswith("#")]
    assert len({len(row) for row in csv.reader(lines)}) == 1
