#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Check the GPUs of a host: driver, temperature, memory, processes and whether they compute."""

from __future__ import annotations

from ansible.module_utils.health_module import COMMON_SPEC, run

DOCUMENTATION = r"""
module: gpu_health
short_description: Check the GPUs of a host - driver, temperature, memory and processes
description:
  - Asks the vendor's own tool, C(nvidia-smi) or C(rocm-smi), and compares it with limits.
  - Proves that they can be computed with - AMD's by what the kernel offers, NVIDIA's through CTranslate2.
extends_documentation_fragment:
  - health
options:
  vendor:
    description:
      - Whose GPUs they are. V(auto) takes the vendor whose tool is installed; a host without any GPU of
        theirs is healthy then, too.
    type: str
    choices: [auto, nvidia, amd]
    default: auto
  count:
    description: How many GPUs there must be at least.
    type: int
    default: 1
  driver:
    description: What the driver's version must begin with, such as V(580.). Any will do unless it is given.
    type: str
    default: ""
  python:
    description: A Python that has CTranslate2, which must find a CUDA device. Skipped where it is missing.
    type: path
    default: ""
  max_temperature_c:
    description: No GPU may be hotter than this. Most slow themselves down between 83 and 95 °C.
    type: float
    default: 85
  max_memory_percent:
    description:
      - No GPU may have more than this share of its memory in use. Not judged unless it is given, as a
        language model fills it on purpose.
    type: float
  max_processes:
    description: No more than this many processes may use the GPUs. Not judged unless it is given.
    type: int
author: HAL network
"""

EXAMPLES = r"""
- name: Check that the GPU is well
  gpu_health:
    vendor: nvidia
    driver: "580."
    max_temperature_c: 80
    max_memory_percent: 95
    max_processes: 2
"""

RETURN = r"""
extends_documentation_fragment:
  - health
version:
  description: The driver's.
  type: str
  returned: always
details:
  description:
    - The I(vendor), the I(gpus) (slot, name, driver, memory, temperature, power and utilisation of each) and
      the I(processes) that use them.
  type: dict
  returned: always
"""

ARGUMENT_SPEC = COMMON_SPEC | {
    "vendor": {"type": "str", "choices": ["auto", "nvidia", "amd"], "default": "auto"},
    "count": {"type": "int", "default": 1},
    "driver": {"type": "str", "default": ""},
    "python": {"type": "path", "default": ""},
    "max_temperature_c": {"type": "float", "default": 85},
    "max_memory_percent": {"type": "float"},
    "max_processes": {"type": "int"},
}
LIMITS = {
    "max_temperature_c": "temperature_c",
    "max_memory_percent": "memory_percent",
    "max_processes": "processes",
}


def main() -> None:
    run("gpu", ARGUMENT_SPEC, LIMITS)


if __name__ == "__main__":
    main()
