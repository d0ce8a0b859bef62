# SPDX-License-Identifier: Apache-2.0
"""The decision which driver a host's GPUs get, from its facts, the wishes and the tables of what there is."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.gpu import amd, nvidia
from ansible.module_utils.gpu.answer import Answer, Machine, Tables, Wish, name_of

# A GPU with this driver belongs to a guest of the host.
PASSED_THROUGH = "vfio-pci"
VENDORS_OF_NODES = {"nvidia": "nvidia", "kfd": "amd", "dxg": "nvidia"}


def _container(machine: Machine, wish: Wish) -> Answer:
    """Decide for a container: its kernel is the host's, so the device comes from outside or not at all."""
    nodes = {
        name: next(v for k, v in VENDORS_OF_NODES.items() if name.startswith(k)) for name in machine["nodes"]
    }
    vendors = [vendor for vendor in dict.fromkeys(nodes.values()) if wish["vendor"] in ("auto", vendor)]
    kind = machine["container"]
    if not vendors:
        return Answer("none", f"This is a {kind} container and no GPU is handed in to it.")
    paths = ", ".join(f"/dev/{name}" for name in nodes)
    message = f"This is a {kind} container: {paths} and its driver come from outside."
    return Answer("keep", message, vendor=vendors[0], count=list(nodes.values()).count(vendors[0]))


def _missing_gpu(machine: Machine, wish: Wish) -> str:
    """Return what to do where a GPU was demanded and none can be used."""
    leave = "Or do without one: gpu_driver_vendor: none."
    if machine["container"]:
        return f"Hand the GPU in to the container with its device nodes. {leave}"
    if any(gpu["vendor"] == wish["vendor"] for gpu in machine["gpus"]):
        return leave
    if machine["vm"]:
        return (
            f"This is a virtual machine ({machine['vm']}), which sees only a GPU that its hypervisor passes "
            f"through: give it hostpci0 on Proxmox VE and start it again. {leave}"
        )
    return f"Look for it with `lspci -nn` and in the firmware's settings. {leave}"


def _decide(machine: Machine, wish: Wish, tables: Tables) -> Answer:
    if wish["vendor"] == "none":
        return Answer("none", "No driver is managed here: gpu_driver_vendor is none.")
    if machine["container"]:
        return _container(machine, wish)
    gpus = [gpu for gpu in machine["gpus"] if gpu["driver"] != PASSED_THROUGH]
    answers = []
    for vendor, decide in (("nvidia", nvidia.decide), ("amd", amd.decide)):
        own = [gpu for gpu in gpus if gpu["vendor"] == vendor]
        if own and wish["vendor"] in ("auto", vendor):
            answers.append(decide(machine, own, wish, tables))
    if answers:  # the first that can be used; else one that a person can mend; else the first
        order = {"install": 0, "keep": 0, "refused": 1, "none": 2}
        return min(answers, key=lambda answer: order[answer.outcome])
    passed = [gpu for gpu in machine["gpus"] if gpu["driver"] == PASSED_THROUGH]
    if passed:
        return Answer("none", f"{name_of(passed[0])} is passed through to a guest of this host.")
    if gpus:
        return Answer("none", f"{', '.join(map(name_of, gpus))}: no NVIDIA or AMD GPU.")
    return Answer("none", "There is no GPU.")


def decide(machine: Machine, wish: Wish, tables: Tables) -> dict[str, Any]:
    """Decide which driver the host gets.

    Args:
        machine: the host's facts, as `machine.read` returns them.
        wish: `vendor` (auto, nvidia, amd or none), `branch` (0: any), `kernel_modules` (auto, open or
            proprietary), `minimum_branches` (by family; `default` for others), `repository`, `keep_working`.
        tables: `nvidia_families`, `amd_families`, `offers` and `amd_packages` of the role's variables.

    Returns:
        The fields of `Answer`. A GPU that was demanded and cannot be used makes the outcome `refused`.
    """
    answer = _decide(machine, wish, tables)
    if answer.outcome == "none" and wish["vendor"] in ("nvidia", "amd"):
        message = (
            f"{answer.message} gpu_driver_vendor demands {wish['vendor']}. {_missing_gpu(machine, wish)}"
        )
        answer = Answer("refused", message)
    answer.missing = sorted({name.partition("=")[0] for name in answer.packages} - machine["packages"].keys())
    return answer.as_dict()
