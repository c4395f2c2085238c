"""`seamark replay`: plays a recorded day against a venue and shows what is answered otherwise."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from config.secret import resolve
from exchange.command_line import fail, load_dictionary
from exchange.compare import Difference, DifferenceKind, FieldDifference
from exchange.initiator import Pair
from exchange.recording import Recording, RecordingError, open_recording
from exchange.replay import Outcome, ReplayError, Target, replay
from exchange.viewer import Viewer
from fix_engine import tags
from fix_engine.dictionary import Dictionary
from fix_engine.message import Message, masked
from sessions.journal import JournalError

DIFFERENT: Final = 1  # exit codes
COULD_NOT_RUN: Final = 2
_MAX_SHOWN: Final = 50
_NEVER_THE_SAME: Final = frozenset((b"17", b"34", b"37", b"45"))
_STYLES: Final = {
    DifferenceKind.FIELDS: "yellow",
    DifferenceKind.MISSING: "red",
    DifferenceKind.EXTRA: "magenta",
}


def replay_command(
    source: Annotated[Path, typer.Argument(help="Directory of a journal, or a QuickFIX log.")],
    session: Annotated[
        list[str] | None,
        typer.Option(
            help="CompID of a recorded client; several times for several, by default all. "
            "ACME1=TEST7: play what ACME1 said as TEST7."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Where the venue listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 9880,
    target_comp_id: Annotated[
        str | None, typer.Option(help="Its CompID, if it is not the recorded one.")
    ] = None,
    speed: Annotated[
        str,
        typer.Option(help="recorded; a number, times as fast; or max, as fast as answers come."),
    ] = "max",
    logon_field: Annotated[
        list[str] | None,
        typer.Option(
            help="TAG=VALUE for the Logons, or COMPID:TAG=VALUE for those of one session. "
            "VALUE may be file:PATH or env:NAME. 141=N keeps the venue's sequence numbers."
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for the answers to a request.", min=0.01)
    ] = 5.0,
    keep_ids: Annotated[
        bool, typer.Option("--keep-ids", help="Send ClOrdIDs as recorded, not made fresh.")
    ] = False,
    ignore: Annotated[
        list[str] | None, typer.Option(help="A tag, or its name, that may differ.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    dictionary: Annotated[
        Path | None,
        typer.Option("--dictionary", help="QuickFIX data dictionary; by default specs/FIX44.xml."),
    ] = None,
) -> None:
    """Play a recorded session against a venue, and compare its answers with the recorded ones.

    Exit code 0: all answers mean the same; 1: some do not; 2: it could not be played.
    """
    names = dict(_renaming(name) for name in session or [])
    loaded = load_dictionary(dictionary, COULD_NOT_RUN)
    try:
        target = Target(
            host,
            port,
            (target_comp_id or "").encode("latin-1", "replace"),
            {old.encode("latin-1", "replace"): new for old, new in names.items()},
            [_logon_field(text) for text in logon_field or []],
            timeout,
        )
        pace = _pace(speed)
        ignored = frozenset(_tag(loaded, name) for name in ignore or [])
        recording = open_recording(source, names)
        outcome = _played(recording, target, loaded, pace, keep_ids, ignored)
    except (RecordingError, ReplayError, JournalError, ValueError) as error:
        fail(str(error), COULD_NOT_RUN)
    except KeyboardInterrupt:
        fail("stopped before its end; nothing was compared", COULD_NOT_RUN)
    viewer = Viewer(loaded)
    if as_json:
        print(json.dumps(as_dict(outcome, viewer, loaded), indent=2))
    else:
        show(Console(), recording, outcome, viewer, loaded)
    if outcome.differences and recording.answers:
        raise typer.Exit(DIFFERENT)


def _played(
    recording: Recording,
    target: Target,
    dictionary: Dictionary,
    pace: float | None,
    keep_ids: bool,
    ignored: frozenset[bytes],
) -> Outcome:
    """The replay, with a bar where somebody can see one; it goes away in the end."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn(f"Replaying {escape(recording.source)}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=recording.requests)
        return replay(
            recording,
            target,
            dictionary,
            pace,
            keep_ids,
            ignored,
            lambda done: bar.update(task, completed=done),
        )


# --- what was asked for -----------------------------------------------------------------------


def _renaming(text: str) -> tuple[str, bytes]:
    old, _, new = text.partition("=")
    return old, (new or old).encode("latin-1", "replace")


def _logon_field(text: str) -> tuple[bytes, Pair]:
    """Session or b"", tag and value; raises ValueError, which shows no secret."""
    found = re.fullmatch(r"(?:(?P<session>[^=]+?):)?(?P<tag>[1-9]\d*)=(?P<value>.+)", text, re.S)
    if found is None:
        raise ValueError("--logon-field must be TAG=VALUE or COMPID:TAG=VALUE")
    value = found["value"]
    if value.startswith(("file:", "env:")):
        try:
            value = resolve(value).get_secret_value()
        except ValueError as error:
            raise ValueError(f"--logon-field {found['tag']}: {error}") from error
    if "\x01" in value:
        raise ValueError(f"--logon-field {found['tag']}: a value cannot hold SOH")
    pair = found["tag"].encode(), value.encode("utf-8")
    return (found["session"] or "").encode("latin-1", "replace"), pair


def _pace(text: str) -> float | None:
    """Times as fast as recorded, None for as fast as answers come; raises ValueError."""
    if text in ("max", "recorded"):
        return None if text == "max" else 1.0
    try:
        pace = float(text)
    except ValueError:
        pace = 0.0
    if not 0 < pace < float("inf"):
        raise ValueError(f"--speed {text}: must be recorded, max, or a number above zero")
    return pace


def _tag(dictionary: Dictionary, name: str) -> bytes:
    if name.isascii() and name.isdigit():
        return name.encode()
    try:
        return dictionary.field_named(name).tag
    except KeyError as error:
        raise ValueError(f"--ignore {name}: the dictionary has no such field") from error


# --- what came of it --------------------------------------------------------------------------


def show(
    console: Console, recording: Recording, outcome: Outcome, viewer: Viewer, dictionary: Dictionary
) -> None:
    """Print the outcome for people."""
    sessions = len(recording.sessions)
    rate = outcome.requests / max(outcome.seconds, 1e-9)
    console.print(
        f"Played [bold]{outcome.requests:,}[/] requests of {sessions:,} "
        f"session{'s' * (sessions != 1)} in {outcome.seconds:.1f} s, {rate:,.0f} a second.",
        highlight=False,
    )
    if not recording.answers:
        console.print(
            f"The recording has no answers, so nothing was compared; {outcome.received:,} came.",
            highlight=False,
        )
        return
    if not outcome.differences:
        console.print(
            f"[bold green]Equal:[/] {outcome.equal:,} answers mean what was recorded.",
            highlight=False,
        )
        return
    counts = dict.fromkeys(DifferenceKind, 0)
    for difference in outcome.differences:
        counts[difference.kind] += 1
    console.print(
        f"[bold red]Different:[/] of {outcome.answers:,} recorded answers {outcome.equal:,} equal, "
        f"{counts[DifferenceKind.FIELDS]:,} different, {counts[DifferenceKind.MISSING]:,} missing; "
        f"and {counts[DifferenceKind.EXTRA]:,} extra.",
        highlight=False,
    )
    for difference in outcome.differences[:_MAX_SHOWN]:
        _show_difference(console, difference, viewer, dictionary)
    more = len(outcome.differences) - _MAX_SHOWN
    if more > 0:
        console.print(f"\n{more:,} more; --json has them all.", highlight=False)


def _show_difference(
    console: Console, difference: Difference, viewer: Viewer, dictionary: Dictionary
) -> None:
    """A line that says which answer, and below it what is otherwise, or the whole answer."""
    message, style = difference.message, _STYLES[difference.kind]
    number = (message.get(tags.MSG_SEQ_NUM) or b"").decode("latin-1")
    head = Text("\n")
    head.append(printable(_text(difference.belongs_to[0])), style="bold")
    head.append(f"  {printable(reference(dictionary, difference))}  ")
    head.append(f"{viewer.name(message.msg_type)} {number}  ")
    head.append(difference.kind.value, style=style)
    console.print(head)
    if difference.kind is not DifferenceKind.FIELDS:
        pairs = [pair for pair in masked(message) if pair[0] not in _NEVER_THE_SAME]
        whole = viewer.fields(pairs)
        whole.plain = printable(whole.plain)
        console.print(Padding(whole, (0, 0, 0, 4)))
        return
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 3, 0, 0))
    for name in ("", "recorded", "replayed"):
        table.add_column(name, overflow="fold")
    for one in difference.fields:
        sides = (meaning(dictionary, one, value) for value in (one.recorded, one.replayed))
        table.add_row(Text(one.name, style=style), *(Text(printable(side)) for side in sides))
    console.print(Padding(table, (0, 0, 0, 4)))


def reference(dictionary: Dictionary, difference: Difference) -> str:
    """What the answer belongs to, such as `ClOrdID a0`; nothing more than its MsgType: empty."""
    _, tag, value = difference.belongs_to
    if tag == b"35":
        return ""
    definition = dictionary.fields.get(tag)
    return f"{definition.name if definition else _text(tag)} {_text(value)}"


def meaning(dictionary: Dictionary, field: FieldDifference, value: bytes | None) -> str:
    """A value as the dictionary explains it; a dash where there is none."""
    if value is None:
        return "-"
    definition = dictionary.fields.get(field.tag)
    name = definition.values.get(value) if definition else None
    return f"{_text(value)} {name.lower().replace('_', ' ')}" if name else _text(value)


def printable(text: str) -> str:
    """Text that tells a terminal nothing but itself, character by character."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def as_dict(outcome: Outcome, viewer: Viewer, dictionary: Dictionary) -> dict[str, Any]:
    """The outcome for programs."""
    return {
        "equal": not outcome.differences,
        "requests": outcome.requests,
        "answers": outcome.answers,
        "received": outcome.received,
        "answers_equal": outcome.equal,
        "seconds": round(outcome.seconds, 3),
        "differences": [
            {
                "kind": difference.kind.value,
                "session": _text(difference.belongs_to[0]),
                "belongs_to": reference(dictionary, difference),
                "message": viewer.name(difference.message.msg_type),
                "recorded": _line(difference.recorded),
                "replayed": _line(difference.replayed),
                "fields": [
                    {
                        "tag": int(one.tag),
                        "name": one.name,
                        "recorded": None if one.recorded is None else _text(one.recorded),
                        "replayed": None if one.replayed is None else _text(one.replayed),
                        "recorded_meaning": meaning(dictionary, one, one.recorded),
                        "replayed_meaning": meaning(dictionary, one, one.replayed),
                    }
                    for one in difference.fields
                ],
            }
            for difference in outcome.differences
        ],
    }


def _line(message: Message | None) -> str | None:
    """The message with "|" for SOH, secrets masked."""
    if message is None:
        return None
    return "".join(f"{_text(tag)}={_text(value)}|" for tag, value in masked(message))


def _text(value: bytes) -> str:
    return value.decode("latin-1")
