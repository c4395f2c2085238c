"""Two machines, an acceptor and an initiator, and a link between them that loses things."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fix_engine.effects import (
    Deliver,
    Disconnect,
    Fetch,
    Offline,
    Online,
    Reset,
    Retransmit,
    Send,
    Store,
)
from fix_engine.logon import SessionSettings
from fix_engine.session import Session
from fix_engine.states import State
from fix_engine.validation import Validator
from fix_engine.wire import Decoder
from tests.fix_engine.support import NOON, PEER, SECOND, US, dictionary, examples, expand

BODIES = {
    b"D": "11={}|55=X|54=1|38=1|40=1|60=<now>",
    b"8": "37=o|17={}|150=0|39=0|55=X|54=1|151=1|14=0|6=0",
}
ID = {b"D": b"11", b"8": b"17"}


class End:
    """A session with its store, its decoder and its application."""

    def __init__(self, own: str, other: str, msg_type: bytes) -> None:
        parties = SessionSettings(own.encode(), other.encode())
        self.session = Session(parties, Validator(dictionary()))
        self.msg_type = msg_type
        self.stored: dict[int, bytes] = {}
        self.decoder = Decoder()
        self.outbox: list[bytes] = []
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.loses_next = False
        self.is_online = False

    def send(self, now: int) -> None:
        """Send an application message with an id of its own."""
        number = b"%d" % len(self.sent)
        self.sent.append(number)
        body = expand(BODIES[self.msg_type].format(number.decode()), now).replace("|", "\x01")
        self.session.send(self.msg_type, body.encode() + b"\x01", now)

    def settle(self, now: int) -> None:
        """Carry out what the machine wants, until it wants nothing more."""
        while effects := self.session.take_effects():
            for effect in effects:
                match effect:
                    case Send(seq, raw) | Store(seq, raw):
                        self.stored[seq] = raw
                        if isinstance(effect, Send) and not self._is_lost(raw):
                            self.outbox.append(raw)
                    case Retransmit(raw):
                        self.outbox.append(raw)
                    case Fetch(begin, end, at_most):
                        wanted = [(n, self.stored[n]) for n in range(begin, end + 1)]
                        self.session.replay(wanted[:at_most], now)
                    case Deliver(message):
                        self.received.append(message.get(ID[message.msg_type]) or b"")
                    case Online():
                        self.is_online = True
                    case Offline():
                        self.is_online = False
                    case Reset():
                        self.stored.clear()
                    case Disconnect(reason):
                        raise AssertionError(reason)

    def _is_lost(self, raw: bytes) -> bool:
        lost = self.loses_next and b"\x0135=%b\x01" % self.msg_type in raw
        self.loses_next = self.loses_next and not lost
        return lost


class Pair:
    """Both ends, and the link: in order, and complete but for what is told to be lost."""

    def __init__(self) -> None:
        self.acceptor = End(US, PEER, b"8")
        self.initiator = End(PEER, US, b"D")
        self.now = NOON

    def connect(self) -> None:
        """A new connection; nothing when there is one."""
        if self.initiator.session.state is State.DISCONNECTED:
            self.acceptor.session.connected(self.now)
            self.initiator.session.initiate(30, self.now)

    def cut(self) -> None:
        """The connection is lost, and what is on its way with it; sends go to the store."""
        for end in (self.acceptor, self.initiator):
            end.session.disconnected("cut")
            end.settle(self.now)
            end.outbox.clear()

    def pump(self, most: int = 10_000) -> None:
        """Let messages through, in turn from either end, until all is quiet or enough is done."""
        ends = [(self.acceptor, self.initiator), (self.initiator, self.acceptor)]
        for end, _ in ends:
            end.settle(self.now)
        for _ in range(most):
            if not (self.acceptor.outbox or self.initiator.outbox):
                break
            for here, there in ends:
                if here.outbox:
                    self._pass(here.outbox.pop(0), there)
        else:
            assert most < 10_000, "they never fall silent"

    def wait(self) -> None:
        """Time passes until both have sent a Heartbeat."""
        self.now += 30 * SECOND
        for end in (self.acceptor, self.initiator):
            end.session.timeout(self.now)

    def _pass(self, raw: bytes, there: End) -> None:
        for message in there.decoder.feed(raw):
            there.session.receive(message, self.now)  # type: ignore[arg-type]
        there.settle(self.now)


def test_they_log_on_and_talk() -> None:
    pair = Pair()
    pair.connect()
    pair.pump()
    assert pair.acceptor.is_online
    assert pair.initiator.is_online
    pair.initiator.send(pair.now)
    pair.acceptor.send(pair.now)
    pair.pump()
    assert pair.acceptor.received == pair.initiator.sent
    assert pair.initiator.received == pair.acceptor.sent


def test_two_that_both_miss_something_do_not_wait_for_each_other() -> None:
    """QuickFIX 20, at both ends at once."""
    pair = Pair()
    pair.connect()
    pair.pump()
    for end in (pair.acceptor, pair.initiator):
        end.loses_next = True
        end.send(pair.now)
        end.send(pair.now)
    pair.pump()
    assert pair.acceptor.received == pair.initiator.sent
    assert pair.initiator.received == pair.acceptor.sent


def test_what_is_sent_before_anybody_meets_arrives() -> None:
    pair = Pair()
    for _ in range(600):
        pair.acceptor.send(pair.now)
    pair.acceptor.settle(pair.now)
    pair.connect()
    pair.pump()
    assert pair.initiator.received == pair.acceptor.sent


@examples(150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*["send"] * 5, "lose", "cut", "connect", "trickle", "pump", "wait"]),
            st.booleans(),
            st.integers(1, 3),
        ),
        max_size=40,
    )
)
def test_every_message_arrives_once_and_in_order(steps: list[tuple[str, bool, int]]) -> None:
    pair = Pair()
    for step, at_acceptor, count in steps:
        end = pair.acceptor if at_acceptor else pair.initiator
        match step:
            case "send" | "lose":
                end.loses_next = step == "lose"
                for _ in range(count):
                    end.send(pair.now)
                end.settle(pair.now)
            case "connect":
                pair.connect()
            case "cut":
                pair.cut()
            case "trickle":
                pair.pump(most=count)
            case "pump":
                pair.pump()
            case "wait" if pair.initiator.is_online and pair.acceptor.is_online:
                pair.pump()
                pair.wait()
                pair.pump()
        for here, there in ((pair.acceptor, pair.initiator), (pair.initiator, pair.acceptor)):
            assert here.received == there.sent[: len(here.received)]
    pair.acceptor.loses_next = pair.initiator.loses_next = False
    pair.connect()
    pair.pump()
    pair.wait()  # a Heartbeat shows what is missing at the very end
    pair.pump()
    assert pair.acceptor.received == pair.initiator.sent
    assert pair.initiator.received == pair.acceptor.sent
