"""The network reference, written from copies of the inventories; no host is contacted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.production.conftest import Production

ROOT = Path(__file__).resolve().parents[3]
FILES = ("README.md", "card.html", "network.svg")
SUMMARY = re.compile(r"^localhost\s+: ok=\d+\s+changed=(\d+)\s+unreachable=0\s+failed=0", re.MULTILINE)


@dataclass
class Reference:
    """What one run wrote, and what it said of itself."""

    directory: Path
    changed: int
    said: str

    def __getitem__(self, name: str) -> str:
        return (self.directory / name).read_text()

    @property
    def all(self) -> str:
        """Everything that was written or said."""
        return "\n".join([self.said, *(path.read_text() for path in sorted(self.directory.iterdir()))])


type Write = Callable[..., Reference]


@pytest.fixture(scope="session")
def write() -> Write:
    """Write the reference of an inventory into a directory."""

    def run(
        inventory: Path, directory: Path, *arguments: str, home: Path | None = None, **variables: Any
    ) -> Reference:
        command = [
            sys.executable,
            "-m",
            "ansible",
            "playbook",
            "-i",
            str(inventory),
            "playbooks/docs.yml",
            *arguments,
        ]
        command += ["-e", json.dumps(variables | {"docs_directory": str(directory)})]
        environment = os.environ | ({"HOME": str(home)} if home else {})
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        summary = SUMMARY.search(done.stdout)
        assert done.returncode == 0 and summary, done.stdout + done.stderr
        return Reference(directory, int(summary[1]), done.stdout + done.stderr)

    return run


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the lab's inventory as a fresh checkout has it: without secrets."""
    ignored = shutil.ignore_patterns("secrets.yml", "profile.yml")
    return Path(
        shutil.copytree(
            ROOT / "inventories/lab", tmp_path_factory.mktemp("inventory") / "lab", ignore=ignored
        )
    )


@pytest.fixture(scope="session")
def services(lab: Path) -> dict[str, Any]:
    """Return the services of the lab as they are described, for all modes."""
    described: dict[str, Any] = yaml.safe_load((lab / "group_vars/all/services.yml").read_text())[
        "network_services"
    ]
    return described


@pytest.fixture(scope="session")
def reference(write: Write, lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Return what is written of the lab."""
    return write(lab, tmp_path_factory.mktemp("reference") / "made")


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Production:
    """Return the production inventory, on loopback and filled in."""
    filled = Production(tmp_path_factory.mktemp("filled"))
    done = filled.init()
    assert done.returncode == 0, done.stderr
    return filled
