"""Which codec runs: the compiled one where it was built, else the one in plain Python.

Both do the same, byte for byte. `SEAMARK_CODEC` in the environment chooses: `auto`, `compiled` (an
error when it is not there) or `python`. It is looked at once, when this is imported, which is why
this module alone of the package may know of an environment.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Final

VARIABLE: Final = "SEAMARK_CODEC"
_REVISION: Final = 3  # of fix_engine/native/codec.h; an older build is not used
_CHOICES: Final = ("auto", "compiled", "python")


def _choose(wanted: str) -> tuple[bool, str]:
    """Whether the compiled codec runs, and why not; raises ImportError when that cannot be had."""
    if wanted not in _CHOICES:
        raise ImportError(f"{VARIABLE}={wanted}: it is one of {', '.join(_CHOICES)}")
    if wanted == "python":
        return False, f"as {VARIABLE} says"
    why = _fault()
    if why and wanted == "compiled":
        raise ImportError(f"{VARIABLE}={wanted}, but {why}; `make install` builds it")
    return not why, why


def _fault() -> str:
    """Why the compiled codec cannot be used; empty when it can."""
    try:
        from fix_engine import _native
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) or "cannot import name" in str(error):
            return "the compiled one was not built"
        return f"the compiled one does not load: {error}"
    except (AttributeError, TypeError):  # what it looks for in our classes is not there
        return "the compiled one was built from other sources"
    if _native.REVISION != _REVISION:
        return "the compiled one was built from other sources"
    return ""


def is_built() -> bool:
    """Whether there is a compiled codec that could run."""
    return not _fault()


IS_COMPILED, WHY_NOT = _choose(os.environ.get(VARIABLE, "auto"))
_left_out: list[str] = []  # packages without what they need in C


def native(package: str, revision: int) -> Any:
    """What a package has in C beside the codec; None where it does without.

    That is where the codec runs in plain Python, or where this was not built, or from sources of
    another revision.
    """
    if not IS_COMPILED:
        return None
    try:
        found = import_module(f"{package}._native")
    except ImportError:
        found = None
    if found is None or revision != found.REVISION:
        if package not in _left_out:
            _left_out.append(package)
        return None
    return found


def described() -> str:
    """The codec that runs, for people: `compiled`, or `plain Python (why)`."""
    if not IS_COMPILED:
        return f"plain Python ({WHY_NOT})"
    return f"compiled, but nothing of {' and '.join(_left_out)}" if _left_out else "compiled"
