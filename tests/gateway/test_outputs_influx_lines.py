# SPDX-License-Identifier: MIT
"""Line protocol: floats only, a flag beside each number, nothing that InfluxDB would refuse."""

from kahriz_gateway.outputs.influx_lines import (
    AlarmMark,
    NodeHealth,
    alarm_lines,
    health_lines,
    line,
    water_lines,
)
from kahriz_gateway.village.store import Value

TS = 1764000000000


def one(*values: Value) -> str:
    (text,) = water_lines("gozlu", {"outlet": "outlet-1"}, values)
    return text


def test_a_moment_of_a_point_is_one_line_of_floats() -> None:
    text = one(
        Value("outlet", "stage_m", TS, 0.15, None, 1),
        Value("outlet", "discharge_lps", TS, 12, 0.4, 1),
    )
    assert text == (
        "water,node=outlet-1,point=outlet,site=gozlu "
        "stage_m=0.15,discharge_lps=12.0,discharge_u_lps=0.4,stage_m_q=1.0,discharge_lps_q=1.0,"
        "discharge_lt_lps_q=9.0,discharge_gt_lps_q=9.0,q=1.0 1764000000000"
    )


def test_a_failed_number_leaves_only_its_flag() -> None:
    text = one(
        Value("outlet", "c", TS, -9999.0, None, 4), Value("outlet", "stage_m", TS, 0.1, None, 1)
    )
    assert "9999" not in text
    assert "c_q=4.0" in text
    assert text.split()[1].endswith("q=1.0")


def test_a_bound_withdraws_the_number_that_may_stand_there() -> None:
    text = one(Value("outlet", "discharge_lt_lps", TS, 1.2, None, 3))
    assert "discharge_lt_lps=1.2" in text
    assert "discharge_lps_q=9.0" in text


def test_two_moments_and_two_points_are_lines_of_their_own() -> None:
    lines = list(
        water_lines(
            "s",
            {},
            [
                Value("a", "level_m", TS, 1.0, None, 1),
                Value("a", "level_m", TS + 1, 1.0, None, 1),
                Value("b", "level_m", TS, 1.0, None, 1),
            ],
        )
    )
    assert [text.rpartition(" ")[2] for text in lines] == [str(TS), str(TS + 1), str(TS)]
    assert "node=b,point=b" in lines[2]


def test_numbers_that_are_none_become_no_line() -> None:
    assert line("water", {"site": "s"}, {"v": float("nan"), "w": float("inf")}, TS) is None
    assert list(health_lines("s", [NodeHealth("n", TS, {})])) == []


def test_tags_of_any_language_are_escaped() -> None:
    text = line("water", {"site": "Vəli bəy, 2=\\"}, {"v": 1}, TS)
    assert text == "water,site=Vəli\\ bəy\\,\\ 2\\=/ v=1.0 1764000000000"


def test_an_alarm_opens_and_closes_on_one_series() -> None:
    opened, closed = alarm_lines(
        "s",
        [
            AlarmMark(7, "leak", "upper", TS, True, 2.1),
            AlarmMark(7, "leak", "upper", TS + 60_000, False, 2.0, 12.5),
        ],
    )
    assert opened == f"alarm,alarm=7,kind=leak,place=upper,site=s active=1.0,lps=2.1 {TS}"
    assert closed.endswith(f" active=0.0,lps=2.0,m3=12.5 {TS + 60_000}")
