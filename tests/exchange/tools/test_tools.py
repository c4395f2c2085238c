"""What the tools show of a day of trading."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from exchange.tools.moments import MomentError, parse_moment
from exchange.tools.text import shown_raw
from fix_engine.timestamps import SECOND_NS
from sessions.journal import Durability, Journal, Kind
from sessions.journal.segment import HEADER_SIZE, OFFSET_BITS
from tests.exchange.tools.days import batches_of, line_of, run, trading_day
from tests.support.messages import fix
from tests.support.world import START_NS, World


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day that is in order; not to be changed."""
    directory = tmp_path_factory.mktemp("day") / "data"
    with trading_day(directory, seed=2):
        pass
    return directory


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """One order's life: new, partly filled, replaced, cancelled on a later connection."""
    world = World(tmp_path / "story")
    buyer, seller = world.client("BUYER"), world.client("SELLER")
    buyer.order("b1", "buy", "5", "100", more="59=1|1=ACME|")
    world.now += 60 * SECOND_NS
    seller.order("s1", "sell", "2", "100")
    seller.order("other", "sell", "1", "200")
    world.now += 60 * SECOND_NS
    buyer.ask("35=G|11=b2|41=b1|55=BTC/USD|54=1|60=<now>|38=7|40=2|44=99|1=ACME|")
    buyer.drop()
    buyer.connect()
    buyer.send("35=A|98=0|108=30|554=geheim|925=geheim2|")
    world.now += 60 * SECOND_NS
    buyer.ask("35=F|11=b3|41=b2|55=BTC/USD|54=1|60=<now>|38=7|")
    buyer.ask("35=F|11=b4|41=b1|55=BTC/USD|54=1|60=<now>|38=7|")
    buyer.order("b5", "buy", "1", "50", symbol="ETH/USD")
    buyer.ask("35=D|11=esc|55=\x1b[31m|54=1|60=<now>|38=1|40=1|58=\x1b]0;x\x07|")
    world.journal.close()
    return tmp_path / "story"


def log(directory: Path, *options: object) -> list[str]:
    result = run("log", "--data", directory, *options)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def entries(directory: Path, *options: object) -> list[dict[str, object]]:
    return [json.loads(line) for line in log(directory, "--json", *options)]


# --- journal info, cat, export ------------------------------------------------------------


def test_info_counts_what_is_there(day: Path) -> None:
    said = json.loads(run("journal", "info", "--data", day, "--json").output)
    batches = list(batches_of(day))
    records = [record for batch in batches for record in batch.records]
    assert said["batches"] == len(batches)
    assert sum(said["records"].values()) == len(records)
    assert said["last_position"] == max(record.position for record in records)
    assert said["end"] == "closed"
    assert [one["comp_id"] for one in said["sessions"]] == ["C0", "C1", "C2"]
    assert said["sessions"][0]["is_up"] is True
    words = run("journal", "info", "--data", day).output
    assert "closed in good order" in words
    assert "BTC/USD  tick 0.1  lot 0.00000001" in words


def test_info_tells_how_a_journal_ends(day: Path, tmp_path: Path) -> None:
    end = list(batches_of(day))[-1].end % (1 << OFFSET_BITS)
    whole = (day / "journal-000001.seamark").read_bytes()[:end]
    path = tmp_path / "journal-000001.seamark"
    path.write_bytes(whole + bytes(1 << 16))
    assert "not closed in good order" in run("journal", "info", "--data", tmp_path).output
    path.write_bytes(whole[:-10] + bytes(1 << 16))
    assert "something unfinished follows" in run("journal", "info", "--data", tmp_path).output
    assert run("journal", "verify", "--data", tmp_path).exit_code == 0
    path.write_bytes(whole[:HEADER_SIZE])
    assert "no batch yet" in run("journal", "info", "--data", tmp_path).output
    assert line_of(run("book", "BTC/USD", "--data", tmp_path)).startswith("BTC/USD was not traded")


def test_cat_prints_every_record_or_those_that_are_wanted(day: Path) -> None:
    records = [record for batch in batches_of(day) for record in batch.records]
    lines = run("journal", "cat", "--data", day).output.splitlines()
    assert len(lines) == len(records)
    some = run("journal", "cat", "--data", day, "--kind", "down", "--session", "C1").output
    down = [one for one in records if one.kind is Kind.DOWN and one.session == 2]
    assert len(some.splitlines()) == len(down) > 0
    some = run("journal", "cat", "--data", day, "--from", "10", "--to", "12", "--json").output
    said = [json.loads(line) for line in some.splitlines()]
    assert {one["position"] for one in said} == {10, 11, 12}
    assert "choose one of" in line_of(run("journal", "cat", "--data", day, "--kind", "x"))
    assert "is called NOBODY" in line_of(
        run("journal", "cat", "--data", day, "--session", "NOBODY")
    )


def test_export_to_sqlite_and_csv_hold_the_same(day: Path, tmp_path: Path) -> None:
    records = [record for batch in batches_of(day) for record in batch.records]
    target = tmp_path / "day.sqlite"
    assert run("journal", "export", "--data", day, "--to", target).exit_code == 0
    result = run("journal", "export", "--data", day, "--to", tmp_path / "d", "--format", "csv")
    assert result.exit_code == 0
    with closing(sqlite3.connect(target)) as database:
        for table in ("batches", "records", "sessions", "messages"):
            rows = database.execute(f"SELECT * FROM {table}").fetchall()
            with (tmp_path / "d" / f"{table}.csv").open(newline="") as file:
                found = list(csv.reader(file))[1:]
            assert [["" if v is None else str(v) for v in row] for row in rows] == found
        assert database.execute("SELECT count(*) FROM records").fetchone() == (len(records),)
        fills = "SELECT count(*) FROM messages WHERE exec_type = 'F' AND direction = 'out'"
        (count,) = database.execute(fills).fetchone()
        assert count == sum(b"\x01150=F\x01" in r.payload for r in records if r.kind is Kind.SENT)
        traded = "SELECT sum(last_qty) FROM messages WHERE exec_type = 'F'"
        assert database.execute(traded).fetchone()[0] > 0
    refused = line_of(run("journal", "export", "--data", day, "--to", target))
    assert "is there already" in refused
    assert not list(tmp_path.glob(".*"))


# --- log ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["b1", "b2", "b3", "5"])
def test_the_whole_life_of_an_order_by_any_of_its_names(name: str, story: Path) -> None:
    (first, *_) = entries(story, "--clordid", "b1")
    lines = log(story, "--order", name if name != "5" else first["position"])
    names = ["".join(found) for line in lines for found in re.findall(r" ([<>]) (\w+)", line)]
    assert names[:6] == [
        ">NewOrderSingle",
        "<ExecutionReport",
        "<ExecutionReport",  # the fill
        ">OrderCancelReplaceRequest",
        "<ExecutionReport",
        ">OrderCancelRequest",
    ]
    assert all(" BUYER " in line for line in lines)
    assert not any("s1" in line or "b5" in line for line in lines)
    assert "Text=Too late" in lines[-1]


def test_log_filters(story: Path) -> None:
    assert {one["session"] for one in entries(story, "--session", "SELLER")} == {"SELLER"}
    assert len(entries(story, "--clordid", "s1")) == 3
    assert len(entries(story, "--symbol", "ETH/USD")) == 2
    assert all(one["fields"]["Account"] == "ACME" for one in entries(story, "--account", "ACME"))  # type: ignore[index]
    assert {one["msg_type"] for one in entries(story, "--type", "executionreport")} == {"8"}
    assert {one["msg_type"] for one in entries(story, "--type", "F", "--type", "9")} == {"F", "9"}
    minute = entries(story, "--from", "08:01", "--to", "08:01")
    assert {one["time"] for one in minute} == {"2027-01-15T08:01:00.000000000Z"}
    assert entries(story, "--from", "2027-01-15T08:01Z", "--to", "20270115-08:01:00") == minute
    assert entries(story, "--from", "2027-01-16") == []
    assert "no order is known" in line_of(run("log", "--data", story, "--order", "nobody's"))
    assert "no such message" in line_of(run("log", "--data", story, "--type", "Nonsense"))
    assert "is no time" in line_of(run("log", "--data", story, "--from", "soon"))


def test_log_shows_no_secret_and_nothing_that_a_terminal_obeys(story: Path) -> None:
    text = "\n".join(log(story)) + run("journal", "cat", "--data", story).output
    assert "geheim" not in text
    assert "\x1b" not in text
    assert "\\x1b[31m" in text
    raw = fix("35=A|34=1|95=6|96=geheim|553=me|554=geheim|925=geheim|")
    assert "geheim" not in shown_raw(raw)
    assert "geheim" not in shown_raw(raw[:-4])
    assert "553=me|554=***|" in shown_raw(raw[:-4])


def test_what_a_session_proved_itself_with_is_never_shown(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "data", Durability.OS)
    list(journal.recover())
    journal.add(Kind.SESSION, 1, 0, 1, b"C")
    journal.add(Kind.CREDENTIAL, 1, 0, 1, b"password geheim")
    journal.commit(START_NS)
    journal.close()
    options = ("--data", tmp_path / "data")
    for more in ((), ("--json",)):
        text = run("journal", "cat", *options, *more).output
        assert "never shown" in text
        assert "geheim" not in text + run("journal", "info", *options, *more).output
    run("journal", "export", *options, "--to", tmp_path / "x.sqlite")
    assert b"geheim" not in (tmp_path / "x.sqlite").read_bytes()


def test_log_says_how_long_requests_took_to_arrive(tmp_path: Path) -> None:
    world = World(tmp_path)
    client = world.client("C")
    for late_ms in (1, 2, 7):
        time = f"20270115-08:00:00.{100 - late_ms:03}"
        world.now = START_NS + 100_000_000
        client.send_raw(
            fix(
                f"35=D|34={client.seq}|49=C|52={time}|56=SEAMARK|11=a{late_ms}|55=BTC/USD|54=1|"
                f"60={time}|38=1|40=2|44=1|"
            )
        )
        client.seq += 1
        world.turn()
    world.journal.close()
    lines = log(tmp_path, "--latency")
    assert [line.split(" ms")[0].rsplit("+")[1] for line in lines[:3]] == [
        "1.000",
        "2.000",
        "7.000",
    ]
    text = "\n".join(lines[3:])
    assert "3 requests, ms: min 1.000  p50 2.000  p95 7.000  p99 7.000  max 7.000" in text
    assert "SendingTime (52)" in text
    said = [one["latency_ns"] for one in entries(tmp_path, "--latency")]
    assert said == [1_000_000, 2_000_000, 7_000_000]


def test_log_reads_a_log_of_quickfix(tmp_path: Path) -> None:
    path = tmp_path / "FIX.4.4-BUYER-SEAMARK.messages.current.log"
    order = fix("35=D|34=2|49=BUYER|52=20261122-16:00:00.000|56=SEAMARK|11=a|55=X|54=1|")
    report = fix("35=8|34=2|49=SEAMARK|52=20261122-16:00:00.001|56=BUYER|37=9|11=a|150=0|")
    path.write_bytes(
        b"20261122-16:00:00.000 : " + order + b"\n20261122-16:00:00.002 : " + report + b"\n"
    )
    result = run("log", "--from-quickfix", path, "--order", "9")
    assert result.exit_code == 0
    first, second = result.output.splitlines()
    assert "BUYER      > NewOrderSingle 2  ClOrdID=a" in first
    assert "BUYER      < ExecutionReport 2  ExecType=new  ClOrdID=a  OrderID=9" in second
    assert "No such file" in line_of(run("log", "--from-quickfix", tmp_path / "none"))


# --- book ---------------------------------------------------------------------------------


def test_the_book_at_every_position_is_what_it_was(tmp_path: Path) -> None:
    world = World(tmp_path)
    client, other = world.client("ONE"), world.client("TWO")
    expected = {}
    for number, (side, quantity, price) in enumerate(
        (("buy", "5", "100"), ("buy", "2", "100"), ("sell", "1", "101"), ("sell", "6", "100"))
    ):
        world.now += SECOND_NS
        (client, other)[number % 2].order(f"o{number}", side, quantity, price)
        bids = [(line["price"], line["quantity"]) for line in book_now(world)["bids"]]
        expected[world.journal.position] = bids
    world.journal.close()
    assert list(expected.values())[-1] == [("100", "1")]
    for position, bids in expected.items():
        said = json.loads(
            run("book", "BTC/USD", "--data", tmp_path, "--at", position, "--json").output
        )
        assert [(line["price"], line["quantity"]) for line in said["bids"]] == bids
        assert said["position"] == position
    at = run("book", "BTC/USD", "--data", tmp_path, "--at", "08:00:02", "--orders", "--json")
    said = json.loads(at.output)
    assert [(one["session"], one["cl_ord_id"]) for one in said["bids"]] == [
        ("ONE", "o0"),
        ("TWO", "o1"),
    ]
    assert said["asks"] == []


def book_now(world: World) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    instrument = world.venue.state.listing[0]
    for name, side in zip(
        ("bids", "asks"),
        (world.venue.state.engine.books[0].buys, world.venue.state.engine.books[0].sells),
        strict=True,
    ):
        found[name] = [
            {
                "price": instrument.prices.format(price).decode(),
                "quantity": instrument.quantities.format(level.quantity).decode(),
            }
            for price, level in side.levels()
        ]
    return found


def test_the_book_in_words(story: Path) -> None:
    text = run("book", "BTC/USD", "--data", story, "--orders", "--at", "08:00").output
    assert "BTC/USD after position" in text
    line = next(line for line in text.splitlines() if "BUYER" in line)
    assert line.split() == ["BUYER", "b1", "4", "5", "100"]
    assert "was not traded then; there were BTC/USD, ETH/USD" in line_of(
        run("book", "X/Y", "--data", story)
    )
    assert "the journal ends at position" in line_of(
        run("book", "BTC/USD", "--data", story, "--at", "9999")
    )


# --- moments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first", "length"),
    [
        ("16:31", 59_460 * SECOND_NS, 60 * SECOND_NS),
        ("16:31:58", 59_518 * SECOND_NS, SECOND_NS),
        ("16:31:58.123", 59_518_123_000_000, 1_000_000),
        ("1970-01-02T16:31:58.123456789Z", 145_918_123_456_789, 1),
        ("1970-01-02 16:31:58", 145_918 * SECOND_NS, SECOND_NS),
        ("19700102-16:31:58.1", 145_918_100_000_000, 100_000_000),
        ("1970-01-02", 86_400 * SECOND_NS, 86_400 * SECOND_NS),
    ],
)
def test_moments(text: str, first: int, length: int) -> None:
    moment = parse_moment(text, lambda: 5 * SECOND_NS)
    assert (moment.first_ns, moment.last_ns) == (first, first + length - 1)
    assert parse_moment("17", lambda: 0).position == 17


@pytest.mark.parametrize("text", ["", " ", "noon", "24:00", "12:60", "1970-02-30", "-5", "1:2:3:4"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(MomentError):
        parse_moment(text, lambda: 0)
