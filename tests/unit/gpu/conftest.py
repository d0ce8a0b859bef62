"""Machines of every shape, and the decision for them with the role's own tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.gpu import lspci, plan

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests/data/gpu"
DEBIAN = {"id": "debian-13", "family": "debian", "codename": "trixie", "name": "Debian GNU/Linux 13 (trixie)"}
UBUNTU = {"id": "ubuntu-24.04", "family": "ubuntu", "codename": "noble", "name": "Ubuntu 24.04.3 LTS"}
# What each has before the role comes: a machine with its distribution's own kernel.
SYSTEMS = {
    "debian": {
        "distribution": DEBIAN,
        "kernel": "6.12.117+deb13-amd64",
        "packages": {"linux-image-amd64": "6.12.117-1", "linux-image-6.12.117+deb13-amd64": "6.12.117-1"},
        "components": ["main"],
    },
    "ubuntu": {
        "distribution": UBUNTU,
        "kernel": "6.14.0-37-generic",
        "packages": {"linux-image-generic-hwe-24.04": "6.14.0-37.37", "linux-image-6.14.0-37-generic": "6"},
        "components": ["main", "multiverse", "restricted", "universe"],
    },
}
BARE = {
    "container": "",
    "vm": "",
    "nodes": [],
    "secure_boot": False,
    "mok_enrolled": False,
    "headers": True,
    "loaded": "",
    "modules": {},
    "targets": {},
    "mirror": "http://mirror.example/debian",
}
WISH = {
    "vendor": "auto",
    "branch": 0,
    "kernel_modules": "auto",
    "minimum_branches": {},
    "repository": "distribution",
    "keep_working": True,
}
# What Ollama asks for, as the project wires it.
FOR_OLLAMA = {"default": 550, "Maxwell": 570, "Pascal": 570}


@pytest.fixture(scope="session")
def tables() -> dict[str, Any]:
    text = (ROOT / "roles/gpu_driver/vars/main.yml").read_text()
    return {name.removeprefix("gpu_driver_"): value for name, value in yaml.safe_load(text).items()}


@pytest.fixture
def decide(tables: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Decide for the machine of a sample; `machine` changes facts, other keywords are wishes."""

    def run(
        sample: str, system: str = "debian", *, machine: dict | None = None, **wishes: Any
    ) -> dict[str, Any]:
        gpus = lspci.parse((SAMPLES / f"{sample}.lspci").read_text())
        facts = BARE | SYSTEMS[system] | {"gpus": gpus} | (machine or {})
        return plan.decide(facts, WISH | wishes, tables)

    return run
