# SPDX-License-Identifier: MIT
"""The InfluxQL of every panel. One language for InfluxDB 1.x, 2.x and 3, and no policy named.

InfluxDB merges the fields of a point that is written again, so an old number stays where a new
interpretation has none. Every query on `water` therefore filters the row's flag and the
quantity's own (`q`, `<quantity>_q`); the lint refuses one that does not.
Alarms and last words are looked for over HISTORY_DAYS, however narrow the panel's span is: what
was raised before it and is still open, or has been silent ever since, must not vanish from sight.
"""
# ruff: noqa: S608 - InfluxQL has no placeholders; every part here is our own constant

from kahriz_server.thresholds import HISTORY_DAYS

FAIL = 4  # QARTOD: this flag and above are not shown
SITE = '"site" =~ /^${site:regex}$/'
POINT = '"point" =~ /^${point:regex}$/'
EACH_INTERVAL = "GROUP BY time($__interval)"
MEASURED_TURN = f'"q" < {FAIL}'  # neither withdrawn by a correction nor without a reading
DAY = "GROUP BY time(1d)"
TIMEZONE = "Asia/Baku"
HISTORY = f"time >= ${{__to}}ms - {HISTORY_DAYS}d AND time <= ${{__to}}ms"
GATEWAY = "\"node\" = 'gateway'"
NODES = "\"node\" <> 'gateway'"


def good(quantity: str) -> str:
    """The condition under which a quantity may be shown."""
    return f'"q" < {FAIL} AND "{quantity}_q" < {FAIL}'


def series(quantity: str, what: str = "mean", field: str = "") -> str:
    """A quantity over time, one series a point; `field` when the number stands elsewhere."""
    return (
        f'SELECT {what}("{field or quantity}") FROM "water" WHERE {SITE} AND {POINT} '
        f'AND {good(quantity)} AND $timeFilter {EACH_INTERVAL}, "point" fill(none)'
    )


def band(sign: str) -> str:
    """Discharge plus or minus its expanded uncertainty."""
    return (
        f'SELECT mean("discharge_lps") {sign} mean("discharge_u_lps") FROM "water" WHERE {SITE} '
        f"AND {POINT} AND {good('discharge_lps')} AND $timeFilter "
        f'{EACH_INTERVAL}, "point" fill(none)'
    )


def latest(quantity: str) -> str:
    """The newest good value of each point."""
    return (
        f'SELECT last("{quantity}") FROM "water" WHERE {SITE} AND {POINT} '
        f'AND {good(quantity)} AND $timeFilter GROUP BY "point"'
    )


def per_day_m3(quantity: str) -> str:
    """Cubic metres a calendar day: the day's mean over 24 hours.

    Not integral(): InfluxDB 1.6.7 leaves the last day of a series out of one answer in three.
    """
    return (
        f'SELECT mean("{quantity}") * 86.4 FROM "water" WHERE {SITE} AND {POINT} '
        f"AND {good(quantity)} AND $timeFilter {DAY}, \"point\" fill(none) tz('{TIMEZONE}')"
    )


def turns_per_day() -> str:
    """m³ of each plot by the day on which its turns began."""
    return (
        f'SELECT sum("m3") FROM "turn" WHERE {SITE} AND {MEASURED_TURN} AND $timeFilter '
        f"{DAY}, \"plot\" fill(none) tz('{TIMEZONE}')"
    )


def turn_list() -> str:
    """The newest turns, each with its m³ and how much of its time was measured."""
    return (
        'SELECT "plot", "m3", "u_m3", "minutes", "coverage" FROM "turn" '
        f"WHERE {SITE} AND {MEASURED_TURN} AND $timeFilter ORDER BY time DESC LIMIT 200"
    )


def loss(upper: str, lower: str) -> str:
    """Discharge at the upper end of a reach minus discharge at its lower end."""

    def one(point: str, name: str) -> str:
        return (
            f'(SELECT "discharge_lps" AS "{name}" FROM "water" WHERE {SITE} '
            f"AND \"point\" = '{point}' AND {good('discharge_lps')} AND $timeFilter)"
        )

    return (
        f'SELECT mean("above") - mean("below") FROM {one(upper, "above")}, {one(lower, "below")} '
        f"WHERE $timeFilter {EACH_INTERVAL} fill(none)"
    )


def flags(quantity: str) -> str:
    """The worst flag of a quantity in each interval: of what is shown and of what is not."""
    return (
        f'SELECT max("{quantity}_q") FROM "water" WHERE {SITE} AND {POINT} AND $timeFilter '
        f'{EACH_INTERVAL}, "point" fill(none)'
    )


def health(field: str) -> str:
    """A figure of each node over time."""
    return (
        f'SELECT last("{field}") FROM "node_health" WHERE {SITE} AND {NODES} AND $timeFilter '
        f'{EACH_INTERVAL}, "site", "node" fill(none)'
    )


def health_now(*fields: str) -> str:
    """The newest figures of each node; of one figure also the moment at which it was said."""
    asked = ", ".join(f'last("{field}") AS "{field}"' for field in fields)
    return (
        f'SELECT {asked} FROM "node_health" WHERE {SITE} AND {NODES} AND {HISTORY} '
        'GROUP BY "site", "node"'
    )


def starts() -> str:
    """How often each node has started within the span."""
    return (
        f'SELECT spread("boot") FROM "node_health" WHERE {SITE} AND {NODES} AND $timeFilter '
        'GROUP BY "site", "node"'
    )


def unaccounted() -> str:
    """Readings that were measured and are neither stored nor missing nor closed as lost: none."""
    rest = " - ".join(
        f'last("{name}")' for name in ("measured_rows", "stored_rows", "backlog_rows", "lost_rows")
    )
    return (
        f'SELECT {rest} AS "rows" FROM "node_health" WHERE {SITE} AND {NODES} AND {HISTORY} '
        'GROUP BY "site", "node"'
    )


def of_gateway(field: str) -> str:
    """A figure of each gateway over time."""
    return (
        f'SELECT last("{field}") FROM "node_health" WHERE {SITE} AND {GATEWAY} AND $timeFilter '
        f'{EACH_INTERVAL}, "site" fill(none)'
    )


def of_gateway_now(**fields: str) -> str:
    """The newest figures of each gateway, under other names."""
    asked = ", ".join(f'last("{field}") AS "{name}"' for name, field in fields.items())
    return (
        f'SELECT {asked} FROM "node_health" WHERE {SITE} AND {GATEWAY} AND {HISTORY} '
        'GROUP BY "site"'
    )


def flow_of_sites() -> str:
    """The largest discharge among the points of each kahriz, the newest value of each point."""
    return (
        'SELECT max("newest") AS "flow" FROM (SELECT last("discharge_lps") AS "newest" '
        f'FROM "water" WHERE {SITE} AND {good("discharge_lps")} AND $timeFilter '
        'GROUP BY "site", "point") WHERE $timeFilter GROUP BY "site"'
    )


def change_of_sites() -> str:
    """Percent between the first and the last day of the span, of that largest discharge.

    Only those two days are read: all days of a year of twenty kahrizes took 18 s.
    """

    def day(name: str, condition: str) -> str:
        return (
            f'(SELECT max("mean") AS "{name}" FROM (SELECT mean("discharge_lps") AS "mean" '
            f'FROM "water" WHERE {SITE} AND {good("discharge_lps")} AND {condition} '
            'GROUP BY "site", "point") GROUP BY "site")'
        )

    first = day("first", "time >= ${__from}ms AND time < ${__from}ms + 1d")
    last = day("last", "time > ${__to}ms - 1d AND time <= ${__to}ms")
    return (
        'SELECT (last("last") / last("first") - 1) * 100 AS "change" '
        f"FROM {first}, {last} WHERE time >= ${{__from}}ms - 1d AND time <= ${{__to}}ms "
        'GROUP BY "site"'
    )


def _alarms_now(*fields: str) -> str:
    """The newest state of every alarm; names of the fields are kept."""
    asked = ", ".join(f'last("{field}") AS "{field}"' for field in fields)
    return (
        f'SELECT {asked} FROM "alarm" WHERE {SITE} AND {HISTORY} '
        'GROUP BY "site", "kind", "place", "alarm"'
    )


def open_alarms(by: str) -> str:
    """How many alarms are open now, by a tag: one that was raised long ago counts too."""
    return (
        f'SELECT sum("active") AS "open" FROM ({_alarms_now("active")}) '
        f'WHERE {HISTORY} GROUP BY "{by}"'
    )


def alarm_list() -> str:
    """Every alarm once, as it stands now."""
    return _alarms_now("active", "raised_ms", "lps", "m3", "open_s", "repair_s")


def mean_repair() -> str:
    """Mean time from raised to reported fixed, by kind."""
    return (
        f'SELECT mean("repair_s") FROM ({_alarms_now("repair_s")}) WHERE {HISTORY} GROUP BY "kind"'
    )


def water_lost() -> str:
    """Cubic metres that the alarms of each kahriz have cost."""
    return f'SELECT sum("m3") FROM ({_alarms_now("m3")}) WHERE {HISTORY} GROUP BY "site"'


def alarms() -> str:
    """Alarms as they opened and closed, newest first."""
    return (
        'SELECT "kind", "place", "active", "lps", "m3" FROM "alarm" '
        f"WHERE {SITE} AND $timeFilter ORDER BY time DESC LIMIT 200"
    )


def dead_man(hours: int) -> str:
    """Words of each gateway, over a window that slides; 0 for one that spoke in the week only."""
    return (
        f'SELECT moving_average(count("heard_ms"), {hours}) FROM "node_health" WHERE {GATEWAY} '
        'AND $timeFilter GROUP BY time(1h), "site" fill(0)'
    )


def leaks_open() -> str:
    """1 for each leak that is open, 0 for each that is over."""
    return (
        'SELECT last("active") FROM "alarm" WHERE "kind" = \'leak\' AND $timeFilter '
        'GROUP BY "site", "place", "alarm"'
    )


def alarm_marks(kind: str) -> str:
    """Moments at which alarms of a kind were raised, for marks on the charts."""
    return (
        'SELECT "kind", "place", "lps" FROM "alarm" '
        f'WHERE {SITE} AND "kind" = \'{kind}\' AND "active" = 1 AND $timeFilter'
    )


def sites() -> str:
    return 'SHOW TAG VALUES FROM "water" WITH KEY = "site"'


def points() -> str:
    return f'SHOW TAG VALUES FROM "water" WITH KEY = "point" WHERE {SITE}'
