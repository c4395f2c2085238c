"""A decoded message: its tags in order, its values in order, and the bytes it came from.

Engines send the same sequence of tags again and again; only the values differ. So the sequence is
an object of its own, the Shape, which equal messages share. What depends on the tags alone (where
each tag stands, whether the structure is legal) is worked out once for each shape.
"""

from __future__ import annotations

from fix_engine import tags


class Shape:
    """The MsgType and tag sequence of a message, the same object for equal sequences.

    `tags[0]` is MsgType (35); BeginString, BodyLength and CheckSum, whose places are fixed, are
    left out. `index` gives the first place of each tag.
    """

    __slots__ = ("index", "msg_type", "tags")

    def __init__(self, msg_type: bytes, sequence: tuple[bytes, ...]) -> None:
        self.msg_type = msg_type
        self.tags = sequence
        self.index: dict[bytes, int] = {}
        for place, tag in enumerate(sequence):
            self.index.setdefault(tag, place)


class Message:
    """One complete message whose BodyLength and CheckSum were right.

    `values[i]` belongs to `shape.tags[i]`. `raw` is the message as it was received.
    """

    __slots__ = ("begin_string", "msg_type", "raw", "shape", "values")

    def __init__(self, begin_string: bytes, shape: Shape, values: list[bytes], raw: bytes) -> None:
        self.begin_string = begin_string
        self.shape = shape
        self.msg_type = shape.msg_type
        self.values = values
        self.raw = raw

    def get(self, tag: bytes) -> bytes | None:
        """The value of the first field with this tag, or None."""
        place = self.shape.index.get(tag)
        return None if place is None else self.values[place]

    def flag(self, tag: bytes) -> bool:
        """Whether a BOOLEAN field is there and says Y."""
        place = self.shape.index.get(tag)
        return place is not None and self.values[place] == tags.YES

    @property
    def seq(self) -> int | None:
        """MsgSeqNum (34), or None when it is missing or not a number."""
        place = self.shape.index.get(tags.MSG_SEQ_NUM)
        if place is None:
            return None
        value = self.values[place]
        return int(value) if value.isdigit() and len(value) <= 18 else None

    def pairs(self) -> list[tuple[bytes, bytes]]:
        """All (tag, value) pairs from MsgType on, in the order of the message."""
        return list(zip(self.shape.tags, self.values, strict=True))

    def __repr__(self) -> str:
        text = self.raw.replace(tags.SOH, b"|").decode("latin-1")
        return f"Message({text})"
