"""The timed loop of open loads, with a peer on the other end of real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from bench.pace import Answers, pace

Pair = tuple[socket.socket, socket.socket]
REQUEST = b"request\n"
REPORT = b"8=FIX.4.4\x0135=8\x01150=0\x01151=1\x0110=123\x01"
RATE = 2_000

pytestmark = pytest.mark.usefixtures("compiler")


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Two sessions, each with its other end."""
    made = [socket.socketpair() for _ in range(2)]
    yield made
    for pair in made:
        for plug in pair:
            plug.close()


def answering(plug: socket.socket, answer: Callable[[socket.socket], None]) -> threading.Thread:
    """Answer each request on this end."""

    def serve() -> None:
        buffer = b""
        while data := plug.recv(1024):
            *whole, buffer = (buffer + data).split(b"\n")
            for _ in whole:
                answer(plug)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def run(
    pairs: list[Pair], total: int, patience_s: float = 5.0, is_complete: bool = True
) -> list[Answers]:
    each = [[REQUEST] * (total // 2)] * 2
    paced = pace([ours for ours, _ in pairs], each, total, RATE, patience_s)
    assert paced.is_complete is is_complete
    gaps = [late - early for early, late in zip(paced.due_ns, paced.due_ns[1:], strict=False)]
    assert set(gaps) == {1_000_000_000 // RATE}
    sent = [left for left in paced.left_ns if left]
    assert all(left >= due for left, due in zip(sent, paced.due_ns, strict=False))
    assert sent == sorted(sent)
    return paced.answers


def test_requests_go_to_the_sessions_in_turns_and_answers_have_times(pairs: list[Pair]) -> None:
    for _, other in pairs:
        answering(other, lambda plug: plug.sendall(REPORT))
    for answers in run(pairs, 20):
        assert answers.data == REPORT * 10
        assert answers.ends[-1] == len(answers.data)
        times = [answers.had_ns(n * len(REPORT)) for n in range(1, 11)]
        assert times == sorted(times)


def test_a_report_counts_when_all_of_it_is_there(pairs: list[Pair]) -> None:
    def in_pieces(plug: socket.socket) -> None:
        for cut in (slice(0, 23), slice(23, -2), slice(-2, None)):
            plug.sendall(REPORT[cut])

    for _, other in pairs:
        answering(other, in_pieces)
    for answers in run(pairs, 8):
        assert answers.data == REPORT * 4


def test_what_a_socket_does_not_take_at_once_follows(pairs: list[Pair]) -> None:
    size, came = 300_000, [bytearray(), bytearray()]

    def serve(plug: socket.socket, into: bytearray) -> None:
        time.sleep(0.02)
        while data := plug.recv(1 << 16):
            answered = len(into) // size
            into += data
            plug.sendall(REPORT * (len(into) // size - answered))

    for (_, other), into in zip(pairs, came, strict=True):
        threading.Thread(target=serve, args=(other, into), daemon=True).start()
    requests = [[bytes([65 + n]) * size for n in range(3)] for _ in pairs]
    assert pace([ours for ours, _ in pairs], requests, 6, RATE, 5.0).is_complete
    assert came == [b"".join(some) for some in requests]


def test_it_gives_up_when_nothing_comes(pairs: list[Pair]) -> None:
    found = run(pairs, 4, patience_s=0.05, is_complete=False)
    assert [answers.data for answers in found] == [b"", b""]


def test_a_peer_that_hangs_up_ends_it(pairs: list[Pair]) -> None:
    pairs[1][1].close()
    with pytest.raises(SystemExit, match="hung up"):
        run(pairs, 4)


def test_who_has_no_compiler_is_told(monkeypatch: pytest.MonkeyPatch, pairs: list[Pair]) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(SystemExit, match="C compiler, named by CC"):
        run(pairs, 4)
