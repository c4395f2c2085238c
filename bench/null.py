"""The emptiest acceptor: every order is acknowledged and filled, unread. `python -m bench.null`.

It has no books, no store, no checks, and no memory of sequence numbers. What the load generator
gets through with it is the generator's own ceiling.
"""

from __future__ import annotations

import re
import select
import socket
import sys

from fix_engine.wire import encode

_CL_ORD_ID = re.compile(rb"\x0111=([^\x01]+)\x01")
_LOGON = encode(
    b"35=A\x0134=1\x0149=SEAMARK\x0152=20260101-00:00:00.000\x0156=LOAD\x0198=0\x01108=600\x01"
)
# As long as ours; the numbers and sums are not right, and nobody looks.
_REPORT = (
    b"8=FIX.4.4\x019=190\x0135=8\x0134=1000\x0149=SEAMARK\x0152=20260101-00:00:00.000\x0156=LOAD1"
    b"\x016=0\x0111=%b\x0114=0\x0117=1000-1\x0137=1000\x0138=1\x0139=%b\x0140=2\x0144=65000\x01"
    b"54=1\x0155=BTC/USD\x0159=1\x0160=20260101-00:00:00.000\x01150=%b\x01151=1\x0110=000\x01"
)
_PAIR = _REPORT % (b"%b", b"0", b"0") + _REPORT % (b"%b", b"2", b"F")


class _Peer:
    def __init__(self, plug: socket.socket) -> None:
        self.socket = plug
        self._is_logged_on = False
        self._tail = b""

    def serve(self) -> bool:
        """Answer what has come; false when the peer has gone."""
        data = self.socket.recv(1 << 16)
        if not data:
            return False
        buffer = self._tail + data
        end = buffer.rfind(b"\x01", 0, buffer.rfind(b"\x0110=") + 8) + 1
        self._tail = buffer[end:]
        out = [_PAIR % (name, name) for name in _CL_ORD_ID.findall(buffer, 0, end)]
        if not self._is_logged_on and end:
            self._is_logged_on = True
            out.insert(0, _LOGON)
        self.socket.sendall(b"".join(out))
        return True


def main() -> None:
    """Serve until the standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1_000)
    peers: dict[int, _Peer] = {}
    poll = select.epoll()
    for fd in (listener.fileno(), sys.stdin.fileno()):
        poll.register(fd, select.EPOLLIN)
    print(f"listens on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                plug, _ = listener.accept()
                plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peers[plug.fileno()] = _Peer(plug)
                poll.register(plug.fileno(), select.EPOLLIN)
            elif fd == sys.stdin.fileno():
                return
            elif not peers[fd].serve():
                poll.unregister(fd)
                peers.pop(fd).socket.close()


if __name__ == "__main__":
    main()
