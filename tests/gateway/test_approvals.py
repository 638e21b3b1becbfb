# SPDX-License-Identifier: MIT
"""Provisional, approved, revised: who answers for which numbers, in store and exports."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kahriz_gateway.cli import gateway
from kahriz_gateway.committee import person
from kahriz_gateway.export import cli, provenance, read_back, values
from kahriz_gateway.export.provenance import Span, ms
from kahriz_gateway.export.table_file import read_table, write_table
from kahriz_gateway.intake.store import StoreError
from kahriz_gateway.outputs.csv_files import zone_of
from kahriz_gateway.records import records as records_toml
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.approvals import Approval, revised, standing
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import parse_plan
from kahriz_water.value import Value

SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
PLAN = parse_plan((SITE / "site.toml").read_text(encoding="utf-8"))
ZONE = zone_of(PLAN)
DAY = 86_400_000
T0 = ms("2026-05-01T00:00:00+04:00")
ALL = Span(0, T0 + 1000 * DAY)


def value(ts: int, lps: float, point: str = "outlet", name: str = "discharge_lps") -> Value:
    return Value(point, name, ts, lps, 0.5, 1, 0.01)


class Office:
    """A store of five days, and the commands over it at the tenth."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conn = village_store.open_village(folder / "village.db")
        self.clock = folder / "clock"
        self.now(10)
        self.put(*(value(T0 + k * 300_000, 10.0) for k in range(5 * 288)))

    def now(self, day: float) -> None:
        self.clock.write_bytes(struct.pack("<q", T0 + int(day * DAY)))

    def put(self, *found: Value) -> None:
        with village_store.transaction(self.conn):
            village_store.put_values(self.conn, list(found))

    def approve(self, *options: str, code: int = 0) -> str:
        return self.run(gateway, "approve", *options, "--clock-file", str(self.clock), code=code)

    def run(self, group: object, *arguments: str, code: int = 0) -> str:
        place = ("--config", str(SITE / "site.toml"), "--data", str(self.folder))
        said = CliRunner().invoke(group, [*arguments, *place])  # type: ignore[arg-type]
        assert said.exit_code == code, said.output
        return said.output

    def export(self, what: str) -> tuple[list[str], list[dict[str, str]]]:
        """The head and the rows of a table."""
        out = self.folder / "out.csv"
        out.unlink(missing_ok=True)
        self.run(cli.export, what, "--out", str(out), "--from", "2026-05-01", "--to", "2026-05-06")
        head = [x for x in out.read_text(encoding="utf-8").splitlines() if x.startswith("#")]
        return head, list(read_table(out))

    def days(self) -> list[str]:
        return [row["approval"] for row in self.export("totals")[1]]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.conn.close()


def test_nothing_is_approved_until_somebody_does_and_then_before_that_day_alone(
    office: Office,
) -> None:
    assert "outlet: provisional; nobody" in office.approve()
    assert office.days() == ["provisional"] * 5
    said = office.approve("--until", "2026-05-04", "--by", "R. Quliyev", "--note", "weir cleaned")
    assert "outlet: approved before 2026-05-03T20:00+00:00 by R. Quliyev on 2026-05-10" in said
    assert office.days() == ["approved"] * 3 + ["provisional"] * 2
    head, rows = office.export("values")
    (line,) = (x for x in head if "approval of outlet" in x)
    assert 'before 2026-05-04T00:00:00+04:00 by "R. Quliyev"' in line
    assert {row["approval"] for row in rows if row["time"] < "2026-05-04"} == {"approved"}
    assert {row["approval"] for row in rows if row["time"] >= "2026-05-04"} == {"provisional"}


def test_what_comes_late_or_changes_is_revised_until_it_is_approved_anew(office: Office) -> None:
    office.approve("--until", "2026-05-04", "--by", "R. Quliyev")
    office.put(value(T0 + 300_000, 10.0))  # the same once more: nothing has changed
    assert office.days()[0] == "approved"
    office.put(value(T0 + 300_000, 11.0), value(T0 + DAY + 1000, 9.0), value(T0 + 4 * DAY, 3.0))
    assert office.days() == ["revised", "revised", "approved", "provisional", "provisional"]
    rows = office.export("values")[1]
    assert [row["value"] for row in rows if row["approval"] == "revised"] == ["11.0", "9.0"]
    assert "2 numbers have changed since" in office.approve()
    office.now(11)
    office.approve("--until", "2026-05-05", "--by", "A. Məmmədova")
    assert office.days() == ["approved"] * 4 + ["provisional"]


def test_a_number_that_was_taken_away_revises_its_day(office: Office) -> None:
    office.approve("--until", "2026-05-04", "--by", "R. Quliyev")
    village_store.delete_values(office.conn, ["outlet"], T0 + DAY + 300_000)
    assert office.days() == ["approved", "revised", "approved", "provisional", "provisional"]


def test_an_earlier_day_takes_back_what_was_approved_too_soon(office: Office) -> None:
    office.approve("--until", "2026-05-04", "--by", "R. Quliyev")
    office.now(10.5)
    office.approve("--until", "2026-05-02", "--by", "R. Quliyev", "--point", "outlet")
    assert office.days() == ["approved"] + ["provisional"] * 4
    held = standing(office.conn, "middle").held
    assert held is not None
    assert held.until_ms == T0 + 3 * DAY


def test_what_cannot_be_approved_is_said_in_one_line(office: Office) -> None:
    assert "--by: expected who answers" in office.approve("--until", "2026-05-02", code=3)
    said = office.approve("--until", "2026-06-02", "--by", "R. Quliyev", code=3)
    assert "a day that is over" in said
    assert "one of outlet" in office.approve("--point", "x", code=3)
    assert records_store.rows(office.conn, "approval") == []


def test_an_approval_is_a_record_that_comes_back_from_toml_and_can_forget_its_name(
    office: Office, tmp_path: Path
) -> None:
    office.approve("--until", "2026-05-04", "--by", "Rəşad Quliyev", "--note", 'a "note"')
    text = records_toml.export_records(office.conn)
    (tmp_path / "records.toml").write_text(text, encoding="utf-8")
    with contextlib.closing(village_store.open_village(tmp_path / "other.db")) as copy:
        records_toml.import_records(copy, tmp_path / "records.toml", PLAN)
        both = [records_store.rows(c, "approval") for c in (office.conn, copy)]
    assert both[0] == both[1] != []
    person.forget(tmp_path, person.Person("rashad", ("Rəşad Quliyev",)))
    assert {row["who"] for row in records_store.rows(office.conn, "approval")} == {"–"}


points, names = st.sampled_from(["outlet", "middle"]), st.sampled_from(["discharge_lps", "c"])
moments = st.integers(T0, T0 + 5 * DAY)
some = st.builds(
    Value, points, names, moments, st.floats(0, 50), st.none() | st.floats(0, 1),
    st.sampled_from([1, 3, 4]), st.none() | st.floats(0, 1), st.booleans(),
)  # fmt: skip
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8)
approvals = st.builds(Approval, points, moments, moments, words.map(lambda w: w + "x"), words)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(some, max_size=8) | approvals, max_size=6))
def test_export_and_import_keep_every_approval_and_every_revision(
    tmp_path_factory: pytest.TempPathFactory, history: list[list[Value] | Approval]
) -> None:
    folder = tmp_path_factory.mktemp("approved")
    with contextlib.closing(village_store.open_village(folder / "village.db")) as conn:
        for each in history:
            with village_store.transaction(conn):
                if isinstance(each, Approval):
                    records_store.put_approvals(conn, [each])
                else:
                    village_store.put_values(conn, each)
        head = provenance.head_of(conn, PLAN, ZONE, ALL, "all")

        def rows(last: list[str] | None) -> Iterator[values.Row]:
            return values.long_rows(conn, ALL, ZONE, last)

        write_table(folder / "all.csv", head, values.LONG, rows)
        before = told(conn, folder / "all.csv")
        approved = records_store.rows(conn, "approval")
    read_back.read_back(folder / "all.csv", folder / "copy")
    with contextlib.closing(village_store.open_village(folder / "copy" / "village.db")) as copy:
        assert records_store.rows(copy, "approval") == approved
        write_table(
            folder / "again.csv",
            head,
            values.LONG,
            lambda _: values.long_rows(copy, ALL, ZONE, None),
        )
        assert told(copy, folder / "again.csv") == before


def told(conn: sqlite3.Connection, path: Path) -> list[dict[str, str]]:
    return list(read_table(path))


def test_a_table_with_revised_numbers_and_no_approval_is_refused(office: Office) -> None:
    office.approve("--until", "2026-05-04", "--by", "R. Quliyev")
    office.put(value(T0 + 300_000, 11.0))
    assert revised(office.conn, "outlet") != []
    office.export("values")
    out = office.folder / "out.csv"
    kept = [x for x in out.read_text().splitlines(True) if "approval of outlet" not in x]
    out.write_text("".join(kept))
    with pytest.raises(StoreError, match="no approval in its head"):
        read_back.read_back(out, office.folder / "copy")
    with contextlib.closing(village_store.open_village(office.folder / "copy/village.db")) as copy:
        assert copy.execute("SELECT count(*) FROM value").fetchone()[0] == 0
