"""Programs that a measurement starts, and what they use; all of them end with it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

PROJECT = Path(__file__).resolve().parent.parent
LIFETIME_S = 600
_LISTENING = re.compile(r"listening on \S+:(\d+)\n")
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Program:
    """A Python program with the project's sources, on loopback, for one `with`; it listens on `port`."""

    def __init__(self, code: str, **environment: object) -> None:
        """Start it; it logs "listening on HOST:PORT" to standard error. It never outlives LIFETIME_S."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HAL_")}
        own = {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'src'}"} | {k: str(v) for k, v in environment.items()}
        with tempfile.TemporaryFile("w+") as log:  # a pipe that nobody reads would hold it up
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"import signal; signal.alarm({LIFETIME_S}); {code}"],
                env=inherited | own,
                stderr=log,
            )
            while not (said := _LISTENING.search(Path(f"/proc/self/fd/{log.fileno()}").read_text())):
                if self._process.poll() is not None:
                    raise RuntimeError(f"a program ended before it listened: {code}")
                time.sleep(0.05)
            self.port = int(said[1])

    @property
    def processor_s(self) -> float:
        """Processor time used so far, in seconds."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S

    @property
    def memory_kib(self) -> int:
        """Memory that is its own, in KiB."""
        return private_kib(self._process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def private_kib(process: int) -> int:
    """Return the memory that is a process's own, in KiB."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))


def client(module: str, *arguments: object) -> subprocess.Popen[str]:
    """Start one of this folder's clients as a process of its own, and wait until it says "ready".

    Raises:
        RuntimeError: it could not connect.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise RuntimeError(f"{module} could not connect")
    return process


def result(process: subprocess.Popen[str]) -> Any:
    """Wait for a client and return the JSON that it prints."""
    output, _ = process.communicate(timeout=LIFETIME_S)
    return json.loads(output)
