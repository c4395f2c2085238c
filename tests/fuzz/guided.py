"""The coverage-guided fuzzer: `python -m tests.fuzz.guided [--seconds 60] [options of libFuzzer]`.

Needs atheris, which nothing else does. Its corpus is kept in `.fuzz-corpus`, so that the next run
begins where this one ended. An input that fails is left in a file `fuzz-guided-*`; that file as an
option runs it again.
"""

from __future__ import annotations

import gc
import sys
from hashlib import sha1
from pathlib import Path
from typing import Final

import atheris

with atheris.instrument_imports(include=["fix_engine"]):
    from tests.fuzz.corpus import as_fuzzer_dictionary
    from tests.fuzz.target import run_input, seeds

_CORPUS: Final = Path(".fuzz-corpus")
_ARTIFACTS: Final = "-artifact_prefix=fuzz-guided-"
_MAX_BYTES: Final = 4_096
_COLLECT_EVERY: Final = 5_000
_inputs = 0


def run_one(data: bytes) -> None:
    """One input of libFuzzer's."""
    global _inputs
    _inputs += 1
    if _inputs % _COLLECT_EVERY == 0:
        gc.collect()
    run_input(data)


def main(arguments: list[str]) -> None:
    """Fuzz until the time is up or something breaks; libFuzzer ends the process."""
    seconds, options = 60, list(arguments)
    if options[:1] == ["--seconds"]:
        seconds, options = int(options[1]), options[2:]
    _CORPUS.mkdir(exist_ok=True)
    for seed in seeds():
        (_CORPUS / f"seed-{sha1(seed).hexdigest()[:16]}").write_bytes(seed)
    words = _CORPUS.with_suffix(".dict")
    words.write_text(as_fuzzer_dictionary())
    gc.disable()
    defaults = [f"-dict={words}", f"-max_total_time={seconds}", f"-max_len={_MAX_BYTES}"]
    atheris.Setup(
        [sys.argv[0], str(_CORPUS), *defaults, "-timeout=5", _ARTIFACTS, *options], run_one
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
