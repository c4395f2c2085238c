"""A FIX initiator on a plain socket: logs on, numbers, answers what every engine must answer.

It is not the session machine of the venue, which rejects what its dictionary does not know: this
one talks to acceptors of any dialect, and leaves it to the comparison what answers are worth.

It waits for nothing itself: `read`, `write` and `beat` are called by whoever watches its socket.
What it has sent it never sends again: a ResendRequest is answered by a gap fill.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Final

from fix_engine import tags
from fix_engine.message import Message
from fix_engine.timestamps import Precision, TimestampFormatter
from fix_engine.wire import Decoder, Garbled, checksum

HEARTBEAT_S: Final = 30
_MAX_MESSAGE_BYTES: Final = 1 << 24
_NOT_NOW: Final = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

Pair = tuple[bytes, bytes]


class InitiatorError(Exception):
    """The session cannot go on; says why in one line."""


class Initiator:
    """One session, over as many connections as it needs; its numbers outlive them.

    `deliver` is called with every application message and every Reject, once, in sequence.
    """

    def __init__(
        self,
        comp_id: bytes,
        target_comp_id: bytes,
        begin_string: bytes,
        deliver: Callable[[Message], None],
        heartbeat_s: int = HEARTBEAT_S,
    ) -> None:
        self.name = comp_id.decode("latin-1")
        self.next_out = self.next_in = 1
        self.is_up = False
        self.ended = ""  # why there is no connection any more
        self.last_mark = b""  # TestReqID of the last Heartbeat that answered a TestRequest
        self.socket: socket.socket | None = None
        self._header = ((b"49", comp_id), (b"56", target_comp_id))
        self._begin_string = begin_string
        self._deliver = deliver
        self._heartbeat_s = heartbeat_s
        self._is_leaving = False
        self._takes_any_number = False
        self._has_asked = False
        self._early: dict[int, Message] = {}
        self._unsent = b""
        self._last_sent = 0.0
        self._decoder = Decoder()
        self._time = TimestampFormatter(Precision.MILLISECONDS)

    # --- the connection -----------------------------------------------------------------

    def connect(
        self, host: str, port: int, timeout_s: float, tls: ssl.SSLContext | None = None
    ) -> socket.socket:
        """Connect, with nothing said yet; the socket, to be watched. Raises InitiatorError."""
        try:
            plug = socket.create_connection((host, port), timeout_s)
        except OSError as error:
            why = error.strerror or str(error) or "timed out"
            raise InitiatorError(f"nobody listens on {host}:{port} ({why})") from error
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            try:
                plug = tls.wrap_socket(plug, server_hostname=host)
            except (OSError, ValueError) as error:
                plug.close()
                raise InitiatorError(f"no TLS with {host}:{port} ({error})") from error
        plug.setblocking(False)
        self.socket = plug
        self._decoder = Decoder(_MAX_MESSAGE_BYTES, max_fields=1 << 20)
        self.ended, self._unsent = "", b""
        self.is_up = self._is_leaving = self._has_asked = False
        self._early.clear()
        return self.socket

    def close(self, why: str) -> None:
        """Close without a word."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
        self.is_up = False
        self.ended = self.ended or why

    @property
    def has_unsent(self) -> bool:
        """Whether `write` has something left to do."""
        return bool(self._unsent)

    def read(self) -> None:
        """Take what has arrived; raises InitiatorError."""
        if self.socket is None:
            return
        try:
            data = self.socket.recv(1 << 16)
            if isinstance(self.socket, ssl.SSLSocket):
                while pending := self.socket.pending():  # nothing would say that it is there
                    data += self.socket.recv(pending)
        except _NOT_NOW:
            return
        except OSError:
            data = b""
        if not data:
            self.close("the connection was closed by the other end")
        for item in self._decoder.feed(data):
            if isinstance(item, Garbled):
                raise InitiatorError(f"{self.name} is answered by what is no FIX: {item.reason}")
            self._take(item)

    def write(self) -> None:
        """Write what the connection will take."""
        if self.socket is None or not self._unsent:
            return
        try:
            sent = self.socket.send(self._unsent)
        except _NOT_NOW:
            return
        except OSError:
            self._unsent = b""  # reading will say that the connection is gone
            return
        self._unsent = self._unsent[sent:]

    def beat(self) -> None:
        """A Heartbeat when it is time for one."""
        if self.is_up and time.monotonic() - self._last_sent >= self._heartbeat_s:
            self.send(tags.HEARTBEAT)

    # --- what we say --------------------------------------------------------------------

    def logon(self, fields: Iterable[Pair], reset: bool) -> None:
        """Send a Logon; `fields` go before our own of the same tag."""
        own = {tags.ENCRYPT_METHOD: b"0", tags.HEART_BT_INT: b"%d" % self._heartbeat_s}
        if reset:
            own[tags.RESET_SEQ_NUM_FLAG] = tags.YES
        body = own | dict(fields)
        is_reset = body.get(tags.RESET_SEQ_NUM_FLAG) == tags.YES
        if is_reset:
            self.next_out = self.next_in = 1
        elif body.get(tags.RESET_SEQ_NUM_FLAG) == b"N":
            del body[tags.RESET_SEQ_NUM_FLAG]
        self._takes_any_number = reset and not is_reset
        self.send(tags.LOGON, *_ordered(body))

    def logout(self) -> None:
        """Send a Logout; its answer ends the connection."""
        self._is_leaving = True
        self.send(tags.LOGOUT)

    def test(self, mark: bytes) -> None:
        """Send a TestRequest; its Heartbeat comes behind what was asked before."""
        self.send(tags.TEST_REQUEST, (tags.TEST_REQ_ID, mark))

    def now(self) -> bytes:
        """SendingTime of this moment."""
        return self._time.format(time.time_ns())

    def send(self, msg_type: bytes, *fields: Pair) -> None:
        """Number, stamp and send a message."""
        seq = self.next_out
        self.next_out += 1
        self._frame(msg_type, seq, (), fields)

    def send_as(self, pairs: Iterable[Pair]) -> int:
        """Send a whole message, header included, under the next MsgSeqNum; which one."""
        seq = self.next_out
        self.next_out += 1
        own = dict(
            (*self._header, (tags.MSG_SEQ_NUM, b"%d" % seq), (tags.SENDING_TIME, self.now()))
        )
        self._put([(tag, own.get(tag, value)) for tag, value in pairs])
        return seq

    def _frame(
        self, msg_type: bytes, seq: int, header: tuple[Pair, ...], fields: tuple[Pair, ...]
    ) -> None:
        start = ((b"35", msg_type), (tags.MSG_SEQ_NUM, b"%d" % seq))
        stamp = (tags.SENDING_TIME, self.now())
        self._put([*start, self._header[0], stamp, self._header[1], *header, *fields])

    def _put(self, pairs: Iterable[Pair]) -> None:
        body = b"".join(b"%b=%b\x01" % pair for pair in pairs)
        start = b"8=%b\x019=%d\x01%b" % (self._begin_string, len(body), body)
        self._unsent += b"%b10=%03d\x01" % (start, checksum(start))
        self._last_sent = time.monotonic()
        self.write()

    # --- what we hear -------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        """A message in whatever order: obeyed when its turn has come."""
        seq = message.seq
        if seq is None:
            raise InitiatorError(f"{self.name} was sent a message without MsgSeqNum (34)")
        if message.msg_type == tags.LOGON:
            self._logged_on(message, seq)
        is_reset = message.msg_type == tags.SEQUENCE_RESET and not message.flag(tags.GAP_FILL_FLAG)
        if is_reset or message.msg_type in (tags.RESEND_REQUEST, tags.LOGOUT):
            self._obey(message)  # whatever its number is
        if is_reset or seq < self.next_in:
            if not is_reset and not message.is_poss_dup and message.msg_type != tags.LOGOUT:
                raise InitiatorError(
                    f"{self.name} was sent MsgSeqNum {seq} where {self.next_in} was due"
                )
            return
        self._early[seq] = message
        while self.next_in in self._early:
            one = self._early.pop(self.next_in)
            self.next_in += 1
            if one.msg_type not in (tags.RESEND_REQUEST, tags.LOGOUT):
                self._obey(one)
        self._early = {seq: one for seq, one in self._early.items() if seq > self.next_in}
        if not self._early:
            self._has_asked = False
        elif not self._has_asked and self.is_up:
            self._has_asked = True
            first = (tags.BEGIN_SEQ_NO, b"%d" % self.next_in)
            self.send(tags.RESEND_REQUEST, first, (tags.END_SEQ_NO, b"0"))

    def _logged_on(self, logon: Message, seq: int) -> None:
        if logon.flag(tags.RESET_SEQ_NUM_FLAG) or self._takes_any_number:
            self.next_in = seq
        self.is_up, self._takes_any_number = True, False

    def _obey(self, message: Message) -> None:
        msg_type = message.msg_type
        if msg_type == tags.HEARTBEAT:
            self.last_mark = message.get(tags.TEST_REQ_ID) or self.last_mark
        elif msg_type == tags.TEST_REQUEST:
            self.send(tags.HEARTBEAT, (tags.TEST_REQ_ID, message.get(tags.TEST_REQ_ID) or b""))
        elif msg_type == tags.RESEND_REQUEST:
            self._fill_gap(int(message.get(tags.BEGIN_SEQ_NO) or 1))
        elif msg_type == tags.SEQUENCE_RESET:
            self.next_in = max(self.next_in, int(message.get(tags.NEW_SEQ_NO) or 0))
        elif msg_type == tags.LOGOUT:
            self._logged_out(message)
        elif msg_type != tags.LOGON:
            self._deliver(message)

    def _fill_gap(self, begin: int) -> None:
        header = ((tags.POSS_DUP_FLAG, tags.YES), (tags.ORIG_SENDING_TIME, self.now()))
        fields = ((tags.NEW_SEQ_NO, b"%d" % self.next_out), (tags.GAP_FILL_FLAG, tags.YES))
        self._frame(tags.SEQUENCE_RESET, begin, header, fields)

    def _logged_out(self, message: Message) -> None:
        text = (message.get(tags.TEXT) or b"").decode("latin-1")
        if not self._is_leaving and self.is_up:
            self.send(tags.LOGOUT)
        verb = "logged out" if self.is_up else "refused"
        self.close("logged out" if self._is_leaving else f"{verb}: {text or 'no reason given'}")


def _ordered(body: dict[bytes, bytes]) -> list[Pair]:
    """The fields of a Logon: data behind its length, which is counted, the rest as given."""
    data = body.pop(tags.RAW_DATA, None)
    body.pop(tags.RAW_DATA_LENGTH, None)
    pairs = list(body.items())
    if data is not None:
        pairs += [(tags.RAW_DATA_LENGTH, b"%d" % len(data)), (tags.RAW_DATA, data)]
    return pairs
