"""Answers sent in C are those that plain_answer sends, in the same order, to the same sessions."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any, Final

import pytest

from exchange.answers import plain_answer as reference
from exchange.events import BusinessRejected, CancelRejected, MassQueryAnswered, VenueEvent
from fix_engine.message import Message, Shape
from tests.fuzz.codec import outcome
from tests.support.native import HUGE, Text, native, nothing_grows

MESSAGE: Final = Message(b"FIX.4.4", Shape(b"D", (b"35",)), [b"D"], b"")
plain_answer: Any = reference
CLASSES: Final = (BusinessRejected, CancelRejected, MassQueryAnswered)
ROUTE: Final = b"129=DESK\x01"
SESSIONS: Final = 4


class OddError(Exception):
    """One that nothing else raises."""


class Log(list[Any]):
    """What has happened; one that is to `fail` raises when it has come to so many entries."""

    def __init__(self, fails_at: int = -1) -> None:
        super().__init__()
        self._fails_at = fails_at

    def note(self, *entry: Any) -> None:
        self.append(entry)
        if len(self) == self._fails_at:
            raise OddError


class Peer:
    """A session that logs what it is sent."""

    def __init__(self, number: int, log: Log) -> None:
        self._number = number
        self._log = log

    def send(self, msg_type: bytes, body: bytes, header: bytes = b"") -> int:
        self._log.note("sent", self._number, msg_type, body, header)
        return 1


def encoders_of(log: Log) -> dict[Any, Any]:
    def encoder(kind: bytes) -> Any:
        def encode(event: VenueEvent, position: int, now: int) -> bytes:
            log.note("encoded", event, position, now)
            return b"58=%b %d\x01" % (kind, len(log))

        return encode

    return {one: (b"%d" % n, encoder(b"%d" % n)) for n, one in enumerate(CLASSES)}


def some_events(rng: Random) -> list[Any]:
    events: list[Any] = []
    for _ in range(rng.randint(0, 6)):
        session = rng.randrange(SESSIONS)
        events.append(
            rng.choice(
                (
                    BusinessRejected(session, MESSAGE, 5, b"text"),
                    CancelRejected(session, MESSAGE, None, 1, b""),
                    MassQueryAnswered(session, MESSAGE, 0, b""),
                )
            )
        )
    return events


def told(answer: Any, events: list[Any], arguments: list[Any], fails_at: int = -1) -> Any:
    """What came of it, and the log."""
    log = Log(fails_at)
    peers = {number: Peer(number, log) for number in range(SESSIONS)}
    return outcome(answer, events, encoders_of(log), peers, *arguments), log


@pytest.mark.parametrize("seed", range(4))
def test_both_send_the_same_in_the_same_order(seed: int) -> None:
    rng = Random(seed)
    routed = 0
    for _ in range(500):
        events, asker = some_events(rng), rng.choice((*range(SESSIONS), 99, HUGE))
        arguments = [rng.randrange(10**6), rng.randrange(HUGE), asker, rng.choice((ROUTE, b""))]
        expected = told(plain_answer, events, arguments)
        assert expected[0] is None
        assert len(expected[1]) == 2 * len(events)
        found = told(native.answer, events, arguments)
        assert found == expected
        assert all(  # the very event, position and time
            one is other
            for entry, same in zip(expected[1], found[1], strict=True)
            for one, other in zip(entry[1:], same[1:], strict=True)
            if entry[0] == "encoded"
        )
        routed += sum(entry[-1] == ROUTE for entry in found[1])
    assert routed > 50


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_sent_behind_an_error(seed: int) -> None:
    rng = Random(seed)
    for _ in range(200):
        events = [*some_events(rng), BusinessRejected(0, MESSAGE, 5, b"")]
        fails_at = rng.randint(1, 2 * len(events))
        expected = told(plain_answer, events, [1, 2, 3, ROUTE], fails_at)
        assert expected[0] is OddError
        assert len(expected[1]) == fails_at
        assert told(native.answer, events, [1, 2, 3, ROUTE], fails_at) == expected


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(
    "case", ["session", "unhashable", "class", "empty", "both", "stranger", "None"]
)
def test_events_that_cannot_be_sent(case: str, place: int) -> None:
    events: list[Any] = [BusinessRejected(n, MESSAGE, 5, b"") for n in range(3)]
    if case == "session":
        events[place].session = 77
    elif case == "unhashable":
        events[place].session = []
    elif case == "class":
        events[place] = type("Other", (BusinessRejected,), {})(1, MESSAGE, 5, b"")
    elif case == "both":
        events[place] = type("Other", (BusinessRejected,), {})(1, MESSAGE, 5, b"")
        del events[place].session
    elif case == "empty":
        del events[place].session
    else:
        events[place] = object() if case == "stranger" else None
    expected = told(plain_answer, events, [1, 2, 0, ROUTE])
    assert expected[0] in (KeyError, TypeError, AttributeError)
    assert told(native.answer, events, [1, 2, 0, ROUTE]) == expected


def test_a_stranger_is_found_before_anything_is_encoded() -> None:
    log = Log(1)
    events = [BusinessRejected(99, MESSAGE, 5, b"")]
    assert outcome(native.answer, events, encoders_of(log), {}, 1, 2, 0, ROUTE) is KeyError
    assert log == []


def test_events_that_come_while_others_are_sent_are_sent_too() -> None:
    for answer in (plain_answer, native.answer):
        log = Log()
        events: list[Any] = [BusinessRejected(0, MESSAGE, 5, b"")]

        def encode(event: Any, *_: int, events: list[Any] = events) -> bytes:
            if len(events) < 3:
                events.append(BusinessRejected(1, MESSAGE, 5, b""))
            return b""

        encoders = {BusinessRejected: (b"j", encode)}
        answer(events, encoders, {n: Peer(n, log) for n in range(2)}, 1, 2, 0, ROUTE)
        assert [entry[1] for entry in log] == [0, 1, 1]


def test_events_that_go_while_others_are_sent_are_not_sent() -> None:
    for answer in (plain_answer, native.answer):
        log = Log()
        events: list[Any] = [BusinessRejected(0, MESSAGE, 5, b"") for _ in range(3)]

        def encode(event: Any, *_: int, events: list[Any] = events) -> bytes:
            events.clear()
            return b"%d" % event.session

        encoders = {BusinessRejected: (b"j", encode)}
        answer(events, encoders, {0: Peer(0, log)}, 1, 2, 0, ROUTE)
        assert log == [("sent", 0, b"j", b"0", ROUTE)]


def test_peers_may_be_any_mapping() -> None:
    class Mapping:
        def __getitem__(self, number: int) -> Peer:
            return Peer(number, log)

    events = [BusinessRejected(n, MESSAGE, 5, b"") for n in range(3)]
    for answer in (plain_answer, native.answer):
        log = Log()
        peers: Any = defaultdict(lambda log=log: Peer(5, log))  # type: ignore[misc]
        encoders = encoders_of(log)
        answer(events, encoders, peers, 1, 2, 0, ROUTE)
        assert [entry[1] for entry in log[1::2]] == [5, 5, 5]
        answer(events, encoders, Mapping(), 1, 2, 0, Text(ROUTE))
        assert [entry[1] for entry in log[7::2]] == [0, 1, 2]


def test_wrong_arguments_are_type_errors() -> None:
    log = Log()
    event = BusinessRejected(0, MESSAGE, 5, b"")
    peers, right = {0: Peer(0, log)}, (1, 2, 0, ROUTE)
    encoders = encoders_of(log)
    wrong_events: Any = (event,), None, 5, {}, iter([event])
    for events in wrong_events:
        assert outcome(native.answer, events, encoders, peers, *right) is TypeError
    for count in range(7):
        assert outcome(native.answer, *([event], encoders, peers, *right)[:count]) is TypeError
    assert outcome(native.answer, [event], encoders, peers, *right, 8) is TypeError
    assert outcome(lambda: native.answer([event], encoders, peers, *right, more=1)) is TypeError
    encode = encoders[BusinessRejected][1]
    for wrong in ((b"j",), (b"j", encode, 5), [b"j", encode], None, (b"j", None)):
        found = outcome(native.answer, [event], {BusinessRejected: wrong}, peers, *right)
        assert found is TypeError
    for nothing in (None, 5):
        assert outcome(native.answer, [event], nothing, peers, *right) is TypeError
        assert outcome(native.answer, [event], encoders, nothing, *right) is TypeError
    assert outcome(native.answer, [event], encoders, {0: None}, *right) is AttributeError
    assert all(entry[0] != "sent" for entry in log)


def test_nothing_is_left_behind() -> None:
    class Quiet:
        def send(self, *_: bytes) -> None:
            return None

    def fails(*_: object) -> bytes:
        raise OddError

    quiet, body, position = Quiet(), bytes(50), 10**6
    events = [BusinessRejected(n, MESSAGE, 5, b"") for n in range(2)]
    stranger = CancelRejected(0, MESSAGE, None, 1, b"")
    peers: dict[int, Any] = {0: quiet, 1: quiet}
    right: dict[Any, Any] = {BusinessRejected: (b"j", lambda *_: body)}
    wrong: dict[Any, Any] = {BusinessRejected: (b"j", fails)}
    rest, one = (position, position, 0, ROUTE), events[:1]
    nothing_grows(
        [
            lambda: native.answer(events, right, peers, *rest),
            lambda: native.answer(one, wrong, peers, *rest),
            lambda: native.answer(one, right, {}, *rest),
            lambda: native.answer(one, right, {0: None}, *rest),
            lambda: native.answer(one, {BusinessRejected: [b"j", fails]}, peers, *rest),
            lambda: native.answer([stranger], right, peers, *rest),
            lambda: native.answer([None], right, peers, *rest),
            lambda: native.answer(one, right, peers),
        ],
        [
            *(*events, stranger, quiet, body, position, peers, right, wrong),
            *(ROUTE, BusinessRejected, None, fails),
        ],
    )
