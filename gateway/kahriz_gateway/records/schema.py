# SPDX-License-Identifier: MIT
"""A later step of village.db: zeros calibrated at two depths; numbers that were approved."""

TWO_DEPTHS = """
ALTER TABLE zero ADD COLUMN span_m REAL;
ALTER TABLE zero ADD COLUMN u_span_m REAL;
ALTER TABLE zero ADD COLUMN pivot_ma REAL;
"""

APPROVALS = """
-- who has reviewed the numbers of a point before `until_ms`; the newest one of a point holds
CREATE TABLE approval(point TEXT NOT NULL, at INTEGER NOT NULL, until_ms INTEGER NOT NULL,
    who TEXT NOT NULL, note TEXT NOT NULL DEFAULT '', PRIMARY KEY(point, at)) WITHOUT ROWID;
-- what has changed since it was approved; at: that approval's
CREATE TABLE revised(point TEXT NOT NULL, quantity TEXT NOT NULL, ts INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY(point, quantity, ts)) WITHOUT ROWID;
CREATE VIEW holds AS SELECT point, max(at) AS at, until_ms FROM approval GROUP BY point;
"""

# Put on with the first approval: a village without one pays nothing for each value.
_REVISED = """CREATE TRIGGER IF NOT EXISTS approved_{what} AFTER {what} ON value
    WHEN {row}.ts < (SELECT until_ms FROM approval WHERE point={row}.point ORDER BY at DESC LIMIT 1)
BEGIN
    INSERT INTO revised SELECT {row}.point, {row}.quantity, {row}.ts, at FROM holds
        WHERE point={row}.point ON CONFLICT DO UPDATE SET at=excluded.at;
END"""
REVISIONS = tuple(
    _REVISED.format(what=what, row=row)
    for what, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
)
