"""What the coverage-guided fuzzer calls: bytes to a conversation with the machine.

The first byte says how the rest is meant. Odd: a stream as it stands on the wire. Even: a script of
lines, which gets much further, since each message comes with a right header and frame:

    35=D|11=x|...     a message, "|" for SOH, `<now>` for the time; numbered as is expected
    +2 35=0|          the same with a number two too high; -1: one too low
    !8=FIX.4.4|...    bytes as they are
    ~31               seconds pass
    ^                 the connection is lost
    *                 the application sends
    %                 it streams
    ?                 the store answers

Whatever comes, `Machine` raises BrokenError when the protocol is not obeyed.
"""

from __future__ import annotations

import re
from typing import Final

from fix_engine.timestamps import SECOND_NS
from tests.fuzz.corpus import NOW, scenario_messages
from tests.fuzz.machine import PEER, US, Machine, framed

_MAX_LINES: Final = 60
_OFFSET: Final = re.compile(rb"([+-]\d{1,9}) ", re.ASCII)
_LOGON: Final = b"35=A|98=0|108=30|"


def run_input(data: bytes) -> Machine:
    """Have a fresh machine act on one input; raises BrokenError, or whatever the product raises."""
    machine = Machine()
    machine.connect()
    kind, rest = data[:1], data[1:]
    if kind and kind[0] % 2:
        machine.feed(framed(machine, _LOGON.replace(b"|", b"\x01")))
        rest = rest.replace(NOW, machine.time)
        cut = len(rest) * (kind[0] >> 1) // 128
        machine.feed(rest[:cut])
        machine.feed(rest[cut:])
        return machine
    for line in rest.split(b"\n")[:_MAX_LINES]:
        _play(machine, line)
    return machine


def _play(machine: Machine, line: bytes) -> None:
    match line[:1]:
        case b"~":
            machine.wait(int(line[1:4]) * SECOND_NS if line[1:4].isdigit() else SECOND_NS)
        case b"^":
            machine.lose()
        case b"*":
            machine.send()
        case b"%":
            machine.stream()
        case b"?":
            machine.replay()
        case b"!":
            machine.connect()
            machine.feed(line[1:].replace(b"|", b"\x01").replace(NOW, machine.time))
        case _:
            machine.connect()
            number = machine.session.next_in
            offset = _OFFSET.match(line)
            if offset is not None:
                number, line = number + int(offset[1]), line[offset.end() :]
            fields = line.replace(b"|", b"\x01")
            machine.feed(framed(machine, fields + b"\x01" * (not fields.endswith(b"\x01")), number))


def seeds() -> list[bytes]:
    """Inputs to begin with: each message of the scenarios, alone and in company, in both forms."""
    messages = [text.replace(b"\x01", b"|") for text in scenario_messages() if b"\n" not in text]
    found = [b"\x00" + _LOGON + b"\n" + text + b"\n*\n35=1|112=x|" for text in messages]
    for start in range(0, len(messages) - 4, 4):
        company = b"\n".join(messages[start : start + 4])
        found.append(
            b"\x02" + _LOGON + b"\n" + company + b"\n~5\n+3 35=0|\n*\n%\n35=2|7=1|16=0|\n?\n"
        )
    found.append(b"\x00" + _LOGON + b"\n~31\n~31\n^\n" + _LOGON + b"\n-1 35=0|\n~3\n")
    return found + [_on_the_wire(text) for text in messages[::5]]


def _on_the_wire(text: bytes) -> bytes:
    """The second form of an input."""
    header = b"34=2\x0149=%b\x0152=<now>\x0156=%b\x01" % (PEER, US)
    msg_type, _, rest = text.replace(b"|", b"\x01").partition(b"\x01")
    body = msg_type + b"\x01" + header + rest
    return b"\x818=FIX.4.4\x019=%d\x01%b10=000\x01" % (len(body), body)
