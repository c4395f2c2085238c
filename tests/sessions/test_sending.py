"""What is sent in one call of C is what is sent in Python: numbers, bytes, records and places."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from fix_engine.message import Message
from sessions.application import Peer
from sessions.endpoint import Endpoint
from sessions.journal import Kind
from sessions.journal.gathering import NATIVE
from tests.sessions.harness import Desk, Line
from tests.sessions.test_streams import LOGON, SHARED


class Twin:
    """A desk and a client, whose session sends by its reference in Python where `is_plain`."""

    def __init__(self, is_plain: bool) -> None:
        self.is_plain = is_plain
        self.desk = Desk()
        self.desk.notes.answer = self._answer
        self.line = self.desk.line("CLIENT")
        self.choose()

    def choose(self) -> None:
        """The endpoint may be a new one."""
        endpoint = self.line.endpoint
        if self.is_plain:
            endpoint.send = endpoint._send_stored

    def _answer(self, peer: Peer, message: Message) -> None:
        for number in range(3):
            peer.send(b"8", b"37=%d\x01" % number, b"57=DESK\x01" if number == 1 else b"")

    def do(self, what: str, number: int, body: bytes) -> object:
        """One of the things that come between two messages."""
        endpoint, line, desk = self.line.endpoint, self.line, self.desk
        if what == "send":
            return endpoint.send(b"B", body)
        if what == "send by name":
            return endpoint.send(b"B", header=b"57=DESK\x01", body=body)
        if what == "stream":
            endpoint.stream(b"W", body, SHARED)
        elif what == "order" and endpoint.wire is line:
            line.order(f"ID-{number}")
        elif what == "test request" and endpoint.wire is line:
            line.send(f"35=1|112=T{number}|")
        elif what == "leave effects":  # somebody has not settled yet
            endpoint.session.send(b"B", body, desk.open_turn.open())
        elif what == "turns":
            desk.turns()
            desk.now += 1_000_000 * (number % 3)
        elif what == "lose" and endpoint.wire is line:
            line.lose()
        elif what == "come back" and endpoint.wire is None:
            self.line = Line(desk, "CLIENT")
            self.line.seq, self.line.sent = line.seq, line.sent
            self.line.send(LOGON)
            self.choose()
        return None

    def state(self) -> Any:
        """All that there is to be seen."""
        table = self.line.endpoint.sent.table
        return (
            self.line.endpoint.session.next_out,
            table.last_seq,
            [column.tolist() for column in table.columns()],
            self.line.sent,
            self.desk.notes.heard,
            self.desk.failures,
        )

    def records(self) -> list[tuple[Kind, int, int, bytes]]:
        """What is in the journal."""
        found = (one for batch in self.desk.journal.recover() for one in batch.records)
        return [(one.kind, one.seq, one.next_in, one.payload) for one in found]


OFTEN = ("send", "send", "send", "order", "turns")
SELDOM = ("send by name", "stream", "test request", "leave effects", "lose", "come back")


@pytest.mark.parametrize("seed", range(12))
def test_both_send_the_same(seed: int) -> None:
    chance, twins = Random(seed), [Twin(is_plain=True), Twin(is_plain=False)]
    for number in range(300):
        what = chance.choice(OFTEN if chance.random() < 0.8 else SELDOM)
        body = b"58=%b\x01" % (b"x" * chance.choice((0, 1, 30, 700)))
        first, second = (twin.do(what, number, body) for twin in twins)
        assert first == second, (seed, number, what)
        assert twins[0].state() == twins[1].state(), (seed, number, what)
    for twin in twins:
        twin.desk.turns()
    assert twins[0].records() == twins[1].records(), seed
    assert twins[0].line.endpoint.sent.table.last_seq > 100


def test_usual_messages_do_not_need_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    if NATIVE is None:
        pytest.skip("nothing is compiled")
    called: list[bytes] = []
    reference = Endpoint._send_stored

    def counted(self: Endpoint, msg_type: bytes, body: bytes, header: bytes = b"") -> int:
        called.append(body)
        return reference(self, msg_type, body, header)

    monkeypatch.setattr(Endpoint, "_send_stored", counted)
    twin = Twin(is_plain=False)
    twin.line.endpoint.send(b"B", b"58=opens the turn\x01")
    twin.line.endpoint.send(b"B", b"58=usual\x01")
    twin.line.endpoint.send(b"B", b"58=usual\x01", b"57=DESK\x01")
    twin.line.endpoint.session.send(b"B", b"58=waits\x01", twin.desk.now)
    twin.line.endpoint.send(b"B", b"58=behind it\x01")
    assert called == [b"58=opens the turn\x01", b"58=behind it\x01"]


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_wire_that_breaks_says_so(is_plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = Twin(is_plain)
    twin.line.endpoint.send(b"B", b"58=opens the turn\x01")

    def broken(line: Line, raw: bytes) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(Line, "write", broken)
    with pytest.raises(BrokenPipeError):
        twin.line.endpoint.send(b"B", b"58=lost\x01")
    assert twin.line.endpoint.session.next_out == 4, "the number is used"


@pytest.mark.parametrize("is_plain", [True, False])
@pytest.mark.parametrize("arguments", [(), (b"B",), (b"B", b"58=x\x01", b"", b"")])
def test_wrong_arguments_are_refused(is_plain: bool, arguments: tuple[bytes, ...]) -> None:
    twin = Twin(is_plain)
    send: Any = twin.line.endpoint.send
    with pytest.raises(TypeError):
        send(*arguments)
