"""The desk that answers TradeCaptureReportRequests: history in pages, and trades as they happen.

Of all the requests that run, one page is answered in each turn of the loop, and only while its
client reads; so however much history is asked for, and by however many, others wait for one page.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from exchange.copies import body_of, copied, joined
from exchange.desk import UNSUBSCRIBE, Question
from exchange.events import Executed, VenueEvent
from exchange.history.request import OTHER, RefusedError, Wanted, rank_of_original, read_request
from exchange.history.trades import fields_of, trade_report
from exchange.sequencer import Sequencer
from exchange.venue.copies import sees
from fix_engine import tags
from fix_engine.message import Message
from fix_engine.outbound import return_route
from fix_engine.timestamps import Precision, TimestampFormatter
from sessions.application import Peer
from sessions.journal import Journal
from sessions.journal.pages import (
    HistoryReader,
    ReleasedError,
    SentRecord,
    first_head,
)
from sessions.turn import Turn

MOST_REQUESTS: Final = 4  # of a session at once
PAGE_MESSAGES: Final = 16  # that one turn answers with
PAGE_EFFORT: Final = 400  # heads of batches and records that it looks at: under a millisecond
# TradeRequestStatus (750)
_ACCEPTED: Final = 0
_COMPLETED: Final = 1
_REJECTED: Final = 2
_NO_ROOM: Final = b"No history for now: the journal has no room for it; ask again later"
_GONE: Final = b"What comes next is not kept any more: ask again, from later on"


Trade = tuple[dict[bytes, bytes], bytes, bytes]  # fields of its report, account, CompID


@dataclass(slots=True, eq=False)
class Running:
    """A request that is being answered, or goes on with what happens.

    `route` are header fields of its answers, `repeated` those of repeated reports. `held` is a
    trade that may be the last.
    """

    peer: Peer
    wanted: Wanted
    request_id: bytes
    route: bytes
    repeated: bytes
    reader: HistoryReader | None = None
    count: int = 0
    held: Trade | None = None
    is_over: bool = False


class HistoryDesk:
    """See the module."""

    def __init__(self, sequencer: Sequencer, journal: Journal, turn: Turn) -> None:
        self._sequencer = sequencer
        self._journal = journal
        self._turn = turn
        self._running: dict[int, dict[bytes, Running]] = {}
        self._ready: deque[Running] = deque()
        self._live: list[Running] = []
        self._is_due = False

    @property
    def questions(self) -> Mapping[bytes, Question]:
        """TradeCaptureReportRequest."""
        return {tags.TRADE_CAPTURE_REPORT_REQUEST: self._asked}

    def on_logout(self, peer: Peer) -> None:
        """Whatever it has asked for ends."""
        ended = self._running.pop(peer.number, {}).values()
        for running in ended:
            running.is_over = True
        self._settle_following(ended)

    # --- asked --------------------------------------------------------------------------

    def _asked(self, peer: Peer, message: Message) -> None:
        own = self._running.setdefault(peer.number, {})
        request_id = message.get(tags.TRADE_REQUEST_ID) or b""
        try:
            if message.get(tags.SUBSCRIPTION_REQUEST_TYPE) == UNSUBSCRIBE:
                self._disable(peer, message, own, request_id)
                return
            if self._journal.lack is not None:
                raise RefusedError(OTHER, _NO_ROOM)
            if request_id in own:
                text = b"TradeRequestID (568) %b is of a request that runs: choose another"
                raise RefusedError(OTHER, text % request_id[:64])
            if len(own) >= MOST_REQUESTS:
                text = b"%d requests run: wait for one to end, or end it by 263=2"
                raise RefusedError(OTHER, text % MOST_REQUESTS)
            venue, position = self._sequencer.venue, self._journal.position
            wanted = read_request(message, peer.number, venue, position)
            text = self._kept_since(wanted)
        except RefusedError as refusal:
            self._acknowledge(peer, message, _REJECTED, refusal.result, refusal.text)
            return
        route = return_route(message)
        # Header fields come in tag order.
        repeated = joined(sorted([*route.split(tags.SOH)[:-1], b"97=Y"], key=_tag_of))
        running = Running(peer, wanted, request_id, route, repeated)
        own[request_id] = running
        self._acknowledge(peer, message, _ACCEPTED, 0, text)
        self._enqueue(running)

    def _disable(
        self, peer: Peer, message: Message, own: dict[bytes, Running], request_id: bytes
    ) -> None:
        running = own.get(request_id)
        if running is None:
            text = b"TradeRequestID (568) %b is of no request that runs" % request_id[:64]
            raise RefusedError(OTHER, text)
        self._finish(running)
        self._acknowledge(peer, message, _COMPLETED, 0, b"Ended at your request", running.count)

    def _kept_since(self, wanted: Wanted) -> bytes:
        """Text that says from when on there is history; raises RefusedError when it is too late."""
        head = first_head(self._journal.segments[0])
        if head is None or head.first_position <= 1:
            return b""
        time = TimestampFormatter(Precision.NANOSECONDS).format(head.stamp)  # may be asked from
        kept = b"Kept since %b, from AfterExecID (8060) %d-0 on" % (time, head.first_position)
        span = wanted.span
        if wanted.after is not None and wanted.after[0] < head.first_position:
            raise RefusedError(OTHER, kept)
        if 0 < span.since < head.stamp:
            raise RefusedError(OTHER, b"%b: NoDates (580) begins before" % kept)
        return kept

    def _acknowledge(
        self,
        peer: Peer,
        message: Message,
        status: int,
        result: int,
        text: bytes = b"",
        count: int | None = None,
    ) -> None:
        """TradeCaptureReportRequestAck."""
        wanted = (tags.ACCOUNT, tags.SYMBOL), (tags.SUBSCRIPTION_REQUEST_TYPE,)
        before, behind = (
            [b"%b=%b" % (tag, value) for tag in some if (value := message.get(tag)) is not None]
            for some in wanted
        )
        body = joined(
            [
                *before,
                *((b"58=%b" % text,) if text else ()),
                *behind,
                b"568=%b" % (message.get(tags.TRADE_REQUEST_ID) or b""),
                b"569=%b" % (message.get(tags.TRADE_REQUEST_TYPE) or b""),
                *((b"748=%d" % count,) if count is not None else ()),
                b"749=%d" % result,
                b"750=%d" % status,
            ]
        )
        peer.send(tags.TRADE_CAPTURE_REPORT_REQUEST_ACK, body, return_route(message))

    # --- one page in each turn ----------------------------------------------------------

    def _enqueue(self, running: Running) -> None:
        self._ready.append(running)
        if not self._is_due:
            self._is_due = True
            self._turn.after(self._next_page)

    def _next_page(self) -> None:
        self._is_due = False
        while self._ready:
            running = self._ready.popleft()
            if not running.is_over:
                running.peer.when_ready(partial(self._page, running))
                break
        if self._ready and not self._is_due:
            self._is_due = True
            self._turn.after(self._next_page)

    def _page(self, running: Running) -> None:
        if running.is_over:
            return
        self._turn.open()
        if self._journal.lack is not None:  # orders need it more: what is told is journaled, too
            self._finish(running)
            self._conclude(running, _REJECTED, OTHER, _NO_ROOM)
            return
        is_committed = self._journal.is_committed
        if running.reader is None:
            running.reader = self._reader(running.wanted)
        try:
            found = running.reader.page(PAGE_EFFORT, PAGE_MESSAGES)
        except ReleasedError:
            self._finish(running)
            self._conclude(running, _REJECTED, OTHER, _GONE)
            return
        for sent in found:
            self._tell(running, sent)
        if running.reader.is_at_end and (is_committed or not running.wanted.is_live):
            self._caught_up(running)
        else:
            self._enqueue(running)

    def _reader(self, wanted: Wanted) -> HistoryReader:
        sessions = self._sequencer.venue.state.sessions

        def is_seen(number: int, position: int) -> bool:
            session = sessions.get(number)
            return session is not None and sees(wanted.accounts, session.account_at(position))

        end = None if wanted.is_live else self._journal.written
        return HistoryReader(
            self._journal, tags.EXECUTION_REPORT, wanted.span, is_seen, rank_of_original, end
        )

    def _tell(self, running: Running, sent: SentRecord) -> None:
        """One report of the journal, if it is asked for."""
        original = body_of(sent.payload)
        wanted, sequencer = running.wanted, self._sequencer
        account = sequencer.venue.state.sessions[sent.session].account_at(sent.rank[0])
        fields = fields_of(original)
        if not wanted.means(fields, account):
            return
        comp_id = sequencer.executor.comp_ids[sent.session]
        if wanted.after is None:
            self._tell_trade(running, (fields, account, comp_id))
            return
        running.count += 1
        body = joined(copied(original, account, comp_id, b"568=%b" % running.request_id))
        running.peer.send(tags.EXECUTION_REPORT, body, running.repeated)

    def _tell_trade(self, running: Running, trade: Trade | None) -> None:
        """One trade late: only behind it is it known whether it was the last."""
        held, running.held = running.held, trade
        if held is not None:
            running.count += 1
            body = trade_report(*held, running.request_id, is_last=trade is None)
            running.peer.send(tags.TRADE_CAPTURE_REPORT, body, running.route)

    def _caught_up(self, running: Running) -> None:
        """All that there was has been told."""
        self._tell_trade(running, None)
        if running.wanted.is_live:
            self._live.append(running)
            if len(self._live) == 1:
                self._sequencer.follow(self)
            self._conclude(running, _COMPLETED, 0, b"What happens from here on follows")
        else:
            self._finish(running)
            self._conclude(running, _COMPLETED, 0)

    def _conclude(self, running: Running, status: int, result: int, text: bytes = b"") -> None:
        request = running.wanted.request
        self._acknowledge(running.peer, request, status, result, text, running.count)

    def _finish(self, running: Running) -> None:
        running.is_over = True
        own = self._running[running.peer.number]
        del own[running.request_id]
        self._settle_following([running])

    # --- what happens -------------------------------------------------------------------

    def on_executed(self, position: int, now: int, events: list[VenueEvent]) -> None:
        """Tell the trades of this input to those who have asked for what happens."""
        executor = self._sequencer.executor
        for event in events:
            if event.__class__ is not Executed or not event.last_quantity:
                continue
            body = executor.encoder.encode(event, position, now)[1]
            fields = fields_of(body.split(tags.SOH)[:-1])
            account, comp_id = event.order.owner.name, executor.comp_ids[event.session]
            for running in self._live:
                if running.wanted.means(fields, account):
                    running.count += 1
                    report = trade_report(fields, account, comp_id, running.request_id, False)
                    running.peer.send(tags.TRADE_CAPTURE_REPORT, report, running.route)

    def _settle_following(self, ended: Iterable[Running]) -> None:
        """Follow the venue no longer than anybody wants to know."""
        gone = [running for running in ended if running in self._live]
        for running in gone:
            self._live.remove(running)
        if gone and not self._live:
            self._sequencer.leave(self)


def _tag_of(field: bytes) -> int:
    return int(field.partition(b"=")[0])
