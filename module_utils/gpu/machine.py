# SPDX-License-Identifier: Apache-2.0
"""What decides on the driver of a host's GPUs, read from the host itself. Nothing is changed."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.gpu import lspci

type Run = Callable[[list[str]], tuple[int, str]]
type Machine = dict[str, Any]

SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
MOK = "/var/lib/dkms/mok.pub"
# Where DKMS, Ubuntu's signed modules and NVIDIA's own installer put it, in the order that depmod prefers.
MODULE_FILES = ("updates/**/nvidia*.ko*", "kernel/nvidia*/nvidia*.ko*", "kernel/drivers/video/nvidia.ko*")
MODULE_NAME = re.compile(r"nvidia(-current|-tesla-\d+(-current)?)?\.ko")
# apt's own view of its sources, in whatever form they are written.
TARGETS = [
    "apt-get",
    "indextargets",
    "--format",
    "$(REPO_URI) $(SUITE) $(CODENAME) $(COMPONENT) $(SOURCESENTRY)",
]
PACKAGES = ["dpkg-query", "--show", "--showformat", "${db:Status-Abbrev} ${Package} ${Version}\n"]


def distribution(root: Path) -> dict[str, str]:
    """Return id (`debian-13`), family (`debian`), codename and name of the distribution."""
    lines = (root / "etc/os-release").read_text().splitlines()
    said = {key: value.strip("\"'") for key, _, value in (line.partition("=") for line in lines)}
    family = said.get("ID", "")
    return {
        "id": f"{family}-{said.get('VERSION_ID', '')}",
        "family": family,
        "codename": said.get("VERSION_CODENAME", ""),
        "name": said.get("PRETTY_NAME", family),
    }


def secure_boot(root: Path) -> bool:
    """Return whether the firmware enforces Secure Boot: the last byte of its variable says so."""
    variable = root / SECURE_BOOT
    return variable.exists() and variable.read_bytes()[-1:] == b"\x01"


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


def compute_targets(root: Path) -> dict[str, str]:
    """Return the LLVM target (`gfx1100`) of each GPU that amdgpu offers for computing, by its slot."""
    found = {}
    for path in (root / "sys/class/kfd/kfd/topology/nodes").glob("*/properties"):
        lines = (line.split() for line in path.read_text().splitlines())
        said = {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}
        if version := said.get("gfx_target_version", 0):
            bus, function = divmod(said.get("location_id", 0), 256)
            slot = f"{said.get('domain', 0):04x}:{bus:02x}:{function >> 3:02x}.{function & 7}"
            found[slot] = f"gfx{version // 10000}{version // 100 % 100:x}{version % 100:x}"
    return found


def signed_by(root: Path, entry: str) -> str:
    """Return which key an apt source names, as its file has it; `entry` is the file and which entry of it."""
    path, _, number = entry.rpartition(":")
    text = (root / path.lstrip("/")).read_text()
    if path.endswith(".list"):  # one line for each source
        match = re.search(r"\[.*\bsigned-by=(\S+?)[\s\]]", text.splitlines()[int(number) - 1])
    else:
        stanza = re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n", "", text).strip())[int(number) - 1]
        match = re.search(r"(?mi)^Signed-By:[ \t]*(.*(?:\n[ \t].*)*)", stanza)
    return match[1] if match else ""


def apt_sources(root: Path, codename: str, output: str) -> dict[str, Any]:
    """Return the components that apt has of a release, and mirror and key of its main one.

    Two sources of one mirror must name the same key, or apt refuses both.
    """
    lines = [line.split() for line in output.splitlines()]
    own = [fields for fields in lines if len(fields) == 5 and codename in fields[1:3]]
    main = next((fields for fields in own if fields[3] == "main"), None)
    return {
        "components": sorted({fields[3] for fields in own}),
        "mirror": main[0] if main else "",
        "signed_by": signed_by(root, main[4]) if main else "",
    }


def read(run: Run, root: Path = Path("/")) -> Machine:
    """Return the facts on which `plan.decide` decides.

    Args:
        run: runs a command and returns its exit code and its output; 127 if there is no such command.
        root: where the host's files stand.
    """
    system = distribution(root)
    kernel = platform.release()
    code, container = run(["systemd-detect-virt", "--container"])
    vm_code, vm = run(["systemd-detect-virt", "--vm"])
    code_lspci, listing = run(lspci.COMMAND)
    gpus = lspci.parse(listing) if code_lspci == 0 else lspci.from_sysfs(root)
    loaded = root / "sys/module/nvidia/version"
    nodes = [path for pattern in ("nvidia[0-9]*", "kfd", "dxg") for path in (root / "dev").glob(pattern)]
    machine: Machine = {
        "distribution": system,
        "kernel": kernel,
        "container": container.strip() if code == 0 else "",
        "vm": vm.strip() if vm_code == 0 else "",
        "gpus": gpus,
        "nodes": sorted(path.name for path in nodes),
        "secure_boot": secure_boot(root),
        "mok_enrolled": False,
        "headers": (root / "lib/modules" / kernel / "build").exists(),
        "loaded": loaded.read_text().strip() if loaded.exists() else "",
        "modules": {},
        "targets": compute_targets(root),
        "packages": {},
        "components": [],
        "mirror": "",
        "signed_by": "",
    }
    if machine["container"] or not any(gpu["vendor"] in ("nvidia", "amd") for gpu in gpus):
        return machine  # nothing to install: the rest would only cost time
    machine["modules"] = nvidia_modules(root, run)
    machine["mok_enrolled"] = "is already enrolled" in run(["mokutil", "--test-key", MOK])[1]
    listed = (line.split() for line in run(PACKAGES)[1].splitlines())
    installed = {words[1]: words[2] for words in listed if len(words) == 3 and words[0].startswith("ii")}
    wanted = re.compile(r"nvidia|^libcuda|^linux-(image|headers|firmware)|^firmware-amd|^roc|^pciutils$")
    machine["packages"] = {name: version for name, version in installed.items() if wanted.search(name)}
    targets = run([*TARGETS, "Created-By: Packages"])[1]
    return machine | apt_sources(root, system["codename"], targets)
