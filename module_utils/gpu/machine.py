# SPDX-License-Identifier: Apache-2.0
"""What decides on the driver of a host's GPUs, read from the host itself. Nothing is changed."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.gpu import lspci
from ansible.module_utils.gpu.rocm_smi import compute_targets

type Run = Callable[..., tuple[int, str]]
type Machine = dict[str, Any]
type Gpu = dict[str, str]

SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
# The key with which the distribution's DKMS signs what it builds, and the command that makes it.
BUILD_KEYS = {
    "debian": ("/var/lib/dkms/mok.pub", "apt install dkms mokutil && dkms generate_mok"),
    "ubuntu": (
        "/var/lib/shim-signed/mok/MOK.der",
        "apt install shim-signed mokutil && update-secureboot-policy --new-key",
    ),
}
# Where DKMS, Ubuntu's signed packages and NVIDIA's installer put the module, as depmod prefers them.
MODULE_FILES = ("updates/**/nvidia*.ko*", "kernel/nvidia*/nvidia*.ko*", "kernel/drivers/video/nvidia.ko*")
MODULE_NAME = re.compile(r"nvidia(-current|-tesla-\d+(-current)?)?\.ko")
# The components in which the distributions have what a GPU needs.
COMPONENTS = {
    "debian": {"nvidia": ["contrib", "non-free", "non-free-firmware"], "amd": ["non-free-firmware"]},
    "ubuntu": {"nvidia": ["restricted", "multiverse"], "amd": ["universe"]},
}
SMI = {"nvidia": "nvidia-smi", "amd": "rocm-smi"}
TARGETS = ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(SOURCESENTRY) $(ORIGIN)"]
PACKAGES = ["dpkg-query", "--show", "--showformat", "${db:Status-Abbrev} ${Package} ${Version}\n"]


def nvidia_modules(root: Path, run: Run) -> dict[str, str]:
    """Return the version of the nvidia module that is on disk for each kernel that has one.

    Packagers name its file differently (Debian: nvidia-current.ko), so modinfo is given the path.
    """
    found: dict[str, str] = {}
    for pattern in MODULE_FILES:
        for path in sorted((root / "lib/modules").glob(f"*/{pattern}")):
            kernel = path.relative_to(root / "lib/modules").parts[0]
            if kernel not in found and MODULE_NAME.match(path.name):
                found[kernel] = run(["modinfo", "--field", "version", str(path)])[1].strip()
    return found


def further_source(root: Path, codename: str, wanted: list[str], targets: str) -> dict[str, str]:
    """Return `dest` and `content` of an apt source with the components that the distribution's own lacks.

    It is a copy of that one: two sources of one mirror must name the same key, or apt refuses both.
    """
    lines = [fields for line in targets.splitlines() if len(fields := line.split()) >= 3]
    own = [f for f in lines if f[0].startswith(codename) and (f[3:] or [""])[0] in ("", "Debian", "Ubuntu")]
    lacking = " ".join(name for name in wanted if name not in {fields[1] for fields in own})
    if not own or not lacking:
        return {}
    path = Path(own[0][2].rpartition(":")[0])
    text = (root / path.relative_to("/")).read_text()
    content = re.sub(r"(?mi)^Components:.*", f"Components: {lacking}", text)
    if path.suffix == ".list":  # deb [options] URI suite components
        found = re.findall(rf"(?m)^deb\s+(?:\[.*?\]\s+)?\S+\s+{codename}\S*", text)
        content = "".join(f"{line} {lacking}\n" for line in found)
    return {"dest": f"/etc/apt/sources.list.d/hal-gpu{path.suffix}", "content": content}


def read(run: Run, root: Path = Path("/")) -> Machine:
    """Return the facts on which `plan.decide` decides.

    Args:
        run: runs a command, with further environment variables where they are given, and returns its exit
            code and its output; 127 if there is no such command.
        root: where the host's files stand.
    """
    lines = (root / "etc/os-release").read_text().splitlines()
    system = {key: value.strip("\"'") for key, _, value in (line.partition("=") for line in lines)}
    kernel = platform.release()
    code, container = run(["systemd-detect-virt", "--container"])
    code_lspci, listing = run(lspci.COMMAND)
    loaded = root / "sys/module/nvidia/version"
    modules = root / "lib/modules" / kernel
    nodes = [path for pattern in ("nvidia[0-9]*", "kfd", "dxg") for path in (root / "dev").glob(pattern)]
    variable = root / SECURE_BOOT
    machine: Machine = {
        "family": system.get("ID", ""),
        "system": system.get("PRETTY_NAME", ""),
        "kernel": kernel,
        "container": container.strip() if code == 0 else "",
        "gpus": lspci.parse(listing) if code_lspci == 0 else lspci.from_sysfs(root),
        "nodes": sorted(path.name for path in nodes),
        "secure_boot": variable.exists() and variable.read_bytes()[-1:] == b"\x01",
        "headers": (modules / "build").exists(),
        "loaded": loaded.read_text().strip() if loaded.exists() else "",
        "amdgpu_loaded": (root / "sys/module/amdgpu").exists(),
        "targets": compute_targets(root),
        "tools": [vendor for vendor, tool in SMI.items() if run([tool, "--version"])[0] != 127],
        "amdgpu": False,
        "key_enrolled": False,
        "modules": {},
        "packages": {},
        "source": {},
    }
    if machine["container"] or not any(gpu["vendor"] in ("nvidia", "amd") for gpu in machine["gpus"]):
        return machine  # nothing to install: the rest would only cost time
    machine["modules"] = nvidia_modules(root, run)
    machine["amdgpu"] = any(modules.rglob("amdgpu.ko*"))
    key, _ = BUILD_KEYS.get(machine["family"], ("", ""))
    machine["key_enrolled"] = "is already enrolled" in run(["mokutil", "--test-key", key])[1]
    listed = (line.split() for line in run(PACKAGES)[1].splitlines())
    machine["packages"] = {words[1]: words[2] for words in listed if words[0][1:2] == "i"}
    targets = run([*TARGETS, "Created-By: Packages"])[1]
    machine["source"] = {
        vendor: further_source(root, system.get("VERSION_CODENAME", ""), wanted, targets)
        for vendor, wanted in COMPONENTS.get(machine["family"], {}).items()
    }
    return machine
