#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Wait until a host has finished its boot: cloud-init has ended, and the clock is set."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: booted
short_description: Wait until a host has finished its boot
description:
  - A machine made from a cloud image answers SSH minutes before it is ready. Until cloud-init has ended,
    packages are being upgraded, so that apt is locked, and files may still be rewritten.
  - Waits for cloud-init's end, if it runs at this boot, and for a clock that agrees with the controller's.
    With a clock that is wrong, certificates and lists of packages are not yet, or no longer valid.
  - A host that restarts meanwhile, or lets nobody in yet, is waited for. One that does not answer at all is
    unreachable, as always.
  - That cloud-init failed at something is a warning. What matters of it fails by itself later on.
options:
  timeout:
    description: Seconds to wait.
    type: int
    default: 1800
  clock_tolerance:
    description: Seconds by which the host's clock may differ from the controller's.
    type: int
    default: 120
attributes:
  check_mode:
    support: full
    description: It changes nothing.
  diff_mode:
    support: none
    description: There is nothing to show.
author: HAL network
"""

EXAMPLES = r"""
- name: Wait until the host has finished its boot
  booted:
    timeout: 600
"""

RETURN = r"""
cloud_init:
  description: V(absent) if it does not run at this boot, else V(running) or V(ended).
  type: str
  returned: always
errors:
  description: What cloud-init failed at.
  type: list
  elements: str
  returned: always
time:
  description: The host's clock (Unix time).
  type: float
  returned: always
"""

STATE = Path("/run/cloud-init")
FAILED_UNITS = ["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "cloud-*"]


def look(module: AnsibleModule) -> dict[str, Any]:
    """Return how far cloud-init is, and what it failed at."""
    try:
        # Written when it has ended, whatever came of it.
        result = json.loads((STATE / "result.json").read_text())
    except FileNotFoundError:
        if not (STATE / "enabled").exists():
            return {"cloud_init": "absent", "errors": []}
        # One of its units that failed keeps the others from ever running.
        failed = [line.split()[0] for line in module.run_command(FAILED_UNITS)[1].splitlines()]
        errors = [f"{unit} failed" for unit in failed]
        return {"cloud_init": "ended" if failed else "running", "errors": errors}
    return {"cloud_init": "ended", "errors": [str(error) for error in result["v1"]["errors"]]}


def main() -> None:
    """Look once; the action plugin has the options and waits, as it also notices a restart."""
    module = AnsibleModule({}, supports_check_mode=True)
    module.exit_json(**look(module), time=time.time())


if __name__ == "__main__":
    main()
