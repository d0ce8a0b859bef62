#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Decide which driver a host's GPUs get, from what is in the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gpu import machine as host
from ansible.module_utils.gpu import plan

DOCUMENTATION = r"""
module: gpu_driver_plan
short_description: Decide which driver a host's GPUs get
description:
  - Reads the host's PCI inventory, virtualisation, Secure Boot, kernel, distribution and installed drivers,
    and decides on a driver that is supported for all its GPUs and packaged for it. Changes nothing.
  - A driver that is loaded and serves is kept, whoever installed it. A GPU that no table knows gets none.
  - What is supported stands in the tables that are given, not in the module.
options:
  vendor:
    description: Whose GPU is used. V(auto) takes what is there, V(nvidia) and V(amd) demand one.
    type: str
    choices: [auto, nvidia, amd, none]
    default: auto
  branch:
    description: NVIDIA's driver branch, such as V(580). V(0) takes the preferred one that serves.
    type: int
    default: 0
  kernel_modules:
    description: NVIDIA's kernel modules. V(auto) takes the open ones where they are made for every product.
    type: str
    choices: [auto, open, proprietary]
    default: auto
  minimum_branches:
    description: The oldest branch that will do, by family of GPU; V(default) for the others.
    type: dict
    default: {}
  repository:
    description: Who packages NVIDIA's driver.
    type: str
    choices: [distribution, nvidia]
    default: distribution
  keep_working:
    description: Whether a driver that is loaded and serves is kept, though it would be chosen otherwise.
    type: bool
    default: true
  restart_record:
    description: File that says for which driver the host was restarted last. It need not exist.
    type: path
    default: /var/lib/hal/gpu_driver/restarted
  nvidia_families:
    description: NVIDIA's families with their ranges of PCI ids and the branches that drive them.
    type: list
    elements: dict
    required: true
  amd_families:
    description: AMD's families with their ranges of PCI ids, LLVM targets and whether ROCm supports them.
    type: list
    elements: dict
    required: true
  offers:
    description: Who packages which of NVIDIA's branches for which distribution.
    type: list
    elements: dict
    required: true
  amd_packages:
    description: Components and packages for AMD's GPUs, by family of distributions.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: It only reads, and reads in check mode, too.
  diff_mode:
    support: none
    description: There is nothing to show.
author: HAL network
"""

EXAMPLES = r"""
- name: Decide on the driver
  gpu_driver_plan:
    vendor: nvidia
    minimum_branches: {default: 550}
    nvidia_families:
      - {name: Ada, ids: [2681-28f8], first: 525, last: 0, open: 560, proprietary: true}
    amd_families: []
    offers:
      - distributions: [debian-13]
        repository: distribution
        components: [contrib, non-free, non-free-firmware]
        branches: [550]
        modules_proprietary: [nvidia-kernel-dkms]
        modules_open: [nvidia-open-kernel-dkms]
        packages: [libcuda1, nvidia-smi]
    amd_packages: {}
  register: driver
"""

RETURN = r"""
plan:
  description:
    - The decision. C(outcome) is V(install), V(keep), V(none) or V(refused), C(message) the reason.
    - Further C(vendor), C(branch), C(kernel_modules), C(repository), C(components), C(packages), C(missing),
      C(kernel_packages), C(absent), C(gpus), C(count), C(reboot) and C(load).
  type: dict
  returned: success
machine:
  description: The facts that it was made of.
  type: dict
  returned: success
restarted:
  description: Whether the host was already restarted for the driver that is installed.
  type: bool
  returned: success
record:
  description: What to write to I(restart_record) before a restart.
  type: str
  returned: success
"""

ARGUMENT_SPEC = {
    "vendor": {"type": "str", "choices": ["auto", "nvidia", "amd", "none"], "default": "auto"},
    "branch": {"type": "int", "default": 0},
    "kernel_modules": {"type": "str", "choices": ["auto", "open", "proprietary"], "default": "auto"},
    "minimum_branches": {"type": "dict", "default": {}},
    "repository": {"type": "str", "choices": ["distribution", "nvidia"], "default": "distribution"},
    "keep_working": {"type": "bool", "default": True},
    "restart_record": {"type": "path", "default": "/var/lib/hal/gpu_driver/restarted"},
    "nvidia_families": {"type": "list", "elements": "dict", "required": True},
    "amd_families": {"type": "list", "elements": "dict", "required": True},
    "offers": {"type": "list", "elements": "dict", "required": True},
    "amd_packages": {"type": "dict", "required": True},
}
NO_SUCH_COMMAND = 127
BOOT = Path("/proc/sys/kernel/random/boot_id")


def record(facts: dict[str, Any], answer: dict[str, Any], boot: str) -> str:
    """Return what stands for a restart: the driver it was for, and the boot in which it was asked for."""
    versions = sorted(set(facts["modules"].values())) or [facts["kernel"]]
    return f"{answer['vendor']} {','.join(versions)} {boot}\n"


def restarted(written: str, wanted: str) -> bool:
    """Return whether a record was written for the same driver, and the host has started again since."""
    driver, _, boot = written.strip().rpartition(" ")
    driver_now, _, boot_now = wanted.strip().rpartition(" ")
    return driver == driver_now and boot != boot_now


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)

    def run(command: list[str]) -> tuple[int, str]:
        path = module.get_bin_path(command[0])
        if path is None:
            return NO_SUCH_COMMAND, ""
        code, output, _ = module.run_command([path, *command[1:]], environ_update={"LC_ALL": "C"})
        return code, output

    facts = host.read(run)
    answer = plan.decide(facts, module.params, module.params)
    path = Path(module.params["restart_record"])
    wanted = record(facts, answer, BOOT.read_text().strip())
    written = path.read_text() if path.exists() else ""
    module.exit_json(
        changed=False, plan=answer, machine=facts, restarted=restarted(written, wanted), record=wanted
    )


if __name__ == "__main__":
    main()
