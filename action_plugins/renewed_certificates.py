# SPDX-License-Identifier: Apache-2.0
"""Renew the certificates among the secrets; library/renewed_certificates.py documents it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import vars_loader

from hal.network.certificates import AUTHORITY, renew
from hal.network.files import write_public
from hal.network.secret_variables import with_variables

ARGUMENT_SPEC = {
    "secrets_file": {"type": "path", "required": True},
    "secrets": {"type": "dict", "required": True, "no_log": True},
    "certificates": {"type": "dict", "required": True},
    "authority_file": {"type": "path"},
    "at_once": {"type": "bool", "default": False},
}


def _values(text: str) -> set[str]:
    """Return the values of a file of variables that are texts."""
    return {value for value in (yaml.safe_load(text) or {}).values() if isinstance(value, str)}


def _changed(text: str, replaced: dict[str, str]) -> str:
    """Return the text of variables with values replaced, and the comment above them."""
    held = yaml.safe_load(text)
    new = {
        name: replaced[value] for name, value in held.items() if isinstance(value, str) and value in replaced
    }
    return with_variables(text, held | new)


class ActionModule(ActionBase):
    """The action, as Ansible finds it."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Renew what is due, and return what was replaced by what."""
        result = super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(ARGUMENT_SPEC)
        path = Path(given["secrets_file"])
        held = {name: value for name, value in given["secrets"].items() if value}
        present = {name: names for name, names in given["certificates"].items() if name in held}
        if AUTHORITY not in held or not path.exists():
            return result | {"changed": False, "replaced": {}, "renewed": [], "due": []}
        try:
            renewal = renew(held, present, at_once=given["at_once"])
            vault = vars_loader.get("vault_file")
            standing = _values(vault.text(path)) if renewal.variables else set()
            here = {name: pem for name, pem in renewal.variables.items() if held[name] in standing}
            replaced = {held[name]: pem for name, pem in here.items()}
            if replaced and not self._task.check_mode:
                if given["authority_file"] and AUTHORITY in here:
                    write_public(Path(given["authority_file"]), here[AUTHORITY])
                vault.rewrite(path, lambda text: _changed(text, replaced))
        except ValueError as error:
            return result | {"failed": True, "msg": f"A certificate or its key cannot be read: {error}."}
        return result | {
            "changed": bool(replaced),
            "replaced": replaced,
            "renewed": [f"{name} {renewal.reasons[name]}" for name in here],
            "due": [
                *renewal.left,
                *(
                    f"{name} {why}. It does not stand in {path.name}: move it there, or renew it where it is."
                    for name, why in renewal.reasons.items()
                    if name not in here
                ),
            ],
        }
