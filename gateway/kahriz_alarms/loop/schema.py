# SPDX-License-Identifier: MIT
"""The tables of alarms: as they began, and the step that made them a loop (people, messages).

Every alarm that an older version has left gets a step `imported` with all that is known of it, so
that an alarm is what its steps make of it also in an old store.
"""

from __future__ import annotations

ALARMS = """
CREATE TABLE alarm(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, place TEXT NOT NULL,
    state TEXT NOT NULL, raised INTEGER NOT NULL, stored INTEGER NOT NULL, closed INTEGER,
    lps REAL, lps_u REAL, m3 REAL, silent_since INTEGER, evidence TEXT NOT NULL);
CREATE UNIQUE INDEX alarm_open ON alarm(kind, place) WHERE closed IS NULL;
CREATE TABLE alarm_event(id INTEGER PRIMARY KEY, alarm INTEGER NOT NULL REFERENCES alarm(id),
    at INTEGER NOT NULL, what TEXT NOT NULL, who TEXT, note TEXT);
CREATE TABLE delivery(alarm_event INTEGER NOT NULL REFERENCES alarm_event(id),
    channel TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    next_ms INTEGER NOT NULL DEFAULT 0, last_error TEXT,
    PRIMARY KEY(alarm_event, channel)) WITHOUT ROWID;
CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE cursor(name TEXT PRIMARY KEY, rev INTEGER NOT NULL) WITHOUT ROWID;
"""

ALARM_LOOP = """
ALTER TABLE alarm ADD COLUMN owner TEXT;
ALTER TABLE alarm ADD COLUMN cause TEXT;
ALTER TABLE alarm ADD COLUMN parent INTEGER;
ALTER TABLE alarm ADD COLUMN fixed INTEGER;
ALTER TABLE alarm ADD COLUMN shelved_until INTEGER;
ALTER TABLE alarm ADD COLUMN shelved_by TEXT;
ALTER TABLE alarm ADD COLUMN shelved_why TEXT;
ALTER TABLE alarm ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarm ADD COLUMN told_lps REAL;
ALTER TABLE alarm ADD COLUMN calm INTEGER;
ALTER TABLE alarm ADD COLUMN calm_stored INTEGER;
ALTER TABLE alarm ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarm ADD COLUMN answered INTEGER;
ALTER TABLE alarm ADD COLUMN before_lps REAL;
ALTER TABLE alarm ADD COLUMN proved INTEGER NOT NULL DEFAULT 0;
UPDATE alarm SET told_lps=lps, asked=stored,
    urgent=kind IN ('leak', 'source_drop', 'gateway', 'store', 'mains_ending', 'disk_nearly_full');
-- stored: the gateway's clock; data: what the step says beside its columns, JSON
ALTER TABLE alarm_event ADD COLUMN stored INTEGER;
ALTER TABLE alarm_event ADD COLUMN data TEXT NOT NULL DEFAULT '{}';
CREATE INDEX alarm_event_of ON alarm_event(alarm);
INSERT INTO alarm_event(alarm, at, what, stored, data)
    SELECT id, raised, 'imported', stored, json_object('kind', kind, 'place', place,
        'state', state, 'raised', raised, 'stored', stored, 'closed', closed, 'lps', lps,
        'lps_u', lps_u, 'm3', m3, 'silent_since', silent_since, 'evidence', json(evidence),
        'urgent', urgent, 'told_lps', told_lps, 'asked', asked)
    FROM alarm ORDER BY id;
-- one message to one person; sort: urgent, routine, answer, test
CREATE TABLE message(id INTEGER PRIMARY KEY, person TEXT NOT NULL, sort TEXT NOT NULL,
    state TEXT NOT NULL, made INTEGER NOT NULL, done INTEGER, channel TEXT, text TEXT,
    error TEXT);
CREATE INDEX message_state ON message(state);
CREATE INDEX message_person ON message(person, made);
-- asks: 1 when an answer is wanted, 0 for news
CREATE TABLE message_event(message INTEGER NOT NULL REFERENCES message(id),
    alarm_event INTEGER NOT NULL REFERENCES alarm_event(id), alarm INTEGER NOT NULL,
    asks INTEGER NOT NULL, PRIMARY KEY(message, alarm_event)) WITHOUT ROWID;
CREATE INDEX message_event_of ON message_event(alarm);
CREATE TABLE attempt(message INTEGER NOT NULL REFERENCES message(id), n INTEGER NOT NULL,
    channel TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL, error TEXT,
    PRIMARY KEY(message, n)) WITHOUT ROWID;
-- everything that somebody sent us, once; person: NULL for a stranger
CREATE TABLE incoming(channel TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL,
    stored INTEGER NOT NULL, sender TEXT NOT NULL, person TEXT, text TEXT NOT NULL,
    did TEXT NOT NULL, PRIMARY KEY(channel, key)) WITHOUT ROWID;
-- place: a point, a reach or the site; alarms there are stored and not told
CREATE TABLE maintenance(id INTEGER PRIMARY KEY, place TEXT NOT NULL, from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL);
-- a finding that has not lasted long enough to be an alarm
CREATE TABLE candidate(kind TEXT NOT NULL, place TEXT NOT NULL, due INTEGER NOT NULL,
    finding TEXT NOT NULL, PRIMARY KEY(kind, place)) WITHOUT ROWID;
"""
