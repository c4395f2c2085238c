"""A loop is kept awake for its time after something has happened, and sleeps otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sessions.busy_poll import BusyPoll
from sessions.journal import Durability, Journal, Kind
from sessions.turn import Turn
from tests.sessions.harness import Desk
from tests.sessions.tcp import Run, eventually, house


class Loop:
    """What is to be called soon, and a clock that a round moves on."""

    def __init__(self) -> None:
        self.now = 1_000
        self.soon: list[Callable[[], None]] = []

    def rounds(self, most: int, each_ns: int) -> int:
        """Go on until there is nothing to be called; how many rounds that was."""
        for done in range(most):
            if not self.soon:
                return done
            due, self.soon[:] = list(self.soon), []
            for callback in due:
                callback()
            self.now += each_ns
        return most


def test_it_polls_for_its_time_and_no_longer() -> None:
    loop = Loop()
    poll = BusyPoll(100, loop.soon.append, lambda: loop.now, lambda: False)
    assert loop.rounds(9, 10) == 0, "nothing has happened"
    poll.stir()
    assert loop.rounds(99, 10) == 11
    assert loop.rounds(99, 10) == 0


def test_what_happens_meanwhile_prolongs_it_and_is_polled_for_once() -> None:
    loop = Loop()
    poll = BusyPoll(100, loop.soon.append, lambda: loop.now, lambda: False)
    for _ in range(5):
        poll.stir()
        assert len(loop.soon) == 1
        loop.rounds(5, 10)
    assert loop.rounds(99, 10) == 6
    poll.stir()
    assert loop.rounds(99, 10) == 11, "and again, later"


def test_it_leaves_the_interpreter_to_the_sync_that_is_waited_for() -> None:
    loop, syncing = Loop(), [True]
    poll = BusyPoll(100, loop.soon.append, lambda: loop.now, lambda: syncing[0])
    poll.stir()
    assert loop.rounds(99, 10) == 1
    syncing[0] = False
    poll.stir()
    assert loop.rounds(5, 10) == 5
    syncing[0] = True
    assert loop.rounds(99, 10) == 1


def test_a_turn_settles_until_its_batch_is_durable(tmp_path: Path) -> None:
    loop, stirred = Loop(), list[bool]()
    journal = Journal(tmp_path, Durability.FSYNC)
    turn = Turn(
        journal,
        lambda: loop.now,
        loop.soon.append,
        lambda error: None,
        lambda: stirred.append(turn.is_settling),
    )
    durable = threading.Event()

    def call_soon(callback: Callable[[], None]) -> None:
        loop.soon.append(callback)
        durable.set()

    journal.settle_with(call_soon, turn.settled, turn.fail)
    turn.open()
    journal.add(Kind.TIME, 0, 0, 0)
    loop.rounds(1, 10)
    assert stirred == [True]
    assert durable.wait(10)
    loop.rounds(9, 10)
    assert stirred == [True, False]
    journal.close()


def test_a_turn_stirs_when_its_round_is_over() -> None:
    stirred: list[int] = []
    loop = Loop()
    turn = Turn(
        Journal(Path(), Durability.MEMORY),
        lambda: loop.now,
        loop.soon.append,
        lambda error: None,
        lambda: stirred.append(loop.now),
    )
    turn.open()
    turn.after(lambda: None)
    assert stirred == []
    loop.rounds(9, 10)
    assert stirred == [1_000]


def test_without_it_nothing_is_to_be_called_between_turns() -> None:
    desk = Desk()
    desk.line("CLIENT")
    assert desk.due == []


def test_a_server_that_polls_serves_and_comes_to_rest(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    polls: list[BusyPoll] = []
    poll = BusyPoll._poll

    def counted(self: BusyPoll) -> None:
        polls.append(self)
        poll(self)

    monkeypatch.setattr(BusyPoll, "_poll", counted)

    async def scenario() -> None:
        async with house(busy_poll_ns=2_000_000) as venue:
            clients = [await venue.client(name) for name in ("ONE", "TWO")]
            for client in clients:
                assert await client.fence() == []
            assert len(polls) > 2, "it has looked again and again"
            await eventually(lambda: not polls[0]._is_polling)

    run(scenario())
