"""Lifecycle logs. The journal is the audit trail: there is no line per message."""

from __future__ import annotations

import logging
import sys

import structlog


def _without_controls(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Whatever a peer calls itself, it does not command the operator's terminal."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception" and not value.isprintable():
            event[key] = ascii(value)
    return event


def configure_logging(level: int = logging.INFO) -> None:
    """Log to standard error: for people on a terminal, as JSON lines otherwise."""
    is_terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if is_terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_controls,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
