"""An ExecutionReport as those get it who watch its account, and what a journal's record has of it.

A copy has all fields of the original, and adds whose it is: CopyMsgIndicator (797), Account (1) as
the venue knows it, and in Parties the session that the original went to; the Account that the
client gave moves there, too.
"""

from __future__ import annotations

from typing import Final

from fix_engine import tags

_SOH: Final = tags.SOH
_ENTERING_TRADER: Final = 36  # PartyRole (452)
_CUSTOMER_ACCOUNT: Final = 24
_BEHIND_PARTIES: Final = 453
_BEHIND_COPY: Final = 797
_IS_COPY: Final = b"797=Y"
_NO_ORIGINAL: Final = (b"\x01797=Y\x01", b"\x0197=Y\x01", b"\x01150=I\x01")
_FIRST_OF_BODY: Final = 7  # behind TargetCompID (56), where the way back may come first
_BEGINNINGS: Final = (b"1=", b"6=")


def copy_of(body: bytes, account: bytes, comp_id: bytes) -> bytes:
    """The body of a copy, in tag order, of the report `body` that went to the session `comp_id`."""
    return joined(copied(body.split(_SOH)[:-1], account, comp_id))


def copied(fields: list[bytes], account: bytes, comp_id: bytes, *more: bytes) -> list[bytes]:
    """The fields of a copy; those of the original are in tag order, Account or AvgPx first.

    `more` are fields of our own, with tags between those of Parties and CopyMsgIndicator.
    """
    given = fields[0][2:] if fields[0].startswith(b"1=") else None
    rest = fields if given is None else fields[1:]
    parties = _place(rest, _BEHIND_PARTIES)
    flag = _place(rest, _BEHIND_COPY)
    return [
        b"1=%b" % account,
        *rest[:parties],
        *party_fields(comp_id, given),
        *rest[parties:flag],
        *more,
        _IS_COPY,
        *rest[flag:],
    ]


def party_fields(comp_id: bytes, given: bytes | None) -> list[bytes]:
    """Parties: the session, and the Account (1) that its client gave, if any."""
    parties = [(comp_id, _ENTERING_TRADER)]
    if given:
        parties.append((given, _CUSTOMER_ACCOUNT))
    fields = [b"453=%d" % len(parties)]
    for name, role in parties:
        fields += (b"448=%b" % name, b"447=D", b"452=%d" % role)
    return fields


def joined(fields: list[bytes]) -> bytes:
    """Fields as they stand in a message."""
    return b"%b\x01" % _SOH.join(fields)


def is_original(raw: bytes) -> bool:
    """Whether an ExecutionReport, as it was sent, tells what nobody was told before.

    Copies, repetitions and answers to questions do not.
    """
    return not any(mark in raw for mark in _NO_ORIGINAL)


def body_of(raw: bytes) -> list[bytes]:
    """The fields of the body of an ExecutionReport, as it was sent."""
    fields = raw.split(_SOH)[:-2]  # without CheckSum
    place = _FIRST_OF_BODY
    while not fields[place].startswith(_BEGINNINGS):
        place += 1
    return fields[place:]


def _place(fields: list[bytes], tag: int) -> int:
    """Where a field with this tag belongs; few have a higher one, so it is looked for backwards."""
    place = len(fields)
    while place and int(fields[place - 1].partition(b"=")[0]) > tag:
        place -= 1
    return place
