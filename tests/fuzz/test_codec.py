"""The compiled codec does what the reference does, and is there where it can be built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fix_engine import codec, plain, wire
from fix_engine.message import Message
from fix_engine.outbound import Outbound, SharedFields
from fix_engine.timestamps import Precision
from tests.fuzz.codec import (
    EPISODE_INPUTS,
    DifferentError,
    Duel,
    Totals,
    compare_values,
    compiled_codec,
    outcome,
)

EPISODES = 7  # 10,500 inputs; `python -m tests.fuzz codec --inputs 1000000` for more
ORDER = plain.encode(b"35=D\x0134=7\x0149=A\x0156=B\x0152=20240229-12:00:00\x0111=x=y\x0138=5\x01")


def described(choice: str) -> str:
    """What a process says of its codec, or the last line of its complaint."""
    done = subprocess.run(
        [sys.executable, "-c", "from fix_engine import codec; print(codec.described())"],
        env={**os.environ, codec.VARIABLE: choice},
        capture_output=True,
        text=True,
    )
    return (done.stdout or done.stderr).splitlines()[-1]


def many(action: Callable[[], None]) -> None:
    for _ in range(100):
        action()


@pytest.mark.parametrize("seed", range(1, EPISODES + 1))
def test_both_codecs_do_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_OFTEN", (0, 3, 32)[seed % 3])  # until a shape gets its pattern
    totals = Totals()
    duel = Duel(Random(seed), totals)
    for _ in range(EPISODE_INPUTS):
        duel.step()
    assert totals.inputs == EPISODE_INPUTS
    assert totals.messages > EPISODE_INPUTS / 2
    assert totals.garbled > 100
    assert totals.rejected > 100
    assert totals.usual > 100


def test_a_value_that_is_written_differently_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_codec(), "checksum", lambda data: len(data) & 0xFF)
    rng = Random(1)
    with pytest.raises(DifferentError):
        many(lambda: compare_values(rng))


@pytest.mark.parametrize("name", ["seq", "values", "raw", "begin_string"])
def test_a_message_that_is_read_differently_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(plain.Decoder):
        def feed(self, *arguments: Any) -> list[Message | plain.Garbled]:
            found = super().feed(*arguments)
            for item in found:
                if isinstance(item, Message):
                    setattr(item, name, None)
            return found

    monkeypatch.setattr(compiled_codec(), "Decoder", Wrong)
    duel = Duel(Random(1), Totals())
    with pytest.raises(DifferentError):
        many(duel.step)


def test_it_is_built_where_there_is_a_compiler() -> None:
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    has_headers = Path(sysconfig.get_paths()["include"], "Python.h").exists()
    assert codec.is_built() or shutil.which(compiler) is None or not has_headers


def test_the_environment_chooses() -> None:
    assert described("python") == "plain Python (as SEAMARK_CODEC says)"
    assert described("quick").endswith("SEAMARK_CODEC=quick: it is one of auto, compiled, python")
    if codec.is_built():
        assert described("compiled") == described("auto") == "compiled"
    else:
        assert described("auto") == "plain Python (the compiled one was not built)"
        assert "the compiled one was not built; `make install` builds it" in described("compiled")


def test_a_build_of_other_sources_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_REVISION", 0)
    assert not codec.is_built()


def test_a_build_that_does_not_find_what_it_looks_for_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "change.py").write_text(
        "from fix_engine import message\n"
        "del message.Shape.seq_place\n"
        "from fix_engine import codec\n"
        "print(codec.described())\n"
    )
    words = [sys.executable, str(tmp_path / "change.py")]
    environment = {**os.environ, "PYTHONPATH": str(Path(codec.__file__).parents[1])}
    environment.pop(codec.VARIABLE, None)
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    why = "was built from other sources" if codec.is_built() else "was not built"
    assert done.stdout.strip() == f"plain Python (the compiled one {why})", done.stderr


def test_what_runs_is_what_was_chosen() -> None:
    is_compiled = codec.IS_COMPILED
    assert (wire.Decoder is plain.Decoder) is not is_compiled
    assert (wire.encode is plain.encode) is not is_compiled
    assert codec.described() == ("compiled" if is_compiled else f"plain Python ({codec.WHY_NOT})")


def test_a_message_of_ours_may_have_a_number_of_any_size() -> None:
    outbound = Outbound(b"US", b"PEER", Precision.MILLISECONDS)
    outbound.next_seq = 10**30
    assert b"\x0134=%d\x01" % 10**30 in outbound.number(b"0", b"", 0)[1]
    assert b"\x0134=%d\x01" % (10**30 + 1) in outbound.number(b"0", b"58=x\x01", 0)[1]
    shared = SharedFields.of(b"58=x\x01")
    _, raw = outbound.number_shared(b"0", b"1=y\x01", shared, 0)
    assert raw == plain.encode(raw[raw.index(b"35=") : -7])


def test_memory_is_given_back() -> None:
    other = compiled_codec()
    decoder, form = other.Decoder(), other.form(b"%d=%b\x01")
    stream = ORDER * 3 + b"junk" + ORDER[:-2] + b"9\x01" + ORDER[:-9] + ORDER

    def use() -> None:
        for _ in range(300):
            decoder.feed(stream)
            other.encode_numbered(b"D", 10**20, b"", b"", b"", b"", ORDER)
            other.encode_numbered(b"D", 10**10, b"", b"", b"", b"", ORDER)
            form((10**10, ORDER))
            outcome(form, (5, None))
            outcome(form, (5,))
            outcome(other.encode, None)
            other.parse_timestamp(b"20240229-12:00:00.123")
            other.parse_timestamp(b"99990229-12:00:00.123")
            other.parse_timestamp(b"99990228-12:00:00.123")

    use()
    before = sys.getallocatedblocks()
    use()
    assert sys.getallocatedblocks() - before < 150


def test_wrong_arguments_are_errors_and_no_more() -> None:
    if not codec.is_built():
        return
    from fix_engine import _native

    take: Any = _native.take
    are_sound: Any = _native.are_sound
    wrong: list[tuple[Any, ...]] = [(), (ORDER, 0, 1, 1, 1, {}, ()), (ORDER, "0", 1, 1, 1, {}, [])]
    for arguments in wrong:
        assert outcome(take, *arguments) is TypeError
    assert take(ORDER, -1, 9, 9_999, 9_999, {}, []) == -1
    assert take(ORDER, 10**30, 9, 9_999, 9_999, {}, []) == sys.maxsize
    assert take(bytearray(ORDER), 0, 9, 9_999, 9_999, {}, []) == 0
    key = b"D\x0134\x0149\x0156\x0152\x0111\x0138"
    assert take(ORDER, 0, 9, 9_999, 9_999, {key: "no shape"}, []) == 0
    for rows in ([5], [(9, bool)], [(-1, bool)], [(10**30, bool)], [("0", bool)], [(0,)]):
        assert are_sound([b"x"], rows, [], []) is False
    assert are_sound([b"x"], [], [(0, {b"x"}, False)], []) is False
    assert are_sound([b"1"], [], [], [(0, 10**30)]) is False
    assert are_sound([1], [], [], []) is False
    assert are_sound([b"1"], [(0, bool)], [(0, frozenset((b"1",)), False)], [(0, 1)]) is True
    assert outcome(are_sound, [b"1"], [(0, divided_by_zero)], [], []) is ZeroDivisionError
    assert outcome(are_sound, (), [], [], []) is TypeError
    assert outcome(_native.is_int, 5) is TypeError
    for pattern in (b"%s", b"%", b"%b" * 65, "text", b"%5d"):
        assert outcome(_native.Form, pattern) in (ValueError, TypeError)


def divided_by_zero(value: bytes) -> object:
    raise ZeroDivisionError(value)


def test_what_is_missing_beside_the_codec_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_left_out", [])
    monkeypatch.setattr(codec, "IS_COMPILED", True)
    assert codec.described() == "compiled"
    assert codec.native("nowhere", 1) is None
    assert codec.native("nowhere", 1) is None
    assert codec.described() == "compiled, but nothing of nowhere"
    if codec.is_built():
        assert codec.native("fix_engine", 10**6) is None, "of other sources"
        assert codec.described() == "compiled, but nothing of nowhere and fix_engine"
    monkeypatch.setattr(codec, "IS_COMPILED", False)
    assert codec.native("exchange", 1) is None
