"""Sessions that read market data, as cheaply as they can: HOST PORT COUNT INTERVAL_MS.

Says "reading" once all are subscribed, reads until its input ends, then says what came. The first
of them keeps the book, and notices when anything is missing.
"""

from __future__ import annotations

import resource
import selectors
import socket
import sys
import time

from exchange.market_data.reader import FeedReader
from fix_engine.message import Message
from fix_engine.timestamps import TimestampFormatter
from fix_engine.wire import Decoder, encode

_DEPTH = 10
_HEARTBEAT_S = 600


class _Reader:
    def __init__(self, host: str, port: int, number: int, interval_ms: int) -> None:
        self._comp_id = b"READ%d" % number
        self._seq = 0
        self.bytes = self.messages = 0
        self.book: FeedReader | None = None if number else FeedReader()
        self._decoder = Decoder(max_message_bytes=1 << 20)
        self.socket = socket.create_connection((host, port))
        self._say(b"A", b"98=0\x01108=%d\x01141=Y\x01" % _HEARTBEAT_S)
        while b"\x0135=A\x01" not in self.socket.recv(65536):
            pass
        wanted = b"267=3\x01269=0\x01269=1\x01269=2\x01146=1\x0155=BTC/USD\x01"
        interval = b"8026=%d\x01" % interval_ms
        self._say(b"V", b"262=1\x01263=1\x01264=%d\x01265=1\x01%b%b" % (_DEPTH, wanted, interval))

    def _say(self, msg_type: bytes, body: bytes) -> None:
        self._seq += 1
        now = TimestampFormatter().format(time.time_ns())
        head = b"35=%b\x0134=%d\x0149=%b\x0152=%b\x0156=SEAMARK\x01"
        self.socket.sendall(encode(head % (msg_type, self._seq, self._comp_id, now) + body))

    def read(self) -> None:
        """Take what there is."""
        data = self.socket.recv(1 << 18)
        if not data:
            sys.exit(f"{self._comp_id.decode()} was disconnected")
        self.bytes += len(data)
        self.messages += data.count(b"\x0135=X\x01")
        if self.book is not None:
            for message in self._decoder.feed(data):
                assert isinstance(message, Message), message
                for view in self.book.take(message):
                    assert view.missing is None, f"missing: {view.missing}"


def main(host: str, port: int, count: int, interval_ms: int) -> None:
    """Subscribe, read, tell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 100)), hard))
    selector = selectors.DefaultSelector()
    readers = [_Reader(host, port, number, interval_ms) for number in range(count)]
    for one in readers:
        selector.register(one.socket, selectors.EVENT_READ, one)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    print("reading", flush=True)
    is_over = False
    while not is_over:
        for key, _ in selector.select():
            if key.data is None:
                is_over = True
            else:
                key.data.read()
    messages, total = sum(one.messages for one in readers), sum(one.bytes for one in readers)
    book = readers[0].book
    assert book is not None
    entries = sum(view.rpt_seq for view in book.views.values())
    print(f"{messages:,} messages, {total / 1e6:,.1f} MB, {entries:,} entries to each")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
