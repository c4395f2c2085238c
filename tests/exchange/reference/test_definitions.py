"""SecurityDefinitionRequest and SecurityDefinition: one instrument."""

from __future__ import annotations

import pytest

from tests.exchange.reference.asking import asked_world, check_sent, fresh, shown
from tests.exchange.reference.test_securities import LIMITED_FIELDS
from tests.exchange.test_venue import told


def test_a_definition_has_what_a_list_has() -> None:
    client = fresh(asked_world())
    (answer,) = client.ask("35=c|320=r1|321=0|55=ABC/EUR|")
    head = f"35=d|320=r1|322={answer[322]}|323=1|"
    assert shown(client) == [f"{head}{LIMITED_FIELDS}8044=-0.0001|8045=0.001"]
    check_sent(client)


@pytest.mark.parametrize(
    ("request_", "response", "text"),
    [
        ("321=0|55=NO/PE|", "6", "Symbol (55) NO/PE is not traded here; SecurityListRequest (x) "),
        ("321=0|", "5", "Symbol (55) is required with SecurityRequestType (321) 0"),
        ("321=1|55=ABC/EUR|", "5", "SecurityRequestType (321) 1: only 0, identity and "),
        ("321=2|", "5", "SecurityRequestType (321) 2: only 0, identity and "),
        ("321=3|", "5", "SecurityRequestType (321) 3: only 0, identity and "),
    ],
)
def test_what_is_no_definition_is_refused(request_: str, response: str, text: str) -> None:
    client = fresh(asked_world())
    (answer,) = client.ask(f"35=c|320=r|{request_}")
    assert told([answer], 35, 320, 323) == [f"d r {response}"]
    assert answer[58].startswith(text)
    assert 969 not in answer
    check_sent(client)


def test_no_two_answers_have_the_same_id() -> None:
    world = asked_world()
    client, other = fresh(world), fresh(world, "OTHER")
    ids = [
        one.ask(request)[0][322]
        for one in (client, other)
        for request in ("35=c|320=r|321=0|55=ABC/EUR|", "35=x|320=r|559=4|", "35=c|320=r|321=3|")
    ]
    assert len(set(ids)) == len(ids)
