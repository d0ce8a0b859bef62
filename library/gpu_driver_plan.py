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
  - Reads the host's PCI inventory, virtualisation, Secure Boot, kernel and packages, and changes nothing.
  - A driver that is loaded and serves is kept, whoever installed it. Otherwise C(ubuntu-drivers) (Ubuntu) or
    C(nvidia-detect) (Debian) says which ones drive an NVIDIA GPU. AMD's driver comes with the kernel.
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
    description: NVIDIA's kernel modules. V(auto) takes those that the distribution prefers.
    type: str
    choices: [auto, open, proprietary]
    default: auto
  minimum_branches:
    description: The oldest branch that will do, by family of GPU, such as V(Pascal); V(default) for others.
    type: dict
    default: {}
  keep_working:
    description: Whether a driver that is loaded and serves is kept, though it would be chosen otherwise.
    type: bool
    default: true
  choose:
    description: Whether the distribution's tool may be asked. It reads apt's lists of packages.
    type: bool
    default: false
  restart_record:
    description: File that says for which driver the host was restarted last. It need not exist.
    type: path
    default: /var/lib/hal/gpu_driver/restarted
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
    minimum_branches: {default: 550, Maxwell: 570, Pascal: 570}
    choose: true
  register: driver
"""

RETURN = r"""
plan:
  description:
    - The decision. C(outcome) is V(install), V(keep), V(ask) (the tool), V(none) or V(refused).
    - Further C(message), C(vendor), C(branch), C(packages), C(missing), C(kernel_packages), C(absent),
      C(count), C(reboot) and C(load).
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
    "keep_working": {"type": "bool", "default": True},
    "choose": {"type": "bool", "default": False},
    "restart_record": {"type": "path", "default": "/var/lib/hal/gpu_driver/restarted"},
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

    def run(command: list[str], environment: dict[str, str] | None = None) -> tuple[int, str]:
        path = module.get_bin_path(command[0])
        if path is None:
            return NO_SUCH_COMMAND, ""
        code, output, error = module.run_command(
            [path, *command[1:]], environ_update={"LC_ALL": "C", **(environment or {})}
        )
        return code, output or error

    facts = host.read(run)
    answer = plan.decide(facts, module.params, run)
    path = Path(module.params["restart_record"])
    wanted = record(facts, answer, BOOT.read_text().strip())
    written = path.read_text() if path.exists() else ""
    module.exit_json(
        changed=False, plan=answer, machine=facts, restarted=restarted(written, wanted), record=wanted
    )


if __name__ == "__main__":
    main()
