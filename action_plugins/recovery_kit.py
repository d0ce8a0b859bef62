# SPDX-License-Identifier: Apache-2.0
"""Write the recovery kit, or tell how old it is; library/recovery_kit.py documents it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError, AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import vars_loader
from ansible.utils.display import Display

from hal.network.files import write_private
from hal.network.recovery_codes import code_svg, sheet_codes
from hal.network.recovery_kit import (
    PASSPHRASE_LENGTH,
    Controller,
    KitError,
    Places,
    Record,
    age,
    digests,
    pack,
    passphrase,
)

CONTROLLER = {
    "project": {"type": "path", "required": True},
    "inventory": {"type": "path", "required": True},
    "local": {"type": "path", "required": True},
    "leaves_out": {"type": "list", "elements": "str", "default": []},
    "administrator_key": {"type": "str", "default": ""},
    "key_files": {"type": "list", "elements": "path", "default": []},
}
ARGUMENT_SPEC = {
    "controller": {"type": "dict", "required": True, "options": CONTROLLER},
    "path": {"type": "path"},
    "on_paper": {"type": "dict", "default": {}, "no_log": True},
    "commit": {"type": "str", "default": ""},
    "replace": {"type": "bool", "default": False},
}


def controller_of(given: dict[str, Any]) -> Controller:
    """Return the controller that the option of that name describes."""
    inventory = Path(given["inventory"])
    fault, password = "", None
    try:
        password = vars_loader.get("vault_file").password(inventory / "vault.yml")
    except (AnsibleError, OSError) as error:
        fault = str(error)
    return Controller(
        places=Places(Path(given["project"]), Path.home()),
        inventory=inventory,
        local=Path(given["local"]),
        leaves_out=tuple(given["leaves_out"]),
        administrator_key=given["administrator_key"],
        key_files=tuple(map(Path, given["key_files"])),
        vault_password=password,
        vault_fault=fault,
    )


def on_paper(values: dict[str, Any], controller: Controller) -> dict[str, Any]:
    """Return what the sheet's codes hold: the vault's password beside what the play gives."""
    password = controller.vault_password
    return {**values, "vault_password": password.decode(errors="replace") if password else ""}


def asked() -> str:
    """Return the passphrase, typed twice.

    Raises:
        EOFError: nobody is there to type it.
        KitError: it was not typed the same twice.
    """
    try:
        first, second = (
            Display().prompt_until(f"{prompt}: ", private=True).decode()
            for prompt in (
                f"Passphrase of the kit ({PASSPHRASE_LENGTH} characters or more)",
                "The same again",
            )
        )
    except AnsiblePromptNoninteractive:
        raise EOFError from None
    except AnsiblePromptInterrupt:
        raise KitError("You have ended it. Nothing was written.") from None
    if first != second:
        raise KitError("The two passphrases differ. Nothing was written.")
    return first


class ActionModule(ActionBase):
    """The action, as Ansible finds it."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the kit if a path is given, and tell how old the last one is."""
        result = super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(ARGUMENT_SPEC)
        controller = controller_of(given["controller"])
        try:
            if given["path"]:
                result |= self._write(controller, Path(given["path"]), given)
        except (KitError, OSError) as error:
            return result | {"failed": True, "msg": str(error)}
        record = Record.read(controller.local)
        try:
            told = age(record, digests(controller.contents()) if record else {})
        except (KitError, OSError) as error:  # no reason for a run that only asks to fail
            told = f"Whether the recovery kit holds what this computer has now cannot be told: {error}"
        return {"changed": False, **result, "exists": record is not None, "age": told}

    def _write(self, controller: Controller, path: Path, given: dict[str, Any]) -> dict[str, Any]:
        """Write the kit and remember what it holds."""
        if path.exists() and not given["replace"]:
            raise KitError(
                f"{path} exists. Name another file, or say REPLACE=yes (-e replace=true). "
                "Nothing was written."
            )
        secret = passphrase(asked)
        if len(secret) < PASSPHRASE_LENGTH:
            raise KitError(
                f"The kit's passphrase must have {PASSPHRASE_LENGTH} characters or more, "
                "such as six words that nobody guesses."
            )
        vault = VaultLib(secrets=[("default", VaultSecret(secret.encode()))])
        contents = controller.contents()
        facts = {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "inventory": controller.places.name(controller.inventory),
            "local": controller.places.name(controller.local),
            "commit": given["commit"],
        }
        codes, left_out = sheet_codes(on_paper(given["on_paper"], controller), vault.encrypt)
        lacks = controller.lacks() + [
            f"{name}, of what the sheet's codes hold: it is too long. Note it elsewhere" for name in left_out
        ]
        if not given["on_paper"].get("network_backup_secret"):
            lacks.append("network_backup_secret, which opens the backups: it is not set")
        told = {"changed": True, "names": list(contents), "lacks": lacks, "codes": list(map(code_svg, codes))}
        told |= facts
        if self._task.check_mode:
            return told
        archive = pack(contents, facts, controller.public())
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, vault.encrypt(archive))
        Record(str(path), facts["made_at"], digests(contents)).write(controller.local)
        return told
