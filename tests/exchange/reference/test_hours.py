"""TradingSessionStatusRequest and TradingSessionStatus: the venue as a whole."""

from __future__ import annotations

from config.settings import Settings
from fix_engine.timestamps import SECOND_NS
from sessions.timetable import Closure
from tests.exchange.reference.asking import check_sent, fresh, shown
from tests.exchange.test_venue import told
from tests.support.world import START_NS, Client, World

HOUR_NS = 3600 * SECOND_NS
#: START_NS is 08:00:00 on 15 January 2027.
PLANNED = Closure(START_NS + HOUR_NS, START_NS + 2 * HOUR_NS, "a new release")
PLANNED_FIELDS = (
    "343=20270115-08:50:00.000|344=20270115-09:00:00.000|"
    "8046=20270115-10:00:00.000|8047=a new release"
)


def subscribed() -> tuple[World, Client]:
    world = World()
    client = fresh(world)
    client.send("35=g|335=t1|263=1|", header="50=OPS|")
    return world, client


def test_a_venue_that_never_closes_says_so() -> None:
    _, client = subscribed()
    text = "Open; no closure is in sight"
    assert shown(client) == [f"35=h|57=OPS|58={text}|325=N|335=t1|336=MAIN|340=2"]
    check_sent(client)


def test_maintenance_is_told_when_it_is_planned_announced_and_called_off() -> None:
    world, client = subscribed()
    world.timetable.planned = PLANNED
    world.pass_time(1)
    (_, planned) = client.take()
    when = "20270115-09:00:00 UTC for a new release; back at 20270115-10:00:00 UTC"
    head = f"35=h|57=OPS|58=Open until {when}|325=N|335=t1|336=MAIN|340=2"
    assert shown(client) == [f"{head}|{PLANNED_FIELDS}"]
    world.pass_time(49 * 60)
    assert client.take() == [], "nothing has changed"
    world.pass_time(60)
    (announced,) = client.take()
    assert told([announced], 35, 340, 343, 344) == [
        "h 5 20270115-08:50:00.000 20270115-09:00:00.000"
    ]
    assert announced[58] == f"Open, but closes at {when}"
    world.timetable.planned = None
    world.pass_time(1)
    (off,) = client.take()
    assert told([off], 35, 340, 344) == ["h 2 -"]
    world.pass_time(3600)
    assert client.take() == []
    assert planned[57] == "OPS", "it goes to where in the client it was asked"
    check_sent(client)


def test_the_end_of_hours_is_the_next_closure_unless_maintenance_comes_first() -> None:
    hours = {"opens": "07:00", "closes": "17:00", "timezone": "UTC"}
    world = World(settings=Settings.model_validate({"schedule": hours}))
    client = fresh(world)
    (answer,) = client.ask("35=g|335=t1|336=MAIN|263=0|")
    assert told([answer], 340, 344, 8046) == [
        "2 20270115-17:00:00.000 20270116-07:00:00.000",
    ]
    assert answer[8047] == "the end of the session"
    world.timetable.planned = PLANNED
    assert client.ask("35=g|335=t2|263=0|")[0][344] == "20270115-09:00:00.000"
    world.timetable.planned = Closure(START_NS, START_NS + HOUR_NS, "maintenance")
    (closed,) = client.ask("35=g|335=t3|263=0|")
    assert told([closed], 340, 8046) == ["3 20270115-09:00:00.000"]
    assert closed[58].startswith("Closed since 20270115-08:00:00 UTC for maintenance; back at ")
    check_sent(client)


def test_without_announcements_there_is_no_pre_close() -> None:
    world = World(settings=Settings.model_validate({"schedule": {"announce_s": []}}))
    client = fresh(world)
    world.timetable.planned = PLANNED
    world.pass_time(3599)
    (answer,) = client.ask("35=g|335=t1|263=0|")
    assert told([answer], 340, 343, 344) == ["2 20270115-09:00:00.000 20270115-09:00:00.000"]


def test_another_trading_session_and_ids_that_do_not_fit_are_refused() -> None:
    _, client = subscribed()
    client.take()
    (other,) = client.ask("35=g|335=t2|336=NIGHT|263=1|")
    assert told([other], 35, 335, 336, 340, 567) == ["h t2 NIGHT 6 1"]
    assert other[58] == "TradingSessionID (336) NIGHT: the only one here is MAIN"
    (again,) = client.ask("35=g|335=t1|263=1|")
    assert told([again], 35, 335, 336, 340, 567) == ["h t1 MAIN 6 -"]
    assert again[58].startswith("TradSesReqID (335): t1 is the ID of a subscription: end that by ")
    (ended,) = client.ask("35=g|335=t1|263=2|")
    assert told([ended], 340, 58) == ["2 The subscription is ended. Open; no closure is in sight"]
    (unknown,) = client.ask("35=g|335=t1|263=2|")
    assert told([unknown], 340) == ["6"]
    check_sent(client)


def test_who_has_ended_or_gone_is_told_no_more() -> None:
    world, client = subscribed()
    other = fresh(world, "OTHER")
    other.ask("35=g|335=t1|263=1|")
    client.ask("35=g|335=t1|263=2|")
    other.drop()
    client.take(), other.take()
    world.timetable.planned = PLANNED
    world.pass_time(1)
    assert client.take() == []
    other.connect()
    other.send("35=A|98=0|108=30|")
    assert told(other.take(), 35) == ["A"]
    world.timetable.planned = None
    world.pass_time(1)
    assert other.take() == []
