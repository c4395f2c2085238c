"""A journal as tables, for SQLite or as CSV: batches, records, sessions, messages.

Prices and quantities are text as they stood in the message, so they are exact; SQLite calculates
with them all the same. Payloads are not exported, so no secret is.
"""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol

from exchange.tools.text import iso_time, message_of, printable
from fix_engine.message import Message
from sessions.journal import Batch, JournalError, Kind, Record

#: Columns of `messages` that are fields, and where they come from.
FIELDS: Final = {
    "msg_type": b"35",
    "seq": b"34",
    "account": b"1",
    "cl_ord_id": b"11",
    "orig_cl_ord_id": b"41",
    "order_id": b"37",
    "exec_id": b"17",
    "exec_type": b"150",
    "ord_status": b"39",
    "symbol": b"55",
    "side": b"54",
    "qty": b"38",
    "price": b"44",
    "last_qty": b"32",
    "last_px": b"31",
    "leaves": b"151",
    "cum": b"14",
    "text": b"58",
}
TABLES: Final = {
    "batches": ("batch_offset", "stamp_ns", "time", "first_position", "records"),
    "records": (
        *("record_id", "batch_offset", "kind", "session", "seq", "next_in", "position"),
        *("payload_offset", "payload_bytes"),
    ),
    "sessions": ("session", "comp_id", "first_position", "first_time"),
    "messages": (
        *("record_id", "position", "stamp_ns", "time", "session", "comp_id", "direction"),
        *FIELDS,
    ),
}
_INTEGERS: Final = frozenset(
    (
        *("batch_offset", "stamp_ns", "first_position", "records", "record_id", "session"),
        *("seq", "next_in", "position", "payload_offset", "payload_bytes"),
    )
)
_AT_ONCE: Final = 2_000


class Tables(Protocol):
    """Where rows go."""

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        """One more row of a table."""

    def finish(self) -> None:
        """Everything is there: put it under its name."""

    def abandon(self) -> None:
        """Leave nothing behind."""


class SqliteTables:
    """One database file, which has its name only once it is complete."""

    def __init__(self, path: Path) -> None:
        """Raises JournalError when the file is there already or cannot be made."""
        self._path = path
        self._draft = _draft(path)
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
        try:
            self._draft.unlink(missing_ok=True)
            self._database = sqlite3.connect(self._draft)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"{path}: cannot be written: {error}") from error
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("PRAGMA synchronous=OFF")
        for table, columns in TABLES.items():
            typed = (f"{name} {'INTEGER' if name in _INTEGERS else 'TEXT'}" for name in columns)
            self._database.execute(f"CREATE TABLE {table} ({', '.join(typed)})")

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        """One more row of a table."""
        rows = self._rows[table]
        rows.append(row)
        if len(rows) >= _AT_ONCE:
            self._write(table)

    def _write(self, table: str) -> None:
        marks = ", ".join("?" * len(TABLES[table]))
        rows = self._rows[table]
        self._database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        rows.clear()

    def finish(self) -> None:
        """Everything is there: put it under its name."""
        for table in TABLES:
            self._write(table)
        for column in ("order_id", "cl_ord_id"):
            self._database.execute(f"CREATE INDEX by_{column} ON messages ({column})")
        self._database.commit()
        self._database.close()
        os.rename(self._draft, self._path)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._database.close()
        self._draft.unlink(missing_ok=True)


class CsvTables:
    """A directory with one file for each table, which has its name only once it is complete."""

    def __init__(self, path: Path) -> None:
        """Raises JournalError when the directory is there already or cannot be made."""
        self._path = path
        self._draft = _draft(path)
        self._files = ExitStack()
        self._writers = {}
        try:
            shutil.rmtree(self._draft, ignore_errors=True)
            self._draft.mkdir()
            for table, columns in TABLES.items():
                file = (self._draft / f"{table}.csv").open("w", newline="", encoding="utf-8")
                self._files.enter_context(file)
                self._writers[table] = csv.writer(file)
                self._writers[table].writerow(columns)
        except OSError as error:
            raise JournalError(f"{path}: cannot be written: {error.strerror}") from error

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        """One more row of a table."""
        self._writers[table].writerow(row)

    def finish(self) -> None:
        """Everything is there: put it under its name."""
        self._files.close()
        os.rename(self._draft, self._path)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._files.close()
        shutil.rmtree(self._draft, ignore_errors=True)


FORMATS: Final[dict[str, Callable[[Path], Tables]]] = {"sqlite": SqliteTables, "csv": CsvTables}


class Exporter:
    """Puts batches into tables; `messages` counts those that could be decoded."""

    def __init__(self, tables: Tables, name_of: Callable[[int], str]) -> None:
        """`name_of` tells the CompID of a session."""
        self._tables = tables
        self._name_of = name_of
        self.records = self.messages = 0

    def take(self, batch: Batch) -> None:
        """Add a batch."""
        time = iso_time(batch.stamp)
        head = (batch.start, batch.stamp, time, batch.first_position, len(batch.records))
        self._tables.add("batches", head)
        for record in batch.records:
            self.records += 1
            if record.kind is Kind.SESSION:
                row = (record.session, printable(record.payload), record.position, time)
                self._tables.add("sessions", row)
            self._tables.add(
                "records",
                (
                    *(self.records, batch.start, record.kind.name, record.session),
                    *(record.seq or None, record.next_in, record.position),
                    *(record.offset, len(record.payload)),
                ),
            )
            if record.kind in (Kind.COMMAND, Kind.SENT):
                self._message(record, batch.stamp, time)

    def _message(self, record: Record, stamp: int, time: str) -> None:
        message = message_of(record.payload)
        if not isinstance(message, Message):
            return
        self.messages += 1
        head = (self.records, record.position, stamp, time, record.session)
        direction = "in" if record.kind is Kind.COMMAND else "out"
        fields: list[str | int | None] = []
        for tag in FIELDS.values():
            value = message.get(tag)
            fields.append(None if value is None else printable(value))
        fields[1] = record.seq
        name = self._name_of(record.session)
        self._tables.add("messages", (*head, name, direction, *fields))


def _draft(path: Path) -> Path:
    if path.exists():
        raise JournalError(f"{path} is there already; remove it, or choose another --to")
    return path.with_name(f".{path.name}.unfinished")
