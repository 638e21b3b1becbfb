# SPDX-License-Identifier: MIT
"""The InfluxQL of every panel. One language for InfluxDB 1.x, 2.x and 3, and no policy named.

InfluxDB merges the fields of a point that is written again, so an old number stays where a new
interpretation has none. Every query on `water` therefore filters the row's flag and the
quantity's own (`q`, `<quantity>_q`); the lint refuses one that does not.
"""
# ruff: noqa: S608 - InfluxQL has no placeholders; every part here is our own constant

FAIL = 4  # QARTOD: this flag and above are not shown
SITE = '"site" =~ /^${site:regex}$/'
POINT = '"point" =~ /^${point:regex}$/'
EACH_INTERVAL = "GROUP BY time($__interval)"
DAY = "GROUP BY time(1d)"
TIMEZONE = "Asia/Baku"


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
    """Cubic metres a calendar day, from litres a second."""
    return (
        f'SELECT integral("{quantity}", 1s) / 1000 FROM "water" WHERE {SITE} AND {POINT} '
        f"AND {good(quantity)} AND $timeFilter {DAY}, \"point\" fill(none) tz('{TIMEZONE}')"
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


def health(field: str) -> str:
    """A figure of each node over time."""
    return (
        f'SELECT last("{field}") FROM "node_health" WHERE {SITE} AND $timeFilter '
        f'{EACH_INTERVAL}, "node" fill(none)'
    )


def health_now(field: str) -> str:
    """The newest figure of each node, with the moment it was said."""
    return (
        f'SELECT last("{field}") AS "{field}" FROM "node_health" WHERE {SITE} '
        f'AND $timeFilter GROUP BY "node"'
    )


def alarms() -> str:
    """Alarms as they opened and closed, newest first."""
    return (
        'SELECT "kind", "place", "active", "lps", "m3" FROM "alarm" '
        f"WHERE {SITE} AND $timeFilter ORDER BY time DESC LIMIT 200"
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
