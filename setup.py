"""What is compiled: an install makes it where there is a compiler, and does without where not.

Everything else about the package is in pyproject.toml.
"""

from setuptools import Extension, setup

_CODEC = ("common", "module", "decode", "encode", "values", "form", "construct", "session")
_SESSIONS = ("module", "records", "sending")
_EXCHANGE = ("module", "reports", "requests", "orders", "answers")

setup(
    ext_modules=[
        Extension(
            "fix_engine._native",
            [f"fix_engine/native/{part}.c" for part in _CODEC],
            depends=["fix_engine/native/codec.h", "fix_engine/native/common.h"],
            extra_compile_args=["-O3"],
            optional=True,
        ),
        Extension(
            "sessions._native",
            ["fix_engine/native/common.c", *(f"sessions/native/{part}.c" for part in _SESSIONS)],
            depends=["sessions/native/sessions.h", "fix_engine/native/common.h"],
            extra_compile_args=["-O3"],
            optional=True,
        ),
        Extension(
            "exchange._native",
            ["fix_engine/native/common.c", *(f"exchange/native/{part}.c" for part in _EXCHANGE)],
            depends=["exchange/native/exchange.h", "fix_engine/native/common.h"],
            extra_compile_args=["-O3"],
            optional=True,
        ),
    ]
)
