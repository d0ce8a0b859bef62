"""The lab's own processes on this machine: the Proxmox API and the hypervisor behind it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from lab.machine import LabError


def identity(pid: str) -> str:
    """Return a process's number and start, which no later process of that number shares, or nothing.

    The start is field 22 of /proc/PID/stat, in clock ticks since boot (proc_pid_stat(5)).
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else f"{pid} {fields[19]}"


@dataclass(frozen=True)
class Process:
    """A process in the background, known by the file that holds its number.

    Attributes:
        name: names its log and its process file.
        command: what runs.
        state: the lab's private directory.
        environment: variables beside the lab's own; secrets go here, where `ps` does not show them.
    """

    name: str
    command: list[str]
    state: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """The file that holds what the process prints."""
        return self.state / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.state / f"{self.name}.pid"

    def pid(self) -> int | None:
        """Return the process's number if it runs, and is the one that was started here."""
        try:
            recorded = self._pid_file.read_text()
        except FileNotFoundError:
            return None
        pid = recorded.partition(" ")[0]
        return int(pid) if recorded == identity(pid) else None

    def start(self) -> None:
        """Start the process unless it runs."""
        if self.pid() is not None:
            return
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(identity(str(process.pid)))

    def require(self) -> None:
        """Raise LabError with what the process said last if it has ended."""
        if self.pid() is None:
            said = "\n".join(self.log.read_text(errors="replace").strip().splitlines()[-5:])
            raise LabError(f"The lab's {self.name} ended at once. It said:\n{said}")

    def stop(self) -> None:
        """End the process, in order if it can, and forget it."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):  # it may end between the two lines
                os.kill(pid, number)
            deadline = time.monotonic() + 10
            while self.pid() is not None and time.monotonic() < deadline:
                time.sleep(0.1)
        self._pid_file.unlink(missing_ok=True)
