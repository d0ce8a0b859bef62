"""The programs that back up and that maintain backups, loaded from their roles, and a stand-in for restic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.conftest import load_module

PROGRAM = "roles/backup/files/hal_backup"
MODULES = ("items", "repository", "verbs", "restoring", "proving")  # each after those that it imports
MAINTENANCE = "roles/backup_server/files/hal_backup_maintenance"
MAINTENANCE_MODULES = ("repositories", "passwords", "upkeep", "figures", "maintenance")


def load(modules, directory):
    """Import a program's modules; nothing is written beside them: the role copies all."""
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loaded = {name: load_module(name, directory) for name in modules}
    sys.dont_write_bytecode = written
    return loaded


@pytest.fixture(scope="session")
def program():
    """Import the program that hosts back up with."""
    return load(MODULES, PROGRAM)


@pytest.fixture
def maintenance(tmp_path, monkeypatch):
    """Return the modules of the program that maintains backups; its state is the test's own."""
    modules = SimpleNamespace(**load(MAINTENANCE_MODULES, MAINTENANCE))
    monkeypatch.setattr(modules.repositories, "STATE", tmp_path / "state")
    monkeypatch.setattr(modules.repositories, "SETTINGS", tmp_path / "settings.json")
    monkeypatch.setattr(modules.figures, "METRICS", tmp_path / "metrics.prom")
    return modules


@pytest.fixture(scope="session")
def items(program):
    """Return the module of the items."""
    return program["items"]


@pytest.fixture
def verbs(program, tmp_path, monkeypatch):
    """Return the module of the verbs, its state in a directory of the test's own."""
    module = program["verbs"]
    monkeypatch.setattr(module, "STATE", tmp_path / "state")
    monkeypatch.setattr(module, "METRICS", tmp_path / "metrics")
    return module


@pytest.fixture
def restoring(program, verbs, monkeypatch):
    """Return the module that brings items back, its state beside that of the verbs."""
    monkeypatch.setattr(program["restoring"], "STATE", verbs.STATE)
    return program["restoring"]


@pytest.fixture
def proving(program, verbs, monkeypatch):
    """Return the module that proves backups, its state and its metrics beside those of the verbs."""
    monkeypatch.setattr(program["proving"], "STATE", verbs.STATE)
    monkeypatch.setattr(program["proving"], "METRICS", verbs.METRICS)
    return program["proving"]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return the directory of a repository, empty at first, that is called restic's."""
    directory = tmp_path / "repository"
    for part in ("locks", "snapshots"):
        (directory / part).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/restic").symlink_to(Path(__file__).with_name("restic_stand_in.py"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("STAND_IN_REPOSITORY", str(directory))
    return directory


@pytest.fixture
def local(repository):
    """Return the settings of a host whose repository is a directory."""
    access = {"user": "", "password": ""}
    return {"repository": str(repository), "password": "secret", "access": access, "host": "qm1", "items": {}}


@pytest.fixture
def dead():
    """Return the id of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return str(process.pid)
