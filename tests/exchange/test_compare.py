"""What counts as the same answer, and what belongs together."""

from __future__ import annotations

import pytest

from exchange.compare import Comparison, DifferenceKind, FieldDifference
from exchange.replaying import meaning
from tests.support.messages import decode, dictionary, fix

A = b"ACME"
NEW = "35=8|34=2|49=V|52=20261122-16:00:00|56=ACME|37=7|11=a|17=7-1|150=0|39=0|38=1.0|60=x|58=ok|"
FILL = "35=8|34=3|49=V|52=20261122-16:00:00|56=ACME|37=7|11=a|17=9-1|150=F|39=1|32=1|31=5|"


def compared(recorded: list[str], replayed: list[str], suffix: bytes = b"-x1") -> Comparison:
    comparison = Comparison(dictionary(), suffix)
    for number, request in enumerate(
        ["35=D|11=a|", "35=G|11=b|41=a|", "35=D|11=c|", "35=V|262=m|"]
    ):
        comparison.requested(A, decode(fix(f"{request}34={number + 10}|")), number + 50)
    for text in recorded:
        comparison.expect(A, decode(fix(text)))
    for text in replayed:
        comparison.receive(A, decode(fix(text)))
    return comparison


def kinds(comparison: Comparison) -> list[str]:
    return [difference.kind.value for difference in comparison.differences()]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("38=1.0|", "38=1.00|"),
        ("38=1.0|", "38=01|"),
        ("37=7|", "37=8815|"),
        ("17=7-1|", "17=E-1|"),
        ("60=x|", "60=y|"),
        ("34=2|", "34=99|43=Y|122=20261122-16:00:00|369=5|"),
        ("11=a|", "11=a-x1|"),
        ("58=ok|", "58=ok|"),
        ("39=0|38=1.0|", "38=1.0|39=0|"),
    ],
)
def test_the_same_meaning(old: str, new: str) -> None:
    comparison = compared([NEW], [NEW.replace(old, new)])
    assert comparison.differences() == []
    assert comparison.equal == 1


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("38=1.0|", "38=1.01|", "OrderQty"),
        ("38=1.0|", "", "OrderQty"),
        ("37=7|", "", "OrderID"),
        ("37=7|", "37=NONE|", "OrderID"),
        ("60=x|", "", "TransactTime"),
        ("58=ok|", "58=ok|103=99|", "OrdRejReason"),
        ("58=ok|", "58=1.0|", "Text"),
        ("58=ok|", "58=ok|9999=1|", "9999"),
    ],
)
def test_another_meaning(old: str, new: str, name: str) -> None:
    (difference,) = compared([NEW], [NEW.replace(old, new)]).differences()
    assert difference.kind is DifferenceKind.FIELDS
    assert [field.name for field in difference.fields] == [name]
    assert difference.belongs_to == (A, b"11", b"a")


def test_a_text_may_name_cl_ord_ids_and_order_ids() -> None:
    recorded = [NEW, FILL + "58=a is order 7, not 8|"]
    replayed = [NEW.replace("37=7|", "37=42|"), FILL.replace("37=7|", "37=42|")]
    replayed[1] += "58=a-x1 is order 42, not 8|"
    assert compared(recorded, replayed).differences() == []


def test_an_order_keeps_its_order_id() -> None:
    replayed = [NEW.replace("37=7|", "37=42|"), FILL.replace("37=7|", "37=43|")]
    (difference,) = compared([NEW, FILL], replayed).differences()
    (field,) = difference.fields
    assert (field.name, field.recorded, field.replayed) == ("OrderID", b"42", b"43")


def test_between_orders_the_order_does_not_matter_within_one_it_does() -> None:
    other = NEW.replace("11=a|", "11=c|")
    assert compared([NEW, FILL, other], [other, NEW, FILL]).differences() == []
    replaced = FILL.replace("11=a|", "11=b|")  # continues the chain of a
    assert sorted(kinds(compared([NEW, replaced], [replaced, NEW]))) == ["extra", "missing"]


def test_the_rest_is_paired_so_that_least_differs() -> None:
    fills = [FILL.replace("32=1|", f"32={n}|14={n}|151={9 - n}|") for n in range(1, 7)]
    assert kinds(compared(fills, fills[:2] + fills[3:])) == ["missing"]
    assert kinds(compared(fills[:2] + fills[3:], fills)) == ["extra"]
    changed = [*fills[:2], fills[2].replace("31=5|", "31=6|"), *fills[4:]]
    comparison = compared(fills, changed)
    assert kinds(comparison) == ["differs", "missing"]
    assert comparison.equal == 4


def test_a_reject_belongs_to_the_message_that_it_refers_to() -> None:
    recorded = ["35=3|34=5|45=12|58=no|", "35=j|34=6|45=13|372=V|380=3|"]
    replayed = ["35=j|34=9|45=53|372=V|380=3|", "35=3|34=8|45=52|58=no|"]
    assert compared(recorded, replayed).differences() == []
    elsewhere = ["35=j|34=9|45=53|372=V|380=3|", "35=3|34=8|45=50|58=no|"]
    assert kinds(compared(recorded, elsewhere)) == ["missing", "extra"]


def test_another_type_of_message_is_no_pair() -> None:
    cancel_reject = "35=9|34=3|37=7|11=a|41=a|39=1|434=1|102=1|"
    assert sorted(kinds(compared([cancel_reject], [FILL]))) == ["extra", "missing"]


def test_it_tells_how_many_answers_are_due_and_forgives() -> None:
    comparison = Comparison(dictionary())
    comparison.expect(A, decode(fix(NEW)))
    comparison.expect(A, decode(fix(FILL)))
    assert (comparison.is_short(A), comparison.short_sessions()) == (True, [A])
    comparison.receive(A, decode(fix(NEW)))
    comparison.receive(A, decode(fix(NEW.replace("11=a|", "11=other|"))))
    assert comparison.is_short(A), "another order's answer is none to this one"
    comparison.give_up(A)
    assert not comparison.is_short(A)
    comparison.expect(A, decode(fix(FILL)))
    comparison.receive(A, decode(fix(FILL)))  # the late one
    assert comparison.is_short(A)
    comparison.receive(A, decode(fix(FILL)))
    assert not comparison.is_short(A)
    assert kinds(comparison) == ["extra"]


def test_a_thousand_answers_that_differ_are_still_compared_soon() -> None:
    fills = [FILL.replace("32=1|", f"32={n}|") for n in range(1, 1_500)]
    others = [fill.replace("31=5|", "31=6|") for fill in fills]
    comparison = compared(fills, others)
    assert set(kinds(comparison)) == {"differs"}


def test_secrets_are_not_shown() -> None:
    text = "35=B|34=2|95=1|96=%s|554=%s|"
    (difference,) = compared([text % ("a", "b")], [text % ("c", "d")]).differences()
    assert {field.tag for field in difference.fields} == {b"96", b"554"}
    assert {(field.recorded, field.replayed) for field in difference.fields} == {(b"***", b"***")}


def test_values_are_explained_by_the_dictionary() -> None:
    field = FieldDifference(b"39", "OrdStatus", b"0", None)
    assert meaning(dictionary(), field, b"0") == "0 new"
    assert meaning(dictionary(), field, b"?") == "?"
    assert meaning(dictionary(), field, None) == "-"
