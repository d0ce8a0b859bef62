# SPDX-License-Identifier: Apache-2.0
"""Give devices tokens and take others' away; library/device_tokens.py documents it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.loader import vars_loader

from hal.network.devices import TOKENS, DeviceError, change, changed_text, tokens_in

ARGUMENT_SPEC = {
    "secrets_file": {"type": "path", "required": True},
    "add": {"type": "list", "elements": "str", "default": []},
    "revoke": {"type": "list", "elements": "str", "default": []},
    "replace": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """The action, as Ansible finds it."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Change the file of the secrets, and return the devices' tokens as they are now."""
        result = super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(ARGUMENT_SPEC)
        path = Path(given["secrets_file"])
        vault = vars_loader.get("vault_file")
        try:
            done = change(
                tokens_in(vault.text(path)), given["add"], given["revoke"], replace=given["replace"]
            )
        except OSError as error:
            return result | {"failed": True, "msg": f"{path} cannot be read: {error.strerror}."}
        except DeviceError as error:
            return result | {"failed": True, "msg": str(error)}
        changed = bool(done.added or done.revoked)
        if changed and not self._task.check_mode:
            vault.rewrite(path, lambda text: changed_text(text, done.tokens))
        return result | {
            "changed": changed,
            TOKENS: done.tokens,
            "added": list(done.added),
            "revoked": list(done.revoked),
        }
