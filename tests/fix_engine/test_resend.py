"""What goes out when a stored range is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix_engine import resend
from fix_engine.effects import Fetch
from fix_engine.resend import PAGE_MESSAGES, Resend, msg_type_of, possible_duplicate
from tests.fix_engine.support import decode, examples, frame, show

NONE = frozenset[bytes]()
THEN, NOW = "20240229-12:00:00.000", b"20240229-12:00:30.000"


def again(text: str) -> str:
    """The fields of a stored message as they are sent again."""
    return show(decode(possible_duplicate(frame(text), NOW)))


def app(seq: int) -> bytes:
    return frame(f"35=8|34={seq}|49=A|52={THEN}|56=B|37=x")


def admin(seq: int) -> bytes:
    return frame(f"35=0|34={seq}|49=A|52={THEN}|56=B")


def pages(work: Resend, stored: dict[int, bytes]) -> list[str]:
    """All answers, page by page, from a store: "5" for a message, "2>5" for a gap fill."""
    out: list[str] = []
    while not work.finished:
        wanted = range(work.page.begin, work.page.end + 1)
        page = [(n, stored[n]) for n in wanted if n in stored]
        for first, second in work.answer(page[: work.page.at_most]):
            if isinstance(second, bytes):
                assert second == stored[first]
                out.append(str(first))
            else:
                out.append(f"{first}>{second}")
    return out


def resent(kinds: str, begin: int = 1, end: int = 0) -> str:
    """The answers when 1, 2, ... are "M" (application), "a" (administrative) or "." (not there)."""
    make = {"M": app, "a": admin}
    stored = {seq: make[kind](seq) for seq, kind in enumerate(kinds, 1) if kind != "."}
    return " ".join(pages(Resend(begin, end or len(kinds), NONE), stored))


# One message. FIX 4.4 Volume 2, "Possible Duplicates": PossDupFlag Y, a new SendingTime, the
# original in OrigSendingTime; MsgSeqNum, and the body, as they were.


def test_a_message_sent_again_says_so_and_when_it_was_sent_first() -> None:
    assert again(f"35=8|34=7|49=A|52={THEN}|56=B|37=x|58=a=b") == (
        f"35=8|34=7|43=Y|49=A|52={NOW.decode()}|56=B|122={THEN}|37=x|58=a=b"
    )


def test_its_length_and_checksum_are_right_again() -> None:
    raw = possible_duplicate(app(7), NOW)
    assert raw == frame(show(decode(raw)))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("50=S|57=T|97=Y", "50=S|57=T|97=Y|122={}"),
        ("115=A|116=B", "115=A|116=B|122={}"),
        ("128=A|129=B|145=C", "122={}|128=A|129=B|145=C"),
        ("115=A|128=B|116=C", "115=A|122={}|128=B|116=C"),
    ],
)
def test_other_header_fields_stay_in_the_header(header: str, expected: str) -> None:
    assert again(f"35=8|34=7|49=A|52={THEN}|56=B|{header}|37=x") == (
        f"35=8|34=7|43=Y|49=A|52={NOW.decode()}|56=B|{expected.format(THEN)}|37=x"
    )


def test_the_body_is_not_touched_whatever_is_in_it() -> None:
    body = "37=52=x|58=\x0152=y|354=5|355=a\x0110=|10=x"
    raw = possible_duplicate(frame(f"35=8|34=7|49=A|52={THEN}|56=B|{body}|11=c"), NOW)
    assert body.replace("|", "\x01").encode() in raw
    assert raw.count(NOW) == 1


def test_a_body_may_be_empty() -> None:
    assert again(f"35=8|34=7|49=A|52={THEN}|56=B") == (
        f"35=8|34=7|43=Y|49=A|52={NOW.decode()}|56=B|122={THEN}"
    )


def test_the_precision_of_the_original_time_is_kept() -> None:
    assert "|122=20240229-12:00:00.123456|" in again(
        "35=8|34=7|49=A|52=20240229-12:00:00.123456|56=B|37=x"
    )


@pytest.mark.parametrize("msg_type", ["0", "AE", "8", "j"])
def test_a_message_knows_its_type(msg_type: str) -> None:
    assert msg_type_of(frame(f"35={msg_type}|34=2|58=\x0135=x")) == msg_type.encode()


# A range


@pytest.mark.parametrize(
    ("kinds", "answers"),
    [
        ("M", "1"),
        ("MMM", "1 2 3"),
        ("a", "1>2"),
        ("aaa", "1>4"),
        ("aMa", "1>2 2 3>4"),
        ("MaaM", "1 2>4 4"),
        ("aaMMaaM", "1>3 3 4 5>7 7"),
        (".", "1>2"),
        ("...", "1>4"),
        (".M.", "1>2 2 3>4"),
        ("M..M", "1 2>4 4"),
        ("a.aM", "1>4 4"),
        (".a.M.a.", "1>4 4 5>8"),
        ("M.", "1 2>3"),
    ],
)
def test_a_run_of_messages_not_sent_again_is_one_gap_fill(kinds: str, answers: str) -> None:
    """It bears the number of the first of them; NewSeqNo is the number after the last."""
    assert resent(kinds) == answers


@pytest.mark.parametrize(
    ("begin", "end", "answers"),
    [
        (1, 7, "1>3 3 4 5>7 7"),
        (2, 6, "2>3 3 4 5>7"),
        (2, 2, "2>3"),
        (3, 3, "3"),
        (4, 5, "4 5>6"),
        (6, 7, "6>7 7"),
    ],
)
def test_no_more_is_sent_than_was_asked_for(begin: int, end: int, answers: str) -> None:
    assert resent("aaMMaaM", begin, end) == answers


def test_a_range_is_answered_in_pages() -> None:
    size = PAGE_MESSAGES
    stored = [(seq, app(seq)) for seq in range(5, 6 + 2 * size)]
    work = Resend(5, 5 + 2 * size, NONE)
    assert (work.page, work.finished) == (Fetch(5, 5 + 2 * size, size), False)
    assert len(list(work.answer(stored[:size]))) == size
    assert work.page == Fetch(5 + size, 5 + 2 * size, size)
    assert len(list(work.answer(stored[size : 2 * size]))) == size
    assert work.page == Fetch(5 + 2 * size, 5 + 2 * size, size)
    assert not work.finished
    assert len(list(work.answer(stored[2 * size :]))) == 1
    assert work.finished


def test_a_range_of_exactly_one_page_is_one_page() -> None:
    work = Resend(1, PAGE_MESSAGES, NONE)
    page = [(seq, app(seq)) for seq in range(1, PAGE_MESSAGES + 1)]
    assert list(work.answer(page)) == page
    assert work.finished


def test_a_full_page_may_be_the_last_of_what_is_stored() -> None:
    work = Resend(1, 10**9, NONE)
    page = [(seq, app(seq)) for seq in range(1, PAGE_MESSAGES + 1)]
    assert list(work.answer(page)) == page
    assert not work.finished
    assert list(work.answer([])) == [(PAGE_MESSAGES + 1, 10**9 + 1)]
    assert work.finished


def test_a_range_of_which_nothing_is_stored_is_one_page_however_long() -> None:
    work = Resend(1, 10**9, NONE)
    assert list(work.answer([(7 * 10**8, app(1))])) == [
        (1, 7 * 10**8),
        (7 * 10**8, app(1)),
        (7 * 10**8 + 1, 10**9 + 1),
    ]
    assert work.finished


def test_a_run_across_pages_is_one_gap_fill() -> None:
    page = PAGE_MESSAGES
    assert resent("M" + "a" * (2 * page) + "M") == f"1 2>{2 * page + 2} {2 * page + 2}"
    assert resent("a" * (3 * page)) == f"1>{3 * page + 1}"
    assert resent("." * (2 * page + 1)) == f"1>{2 * page + 2}"
    assert (
        resent("M" * page + "a")
        == f"{' '.join(map(str, range(1, page + 1)))} {page + 1}>{page + 2}"
    )


def plainly(kinds: str, begin: int, end: int) -> list[str]:
    """The whole answer, worked out without pages."""
    out: list[str] = []
    gap = 0
    for seq in range(begin, end + 1):
        if kinds[seq - 1] != "M":
            gap = gap or seq
            continue
        if gap:
            out.append(f"{gap}>{seq}")
        gap = 0
        out.append(str(seq))
    return [*out, f"{gap}>{end + 1}"] if gap else out


@examples(150)
@given(st.text("Ma.", min_size=1, max_size=30), st.data(), st.integers(1, 6))
def test_pages_of_any_size_give_the_same_answer(kinds: str, data: st.DataObject, size: int) -> None:
    begin = data.draw(st.integers(1, len(kinds)))
    end = data.draw(st.integers(begin, len(kinds)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resend, "PAGE_MESSAGES", size)
        assert resent(kinds, begin, end).split() == plainly(kinds, begin, end)


# Which messages are sent again


def answered(msg_type: str, gap_filled_types: frozenset[bytes] = NONE) -> str:
    """What stands in for message 1 of this type: itself, or a gap fill."""
    stored = {1: frame(f"35={msg_type}|34=1|49=A|52={THEN}|56=B|37=x")}
    return " ".join(pages(Resend(1, 1, gap_filled_types), stored))


@pytest.mark.parametrize("msg_type", ["0", "1", "2", "3", "4", "5", "A"])
def test_administrative_messages_are_not(msg_type: str) -> None:
    """FIX 4.4 would let Reject (3) be sent again; this venue, like QuickFIX, does not."""
    assert answered(msg_type) == "1>2"


@pytest.mark.parametrize("msg_type", ["8", "9", "D", "j", "AE", "A0", "00", "BE"])
def test_application_messages_are(msg_type: str) -> None:
    assert answered(msg_type) == "1"


def test_a_venue_may_leave_out_what_is_stale() -> None:
    """FIX 4.4 Volume 2: the sender may fill the gap in place of a message it will not repeat."""
    stale = frozenset([b"W", b"AE"])
    assert answered("W", stale) == "1>2"
    assert answered("AE", stale) == "1>2"
    assert answered("0", stale) == "1>2"
    assert answered("8", stale) == "1"
