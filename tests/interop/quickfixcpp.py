"""QuickFIX, the original in C++: as Debian packages it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from tests.interop.engine import NotInstalledError, Part, Project, require

_PACKAGE: Final = "libquickfix-dev"
_HEADERS: Final = ("-include", "quickfix/SSLSocketInitiator.h", "-include", "openssl/ssl.h")
_PROJECT: Final = Project(
    Path(__file__).with_name("quickfixcpp"),
    sources=("*.cpp", "*.h"),
    command=(
        *("g++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-o", "target/client"),
        *("client.cpp", "sign.cpp", "-lquickfix", "-lssl", "-lcrypto", "-pthread"),
    ),
)


class QuickFixCpp:
    """The engine that the others of this name descend from."""

    name = "QuickFIX C++"
    initials = "QFC"
    checks_order = False
    checks_names = False

    def version(self) -> str:
        """That of the package, without Debian's part: the headers and the library do not say."""
        return _package_version().partition("+")[0]

    def build(self) -> None:
        """Compile against the installed library."""
        require("g++")
        probe = ("g++", "-E", "-x", "c++", *_HEADERS, "/dev/null")
        if subprocess.run(probe, capture_output=True, check=False).returncode:
            raise NotInstalledError(f"needs Debian's {_PACKAGE} and libssl-dev, or what is in them")
        _PROJECT.build(_package_version())

    def command(self, part: Part) -> list[str]:
        """The one file that was built."""
        return [str(_PROJECT.target / "client"), *part.arguments()]


def _package_version() -> str:
    """Empty when the library did not come as a package."""
    query = ("dpkg-query", "--show", "--showformat=${Version}", _PACKAGE)
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""
