"""A fake Proxmox API for the tests of whatever speaks to one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class Fake:
    """The steering of the fake: `fake.fail(...)` calls `fail` there."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            assert self.process.stdin is not None and self.process.stdout is not None
            self.process.stdin.write(json.dumps([name, arguments, keywords]) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
            assert answer, "the fake Proxmox API has ended"
            return json.loads(answer)

        return call


@pytest.fixture(scope="session")
def proxmox_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pve")
    certificate, key = folder / "pve.crt", folder / "pve.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=pve"
    command += " -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
    command += f" -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="session")
def proxmox(proxmox_certificate: tuple[Path, Path]) -> Iterator[Fake]:
    program = Path(__file__).with_name("fakepve_process.py")
    with subprocess.Popen(
        [sys.executable, program, *proxmox_certificate],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        yield Fake(child, int(child.stdout.readline()))
        child.stdin.close()
