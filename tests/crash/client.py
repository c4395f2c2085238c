"""A FIX client that survives its connections and believes nothing it is not shown twice."""

from __future__ import annotations

import re
import select
import socket
import time
from typing import Final

_TIMEOUT_S: Final = 20.0
_ADMIN: Final = frozenset("012345A")
_FRAME: Final = re.compile(rb"8=FIX\.4\.4\x019=(\d+)\x01")
_CHANGING: Final = frozenset((8, 9, 10, 43, 52, 122))  # of a message that is sent again

Message = dict[int, str]


class BrokenWordError(Exception):
    """The venue has broken its word."""

    def __init__(self, what: str, text: str) -> None:
        """`what` is one of: lost, duplicated, out of order, wrong."""
        super().__init__(f"{what}: {text}")
        self.what = what


class Client:
    """A session: it sends again what the venue misses, and asks for what it misses itself.

    `reports` has every application message, once, in sequence.
    """

    def __init__(self, comp_id: str, wish: str) -> None:
        """`wish`: whether a lost connection cancels its orders, Y or N."""
        self.comp_id = comp_id
        self.next_out = self.next_in = 1
        self.reports: list[Message] = []
        self.resent = 0
        self._wish = wish
        self._sent: dict[int, tuple[str, str, str]] = {}
        self._seen: dict[int, dict[int, str]] = {}
        self._early: dict[int, Message] = {}
        self._asked_to = 0
        self._marks: set[str] = set()
        self._is_on = False
        self._last_place = (0, 0)
        self._socket: socket.socket | None = None
        self._data = b""

    def connect(self, port: int) -> None:
        """Log on with both sequences as they are; raises OSError and BrokenWordError."""
        self._data, self._asked_to, self._is_on = b"", 0, False
        self._early.clear()
        self._socket = socket.create_connection(("127.0.0.1", port), _TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send(("A", f"98=0|108=30|8013={self._wish}|"))
        while not self._is_on:
            self.receive()

    def drop(self) -> None:
        """The connection is gone."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def fileno(self) -> int:
        """To be selected by."""
        return self._socket.fileno() if self._socket is not None else -1

    def send(self, *messages: tuple[str, str]) -> None:
        """Send messages, type and body, in one go; `<now>` in a body is the time."""
        data, now = b"", _now()
        for msg_type, body in messages:
            filled = body.replace("<now>", now)
            self._sent[self.next_out] = msg_type, filled, now
            data += self._encoded(msg_type, self.next_out, filled, now)
            self.next_out += 1
        self._write(data)

    def settle(self) -> None:
        """Receive until everything that was sent is answered and nothing is missing."""
        mark = f"mark-{self.next_out}"
        self.send(("1", f"112={mark}|"))
        while mark not in self._marks or self._early:
            self.receive()

    def receive(self, timeout_s: float = _TIMEOUT_S) -> None:
        """Take in what arrives; raises OSError when the connection is gone, and BrokenWordError."""
        if self._socket is None:
            raise ConnectionError("not connected")
        if not select.select([self._socket], [], [], timeout_s)[0]:
            raise BrokenWordError("lost", f"{self.comp_id} got no answer in {timeout_s:.0f} s")
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the venue has closed the connection")
        self._data += data
        at = 0
        while found := _FRAME.match(self._data, at):
            end = found.end() + int(found[1]) + 7
            if len(self._data) < end:
                break
            self._arrived(_decoded(self._data[at:end]))
            at = end
        self._data = self._data[at:]

    # --- the session --------------------------------------------------------------------

    def _arrived(self, message: Message) -> None:
        seq, is_again = int(message[34]), message.get(43) == "Y"
        self.resent += is_again
        if message[35] == "2":
            self._resend(int(message[7]), int(message[16]))
        if seq < self.next_in:
            self._check_again(seq, is_again, message)
        elif seq > self.next_in:
            self._early[seq] = message
            if self._asked_to < self.next_in:
                self._asked_to = seq
                self.send(("2", f"7={self.next_in}|16=0|"))
        else:
            self._accept(message)
            while self.next_in in self._early:
                self._accept(self._early.pop(self.next_in))
            for behind in [seq for seq in self._early if seq < self.next_in]:
                self._understand(self._early.pop(behind))  # a gap was filled over it

    def _check_again(self, seq: int, is_again: bool, message: Message) -> None:
        where = f"{self.comp_id} expects {self.next_in}, got {message}"
        if not is_again:
            raise BrokenWordError("lost", f"a number is used again: {where}")
        seen = self._seen.get(seq)
        if message[35] != "4" and seen is not None and seen != _core(message):
            raise BrokenWordError("duplicated", f"a message has changed: {where}, was {seen}")

    def _accept(self, message: Message) -> None:
        msg_type = message[35]
        if msg_type == "4":
            self.next_in = int(message[36])
            return
        self._seen[self.next_in] = _core(message)
        self.next_in += 1
        self._understand(message)
        if msg_type == "1":
            self.send(("0", f"112={message[112]}|"))
        elif msg_type in ("3", "5"):
            raise BrokenWordError("wrong", f"{self.comp_id} got {message}")
        elif msg_type not in _ADMIN:
            self._check_order(message)
            self.reports.append(message)

    def _understand(self, message: Message) -> None:
        """What an administrative message says counts even where it was filled over."""
        if message[35] == "A":
            self._is_on = True
        elif message[35] == "0":
            self._marks.add(message.get(112, ""))

    def _check_order(self, message: Message) -> None:
        if message[35] == "8" and message[150] != "I":
            first, second = message[17].split("-")
            place = int(first), int(second)
            if place == self._last_place:
                raise BrokenWordError(
                    "duplicated", f"{self.comp_id} got ExecID {place} again: {message}"
                )
            if place < self._last_place:
                text = f"{self.comp_id} got {message} after {self._last_place}"
                raise BrokenWordError("out of order", text)
            self._last_place = place

    def _resend(self, begin: int, end: int) -> None:
        data, gap, last = b"", 0, end or self.next_out - 1
        if last >= self.next_out:
            text = f"{self.comp_id} has sent {self.next_out - 1}, the venue wants {last}"
            raise BrokenWordError("wrong", text)
        for seq in range(begin, last + 2):
            msg_type, body, sent_at = self._sent.get(seq, ("", "", ""))
            is_gap = msg_type in _ADMIN and seq <= last
            if gap and not is_gap:
                data += self._encoded("4", gap, f"36={seq}|123=Y|", _now(), self._sent[gap][2])
            gap = (gap or seq) if is_gap else 0
            if not is_gap and seq <= last:
                data += self._encoded(msg_type, seq, body, _now(), sent_at)
        self._write(data)

    def _write(self, data: bytes) -> None:
        if self._socket is None:
            raise ConnectionError("not connected")
        self._socket.sendall(data)

    def _encoded(self, msg_type: str, seq: int, body: str, now: str, original: str = "") -> bytes:
        again = f"43=Y|122={original}|" if original else ""
        text = f"35={msg_type}|34={seq}|49={self.comp_id}|52={now}|56=SEAMARK|{again}{body}"
        inner = text.replace("|", "\x01").encode("latin-1")
        frame = b"8=FIX.4.4\x019=%d\x01%b" % (len(inner), inner)
        return b"%b10=%03d\x01" % (frame, sum(frame) & 255)


def _decoded(frame: bytes) -> Message:
    fields = (field.partition("=") for field in frame.decode("latin-1").split("\x01")[:-1])
    return {int(tag): value for tag, _, value in fields}


def _core(message: Message) -> dict[int, str]:
    return {tag: value for tag, value in message.items() if tag not in _CHANGING}


def _now() -> str:
    now = time.time_ns()
    whole = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(now // 10**9))
    return f"{whole}.{now // 10**6 % 1000:03}"
