"""A random conversation with the machine: mostly as it should be, never for long."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from fix_engine import tags
from fix_engine.errors import Reject
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.states import State
from fix_engine.timestamps import SECOND_NS, Precision
from fix_engine.wire import Decoder
from tests.fuzz.generate import Field, Generator, Unit, assemble
from tests.fuzz.machine import PEER, US, BrokenError, Machine, framed
from tests.fuzz.mutate import VALUES, hostile, mutate, split
from tests.support.messages import dictionary

EPISODE_INPUTS: Final = 250
_SOCKET_BYTES: Final = 1 << 16  # at a time
_ODD_NUMBERS: Final = (b"0", b"-1", b"x", b"", b"9" * 18, b"9" * 19, b"007", b"1.0")
_TYPES: Final = (b"D", b"D", b"F", b"G", b"H", b"0", b"1", b"2", b"3", b"4", b"4", b"A")


def drawn_settings(rng: Random) -> SessionSettings:
    """Settings of a session: mostly those of the open venue, sometimes with options."""
    settings = SessionSettings(US, PEER, echoed_logon_tags=(tags.CANCEL_ON_DISCONNECT,))
    if rng.random() < 0.4:
        settings.uses_next_expected = rng.random() < 0.6
        settings.adds_last_processed = rng.random() < 0.5
        settings.reset_on_logon = rng.random() < 0.2
        settings.is_test = rng.random() < 0.2
        settings.max_resend_repeats = rng.choice((1, 10))
        settings.precision = rng.choice(list(Precision))
        settings.gap_filled_types = rng.choice((frozenset[bytes](), frozenset((b"j",))))
    return settings


class Conversation:
    """Draws the inputs of one machine."""

    def __init__(self, rng: Random, machine: Machine) -> None:
        self.rng = rng
        self.machine = machine
        self.fed: list[bytes] = []
        hints: dict[bytes, Callable[[Random], bytes]] = {
            tags.BEGIN_SEQ_NO: lambda rng: b"%d" % rng.randint(0, machine.session.next_out),
            tags.END_SEQ_NO: lambda rng: b"%d" % rng.choice((0, 0, machine.session.next_out, 3)),
            tags.NEW_SEQ_NO: self._new_seq_no,
            tags.ENCRYPT_METHOD: lambda rng: rng.choice((b"0",) * 15 + (b"1",)),
            tags.HEART_BT_INT: lambda rng: rng.choice((b"30",) * 15 + (b"0", b"-5", b"9" * 18)),
            tags.RESET_SEQ_NUM_FLAG: lambda rng: rng.choice((b"N", b"Y", b"Y")),
            tags.MAX_MESSAGE_SIZE: lambda rng: rng.choice((b"65536",) * 9 + (b"1",)),
            tags.NEXT_EXPECTED_MSG_SEQ_NUM: self._next_expected,
            tags.TEST_MESSAGE_INDICATOR: lambda rng: rng.choice((b"N",) * 9 + (b"Y",)),
        }
        self.generator = Generator(rng, dictionary(), hints)

    def _new_seq_no(self, rng: Random) -> bytes:
        if rng.random() < 0.02:
            return rng.choice((b"0", b"9" * 18, b"9" * 12))
        return b"%d" % max(0, self.machine.session.next_in + rng.randint(-2, 5))

    def _next_expected(self, rng: Random) -> bytes:
        next_out = self.machine.session.next_out
        return b"%d" % rng.choice((next_out, max(1, next_out - 3), 1, next_out + 1, 0))

    def step(self) -> None:
        """One input, or one event around it."""
        rng, machine = self.rng, self.machine
        if machine.session.state is State.LOGGING_OUT and rng.random() < 0.2:
            machine.lose()
        if not machine.is_linked:
            if rng.random() < 0.1:
                machine.initiate(is_reset=rng.random() < 0.3)
            machine.connect()
        kind = rng.random()
        if kind < 0.02:
            machine.wait(rng.choice((0, 1, SECOND_NS, 5 * SECOND_NS, 31 * SECOND_NS)))
        elif kind < 0.06:
            says = machine.stream if rng.random() < 0.3 else machine.send
            says(rng.choice((b"x", b"=", b"a=b", b"\xff")))
        elif kind < 0.065:
            machine.lose()
        elif kind < 0.068:
            machine.log_out()
        if machine.fetch is not None and rng.random() < 0.5:
            machine.replay()
        if machine.is_linked:
            machine.totals.inputs += 1
            for piece in split(rng, self._input()):
                for start in range(0, len(piece), _SOCKET_BYTES):
                    chunk = piece[start : start + _SOCKET_BYTES]
                    self.fed.append(chunk)
                    machine.feed(chunk)

    def _input(self) -> bytes:
        rng, count = self.rng, 1
        early = self.machine.session.inbound.early
        if rng.random() < 0.002:
            return rng.choice((self._flood, self._endless, lambda: hostile(rng)))()
        if early and rng.random() < 0.3:
            return framed(self.machine, b"35=4\x0143=Y\x01123=Y\x0136=%d\x01" % min(early))
        if rng.random() < 0.1:
            count = rng.randint(2, 6)  # several in a packet
        next_in = self.machine.session.next_in
        raw = b"".join(self.message(next_in + n) for n in range(count))
        if rng.random() < 0.15:
            return mutate(rng, raw, self.message(next_in))[0]
        return raw

    def _flood(self) -> bytes:
        """More messages behind a gap than are kept."""
        first = self.machine.session.next_in + 2
        filler = b"x" * self.rng.choice((1, 1, 2_000))
        text = b"35=1\x01112=%b\x01" % filler
        return b"".join(framed(self.machine, text, first + n) for n in range(1_100))

    def _endless(self) -> bytes:
        """A message that does not end where it says, nor anywhere."""
        return b"8=FIX.4.4\x019=20\x01" + b"x" * self.rng.choice((40_000, 70_000))

    def message(self, next_in: int) -> bytes:
        """One message whose number should be `next_in`, sound or spoiled; its verdict is checked.

        Raises BrokenError when validation sees it otherwise.
        """
        rng = self.rng
        is_logged_on = self.machine.session.state is State.ACTIVE
        msg_type = rng.choice(_TYPES) if rng.random() < 0.9 else self.generator.msg_type()
        if not is_logged_on and rng.random() < 0.95:
            msg_type = tags.LOGON
        if is_logged_on and rng.random() < 0.002:
            msg_type = tags.LOGOUT
        header, is_plain = self._header(msg_type, next_in)
        body = self.generator.body(msg_type)
        if msg_type == tags.LOGON and not is_logged_on:
            body = [unit for unit in body if unit[0][0] != tags.RESET_SEQ_NUM_FLAG]
            if rng.random() < 0.3 or next_in >= 10**17:
                body.append([(tags.RESET_SEQ_NUM_FLAG, b"Y")])
                header = [
                    [(t, b"1" if t == tags.MSG_SEQ_NUM else v)] for ((t, v),) in _fields(header)
                ]
        expected = self.generator.damage(msg_type, body) if rng.random() < 0.25 else None
        raw = assemble(msg_type, header, body, self.generator.trailer())
        if is_plain:
            self._judge(raw, Reject(*expected) if expected else None)
        return raw

    def _judge(self, raw: bytes, expected: Reject | None) -> None:
        (message,) = Decoder().feed(raw)
        if not isinstance(message, Message):
            raise BrokenError(f"sound frame, but {message.reason}: {raw!r}")
        verdict = self.machine.validator.check(message)
        if verdict != expected:
            raise BrokenError(f"verdict {verdict}, expected {expected}: {raw!r}")

    def _header(self, msg_type: bytes, next_in: int) -> tuple[list[Unit], bool]:
        """The header, and whether nothing is wrong with it."""
        rng, machine = self.rng, self.machine
        number, is_plain = b"%d" % next_in, next_in < 10**18 - 10**10
        kind = rng.random()
        if kind < 0.02:
            number, is_plain = rng.choice(_ODD_NUMBERS), False
        elif kind < 0.08:
            number = b"%d" % (next_in + rng.choice((1, 1, 2, 3, 5, 50, 10**9)))
        elif kind < 0.11:
            number = b"%d" % max(0, next_in - rng.randint(1, 3))
        fields: list[Field] = [
            (tags.MSG_SEQ_NUM, number),
            (tags.SENDER_COMP_ID, PEER),
            (tags.SENDING_TIME, machine.time),
            (tags.TARGET_COMP_ID, US),
        ]
        if kind > 0.93 or (0.08 <= kind < 0.105):
            fields.append((tags.POSS_DUP_FLAG, b"Y"))
            if rng.random() < 0.95:
                fields.append((tags.ORIG_SENDING_TIME, machine.time))
        if rng.random() < 0.01:
            place = rng.randrange(len(fields))
            fields[place] = (fields[place][0], rng.choice(VALUES).replace(b"\x01", b""))
            is_plain = False
        return self.generator.header(fields), is_plain


def _fields(units: list[Unit]) -> list[Unit]:
    """The units that are one field."""
    return [unit for unit in units if len(unit) == 1]
