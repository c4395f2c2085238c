"""Processes to measure, what the system says of them, and the load that they are measured with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self


class Acceptor:
    """A process that listens, as a context manager, and what the system says of it."""

    def __init__(self, process: subprocess.Popen[str], host: str, port: int) -> None:
        self._process = process
        self.pid = process.pid
        self.host, self.port = host, port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def kill(self) -> None:
        """End it without a chance to write a snapshot."""
        self._process.kill()
        self._process.wait()

    def ask_to_end(self) -> None:
        """In good order."""
        self._process.terminate()

    def end(self) -> float:
        """Have it end in good order; how many seconds that took."""
        started = time.perf_counter()
        self.ask_to_end()
        self._process.wait()
        return time.perf_counter() - started

    def resident_bytes(self) -> int:
        """Memory of the process that is in RAM."""
        return resident_bytes(self._process.pid)

    def most_resident_bytes(self) -> int:
        """The most that there ever was."""
        return resident_bytes(self._process.pid, "VmHWM")

    def disk_read_bytes(self) -> int:
        """What it has had read from the disk so far; pages of the cache do not count."""
        for line in Path(f"/proc/{self._process.pid}/io").read_text().splitlines():
            if line.startswith("read_bytes:"):
                return int(line.split()[1])
        return 0

    def cpu_seconds(self) -> float:
        """Processor time that the process has used so far."""
        return cpu_seconds(self.pid)


class VenueUnderTest(Acceptor):
    """`seamark serve` on a free port; `opened_s` is how long its start took.

    `program` is the module that has the command line.
    """

    def __init__(
        self,
        data: Path,
        *options: str,
        program: str = "exchange",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", program, "serve", "--port", "0", "--data", str(data)]
        started = time.perf_counter()
        process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        super().__init__(process, *_address(process, "see `seamark serve`"))
        self.opened_s = time.perf_counter() - started

    def recovery_s(self) -> float:
        """How long it has read snapshot and journal, by its own words; 0 when there was nothing."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"Recovered .* in ([\d.]+) s", line):
                return float(found[1])
            if line.startswith("Next:"):
                break
        return 0.0


class NullAcceptor(Acceptor):
    """`bench.null`, which answers everything and knows nothing."""

    def __init__(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.null"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        super().__init__(process, *_address(process, "python -m bench.null"))


def _address(process: subprocess.Popen[str], remedy: str) -> tuple[str, int]:
    """Where it listens, by the first line that it prints."""
    assert process.stdout is not None
    banner = process.stdout.readline()
    if "listens on" not in banner:
        sys.exit(f"the acceptor did not start: {banner or remedy}")
    host, port = banner.rsplit("listens on ", 1)[1].split(",")[0].rsplit(":", 1)
    return host, int(port)


def resident_bytes(pid: int, figure: str = "VmRSS") -> int:
    """Memory of a process that is in RAM; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(figure)), 0)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far, to a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(mode: str, acceptor: Acceptor, *arguments: object) -> dict[str, Any]:
    """What `bench.load` has found, in a process of its own."""
    words = (mode, acceptor.host, acceptor.port, *arguments, "--watch", acceptor.pid)
    command = [sys.executable, "-m", "bench.load", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the load generator failed: {done.stderr or done.stdout}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
