"""Sequence numbers that do not fit, and such that begin anew."""

from __future__ import annotations

from typing import Final

from tests.interop.script.client import Client
from tests.interop.script.fix import MSG_SEQ_NUM, unless

_SKIPPED: Final = 5  # numbers


async def forget_reports(client: Client) -> str:
    """The engine has lost what it knew: it asks again for reports, and for what was between them.

    What was between them is of the session, so a gap fill comes instead, and one at the end.
    """
    first = await _status(client)
    await ping(client, "BETWEEN")
    await _status(client)
    await client.logout()
    client.set_numbers(next_in=first)
    fills = client.received("4")
    await client.logon()
    for _ in range(2):
        await client.expect("35=8 43=Y 122=* 150=I")
    client.exec_ids = client.exec_ids[:-2]  # it has asked to have these twice
    await ping(client, "HEALED")
    client.last_sent("2").check(f"7={first} 16=0")
    unless(client.received("4") == fills + 2, f"{client.received('4') - fills} gap fills, not 2")
    client.last_received("4").check("123=Y 43=Y 36=*")
    return "2 reports and 2 gap fills"


async def skip_numbers(client: Client) -> str:
    """The engine leaves out numbers: the venue asks for them, and is content with a gap fill."""
    await client.logout()
    skipped = client.last_sent("5").number(MSG_SEQ_NUM) + 1
    client.set_numbers(next_out=skipped + _SKIPPED)
    asked, fills = client.received("2"), client.sent("4")
    await client.logon()
    # Not earlier: a TestRequest that is made before the gap fill would be covered by it.
    await client.until(lambda: client.sent("4") > fills, "sent no gap fill")
    await ping(client, "SKIPPED")
    await _status(client)
    unless(client.received("2") == asked + 1, "the venue did not ask once")
    client.last_received("2").check(f"7={skipped} 16=0")
    client.last_sent("4").check(f"34={skipped} 123=Y")
    return f"{_SKIPPED} numbers and the Logon, by gap fill"


async def ask_again(client: Client) -> str:
    """A ResendRequest for what the engine has had already: it gets it, and passes nothing on."""
    await _status(client)
    await _status(client)
    last = client.last_received("8").number(MSG_SEQ_NUM)
    client.send(f"35=2 7={last - 1} 16={last}")
    await ping(client, "AGAIN")
    unless(client.waiting == 0, f"the engine took {client.waiting} reports twice")
    await _status(client)
    return "nothing twice"


async def reset_at_logon(client: Client) -> str:
    """ResetSeqNumFlag on the Logon: both sides begin at 1."""
    await client.logout()
    await client.logon("141=Y")
    client.last_received("A").check("34=1 141=Y")
    await _at_the_beginning(client)
    return "34=1 141=Y both ways"


async def go_on(client: Client) -> str:
    """After an orderly logout nothing is missing, and nothing begins anew."""
    gaps = client.gaps()
    await client.logout()
    next_out, next_in = (
        logout.number(MSG_SEQ_NUM) + 1
        for logout in (client.last_sent("5"), client.last_received("5"))
    )
    await client.logon()
    client.last_sent("A").check(f"34={next_out} !141")
    client.last_received("A").check(f"34={next_in} !141")
    await ping(client, "ON")
    unless(client.gaps() == gaps, f"{client.role} saw a gap after an orderly logout")
    return f"{client.role} at {next_in} in and {next_out} out"


async def reset_in_session(client: Client) -> str:
    """The same while logged on."""
    logons = client.received("A")
    client.send("35=A 98=0 108=5 141=Y")
    await client.until(lambda: client.received("A") > logons, "got no Logon back")
    client.last_received("A").check("34=1 141=Y")
    await _at_the_beginning(client)
    return "34=1 141=Y both ways, the connection stays"


async def reset_by_sequence_reset(client: Client) -> str:
    """SequenceReset without GapFillFlag: the venue goes on with the number that the engine says."""
    await ping(client, "LOW")
    target = client.last_sent("1").number(MSG_SEQ_NUM) + 1000
    gaps = client.received("2")
    client.send(f"35=4 123=N 36={target}")
    client.set_numbers(next_out=target)
    await ping(client, "HIGH")
    client.last_sent("1").check(f"34={target}")
    unless(client.received("2") == gaps, "the venue asked for what was left out")
    return f"to {target}"


async def ping(client: Client, name: str) -> None:
    """A TestRequest and its answer: what was on its way before has arrived."""
    answers = client.received("0")
    client.send(f"35=1 112={name}")
    await client.until(
        lambda: client.received("0") > answers and client.last_received("0").get(112) == name,
        f"got no answer to the TestRequest {name}",
    )


async def _at_the_beginning(client: Client) -> None:
    """What comes after the Logons has the number 2, and what was before is still known."""
    await ping(client, "BEGIN")
    client.last_sent("1").check("34=2")
    client.last_received("0").check("34=2")
    await _status(client)


async def _status(client: Client) -> int:
    """Ask for the status of the first order; the number of the report."""
    client.send("35=H 11=s1 55=BTC/USD 54=2")
    report = await client.expect("35=8 !43 150=I")
    return report.number(MSG_SEQ_NUM)
