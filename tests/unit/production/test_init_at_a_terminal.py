"""production-init at a terminal: it asks, asks again and shows no secret."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys

import pytest
import yaml

from .conftest import ANSWERS, ROOT

pytestmark = pytest.mark.slow

ANSWER_S = 60  # how long a program may take to print what is expected of it


class Terminal:
    """production-init at a pseudo-terminal: answers are typed when their question stands there."""

    def __init__(self, production):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "production.init", "--inventory", str(production.inventory)]
        command.append("--no-validate")
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=production.environment,
            start_new_session=True,
        )
        os.close(theirs)
        self.end = ours
        self.shown = ""
        self.seen = 0

    def expect(self, text):
        """Read until the text stands there, after what was expected before."""
        while text not in self.shown[self.seen :]:
            readable, _, _ = select.select([self.end], [], [], ANSWER_S)
            assert readable, f"{text!r} does not come: {self.shown[self.seen :]}"
            try:
                data = os.read(self.end, 4096)
            except OSError:
                data = b""
            assert data, f"ended without {text!r}: {self.shown[self.seen :]}"
            self.shown += data.decode()
        self.seen = self.shown.index(text, self.seen) + len(text)

    def type(self, text):
        os.write(self.end, f"{text}\n".encode())

    def close(self):
        while True:
            try:
                data = os.read(self.end, 4096)
            except OSError:
                break
            if not data:
                break
            self.shown += data.decode()
        os.close(self.end)
        return self.process.wait(timeout=60)


@pytest.fixture
def terminal(production):
    """Start production-init at a pseudo-terminal."""
    started = Terminal(production)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def answer_all(terminal):
    """Answer every question, the first address wrongly at first."""
    for text, answer in (
        ("user name", ""),
        ("public SSH key", ANSWERS["administrator_key"]),
        ("Where backups go", ""),
        ("the QM server (Windows)", "somewhere"),
        ("is no IPv4 address", None),
        ("the QM server (Windows)", ""),
        ("the AI server", ""),
        ("the proxy", ""),
        ("Address of the backup server", "127.1.70.10"),
        ("the Proxmox host", ""),
        ("The Mac", "none"),
        ("administer from", "127.1.99.7"),
        ("use HAL from", "127.1.60.0/24"),
        ("need no token", ""),
        ("time zone", "Europe/Berlin"),
        ("Proxmox node", ""),
        *(
            (text, answer)
            for number in ("103", "120", "100", "110")
            for text, answer in (("Number", number), ("name", ""))
        ),
        ("Secret of the token", "typed-token-secret"),
        ("administrator of the QM server", ""),
        ("account's password", "typed-password"),
        ("GPU", "none"),
        ("8768", ""),
        ("Write this?", None),
    ):
        terminal.expect(text)
        if answer is not None:
            terminal.type(answer)


def test_a_person_at_a_terminal_is_asked_again_and_sees_no_secret(production, terminal):
    answer_all(terminal)
    terminal.type("y")
    assert terminal.close() == 0, terminal.shown
    assert "typed-token-secret" not in terminal.shown and "typed-password" not in terminal.shown
    assert production.opened().read()["network_windows_password"] == "typed-password"
    hosts = yaml.safe_load((production.inventory / "hosts.yml").read_text())["all"]["children"][
        "managed_hosts"
    ]["children"]
    assert not hosts["clients"]["hosts"]
    assert hosts["backup_servers"]["hosts"]["nas"]["address"] == "127.1.70.10"


@pytest.mark.parametrize("end", ["n", "\x03"])
def test_a_person_may_still_say_no(production, terminal, end):
    before = production.files()
    answer_all(terminal)
    terminal.type(end)
    assert terminal.close() == 1, terminal.shown
    assert "Nothing was written." in terminal.shown
    assert production.files() == before
