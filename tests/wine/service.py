"""The gateway as a Windows service, a listener behind it, and the checks."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.wine.machine import PYTHON, Machine, windows_path

WAIT_S = 60
NAME = "HalGateway"
HOME = Path("ProgramData/HAL")
ANSWER = {"response_text": "You take metformin.", "intent": "MEDICATION", "status": "success"}


def until(true: Callable[[], Any], what: str) -> None:
    """Wait for what nothing announces. Raises AssertionError that says what did not come."""
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come within {WAIT_S} s"
        time.sleep(0.1)


class Listener(socketserver.ThreadingTCPServer):
    """Answers every question once `release` is set, and sets `asked` when one comes."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked, self.release = threading.Event(), threading.Event()
        self.release.set()
        super().__init__(("127.0.0.1", 0), Exchange)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Exchange(socketserver.StreamRequestHandler):
    """One exchange: a JSON object each way."""

    server: Listener

    def handle(self) -> None:
        """Read a question and answer it."""
        if self.rfile.readline():
            self.server.asked.set()
            self.server.release.wait(WAIT_S)
            self.wfile.write(json.dumps(ANSWER).encode() + b"\n")


class Service:
    """The service, run by Shawl on a port of its own."""

    def __init__(self, machine: Machine, listener_port: int, environment: dict[str, str]) -> None:
        self.machine, self.port = machine, free_port()
        logs = HOME / f"logs/{self.port}"
        self._logs = machine.drive / logs
        self._logs.mkdir(parents=True)
        settings = {"HOST": "127.0.0.1", "PORT": self.port, "LISTENER_PORT": listener_port}
        variables = environment | {f"HAL_GATEWAY_{name}": str(value) for name, value in settings.items()}
        program = windows_path(PYTHON / "Scripts/hal-gateway.exe")
        self._command = [
            *(
                windows_path(HOME / "shawl.exe"),
                "run",
                "--name",
                NAME,
                "--restart",
                "--stop-timeout",
                "15000",
            ),
            *("--log-dir", windows_path(logs)),
            *(word for name, value in variables.items() for word in ("--env", f"{name}={value}")),
            *("--", f'"{program}"'),
        ]

    def install(self) -> None:
        """Create the service and start it."""
        path = " ".join(self._command)
        assert self.machine.run("sc", "create", NAME, "binPath=", path, "start=", "demand").returncode == 0
        started = self.machine.run("net", "start", NAME)
        assert started.returncode == 0, started.stdout.decode()
        until(lambda: self.log.count("listening on") == 1, "the gateway")

    def stop(self) -> None:
        """Stop the service, and wait until it says that it has."""
        self.machine.run("net", "stop", NAME)
        until(lambda: b"STOPPED" in self.machine.run("sc", "query", NAME).stdout, "the end of the service")

    def remove(self) -> None:
        """Remove the service, running or not."""
        self.stop()
        self.machine.run("sc", "delete", NAME)

    @property
    def log(self) -> str:
        """What Shawl and the gateway have logged."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._logs.glob("*.log")))

    def check(self) -> dict[str, Any]:
        """Ask a question with the packed checks, in Windows' own Python; return the result."""
        target = {
            "name": "gateway",
            "kind": "gateway",
            "host": "qm1",
            "address": "127.0.0.1",
            "port": self.port,
        }
        question = {
            "question": "What medications am I taking?",
            "expect_words": ["metformin"],
            "windows": True,
        }
        order = json.dumps({"origin": "qm1", "checks": [target | question]}).encode()
        program = windows_path(HOME / "hal_checks.pyz")
        done = self.machine.run(windows_path(PYTHON / "python.exe"), "-I", program, order=order)
        assert done.returncode == 0, done.stdout.decode()
        (result,) = json.loads(done.stdout)["results"]
        return dict(result)
