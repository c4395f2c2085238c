"""Records, classes that keep what they are made of, made in C where the codec is compiled.

An order leads to ten of them. Python makes each by a call of `__init__`, which costs several times
what it does.
"""

from __future__ import annotations

from dataclasses import MISSING, fields

from fix_engine import codec


def hasten(*classes: type) -> None:
    """Have these dataclasses made in C; to the eye nothing changes.

    Each has slots, no `__post_init__`, and no default that is made anew. Raises TypeError for
    others.
    """
    for cls in classes:
        wanted = fields(cls)
        names = tuple(one.name for one in wanted)
        defaults = tuple(one.default for one in wanted if one.default is not MISSING)
        is_plain = all(one.init and one.default_factory is MISSING for one in wanted)
        if not is_plain or hasattr(cls, "__post_init__") or "__slots__" not in vars(cls):
            raise TypeError(f"{cls.__name__} is more than a record")
        if codec.IS_COMPILED:
            from fix_engine._native import make_in_c

            make_in_c(cls, names, defaults)
