# SPDX-License-Identifier: Apache-2.0
"""The controller's part of booted: it looks again and again, and knows what time it is."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

INTERVAL_S = 1.0
BOOTING = "pam_nologin"  # what lets nobody but root in until everything is mounted names itself
ARGUMENT_SPEC = {
    "timeout": {"type": "int", "default": 1800},
    "clock_tolerance": {"type": "int", "default": 120},
}


class ActionModule(ActionBase):
    """Runs the module until nothing is left to wait for."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the module told last; library/booted.py describes options and results."""
        super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(ARGUMENT_SPEC)
        deadline = time.monotonic() + given["timeout"]
        answered = False
        while True:
            try:
                result = self._execute_module(module_args={}, task_vars=task_vars or {})
                waits_for = self._missing(result, given["clock_tolerance"])
                if not waits_for:
                    for error in result.get("errors", []):
                        Display().warning(f"cloud-init failed at something: {error}")
                    return result
                answered = True
            except AnsibleConnectionFailure as failure:
                if not answered and BOOTING not in failure.message:
                    raise
                waits_for = f"it restarts and does not answer: {failure.message}"
                with contextlib.suppress(AnsibleConnectionFailure, AttributeError):  # not every kind can
                    self._connection.reset()
            if time.monotonic() > deadline:
                message = f"The host has not finished its boot within {given['timeout']} s: {waits_for}"
                return {"failed": True, "msg": message}
            time.sleep(INTERVAL_S)

    def _missing(self, result: dict[str, Any], tolerance: int) -> str:
        """Return what still has to come about, or nothing; also of a result that is a failure."""
        if "time" not in result:
            return ""
        if result["cloud_init"] == "running":
            return "cloud-init still runs. `tail /var/log/cloud-init-output.log` there tells at what it is."
        ahead = result["time"] - time.time()
        if abs(ahead) > tolerance:
            side = "ahead of" if ahead > 0 else "behind"
            return f"its clock is {abs(ahead):.0f} s {side} the controller's. `timedatectl` there tells why."
        return ""
