# SPDX-License-Identifier: MIT
"""A later step of village.db: what outputs have not been told, as spans of time."""

from __future__ import annotations

CHANGED_SPANS = """
-- rev counts moments and never goes back: the newest line stays for ever
CREATE TABLE changed(rev INTEGER PRIMARY KEY, point TEXT NOT NULL, a INTEGER NOT NULL,
    b INTEGER NOT NULL);
-- years of what every output has been told long ago are left behind
INSERT INTO cursor(name, rev) SELECT 'changed:pruned', coalesce(min(rev), 0) FROM cursor
    WHERE name <> 'village' AND name NOT LIKE '%:%';
INSERT INTO changed(rev, point, a, b) SELECT rev, point, ts, ts FROM change
    WHERE rev > (SELECT rev FROM cursor WHERE name='changed:pruned')
    OR rev = (SELECT max(rev) FROM change);
DROP TABLE change;
"""
