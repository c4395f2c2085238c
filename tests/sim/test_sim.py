"""Hundreds of seeds, and proof that the checker would notice."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

import pytest

from fix_engine import tags
from fix_engine.effects import Deliver, Effect, Fetch, Retransmit, Send, Store, Transmit
from tests.sim.checker import SimulationError, head
from tests.sim.node import Client, Server
from tests.sim.world import Options, Totals, World, simulate

Tamper = Callable[[Effect], list[Effect]]

CHUNKS, SEEDS = 8, 60  # what is beyond is for `python -m tests.sim`


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_both_ends_converge(chunk: int) -> None:
    totals = Totals()
    for seed in range(chunk * SEEDS + 1, (chunk + 1) * SEEDS + 1):
        totals.add(simulate(seed))
    # The weather has been bad enough to mean something.
    assert min(totals.cuts, totals.crashes, totals.resets, totals.asks, totals.resent) > 10
    assert totals.streamed > 500


def test_a_perfect_link_needs_no_asking() -> None:
    """Splits and delays are no faults: nobody has anything to ask for, or to say twice."""
    for seed in range(1, 21):
        totals = simulate(seed, Options(perfect=True))
        assert (totals.asks, totals.resent) == (0, 0), seed


def test_a_seed_is_the_same_every_time() -> None:
    worlds = [World(7, Options()) for _ in range(2)]
    totals = [world.run() for world in worlds]
    assert totals[0] == totals[1]
    assert worlds[0].trace.lines() == worlds[1].trace.lines()


# --- an end that does wrong is found out -------------------------------------------------


def _the_third(
    is_meant: Callable[[Effect], bool], then: Callable[[Effect], list[Effect]]
) -> Tamper:
    """Tamper with the third effect of a kind."""
    seen = count(1)

    def tamper(effect: Effect) -> list[Effect]:
        return then(effect) if is_meant(effect) and next(seen) == 3 else [effect]

    return tamper


def _is_deliver(effect: Effect) -> bool:
    return isinstance(effect, Deliver)


def _loses_one() -> Tamper:
    return _the_third(_is_deliver, lambda _: [])


def _shows_one_twice() -> Tamper:
    return _the_third(_is_deliver, lambda effect: [effect, effect])


def _swaps_two() -> Tamper:
    kept: list[Effect] = []

    def tamper(effect: Effect) -> list[Effect]:
        if not isinstance(effect, Deliver):
            return [effect]
        if not kept:
            kept.append(effect)
            return []
        return [effect, kept.pop()]

    return tamper


def _never_resends() -> Tamper:
    return lambda effect: [] if isinstance(effect, Fetch) else [effect]


def _asks_for_nothing() -> Tamper:
    """Gaps are noticed, and numbers used, but no ResendRequest is written."""

    def tamper(effect: Effect) -> list[Effect]:
        is_ask = isinstance(effect, Send) and head(effect.raw)[0] == tags.RESEND_REQUEST
        return [Store(effect.seq, effect.raw)] if is_ask and isinstance(effect, Send) else [effect]

    return tamper


def _says_it_again_as_new() -> Tamper:
    """Retransmits what it has just sent, without PossDupFlag."""
    return _the_third(
        lambda effect: isinstance(effect, Send),
        lambda effect: [effect, Retransmit(effect.raw)] if isinstance(effect, Send) else [],
    )


def _writes_without_storing() -> Tamper:
    return _the_third(
        lambda effect: isinstance(effect, Send),
        lambda effect: [Retransmit(effect.raw)] if isinstance(effect, Send) else [],
    )


def _changes_a_resend() -> Tamper:
    def tamper(effect: Effect) -> list[Effect]:
        if isinstance(effect, Retransmit):
            return [Retransmit(effect.raw.replace(b"58=app", b"58=App"))]
        return [effect]

    return tamper


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (_loses_one, "is shown app"),
        (_shows_one_twice, "is shown app"),
        (_swaps_two, "is shown "),
        (_never_resends, "no convergence"),
        (_asks_for_nothing, "no convergence"),
        (_says_it_again_as_new, "without PossDupFlag"),
        (_writes_without_storing, "otherwise than it is stored"),
        (_changes_a_resend, "with another content"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
@pytest.mark.parametrize("end", "AB")
def test_sabotage_is_noticed(make: Callable[[], Tamper], complaint: str, end: str) -> None:
    def sabotage(client: Client, server: Server) -> None:
        (client if end == "A" else server).tamper = make()

    assert complaint in _first_failure(Options(sabotage=sabotage))


def _stores_what_it_streams() -> Tamper:
    """So a resend brings it again."""
    return lambda effect: (
        [Send(effect.seq, effect.raw)] if isinstance(effect, Transmit) else [effect]
    )


def _streams_one_twice() -> Tamper:
    return _the_third(
        lambda effect: isinstance(effect, Transmit),
        lambda effect: [effect, Retransmit(effect.raw)] if isinstance(effect, Transmit) else [],
    )


def _streams_without_a_word_to_the_journal() -> Tamper:
    return lambda effect: [Retransmit(effect.raw)] if isinstance(effect, Transmit) else [effect]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (_stores_what_it_streams, "sends again what was streamed"),
        (_streams_one_twice, "without PossDupFlag"),
        (_streams_without_a_word_to_the_journal, "otherwise than it is stored"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
@pytest.mark.parametrize("end", "AB")
def test_sabotage_of_a_stream_is_noticed(
    make: Callable[[], Tamper], complaint: str, end: str
) -> None:
    def sabotage(client: Client, server: Server) -> None:
        (client if end == "A" else server).tamper = make()

    assert complaint in _first_failure(Options(sabotage=sabotage))


@pytest.mark.parametrize("end", "AB")
def test_a_number_that_was_not_reserved_is_noticed(end: str) -> None:
    def sabotage(client: Client, server: Server) -> None:
        (client if end == "A" else server).ahead = -1

    assert re.search(rf"{end} numbers (\d+) after \d+", _first_failure(Options(sabotage=sabotage)))


class _Forgetful(dict[int, bytes]):
    """A store that has lost its second message."""

    def __contains__(self, seq: object) -> bool:
        return seq != 2 and super().__contains__(seq)


@pytest.mark.parametrize("end", "AB")
def test_a_store_that_forgets_is_noticed(end: str) -> None:
    def sabotage(client: Client, server: Server) -> None:
        (client if end == "A" else server).durable.store = _Forgetful()

    assert "skips 2, an application message" in _first_failure(Options(sabotage=sabotage))


def test_a_failure_says_all_that_is_needed() -> None:
    def sabotage(client: Client, server: Server) -> None:
        server.tamper = _loses_one()

    text = _first_failure(Options(sabotage=sabotage))
    assert text.startswith("seed ")
    assert "A ACTIVE expects" in text
    assert "s A>B 35=C 34=" in text
    assert "python -m tests.sim --seed" in text


def _first_failure(options: Options) -> str:
    for seed in range(1, 40):
        try:
            simulate(seed, options)
        except SimulationError as error:
            return str(error)
    return "nobody noticed"
