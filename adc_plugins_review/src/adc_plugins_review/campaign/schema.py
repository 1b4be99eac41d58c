"""The tables of a review, and how the database is opened."""

import sqlite3
from pathlib import Path

from adc_core import WorkError

VERSION = 2

_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE item(
    id INTEGER PRIMARY KEY, row INTEGER NOT NULL, sample TEXT NOT NULL, label INTEGER NOT NULL,
    task TEXT NOT NULL, part TEXT NOT NULL, place INTEGER NOT NULL, wanted INTEGER NOT NULL,
    votes INTEGER NOT NULL DEFAULT 0, verdict INTEGER, digest BLOB, truth INTEGER,
    withdrawn TEXT, UNIQUE(sample, label, task, part, place)) STRICT;
CREATE INDEX open_items ON item(task, place, id)
    WHERE votes < wanted AND withdrawn IS NULL AND part <> 'gold';
CREATE INDEX gold_items ON item(truth, place) WHERE part = 'gold';
CREATE INDEX items_of_rows ON item(task, row);
CREATE TABLE rater(
    id INTEGER PRIMARY KEY, token BLOB UNIQUE, generation INTEGER NOT NULL, name TEXT,
    trusted INTEGER NOT NULL, state TEXT NOT NULL, external BLOB UNIQUE, way_back TEXT,
    pardoned INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL) STRICT;
CREATE TABLE batch(
    id INTEGER PRIMARY KEY, task TEXT NOT NULL, rater INTEGER NOT NULL REFERENCES rater(id),
    begun INTEGER NOT NULL, submitted INTEGER, visible_ms INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX batches_of_raters ON batch(rater, task, submitted);
CREATE TABLE place(
    batch INTEGER NOT NULL REFERENCES batch(id), position INTEGER NOT NULL,
    item INTEGER NOT NULL REFERENCES item(id),
    PRIMARY KEY(batch, position), UNIQUE(batch, item)) STRICT;
CREATE INDEX places_of_items ON place(item);
CREATE TABLE grid(
    batch INTEGER NOT NULL REFERENCES batch(id), number INTEGER NOT NULL, fewer INTEGER,
    done INTEGER, PRIMARY KEY(batch, number)) STRICT;
CREATE TABLE lease(
    item INTEGER NOT NULL REFERENCES item(id), rater INTEGER NOT NULL REFERENCES rater(id),
    until INTEGER NOT NULL, PRIMARY KEY(item, rater)) STRICT, WITHOUT ROWID;
CREATE TABLE event(
    id INTEGER PRIMARY KEY AUTOINCREMENT, client_key TEXT UNIQUE,
    rater INTEGER NOT NULL REFERENCES rater(id), item INTEGER REFERENCES item(id), batch INTEGER,
    kind TEXT NOT NULL, label INTEGER, answer INTEGER, confidence REAL, visible_ms INTEGER,
    kept TEXT, at INTEGER NOT NULL) STRICT;
CREATE TABLE vote(
    item INTEGER NOT NULL REFERENCES item(id), rater INTEGER NOT NULL REFERENCES rater(id),
    label INTEGER NOT NULL, answer INTEGER NOT NULL, confidence REAL, visible_ms INTEGER,
    at INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY(item, rater)) STRICT, WITHOUT ROWID;
CREATE INDEX votes_of_raters ON vote(rater);
"""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the database of a review; autocommit, so that every transaction is begun by name.

    Raises:
        WorkError: it cannot be opened, or is of another version.
    """
    try:
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise WorkError(f"{path} cannot be opened: {error}: fix it and run again") from None
    if version not in (0, VERSION):
        connection.close()
        raise WorkError(f"{path} is of version {version}: open it with the ADC that made it")
    return connection


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, within a transaction: a database is there whole or not at all."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
