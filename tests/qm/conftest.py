"""A throw-away account of the QM on this machine, with a listener on loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
DAY = "2026-03-11"

_spec = importlib.util.spec_from_file_location("qm_install", ROOT / "qm" / "install.py")
assert _spec is not None and _spec.loader is not None
install = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(install)


class Listener:
    """Where a listener is, and how to speak with it."""

    def __init__(self, account: Any, program: str, port: int) -> None:
        self.account = account
        self.program = program
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, *pieces: bytes, end: bool = False) -> bytes:
        """Send pieces, read until the listener closes; `end` closes our side first."""
        with self.connect() as connection:
            for piece in pieces:
                connection.sendall(piece)
            if end:
                connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def ask(self, question: str, **fields: Any) -> dict[str, Any]:
        request = {"transcription": question, "timestamp": f"{DAY}T09:00:00"} | fields
        reply: dict[str, Any] = json.loads(self.send(json.dumps(request).encode() + b"\n"))
        return reply

    def start(self) -> str:
        started: str = self.account.program(f"HAL.START {self.program} 127.0.0.1 {self.port}")
        return started


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An account with the programs and the sample household; QM itself must run."""
    directory = tmp_path_factory.mktemp("account")
    name = f"HAL{os.getpid()}"
    system = install.Account("QMSYS", directory, install.find_qm())
    system.run(f"CREATE.ACCOUNT {name} {directory} NO.QUERY")
    account = install.Account(name, directory, install.find_qm())
    assert account.install() == "installed"
    assert account.program(f"HAL.SAMPLE {DAY}") == "loaded"
    yield account
    account.run("RUN HAL.BP HAL.STOP NO.PAGE")
    system.run(f"DELETE ACCOUNTS {name}")
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def listener(account: Any) -> Iterator[Listener]:
    """The voice listener."""
    serving = Listener(account, "VOICE.LISTENER", free_port())
    assert serving.start() == "started"
    yield serving
    assert account.program("HAL.STOP") == "stopped"
