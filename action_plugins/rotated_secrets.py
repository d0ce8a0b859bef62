# SPDX-License-Identifier: Apache-2.0
"""Replace secrets and keep the former ones beside them; library/rotated_secrets.py documents it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import vars_loader

from hal.network.rotation import RotationError, begin, end, replaced
from hal.network.secret_variables import with_variables

ARGUMENT_SPEC = {
    "secrets_file": {"type": "path", "required": True},
    "only": {"type": "raw", "default": ""},
    "unfit": {"type": "dict", "default": {}},
    "clients": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["begun", "replaced", "ended"], "default": "begun"},
    "replacements": {"type": "dict", "default": {}, "no_log": True},
}


class ActionModule(ActionBase):
    """The action, as Ansible finds it."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Change the file of the secrets, and return what its variables are now."""
        result = super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(ARGUMENT_SPEC)
        path = Path(given["secrets_file"])
        vault = vars_loader.get("vault_file")
        told: dict[str, Any] = {}
        try:
            held = yaml.safe_load(vault.text(path)) or {}
            if given["state"] == "ended":
                variables = end(held)
            elif given["state"] == "replaced":
                variables = replaced(held, given["replacements"])
            else:
                done = begin(held, given["only"] or "", given["unfit"], given["clients"])
                variables = done.variables
                told = {
                    "kinds": list(done.kinds),
                    "begun": list(done.begun),
                    "left_alone": done.skipped,
                    "kept": list(done.kept),
                }
        except OSError as error:
            return result | {"failed": True, "msg": f"{path} cannot be read: {error.strerror}."}
        except RotationError as error:
            return result | {"failed": True, "msg": str(error)}
        changed = variables != held
        if changed and not self._task.check_mode:
            vault.rewrite(path, lambda text: with_variables(text, variables))
        return result | told | {"changed": changed, "variables": variables}
