"""Options of sessions, seen through the venue."""

from __future__ import annotations

from tests.support.world import Client, World


def test_a_second_logon_is_refused_or_takes_over() -> None:
    for replaces in (False, True):
        world = World(replaces_live=replaces)
        first = world.client("C")
        first.order("a", "buy", "1", "100")
        second = Client(world, "C")
        second.seq = first.seq
        second.connect()
        second.send("35=A|98=0|108=30|")
        assert first.is_connected is not replaces
        assert second.is_connected is replaces
        if replaces:
            assert first.received[-1][35] == "5"
            assert "Another connection" in first.received[-1][58]
            assert second.received[0][35] == "A"
            assert second.order("b", "buy", "1", "100")[0][150] == "0"
        else:
            assert second.received == []
            assert first.order("b", "buy", "1", "100")[0][150] == "0"
        assert world.venue.open_orders() == 2


def test_answers_go_back_the_way_the_request_came() -> None:
    world = World()
    client, other = world.client("C"), world.client("OTHER")
    client.take()
    other.take()
    order = "35=D|11={}|55=BTC/USD|54={}|60=<now>|38=1|40=2|44=100|"
    client.send(order.format("a", 1), header="50=TRADER7|115=FUND|116=DESK|142=LDN|")
    (new,) = client.take()
    assert [new.get(tag) for tag in (57, 128, 129, 143)] == ["TRADER7", "FUND", "DESK", "LDN"]
    tags = [field.split(b"=")[0] for field in client.raw[-1].split(b"\x01")]
    assert tags[3:11] == [b"34", b"49", b"52", b"56", b"57", b"128", b"129", b"143"]
    other.send(order.format("b", 2))
    (fill,) = client.take()
    assert 57 not in fill, "what others cause comes without"
    client.send("35=8|37=1|17=1|150=0|39=0|55=X|54=1|151=1|14=0|6=0|", header="50=TRADER7|")
    assert client.take()[0][57] == "TRADER7"
