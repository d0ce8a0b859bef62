"""What the virtual machine's apt gets through the controller: what its own mirrors have, and nothing else."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.vm import mirror

SOURCES = (
    "Types: deb\nURIs: https://mirror.example/debian/\n\nTypes: deb\nURIs: http://mirror.example/security\n"
)


@pytest.mark.parametrize(
    ("asked", "fetched"),
    [
        ("http://mirror.example/debian/pool/a.deb", "https://mirror.example/debian/pool/a.deb"),
        ("http://mirror.example/security/InRelease", "http://mirror.example/security/InRelease"),
    ],
)
def test_what_a_mirror_has_is_fetched_the_way_the_controller_does(asked: str, fetched: str) -> None:
    assert mirror.mirrored(asked, SOURCES) == fetched


@pytest.mark.parametrize(
    "asked",
    [
        "http://elsewhere.example/debian/pool/a.deb",
        "http://mirror.example/private",
        "http://mirror.example/debian-private/a",
        "http://mirror.example/debian/../private",
        "/debian/pool/a.deb",
    ],
)
def test_nothing_else_is_fetched(asked: str) -> None:
    assert mirror.mirrored(asked, SOURCES) is None


def test_a_machine_that_asks_for_anything_else_is_refused(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.write_text(SOURCES)
    here, machine = socket.socketpair()
    with here, machine:
        program = subprocess.Popen([sys.executable, mirror.__file__, sources], stdin=machine)
        machine.close()
        here.sendall(b"GET http://elsewhere.example/ HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert here.makefile().readline() == "HTTP/1.1 403 Not a mirror of the controller\n"
        assert program.wait(timeout=30) == 0
