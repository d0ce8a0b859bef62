#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Prove that a host's GPUs can be computed with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.gpu import nvidia_smi, rocm_smi
from ansible.module_utils.gpu.machine import compute_targets

DOCUMENTATION = r"""
module: gpu_proof
short_description: Prove that a host's GPUs can be computed with
description:
  - Asks the driver's own tool (nvidia-smi, or the kernel's amdkfd and rocm-smi) for the GPUs, and compares
    them with what is expected. For NVIDIA it can load CUDA, too, through CTranslate2.
  - Changes nothing.
options:
  vendor:
    description: Whose GPUs they are.
    type: str
    choices: [nvidia, amd]
    required: true
  count:
    description: How many GPUs there must be at least.
    type: int
    default: 1
  branch:
    description: NVIDIA's driver branch that must be running. V(0) accepts any.
    type: int
    default: 0
  external:
    description: Whether the driver comes from outside, as in a container, where its tool may be missing.
    type: bool
    default: false
  python:
    description:
      - A Python that has CTranslate2, which must find a CUDA device. Where there is none (yet), this part is
        skipped, and the result says so.
    type: path
    default: ""
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
- name: Prove that the GPUs work
  gpu_proof:
    vendor: nvidia
    count: 2
    branch: 580
    python: /opt/hal/speech/current/bin/python
"""

RETURN = r"""
gpus:
  description: What the tool says of each GPU - name, driver, memory, temperature, power.
  type: list
  elements: dict
  returned: always
cuda_devices:
  description: How many CUDA devices CTranslate2 finds; C(-1) where that was skipped.
  type: int
  returned: success
skipped_parts:
  description: What was not proved, and why.
  type: list
  elements: str
  returned: success
"""

ARGUMENT_SPEC = {
    "vendor": {"type": "str", "choices": ["nvidia", "amd"], "required": True},
    "count": {"type": "int", "default": 1},
    "branch": {"type": "int", "default": 0},
    "external": {"type": "bool", "default": False},
    "python": {"type": "path", "default": ""},
}
CUDA = "import ctranslate2; print(ctranslate2.get_cuda_device_count())"
DKMS = "See `dkms status`, `journalctl -k` and the log in /var/lib/dkms/nvidia*/*/build/make.log."


class NotProved(Exception):
    """A GPU does not work; the text says which, and what to look at."""


class Proof:
    """The proof of one host's GPUs."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params = module.params
        self.gpus: list[dict[str, Any]] = []
        self.skipped: list[str] = []

    def ask(self, command: list[str]) -> str | None:
        """Return what the driver's tool says, or None if it is missing and may be."""
        path = self.module.get_bin_path(command[0])
        if path is None and self.params["external"]:
            self.skipped.append(f"{command[0]} is not installed here; the driver comes from outside")
            return None
        if path is None:
            raise NotProved(f"{command[0]} is not installed, so the driver's packages are not complete.")
        code, output, error = self.module.run_command([path, *command[1:]])
        if code:
            raise NotProved(f"{command[0]} failed: {(error or output).strip()[:300]}. {DKMS}")
        return output

    def nvidia(self) -> None:
        """Compare the GPUs that nvidia-smi shows."""
        output = self.ask(nvidia_smi.COMMAND)
        if output is None:
            return
        self.gpus = nvidia_smi.parse_csv(output)
        if len(self.gpus) < self.params["count"]:
            shown = ", ".join(str(gpu["slot"]) for gpu in self.gpus) or "none"
            raise NotProved(
                f"nvidia-smi shows {len(self.gpus)} of {self.params['count']} GPUs ({shown}). "
                "The kernel says of the others: `journalctl -k -g NVRM`."
            )
        branches = {str(gpu["driver"]).partition(".")[0] for gpu in self.gpus}
        if self.params["branch"] and branches != {str(self.params["branch"])}:
            running = ", ".join(sorted(branches))
            raise NotProved(f"Branch {running} is running instead of {self.params['branch']}. {DKMS}")

    def amd(self) -> None:
        """Compare the GPUs that the kernel offers for computing, and add what rocm-smi says of them."""
        targets = compute_targets(Path("/"))
        if len(targets) < self.params["count"] and not self.params["external"]:
            raise NotProved(
                f"amdgpu offers {len(targets)} of {self.params['count']} GPUs for computing. Look for "
                "missing firmware with `journalctl -k -g amdgpu`; a GPU newer than the kernel needs another "
                "(Debian: from backports; Ubuntu: linux-generic-hwe-24.04)."
            )
        if output := self.ask(rocm_smi.COMMAND):
            self.gpus = rocm_smi.parse(output)

    def cuda(self) -> int:
        """Return how many CUDA devices CTranslate2 finds, -1 if it cannot be asked."""
        python = self.params["python"]
        if not python or not Path(python).exists():
            self.skipped.append(
                f"CUDA was not loaded: there is no {python or 'Python with CTranslate2'} here"
            )
            return -1
        code, output, error = self.module.run_command([python, "-c", CUDA])
        last = (error.strip().splitlines() or ["nothing"])[-1]
        if code and "ModuleNotFoundError" in last:
            self.skipped.append(f"CUDA was not loaded: {python} said {last}")
            return -1
        if code:
            raise NotProved(f"CTranslate2 cannot load CUDA: {last}")
        if int(output) < 1:
            raise NotProved(
                f"CTranslate2 ({python}) finds no CUDA device, though nvidia-smi shows one. {DKMS}"
            )
        return int(output)


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    proof = Proof(module)
    devices = -1
    try:
        if module.params["vendor"] == "nvidia":
            proof.nvidia()
            devices = proof.cuda()
        else:
            proof.amd()
    except (NotProved, nvidia_smi.SmiError, rocm_smi.SmiError) as error:
        module.fail_json(msg=str(error), gpus=proof.gpus)
    module.exit_json(changed=False, gpus=proof.gpus, cuda_devices=devices, skipped_parts=proof.skipped)


if __name__ == "__main__":
    main()
