"""QuickFIX/Go: a Go program; its module is pinned in go.mod and go.sum."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.interop.engine import Part, Project, require

_PROJECT: Final = Project(
    Path(__file__).with_name("quickfixgo"),
    sources=("*.go", "go.mod", "go.sum"),
    command=(
        *("go", "build", "-mod=readonly", "-buildvcs=false", "-trimpath"),
        *("-o", "target/client", "."),
    ),
)
_VERSION = re.compile(r"quickfixgo/quickfix v(\S+)")


class QuickFixGo:
    """The engine of most Go clients."""

    name = "QuickFIX/Go"
    initials = "QFG"
    checks_order = True
    checks_names = True

    def version(self) -> str:
        """The one that is pinned."""
        found = _VERSION.search((_PROJECT.directory / "go.mod").read_text())
        return found[1] if found else ""

    def build(self) -> None:
        """Compile; the first time Go gets the module."""
        require("go")
        _PROJECT.build()

    def command(self, part: Part) -> list[str]:
        """The one file that was built."""
        return [str(_PROJECT.target / "client"), *part.arguments()]
