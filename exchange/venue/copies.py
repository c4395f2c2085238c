"""Drop copies: what is reported of an account's orders goes to the sessions that watch it, too.

Copies come behind everything that a command has led to, so ExecIDs do not depend on who watches.
"""

from __future__ import annotations

from typing import Final

from exchange.commands import SetCopies
from exchange.events import Copied, Executed, OrderRejected
from exchange.venue.state import SessionState, VenueState

EVERY: Final = b"*"
_STATUS: Final = b"I"  # ExecType (150): an answer, not an event


class Copies:
    """Knows who watches which account; a venue in which nobody does never calls `add`."""

    def __init__(self, state: VenueState) -> None:
        self._state = state

    def entitle(self, session: SessionState, accounts: tuple[bytes, ...]) -> None:
        """Give a session copies of these accounts from here on, and of no others."""
        if session.copies != accounts:
            session.copies = accounts
            watch(self._state)

    def set(self, command: SetCopies) -> None:
        """What a session is entitled to has changed while it was away."""
        self.entitle(self._state.session(command.session), command.copies)

    def add(self) -> None:
        """Copy the reports of this command: one after the other, by session."""
        state, out = self._state, self._state.out
        for event in out[:]:
            if event.__class__ is Executed:
                if event.query is not None:
                    continue
                name = event.order.owner.name
            elif event.__class__ is OrderRejected and event.exec_type != _STATUS:
                name = state.sessions[event.session].account.name
            else:
                continue
            watchers = state.watchers.get(name)
            if watchers is None:
                watchers = state.watchers[name] = _watchers_of(name, state)
            for number in watchers:
                if number != event.session:
                    out.append(Copied(number, event, name))


def watch(state: VenueState) -> None:
    """Take up what sessions are entitled to."""
    state.watchers = {}
    state.has_watchers = any(one.copies for one in state.sessions.values())


def sees(copies: tuple[bytes, ...], account: bytes) -> bool:
    """Whether who is entitled to these accounts may see that one."""
    return account in copies or EVERY in copies


def _watchers_of(account: bytes, state: VenueState) -> tuple[int, ...]:
    return tuple(
        sorted(number for number, one in state.sessions.items() if sees(one.copies, account))
    )
