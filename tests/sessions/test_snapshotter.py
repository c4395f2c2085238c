"""When a venue has a snapshot made of it, what it does about the result, and what it forgets."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from sessions.journal import Kind
from sessions.snapshotter import SnapshotPlan, Snapshotter
from tests.support.world import World

Run = Callable[[Coroutine[Any, Any, None]], None]
EVERY = 1_000
MADE = """echo '{"file": "some-file", "position": 7, "first_segment": %d}'"""
PATIENCE_S = 5.0


@pytest.fixture(autouse=True)
def small_growth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.journal.segment._CHUNK", 1 << 13)
    for name in ("fsync", "fdatasync"):  # nothing here asks what a loss of power leaves
        monkeypatch.setattr(f"os.{name}", lambda fd: None)


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    with capture_logs() as entries:
        yield entries


class Timer:
    """Time that only tests let pass."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        assert seconds <= 2
        self.due.append(callback)
        return self

    def cancel(self) -> None:
        self.due.clear()

    def tick(self) -> None:
        due, self.due[:] = list(self.due), []
        for callback in due:
            callback()


class Desk:
    """A venue with its snapshotter, whose command is a line for the shell."""

    def __init__(self, home: Path, command: str, every: int = EVERY) -> None:
        self.home = home
        self.data = home / "data"
        self.world = World(self.data, segment_bytes=600)
        self.client = self.world.client("C")
        self.timer = Timer()
        counted = f"echo $$ >> {shlex.quote(str(home / 'started'))}; {command}"
        plan = SnapshotPlan(("sh", "-c", counted), every)
        journal, registry = self.world.journal, self.world.registry
        self.snapshotter = Snapshotter(plan, journal, registry, self.timer.later)

    def started(self) -> list[int]:
        """The processes that were started so far."""
        path = self.home / "started"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def write(self, size: int = EVERY) -> None:
        """So much more of the journal."""
        self.world.journal.add(Kind.SENT, 1, 0, 0, b"x" * size)
        self.world.journal.commit(self.world.now)

    async def settled(self) -> None:
        """No snapshot is being made any more."""
        task = self.snapshotter._task
        if task is not None:
            await asyncio.wait_for(asyncio.wait([task]), PATIENCE_S)

    async def until_started(self, number: int) -> int:
        """The process of a snapshot that is being made."""
        for _ in range(500):
            if len(self.started()) >= number:
                return self.started()[-1]
            await asyncio.sleep(0.01)
        raise AssertionError("no process was started")

    def segments(self) -> list[str]:
        return sorted(path.name for path in self.data.glob("journal-*.seamark"))


def events(logs: list[EventDict]) -> list[str]:
    return [entry["event"] for entry in logs if entry["event"] != "logged on"]


def test_a_snapshot_is_made_after_so_many_bytes(
    run: Run, tmp_path: Path, logs: list[EventDict]
) -> None:
    async def scenario() -> None:
        desk = Desk(tmp_path, MADE % 1, every=20_000)
        journal, made = desk.world.journal, 0
        for expected in (1, 2, 3):
            desk.write(made + 20_000 - journal.volume - 100)
            for _ in range(2):
                desk.timer.tick() if desk.timer.due else desk.snapshotter.look()
                await desk.settled()
                assert len(desk.started()) == expected - 1, "it is not due"
            desk.write(100)
            made = journal.volume
            for _ in range(2):
                desk.timer.tick()
                await desk.settled()
                assert len(desk.started()) == expected
        await desk.snapshotter.stop()
        assert desk.timer.due == []

    run(scenario())
    assert events(logs) == ["snapshot"] * 3
    assert logs[-1]["file"] == "some-file"


def test_what_a_start_has_read_counts(run: Run, tmp_path: Path) -> None:
    """A venue that is killed again and again before it has written enough comes to one, too."""

    async def scenario() -> None:
        first = Desk(tmp_path, MADE % 1)
        first.world.journal.close()
        again = Desk(tmp_path, MADE % 1, every=first.world.journal.volume)
        again.snapshotter.look()
        await again.settled()
        assert len(again.started()) == 1

    run(scenario())


def test_there_are_never_two_at_once(run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        desk = Desk(tmp_path, f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; {MADE % 1}")
        desk.write()
        desk.snapshotter.look()
        await desk.until_started(1)
        for _ in range(3):
            desk.write()
            desk.timer.tick()
            await asyncio.sleep(0.02)
        assert len(desk.started()) == 1
        (tmp_path / "go").touch()
        await desk.settled()
        desk.timer.tick()
        await desk.settled()
        assert len(desk.started()) == 2, "what was written meanwhile is due at once"
        await desk.snapshotter.stop()

    run(scenario())


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("echo seamark: the disk is full >&2; exit 2", "seamark: the disk is full"),
        ("exit 3", "code 3"),
        (f"{MADE % 3}; exit 1", "code 1"),
        ("kill -9 $$", "code -9"),
    ],
)
def test_a_failure_is_told_and_tried_again_later(
    run: Run, command: str, reason: str, tmp_path: Path, logs: list[EventDict]
) -> None:
    async def scenario() -> None:
        desk = Desk(tmp_path, command)
        before = desk.segments()
        desk.write()
        desk.snapshotter.look()
        await desk.settled()
        desk.timer.tick()
        await desk.settled()
        assert len(desk.started()) == 1, "not at once"
        desk.write()
        desk.timer.tick()
        await desk.settled()
        assert len(desk.started()) == 2
        assert set(before) <= set(desk.segments())
        await desk.snapshotter.stop()

    run(scenario())
    assert events(logs) == ["no snapshot", "no snapshot"]
    assert [entry["log_level"] for entry in logs[-2:]] == ["warning", "warning"]
    assert {entry["reason"] for entry in logs[-2:]} == {reason}


def test_a_command_that_is_not_there_is_told(
    run: Run, tmp_path: Path, logs: list[EventDict]
) -> None:
    async def scenario() -> None:
        desk = Desk(tmp_path, "")
        plan = SnapshotPlan((str(tmp_path / "nothing"),), 1)
        one = Snapshotter(plan, desk.world.journal, desk.world.registry, desk.timer.later)
        one.look()
        assert one._task is not None
        await one._task
        await one.stop()

    run(scenario())
    assert events(logs) == ["no snapshot"]
    assert "No such file" in logs[-1]["reason"]


@pytest.mark.parametrize("is_early", [True, False])
def test_a_venue_that_stops_takes_it_along(run: Run, is_early: bool, tmp_path: Path) -> None:
    async def scenario() -> None:
        desk = Desk(tmp_path, "exec sleep 60")
        desk.write()
        desk.snapshotter.look()
        if is_early:
            await asyncio.sleep(0)
        else:
            pid = await desk.until_started(1)
        await asyncio.wait_for(desk.snapshotter.stop(), PATIENCE_S)
        assert desk.timer.due == []
        await asyncio.sleep(0.05)  # uvloop reaps what it has not told of yet
        if not is_early:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

    run(scenario())


def test_its_standard_input_stays_open_as_long_as_the_venue_lives(
    run: Run, tmp_path: Path, logs: list[EventDict]
) -> None:
    async def scenario() -> None:
        desk = Desk(tmp_path, f"read -t 0.3 line && exit 5; [ $? -gt 128 ] && {MADE % 1}")
        plan = SnapshotPlan(("bash", *desk.snapshotter._plan.command[1:]), 1)
        one = Snapshotter(plan, desk.world.journal, desk.world.registry, desk.timer.later)
        one.look()
        assert one._task is not None
        await one._task

    run(scenario())
    assert events(logs) == ["snapshot"]


@pytest.mark.parametrize("every", [0, 1])
def test_there_is_none_where_none_is_wanted_or_there_is_nothing_on_disk(
    run: Run, every: int, tmp_path: Path
) -> None:
    async def scenario() -> None:
        world = World(None if every else tmp_path, segment_bytes=600)
        world.client("C")
        timer = Timer()
        plan = SnapshotPlan(("false",), every)
        snapshotter = Snapshotter(plan, world.journal, world.registry, timer.later)
        snapshotter.look()
        assert snapshotter._task is None
        assert timer.due == []
        await snapshotter.stop()

    run(scenario())


def test_what_is_not_needed_any_more_is_forgotten_and_removed(
    run: Run, tmp_path: Path, logs: list[EventDict]
) -> None:
    async def scenario() -> None:
        desk = Desk(tmp_path, MADE % 4)
        for number in range(12):
            desk.client.order(f"o{number}", "buy", "1", "100")
        before = desk.segments()
        assert len(before) > 5
        (endpoint,) = desk.world.registry
        assert endpoint.sent.table.first_seq == 1
        last = endpoint.sent.table.last_seq
        raws = dict(endpoint.sent.fetch(1, last))
        desk.snapshotter.look()
        await desk.settled()
        assert desk.segments() == before[3:]
        assert desk.world.journal.begin >> 40 == 4
        first = endpoint.sent.table.first_seq
        assert 1 < first < last
        assert dict(endpoint.sent.fetch(1, last)) == {
            seq: raw for seq, raw in raws.items() if seq >= first
        }
        assert desk.client.order("more", "buy", "1", "100")[0][150] == "0"

    run(scenario())
    assert events(logs) == ["snapshot", "journal shortened"]
    assert (logs[-1]["removed"], logs[-1]["first"]) == (3, 4)


@pytest.mark.parametrize("first", [0, 1])
def test_where_nothing_is_to_go_nothing_goes(
    run: Run, first: int, tmp_path: Path, logs: list[EventDict]
) -> None:
    async def scenario() -> None:
        desk = Desk(tmp_path, MADE % first, every=1)
        before = desk.segments()
        desk.snapshotter.look()
        await desk.settled()
        assert desk.segments() == before
        (endpoint,) = desk.world.registry
        assert endpoint.sent.table.first_seq == 1

    run(scenario())
    assert events(logs) == ["snapshot"]


def test_segments_that_cannot_be_removed_are_told_and_the_venue_goes_on(
    run: Run, tmp_path: Path, logs: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    async def scenario() -> None:
        desk = Desk(tmp_path, MADE % 2)
        desk.write(2_000)
        desk.write()
        with monkeypatch.context() as patch:
            patch.setattr(os, "unlink", refuse)
            desk.snapshotter.look()
            await desk.settled()
        assert desk.client.order("more", "buy", "1", "100")[0][150] == "0"
        await desk.snapshotter.stop()

    run(scenario())
    assert events(logs) == ["snapshot", "segments are kept"]
    assert "cannot remove a segment: Permission denied" in logs[-1]["reason"]


# --- what a process may say besides ---------------------------------------------------------


@pytest.mark.parametrize("said", ["echo hello", "true", "echo '{}'", "echo '[1]'"])
def test_an_answer_that_cannot_be_understood_is_a_failure_like_others(
    run: Run, said: str, tmp_path: Path, logs: list[EventDict]
) -> None:
    async def scenario() -> None:
        desk = Desk(tmp_path, said, every=1)
        desk.snapshotter.look()
        await desk.settled()
        await desk.snapshotter.stop()

    run(scenario())
    assert events(logs) == ["no snapshot"]


def test_an_answer_may_come_in_pieces(run: Run, tmp_path: Path, logs: list[EventDict]) -> None:
    async def scenario() -> None:
        pieces = """printf '{"file": "some-file", '; sleep 0.1; echo '"first_segment": 1}'"""
        desk = Desk(tmp_path, pieces, every=1)
        desk.snapshotter.look()
        await desk.settled()
        await desk.snapshotter.stop()

    run(scenario())
    assert events(logs) == ["snapshot"]


def test_a_process_that_says_much_ends_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's own complaints may be long; such a process must not keep the venue from closing."""
    real, begun = asyncio.create_subprocess_exec, []

    async def noted(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        begun.append(await real(*arguments, **options))
        return begun[-1]

    async def scenario() -> None:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
        desk = Desk(tmp_path, "head -c 20000000 /dev/zero >&2; exit 1", every=1)
        desk.snapshotter.look()
        task = desk.snapshotter._task
        assert task is not None
        await asyncio.wait([task], timeout=0.3)
        is_done = task.done()
        try:
            await asyncio.wait_for(desk.snapshotter.stop(), 0.3)
        except TimeoutError:
            pytest.fail("stop() does not return")
        finally:
            for process in begun:
                process._transport.close()  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
        assert is_done

    asyncio.run(scenario())
