"""The venue under fire: a real process, its memory and its log."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Final

from tests.support.tcp import VenueProcess

_RECOVERY_TIMEOUT_S: Final = 240.0
_EXIT_TIMEOUT_S: Final = 20.0
_BAD_WORDS: Final = (b"Traceback", b"session machine failed", b'"critical"', b"slow reader cut off")
#: What would grow for good reasons is bounded here, so that what grows all the same is a leak.
_SETTINGS: Final = """
[session]
max_sessions = 64
[venue]
cancel_on_disconnect = true
remembered_orders = 1000
"""


class FuzzError(AssertionError):
    """The venue failed; says how."""


class FuzzedVenue:
    """`seamark serve` with its data in `directory`; can be killed and started again."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "data"
        self._log = directory / "venue.log"
        self._settings = directory / "settings.toml"
        self._settings.write_text(_SETTINGS)
        self._tail = b""
        self.log_bytes = 0
        self._start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._running.port

    @property
    def journal_bytes(self) -> int:
        """What the journal weighs."""
        return sum(path.stat().st_size for path in self._data.iterdir())

    def _start(self) -> None:
        # Nobody reads the pipe that VenueProcess makes for the log, and a full one would stop the
        # venue; so it logs to a file.
        program = (
            "import os\nflags = os.O_WRONLY | os.O_APPEND | os.O_CREAT\n"
            f"os.dup2(os.open({str(self._log)!r}, flags, 0o600), 2)\n"
            "from exchange.__main__ import main\nmain()"
        )
        made: list[VenueProcess] = []
        failed: list[BaseException] = []

        def start() -> None:
            try:
                options = ("--config", str(self._settings))
                made.append(VenueProcess(self._data, *options, program=program))
            except BaseException as error:
                failed.append(error)

        starter = threading.Thread(target=start, daemon=True)
        starter.start()
        starter.join(_RECOVERY_TIMEOUT_S)
        if not made:
            last_words = self._log.read_text(errors="replace")[-4_000:]
            why = failed or "it is still trying"
            raise FuzzError(f"the venue does not start: {why}\n{last_words}")
        self._running = made[0]

    def rss_bytes(self) -> int:
        """The resident set of the process; 0 where there is no /proc to ask."""
        try:
            pages = Path(f"/proc/{self._running.process.pid}/statm").read_text().split()[1]
        except OSError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def check_alive(self) -> None:
        """Raises FuzzError when the process has ended."""
        code = self._running.process.poll()
        if code is not None:
            self.check_log()
            raise FuzzError(f"the venue has ended with exit code {code}")

    def check_log(self) -> None:
        """Raises FuzzError when the log tells of a fault; what has been read is thrown away."""
        if not self._log.exists():
            return
        with self._log.open("r+b") as file:
            found = file.read()
            file.truncate(0)
        self.log_bytes += len(found)
        text = self._tail + found
        for word in _BAD_WORDS:
            place = text.find(word)
            if place >= 0:
                shown = text[max(0, place - 500) : place + 4_000].decode("latin-1")
                raise FuzzError(f"the log has {word.decode()!r}:\n{shown}")
        self._tail = text[-32:]  # a word may be cut in two

    def kill_and_recover(self) -> None:
        """Kill -9, then start again on the same journal."""
        self._running.finish(signal.SIGKILL)
        self.check_log()
        self._start()

    def stop(self) -> None:
        """End it as an operator would; raises FuzzError when it does not end well."""
        process = self._running.process
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_EXIT_TIMEOUT_S)
        self.check_log()
        if process.returncode:
            raise FuzzError(f"SIGTERM ended the venue with exit code {process.returncode}")

    def destroy(self) -> None:
        """Make sure that nothing is left running."""
        if hasattr(self, "_running") and self._running.process.poll() is None:
            self._running.finish(signal.SIGKILL)
