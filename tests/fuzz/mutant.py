"""A client gone mad: valid conversations with bytes changed, over TCP, as fast as they go."""

from __future__ import annotations

import socket
import struct
from collections import Counter, deque
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final

from fix_engine.message import Message
from fix_engine.wire import Decoder, encode
from tests.fuzz.corpus import NOW, now_text, scenario_messages
from tests.fuzz.generate import Generator, flat
from tests.fuzz.mutate import hostile, mutate, split
from tests.fuzz.venue import FuzzError
from tests.support.messages import dictionary

_HARD_CLOSE: Final = struct.pack("ii", 1, 0)  # RST: no port stays behind in TIME_WAIT
_SEND_BUFFER: Final = 1 << 16
_TRACE_BYTES: Final = 4 << 20
_POOL: Final = 256
_FENCE: Final = b"fence-"
_DEAF_BURSTS: Final = 10
_PATIENCE_S: Final = 0.25
_DEAF_S: Final = 1.5
_HEADER_END: Final = b"\x0156=SEAMARK\x01"
_DUPLICATE: Final = b"43=Y\x01122=<now>\x01"


class Trace:
    """The last bytes that went out, so that a failure can be looked at."""

    def __init__(self) -> None:
        self._kept: deque[tuple[str, bytes]] = deque()
        self._size = 0

    def add(self, who: str, data: bytes) -> None:
        """Bytes that were sent on a connection; none: it was opened."""
        self._kept.append((who, data))
        self._size += len(data)
        while self._size > _TRACE_BYTES:
            self._size -= len(self._kept.popleft()[1])

    def save(self, path: Path, head: str) -> None:
        """One line for each: who, and the bytes as a Python literal, the last at the end."""
        lines = [f"{who} {data!r}" if data else f"{who} connects" for who, data in self._kept]
        path.write_text("\n".join([head, *lines, ""]))


class Mutant:
    """One CompID that logs on again and again, and what it says in between."""

    def __init__(self, rng: Random, comp_id: bytes, port: int, trace: Trace) -> None:
        self.rng = rng
        self.counts: Counter[bytes] = Counter()  # of what the venue said, by MsgType
        self.connections = 0
        self.reached = 0  # inputs that were certainly looked at: what came behind was answered
        self._comp_id = comp_id
        self._port = port
        self._trace = trace
        self._socket: socket.socket | None = None
        self._pending = b""
        self._seq = self._orders = 0
        self._expected = 0
        self._asked = self._answered = self._deaf_bursts = 0
        self._give_up_at = self._deaf_until = 0.0
        self._decoder = Decoder()
        self._last = b"8=FIX.4.4\x01"
        self._pool = self._fill_pool()

    def _fill_pool(self) -> list[bytes]:
        """Messages to begin with: those of the scenarios, and some of each type."""
        generator = Generator(self.rng, dictionary())
        pool = [text for text in scenario_messages() if not text.startswith((b"35=5", b"35=A"))]
        pool *= 1 + _POOL // len(pool)
        for _ in range(_POOL):
            msg_type = generator.msg_type()
            if msg_type not in (b"5", b"A") or self.rng.random() < 0.1:
                fields = flat(msg_type, generator.body(msg_type), generator.trailer())
                pool.append(b"".join(b"%b=%b\x01" % field for field in fields))
        return pool

    # --- one step -----------------------------------------------------------------------

    def step(self) -> int:
        """Read what is there, and send a few inputs; returns how many."""
        if self._socket is None:
            self._connect()
        is_deaf = self._deaf_bursts > 0 and monotonic() < self._deaf_until
        if not (is_deaf or self._receive()) or not self._flush():
            return 0
        self._deaf_bursts -= is_deaf
        if self._asked > self._answered and not is_deaf:
            if monotonic() > self._give_up_at:  # the venue waits for the rest of something
                self._close()
            return 0
        count = self.rng.randint(1, 24)
        inputs = [self._input() for _ in range(count)]
        # Behind every burst a question: its answer says that all of it has been looked at.
        self._asked, self._give_up_at = self._asked + count, monotonic() + _PATIENCE_S
        data = b"".join([*inputs, self._fence()])
        for piece in split(self.rng, data) if self.rng.random() < 0.2 else [data]:
            self._pending += piece
            self._trace.add(self._comp_id.decode(), piece)
            self._flush()
            if self._socket is None:
                break
        kind = self.rng.random()
        if kind < 0.01:
            self._close()
        elif kind < 0.012:  # a slow reader that goes on asking
            self._deaf_bursts = _DEAF_BURSTS
            self._deaf_until = monotonic() + self.rng.random() * _DEAF_S
        return count

    def close(self) -> None:
        """Go, without a word."""
        self._close()

    def fileno(self) -> int:
        """For select; -1 when there is no connection."""
        return self._socket.fileno() if self._socket is not None else -1

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), 5.0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self.connections += 1
        self._trace.add(self._comp_id.decode(), b"")
        self._pending, self._decoder = b"", Decoder(1 << 20)
        self._seq, self._expected = 1, 0
        self._asked = self._answered = self._deaf_bursts = 0
        logon = self._framed(b"35=A\x0198=0\x01108=30\x01141=Y\x018013=Y\x01")
        if self.rng.random() < 0.1:
            logon = mutate(self.rng, logon, self._last)[0]
        self._seq = 2
        self._pending = logon

    def _close(self) -> None:
        if self._socket is not None:
            if self.rng.random() < 0.8:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HARD_CLOSE)
            self._socket.close()
            self._socket = None

    def _flush(self) -> bool:
        """Whether everything is out."""
        if self._socket is None:
            return False
        try:
            while self._pending:
                self._pending = self._pending[self._socket.send(self._pending) :]
        except BlockingIOError:
            return False
        except OSError:
            self._close()
            return False
        return True

    # --- what it says -------------------------------------------------------------------

    def _framed(self, fields: bytes) -> bytes:
        msg_type, _, rest = fields.partition(b"\x01")
        time_text = now_text().encode()
        header = b"34=%d\x0149=%b\x0152=%b\x0156=SEAMARK\x01"
        head = header % (self._seq, self._comp_id, time_text)
        return encode(msg_type + b"\x01" + head + rest.replace(NOW, time_text))

    def _input(self) -> bytes:
        rng = self.rng
        kind = rng.random()
        if kind < 0.02:  # whatever we did to the numbers, this puts them right
            return self._framed(b"35=4\x0136=%d\x01" % self._seq)
        if kind > 0.9985:
            return hostile(rng)
        raw = self._framed(self._order() if kind < 0.6 else rng.choice(self._pool))
        self._seq += 1
        if rng.random() < 0.4:
            self._last = raw
            return raw
        # A spoiled header ends most sessions; there is more to be found in the body.
        spared = raw.index(_HEADER_END) + len(_HEADER_END) if rng.random() < 0.7 else 0
        wrong, is_framed = mutate(rng, raw, self._last, spared)
        if not is_framed and not wrong.startswith(raw):  # garbled, and then not counted
            self._seq -= 1
        return wrong

    def _fence(self) -> bytes:
        raw = self._framed(b"35=1\x01112=%b%d\x01" % (_FENCE, self._asked))
        self._seq += 1
        return raw

    def _mend(self, gap: int) -> None:
        """Fill the gap that the venue asks about, for it may be waiting behind a burst."""
        seq, self._seq = self._seq, gap
        raw = self._framed(b"35=4\x01%b123=Y\x0136=%d\x01" % (_DUPLICATE, seq))
        self._seq = seq
        raw += self._fence()  # the one that waits has been passed over
        self._pending += raw
        self._trace.add(self._comp_id.decode(), raw)

    def _order(self) -> bytes:
        rng = self.rng
        self._orders += 1
        side, price, quantity = rng.randint(1, 2), rng.randint(95, 105), rng.randint(1, 5)
        name = b"%b-%d-%d" % (self._comp_id, self.connections, self._orders)
        older = max(0, self._orders - rng.randint(0, 5))
        target = b"%b-%d-%d" % (self._comp_id, self.connections, older)
        terms = b"11=%b\x0155=BTC/USD\x0154=%d\x0160=<now>\x01" % (name, side)
        limit = b"38=%d\x0140=2\x0144=%d\x01" % (quantity, price)
        match rng.randrange(8):
            case 0:
                return b"35=F\x0141=%b\x01" % target + terms
            case 1:
                return b"35=G\x0141=%b\x01" % target + terms + limit
            case 2:
                return b"35=H\x0111=%b\x0155=BTC/USD\x0154=%d\x01" % (target, side)
            case 3:
                return b"35=D\x01" + terms + b"38=%d\x0140=1\x01" % quantity
            case 4:
                return b"35=D\x01" + terms + limit + b"59=%d\x01" % rng.choice((3, 4))
            case 5 if rng.random() < 0.2:
                return b"35=2\x017=%d\x0116=0\x01" % rng.randint(1, max(1, self._expected - 1))
            case 6 if rng.random() < 0.2:
                return b"35=1\x01112=ping\x01"
            case _:
                return b"35=D\x01" + terms + limit + b"453=1\x01448=p\x01447=D\x01452=1\x01"

    # --- what it hears ------------------------------------------------------------------

    def _receive(self) -> bool:
        """Read what is there; whether the conversation goes on."""
        while self._socket is not None:
            try:
                data = self._socket.recv(1 << 18)
            except BlockingIOError:
                return True
            except OSError:
                data = b""
            if not data:
                self._close()
                break
            for item in self._decoder.feed(data):
                if not isinstance(item, Message):
                    raise FuzzError(f"the venue wrote what cannot be read: {item.reason}")
                self._hear(item)
        return False

    def _hear(self, message: Message) -> None:
        self.counts[message.msg_type] += 1
        if not message.is_poss_dup:
            is_reset = message.msg_type == b"A" and message.flag(b"141")
            if self._expected and not is_reset and message.seq != self._expected:
                raise FuzzError(f"MsgSeqNum {self._expected} should be next: {message}")
            self._expected = (message.seq or 0) + 1
        if message.msg_type == b"2":
            self._mend(int(message.get(b"7") or 0))
        elif (message.get(b"112") or b"").startswith(_FENCE):
            answered = (message.get(b"112") or b"").removeprefix(_FENCE)
            if answered.isdigit() and self._answered < int(answered) <= self._asked:
                self.reached += int(answered) - self._answered
                self._answered = int(answered)
        elif message.msg_type == b"5":
            self._close()
