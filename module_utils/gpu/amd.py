# SPDX-License-Identifier: Apache-2.0
"""The decision for AMD GPUs: the kernel brings their driver; firmware and tools are to be installed."""

from __future__ import annotations

from ansible.module_utils.gpu.answer import Answer, Family, Gpu, Machine, Tables, Wish, family_of, name_of

DRIVER = "amdgpu"


def _reboot(machine: Machine, gpus: list[Gpu]) -> str:
    idle = [gpu for gpu in gpus if gpu["driver"] != DRIVER]
    if idle:
        return f"{DRIVER} of kernel {machine['kernel']} does not drive {name_of(idle[0])} yet"
    return "" if "kfd" in machine["nodes"] else f"{DRIVER} offers no computing (/dev/kfd) yet"


def _unsupported(gpu: Gpu, family: Family | None) -> str:
    if family is None:
        return f"{name_of(gpu)} is in no table of GPUs that ROCm supports"
    text = f"ROCm does not support {name_of(gpu, family)}, whose target is {family['target']}"
    if override := family.get("override"):
        text += (
            "; a close target may do at one's own risk: gpu_driver_vendor: none, and "
            f"HSA_OVERRIDE_GFX_VERSION: {override} among the settings of the model server"
        )
    return text


def decide(machine: Machine, gpus: list[Gpu], wish: Wish, tables: Tables) -> Answer:
    """Decide for the AMD GPUs of a host; see `plan.decide`."""
    supported = {family["target"] for family in tables["amd_families"] if family["rocm"]}
    usable, left_out = [], []
    for gpu in gpus:
        family = family_of(gpu, tables["amd_families"])
        target = machine["targets"].get(gpu["slot"]) or (family or {}).get("target")  # the driver knows best
        if target in supported:
            usable.append(gpu | {"family": target})
        else:
            left_out.append(_unsupported(gpu, family))
    if not usable:
        return Answer("none", f"{'. '.join(left_out)}.")
    system = machine["distribution"]
    offer = tables["amd_packages"].get(system["family"])
    if offer is None:
        return Answer(
            "refused", f"{system['name']} is not supported: use Debian or Ubuntu for {name_of(usable[0])}."
        )
    named = ", ".join(f"{name_of(gpu)} ({gpu['family']})" for gpu in usable)
    left = f" Left out: {'; '.join(left_out)}." if left_out else ""
    return Answer(
        "install",
        f"{named}: {DRIVER} of the kernel, with its firmware and ROCm's tools.{left}",
        vendor="amd",
        kernel_modules="in-kernel",
        repository="distribution",
        components=[name for name in offer["components"] if name not in machine["components"]],
        packages=[*offer["packages"], "pciutils"],
        gpus=usable,
        count=len(usable),
        reboot=_reboot(machine, usable),
    )
