# SPDX-License-Identifier: Apache-2.0
"""The decision which driver a host's GPUs get, from its facts, the wishes and the distribution's own tool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.gpu.chooser import TOOLS, Offer, ToolFailed, offers
from ansible.module_utils.gpu.machine import BUILD_KEYS, Gpu, Machine, Run

type Wish = Mapping[str, Any]
type Answer = dict[str, Any]

NOTHING: Answer = {
    "vendor": "",  # nvidia or amd
    "branch": 0,  # NVIDIA's; 0 where the kernel brings the driver
    "packages": [],  # of the driver
    "kernel_packages": [],  # kernel and headers, to be brought up to date: the running one's are missing
    "absent": [],  # installed packages of another driver
    "count": 0,  # how many GPUs the driver must show
    "reboot": "",  # why the driver that is installed needs a restart
    "load": "",  # its module, where it needs none
}
PASSED_THROUGH = "vfio-pci"  # the driver of a GPU that belongs to a guest of the host
# How pci.ids begins the names of a family's GPUs, after their chips: `AD102 [GeForce RTX 4090]`.
FAMILIES = {
    "GF": "Fermi", "GK": "Kepler", "GM": "Maxwell", "GP": "Pascal", "GV": "Volta", "TU": "Turing",
    "GA": "Ampere", "AD": "Ada", "GH": "Hopper", "GB": "Blackwell",
}  # fmt: skip
# NVIDIA makes open kernel modules from Turing on, and no others for Blackwell, whatever packages say.
NOT_OPEN = ("Fermi", "Kepler", "Maxwell", "Pascal", "Volta")
ONLY_OPEN = ("Blackwell",)
# Ubuntu's packages that carry their branch in their names; libraries go with them.
NAMED_BY_BRANCH = re.compile(
    r"(?:linux-modules-nvidia|nvidia-(?:driver|dkms|headless(?:-no-dkms)?|(?:compute-)?utils|kernel-source))-(\d+)\b"
)
# What the ROCm libraries that Ollama brings are built for (its docs/gpu.mdx), and what is close to one.
ROCM = {
    "gfx908", "gfx90a", "gfx942", "gfx1010", "gfx1012", "gfx1030", "gfx1100", "gfx1101", "gfx1102", "gfx1103",
    "gfx1150", "gfx1151", "gfx1200", "gfx1201",
}  # fmt: skip
CLOSE_TO_GFX1030 = ("gfx1031", "gfx1032", "gfx1034")
FIRMWARE = {"debian": "firmware-amd-graphics", "ubuntu": "linux-firmware"}


def _answer(outcome: str, message: str, **fields: Any) -> Answer:
    return NOTHING | {"outcome": outcome, "message": message} | fields


def _name(gpu: Gpu) -> str:
    return f"{gpu['name'] or gpu['vendor'].upper()} [{gpu['id']}]"


def _names(gpus: list[Gpu]) -> str:
    return ", ".join(map(_name, gpus))


def _minimum(gpu: Gpu, wish: Wish) -> int:
    """Return the oldest branch that will do for what runs on a GPU."""
    by_family = wish["minimum_branches"]
    return int(by_family.get(FAMILIES.get(gpu["name"][:2]), by_family.get("default", 0)))


def _suits(gpu: Gpu, offer: Offer, wish: Wish) -> bool:
    """Return whether an offer drives a GPU, is new enough and is what is wished for."""
    return (
        FAMILIES.get(gpu["name"][:2]) not in (NOT_OPEN if offer.open else ONLY_OPEN)
        and offer.branch >= _minimum(gpu, wish)
        and wish["branch"] in (0, offer.branch)
        and wish["kernel_modules"] in ("auto", "open" if offer.open else "proprietary")
    )


def _unsuitable(gpu: Gpu, found: list[Offer], wish: Wish, tool: str) -> str:
    """Say why none of the offers suits a GPU."""
    if not found:
        return f"{_name(gpu)}, for which {tool} knows no driver"
    asked = f"branch {wish['branch']}" if wish["branch"] else f"at least {_minimum(gpu, wish)}"
    if wish["kernel_modules"] != "auto":
        asked += f" with {wish['kernel_modules']} kernel modules"
    branches = ", ".join(str(branch) for branch in dict.fromkeys(offer.branch for offer in found))
    return f"{_name(gpu)}, for which {tool} offers {branches}, while {asked} is asked for"


def _install(machine: Machine, choice: Offer, found: list[Offer]) -> Answer:
    """Return the fields of an answer that say what is to be installed, and what is to go."""
    packages, kernel_packages = [*choice.packages, "pciutils"], []
    if not choice.signed:
        flavour = re.escape(re.sub(r"^\d[^-]*(-\d+)?-", "", machine["kernel"]))
        meta = re.compile(rf"linux-image-({flavour}|virtual)(-hwe-.*)?")  # virtual: a smaller generic
        images = sorted(filter(meta.fullmatch, machine["packages"]))
        headers = [name.replace("image", "headers") for name in images] or [
            f"linux-headers-{machine['kernel']}"
        ]
        packages = headers + packages
        kernel_packages = images + headers if images and not machine["headers"] else []
    others = {name for offer in found for name in offer.packages}
    others |= {
        n for n in machine["packages"] if (m := NAMED_BY_BRANCH.match(n)) and int(m[1]) != choice.branch
    }
    absent = sorted((others - set(choice.packages)) & machine["packages"].keys())
    return {
        "branch": choice.branch,
        "packages": packages,
        "kernel_packages": kernel_packages,
        "absent": absent,
    }


def _for_nvidia(machine: Machine, outcome: str, message: str, gpus: list[Gpu]) -> Answer:
    """Return an answer for these GPUs, which says what the driver that is installed still needs."""
    held = [gpu for gpu in gpus if gpu["driver"] in ("nouveau", "nova_core", "nova")]
    kernel, loaded, on_disk = machine["kernel"], machine["loaded"], machine["modules"]
    reboot = ""
    if held:
        reboot = f"{held[0]['driver']} holds {_name(held[0])}"
    elif loaded and on_disk.get(kernel, loaded) != loaded:
        reboot = f"{loaded} is loaded, {on_disk[kernel]} is installed"
    elif not loaded and on_disk and kernel not in on_disk:
        reboot = f"the driver is built for kernel {', '.join(sorted(on_disk))}, and {kernel} runs"
    load = "nvidia" if kernel in on_disk and not (loaded or reboot) else ""
    return _answer(outcome, message, vendor="nvidia", count=len(gpus), reboot=reboot, load=load)


def _choose(machine: Machine, gpus: list[Gpu], wish: Wish, run: Run) -> Answer:
    """Choose among what the distribution's tool offers for the NVIDIA GPUs."""
    tool, key = TOOLS[machine["family"]], BUILD_KEYS[machine["family"]]
    found = {gpu["slot"]: offers(machine["family"], gpu, run) for gpu in gpus}
    good = {gpu["slot"]: [offer for offer in found[gpu["slot"]] if _suits(gpu, offer, wish)] for gpu in gpus}
    used = [gpu for gpu in gpus if good[gpu["slot"]]]
    left = "; ".join(_unsuitable(gpu, found[gpu["slot"]], wish, tool) for gpu in gpus if gpu not in used)
    if not used and (wish["branch"] or wish["kernel_modules"] != "auto"):
        hint = "Set gpu_driver_branch and gpu_driver_kernel_modules."
        return _answer("refused", f"No driver for {left}. {hint}")
    if not used:
        return _answer("none", f"No driver for {left}. One that is installed by hand is kept.")
    note = f" Left out: {left}." if left else ""
    common = [offer for offer in good[used[0]["slot"]] if all(offer in good[gpu["slot"]] for gpu in used)]
    if not common:
        return _answer(
            "refused", f"{tool} offers no one driver for all of {_names(used)}: take one out.{note}"
        )
    choice = next((offer for offer in common if offer.signed), common[0])
    kind = f"{'signed ' if choice.signed else ''}{'open' if choice.open else 'proprietary'}"
    message = f"{_names(used)}: branch {choice.branch}, {kind} modules.{note}"
    runs = machine["loaded"].startswith(f"{choice.branch}.")
    if machine["secure_boot"] and not (choice.signed or machine["key_enrolled"] or runs):
        return _answer(
            "refused",
            f"{message} Secure Boot is on and refuses modules that this host builds: their key is not "
            f"enrolled. Enrol it: `{key[1]}; mokutil --import {key[0]}`, restart, choose «Enroll MOK» at the "
            "console, and run again. Or switch Secure Boot off in the firmware (a Proxmox guest: an EFI disk "
            "without pre-enrolled keys).",
        )
    answer = _for_nvidia(machine, "install", message, used)
    return answer | _install(machine, choice, found[used[0]["slot"]])


def _nvidia(machine: Machine, gpus: list[Gpu], wish: Wish, run: Run) -> Answer:
    loaded = int(machine["loaded"].partition(".")[0] or 0)
    driven = [gpu for gpu in gpus if gpu["driver"] == "nvidia"]
    serves = wish["keep_working"] and wish["branch"] in (0, loaded)
    if driven and serves and all(loaded >= _minimum(gpu, wish) for gpu in driven):
        left = _names([gpu for gpu in gpus if gpu not in driven])
        message = f"{_names(driven)}: NVIDIA {machine['loaded']} is loaded and is kept."
        message += f" Left out: {left}, which it does not drive." if left else ""
        return _for_nvidia(machine, "keep", message, driven) | {"branch": loaded}
    if machine["family"] not in TOOLS:
        hint = "install its driver by hand, which is then kept, or use Debian or Ubuntu."
        return _answer("refused", f"{machine['system']} has no known driver for {_names(gpus)}: {hint}")
    message = f"{TOOLS[machine['family']]} chooses the driver of {_names(gpus)}."
    try:
        if wish["choose"]:
            return _choose(machine, gpus, wish, run)
    except ToolFailed as error:
        message += f" {error}"
    return _for_nvidia(machine, "ask", message, gpus)


def _amd(machine: Machine, gpus: list[Gpu]) -> Answer:
    """Decide for AMD's GPUs: the kernel brings their driver, which says of each what it computes like."""
    usable, left = [], []
    for gpu in gpus:
        target = machine["targets"].get(gpu["slot"], "")
        if gpu["driver"] not in ("amdgpu", ""):
            left.append(f"{_name(gpu)} has the driver {gpu['driver']}, which offers no computing")
        elif target and target not in ROCM:
            left.append(f"ROCm does not support {_name(gpu)}, whose target is {target}")
            if target in CLOSE_TO_GFX1030:
                left[-1] += (
                    "; a close target may do at one's own risk: gpu_driver_vendor: none, and "
                    "HSA_OVERRIDE_GFX_VERSION: 10.3.0 among the settings of the model server"
                )
        else:
            usable.append(gpu)
    if not usable:
        return _answer("none", f"{'; '.join(left)}.")
    if machine["family"] not in FIRMWARE:
        return _answer(
            "refused", f"{machine['system']} is not supported: use Debian or Ubuntu for {_names(usable)}."
        )
    packages = [FIRMWARE[machine["family"]], "rocm-smi", "rocminfo", "pciutils"]
    idle, reboot, load = [gpu for gpu in usable if not gpu["driver"]], "", ""
    if idle and not machine["amdgpu"]:
        # Ubuntu's cloud images have a kernel with fewer modules; `generic` is the same with all of them.
        virtual = [name for name in machine["packages"] if name.startswith("linux-image-virtual")]
        packages += [name.replace("virtual", "generic") for name in virtual]
        if not virtual:
            message = f"Kernel {machine['kernel']} has no amdgpu for {_names(idle)}: install one that has."
            return _answer("refused", message)
        reboot = f"kernel {machine['kernel']} has no amdgpu"
    elif idle and machine["amdgpu_loaded"]:
        reboot = f"amdgpu does not drive {_name(idle[0])} yet"
    elif idle:
        load = "amdgpu"
    message = f"{_names(usable)}: amdgpu of the kernel, with its firmware and ROCm's tools."
    message += f" Left out: {'; '.join(left)}." if left else ""
    fields = {"packages": packages, "count": len(usable), "reboot": reboot, "load": load}
    return _answer("install", message, vendor="amd", **fields)


def _decide(machine: Machine, wish: Wish, run: Run) -> Answer:
    if wish["vendor"] == "none":
        return _answer("none", "No driver is managed here: gpu_driver_vendor is none.")
    if kind := machine["container"]:  # its kernel is the host's: the device comes from outside or not at all
        given = ["amd" if node == "kfd" else "nvidia" for node in machine["nodes"]]
        vendor = next((vendor for vendor in given if wish["vendor"] in ("auto", vendor)), "")
        if not vendor:
            return _answer("none", f"This is a {kind} container and no GPU is handed in to it.")
        message = f"This is a {kind} container: its GPUs and their driver come from outside."
        return _answer("keep", message, vendor=vendor, count=given.count(vendor))
    gpus = [gpu for gpu in machine["gpus"] if gpu["driver"] != PASSED_THROUGH]
    nvidia = [gpu for gpu in gpus if gpu["vendor"] == "nvidia" and wish["vendor"] in ("auto", "nvidia")]
    amd = [gpu for gpu in gpus if gpu["vendor"] == "amd" and wish["vendor"] in ("auto", "amd")]
    answers = [_nvidia(machine, nvidia, wish, run)] if nvidia else []
    answers += [_amd(machine, amd)] if amd else []
    if answers:  # the first that can be used; else one that a person can mend; else the first
        return min(answers, key=lambda answer: {"refused": 1, "none": 2}.get(answer["outcome"], 0))
    if len(gpus) < len(machine["gpus"]):
        return _answer("none", f"{_name(machine['gpus'][0])} is passed through to a guest of this host.")
    return _answer("none", f"{_names(gpus)}: no NVIDIA or AMD GPU." if gpus else "There is no GPU.")


def decide(machine: Machine, wish: Wish, run: Run) -> Answer:
    """Decide which driver the host gets.

    Args:
        machine: the host's facts, as `machine.read` returns them.
        wish: `vendor` (auto, nvidia, amd or none), `branch` (0: any), `kernel_modules` (auto, open or
            proprietary), `minimum_branches` (by family; `default` for others), `keep_working`, and `choose`,
            whether the distribution's tool may be asked.
        run: as `machine.read` takes it; the distribution's tool is run with it.

    Returns:
        `outcome` (install, keep, ask: the distribution's tool, none, or refused, which a person must mend),
        `message`, the fields of NOTHING and `missing`, those of the packages that are not installed.
    """
    answer = _decide(machine, wish, run)
    if answer["outcome"] == "none" and wish["vendor"] in ("nvidia", "amd"):
        hint = (
            "Look for it with `lspci -nn`: a virtual machine sees only a GPU that its hypervisor passes "
            "through (hostpci0 on Proxmox VE), a container only the devices that are handed in to it."
        )
        demand = f"gpu_driver_vendor demands {wish['vendor']}."
        message = f"{answer['message']} {demand} {hint} Or do without one: gpu_driver_vendor: none."
        answer = _answer("refused", message)
    return answer | {"missing": sorted(set(answer["packages"]) - machine["packages"].keys())}
