"""The inbound sequence by itself: what is kept, for how long, and when to ask."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fix_engine.message import Message
from fix_engine.sequence import MAX_EARLY_BYTES, MAX_EARLY_MESSAGES, InboundSequence
from tests.fix_engine.support import examples, message


def early(seq: int, size: int = 0) -> Message:
    return message(f"35=D|34={seq}|58={'x' * size}")


def drained(sequence: InboundSequence) -> list[int | None]:
    """The numbers of the messages whose turn has come; None for those only to be counted."""
    out: list[int | None] = []
    while True:
        found, kept = sequence.take_next()
        if not found:
            return out
        out.append(kept.seq if kept is not None else None)


def test_it_begins_where_it_is_told() -> None:
    assert InboundSequence().expected == 1
    assert InboundSequence(7).expected == 7


def test_early_messages_wait_for_their_turn() -> None:
    sequence = InboundSequence(2)
    for seq in (5, 3, 4):
        sequence.keep(seq, early(seq))
    assert sequence.early
    assert drained(sequence) == []
    sequence.expected += 1
    assert drained(sequence) == [3, 4, 5]
    assert sequence.expected == 6
    assert not sequence.early


def test_a_second_gap_holds_back_what_is_behind_it() -> None:
    sequence = InboundSequence(3)
    for seq in (3, 5):
        sequence.keep(seq, early(seq))
    assert drained(sequence) == [3]
    assert sequence.early
    assert sequence.expected == 4


def test_what_was_obeyed_when_it_came_is_only_counted() -> None:
    sequence = InboundSequence(1)
    sequence.keep(2, None)
    sequence.keep(1, early(1))
    assert drained(sequence) == [1, None]
    assert sequence.expected == 3


def test_the_latest_of_two_with_one_number_is_kept() -> None:
    sequence = InboundSequence(1)
    sequence.keep(1, message("35=D|34=1|58=first"))
    sequence.keep(1, message("35=D|34=1|58=second"))
    _, kept = sequence.take_next()
    assert kept is not None
    assert kept.get(b"58") == b"second"
    assert not sequence.early


def test_advance_drops_what_it_passes_over_and_nothing_else() -> None:
    sequence = InboundSequence(2)
    for seq in (3, 4, 6, 7):
        sequence.keep(seq, early(seq))
    sequence.advance(6)
    assert drained(sequence) == [6, 7]
    assert not sequence.early


def test_reset_forgets_everything() -> None:
    sequence = InboundSequence(9)
    sequence.keep(11, early(11))
    assert sequence.must_ask(11, poss_dup=False)
    sequence.reset()
    assert sequence.expected == 1
    assert not sequence.early
    sequence.reset(9)
    assert sequence.expected == 9
    assert sequence.must_ask(11, poss_dup=False)


# Bounds


def test_messages_kept_are_bounded_in_number() -> None:
    sequence = InboundSequence(1)
    for seq in range(2, MAX_EARLY_MESSAGES + 50):
        sequence.keep(seq, early(seq))
    sequence.expected = 2
    assert drained(sequence) == list(range(2, MAX_EARLY_MESSAGES + 2))


def test_numbers_only_to_be_counted_are_bounded_too() -> None:
    sequence = InboundSequence(1)
    for seq in range(2, MAX_EARLY_MESSAGES + 50):
        sequence.keep(seq, None)
    sequence.expected = 2
    assert len(drained(sequence)) == MAX_EARLY_MESSAGES


def test_messages_kept_are_bounded_in_bytes() -> None:
    sequence, big = InboundSequence(1), early(2, size=60_000)
    for seq in range(2, 100):
        sequence.keep(seq, big)
    sequence.expected = 2
    assert len(drained(sequence)) == MAX_EARLY_BYTES // len(big.raw)


def test_the_last_byte_of_room_is_used() -> None:
    sixteenth = early(2, size=MAX_EARLY_BYTES // 16 - len(early(2, size=50_000).raw) + 50_000)
    assert len(sixteenth.raw) * 16 == MAX_EARLY_BYTES
    sequence = InboundSequence(1)
    for seq in range(2, 30):
        sequence.keep(seq, sixteenth)
    sequence.expected = 2
    assert len(drained(sequence)) == 16


def test_small_messages_still_fit_where_a_big_one_does_not() -> None:
    sequence, big = InboundSequence(1), early(2, size=60_000)
    for seq in range(3, 100):
        sequence.keep(seq, big)
    sequence.keep(2, early(2))
    sequence.expected = 2
    assert drained(sequence)[0] == 2


def test_room_is_made_by_taking_advancing_replacing_and_resetting() -> None:
    big = early(2, size=60_000)
    room = MAX_EARLY_BYTES // len(big.raw)
    sequence = InboundSequence(2)
    for _ in range(3 * room):
        sequence.keep(sequence.expected, big)
        assert len(drained(sequence)) == 1, "taking"
    for _ in range(3 * room):
        sequence.keep(sequence.expected, big)
        sequence.advance(sequence.expected + 1)
        sequence.keep(sequence.expected, big)
        assert len(drained(sequence)) == 1, "advancing"
    for _ in range(3 * room):
        sequence.keep(sequence.expected, big)
    assert len(drained(sequence)) == 1
    sequence.keep(sequence.expected, big)
    assert len(drained(sequence)) == 1, "replacing"
    for seq in range(3 * room):
        sequence.keep(sequence.expected + 1 + seq, big)
    sequence.reset(5)
    sequence.keep(5, big)
    assert drained(sequence) == [2], "resetting"


# Asking


def test_a_gap_is_asked_for_once() -> None:
    sequence = InboundSequence(2)
    assert sequence.must_ask(5, poss_dup=False)
    assert not sequence.must_ask(6, poss_dup=False)
    assert not sequence.must_ask(7, poss_dup=False)


def test_it_is_not_asked_for_again_while_it_is_being_filled() -> None:
    sequence = InboundSequence(2)
    assert sequence.must_ask(5, poss_dup=False)
    sequence.expected = 4
    assert not sequence.must_ask(6, poss_dup=False)


def test_a_gap_behind_what_was_asked_for_is_asked_for() -> None:
    sequence = InboundSequence(2)
    assert sequence.must_ask(5, poss_dup=False)
    sequence.expected = 6
    assert sequence.must_ask(8, poss_dup=False)
    assert not sequence.must_ask(9, poss_dup=False)


def test_a_retransmission_that_skips_is_asked_for_again_and_once() -> None:
    sequence = InboundSequence(2)
    assert sequence.must_ask(9, poss_dup=False)
    sequence.expected = 4  # 2 and 3 have come again
    assert sequence.must_ask(5, poss_dup=True)
    assert not sequence.must_ask(6, poss_dup=True)
    assert not sequence.must_ask(10, poss_dup=False)


# Against a model: all messages kept, in a dictionary


commands = st.one_of(
    st.tuples(st.just("keep"), st.integers(1, 12)),
    st.tuples(st.just("count"), st.integers(1, 12)),
    st.tuples(st.just("arrive"), st.just(0)),
    st.tuples(st.just("advance"), st.integers(1, 4)),
)


@examples(120)
@given(st.lists(commands, max_size=30))
def test_nothing_is_lost_or_doubled(inputs: list[tuple[str, int]]) -> None:
    sequence = InboundSequence()
    model: dict[int, int | None] = {}
    for command, number in inputs:
        match command:
            case "keep" | "count" if number > sequence.expected:
                kept = early(number) if command == "keep" else None
                sequence.keep(number, kept)
                model[number] = number if kept else None
            case "arrive":
                sequence.expected += 1
            case "advance":
                sequence.advance(sequence.expected + number)
        model = {seq: kept for seq, kept in model.items() if seq >= sequence.expected}
        wanted = []
        upcoming = sequence.expected
        while upcoming in model:
            wanted.append(model.pop(upcoming))
            upcoming += 1
        assert drained(sequence) == wanted
        assert sequence.expected == upcoming
        assert bool(sequence.early) == bool(model)


def test_a_request_that_leads_to_nothing_is_made_again() -> None:
    """The request, or what came of it, was lost on the way: nothing moves."""
    second = 1_000_000_000
    sequence = InboundSequence(2)
    assert sequence.must_ask(5, False, 0)
    assert not sequence.must_ask(6, False, 4 * second)
    assert sequence.must_ask(7, False, 5 * second)
    assert not sequence.must_ask(8, False, 9 * second)
    sequence.expected = 3
    assert not sequence.must_ask(9, False, 11 * second), "it moves, if slowly"
    assert sequence.must_ask(10, False, 16 * second)
