"""Logs are read on terminals: what a peer calls itself must not command them."""

from __future__ import annotations

import io

import pytest
import structlog

from sessions.telemetry import configure_logging


@pytest.mark.parametrize("is_terminal", [True, False])
def test_no_control_character_of_a_peer_reaches_the_terminal(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(out, "isatty", lambda: is_terminal)
    monkeypatch.setattr("sys.stderr", out)
    configure_logging()
    try:
        structlog.get_logger().warning("refused", peer="\x1b]0;PWNED\x07\x9b2J", reason="a\nb")
    finally:
        structlog.reset_defaults()
    assert "PWNED" in out.getvalue()
    for control in ("\x1b]", "\x07", "\x9b", "a\nb"):
        assert control not in out.getvalue()
