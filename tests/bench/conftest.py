"""What benchmarks need of the machine."""

from __future__ import annotations

import shutil

import pytest

from bench import pace


@pytest.fixture
def compiler() -> None:
    """A C compiler, for open loads; without one, who asks for it is left out."""
    if shutil.which(pace.compiler()[0]) is None:
        pytest.skip("an open load needs a C compiler")
