"""Machines of every shape, and the decision for them with what the distributions' tools said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.gpu import plan
from ansible.module_utils.gpu.lspci import VENDORS

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests/data/gpu"
GPUS = yaml.safe_load((SAMPLES / "gpus.yml").read_text())
TOOLS = yaml.safe_load((SAMPLES / "tools.yml").read_text())
# What each has before the role comes: a machine with its distribution's own kernel.
SYSTEMS = {
    "debian": {
        "family": "debian",
        "system": "Debian GNU/Linux 13 (trixie)",
        "kernel": "6.12.117+deb13-amd64",
        "packages": {"linux-image-amd64": "6.12.117-1"},
    },
    "ubuntu": {
        "family": "ubuntu",
        "system": "Ubuntu 24.04.3 LTS",
        "kernel": "6.8.0-151-generic",
        "packages": {"linux-image-generic": "6.8.0-151.151"},
    },
}
BARE = {
    "container": "",
    "nodes": [],
    "secure_boot": False,
    "key_enrolled": False,
    "headers": True,
    "loaded": "",
    "modules": {},
    "amdgpu": True,
    "amdgpu_loaded": True,
}
TARGETS = {"1002:73df": "gfx1031", "1002:67df": "gfx803", "1002:74a1": "gfx942", "1002:744c": "gfx1100"}
WISH = {
    "vendor": "auto",
    "branch": 0,
    "kernel_modules": "auto",
    "minimum_branches": {"default": 550, "Maxwell": 570, "Pascal": 570},  # what Ollama asks for
    "keep_working": True,
    "choose": True,
}


def gpus_of(sample: str) -> list[dict[str, str]]:
    """Return the GPUs of a sample, as lspci.parse does."""
    return [
        {"slot": f"0000:{bus:02x}:00.0", "vendor": VENDORS.get(gpu[:4], gpu)}
        | dict(zip(("id", "name", "driver"), (gpu, *rest), strict=True))
        for bus, (gpu, *rest) in enumerate(GPUS[sample], 1)
    ]


def run(command: list[str], environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Answer for the tools as recorded; ubuntu-drivers finds its GPU in the directory that it is given."""
    if command[0] == "apt-cache":
        return 0, "Package: nvidia-kernel-dkms\nVersion: 550.163.01-2\n"
    gpu = command[-1]
    if environment:
        alias = (Path(environment["UBUNTU_DRIVERS_SYS_DIR"]) / "devices/gpu/modalias").read_text()
        gpu = f"{alias[9:13]}:{alias[18:22]}".lower()
    return 0, TOOLS[command[0]].get(gpu, TOOLS[command[0]]["unknown"])


@pytest.fixture
def decide() -> Callable[..., dict[str, Any]]:
    """Decide for the machine of a sample; `machine` changes facts, other keywords are wishes."""

    def decide_for(
        sample: str, system: str = "debian", *, machine: dict | None = None, run: Any = run, **wishes: Any
    ) -> dict[str, Any]:
        gpus = gpus_of(sample)
        targets = {gpu["slot"]: TARGETS[gpu["id"]] for gpu in gpus if gpu["id"] in TARGETS and gpu["driver"]}
        facts = BARE | SYSTEMS[system] | {"gpus": gpus, "targets": targets} | (machine or {})
        return plan.decide(facts, WISH | wishes, run)

    return decide_for
