"""The program that hosts back up with, loaded from its role."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[3] / "roles/backup/files/hal_backup"


@pytest.fixture(scope="session")
def program():
    """Make the program's modules importable; nothing is written beside them: the role copies all."""
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(PROGRAM))
    yield importlib.import_module
    sys.path.remove(str(PROGRAM))
    sys.dont_write_bytecode = written


@pytest.fixture(scope="session")
def items(program):
    """Return the module of the items."""
    return program("items")


@pytest.fixture
def verbs(program, tmp_path, monkeypatch):
    """Return the module of the verbs, its state in a directory of the test's own."""
    module = program("verbs")
    monkeypatch.setattr(module, "STATE", tmp_path / "state")
    monkeypatch.setattr(module, "METRICS", tmp_path / "metrics")
    return module
