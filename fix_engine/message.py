"""A decoded message: its tags in order, its values in order, and the bytes it came from.

Engines send the same sequence of tags again and again; only the values differ. So the sequence is
an object of its own, the Shape, which equal messages share. What depends on the tags alone (where
each tag stands, whether the structure is legal) is worked out once for each shape.
"""

from __future__ import annotations

import re
from typing import Final

from fix_engine import tags

#: The longest value that an answer repeats, so that no answer exceeds what we announce at Logon.
MAX_VALUE_BYTES: Final = 256
_MAX_SEQ_DIGITS: Final = 18
_MASK: Final = b"***"

#: Where an answer goes -> where the message came from, in tag order. FIX 4.4 Volume 2, "Standard
#: Message Header", has both ways of every field; an answer turns them round.
_ROUTES: Final = (
    (tags.TARGET_SUB_ID, tags.SENDER_SUB_ID),
    (tags.ON_BEHALF_OF_COMP_ID, tags.DELIVER_TO_COMP_ID),
    (tags.ON_BEHALF_OF_SUB_ID, tags.DELIVER_TO_SUB_ID),
    (tags.DELIVER_TO_COMP_ID, tags.ON_BEHALF_OF_COMP_ID),
    (tags.DELIVER_TO_SUB_ID, tags.ON_BEHALF_OF_SUB_ID),
    (tags.TARGET_LOCATION_ID, tags.SENDER_LOCATION_ID),
    (tags.ON_BEHALF_OF_LOCATION_ID, tags.DELIVER_TO_LOCATION_ID),
    (tags.DELIVER_TO_LOCATION_ID, tags.ON_BEHALF_OF_LOCATION_ID),
)


_HEADER: Final = (tags.SENDER_COMP_ID, tags.TARGET_COMP_ID, tags.SENDING_TIME)


class Shape:
    """The MsgType and tag sequence of a message, the same object for equal sequences.

    `tags[0]` is MsgType (35); BeginString, BodyLength and CheckSum, whose places are fixed, are
    left out. `index` gives the first place of each tag; `header_places` are those of SenderCompID,
    TargetCompID and SendingTime, None for one that is not there.
    `is_remembered`: whether it is worth keeping what was found out about it.
    `met` counts messages of a decoder in plain Python, which looks at this more closely when there
    are many. `return_route` has (tag of an answer, place of its value) for each routing field.
    """

    __slots__ = (
        "_pattern",
        "has_secrets",
        "header_places",
        "index",
        "is_remembered",
        "met",
        "msg_type",
        "poss_dup_place",
        "return_route",
        "seq_place",
        "tags",
    )

    def __init__(
        self, msg_type: bytes, sequence: tuple[bytes, ...], is_remembered: bool = True
    ) -> None:
        self.is_remembered = is_remembered
        self.met = 0
        self._pattern: re.Pattern[bytes] | None = None
        self.msg_type = msg_type
        self.tags = sequence
        self.index: dict[bytes, int] = {}
        for place, tag in enumerate(sequence):
            self.index.setdefault(tag, place)
        self.has_secrets = not tags.SECRETS.isdisjoint(self.index)
        self.seq_place = self.index.get(tags.MSG_SEQ_NUM)
        self.header_places = tuple(self.index.get(tag) for tag in _HEADER)
        self.poss_dup_place = self.index.get(tags.POSS_DUP_FLAG)
        self.return_route = tuple(
            (to_tag, self.index[from_tag]) for to_tag, from_tag in _ROUTES if from_tag in self.index
        )

    @property
    def pattern(self) -> re.Pattern[bytes]:
        """What matches such messages; its groups are BodyLength, the values, and CheckSum.

        Only for tags of which none has a length that says where its data end.
        """
        if self._pattern is None:
            first = b"%b9=(\\d{1,9})\x0135=(%b)\x01" % (
                *(re.escape(b"8=FIX.4.4\x01"), re.escape(self.msg_type)),
            )
            rest = (b"%b=([^\x01]*+)\x01" % re.escape(tag) for tag in self.tags[1:])
            self._pattern = re.compile(first + b"".join(rest) + b"10=(\\d{3})\x01")
        return self._pattern


class Message:
    """One complete message whose BodyLength and CheckSum were right.

    `values[i]` belongs to `shape.tags[i]`. `raw` is the message as it was received. `seq` is its
    MsgSeqNum (34), None when that is missing or not a number.
    """

    __slots__ = ("begin_string", "msg_type", "raw", "seq", "shape", "values")

    def __init__(self, begin_string: bytes, shape: Shape, values: list[bytes], raw: bytes) -> None:
        self.begin_string = begin_string
        self.shape = shape
        self.msg_type = shape.msg_type
        self.values = values
        self.raw = raw
        self.seq: int | None = None
        if shape.seq_place is not None:
            number = values[shape.seq_place]
            if number.isdigit() and len(number) <= _MAX_SEQ_DIGITS:
                self.seq = int(number)

    def get(self, tag: bytes) -> bytes | None:
        """The value of the first field with this tag, or None."""
        place = self.shape.index.get(tag)
        return None if place is None else self.values[place]

    @property
    def is_poss_dup(self) -> bool:
        """Whether PossDupFlag (43) says that this may have been sent before."""
        place = self.shape.poss_dup_place
        return place is not None and self.values[place] == tags.YES

    def flag(self, tag: bytes) -> bool:
        """Whether a BOOLEAN field is there and says Y."""
        place = self.shape.index.get(tag)
        return place is not None and self.values[place] == tags.YES

    def pairs(self) -> list[tuple[bytes, bytes]]:
        """All (tag, value) pairs from MsgType on, in the order of the message."""
        return list(zip(self.shape.tags, self.values, strict=True))

    def __repr__(self) -> str:
        raw = self.raw.replace(tags.SOH, b"|")
        if self.shape.has_secrets:
            raw = b"".join(b"%b=%b|" % pair for pair in masked(self))
        return f"Message({raw.decode('latin-1')})"


def masked(message: Message) -> list[tuple[bytes, bytes]]:
    """The pairs of a message with `***` in place of passwords and signatures."""
    pairs = message.pairs()
    if message.shape.has_secrets:
        for place, (tag, _) in enumerate(pairs):
            if tag in tags.SECRETS:
                pairs[place] = (tag, _MASK)
            elif tag == tags.RAW_DATA_LENGTH:
                pairs[place] = (tag, b"%d" % len(_MASK))
    return pairs
