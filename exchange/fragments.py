"""Long answers in several messages, none longer than what every peer has promised to take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def fragments_of(entries: Iterable[bytes], room: int) -> Iterator[list[bytes]]:
    """The entries message by message, `room` bytes in each; one even when there are none."""
    fragment: list[bytes] = []
    size = 0
    for entry in entries:
        if fragment and size + len(entry) > room:
            yield fragment
            fragment, size = [], 0
        fragment.append(entry)
        size += len(entry)
    yield fragment
