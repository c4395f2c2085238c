"""The tools beside a running venue, as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from sessions.journal import Durability, Journal, Kind
from tests.exchange.tools.days import batches_of, run
from tests.support.messages import ROOT
from tests.support.tcp import TcpClient, VenueProcess

PATIENCE_S = 15.0


def trade(client: TcpClient, rounds: int, side: int) -> None:
    """Orders that cross those of another client, and an answer to each."""
    for number in range(rounds):
        client.order(f"{client.comp_id}-{number}", side, "1", str(100 + number % 3))
        if number % 50 == 49:
            client.settle()
    client.settle()


@contextmanager
def venue(data: Path, **settings: str) -> Iterator[VenueProcess]:
    os.environ.update(settings)
    try:
        process = VenueProcess(data)
    finally:
        for name in settings:
            del os.environ[name]
    try:
        yield process
    finally:
        process.finish(signal.SIGTERM)


@contextmanager
def tool(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "exchange.tools", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_a_real_venue_is_verified_while_it_trades_and_after(tmp_path: Path) -> None:
    settings = {
        "SEAMARK_SESSION__TIME_PRECISION": "us",
        "SEAMARK_SESSION__LAST_MSG_SEQ_NUM_PROCESSED": "true",
    }
    with venue(tmp_path, **settings) as process:
        clients = [TcpClient("ALICE"), TcpClient("BOB")]
        for client in clients:
            client.connect(process.port)
        threads = [
            Thread(target=trade, args=(client, 150, side))
            for side, client in enumerate(clients, start=1)
        ]
        for thread in threads:
            thread.start()
        looks: list[int] = []
        while any(thread.is_alive() for thread in threads) or not looks:
            said = json.loads(run("journal", "verify", "--data", tmp_path, "--json").output)
            assert said["ok"] is True, said
            assert said["end"] == "written"
            looks.append(said["position"])
            assert run("journal", "info", "--data", tmp_path).exit_code == 0
        for thread in threads:
            thread.join()
        info = run("journal", "info", "--data", tmp_path).output
        assert f"being written by process {process.process.pid}" in info
        for client in clients:
            client.logout()
    assert looks == sorted(looks)
    said = json.loads(run("journal", "verify", "--data", tmp_path, "--json").output)
    assert (said["ok"], said["end"]) == (True, "closed")
    sent = [one for batch in batches_of(tmp_path) for one in batch.records if one.kind is Kind.SENT]
    assert all(b"\x01369=" in one.payload for one in sent)


def test_times_that_got_finer_between_two_starts_are_verified(tmp_path: Path) -> None:
    for precision in ("ms", "ns"):
        with venue(tmp_path, SEAMARK_SESSION__TIME_PRECISION=precision) as process:
            client = TcpClient(f"C-{precision}")
            client.connect(process.port)
            trade(client, 10, 1)
            process.finish(signal.SIGKILL)
            client.drop()
        result = run("journal", "verify", "--data", tmp_path)
        assert result.exit_code == 0, result.output
        assert "not closed in good order" in result.output


def test_following_shows_what_is_written_across_segments(tmp_path: Path) -> None:
    journal = Journal(tmp_path, Durability.OS, segment_bytes=2_000)
    list(journal.recover())
    journal.add(Kind.SESSION, 1, 0, 1, b"C")
    journal.commit(1)
    with tool("log", "--data", tmp_path, "--follow") as process:
        assert process.stdout is not None
        for number in range(1, 40):
            journal.add(Kind.UP, 1, 0, 1, b"Y")
            journal.commit(number * 10**9)
            if number % 8 == 1:
                time.sleep(0.15)
        lines = [process.stdout.readline() for _ in range(39)]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE_S)
    journal.close()
    assert [int(line.split()[2]) for line in lines] == list(range(1, 40))
    assert (rest, errors) == ("", "")
    assert process.returncode == 0
    assert len(list(tmp_path.glob("*.seamark"))) > 1


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path, Durability.OS)
    list(journal.recover())
    journal.add(Kind.SESSION, 1, 0, 1, b"C")
    for _ in range(5_000):
        journal.add(Kind.SENT, 1, 1, 1, b"x" * 50)
    journal.commit(1)
    journal.close()
    with tool("journal", "cat", "--data", tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(PATIENCE_S) == 0
