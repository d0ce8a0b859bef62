# SPDX-License-Identifier: Apache-2.0
"""What the distribution's own tool, ubuntu-drivers or Debian's nvidia-detect, offers for an NVIDIA GPU."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ansible.module_utils.gpu.machine import Gpu, Run

TOOLS = {"debian": "nvidia-detect", "ubuntu": "ubuntu-drivers"}
UBUNTU_LINE = re.compile(
    r"(?m)^nvidia-driver-(\d+)(-server|)(-open|)(?:, \(kernel modules provided by (\S+)\))?$"
)


class Offer(NamedTuple):
    """A driver for a GPU: its branch, whether its modules are open and signed, and its packages."""

    branch: int
    open: bool
    signed: bool
    packages: tuple[str, ...]


class ToolFailed(Exception):
    """The tool is missing or failed; the text says which, and what it said."""


def _ubuntu(said: str) -> list[Offer]:
    offers = []
    for branch, server, kind, modules in UBUNTU_LINE.findall(said):
        flavour, signed = branch + server + kind, modules.startswith("linux-modules-")
        names = (modules or f"nvidia-dkms-{flavour}", f"nvidia-headless-no-dkms-{flavour}")
        offers.append(Offer(int(branch), bool(kind), signed, (*names, f"nvidia-utils-{branch}{server}")))
    return offers


def _debian(said: str, default_branch: int) -> list[Offer]:
    """Return the default driver, with either kind of modules, and older series, all without a desktop."""
    offers = []
    if re.search(r"(?m)^\s+nvidia-driver$", said):
        rest = ("libcuda1", "libnvidia-ml1", "libnvidia-cfg1", "nvidia-smi", "nvidia-persistenced")
        offers.append(Offer(default_branch, False, False, ("nvidia-kernel-dkms", *rest)))
        offers.append(Offer(default_branch, True, False, ("nvidia-open-kernel-dkms", *rest)))
    for series in dict.fromkeys(re.findall(r"supported by the Tesla (\d+) drivers series\.", said)):
        name = f"nvidia-tesla-{series}"
        libraries = (f"lib{name}-{part}" for part in ("cuda1", "ml1", "cfg1"))
        packages = (f"{name}-kernel-dkms", *libraries, f"{name}-smi", "nvidia-persistenced")
        offers.append(Offer(int(series), False, False, packages))
    return offers


def offers(family: str, gpu: Gpu, run: Run) -> list[Offer]:
    """Return what the distribution's tool offers for one GPU, what it prefers first.

    For several GPUs, ubuntu-drivers would list what drives any of them, not what drives all.

    Args:
        family: `debian` or `ubuntu`.
        gpu: the GPU, of which the id counts.
        run: as `machine.read` takes it.

    Raises:
        ToolFailed: it is not installed, or failed.
    """
    if family == "ubuntu":
        vendor, device = gpu["id"].upper().split(":")
        with TemporaryDirectory() as system:
            alias = Path(system) / "devices/gpu/modalias"
            alias.parent.mkdir(parents=True)
            alias.write_text(f"pci:v0000{vendor}d0000{device}sv00000000sd00000000bc03sc00i00\n")
            command = ["ubuntu-drivers", "list", "--gpgpu", "--include-dkms"]
            code, said = run(command, {"UBUNTU_DRIVERS_SYS_DIR": system})
    else:
        code, said = run(["nvidia-detect", gpu["id"]])
        code = 0 if code == 1 else code  # it knows no driver
    if code or "E:" in said:  # apt's errors do not change the exit code
        raise ToolFailed(f"{TOOLS[family]} failed or is not installed: {said.strip()[-300:]}")
    if family == "ubuntu":
        return _ubuntu(said)
    shown = run(["apt-cache", "show", "--no-all-versions", "nvidia-kernel-dkms"])[1]
    branch = re.search(r"(?m)^Version: (\d+)", shown)
    return _debian(said, int(branch[1]) if branch else 0)
