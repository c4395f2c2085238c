"""A venue process to measure, and what the system says of it; the load that it is measured with."""

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


class VenueUnderTest:
    """`seamark serve` on a free port, as a context manager; `opened_s` is how long its start took.

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
        self._process = subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        assert self._process.stdout is not None
        banner = self._process.stdout.readline()
        self.opened_s = time.perf_counter() - started
        if "listens on" not in banner:
            sys.exit(f"the venue did not start: {banner or 'see `seamark serve`'}")
        address = banner.rsplit("listens on ", 1)[1].split(",")[0]
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def kill(self) -> None:
        """End it without a chance to write a snapshot."""
        self._process.kill()
        self._process.wait()

    def recovery_s(self) -> float:
        """How long it has read snapshot and journal, by its own words; 0 when there was nothing."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"Recovered .* in ([\d.]+) s", line):
                return float(found[1])
            if line.startswith("Next:"):
                break
        return 0.0

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
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int, figure: str = "VmRSS") -> int:
    """Memory of a process that is in RAM; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(figure)), 0)


def load(*arguments: object) -> dict[str, Any]:
    """What `bench.load` has found, in a process of its own."""
    command = [sys.executable, "-m", "bench.load", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the load generator failed: {done.stderr or done.stdout}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
