"""Who may log on, and which session is whose; one live connection for each identity."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import structlog

from fix_engine import tags
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.session import Session
from fix_engine.validation import Validator
from sessions.application import Application
from sessions.credentials import Outcome
from sessions.endpoint import Endpoint
from sessions.journal import (
    EXECUTED_KINDS,
    OFFSET_BITS,
    Journal,
    JournalError,
    Kind,
    remove_segments,
)
from sessions.ledger import Ledger
from sessions.profile import Profile
from sessions.snapshot import Snapshot, SnapshotError, segment_of_last
from sessions.throttle import RateLimit
from sessions.turn import Turn

log = structlog.get_logger(__name__)

_COMP_ID = re.compile(rb"[!-<>-~]{1,64}")  # printable, without blanks and "="


@dataclass(slots=True)
class Admission:
    """Which sessions there may be: those with a profile, or whoever addresses us by our CompID."""

    settings: SessionSettings  # of all; with target_comp_id b"" any peer is meant
    max_sessions: int = 10_000  # identities remembered; an open door must not grow our memory
    rate_limit: RateLimit = field(default_factory=RateLimit)
    replaces_live: bool = False  # a second Logon of a live session ends the first, or is refused
    profiles: Mapping[bytes, Profile] | None = None  # by SenderCompID; None: the door is open

    def is_known(self, comp_id: bytes) -> bool:
        """Whether somebody may log on as `comp_id`."""
        if self.profiles is not None:
            return comp_id in self.profiles
        return self.settings.target_comp_id in (b"", comp_id)

    def profile(self, comp_id: bytes) -> Profile:
        """The profile of a session; a plain one for those that nobody may log on as any more."""
        found = self.profiles.get(comp_id) if self.profiles is not None else None
        return found or Profile(replace(self.settings, target_comp_id=comp_id), self.rate_limit)


class Registry:
    """The sessions of this process, by the peer's CompID."""

    def __init__(
        self,
        admission: Admission,
        validator: Validator,
        journal: Journal,
        turn: Turn,
        application: Application,
    ) -> None:
        self._admission = admission
        self._validator = validator
        self._journal = journal
        self._turn = turn
        self._application = application
        self._by_peer: dict[bytes, Endpoint] = {}
        self._by_number: dict[int, Endpoint] = {}

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(list(self._by_number.values()))

    def __getitem__(self, number: int) -> Endpoint:
        return self._by_number[number]

    def misaddressed(self, message: Message) -> str | None:
        """Why a connection's first message is no Logon for us at all, or None."""
        if message.msg_type != tags.LOGON:
            return "the first message is not a Logon"
        target = message.get(tags.TARGET_COMP_ID)
        if target != self._admission.settings.sender_comp_id:
            return f"TargetCompID (56) is {_shown(target)}, not ours"
        return None

    def claim(self, message: Message, outcome: Outcome | None = None) -> Endpoint | str:
        """The session that a connection's first message is for, or why it cannot be had.

        A reason is for the log only: a caller without a session gets no answer. `outcome` is how
        the caller has proved itself; a proof is used up whether or not the session can be had.
        """
        fault = self.misaddressed(message)
        if fault is not None:
            return fault
        sender = message.get(tags.SENDER_COMP_ID)
        if not sender or not self._admission.is_known(sender):
            return f"SenderCompID (49) {_shown(sender)} may not log on here"
        endpoint = self._by_peer.get(sender)
        if endpoint is None:
            if _COMP_ID.fullmatch(sender) is None:
                return f"SenderCompID (49) {_shown(sender)} is not 1 to 64 printable characters"
            is_open = self._admission.profiles is None
            if is_open and len(self._by_peer) >= self._admission.max_sessions:
                return f"the limit of {self._admission.max_sessions} sessions is reached"
            endpoint = self._add(len(self._by_number) + 1, sender)
            endpoint.begun_at = self._turn.open()
            self._journal.add(Kind.SESSION, endpoint.number, 0, 1, sender)
        if outcome is not None:
            endpoint.remember(outcome, is_online=False)
        if endpoint.wire is not None:
            is_in_order = outcome is None or not outcome.complaint
            if not self._admission.replaces_live or not is_in_order:
                return f"{_shown(sender)} is logged on already"
            endpoint.replace_wire()
        return endpoint

    def recover(
        self,
        progress: Callable[[float], None] | None = None,
        snapshots: Iterable[Snapshot | SnapshotError] = (),
    ) -> None:
        """Rebuild sessions from the journal, and have the application take back its inputs.

        Begins at the first of the `snapshots` that can be used. `progress(share)` is called after
        each batch, with 0 to 1. Raises JournalError.
        """
        snapshot = self._restored(snapshots)
        ledger = Ledger(snapshot.sessions if snapshot is not None else ())
        if snapshot is not None:
            self._journal.stamp = snapshot.stamp
        for batch in self._journal.recover(snapshot.place if snapshot is not None else None):
            ledger.take(batch)
            for record in batch.records:
                if record.kind in EXECUTED_KINDS:
                    self._application.on_recovered(record, batch.stamp)
            if progress is not None:
                progress(batch.share)
        ledger.forget_before(self._journal.begin)
        for state in ledger:
            self._add(state.number, state.comp_id).resume(state)

    @property
    def peers(self) -> Mapping[int, Endpoint]:
        """Every session by its number."""
        return self._by_number

    def snapshot(self) -> Snapshot:
        """Everything that there is to know, between two turns."""
        sessions = [endpoint.state() for endpoint in self]
        place, application = self._journal.place, self._application.snapshot()
        first = self._journal.begin >> OFFSET_BITS
        return Snapshot(place, self._journal.stamp, sessions, application, first)

    def forget_before(self, offset: int) -> None:
        """What was sent before an offset of the journal is not to be had any more."""
        for endpoint in self:
            endpoint.sent.table.forget_before(offset)

    def _restored(self, snapshots: Iterable[Snapshot | SnapshotError]) -> Snapshot | None:
        is_newest = True
        for found in snapshots:
            if isinstance(found, SnapshotError):
                log.warning("snapshot passed over", reason=str(found))
                is_newest = False
                continue
            if not self._journal.holds(found.place):
                raise JournalError(
                    f"{self._journal.path}: the journal ends before its snapshot at position "
                    f"{found.place.position}. Restore what is missing from a copy, or start with "
                    f"an empty --data."
                )
            # A newer one may have let go what this one does not need to go on from.
            needed = found.first_segment if is_newest else segment_of_last(found)
            gone = self._journal.release_before(found.first_segment, needed)
            if self._journal.path is not None:
                remove_segments(self._journal.path, gone)
            try:
                self._application.restore(found.application)
            except ValueError as error:
                raise JournalError(
                    f"{self._journal.path}: the newest snapshot cannot be used: {error}. Remove "
                    f"it, and the journal is read from an earlier one, or from its beginning."
                ) from error
            return found
        return None

    def _add(self, number: int, peer: bytes) -> Endpoint:
        profile = self._admission.profile(peer)
        session = Session(profile.settings, self._validator)
        endpoint = Endpoint(number, session, profile, self._journal, self._turn, self._application)
        self._by_peer[peer] = self._by_number[number] = endpoint
        return endpoint


def _shown(value: bytes | None) -> str:
    return "missing" if value is None else repr(value[:64].decode("latin-1"))
