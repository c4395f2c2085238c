"""`seamark journal`: verify, info, cat, export, snapshot and compact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from exchange.rerun import Rerun
from exchange.service import calm_garbage_collection
from exchange.snapshot import digest_of
from exchange.tools import keep_cli
from exchange.tools.contents import (
    Figures,
    RecordFilter,
    info_json,
    record_json,
    record_line,
    segments,
)
from exchange.tools.export import FORMATS, Exporter
from exchange.tools.logview import LogView
from exchange.tools.reading import JournalReader
from exchange.tools.terminal import (
    ConfigFile,
    Data,
    DictionaryFile,
    From,
    Json,
    Meter,
    To,
    ToolError,
    console,
    dictionary,
    json_line,
    one_line,
    opened,
    settings_rules,
    window,
)
from exchange.tools.text import iso_time, printable, shown_raw, shown_size, shown_time
from exchange.tools.verify import Divergence, Verifier
from fix_engine import tags
from sessions.journal import Kind
from sessions.snapshot import Snapshot, read_snapshots

app = typer.Typer(
    help="Read a journal, also while a venue writes it; make it shorter when none does.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_DIVERGED = 1


@app.command("verify")
def verify_command(
    data: Data = None,
    config: ConfigFile = None,
    dictionary_file: DictionaryFile = None,
    as_json: Json = False,
) -> None:
    """Execute a journal again, and compare every message that was sent with what must be sent.

    Exit code 0: they are equal, byte by byte. 1: they are not. 2: the journal cannot be read.
    """
    with one_line(), opened(config, data) as reader:
        view = LogView(dictionary(dictionary_file))
        calm_garbage_collection()
        verifier = Verifier(Rerun(settings_rules(config)))
        oldest = reader.skip_lost_beginning()
        if oldest is not None:
            verifier.resume(oldest)
        for snapshot in read_snapshots(reader.directory):
            if isinstance(snapshot, Snapshot):
                verifier.snapshots[snapshot.place.offset] = snapshot
        divergence = None
        with Meter(reader, "Verifying") as meter:
            for batch in meter.over(reader.batches()):
                divergence = verifier.check(batch)
                if divergence is not None:
                    break
        if as_json:
            print(json_line(_verdict(reader, verifier, divergence, view)))
        elif divergence is not None:
            _show(reader, divergence, view)
        else:
            counts, end = verifier.counts, reader.end
            print(
                f"In order: {counts.inputs:,} inputs in {counts.batches:,} batches brought about "
                f"exactly the {counts.reports:,} reports that were sent."
            )
            print(f"Sound: {counts.others:,} messages of the session layer and of desks.")
            print(
                f"Equal: {counts.digests:,} digests in the journal, {counts.snapshots:,} snapshots "
                f"beside it."
            )
            if oldest is not None:
                print(f"Begins behind position {oldest.place.position:,}; what was before is gone.")
            print(f"End: position {reader.position:,}, {end.value if end else ''}.")
            print(f"Digest: {digest_of(verifier.rerun.venue)}")
        if divergence is not None:
            raise typer.Exit(_DIVERGED)


def _verdict(
    reader: JournalReader, verifier: Verifier, divergence: Divergence | None, view: LogView
) -> dict[str, Any]:
    counts = verifier.counts
    out: dict[str, Any] = {
        "ok": divergence is None,
        "batches": counts.batches,
        "inputs": counts.inputs,
        "reports": counts.reports,
        "session_messages": counts.others,
        "digests": counts.digests,
        "snapshots": counts.snapshots,
        "position": reader.position,
        "end": reader.end.name.lower() if reader.end else None,
        "digest": digest_of(verifier.rerun.venue),
    }
    if divergence is not None:
        file, byte = reader.where(divergence.offset)
        out["divergence"] = {
            "what": divergence.what,
            "file": file,
            "byte": byte,
            "batch": divergence.offset,
            "time": iso_time(divergence.stamp),
            "position": divergence.position,
            "session": divergence.session,
            "seq": divergence.seq or None,
            "expected": _raw(divergence.expected),
            "found": _raw(divergence.found),
            "fields": [
                {
                    "tag": one.tag.decode("latin-1"),
                    "name": view.field(one.tag),
                    "expected": _value(one.tag, one.expected),
                    "found": _value(one.tag, one.found),
                }
                for one in divergence.differences
                if one.tag
            ],
        }
    return out


def _raw(raw: bytes | None) -> str | None:
    return None if raw is None else shown_raw(raw)


def _value(tag: bytes, value: bytes | None) -> str | None:
    if value is None:
        return None
    return "***" if tag in tags.SECRETS else printable(value)


def _show(reader: JournalReader, divergence: Divergence, view: LogView) -> None:
    file, byte = reader.where(divergence.offset)
    out = console()
    whose = f" of {printable(divergence.session.encode('latin-1'))}" if divergence.session else ""
    number = f", message {divergence.seq:,}{whose}" if divergence.seq else whose
    out.print(Text(f"Divergence at position {divergence.position:,}{number}", style="bold red"))
    out.print(f"  what      {divergence.what}")
    out.print(f"  batch     {divergence.offset} ({file}, byte {byte:,})")
    out.print(f"  time      {shown_time(divergence.stamp)} UTC")
    for one in divergence.differences:
        if not one.tag:
            out.print("  field     the fields are the same, their order is not")
            continue
        expected, found = _value(one.tag, one.expected), _value(one.tag, one.found)
        line = Text(f"  field     {view.field(one.tag)} ({one.tag.decode('latin-1')}): expected ")
        line.append("none" if expected is None else expected, style="green")
        line.append(", found ").append("none" if found is None else found, style="red")
        out.print(line)
    for name, raw in (("expected", divergence.expected), ("found", divergence.found)):
        out.print(f"  {name:<9} {shown_raw(raw) if raw is not None else 'nothing'}")


@app.command("info")
def info_command(data: Data = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Show what a journal holds: files, batches, records, sessions, rules, and how it ends."""
    with one_line(), opened(config, data) as reader:
        figures = Figures()
        with Meter(reader, "Reading") as meter:
            for batch in meter.over(reader.batches()):
                figures.take(batch)
        if as_json:
            print(json_line(info_json(reader, figures)))
        else:
            _show_info(reader, figures)


def _show_info(reader: JournalReader, figures: Figures) -> None:
    out, end = console(), reader.end.value if reader.end else ""
    beside = f" by process {reader.writer}" if reader.writer else ""
    out.print(f"Journal    {reader.directory}, {end}{beside}")
    for file in segments(reader):
        size, used = file["bytes"], file["used"]
        out.print(f"Segment    {file['file']}  {shown_size(used)} of {shown_size(size)}")
    if not figures.batches:
        out.print("Empty      no batch yet")
        return
    kinds = [f"{figures.kinds[kind]:,} {kind.name}" for kind in Kind if figures.kinds[kind]]
    out.print(f"Batches    {figures.batches:,}")
    out.print(f"Records    {', '.join(kinds)}")
    out.print(f"Positions  {figures.first_position:,} to {reader.position:,}")
    out.print(
        f"Time       {shown_time(figures.first_stamp)} to {shown_time(figures.last_stamp)} UTC"
    )
    for index, line in enumerate(figures.rules_in_words()):
        since = f" (since position {figures.rules_position:,})" if not index else ""
        out.print(f"{'Rules' if not index else '':<10} {line}{since}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("session")
    for name in ("number", "requests", "sent", "next in", "next out"):
        table.add_column(name, justify="right")
    table.add_column("")
    for number, one in sorted(figures.sessions.items()):
        numbers = (number, one.requests, one.sent, one.next_in, one.next_out)
        state = "logged on" if one.is_up else ""
        table.add_row(Text(reader.name(number)), *(f"{figure:,}" for figure in numbers), state)
    out.print(table, soft_wrap=False)


@app.command("cat")
def cat_command(
    data: Data = None,
    config: ConfigFile = None,
    session: Annotated[list[str] | None, typer.Option(help="CompID; may be repeated.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="SENT, COMMAND, UP and so on; may be repeated.")
    ] = None,
    begin: From = None,
    end: To = None,
    as_json: Json = False,
) -> None:
    """Print records, one on a line: position, time, kind, session, number, payload.

    Passwords are masked, credentials not shown at all.
    """
    with one_line(), opened(config, data) as reader:
        kinds = frozenset(_kind(name) for name in kind or ())
        wanted = RecordFilter(window(reader, begin, end), frozenset(session or ()), kinds)
        for batch in reader.batches():
            if wanted.window.is_over(batch.stamp, batch.first_position - 1):
                break
            for record in batch.records:
                name = reader.name(record.session)
                if not wanted.wants(record, name, batch.stamp):
                    continue
                if as_json:
                    print(json_line(record_json(record, name, batch.stamp, batch.start)))
                else:
                    print(record_line(record, name, batch.stamp))
        if wanted.sessions and not wanted.sessions & {reader.name(one) for one in reader.names}:
            raise ToolError(f"no session in it is called {', '.join(sorted(wanted.sessions))}")


def _kind(name: str) -> Kind:
    try:
        return Kind[name.upper()]
    except KeyError:
        names = ", ".join(kind.name for kind in Kind)
        raise ToolError(f"--kind {name}: choose one of {names}") from None


@app.command("export")
def export_command(
    to: Annotated[Path, typer.Option(help="The file, or for csv the directory, to make.")],
    file_format: Annotated[
        str | None, typer.Option("--format", help="sqlite or csv; by default by the name.")
    ] = None,
    data: Data = None,
    config: ConfigFile = None,
) -> None:
    """Write the journal as tables: batches, records, sessions, messages with their fields."""
    with one_line(), opened(config, data) as reader:
        chosen = file_format or ("sqlite" if to.suffix in (".sqlite", ".db", ".sqlite3") else "csv")
        if chosen not in FORMATS:
            raise ToolError(f"--format {chosen}: choose one of {', '.join(FORMATS)}")
        tables = FORMATS[chosen](to)
        exporter = Exporter(tables, reader.name)
        try:
            with Meter(reader, "Exporting") as meter:
                for batch in meter.over(reader.batches()):
                    exporter.take(batch)
            tables.finish()
        except BaseException:
            tables.abandon()
            raise
        print(f"Written    {to}: {exporter.records:,} records, {exporter.messages:,} messages")


keep_cli.register(app)
