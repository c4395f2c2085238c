"""Peers that cannot be built are left out."""

from __future__ import annotations

import pytest

from bench.peers.engines import PEERS, built


def test_a_peer_without_its_compiler_is_left_out_with_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    ready, missing = built(list(PEERS))
    assert not ready
    assert missing == [
        "QuickFIX C++ is left out: needs g++; not found: g++",
        "QuickFIX/J is left out: needs java and javac and mvn; not found: java, javac, mvn",
        "QuickFIX/Go is left out: needs go; not found: go",
    ]
    assert all(peer.name for peer in PEERS.values())


def test_every_peer_has_a_version_of_its_own_sources() -> None:
    assert PEERS["quickfixgo"].version() == "0.9.1"
    assert PEERS["quickfixj"].version().startswith("3.")
