"""Random conversations with the machine, short enough for every run of the tests."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fix_engine.errors import Reject, RejectReason
from fix_engine.message import Message
from fix_engine.outbound import Outbound
from fix_engine.session import Session
from fix_engine.validation import Validator
from fix_engine.wire import Decoder, Garbled
from tests.fuzz.conversation import Conversation, drawn_settings
from tests.fuzz.corpus import as_fuzzer_dictionary, scenario_messages
from tests.fuzz.generate import Field, Generator, assemble
from tests.fuzz.machine import PEER, US, BrokenError, Machine, Totals
from tests.fuzz.mutate import mutate, repair, split
from tests.fuzz.target import run_input, seeds
from tests.support.messages import dictionary

_HEADER: list[Field] = [
    *((b"34", b"2"), (b"49", PEER), (b"52", b"20240229-12:00:00"), (b"56", US)),
]
numbers = st.integers(0, 2**32 - 1)  # seeds: hypothesis drawing every choice itself is slow


def examples(count: int) -> settings:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=slow,
    )


def converse(seeds: range, steps: int) -> Totals:
    """A conversation for each seed; what they came to."""
    totals = Totals()
    for seed in seeds:
        rng = Random(seed)
        conversation = Conversation(rng, Machine(totals, settings=drawn_settings(rng)))
        for _ in range(steps):
            try:
                conversation.step()
            except Exception as error:
                error.add_note(f"python -m tests.fuzz machine --seed {seed}")
                raise
    return totals


@pytest.mark.parametrize("seed", range(1, 9))
def test_no_conversation_breaks_the_machine(seed: int) -> None:
    totals = converse(range(seed, seed + 1), 120)
    assert totals.inputs > 80
    assert totals.messages > 40


def test_conversations_get_far() -> None:
    """A fuzzer that is refused at the door finds nothing."""
    totals = converse(range(1, 7), 80)
    assert totals.logons > 10
    assert totals.delivered > 30
    assert totals.garbled > 10
    assert totals.retransmitted > 10


@examples(12)
@given(st.randoms(use_true_random=False), st.integers(1, 8))
def test_no_short_conversation_breaks_it_either(rng: Random, steps: int) -> None:
    conversation = Conversation(rng, Machine())
    for _ in range(steps):
        conversation.step()


@examples(150)
@given(numbers, st.sampled_from(sorted(dictionary().messages)))
def test_a_sound_message_is_valid_whatever_is_in_it(seed: int, msg_type: bytes) -> None:
    generator = Generator(Random(seed), dictionary())
    header, body = generator.header(_HEADER, 0.3), generator.body(msg_type)
    (found,) = Decoder().feed(assemble(msg_type, header, body, generator.trailer()))
    assert isinstance(found, Message)
    assert Validator(dictionary()).check(found) is None


@examples(250)
@given(numbers, st.sampled_from(sorted(dictionary().messages)))
def test_a_spoiled_message_is_rejected_for_what_is_wrong_with_it(
    seed: int, msg_type: bytes
) -> None:
    generator = Generator(Random(seed), dictionary())
    header, body = generator.header(_HEADER, 0.1), generator.body(msg_type)
    expected = generator.damage(msg_type, body)
    validator, decoder = Validator(dictionary()), Decoder()
    raw = assemble(msg_type, header, body, generator.trailer())
    for found in decoder.feed(raw + raw):  # the second time by the remembered shape
        assert isinstance(found, Message)
        assert validator.check(found) == (Reject(*expected) if expected else None)


@examples(150)
@given(numbers, st.lists(st.sampled_from(scenario_messages()), min_size=1, max_size=4))
def test_mutated_streams_are_read_alike_however_they_are_cut(seed: int, texts: list[bytes]) -> None:
    rng, stream = Random(seed), b""
    for text in texts:
        raw = repair(b"8=FIX.4.4\x019=0\x01" + text + b"10=000\x01")
        stream += mutate(rng, raw, stream or raw)[0]
    whole, cut = Decoder(), Decoder()
    expected = [item.raw for item in whole.feed(stream) if isinstance(item, Message)]
    found = [item for piece in split(rng, stream) for item in cut.feed(piece)]
    single = Decoder()
    singly = single.feed(stream, at_most=1)
    while more := single.feed(b"", at_most=1):
        singly += more
    if not any(isinstance(item, Garbled) and item.fatal for item in found):
        assert [item.raw for item in found if isinstance(item, Message)] == expected
        assert [item.raw for item in singly if isinstance(item, Message)] == expected


def test_what_the_guided_fuzzer_begins_with_breaks_nothing_and_gets_far() -> None:
    machines = [run_input(data) for data in seeds()]
    assert all(machine.totals.messages + machine.totals.garbled for machine in machines)
    assert sum(machine.totals.delivered for machine in machines) > 20
    assert sum(machine.totals.retransmitted for machine in machines) > 20


def test_the_guided_fuzzer_has_a_dictionary() -> None:
    assert as_fuzzer_dictionary().startswith('"\\x01"\n')


def _numbers_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    number = Outbound.number

    def skipping(self: Outbound, *args: Any, **more: Any) -> tuple[int, bytes]:
        self.next_seq += self.next_seq == 7
        return number(self, *args, **more)

    monkeypatch.setattr(Outbound, "number", skipping)


def _gaps_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def obey(self: Session, seq: int, message: Message | None, now: int, **_: Any) -> None:
        if message is not None:
            self._obey(message, seq, now)

    monkeypatch.setattr(Session, "_came_early", obey)


def _low_numbers_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    def low(expected: int, seq: int) -> bytes:
        raise IndexError(seq)

    monkeypatch.setattr("fix_engine.session.too_low_text", low)


def _rejects_are_no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RejectReason, "text", b"broken\x01in two")


@pytest.mark.parametrize(
    "spoil", [_numbers_skip, _gaps_are_ignored, _low_numbers_raise, _rejects_are_no_messages]
)
def test_a_fault_in_the_machine_is_found(
    spoil: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fuzzer that cannot find anything is a defect too."""
    spoil(monkeypatch)
    with pytest.raises((BrokenError, IndexError)):
        converse(range(1, 20), 120)
