"""Random sessions, requests, rules and times; the same seed gives the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final, TypeVar

from exchange.commands import SetAccount, SetMarket
from exchange.controls import encode_control
from exchange.venue.state import MarketState
from fix_engine.timestamps import Precision, TimestampFormatter
from fix_engine.wire import encode
from sessions.journal import Kind
from tests.judge.quotes import Guards, quote_request
from tests.judge.rules import INSTRUMENTS, decimal, random_rules
from tests.judge.steps import Fields, Step
from tests.judge.view import AccountView, Clients, SeenOrder

T = TypeVar("T")
START_NS: Final = 1_800_000_000 * 10**9
_MS: Final = 10**6
_SECOND: Final = 10**9
ACCOUNTS: Final = {1: "ALPHA", 2: "ALPHA", 3: "BETA", 4: "", 5: "GAMMA"}
#: Sessions that watch -> the accounts that they watch, as their Logon has them
WATCHED: Final = {6: "*", 7: "BETA ALPHA"}
_REPEATED: Final = (
    *(1, 18, 38, 40, 44, 54, 55, 59, 99, 110, 111, 126, 152, 211, 432, 836, 1107),
    *(7928, 8013, 8019),
)
#: What no order may say; "-" leaves a field out.
_FLAWS: Final = (
    *((55, "XXX"), (54, "5"), (40, "9"), (59, "7"), (38, "0.00001"), (38, "999999")),
    *((44, "-1"), (44, "100.00001"), (168, "soon"), (62, "now"), (8016, "0"), (8013, "Z")),
    *((7928, "Q"), (111, "99999"), (110, "99999"), (18, "E"), (8016, "0000000000600000")),
)
_HEADER: Final = (35, 34, 49, 52, 56)


class Flow:
    """Steps for one venue; it looks at what the clients see, and at nothing else."""

    def __init__(self, seed: int) -> None:
        self._random = random = Random(seed)
        self._format = TimestampFormatter(Precision.NANOSECONDS).format
        self._names = 0
        self._used: dict[str, list[str]] = {name: [] for name in sorted(set(ACCOUNTS.values()))}
        self._up: set[int] = set()
        self.now = START_NS + random.randrange(86_400) * _SECOND
        self.position = 0
        self._prices = range(100 - random.choice([0, 2, 8]), 101 + random.choice([0, 2, 8]))
        self._largest = random.choice([3, 10, 40])
        self._most_open = random.choice([6, 20, 40])
        self.is_guarded = random.random() < 0.3
        self._features = {
            name: random.choice([0, 0.1, 0.4])
            for name in ("stop", "cash", "post", "iceberg", "min", "times", "modes", "deadline")
        }
        self._is_due = False
        self._operates = random.choice([0, 0.004, 0.02])
        self._states: dict[str, MarketState] = {}
        self._stopped: set[str] = set()
        self._has_quotes = random.random() < 0.25
        self.rules = random_rules(random, self.is_guarded)

    def guards(self) -> Guards | None:
        """The judge of quote protection, where there are quotes."""
        return Guards(self.rules, ACCOUNTS) if self._has_quotes else None

    def fees(self) -> dict[str, tuple[int, int]]:
        """Maker's and taker's fee of each account, in units of 10 ** -8."""
        known = {one.name: one for one in self.rules.accounts}
        fees = {}
        for name in sorted(set(ACCOUNTS.values())):
            one = known.get(name)
            own = self.rules.maker_fee, self.rules.taker_fee
            pair = (one.maker_fee, one.taker_fee) if one else own
            fees[name] = (round(float(pair[0]) * 10**8), round(float(pair[1]) * 10**8))
        return fees

    def next(self, clients: Clients, next_due: int) -> Step:
        """The next step, given what the clients know, and when something is due."""
        self.position += 1
        random = self._random
        if self.position == 1:
            return self._step(Kind.RULES, payload=self.rules.encode())
        if self.position <= 1 + len(ACCOUNTS):
            return self._go_up(self.position - 1)
        if self.position <= 1 + len(ACCOUNTS) + len(WATCHED):
            session = self.position - 1
            return self._step(Kind.UP, session, b"8062=%b\x01" % WATCHED[session].encode())
        self._let_time_pass(next_due)
        dice = random.random()
        # Reports are encoded behind the whole command, with the order's figures of then, and what
        # is due at a change of rules is told to nobody: replacements and rules come alone.
        self._is_due = 0 < next_due <= self.now
        if dice < 0.02 or (self._is_due and random.random() < 0.3):
            return self._step(Kind.TIME)
        if dice < 0.04:
            return self._go_down_or_up()
        if dice < 0.045 and self.is_guarded and not self._is_due:
            self.rules = random_rules(random, self.is_guarded, self.rules)
            return self._step(Kind.RULES, payload=self.rules.encode())
        if random.random() < self._operates:
            return self._operate()
        if not self._up:
            return self._go_down_or_up()
        session = random.choice(sorted(self._up))
        if self._has_quotes and not self._is_due and random.random() < 0.35:
            return self._quote(session)
        return self._request(session, clients)

    # --- what is no request --------------------------------------------------------------

    def _step(self, kind: Kind, session: int = 0, payload: bytes = b"") -> Step:
        return Step(self.position, self.now, kind, session, payload)

    def _operate(self) -> Step:
        """The operator's hand: now and then a market or an account that is stopped goes on."""
        random = self._random
        command: SetMarket | SetAccount
        if random.random() < 0.3:
            is_stopped = not self._stopped or random.random() < 0.2
            name = random.choice(sorted(set(ACCOUNTS.values()) if is_stopped else self._stopped))
            self._stopped = self._stopped - {name} | ({name} if is_stopped else set())
            command = SetAccount((name or "#4").encode(), is_stopped)
        else:
            closed = [symbol for symbol, state in self._states.items() if state]
            if closed and random.random() < 0.7:
                symbol, state = random.choice(closed), MarketState.OPEN
            else:
                symbol = self._one_of(INSTRUMENTS)[0]
                state = random.choices(list(MarketState), weights=[2, 4, 2, 4, 4, 1])[0]
            if self._states.get(symbol) is not MarketState.DELISTED:
                self._states[symbol] = state
            command = SetMarket(symbol.encode(), state)
        return self._step(Kind.CONTROL, payload=encode_control(command))

    def _go_down_or_up(self) -> Step:
        session = self._random.choice(sorted(ACCOUNTS))
        if session not in self._up:
            return self._go_up(session)
        self._up.remove(session)
        return self._step(Kind.DOWN, session, self._random.choice([b"", b"logout"]))

    def _go_up(self, session: int) -> Step:
        random = self._random
        self._up.add(session)
        said: Fields = {}
        if random.random() < 0.7:
            said[8013] = random.choice("YND")
        if random.random() < 0.4:
            said[8014] = random.choice("SA")
        if random.random() < 0.4:
            said[8015] = str(random.choice([1, 2, 60]))
        if random.random() < 0.4:
            said[7928] = random.choice("XNOBD")
        if random.random() < 0.4:
            said[8020] = "Y"
        if ACCOUNTS[session]:
            said[1] = ACCOUNTS[session]
        payload = "".join(f"{tag}={said[tag]}\x01" for tag in sorted(said))
        step = self._step(Kind.UP, session, payload.encode())
        step.fields = said
        return step

    def _let_time_pass(self, next_due: int) -> None:
        random = self._random
        dice = random.random()
        if dice < 0.5:
            self.now += random.randrange(3) * _MS
        elif dice < 0.9:
            self.now += random.randrange(200) * _MS + random.randrange(1000)
        elif dice < 0.97:
            if next_due > self.now:
                self.now = min(next_due + random.choice([-1, 0, 0, 1]), self.now + 90_000 * _SECOND)
        elif dice < 0.999:
            self.now += random.randrange(5) * _SECOND
        else:
            self.now += random.randrange(30) * 3600 * _SECOND

    # --- requests ------------------------------------------------------------------------

    def _request(self, session: int, clients: Clients) -> Step:
        random, view = self._random, clients.view(session)
        crowd = len(view.open) > self._most_open / 3
        dice = random.randrange(100)
        fields: Fields
        if dice < (25 if crowd else 10):
            fields = self._cancel(session, view)
        elif dice < (45 if crowd else 25) and not self._is_due:
            fields = self._replace(session, view)
        elif dice < (48 if crowd else 28):
            fields = self._status(view)
        elif dice < (50 if crowd else 29):
            fields = self._mass_cancel()
        elif dice < (51 if crowd else 30):
            fields = self._mass_status()
        else:
            fields = self._order()
        account = ACCOUNTS[session]
        name = fields.get(11)
        if name == "new":
            name = fields[11] = self._name(account)
        if 60 not in fields and fields[35] not in ("H", "AF"):
            fields[60] = self._time(0)
        flaw = self._spoil(fields) if random.random() < 0.04 else ""
        return self._asked(session, fields, flaw=flaw)

    def _quote(self, session: int) -> Step:
        name, ticks = f"q{self.position}", self._in_ticks
        fields, groups = quote_request(self._random, name, self._prices, ticks, self._quantity)
        return self._asked(session, fields, groups)

    def _asked(self, session: int, fields: Fields, groups: str = "", flaw: str = "") -> Step:
        fields[34] = str(self.position)
        fields[49], fields[52], fields[56] = (
            f"S{session}",
            self._time(-self._random.randrange(20)),
            "X",
        )
        tags = (*_HEADER, *(tag for tag in fields if tag not in _HEADER))
        body = "".join(f"{tag}={fields[tag]}\x01" for tag in tags) + groups
        step = self._step(Kind.COMMAND, session, encode(body.encode("latin-1")))
        step.fields, step.flaw = fields, flaw
        return step

    def _time(self, ms: int) -> str:
        return self._format(self.now + ms * _MS).decode()

    def _name(self, account: str) -> str:
        used = self._used[account]
        if used and self._random.random() < 0.03:
            return self._random.choice(used[-60:])
        self._names += 1
        used.append(f"n{self._names}")
        return used[-1]

    def _happens(self, feature: str) -> bool:
        chance = self._features[feature]
        return chance > 0 and self._random.random() < chance

    def _one_of(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def _price(self, symbol: str, away: int = 0) -> str:
        low, high = self._prices[0] - away, self._prices[-1] + away
        return self._in_ticks(symbol, self._random.randint(low, high))

    @staticmethod
    def _in_ticks(symbol: str, count: int) -> str:
        _, _, tick, digits, _, _ = next(one for one in INSTRUMENTS if one[0] == symbol)
        return decimal(count * tick, digits)

    def _quantity(self, symbol: str, most: str | None = None) -> str:
        _, _, _, _, lot, digits = next(one for one in INSTRUMENTS if one[0] == symbol)
        largest = self._largest
        if most is not None:
            largest = round(float(most) * 10**digits / lot)
        largest = min(max(largest, 2), 30)
        return decimal(self._random.randint(2, largest) * lot, digits)

    def _order(self) -> Fields:
        random = self._random
        symbol = self._one_of(INSTRUMENTS)[0]
        kind = random.choices("12", weights=[2, 7])[0]
        if self._happens("stop"):
            kind = self._one_of("334JJPP")
        fields: Fields = {35: "D", 11: "new", 55: symbol, 54: self._one_of("12"), 40: kind}
        has_price = kind in "24" or (kind == "J" and random.random() < 0.5)
        if has_price:
            fields[44] = self._price(symbol)
        if not has_price and self._happens("cash"):
            fields[152] = decimal(random.randint(1, self._largest * 110), random.choice([0, 1, 2]))
        else:
            fields[38] = self._quantity(symbol)
        in_force = random.choices(["", "0", "1", "3", "4", "6"], weights=[3, 1, 4, 2, 1, 1])[0]
        if in_force == "6" or self._happens("times"):
            in_force = in_force if in_force in "034" else "6"
        if in_force:
            fields[59] = in_force
        if in_force == "6":
            if random.random() < 0.1:
                fields[432] = self._format(self.now + 86_400 * _SECOND).decode()[:8]
            else:
                fields[126] = self._time(self._one_of([-5, 0, 5, 100, 1_000, 5_000, 60_000]))
                if random.random() < 0.02:
                    fields[432] = fields[126][:8]
        self._condition(fields, has_price, in_force not in ("3", "4"))
        return fields

    def _condition(self, fields: Fields, has_price: bool, rests: bool) -> None:
        random, symbol, kind = self._random, fields[55], fields[40]
        if kind in "34JP":
            if kind != "P" or random.random() < 0.4:
                fields[99] = self._price(symbol, 3)
            if random.random() < 0.4:
                fields[1107] = random.choice(["2", "1" if fields[54] == "1" else "3"])
        if kind == "P":
            fields[18] = "a"
            fields[836] = self._one_of("0012")
            distance = self._one_of([1, 2, 5])
            fields[211] = self._in_ticks(symbol, distance) if fields[836] == "0" else str(distance)
            if fields[836] == "1":
                fields[211] = self._one_of(["1", "100", "700"])
        if has_price and rests and self._happens("post"):
            fields[18] = self._one_of("6A")
            if random.random() < 0.6:
                fields[8019] = self._one_of("011")
        if has_price and rests and self._happens("iceberg"):
            fields[111] = self._quantity(symbol, fields[38])
        if 38 in fields and self._happens("min"):
            fields[110] = self._quantity(symbol, fields[38])
        if self._happens("times"):
            at = self._one_of([-5, 0, 3, 50, 900])
            if 126 not in fields or self._time(at) < fields[126]:
                fields[168] = self._time(at)
        if self._happens("modes"):
            fields[7928] = self._one_of("XNOBD")
        if self._happens("modes"):
            fields[8013] = self._one_of("YN")
        if random.random() < 0.1:
            fields[1] = self._one_of(["one", "two"])
        self._limit_in_time(fields)

    def _limit_in_time(self, fields: Fields) -> None:
        if self._happens("deadline"):
            if self._random.random() < 0.5:
                fields[62] = self._time(self._one_of([-1, 0, 1]))
            else:
                fields[8016] = self._one_of(["1", "10", "1000"])

    def _target(self, view: AccountView) -> SeenOrder | None:
        if view.open and self._random.random() < 0.95:
            return self._one_of(list(view.open.values()))
        recent = list(view.orders.values())[-20:]
        return self._one_of(recent) if recent else None

    def _cancel(self, session: int, view: AccountView) -> Fields:
        random, order = self._random, self._target(view)
        if order is None:
            return {35: "F", 11: "new", 41: "nothing", 55: INSTRUMENTS[0][0], 54: "1"}
        fields: Fields = {35: "F", 11: "new", 41: order.cl_ord_id}
        fields |= {55: order.fields[55], 54: order.fields[54]}
        if random.random() < 0.1:
            fields[37] = order.order_id if random.random() < 0.7 else "1"
        if random.random() < 0.03:
            fields[54] = "1" if fields[54] == "2" else "2"
        if random.random() < 0.03 and self._used[ACCOUNTS[session]]:
            fields[41] = self._one_of(self._used[ACCOUNTS[session]][-60:])
        self._limit_in_time(fields)
        return fields

    def _replace(self, session: int, view: AccountView) -> Fields:
        random, order = self._random, self._target(view)
        if order is None:
            return self._order()
        known = order.fields
        fields: Fields = {35: "G", 11: "new", 41: order.cl_ord_id}
        fields |= {tag: known[tag] for tag in _REPEATED if tag in known}
        symbol = fields[55]
        if 44 in fields and random.random() < 0.5:
            fields[44] = self._price(symbol)
        if 38 in fields and random.random() < 0.6:
            fields[38] = self._quantity(symbol)
        if 152 in fields and random.random() < 0.5:
            fields[152] = str(random.randint(1, self._largest * 110))
        if 99 in fields and random.random() < 0.4:
            fields[99] = self._price(symbol, 3)
            if fields[40] == "P" and random.random() < 0.5:
                del fields[99]
        if 126 in fields and random.random() < 0.5:
            fields[126] = self._time(self._one_of([0, 50, 1_000, 60_000]))
        if 111 in fields or (44 in fields and self._happens("iceberg")):
            fields[111] = self._quantity(symbol, fields.get(38))
            if random.random() < 0.3:
                del fields[111]
        if random.random() < 0.05:
            self._change_what_cannot(fields)
        if random.random() < 0.03 and self._used[ACCOUNTS[session]]:
            fields[41] = self._one_of(self._used[ACCOUNTS[session]][-60:])
        self._limit_in_time(fields)
        return fields

    def _change_what_cannot(self, fields: Fields) -> None:
        choice = self._random.randrange(6)
        if choice == 0:
            fields[59] = "1" if fields.get(59) == "0" else "0"
        elif choice == 1:
            fields[110] = self._quantity(fields[55], fields.get(38))
        elif choice == 2 and fields[40] == "J":
            if 44 in fields:
                del fields[44]
            else:
                fields[44] = self._price(fields[55])
        elif choice == 3 and 211 in fields:
            fields[211] = "3"
        elif choice == 4:
            fields[7928] = self._one_of("XNOBD")
        else:
            fields.pop(18, None)

    def _status(self, view: AccountView) -> Fields:
        order = self._target(view)
        if order is None:
            return {35: "H", 11: "nothing", 55: INSTRUMENTS[0][0], 54: "1"}
        fields: Fields = {35: "H", 11: order.cl_ord_id}
        fields |= {55: order.fields[55], 54: order.fields[54]}
        if self._random.random() < 0.5:
            fields[790] = "q1"
        if self._random.random() < 0.2:
            fields[37] = self._one_of([order.order_id, "1"])
        if self._random.random() < 0.1:
            fields |= {55: self._one_of(INSTRUMENTS)[0], 54: self._one_of("12")}
        return fields

    def _selection(self, tag: int) -> Fields:
        random = self._random
        fields: Fields = {tag: self._one_of("1136667")}
        if fields[tag] == "1":
            fields[55] = self._one_of(INSTRUMENTS)[0]
        if fields[tag] == "3":
            fields[460] = "4"
        if random.random() < 0.3:
            fields[54] = self._one_of("12")
        if random.random() < 0.2:
            fields[1] = "one"
        return fields

    def _mass_cancel(self) -> Fields:
        return {35: "q", 11: "new", **self._selection(530)}

    def _mass_status(self) -> Fields:
        return {35: "AF", 584: f"m{self.position}", **self._selection(585)}

    def _spoil(self, fields: Fields) -> str:
        """Make a request one that must be refused; returns how."""
        kind = fields[35]
        if kind in "DG":
            needed = 44 if fields[40] in "24" else 38
            tag, value = self._one_of([*_FLAWS, *[(needed, "-")] * 3])
        elif kind == "F":
            tag, value = self._one_of([(62, "now"), (8016, "0"), (55, "XXX"), (54, "5")])
        elif kind in ("q", "AF"):
            tag, value = self._one_of(
                [(530 if kind == "q" else 585, "2"), (54, "5"), (530 if kind == "q" else 585, "9")]
            )
        else:
            return ""
        if value == "-":
            if fields.pop(tag, None) is None:
                return ""
            return f"no {tag}"
        fields[tag] = value
        return f"{tag}={value}"
