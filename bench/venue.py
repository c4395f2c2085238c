"""A venue process to measure, and what the system says of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Self


class VenueUnderTest:
    """`seamark serve` on a free port, as a context manager."""

    def __init__(self, data: Path, *options: str) -> None:
        command = [sys.executable, "-m", "exchange", "serve", "--port", "0", "--data", str(data)]
        self._process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        banner = self._process.stdout.readline()
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

    def resident_bytes(self) -> int:
        """Memory of the process that is in RAM."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def cpu_seconds(self) -> float:
        """Processor time that the process has used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
