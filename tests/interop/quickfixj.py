"""QuickFIX/J: a Java program, built with Maven."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from tests.interop.engine import Part, Project, require

_PROJECT: Final = Project(
    Path(__file__).with_name("quickfixj"),
    sources=("pom.xml", "src/**/*.java"),
    command=("mvn", "-q", "-B", "compile"),
)
_MAIN: Final = "seamark.interop.Main"
_VERSION = re.compile(r"<artifactId>quickfixj-core</artifactId>\s*<version>(.+?)<")


class QuickFixJ:
    """The engine of most Java clients."""

    name = "QuickFIX/J"
    initials = "QFJ"
    checks_order = True
    checks_names = True

    def version(self) -> str:
        """The one that Maven is told to get."""
        found = _VERSION.search((_PROJECT.directory / "pom.xml").read_text())
        return found[1] if found else ""

    def build(self) -> None:
        """Compile, and copy the jars."""
        require("java", "mvn")
        _PROJECT.build()

    def command(self, part: Part) -> list[str]:
        """Java with the classes and the jars that Maven has left."""
        target = _PROJECT.target
        class_path = os.pathsep.join((str(target / "classes"), str(target / "lib" / "*")))
        return ["java", "-cp", class_path, _MAIN, *part.arguments()]
