"""Secrets in settings: references to files and environment variables, not the secrets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, SecretStr

_MAX_BYTES: Final = 16_384


def resolve(reference: object) -> SecretStr:
    """The secret that `file:PATH` or `env:NAME` refers to, without white space around it.

    Raises ValueError, which never shows a secret, not even one written where a reference belongs.
    """
    if isinstance(reference, SecretStr):
        return reference
    kind, _, place = str(reference).partition(":")
    if kind == "env" and place:
        if place not in os.environ:
            raise ValueError(f"environment variable {place} is not set")
        text = os.environ[place]
    elif kind == "file" and place:
        text = _read(Path(place))
    else:
        raise ValueError("must be file:PATH or env:NAME; secrets are not written into settings")
    if not text.strip():
        raise ValueError(f"{reference} is empty")
    return SecretStr(text.strip())


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8")
    except OSError as error:
        raise ValueError(f"file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"file {path} is not text") from error


Secret = Annotated[SecretStr, BeforeValidator(resolve)]
