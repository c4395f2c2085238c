"""Scripts for the session machine: inputs at the margin, the effects they must have indented.

    connect
    35=A|34=1|98=0|108=30
        send 35=A|34=1|98=0|108=30
        online
    wait 30
        after 30s: send 35=0|34=2
    35=5|34=2
        send 35=5|34=3
        offline logged out
        disconnect logged out

Inputs:

    connect                      a connection is made
    initiate 30                  we have made it, and send a Logon; "initiate 30 reset" with 141=Y
    lost REASON                  it is gone
    35=D|34=2|<order>            a message arrives; a first field 8= replaces FIX.4.4
    app 35=8|37=1                the application sends; "store ..." when nobody is there
    stream 35=W|262=x / 268=0    it sends what is not stored, own fields and shared ones
    replay                       the store answers the last "fetch FIRST LAST"
    wait SECONDS                 time passes, and timeout() is called whenever it is due
    logout TEXT                  we end the session

A message gets 49, 52 and 56 after its 34 unless it has them; "52=-" leaves one out. <now>, <now+5>
and <now-5> (seconds) are timestamps. In effects those three fields are checked, then left out.
Lines that begin with # are comments.

Whatever a script says, the driver holds the machine to what must always be true: see `_check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import ndiff
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

from hypothesis import settings

from fix_engine.dictionary import Dictionary
from fix_engine.effects import (
    Deliver,
    Disconnect,
    Effect,
    Fetch,
    Offline,
    Online,
    Reset,
    Retransmit,
    Send,
    Store,
    Transmit,
)
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.outbound import SharedFields
from fix_engine.resend import PAGE_MESSAGES
from fix_engine.session import Session
from fix_engine.states import State
from fix_engine.validation import Validator
from fix_engine.wire import Decoder, Garbled

SECOND: Final = 1_000_000_000
NOON: Final = 1_709_208_000 * SECOND  # 2024-02-29 12:00:00 UTC
US: Final = "ISLD"
PEER: Final = "TW44"
ORDER: Final = "11=id|55=MSFT|54=1|38=100|40=1|60=<now>"
SPECS: Final = Path(__file__).resolve().parents[2] / "specs"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def examples(count: int) -> settings:
    """Hypothesis as these tests use it: the same examples every time, and no clock."""
    return settings(max_examples=count, derandomize=True, database=None, deadline=None)


@cache
def dictionary() -> Dictionary:
    """Our own dictionary."""
    return Dictionary((SPECS / "FIX44.xml").read_bytes())


# Messages


def stamp(now: int) -> str:
    """UTCTimestamp with milliseconds, by way of datetime."""
    moment = _EPOCH + timedelta(microseconds=now // 1000)
    return moment.strftime("%Y%m%d-%H:%M:%S.") + f"{moment.microsecond // 1000:03}"


def expand(text: str, now: int = NOON) -> str:
    """The text with <order> and <now...> written out."""
    return re.sub(
        r"<now([+-]\d+)?>",
        lambda match: stamp(now + int(match[1] or 0) * SECOND),
        text.replace("<order>", ORDER),
    )


def frame(text: str) -> bytes:
    """The bytes of "35=0|34=2|...", with the right 8=, 9= and 10= unless it brings its own."""
    parts = text.removesuffix("|").split("|")
    begin = parts.pop(0) if parts[0].startswith("8=") else "8=FIX.4.4"
    length = parts.pop(0) if parts and parts[0].startswith("9=") else None
    trailer = parts.pop() if parts and parts[-1].startswith("10=") else None
    body = "".join(f"{part}\x01" for part in parts)
    head = f"{begin}\x01{length or f'9={len(body)}'}\x01{body}".encode("latin-1")
    return head + (trailer or f"10={sum(head) % 256:03}").encode("latin-1") + b"\x01"


def decode(raw: bytes) -> Message:
    """The one message that these bytes are."""
    (message,) = Decoder().feed(raw)
    assert isinstance(message, Message), message
    return message


def message(text: str) -> Message:
    """The message of "35=0|34=2|...", read by a decoder of its own."""
    return decode(frame(expand(text)))


def show(item: Message | Garbled) -> str:
    """A decoded message as its fields, or why it is none."""
    if isinstance(item, Garbled):
        return f"{'fatal' if item.fatal else 'garbled'}: {item.reason}"
    return b"|".join(tag + b"=" + value for tag, value in item.pairs()).decode("latin-1")


# The session machine, by script


class Driver:
    """A Session, its clock and its store, driven by lines of text."""

    def __init__(self, next_in: int = 1, next_out: int = 1, **options: Any) -> None:
        parties = SessionSettings(US.encode(), PEER.encode(), **options)
        self.session = Session(parties, Validator(dictionary()))
        self.session.resume(next_in, next_out)
        self.now = NOON
        self.stored: dict[int, bytes] = {}
        self._decoder = Decoder()
        self._last_out = next_out - 1
        self._last_delivered = 0
        self._fetch: Fetch | None = None
        self._linked = self._online = False

    @property
    def fetched(self) -> bool:
        """Whether there has been a Fetch, so that "replay" has something to answer."""
        return self._fetch is not None

    def do(self, line: str) -> list[str]:
        """The effects of one input line."""
        command, _, rest = line.partition(" ")
        session = self.session
        before = session.next_in
        match command:
            case "connect":
                self._linked = True
                session.connected(self.now)
            case "initiate":
                self._linked = True
                seconds, _, reset = rest.partition(" ")
                session.initiate(int(seconds), self.now, reset=reset == "reset")
            case "lost":
                session.disconnected(rest)
                self._linked = False
            case "app":
                msg_type, _, body = expand(rest, self.now).removeprefix("35=").partition("|")
                fields = body.replace("|", "\x01") + "\x01" if body else ""
                session.send(msg_type.encode(), fields.encode("latin-1"), self.now)
            case "stream":
                msg_type, _, body = expand(rest, self.now).removeprefix("35=").partition("|")
                own, shared = (
                    (part.strip() + "|").replace("|", "\x01").encode() if part.strip() else b""
                    for part in body.split("/")
                )
                session.stream(msg_type.encode(), own, SharedFields.of(shared), self.now)
            case "replay":
                assert self._fetch is not None
                wanted = range(self._fetch.begin, self._fetch.end + 1)
                found = [(n, self.stored[n]) for n in wanted if n in self.stored]
                session.replay(found[: self._fetch.at_most], self.now)
            case "wait":
                return self._wait(float(rest))
            case "logout":
                session.logout(rest.encode("latin-1"), self.now)
            case _:
                assert command.startswith(("8=", "35=")), line
                self.receive(line)
        return self.take(before)

    def receive(self, line: str) -> None:
        """Let a message arrive; its effects stay to be taken."""
        begin, _, rest = line.partition("|") if line.startswith("8=") else ("", "", line)
        parts = rest.removesuffix("|").split("|")
        place = next((i for i, part in enumerate(parts) if part.startswith("34=")), 0) + 1
        for standard in (f"56={US}", "52=<now>", f"49={PEER}"):
            tag = standard[:3]
            if not any(part.startswith(tag) for part in parts):
                parts.insert(place, standard)
        text = "|".join(part for part in parts if not part.endswith("=-"))
        for found in self._decoder.feed(
            frame(expand(f"{begin}|{text}" if begin else text, self.now))
        ):
            assert isinstance(found, Message), found
            self.session.receive(found, self.now)

    def _wait(self, seconds: float) -> list[str]:
        start, end = self.now, self.now + int(seconds * SECOND)
        shown: list[str] = []
        while (due := self.session.deadline()) is not None and due <= end:
            before = self.session.next_in
            if due > self.now:
                self.session.timeout(due - 1)
                assert not self.take(before), "timeout() acted before its deadline"
            self.now = max(due, self.now)
            self.session.timeout(self.now)
            after = f"after {(self.now - start) / SECOND:g}s"
            effects = self.take(before)
            assert effects, "timeout() did nothing at its deadline"
            shown += [f"{after}: {effect}" for effect in effects]
        self.now = end
        return shown

    def _all_effects(self) -> Iterator[Effect]:
        """As the contract says: taken until nothing is left."""
        while effects := self.session.take_effects():
            yield from effects

    def take(self, next_in: int = 1) -> list[str]:
        """The effects so far; the inbound sequence was at `next_in` before them."""
        shown: list[str] = []
        for effect in self._all_effects():
            self._check(effect)
            if isinstance(effect, Reset):
                next_in = 1
            shown.append(self.describe(effect))
        assert self.session.next_in >= next_in, "the inbound sequence went back"
        assert self.session.next_out == self._last_out + 1
        assert self._linked == (self.session.state is not State.DISCONNECTED)
        assert self._online == (self.session.state in (State.ACTIVE, State.LOGGING_OUT))
        return shown

    def _check(self, effect: Effect) -> None:
        """What is true of every effect, in every state, whatever the peer does."""
        match effect:
            case Send(seq, raw) | Store(seq, raw) | Transmit(seq, raw):
                assert seq == self._last_out + 1, "numbers are contiguous"
                assert raw.split(b"\x01")[3] == b"34=%d" % seq
                assert self._linked or isinstance(effect, Store)
                self._last_out = seq
                if not isinstance(effect, Transmit):
                    self.stored[seq] = raw
            case Retransmit(raw):
                assert self._linked
                assert b"\x0143=Y\x01" in raw
                assert int(raw.split(b"\x01")[3].removeprefix(b"34=")) <= self._last_out
            case Fetch(begin, end, at_most):
                assert 1 <= begin <= end <= self._last_out
                assert at_most == PAGE_MESSAGES
                self._fetch = effect
            case Deliver(delivered):
                assert self._online
                assert delivered.seq is not None
                assert self._last_delivered < delivered.seq, "in order, and once"
                self._last_delivered = delivered.seq
            case Online():
                assert self._linked
                assert not self._online
                self._online = True
            case Offline():
                assert self._online
                self._online = False
            case Reset():
                self._last_out = self._last_delivered = 0
                self.stored.clear()
            case Disconnect():
                assert self._linked
                self._linked = False

    def describe(self, effect: Effect) -> str:
        """An effect as the scripts write it."""
        match effect:
            case Send(_, raw):
                return f"send {self._fields(raw)}"
            case Store(_, raw):
                return f"store {self._fields(raw)}"
            case Transmit(_, raw):
                return f"stream {self._fields(raw)}"
            case Retransmit(raw):
                return f"again {self._fields(raw)}"
            case Fetch(begin, end):
                return f"fetch {begin} {end}"
            case Deliver(delivered):
                return f"deliver {delivered.msg_type.decode('latin-1')} {delivered.seq}"
            case Offline(reason):
                return f"offline {reason}"
            case Disconnect(reason):
                return f"disconnect {reason}"
        return type(effect).__name__.lower()

    def _fields(self, raw: bytes) -> str:
        parts = raw.decode("latin-1").split("\x01")
        assert frame("|".join(parts[2:-2])) == raw, "BodyLength and CheckSum are right"
        del parts[-2:], parts[:2]
        for own in (f"49={US}", f"56={PEER}", f"52={stamp(self.now)}"):
            assert parts.count(own) == 1, own
            parts.remove(own)
        for place, part in enumerate(parts):
            if part.startswith("122="):
                sent = datetime.strptime(part, "122=%Y%m%d-%H:%M:%S.%f").replace(tzinfo=UTC)
                age = (self.now // 1_000_000) / 1000 - sent.timestamp()
                parts[place] = f"122=<now-{age:g}>" if age else "122=<now>"
        return "|".join(parts)


def play(*scripts: str, driver: Driver | None = None, **options: Any) -> Driver:
    """Play scripts from their first line to their last; what happens must be what they say."""
    driver = driver or Driver(**options)
    lines = [line.rstrip() for script in scripts for line in dedent(script).splitlines()]
    expected = [line for line in lines if line and not line.lstrip().startswith("#")]
    actual: list[str] = []
    for line in expected:
        if not line.startswith(" "):
            actual.append(line)
            actual += [f"    {effect}" for effect in driver.do(line)]
    if actual != expected:
        raise AssertionError("\n".join(["not as scripted:", *ndiff(expected, actual)]))
    return driver


LOGGED_ON: Final = """
    connect
    35=A|34=1|98=0|108=30
        send 35=A|34=1|98=0|108=30
        online
"""


def logged_on(**options: Any) -> Driver:
    """A driver whose session has been logged on: next in 2, next out 2."""
    return play(LOGGED_ON, **options)
