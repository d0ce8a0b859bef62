# SPDX-License-Identifier: Apache-2.0
"""Write the report of the checks as JSON and as a page; library/health_reports.py documents it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from hal.network.health.files import write_reports

ARGUMENT_SPEC = {
    "directory": {"type": "path", "required": True},
    "report": {"type": "dict", "required": True},
    "diagram": {"type": "str", "required": True},
}


class ActionModule(ActionBase):
    """The action, as Ansible finds it."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the files and return where the page is."""
        result = super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(ARGUMENT_SPEC)
        directory = Path(given["directory"])
        try:
            written = write_reports(directory, given["report"], given["diagram"])
        except OSError as error:
            remedy = f"Make {directory} writable, or move that file away."
            return result | {"failed": True, "msg": f"The report cannot be written: {error}. {remedy}"}
        return result | {
            "changed": False,
            "page": str(written.page),
            "runs": written.runs,
            "warnings": written.notes,
        }
