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
CREATE TRIGGER approved_new AFTER INSERT ON value
    WHEN NEW.ts < (SELECT until_ms FROM approval WHERE point=NEW.point ORDER BY at DESC LIMIT 1)
BEGIN
    INSERT INTO revised SELECT NEW.point, NEW.quantity, NEW.ts, at FROM holds
        WHERE point=NEW.point ON CONFLICT DO UPDATE SET at=excluded.at;
END;
CREATE TRIGGER approved_other AFTER UPDATE ON value
    WHEN NEW.ts < (SELECT until_ms FROM approval WHERE point=NEW.point ORDER BY at DESC LIMIT 1)
BEGIN
    INSERT INTO revised SELECT NEW.point, NEW.quantity, NEW.ts, at FROM holds
        WHERE point=NEW.point ON CONFLICT DO UPDATE SET at=excluded.at;
END;
CREATE TRIGGER approved_gone AFTER DELETE ON value
    WHEN OLD.ts < (SELECT until_ms FROM approval WHERE point=OLD.point ORDER BY at DESC LIMIT 1)
BEGIN
    INSERT INTO revised SELECT OLD.point, OLD.quantity, OLD.ts, at FROM holds
        WHERE point=OLD.point ON CONFLICT DO UPDATE SET at=excluded.at;
END;
"""
