"""The timetable, kept by a whole server on virtual time: who is told what, who is let in when."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fix_engine.states import State
from sessions.hours import Hours, parse_moment
from sessions.journal import Kind
from sessions.maintenance import MaintenancePlan
from sessions.timetable import Closure, Timetable
from tests.sessions.virtual import VirtualVenue, journaled, run, venue

SECOND = 1_000_000_000
LOGON = "35=A|98=0|108=3600|"
ORDER = "35=D|11=a|55=EUR|54=1|60=<now>|38=1|40=1|"
GOODBYE = "Closed for the end of the session until 20270114-09:00:00 UTC"


def at(text: str) -> int:
    """`12:00` or `14 12:00` in January 2027, UTC; the 13th by default."""
    day, _, moment = text.rpartition(" ")
    local = datetime.fromisoformat(f"2027-01-{day or 13} {moment}").replace(tzinfo=UTC)
    return round(local.timestamp()) * SECOND


def daily(resets: bool = False) -> Timetable:
    """Open from 09:00 to 17:00, announced a minute and 10 seconds before."""
    hours = Hours(parse_moment("09:00"), parse_moment("17:00"), UTC)
    return Timetable(hours, resets, (60, 10))


def always() -> Timetable:
    return Timetable(None, False, (60, 10))


def plan(directory: Path, starts: str, ends: str, reason: str = "a new release") -> None:
    MaintenancePlan(directory).write(Closure(at(starts), at(ends), reason))


def show(messages: list[dict[int, str]]) -> list[str]:
    """Type, number and what is said, of each."""
    told = (148, 36, 58)
    return [
        " ".join([m[35], m[34], *(m[tag] for tag in told if tag in m)]).strip() for m in messages
    ]


def numbers(running: VirtualVenue, comp_id: str) -> tuple[int, int]:
    """What the session expects and sends next."""
    session = running.endpoint(comp_id).session
    return session.next_in, session.next_out


# --- news ---------------------------------------------------------------------------------


def test_a_closing_is_told_by_news_in_order_to_all_who_are_online() -> None:
    async def scenario() -> None:
        async with venue(at("16:58"), daily()) as running:
            clients = [await running.online(name) for name in ("A", "B", "C")]
            await running.until(at("16:59") - 1)
            assert [await client.told() for client in clients] == [[], [], []]
            await running.until(at("16:59:30"))
            text = (
                "Seamark closes at 20270113-17:00:00 UTC for the end of the session and is back "
                "at 20270114-09:00:00 UTC; sequence numbers stay"
            )
            for client in clients:
                (news,) = await client.told()
                assert show([news]) == [f"B 2 Closing in 60 s {text}"]
                assert (news[61], news[33], news[42]) == ("1", "1", "20270113-16:59:00.000")
            await running.until(at("16:59:59"))
            for client in clients:
                assert show(await client.told()) == [f"B 3 Closing in 10 s {text}"]

    run(scenario())


def test_news_is_numbered_between_other_messages_and_journaled_as_it_was_sent() -> None:
    async def scenario() -> None:
        async with venue(at("16:58:59"), daily()) as running:
            client = await running.online("A")
            await client.say(ORDER)
            await running.until(at("16:59"))
            (news,) = await client.told()
            (echo,) = await client.say(ORDER)
            assert (news[34], echo[34]) == ("3", "4")
            sent = [record for record in journaled(running) if record.kind is Kind.SENT]
            assert [record.seq for record in sent] == [1, 2, 3, 4]
            assert b"\x0135=B\x01" in sent[2].payload
            assert b"\x01148=Closing in 60 s\x01" in sent[2].payload

    run(scenario())


def test_nobody_gets_news_who_is_away_logging_out_or_not_logged_on_yet() -> None:
    async def scenario() -> None:
        async with venue(at("16:58:59"), daily()) as running:
            online, away, leaving = [await running.online(name) for name in ("A", "B", "C")]
            away.leave()
            await away.told()
            running.endpoint("C").session.logout(b"for a test", running.server.turn.open())
            running.endpoint("C").settle()
            assert show(await leaving.told()) == ["5 2 for a test"]
            stranger = running.client("D")
            await running.until(at("16:59"))
            assert [m[35] for m in await online.told()] == ["B"]
            assert await leaving.told() == await stranger.told() == await away.told() == []
            assert running.endpoint("B").session.next_out == 2, "nothing is stored for later"
            back = await running.online("B", seq=2)
            await running.until(at("16:59:50"))
            assert [m[34] for m in await back.told()] == ["3"], "who is back is told what is next"

    run(scenario())


@pytest.mark.parametrize("types", [(b"B",), ()], ids=["gap-filled", "resent"])
def test_old_news_is_passed_over_by_a_resend_where_the_settings_say_so(
    types: tuple[bytes, ...],
) -> None:
    async def scenario() -> None:
        async with venue(at("16:58:59"), daily(), gap_filled_types=types) as running:
            client = await running.online("A")
            await client.say(ORDER)
            await running.until(at("16:59"))
            await client.told()
            await client.say(ORDER.replace("11=a", "11=b"))
            again = await client.say("35=2|7=1|16=0|")
            assert all(message[43] == "Y" for message in again)
            expected = [("4", "1"), ("D", "2"), ("4" if types else "B", "3"), ("D", "4")]
            assert [(m[35], m[34]) for m in again] == expected

    run(scenario())


def test_a_plan_that_is_made_changed_and_called_off_is_seen_within_a_second(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with venue(at("12:00"), always(), tmp_path) as running:
            client = await running.online("A")
            plan(tmp_path, "12:00:50", "12:10")
            await running.until(at("12:00:01"))
            assert [m[148] for m in await client.told()] == ["Closing in 49 s"]
            plan(tmp_path, "12:00:59", "12:10")
            await running.until(at("12:00:03"))
            found = [m[148] for m in await client.told()]
            assert found == ["Closure called off", "Closing in 56 s"]
            MaintenancePlan(tmp_path).cancel()
            await running.until(at("12:00:04"))
            assert [m[148] for m in await client.told()] == ["Closure called off"]
            await running.until(at("12:05"))
            assert await client.told() == []
            assert client.is_connected

    run(scenario())


def test_a_plan_that_cannot_be_understood_changes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with venue(at("12:00"), always(), tmp_path) as running:
            client = await running.online("A")
            plan(tmp_path, "12:00:50", "12:10")
            await running.until(at("12:00:10"))
            MaintenancePlan(tmp_path).path.write_text("?")
            await running.until(at("12:00:40"))
            assert [m[148] for m in await client.told()] == ["Closing in 49 s", "Closing in 10 s"]
            await running.until(at("12:00:50"))
            (logout,) = await client.told()
            assert logout[58] == "Closed for a new release until 20270113-12:10:00 UTC"

    run(scenario())


# --- closing ------------------------------------------------------------------------------


def test_at_closing_everybody_is_logged_out_and_told_when_it_is_open_again() -> None:
    async def scenario() -> None:
        async with venue(at("16:59:45"), daily()) as running:
            clients = [await running.online(name) for name in ("A", "B")]
            await running.until(at("17:00") - 1)
            for client in clients:
                assert [m[35] for m in await client.told()] == ["B"]
                assert show(await client.say(ORDER)) == ["D 3"], "it is open until the end"
            await running.until(at("17:00"))
            for client in clients:
                assert show(await client.told()) == [f"5 4 {GOODBYE}"]
            await clients[0].say("35=5|")
            assert not clients[0].is_connected
            assert clients[1].is_connected
            await running.until(at("17:00:03"))
            assert not clients[1].is_connected, "who does not answer is waited for, not for ever"
            assert await clients[1].told() == [], "a Logout is said once"

    run(scenario())


def test_who_is_away_at_closing_gets_nothing_stored() -> None:
    async def scenario() -> None:
        async with venue(at("16:58"), daily()) as running:
            client = await running.online("A")
            client.leave()
            await running.until(at("17:00:05"))
            assert numbers(running, "A") == (2, 2)
            assert [r.seq for r in journaled(running) if r.kind is Kind.SENT] == [1]

    run(scenario())


def test_who_is_in_the_middle_of_a_closing_is_not_let_in_at_the_same_moment() -> None:
    async def scenario() -> None:
        async with venue(at("16:59:59"), daily()) as running:
            client = running.client("A")
            await running.until(at("17:00"))
            assert show(await client.say(LOGON)) == [f"5 1 {GOODBYE}"]
            assert not client.is_connected

    run(scenario())


# --- closed -------------------------------------------------------------------------------


def test_a_logon_while_it_is_closed_is_refused_with_the_time_of_return(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with venue(at("12:00"), always(), tmp_path) as running:
            client = await running.online("A")
            await client.say(ORDER)
            client.leave()
            plan(tmp_path, "12:00:10", "12:10")
            await running.until(at("12:00:11"))
            for number in (3, 4, 3):
                caller = running.client("A", seq=number)
                goodbye = "Closed for a new release until 20270113-12:10:00 UTC"
                (logout,) = await caller.say(LOGON)
                assert (logout[35], logout[58]) == ("5", goodbye)
                assert not caller.is_connected
                assert running.endpoint("A").session.state is State.DISCONNECTED
            assert numbers(running, "A") == (3, 6), "a Logout takes a number, a refusal counts none"
            await running.until(at("12:10") - 1)
            assert [m[35] for m in await running.client("A", seq=3).say(LOGON)] == ["5"]
            await running.until(at("12:10"))
            back = running.client("A", seq=3)
            (answer,) = await back.say(LOGON)
            assert (answer[35], answer[34]) == ("A", "7")
            asked = await back.say("35=2|7=2|16=0|")
            again = [(m[35], m[34], m.get(36)) for m in asked]
            assert again == [("D", "2", None), ("4", "3", "8")]
            assert show(await back.say(ORDER)) == ["D 8"]

    run(scenario())


def test_what_comes_behind_a_logon_while_it_is_closed_is_not_looked_at() -> None:
    async def scenario() -> None:
        async with venue(at("20:00"), daily()) as running:
            client = running.client("A")
            assert show(await client.say(LOGON)) == [f"5 1 {GOODBYE}"]
            assert await client.say(ORDER) == []
            assert numbers(running, "A") == (1, 2)

    run(scenario())


def test_a_reset_by_the_client_while_it_is_closed_resets_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with venue(at("12:00"), always(), tmp_path) as running:
            client = await running.online("A")
            await client.say(ORDER)
            client.leave()
            plan(tmp_path, "12:00", "12:10")
            await running.until(at("12:00:01"))
            (logout,) = await running.client("A").say(LOGON + "141=Y|")
            assert (logout[35], logout[34]) == ("5", "3")
            assert numbers(running, "A") == (3, 4)

    run(scenario())


def test_who_is_not_for_us_is_closed_without_a_word_as_ever() -> None:
    async def scenario() -> None:
        async with venue(at("20:00"), daily()) as running:
            for first in ("35=0|", "35=D|11=a|"):
                stranger = running.client("A")
                assert await stranger.say(first) == []
                assert not stranger.is_connected
            assert list(running.server.registry) == []

    run(scenario())


@pytest.mark.parametrize("early", [True, False], ids=["called off", "over"])
def test_after_maintenance_it_is_open_again(tmp_path: Path, early: bool) -> None:
    async def scenario() -> None:
        async with venue(at("12:00"), always(), tmp_path) as running:
            plan(tmp_path, "12:00", "12:01")
            await running.until(at("12:00:30"))
            assert [m[35] for m in await running.client("A").say(LOGON)] == ["5"]
            if early:
                MaintenancePlan(tmp_path).cancel()
                await running.until(at("12:00:31"))
            else:
                await running.until(at("12:01"))
            client = running.client("A")
            assert [m[35] for m in await client.say(LOGON)] == ["A"]
            assert show(await client.say(ORDER)) == ["D 3"]
            await running.until(at("12:30"))
            assert client.is_connected

    run(scenario())


def test_the_plan_is_kept_from_the_first_moment_after_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        plan(tmp_path, "11:00", "13:00")
        async with venue(at("12:00"), always(), tmp_path) as running:
            (logout,) = await running.client("A").say(LOGON)
            assert logout[58] == "Closed for a new release until 20270113-13:00:00 UTC"

    run(scenario())


# --- the first Logon of a period ----------------------------------------------------------


async def a_day(running: VirtualVenue) -> None:
    """A has sent two messages and received four by the evening: 3 and 5 come next."""
    client = await running.online("A")
    await running.until(at("17:00"))
    assert [m[35] for m in await client.told()] == ["B", "B", "5"]
    await client.say("35=5|")
    assert numbers(running, "A") == (3, 5)


def test_sequences_begin_anew_once_with_the_first_logon_of_a_period() -> None:
    async def scenario() -> None:
        async with venue(at("16:58"), daily(resets=True)) as running:
            await a_day(running)
            await running.leap(at("14 09:00"))
            assert numbers(running, "A") == (3, 5), "not before somebody comes"
            client = running.client("A")
            (answer,) = await client.say(LOGON)
            assert (answer[35], answer[34], 141 in answer) == ("A", "1", False)
            assert numbers(running, "A") == (2, 2)
            assert show(await client.say(ORDER)) == ["D 2"]
            client.leave()
            await client.told()
            again = running.client("A", seq=3)
            (answer,) = await again.say(LOGON)
            assert (answer[35], answer[34]) == ("A", "3"), "once in a period"
            resets = [r for r in journaled(running) if r.kind is Kind.RESET]
            assert len(resets) == 1

    run(scenario())


def test_what_was_sent_in_the_period_before_is_not_sent_again() -> None:
    async def scenario() -> None:
        async with venue(at("16:58"), daily(resets=True)) as running:
            client = await running.online("A")
            await client.say(ORDER)
            await running.until(at("17:00"))
            await client.say("35=5|")
            await running.leap(at("14 09:00"))
            client = await running.online("A")
            asked = await client.say("35=2|7=1|16=0|")
            again = [(m[35], m[34], m.get(36)) for m in asked]
            assert again == [("4", "1", "2")]

    run(scenario())


def test_without_resets_sequences_go_on_from_period_to_period() -> None:
    async def scenario() -> None:
        async with venue(at("16:58"), daily()) as running:
            await a_day(running)
            await running.leap(at("14 09:00"))
            (answer,) = await running.client("A", seq=3).say(LOGON)
            assert (answer[35], answer[34]) == ("A", "5")

    run(scenario())


def test_a_client_that_does_not_begin_anew_is_asked_for_what_comes_before() -> None:
    async def scenario() -> None:
        async with venue(at("16:58"), daily(resets=True)) as running:
            await a_day(running)
            await running.leap(at("14 09:00"))
            answer, request = await running.client("A", seq=3).say(LOGON)
            assert (answer[35], answer[34]) == ("A", "1")
            assert (request[35], request[34], request[7]) == ("2", "2", "1")

    run(scenario())


def test_a_client_that_asks_for_a_reset_itself_gets_one_too() -> None:
    async def scenario() -> None:
        async with venue(at("16:58"), daily(resets=True)) as running:
            await a_day(running)
            await running.leap(at("14 09:00"))
            client = running.client("A")
            (answer,) = await client.say(LOGON + "141=Y|")
            assert (answer[35], answer[34], answer[141]) == ("A", "1", "Y")
            assert show(await client.say(ORDER)) == ["D 2"]

    run(scenario())


def test_who_is_new_in_a_period_is_not_reset_within_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with venue(at("10:00"), daily(resets=True), tmp_path) as running:
            client = await running.online("A")
            client.leave()
            plan(tmp_path, "12:00", "12:10")
            await running.leap(at("12:05"))
            assert [m[35] for m in await running.client("A", seq=2).say(LOGON)] == ["5"]
            await running.leap(at("12:10"))
            (answer,) = await running.client("A", seq=2).say(LOGON)
            assert (answer[35], answer[34]) == ("A", "3"), "maintenance begins nothing anew"
            assert [r.kind for r in journaled(running)].count(Kind.RESET) == 0

    run(scenario())


@pytest.mark.parametrize("crashes", [True, False], ids=["crash", "stop"])
def test_a_restart_in_the_night_does_not_lose_the_reset(tmp_path: Path, crashes: bool) -> None:
    async def scenario() -> None:
        timetable = daily(resets=True)
        async with venue(at("16:58"), timetable, tmp_path, crashes=crashes) as running:
            await a_day(running)
        async with venue(at("14 12:00"), daily(resets=True), tmp_path) as running:
            assert numbers(running, "A")[1] == 5
            assert running.endpoint("A").begun_at == at("16:58")
            (answer,) = await running.client("A").say(LOGON)
            assert (answer[35], answer[34]) == ("A", "1")

    run(scenario())


@pytest.mark.parametrize("crashes", [True, False], ids=["crash", "stop"])
def test_a_restart_within_a_period_does_not_reset_again(tmp_path: Path, crashes: bool) -> None:
    async def scenario() -> None:
        async with venue(at("16:58"), daily(resets=True), tmp_path) as running:
            await a_day(running)
        async with venue(at("14 12:00"), daily(resets=True), tmp_path, crashes=crashes) as running:
            client = await running.online("A")
            await client.say(ORDER)
            client.leave()
            await client.told()
        async with venue(at("14 13:00"), daily(resets=True), tmp_path) as running:
            assert running.endpoint("A").begun_at == at("14 12:00"), "as the journal has it"
            (answer,) = await running.client("A", seq=3).say(LOGON)
            assert (answer[35], answer[34]) == ("A", "3")

    run(scenario())


def test_a_refusal_in_the_night_is_not_the_first_logon_of_the_period() -> None:
    async def scenario() -> None:
        async with venue(at("16:58"), daily(resets=True)) as running:
            await a_day(running)
            await running.leap(at("14 08:00"))
            assert [m[34] for m in await running.client("A", seq=3).say(LOGON)] == ["5"]
            await running.leap(at("14 09:00"))
            assert [m[34] for m in await running.client("A").say(LOGON)] == ["1"]

    run(scenario())
