# SPDX-License-Identifier: MIT
"""Records in the store: in and out as TOML, refused in words; the store from its first schema."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kahriz_gateway.records import records
from kahriz_gateway.records import store as records_store
from kahriz_gateway.village import store as village_store
from kahriz_water.strict import ConfigError
from kahriz_water.value import Value

from .waters import SITE, Waters

ALL = """
[[deployment]]
node = "outlet"
channel = "tail"
point = "outlet"
from = 2026-05-01T09:00:00+04:00
zero_m = 0.9
role = "tail"
note = 'he said "so"'

[[zero]]
node = "outlet"
channel = "weir"
from = 2026-05-01T09:00:00+04:00
zero_m = 0.803
u_m = 0.001
who = "R. Quliyev"

[[rating]]
point = "outlet"
from = 2026-05-01T09:00:00+04:00
to = 2026-07-01T00:00:00+04:00
author = "R. Quliyev"
gaugings = ["2026-04-28 bucket", "2026-04-29 pool"]
[rating.structure]
kind = "rating_table"
rows = [[0.06, 1.31], [0.11, 5.6]]
u_percent = 6.0
author = "R. Quliyev"
gaugings = ["2026-04-28 bucket"]

[[staff]]
point = "outlet"
at = 2026-05-01T09:05:00+04:00
staff_m = 0.152
who = "Ş. Əliyeva"
photo = "photos/1.jpg"

[[gauging]]
point = "outlet"
at = 2026-04-28T10:00:00+04:00
method = "bucket"
who = "R. Quliyev"
stage_m = 0.071
device_lps = 1.95
runs = [{ litres = 20, seconds = 10.3 }, { litres = 20, seconds = 10.1 }]
"""


@pytest.fixture
def waters(tmp_path: Path) -> Waters:
    return Waters(tmp_path)


def test_records_come_out_as_they_went_in(waters: Waters, tmp_path: Path) -> None:
    assert waters.import_(ALL) == 5
    assert waters.import_(ALL) == 0, "twice is once"
    text = records.export_records(waters.conn)
    other = village_store.open_village(tmp_path / "other.db")
    (tmp_path / "all.toml").write_text(text, encoding="utf-8")
    records.import_records(other, tmp_path / "all.toml", waters.plan)
    assert records.export_records(other) == text
    assert records_store.load(other) == records_store.load(waters.conn)
    assert records_store.gaugings(other) == records_store.gaugings(waters.conn)
    loaded = records_store.load(other)
    assert loaded.ratings[0].structure.free_flow_m3s(0.11) * 1000 == pytest.approx(5.6)
    assert loaded.staff[0].who == "Ş. Əliyeva"
    assert {d.role for d in loaded.deployments if d.channel == "tail"} == {"tail"}


@pytest.mark.parametrize(
    ("was", "becomes", "word"),
    [
        ('point = "outlet"\nat = 2026-05', 'point = "sea"\nat = 2026-05', "one of outlet"),
        ("from = 2026-05-01T09:00:00+04:00\nto", "from = 2026-05-01T09:00:00\nto", "moment"),
        ("to = 2026-07", "to = 2026-01", "after `from`"),
        ("staff_m = 0.152", "staff_cm = 15.2", "staff_m"),
        ("[0.11, 5.6]", "[0.11, 0.6]", "rising"),
        ("litres = 20, seconds = 10.3", "litres = 20", r"runs\[1\].seconds"),
        ('role = "tail"', 'role = "tale"', "head, tail"),
        ('who = "R. Quliyev"\n\n[[rating]]', "\n[[rating]]", "who"),
    ],
)
def test_a_record_that_cannot_be_meant_is_refused_and_nothing_is_stored(
    waters: Waters, was: str, becomes: str, word: str
) -> None:
    before = records.export_records(waters.conn)
    assert was in ALL
    with pytest.raises(ConfigError, match=word):
        waters.import_(ALL.replace(was, becomes, 1))
    assert records.export_records(waters.conn) == before


def test_a_store_of_the_first_schema_is_brought_forward_with_what_it_holds(
    tmp_path: Path,
) -> None:
    path = tmp_path / "village.db"
    old = sqlite3.connect(path, isolation_level=None)
    assert village_store.migrate(old, path, village_store.MIGRATIONS[:1]) == 1
    old.execute("INSERT INTO value VALUES('outlet','discharge_lps',1000,12.1,0.8,1)")
    old.execute(
        "INSERT INTO deployment VALUES('outlet','weir','outlet',0,NULL,0.8,NULL,'fixed','')"
    )
    old.close()
    conn = village_store.open_village(path)
    last = village_store.last_value(conn, "outlet", "discharge_lps")
    assert last == Value("outlet", "discharge_lps", 1000, 12.1, 0.8, 1, None, False)
    assert records_store.deployments(conn)[0].role == "head"
    assert records_store.gaugings(conn) == []
    conn.close()


def test_the_demo_site_has_records_that_read(waters: Waters) -> None:
    text = (SITE / "records.toml").read_text(encoding="utf-8")
    assert len(records.parse_records(text, waters.plan)) == 10
