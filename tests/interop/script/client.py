"""An engine's program, and the two clients of the venue that it is.

It holds one session for each of the roles buyer and seller. Where it is given keys (see keys.py)
both connect by TLS and trust what its authority has signed, and nothing else. A role that has a
certificate shows it, and one that has a key to sign with puts a signature into its Logons, as
RawData: of the values of MsgType, SenderCompID, TargetCompID, MsgSeqNum and SendingTime with SOH in
between, in Base64.

It reads commands from its standard input, in order; messages are in "tag=value" with SOH in
between:

    logon ROLE FIELDS        log on, and again whenever the connection is lost; from now on these
                             fields, there may be none, go onto every Logon, over what it has
    logout ROLE              and stay away
    send ROLE MESSAGE        of any type; body and MsgType, the rest of the header is the engine's
    numbers ROLE OUT IN      the next MsgSeqNum that the engine gives, and the next that it expects;
                             0 leaves one as it is

and ends with its standard input. It prints what its engine tells it, a line each:

    up ROLE                  logged on
    down ROLE                not any more
    in ROLE MESSAGE          received, and found valid
    out ROLE MESSAGE         to be sent, or to be kept for a resend if there is no connection
    error TEXT               the program is at its end
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from tests.interop.proxy import Direction, Proxy
from tests.interop.script.fix import EXEC_ID, SOH, Failure, Message, request, unless

#: For each single wait. Generous: the machine may be busy with something else.
PATIENCE_S: Final = 20
#: QuickFIX C++ tells that it has logged out before it drops the connection, and puts a Logon that
#: it is told to send in between, with its number, nowhere.
_DROPPING_S: Final = 0.1


class Program:
    """The process."""

    def __init__(
        self, process: Process, proxies: Mapping[str, Proxy], comp_ids: Mapping[str, str]
    ) -> None:
        self.clients = {
            role: Client(role, comp_ids[role], self, proxy) for role, proxy in proxies.items()
        }
        self.complaint = ""  # why nothing more can be expected
        self._process = process

    def tell(self, *words: str) -> None:
        """Give a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{' '.join(words)}\n".encode())

    def end(self) -> None:
        """No more commands."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def follow(self) -> int:
        """Take what it prints until it ends; its exit code."""
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            what, _, rest = raw.decode(errors="replace").rstrip("\n").partition(" ")
            role, _, message = rest.partition(" ")
            if what == "error":
                self._complain(rest)
            else:
                self.clients[role].happened(what, message)
        code = await self._process.wait()
        self._complain(f"exit code {code}")
        return code

    async def kill(self) -> None:
        """Should it still run, it does not any longer."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _complain(self, complaint: str) -> None:
        self.complaint = self.complaint or f"the program has ended: {complaint}"
        for client in self.clients.values():
            client.news.set()


class Client:
    """One session with the venue, and all that it has sent and received."""

    def __init__(self, role: str, comp_id: str, program: Program, proxy: Proxy) -> None:
        self.role = role
        self.comp_id = comp_id
        self.proxy = proxy
        self.news = asyncio.Event()
        self.is_up = False
        self.losses = 0  # how often it went down
        self.exec_ids: list[str] = []  # of all reports so far, in the order of their arrival
        self.taken: list[Message] = []  # what `expect` has returned
        self._program = program
        self._inbox: deque[Message] = deque()
        self._counts: Counter[str] = Counter()
        self._last: dict[str, Message] = {}

    # --- what the script does ----------------------------------------------------------------

    async def logon(self, fields: str = "") -> None:
        """Log on; the fields go onto this Logon and those after losses of the connection."""
        self.begin_logon(fields)
        await self.online()

    def begin_logon(self, fields: str = "") -> None:
        """The same, and see what comes of it."""
        self._program.tell("logon", self.role, SOH.join(fields.split()))

    def give_up(self) -> None:
        """Log on no more, after a logon that came to nothing."""
        self._program.tell("logout", self.role)

    async def logout(self) -> None:
        """Log out; one Logout each way is all that is allowed."""
        losses, sent, received = self.losses, self.sent("5"), self.received("5")
        self._program.tell("logout", self.role)
        await self.offline(losses)
        unless(self.sent("5") == sent + 1, f"{self.role} sent more than one Logout")
        unless(self.received("5") == received + 1, f"{self.role} got no Logout back")
        await asyncio.sleep(_DROPPING_S)

    def send(self, text: str) -> None:
        """A request like "35=D 11=b1 ...", by way of the engine."""
        self._program.tell("send", self.role, request(text))

    def set_numbers(self, *, next_out: int = 0, next_in: int = 0) -> None:
        """Make the engine go on with other numbers."""
        self._program.tell("numbers", self.role, str(next_out), str(next_in))

    async def expect(self, expected: str) -> Message:
        """The next message of the venue, which has to be like this."""
        await self.until(lambda: bool(self._inbox), f"got nothing, expected {expected}")
        message = self._inbox.popleft()
        message.check(expected)
        self.taken.append(message)
        return message

    async def take(self, wanted: int) -> list[Message]:
        """The next messages of the venue, so many."""
        await self.until(
            lambda: len(self._inbox) >= wanted,
            lambda: f"got only {len(self._inbox)} of {wanted} messages",
        )
        return [self._inbox.popleft() for _ in range(wanted)]

    async def online(self) -> None:
        """Wait until it is logged on."""
        await self.until(lambda: self.is_up, "is not logged on")

    async def offline(self, losses: int) -> None:
        """Wait until it has noticed one more loss of its connection than there were."""
        await self.until(lambda: self.losses > losses and not self.is_up, "is still logged on")

    async def cut_off(self) -> None:
        """Lose the connection, here and now, until the proxy is opened again."""
        losses = self.losses
        self.proxy.cut_after(0, Direction.TO_CLIENT)
        await self.offline(losses)

    async def until(
        self, condition: Callable[[], bool], complaint: str | Callable[[], str]
    ) -> None:
        """Wait for something that the program tells; Failure when it takes too long."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    unless(not self._program.complaint, self._program.complaint)
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            words = complaint if isinstance(complaint, str) else complaint()
            raise Failure(f"{self.role} {words} after {PATIENCE_S} s") from None

    # --- what has happened -------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many messages nobody has taken yet."""
        return len(self._inbox)

    def received(self, what: str) -> int:
        """How many messages of a type came in: "2" all ResendRequests, "8/dup" resent reports."""
        return self._counts[f"in {what}"]

    def sent(self, what: str) -> int:
        """The same for what went out."""
        return self._counts[f"out {what}"]

    def resent(self, types: Iterable[str] = "DFG") -> int:
        """How many requests went out again."""
        return sum(self.sent(f"{kind}/dup") for kind in types)

    def gaps(self) -> int:
        """How many messages there were that only gaps bring about."""
        return self.sent("2") + self.received("2") + self.sent("4") + self.received("4")

    def last_received(self, kind: str) -> Message:
        """The last message of a type that came in; there has to be one."""
        return self._last[f"in {kind}"]

    def last_sent(self, kind: str) -> Message:
        """The same for what went out."""
        return self._last[f"out {kind}"]

    def happened(self, what: str, raw: str) -> None:
        """Take note of what the program has told."""
        match what:
            case "up":
                self.is_up = True
            case "down":
                self.is_up = False
                self.losses += 1
            case "in" | "out":
                self._note(what, Message.parse(raw))
        self.news.set()

    def _note(self, way: str, message: Message) -> None:
        key = f"{way} {message.type}"
        self._last[key] = message
        self._counts[key] += 1
        self._counts[f"{key}/dup"] += message.is_dup
        if way == "in":
            exec_id = message.get(EXEC_ID)
            if exec_id is not None:
                self.exec_ids.append(exec_id)
        # Our engine's Rejects of messages of the venue are for the script, too, for it to fail:
        # it never expects one.
        if message.type in ("3", "j") or (way == "in" and message.type not in "0A1245"):
            self._inbox.append(message)
