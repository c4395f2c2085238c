"""A recorded day: what sessions asked and what they were answered, in order.

It comes from a journal, or from the message log of a QuickFIX engine at either end of a session.
Only what can be played again and compared is in it: application messages of the client, once
each, and what answers them, application messages and Reject. Left out are

- administrative messages, which every connection has of its own;
- possible duplicates of what was recorded before;
- News (B), which follows the clock and answers nobody;
- a Reject or BusinessMessageReject of a message that is not in the recording: a journal holds only
  what reached the venue, not what the session layer refused;
- of a journal, what desks have said: the questions are not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from exchange.desk import is_from_desk
from exchange.logons import said_at_logon
from exchange.quickfix_log import LoggedMessage, QuickfixLog, QuickfixLogError
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.wire import MAX_MESSAGE_BYTES, Decoder
from sessions.journal import JournalError, Kind, Reader, Record, open_segments

REF_SEQ_NUM: Final = b"45"
REJECTS: Final = frozenset((tags.REJECT, tags.BUSINESS_MESSAGE_REJECT))
_MAX_MESSAGE_BYTES: Final = 256 * MAX_MESSAGE_BYTES

#: Logon fields that belong to a connection, or are secret: every replay has its own.
_OWN_LOGON_TAGS: Final = tags.SECRETS | {
    b"35",
    tags.MSG_SEQ_NUM,
    tags.SENDER_COMP_ID,
    tags.SENDING_TIME,
    tags.TARGET_COMP_ID,
    tags.POSS_DUP_FLAG,
    tags.ORIG_SENDING_TIME,
    tags.RAW_DATA_LENGTH,
    tags.ENCRYPT_METHOD,
    tags.HEART_BT_INT,
    tags.RESET_SEQ_NUM_FLAG,
    tags.MAX_MESSAGE_SIZE,
    tags.NEXT_EXPECTED_MSG_SEQ_NUM,
    tags.NONCE,
    b"369",
}

Fields = tuple[tuple[bytes, bytes], ...]


class RecordingError(Exception):
    """There is nothing to play; says why in one line."""


class EventKind(Enum):
    """What happened."""

    UP = "logged on"
    DOWN = "logged off"
    REQUEST = "asked"
    ANSWER = "was answered"


@dataclass(slots=True)
class Event:
    """One moment of a session, which is named by the client's CompID.

    `message` is there for REQUEST and ANSWER, `logon` has the fields of a Logon worth repeating.
    """

    kind: EventKind
    session: bytes
    time_ns: int
    message: Message | None = None
    logon: Fields = ()


@dataclass(slots=True)
class RecordedSession:
    """A session of a recording, its venue's CompID, and how much there is of it."""

    comp_id: bytes
    target_comp_id: bytes = b""
    begin_string: bytes = tags.FIX44
    requests: int = 0
    answers: int = 0


@dataclass(slots=True)
class Recording:
    """Sessions by the client's CompID, and, as often as it is asked, every event in order."""

    source: str
    events: Callable[[], Iterator[Event]]
    sessions: dict[bytes, RecordedSession] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """How many messages there are to play."""
        return sum(session.requests for session in self.sessions.values())

    @property
    def answers(self) -> int:
        """How many answers there are to compare with."""
        return sum(session.answers for session in self.sessions.values())


def open_recording(source: Path, wanted: Iterable[str] = ()) -> Recording:
    """The sessions `wanted`, or all, of a journal's directory or a QuickFIX log.

    It is read to its end once, so that what cannot be read is known before anything is played.
    Raises RecordingError.
    """
    names = [name.encode("latin-1", "replace") for name in wanted]
    if source.is_dir():
        make = partial(_journal_events, source)
    elif source.exists():
        make = partial(_log_events, source, _clients(source, names))
    else:
        raise RecordingError(f"{source} does not exist")
    return recorded(str(source), make, names)


def recorded(
    source: str, make: Callable[[], Iterator[Event]], wanted: list[bytes] | None = None
) -> Recording:
    """A recording of events that `make` can make again and again.

    Raises RecordingError when there is nothing to play, or not what is wanted.
    """
    sessions: dict[bytes, RecordedSession] = {}
    total = 0
    for event in _told(make()):
        total += 1
        session = sessions.get(event.session)
        if session is None:
            session = sessions[event.session] = RecordedSession(event.session)
        if event.message is not None:
            _count(session, event.kind, event.message)
    for name in wanted or ():
        if name not in sessions:
            known = b", ".join(sorted(sessions)).decode("latin-1") or "none"
            raise RecordingError(
                f"{source} has no session {name.decode('latin-1')}; its sessions: {known}"
            )
    chosen = {name: sessions[name] for name in wanted or sessions}
    recording = Recording(
        source,
        # What is written to the source meanwhile is not part of it any more.
        lambda: (e for e in _told(islice(make(), total)) if e.session in chosen),
        chosen,
    )
    if not recording.requests:
        raise RecordingError(f"{source} holds no request of a client, so there is nothing to play")
    return recording


def _told(events: Iterator[Event]) -> Iterator[Event]:
    """The events, with the errors of their source told as ours."""
    try:
        yield from events
    except (JournalError, QuickfixLogError) as error:
        raise RecordingError(str(error)) from error


def _count(session: RecordedSession, kind: EventKind, message: Message) -> None:
    is_request = kind is EventKind.REQUEST
    session.requests += is_request
    session.answers += not is_request
    if not session.target_comp_id:
        tag = tags.TARGET_COMP_ID if is_request else tags.SENDER_COMP_ID
        session.target_comp_id = message.get(tag) or b""
        session.begin_string = message.begin_string


class _Filter:
    """Decides what of one source belongs into a recording; see the module."""

    def __init__(self) -> None:
        self._decoder = Decoder(_MAX_MESSAGE_BYTES, max_fields=1 << 20)
        self._asked: dict[bytes, set[int]] = {}  # numbers of the requests, by session

    def decode(self, raw: bytes) -> Message | None:
        """The message, or None when these bytes are none."""
        found = self._decoder.feed(raw)
        return found[0] if len(found) == 1 and isinstance(found[0], Message) else None

    def began_anew(self, session: bytes) -> None:
        """The session counts from 1 again."""
        self._asked.pop(session, None)

    def request(self, session: bytes, time_ns: int, message: Message) -> Iterator[Event]:
        """A message of the client."""
        if message.msg_type not in tags.ADMIN_TYPES:
            self._asked.setdefault(session, set()).add(message.seq or 0)
            yield Event(EventKind.REQUEST, session, time_ns, message)

    def answer(self, session: bytes, time_ns: int, message: Message) -> Iterator[Event]:
        """A message of the venue."""
        if message.msg_type in REJECTS:
            ref = message.get(REF_SEQ_NUM) or b""
            if not ref.isdigit() or int(ref) not in self._asked.get(session, ()):
                return
        elif message.msg_type in tags.ADMIN_TYPES or message.msg_type == tags.NEWS:
            return
        yield Event(EventKind.ANSWER, session, time_ns, message)


# --- a journal ------------------------------------------------------------------------------


def _journal_events(directory: Path) -> Iterator[Event]:
    """Everything in a journal, whether or not somebody is writing it."""
    segments = open_segments(directory, is_writer=False)
    if not segments:
        raise RecordingError(f"{directory} holds no journal")
    names: dict[int, bytes] = {}
    chosen = _Filter()
    try:
        for batch in Reader(segments).batches():
            for record in batch.records:
                if record.kind is Kind.SESSION:
                    names[record.session] = record.payload
                    continue
                message = None
                if record.kind in (Kind.COMMAND, Kind.SENT):
                    message = chosen.decode(record.payload)
                if message is not None and record.session not in names:
                    # Said in a segment that has been put away since.
                    tag = (
                        tags.SENDER_COMP_ID if record.kind is Kind.COMMAND else tags.TARGET_COMP_ID
                    )
                    names[record.session] = message.get(tag) or b""
                name = names.get(record.session)
                if name is not None:
                    yield from _journal_event(chosen, name, batch.stamp, record, message)
    finally:
        for segment in segments:
            segment.close()


def _journal_event(
    chosen: _Filter, name: bytes, stamp: int, record: Record, message: Message | None
) -> Iterator[Event]:
    if record.kind is Kind.RESET:
        chosen.began_anew(name)
    elif record.kind is Kind.UP:
        said = said_at_logon(record.payload)
        logon = tuple(field for field in said if field[0] != tags.ACCOUNT)
        yield Event(EventKind.UP, name, stamp, logon=logon)
    elif record.kind is Kind.DOWN:
        yield Event(EventKind.DOWN, name, stamp)
    elif message is not None and not is_from_desk(message):
        tell = chosen.request if record.kind is Kind.COMMAND else chosen.answer
        yield from tell(name, stamp, message)


# --- a QuickFIX log -------------------------------------------------------------------------


def _clients(path: Path, wanted: list[bytes]) -> dict[tuple[bytes, bytes], bytes]:
    """Who of two CompIDs is the client, by both of them in either order.

    The client is who is wanted, or who sends the first Logon, or else the first request.
    """
    guessed: dict[tuple[bytes, bytes], bytes] = {}
    certain: dict[tuple[bytes, bytes], bytes] = {}
    for logged in _told_log(path):
        pair = _pair(logged)
        if pair in certain:
            continue
        msg_type = logged.raw.split(tags.SOH, 3)[2].removeprefix(b"35=")
        if logged.sender in wanted or logged.target in wanted:
            certain[pair] = logged.sender if logged.sender in wanted else logged.target
        elif msg_type == tags.LOGON:
            certain[pair] = logged.sender
        elif msg_type not in tags.ADMIN_TYPES | {b"8", b"9", b"j", b"B"}:
            guessed.setdefault(pair, logged.sender)
    if not guessed and not certain:
        raise RecordingError(f"{path} holds no FIX message")
    return guessed | certain


def _told_log(path: Path) -> Iterator[LoggedMessage]:
    try:
        yield from QuickfixLog(path)
    except QuickfixLogError as error:
        raise RecordingError(str(error)) from error


def _pair(logged: LoggedMessage) -> tuple[bytes, bytes]:
    one, other = sorted((logged.sender, logged.target))
    return one, other


class _LoggedSession:
    """What must be remembered of a session while its log is read."""

    def __init__(self) -> None:
        self.seen: dict[bool, set[int]] = {True: set(), False: set()}  # by whether from the client
        self.logon: Fields | None = None  # of the client, not answered yet
        self.is_up = False

    def is_repeated(self, message: Message, from_client: bool) -> bool:
        """Whether this is a possible duplicate of a message that is in the log, too."""
        seen = self.seen[from_client]
        if message.msg_type == tags.LOGON and message.seq == 1:
            seen.clear()
        if message.is_poss_dup and message.seq in seen:
            return True
        seen.add(message.seq or 0)
        return False


def _log_events(path: Path, clients: dict[tuple[bytes, bytes], bytes]) -> Iterator[Event]:
    sessions: dict[bytes, _LoggedSession] = {}
    chosen = _Filter()
    for logged in QuickfixLog(path):
        name = clients.get(_pair(logged))
        message = chosen.decode(logged.raw)
        if name is None or message is None:
            continue
        session = sessions.setdefault(name, _LoggedSession())
        from_client = logged.sender == name
        if session.is_repeated(message, from_client):
            continue
        if message.msg_type == tags.LOGON:
            if from_client:
                session.logon = tuple(
                    pair for pair in message.pairs() if pair[0] not in _OWN_LOGON_TAGS
                )
                if message.seq == 1:
                    chosen.began_anew(name)
            elif session.logon is not None:
                yield Event(EventKind.UP, name, logged.time_ns, logon=session.logon)
                session.is_up, session.logon = True, None
        elif message.msg_type == tags.LOGOUT:
            if session.is_up:
                yield Event(EventKind.DOWN, name, logged.time_ns)
            session.is_up, session.logon = False, None
        else:
            tell = chosen.request if from_client else chosen.answer
            yield from tell(name, logged.time_ns, message)
