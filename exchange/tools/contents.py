"""What a journal holds: its figures for `info`, its records one by one for `cat`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exchange.rules import RulesError, decode_rules
from exchange.tools.moments import Window
from exchange.tools.reading import JournalReader
from exchange.tools.text import iso_time, printable, shown_raw, shown_time
from sessions.journal import Batch, Kind, Record


@dataclass(slots=True)
class SessionFigures:
    """A session as the journal tells of it."""

    requests: int = 0
    sent: int = 0
    last_seq: int = 0
    numbered: int = 0  # up to which there may be messages that were not stored
    next_in: int = 1
    is_up: bool = False

    @property
    def next_out(self) -> int:
        """The number of the next message to it."""
        return max(self.last_seq, self.numbered) + 1


@dataclass(slots=True)
class Figures:
    """What is in the batches that were taken in."""

    batches: int = 0
    first_stamp: int = 0
    last_stamp: int = 0
    first_position: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    sessions: dict[int, SessionFigures] = field(default_factory=dict)
    rules: bytes = b""
    rules_position: int = 0

    def take(self, batch: Batch) -> None:
        """Count a batch in."""
        if not self.batches:
            self.first_stamp, self.first_position = batch.stamp, batch.first_position
        self.batches += 1
        self.last_stamp = batch.stamp
        for record in batch.records:
            self.kinds[record.kind] += 1
            if record.kind is Kind.RULES:
                self.rules, self.rules_position = record.payload, record.position
            elif record.session:
                self._session(record)

    def _session(self, record: Record) -> None:
        one = self.sessions.setdefault(record.session, SessionFigures())
        one.next_in = record.next_in
        if record.kind is Kind.SENT:
            one.sent += 1
            one.last_seq = record.seq
        elif record.kind is Kind.NUMBERED:
            one.numbered = record.seq
        elif record.kind is Kind.COMMAND:
            one.requests += 1
        elif record.kind is Kind.RESET:
            one.last_seq = one.numbered = 0
        elif record.kind in (Kind.UP, Kind.DOWN):
            one.is_up = record.kind is Kind.UP

    def rules_in_words(self) -> list[str]:
        """The rules that are in force, a line for each instrument."""
        if not self.rules:
            return []
        try:
            rules = decode_rules(self.rules)
        except RulesError as error:
            return [str(error)]
        on_disconnect = "cancelled" if rules.cancel_on_disconnect else "kept"
        lines = [
            f"orders are {on_disconnect} on disconnect unless a Logon says otherwise, "
            f"{rules.remembered_orders:,} ClOrdIDs remembered, "
            f"times have {rules.time_precision} digits"
        ]
        for one in rules.instruments:
            tick, lot, low, high = (
                f"{Decimal(text):f}"
                for text in (one.tick, one.lot, one.min_quantity, one.max_quantity)
            )
            lines.append(f"{one.symbol}  tick {tick}  lot {lot}  quantity {low} to {high}")
        return lines


def info_json(reader: JournalReader, figures: Figures) -> dict[str, Any]:
    """Everything that `info` says."""
    return {
        "directory": str(reader.directory),
        "segments": segments(reader),
        "end": (reader.end.name if reader.end else "OPEN").lower(),
        "writer": reader.writer,
        "batches": figures.batches,
        "records": {kind.name: figures.kinds[kind] for kind in Kind if figures.kinds[kind]},
        "first_position": figures.first_position,
        "last_position": reader.position,
        "first_time": iso_time(figures.first_stamp) if figures.batches else None,
        "last_time": iso_time(figures.last_stamp) if figures.batches else None,
        "rules": printable(figures.rules),
        "rules_position": figures.rules_position,
        "sessions": [
            {
                "number": number,
                "comp_id": reader.name(number),
                "requests": one.requests,
                "sent": one.sent,
                "next_in": one.next_in,
                "next_out": one.next_out,
                "is_up": one.is_up,
            }
            for number, one in sorted(figures.sessions.items())
        ],
    }


def segments(reader: JournalReader) -> list[dict[str, Any]]:
    """Every file, its size, and how much of it is batches, once all are read."""
    out = []
    for segment, used in zip(reader.segments, reader.used_bytes(), strict=True):
        size = segment.size() - segment.base
        out.append({"file": segment.path.name, "bytes": size, "used": used})
    return out


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records are wanted; empty means all."""

    window: Window
    sessions: frozenset[str]
    kinds: frozenset[Kind]

    def wants(self, record: Record, session: str, stamp: int) -> bool:
        """Whether this one is."""
        if self.kinds and record.kind not in self.kinds:
            return False
        if self.sessions and session not in self.sessions:
            return False
        return self.window.has(stamp, record.position)


def payload_text(record: Record) -> str:
    """What a record holds, as may be shown."""
    if record.kind is Kind.CREDENTIAL:
        return f"({len(record.payload)} bytes, never shown)"
    if record.kind in (Kind.COMMAND, Kind.SENT):
        return shown_raw(record.payload)
    if record.kind is Kind.UP:
        return shown_raw(record.payload) or "everything by rule"
    if record.kind is Kind.NUMBERED:
        return "numbers so far may be those of messages that are not stored"
    return record.payload.hex() if record.kind is Kind.DIGEST else printable(record.payload)


def record_line(record: Record, session: str, stamp: int) -> str:
    """One record on one line."""
    number = str(record.seq) if record.seq else "-"
    head = f"{record.position:>7} {shown_time(stamp)} {record.kind.name:<10} {session:<12}"
    return f"{head} {number:>6} {payload_text(record)}".rstrip()


def record_json(record: Record, session: str, stamp: int, batch: int) -> dict[str, Any]:
    """The same for programs; `batch` is the offset of its batch."""
    return {
        "position": record.position,
        "time": iso_time(stamp),
        "kind": record.kind.name,
        "session": session,
        "seq": record.seq or None,
        "next_in": record.next_in,
        "batch": batch,
        "offset": record.offset,
        "bytes": len(record.payload),
        "payload": payload_text(record),
    }
