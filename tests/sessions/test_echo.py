"""The echo application, which conformance scripts talk to."""

from __future__ import annotations

from functools import cache
from xml.etree import ElementTree

import pytest

from fix_engine.dictionary import Dictionary
from sessions.echo import EchoApplication
from tests.sessions.harness import Desk, Line
from tests.support.messages import ROOT

ORDER = "35=D|11={name}|21=1|40=1|54=1|38=002.00|55=INTC|60=20270115-08:00:00.000|"

MESSAGES = """<messages>
  <message name="SecurityDefinition" msgtype="d" msgcat="app">
    <field name="SecurityReqID" required="Y"/>
    <field name="SecurityResponseID" required="Y"/>
    <component name="Instrument" required="N"/>
  </message>
  <message name="Email" msgtype="C" msgcat="app">
    <field name="EmailThreadID" required="Y"/>
    <field name="Subject" required="Y"/>
    <group name="NoLinesOfText" required="Y"><field name="Text" required="Y"/></group>
  </message>
</messages>"""
SUB_PARTIES = """<group name="NoPartySubIDs" required="N">
  <field name="PartySubID" required="N"/><field name="PartySubIDType" required="N"/>
</group>"""
FIELDS = {
    "SecurityReqID": 320,
    "SecurityResponseID": 322,
    "EmailThreadID": 164,
    "Subject": 147,
    "NoPartySubIDs": 802,
    "PartySubID": 523,
    "PartySubIDType": 803,
}


@cache
def wider() -> Dictionary:
    """Our dictionary with the messages that conformance scripts send besides orders."""
    root = ElementTree.fromstring((ROOT / "specs" / "FIX44.xml").read_bytes())
    parents = {name: root.find(name) for name in ("messages", "fields")}
    parents["parties"] = root.find("components/component[@name='Parties']/group")
    messages, fields, parties = parents.values()
    assert messages is not None
    assert fields is not None
    assert parties is not None
    for message in ElementTree.fromstring(MESSAGES):  # in place of ours, which asks for more
        for own in messages.findall(f"message[@msgtype='{message.get('msgtype')}']"):
            messages.remove(own)
        messages.append(message)
    parties.append(ElementTree.fromstring(SUB_PARTIES))
    for name, number in FIELDS.items():
        if fields.find(f"field[@number='{number}']") is not None:
            continue
        kind = "NUMINGROUP" if name.startswith("No") else "STRING"
        fields.append(ElementTree.Element("field", number=str(number), name=name, type=kind))
    return Dictionary(ElementTree.tostring(root))


def echo() -> tuple[Desk, Line]:
    desk = Desk(application=EchoApplication(wider()), spoken=wider())
    line = desk.line("CLIENT")
    line.sent.clear()
    return desk, line


def said(desk: Desk, line: Line, fields: str) -> list[str]:
    """What comes back, from TargetCompID on."""
    line.send(fields)
    desk.turns()
    sent, line.sent = line.sent, []
    texts = [raw.replace(b"\x01", b"|").decode() for batch in sent for raw in batch]
    return [text.partition("56=CLIENT|")[2].rpartition("10=")[0] for text in texts]


def test_an_order_comes_back_with_its_body_in_tag_order_and_its_values_untouched() -> None:
    desk, line = echo()
    line.send(ORDER.format(name="a"))
    desk.turns()
    assert line.sent[0][0].startswith(b"8=FIX.4.4\x019=")
    assert line.sent[0][0].replace(b"\x01", b"|").decode().partition("56=CLIENT|")[2][:-7] == (
        "11=a|21=1|38=002.00|40=1|54=1|55=INTC|60=20270115-08:00:00.000|"
    )
    assert line.told() == [
        "35=D|34=2|11=a|21=1|38=002.00|40=1|54=1|55=INTC",
    ]


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ("35=d|322=i|320=r|55=A|", "55=A|320=r|322=i|"),
        ("35=C|164=id|147=S|33=2|58=one|58=two|", "33=2|58=one|58=two|147=S|164=id|"),
    ],
)
def test_security_definitions_and_emails_come_back_too(sent: str, echoed: str) -> None:
    desk, line = echo()
    assert said(desk, line, sent) == [echoed]


def test_a_group_stays_whole_behind_its_count_nested_ones_too() -> None:
    desk, line = echo()
    group = "453=2|448=Z|447=D|452=3|802=2|523=q|803=1|523=p|803=2|448=A|447=D|452=1|"
    answer = said(desk, line, ORDER.format(name="a") + "59=1|" + group + "1=acc|")
    assert answer == [
        "1=acc|11=a|21=1|38=002.00|40=1|54=1|55=INTC|59=1|60=20270115-08:00:00.000|" + group
    ]


def test_fields_of_the_header_are_not_echoed() -> None:
    desk, line = echo()
    header = "35=D|50=desk|57=floor|627=2|628=HOP1|629=20270115-08:00:00|628=HOP2|"
    answer = said(desk, line, header + ORDER.format(name="a").partition("|")[2])
    assert answer == [
        "11=a|21=1|38=002.00|40=1|54=1|55=INTC|60=20270115-08:00:00.000|",
    ]


@pytest.mark.parametrize("msg_type", ["B", "F"])
def test_any_other_application_message_is_refused_by_its_type(msg_type: str) -> None:
    desk, line = echo()
    bodies = {
        "B": "148=x|33=1|58=x|",
        "F": "41=a|11=b|54=1|55=A|60=20270115-08:00:00.000|38=1|",
    }
    answer = said(desk, line, f"35={msg_type}|{bodies[msg_type]}")
    assert answer == [f"45=2|58=Unsupported Message Type|372={msg_type}|380=3|"]


def test_a_possible_resend_is_ignored_when_its_order_was_seen() -> None:
    desk, line = echo()
    again = "35=D|97=Y|" + ORDER.partition("|")[2]
    assert len(said(desk, line, ORDER.format(name="a"))) == 1
    assert said(desk, line, again.format(name="a")) == []
    (answer,) = said(desk, line, again.format(name="b"))
    assert answer.startswith("97=Y|11=b|"), "one that was not seen is echoed, flag and all"
    assert said(desk, line, again.format(name="b")) == []
    line.order("c")
    desk.turns()
    assert line.told()[-1].startswith("35=D|34=4|"), "an ignored message is counted all the same"


def test_without_the_flag_an_order_is_echoed_each_time() -> None:
    desk, line = echo()
    assert len(said(desk, line, ORDER.format(name="a"))) == 1
    assert len(said(desk, line, ORDER.format(name="a"))) == 1
    (answer,) = said(desk, line, "35=D|97=N|" + ORDER.format(name="a").partition("|")[2])
    assert answer.startswith("97=N|11=a|")


def test_what_was_seen_is_forgotten_at_logout_and_is_each_sessions_own() -> None:
    desk, line = echo()
    again = "35=D|97=Y|" + ORDER.partition("|")[2]
    said(desk, line, ORDER.format(name="a"))
    other = desk.line("OTHER")
    other.sent.clear()
    other.send(again.format(name="a"))
    desk.turns()
    assert len(other.sent) == 1
    line.send("35=5|")
    desk.turns()
    back = Line(desk, "CLIENT")
    back.send("35=A|98=0|108=30|", seq=line.seq)
    back.seq = line.seq + 1
    desk.turns()
    back.sent.clear()
    assert len(said(desk, back, again.format(name="a"))) == 1
