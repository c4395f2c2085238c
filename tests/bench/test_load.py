"""The load generator, against an acceptor that answers everything."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bench.load import Result, acknowledged, apart, latency, order_messages, throughput
from bench.venue import NullAcceptor


@pytest.fixture(scope="module")
def acceptor() -> Iterator[NullAcceptor]:
    with NullAcceptor() as acceptor:
        yield acceptor


@pytest.fixture
def address(acceptor: NullAcceptor) -> tuple[str, int]:
    return acceptor.host, acceptor.port


def test_every_order_is_answered_and_every_fill_taken(address: tuple[str, int]) -> None:
    found = throughput(address, sessions=3, orders=200, shape="cross", window=16)
    assert (found.answered, found.fills, found.unanswered, found.rejected) == (600, 600, 0, 0)
    assert found.cpu_s > 0


@pytest.mark.usefixtures("compiler")
def test_latency_is_that_of_every_order(address: tuple[str, int]) -> None:
    found = latency(address, sessions=2, rate=500, seconds=0.2)
    assert (found.answered, found.unanswered) == (100, 0)
    assert len(found.latencies) == len(found.late) == 100
    assert found.latencies == sorted(found.latencies)
    assert min(found.latencies) > 0


def test_a_report_that_is_not_all_there_acknowledges_nothing() -> None:
    reports = [b"8=FIX.4.4\x0111=a-1-%d\x01150=0\x01151=1\x0110=123\x01" % n for n in range(2)]
    fill = reports[0].replace(b"150=0", b"150=F")
    size = len(reports[0])
    assert list(acknowledged(reports[0] + fill + reports[1])) == [(0, size), (1, 3 * size)]
    assert list(acknowledged(reports[0] + reports[1][:-1])) == [(0, size)]


def test_acceptor_and_load_have_cores_of_their_own_for_a_while(acceptor: NullAcceptor) -> None:
    before = os.sched_getaffinity(0)
    if len(before) == 1:
        pytest.skip("there is one core")
    with apart(acceptor.pid):
        ours, theirs = os.sched_getaffinity(0), os.sched_getaffinity(acceptor.pid)
        assert (len(ours), ours | theirs, ours & theirs) == (1, before, set())
    assert os.sched_getaffinity(0) == os.sched_getaffinity(acceptor.pid) == before


def test_a_summary_has_the_jitter() -> None:
    found = Result(100, 0, 0, 100, 1.0, [number / 1e6 for number in range(100)]).summary()
    assert found["jitter"] == found["p95"] - found["p25"] == 70
    assert found["per_second"] == 100


@pytest.mark.parametrize(("shape", "types"), [("cross", b"DDDD"), ("cancel", b"DFDF")])
def test_a_shape_is_what_it_says(shape: str, types: bytes) -> None:
    made = order_messages(1, 4, shape)
    found = b"".join(one.split(b"\x0135=")[1][:1] for one in made)
    assert found == types
    assert [one.split(b"\x0134=")[1].split(b"\x01")[0] for one in made] == [b"2", b"3", b"4", b"5"]
