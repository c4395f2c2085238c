"""QuickFIX/J: a Java program, built with Maven."""

from __future__ import annotations

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.interop.engine import ROLES, Day, EngineError, require

_PROJECT: Final = Path(__file__).with_name("quickfixj")
_TARGET: Final = _PROJECT / "target"
_STAMP: Final = _TARGET / "built-from"
_MAIN: Final = "seamark.interop.Day"


class QuickFixJ:
    """The engine of most Java clients."""

    name = "QuickFIX/J"

    def build(self) -> None:
        """Compile, and copy the jars, when the sources are not those of the last time."""
        require("java", "mvn")
        sources = _digest()
        if _STAMP.is_file() and _STAMP.read_text() == sources:
            return
        print(f"Building the {self.name} client with Maven ...", flush=True)
        shutil.rmtree(_TARGET, ignore_errors=True)
        command = ["mvn", "-q", "-B", "compile"]
        done = subprocess.run(command, cwd=_PROJECT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EngineError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr).strip()}")
        _STAMP.write_text(sources)

    def command(self, day: Day) -> list[str]:
        """Java with the classes and the jars that Maven has left."""
        class_path = os.pathsep.join((str(_TARGET / "classes"), str(_TARGET / "lib" / "*")))
        ports = [str(day.ports[role]) for role in ROLES]
        where = [str(day.dictionary), str(day.directory)]
        return ["java", "-cp", class_path, _MAIN, *where, *ports]


def _digest() -> str:
    """What the program is made from, in short."""
    digest = sha256()
    for path in (_PROJECT / "pom.xml", *sorted((_PROJECT / "src").rglob("*.java"))):
        digest.update(f"{path.relative_to(_PROJECT)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
