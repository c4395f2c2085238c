"""The wire codec that runs: the compiled one, or `plain.py`, which is the reference.

Import it from here; which one it is, `codec.py` decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fix_engine import codec
from fix_engine.plain import MAX_FIELDS, MAX_MESSAGE_BYTES, Garbled, Shapes

if TYPE_CHECKING or not codec.IS_COMPILED:
    from fix_engine.plain import (
        Decoder,
        checksum,
        encode,
        encode_numbered,
        encode_numbered_shared,
        encode_shared,
        form,
    )
else:
    from fix_engine.compiled import (
        Decoder,
        checksum,
        encode,
        encode_numbered,
        encode_numbered_shared,
        encode_shared,
        form,
    )

__all__ = [
    "MAX_FIELDS",
    "MAX_MESSAGE_BYTES",
    "Decoder",
    "Garbled",
    "Shapes",
    "checksum",
    "encode",
    "encode_numbered",
    "encode_numbered_shared",
    "encode_shared",
    "form",
]
