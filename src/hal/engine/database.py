"""The SQLite file: opening it, creating its tables and loading the sample household."""

from __future__ import annotations

import json
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SCHEMA = HERE / "schema.sql"
SAMPLE = HERE / "household.json"
RECORD_TABLES = ("medication", "appointment", "allergy", "health_data", "transactions")
DATE_COLUMNS = frozenset({"date", "start_date", "end_date", "refill_date"})
BUSY_TIMEOUT_S = 10.0
# What to do by what SQLite's name of an error begins with.
RESTORE = (
    "a backup takes its place, and what is there is kept aside: playbooks/restore.yml -e overwrite=true, "
    "or as root `hal-backup restore --overwrite`"
)
ADVICE = {
    "SQLITE_CORRUPT": RESTORE,
    "SQLITE_NOTADB": RESTORE,
    "SQLITE_FULL": "the disk is full: `df -h` tells which, make room",
    "SQLITE_BUSY": "`fuser -v` tells which process holds the file; end it, or wait until it is done",
    "SQLITE_READONLY": "see with `findmnt -T` whether its file system is mounted read-only, and who owns it",
    "": "check HAL_ENGINE_DATABASE, its directory and owner",
}


class DatabaseError(Exception):
    """The database cannot be used; the text says why and what to do."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the database, in WAL mode and with every commit on the disk before it returns.

    WAL lets a backup follow the file while it is in use. The connection may be used from any
    thread, by one at a time: the caller sees to that.

    Raises:
        DatabaseError: the file cannot be opened or is not an SQLite database.
    """
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        raise DatabaseError(f"cannot open the database {path}: {explained(error)}") from error
    return connection


def explained(error: sqlite3.Error) -> str:
    """Return what SQLite says, and what to do about it."""
    name = getattr(error, "sqlite_errorname", "")
    advice = next(advice for begins, advice in ADVICE.items() if name.startswith(begins))
    return f"{error}; {advice}"


def require_sound(connection: sqlite3.Connection) -> None:
    """Look through the whole database.

    Raises:
        DatabaseError: it is damaged, or cannot be read.
    """
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise DatabaseError(f"the database cannot be read: {explained(error)}") from error
    if found != "ok":
        raise DatabaseError(f"the database is damaged ({found}); {ADVICE['SQLITE_CORRUPT']}")


def create(connection: sqlite3.Connection) -> bool:
    """Create the tables that are missing; return whether there were any."""
    before = _schema_objects(connection)
    connection.executescript(SCHEMA.read_text(encoding="utf-8"))
    return _schema_objects(connection) != before


def load_sample(connection: sqlite3.Connection, today: date) -> bool:
    """Load the sample household if no record exists yet, all of it or nothing; return whether it was.

    Dates in the sample are days before (negative) or after `today`, so that it is always current.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if any(_has_rows(connection, table) for table in RECORD_TABLES):
            return False
        sample: dict[str, dict[str, Any]] = json.loads(SAMPLE.read_text(encoding="utf-8"))
        for table in RECORD_TABLES:
            columns: list[str] = sample[table]["columns"]
            marks = ", ".join("?" for _ in columns)
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - our own names
                [_dated(columns, row, today) for row in sample[table]["rows"]],
            )
    return True


def _dated(columns: list[str], row: list[Any], today: date) -> list[Any]:
    return [
        (today + timedelta(days=value)).isoformat() if column in DATE_COLUMNS and value is not None else value
        for column, value in zip(columns, row, strict=True)
    ]


def _has_rows(connection: sqlite3.Connection, table: str) -> bool:
    query = f"SELECT EXISTS (SELECT 1 FROM {table})"  # noqa: S608 - table is one of RECORD_TABLES
    return bool(connection.execute(query).fetchone()[0])


def _schema_objects(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
