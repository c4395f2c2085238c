"""A venue in this process without sockets or wall time, and clients to talk to it.

The real session machine, endpoint, registry, journal, sequencer and venue; only the event loop is
replaced by `World.turn`, which ends a turn, and the clock by a number that tests move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from config.settings import Settings
from exchange.access import make_admission
from exchange.control_file import ControlFile
from exchange.rules import Rules
from exchange.service import make_rules, make_timetable, make_venue
from fix_engine.logon import SessionSettings
from fix_engine.message import Message
from fix_engine.outbound import SharedFields
from fix_engine.timestamps import SECOND_NS, TimestampFormatter
from fix_engine.validation import Validator
from fix_engine.wire import Decoder
from sessions.endpoint import Endpoint
from sessions.journal import SEGMENT_BYTES, Batch, Durability, Journal, Reader
from sessions.profile import Profile
from sessions.registry import Admission, Registry
from sessions.snapshot import read_snapshots
from sessions.turn import Turn
from tests.support.messages import as_dict, dictionary, fix

START_NS = 1_800_000_000 * SECOND_NS
STREAMED = b"\x0158=worth nothing later\x01"  # in each message that was not stored
_SHARED = SharedFields.of(STREAMED[1:])


class World:
    """The venue; `directory` None keeps its journal in memory.

    `rules` None are those of the settings. With `accounts`, account by CompID, nobody else may log
    on; without, anybody may, each on an account of their own.
    """

    def __init__(
        self,
        directory: Path | None = None,
        settings: Settings | None = None,
        replaces_live: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
        now: int = START_NS,
        rules: Rules | None = None,
        accounts: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.now = now
        durability = Durability.MEMORY if directory is None else Durability.OS
        self.journal = Journal(directory or Path(), durability, segment_bytes)
        self.failures: list[Exception] = []
        self._due: list[Callable[[], None]] = []
        self._turn = Turn(self.journal, lambda: self.now, self._due.append, self.failures.append)
        control = ControlFile(directory) if directory is not None else None
        wanted = rules or make_rules(self.settings)
        self.timetable = make_timetable(self.settings)
        self._timers: list[tuple[int, Callable[[], None]]] = []
        self.sequencer = make_venue(
            wanted, self.journal, self._turn, control, self.timetable, self._call_later
        )
        self.venue = self.sequencer.venue
        admission = Admission(
            SessionSettings(b"SEAMARK", b"", echoed_logon_tags=(b"8013",)),
            replaces_live=replaces_live,
            profiles=None if accounts is None else _profiles(accounts),
        )
        self.registry = Registry(
            make_admission(self.settings) if self.settings.accounts else admission,
            Validator(dictionary()),
            self.journal,
            self._turn,
            self.sequencer,
        )
        self.registry.recover(snapshots=read_snapshots(directory) if directory else ())
        self.sequencer.on_started(self.registry.peers)
        self.turn()

    def open_turn(self) -> int:
        """The time stamp of the present turn."""
        return self._turn.open()

    def fail(self, error: Exception) -> None:
        """What a connection does when something breaks in the middle of a turn."""
        self._turn.fail(error)

    def turn(self) -> None:
        """End the turn, and those that it causes: journal, then deliver to the clients."""
        while self._due:
            due, self._due[:] = list(self._due), []
            for callback in due:
                callback()

    def pass_time(self, seconds: float) -> None:
        """So much time passes, and the venue looks at what is due."""
        end = self.now + round(seconds * SECOND_NS)
        while self._timers and min(self._timers, key=_due)[0] <= end:
            timer = min(self._timers, key=_due)
            self._timers.remove(timer)
            self.now = max(self.now, timer[0])
            timer[1]()
            self.turn()
        self.now = end
        self.sequencer.on_time(self.now)
        self.turn()

    def _call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
        self._timers.append((self.now + round(delay_s * SECOND_NS), callback))

    def batches(self) -> list[Batch]:
        """All that the journal holds."""
        return list(Reader(self.journal._segments).batches())

    def client(self, comp_id: str, logon: str = "108=30|") -> Client:
        """A client that has connected and logged on with these fields."""
        client = Client(self, comp_id)
        client.connect()
        client.send(f"35=A|98=0|{logon}")
        return client


def _due(timer: tuple[int, Callable[[], None]]) -> int:
    return timer[0]


def _profiles(accounts: Mapping[str, str]) -> dict[bytes, Profile]:
    return {
        name.encode(): Profile(
            SessionSettings(b"SEAMARK", name.encode(), echoed_logon_tags=(b"8013",)),
            account=account,
        )
        for name, account in accounts.items()
    }


class Client:
    """One FIX client; what it received is in `received`, as dictionaries by tag."""

    def __init__(self, world: World, comp_id: str) -> None:
        self.world = world
        self.comp_id = comp_id
        self.seq = 1
        self.received: list[dict[int, str]] = []
        self.raw: list[bytes] = []
        self.sent: list[bytes] = []
        self.is_connected = False
        self.is_writable = True  # whether it reads, as far as the venue can see
        self._endpoint: Endpoint | None = None
        self._out: list[bytes] = []
        self._on_writable: list[Callable[[], None]] = []
        self._decoder = Decoder()
        self._time = TimestampFormatter()

    # --- the client's side --------------------------------------------------------------

    def connect(self) -> None:
        """Connect; nothing is said yet."""
        self.is_connected = True
        self._endpoint = None

    def send(
        self, fields: str, seq: int | None = None, header: str = "", end_turn: bool = True
    ) -> None:
        """Send `35=D|11=...|` with header fields added; end the turn unless told not to."""
        msg_type, _, body = fields.partition("|")
        number = self.seq if seq is None else seq
        if seq is None:
            self.seq += 1
        time = self._time.format(self.world.now).decode()
        start = f"{msg_type}|34={number}|49={self.comp_id}|52={time}|56=SEAMARK|"
        self.send_raw(fix(start + header + body.replace("<now>", time)))
        if end_turn:
            self.world.turn()

    def send_raw(self, data: bytes) -> None:
        """Bytes on the wire."""
        self.sent.append(data)
        now = self.world.open_turn()
        for item in self._decoder.feed(data):
            assert isinstance(item, Message), item
            self.receive(item, now)

    def receive(self, message: Message, now: int) -> None:
        """What a connection does with a message: find its session, or refuse the caller."""
        if self._endpoint is None:
            claimed = self.world.registry.claim(message)
            if isinstance(claimed, str):
                self.is_connected = False
                return
            self._endpoint = claimed
            claimed.wire = self
            claimed.session.connected(now)
        try:
            self._endpoint.receive(message, now)
        except Exception as error:
            self.world.fail(error)

    def order(
        self,
        cl_ord_id: str,
        side: str,
        quantity: str,
        price: str = "",
        more: str = "59=1|",
        symbol: str = "BTC/USD",
    ) -> list[dict[int, str]]:
        """A limit order, or a market order without a price; what came back."""
        terms = f"40=2|44={price}|" if price else "40=1|"
        code = {"buy": "1", "sell": "2"}.get(side, side)
        return self.ask(
            f"35=D|11={cl_ord_id}|55={symbol}|54={code}|60=<now>|38={quantity}|{terms}{more}"
        )

    def ask(self, fields: str) -> list[dict[int, str]]:
        """Send; what came back for this client in the same turn."""
        before = len(self.received)
        self.send(fields)
        return self.received[before:]

    def stream(self, count: int) -> None:
        """Be sent messages that are not stored, if logged on; ends the turn."""
        if self._endpoint is not None:
            for number in range(count):
                self._endpoint.stream(b"C", b"148=%d\x01" % number, _SHARED)
            self.world.turn()

    def drop(self) -> None:
        """Lose the connection, with everything that was not delivered."""
        self._out.clear()
        self.is_connected = False
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None and endpoint.wire is self:
            endpoint.wire = None
            self.world.open_turn()
            endpoint.session.disconnected("connection lost")
            endpoint.settle()
            self.world.turn()

    def take(self) -> list[dict[int, str]]:
        """What was received since this was last called."""
        taken, self.received = self.received, []
        return taken

    # --- sessions.endpoint.Wire ---------------------------------------------------------

    def write(self, raw: bytes) -> None:
        """Held until the end of the turn."""
        self._out.append(raw)
        self.world._turn.will_flush(self)

    def seal(self) -> None:
        """Turns settle at once here, so there is nothing to keep apart."""

    def flush(self, now: int) -> None:
        """The batch is durable: deliver."""
        for raw in self._out:
            self.raw.append(raw)
            self.received.append(as_dict(raw))
        self._out.clear()

    def close(self, reason: str) -> None:
        """The venue ends the connection."""
        self.is_connected = False
        self.world._turn.will_flush(self)

    def when_writable(self, callback: Callable[[], None]) -> None:
        """Now, or once it reads on."""
        if self.is_writable:
            callback()
        else:
            self._on_writable.append(callback)

    def read_on(self) -> None:
        """It reads again."""
        self.is_writable = True
        callbacks, self._on_writable = self._on_writable, []
        for callback in callbacks:
            callback()
        self.world.turn()
