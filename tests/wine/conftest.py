"""One Windows for all tests: CPython, Shawl, the checks, and the gateway from its archive of wheels."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.wine.machine import PROJECT, Machine, command, download
from tests.wine.service import HOME, Listener, Service

from hal.network.packing import pack


def pack_wheels(directory: Path) -> Path:
    """Make the archive of the gateway's wheels as the controller does, and unpack it."""

    def module(name: str, **arguments: object) -> None:
        command(
            *(sys.executable, "-m", "ansible", "adhoc", "localhost", "-i", "localhost,", "-c", "local"),
            *("-e", f"ansible_python_interpreter={sys.executable}", "-m", name, "-a", json.dumps(arguments)),
        )

    wheels, archives = directory / "wheels", directory / "archives"
    module("wheelhouse", path=str(wheels), project=str(PROJECT), locks=[])
    (own,) = wheels.glob("*.whl")
    lock = PROJECT / "requirements/gateway-windows.txt"
    module("wheel_archive", path=str(archives), locks=[str(lock)], packages=[str(own)])
    (archive,) = archives.glob("*.zip")
    shutil.unpack_archive(archive, directory / "content")
    return directory / "content"


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The machine, with everything installed."""
    if sys.version_info[:2] != (3, 13):
        pytest.skip("the standard library of Python 3.13 is needed: make .venv with python3.13")
    directory = tmp_path_factory.mktemp("wine")
    machine = Machine(directory)
    machine.start()
    try:
        wheel, shawl = download()
        python = machine.install_python(wheel)
        installed = machine.run(
            *(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--require-hashes"),
            *("--only-binary=:all:", "--find-links=.", "--requirement=requirements.txt"),
            directory=pack_wheels(directory),
        )
        assert installed.returncode == 0, installed.stdout.decode()
        home = machine.drive / HOME
        home.mkdir(parents=True)
        shutil.copy(shawl, home / "shawl.exe")
        pack(PROJECT / "module_utils", home / "hal_checks.pyz")
        yield machine
    finally:
        machine.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener that answers at once, unless a test has it wait."""
    with Listener() as listener:
        yield listener
        listener.release.set()
        listener.shutdown()


@pytest.fixture
def start_service(machine: Machine, listener: Listener) -> Iterator[Callable[..., Service]]:
    """Start the gateway as a service in front of that listener: `start_service(VARIABLE=value)`."""
    with contextlib.ExitStack() as stack:

        def start(**environment: str) -> Service:
            service = Service(machine, listener.server_address[1], environment)
            stack.callback(service.remove)
            stack.callback(listener.release.set)
            service.install()
            return service

        yield start


@pytest.fixture
def service(start_service: Callable[..., Service]) -> Service:
    """The gateway as it is deployed."""
    return start_service()
