"""What benchmarks need of the machine."""

from __future__ import annotations

import os
import shlex
import shutil

import pytest


@pytest.fixture
def compiler() -> None:
    """A C compiler, for open loads; without one, who asks for it is left out."""
    if shutil.which(shlex.split(os.environ.get("CC", "cc"))[0]) is None:
        pytest.skip("an open load needs a C compiler")
