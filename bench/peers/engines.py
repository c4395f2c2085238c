"""How each peer is built, and started.

A peer is a program of this directory: a small exchange in its engine's own language. Its arguments
are dictionary, directory for stores, port and number of sessions; it prints "ready" once it
listens, and ends with its standard input.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.venue import Acceptor
from tests.interop.engine import EngineError, NotInstalledError, Project, require
from tests.interop.quickfixcpp import QuickFixCpp
from tests.interop.quickfixgo import QuickFixGo
from tests.interop.quickfixj import QuickFixJ

_HERE: Final = Path(__file__).parent
_CPP: Final = Project(
    _HERE / "quickfixcpp",
    sources=("*.cpp", "*.h"),
    command=(
        *("g++", "-std=c++17", "-O3", "-Wall", "-Wextra", "-o", "target/acceptor"),
        *("acceptor.cpp", "-lquickfix", "-pthread"),
    ),
)
_JAVA: Final = Project(
    _HERE / "quickfixj",
    sources=("pom.xml", "src/**/*.java"),
    command=("mvn", "-q", "-B", "compile"),
)
_GO: Final = Project(
    _HERE / "quickfixgo",
    sources=("*.go", "go.mod", "go.sum"),
    command=(
        *("go", "build", "-mod=readonly", "-buildvcs=false", "-trimpath"),
        *("-o", "target/acceptor", "."),
    ),
)


@dataclass(frozen=True, slots=True)
class Peer:
    """One engine."""

    name: str
    version: Callable[[], str]
    build: Callable[[], None]  # raises EngineError
    command: Callable[[], list[str]]

    def start(self, dictionary: Path, home: Path, sessions: int) -> Acceptor:
        """Have it listen, with its stores in a directory that is empty."""
        port = _free_port()
        arguments = [str(dictionary), str(home), str(port), str(sessions)]
        process = subprocess.Popen(
            [*self.command(), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=home,
            text=True,
        )
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            sys.exit(f"{self.name} did not start: {' '.join([*self.command(), *arguments])}")
        return Acceptor(process, "127.0.0.1", port)


def _build_cpp() -> None:
    require("g++")
    probe = ("g++", "-E", "-x", "c++", "-include", "quickfix/SocketAcceptor.h", "/dev/null")
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        raise NotInstalledError("needs Debian's libquickfix-dev, or what is in it")
    _CPP.build(QuickFixCpp().version())


def _build_java() -> None:
    require("java", "javac", "mvn")
    _JAVA.build()


def _build_go() -> None:
    require("go")
    _GO.build()


def _go_version() -> str:
    """An older one than our clients': later ones write in a busy loop, see docs/performance.md."""
    return _pinned(r"quickfixgo/quickfix v(\S+)", "quickfixgo/go.mod")


def _java_version() -> str:
    return _pinned(r"quickfixj-core</artifactId>\s*<version>(.+?)<", "quickfixj/pom.xml")


def _pinned(pattern: str, name: str) -> str:
    found = re.search(pattern, (_HERE / name).read_text())
    return found[1] if found else ""


def _java_command() -> list[str]:
    target = _JAVA.target
    class_path = os.pathsep.join((str(target / "classes"), str(target / "lib" / "*")))
    return ["java", "-cp", class_path, "seamark.bench.Main"]


PEERS: Final = {
    "quickfixcpp": Peer(
        QuickFixCpp.name,
        QuickFixCpp().version,
        _build_cpp,
        lambda: [str(_CPP.target / "acceptor")],
    ),
    "quickfixj": Peer(QuickFixJ.name, _java_version, _build_java, _java_command),
    "quickfixgo": Peer(
        QuickFixGo.name,
        _go_version,
        _build_go,
        lambda: [str(_GO.target / "acceptor")],
    ),
}


def built(names: list[str]) -> tuple[list[Peer], list[str]]:
    """Those that are ready to run, and a line on each that is not."""
    ready, missing = [], []
    for name in names:
        peer = PEERS[name]
        try:
            peer.build()
        except EngineError as error:
            missing.append(f"{peer.name} is left out: {error}")
        else:
            ready.append(peer)
    return ready, missing


def _free_port() -> int:
    """The engines cannot be told to find one themselves."""
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        port: int = plug.getsockname()[1]
        return port
