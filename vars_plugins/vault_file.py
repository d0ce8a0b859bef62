"""The inventory's vault.yml as variables, and what is wrong with it as a sentence instead of an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret, VaultSecretsContext, is_encrypted
from ansible.plugins.vars import BaseVarsPlugin
from ansible.utils.display import Display

DOCUMENTATION = r"""
name: vault_file
short_description: Variables of every host from the vault.yml beside the inventory
description:
  - Reads C(vault.yml) in the directory of the inventory, which must be encrypted with C(ansible-vault).
  - The password is one that Ansible was given (C(--ask-vault-pass), C(ANSIBLE_VAULT_PASSWORD_FILE)), or
    stands in C(~/.config/hal/vault-password).
  - Ansible itself would end with an error when a file below C(group_vars) cannot be decrypted. Here the play
    goes on without the secrets, and C(network_vault_fault) says why; playbooks/validate.yml names it.
  - An inventory without a C(vault.yml) is left alone.
options: {}
"""

PASSWORD_FILE = Path("~/.config/hal/vault-password")
PRIVATE = 0o600
_read: dict[Path, dict[str, Any]] = {}


class VaultFaultError(AnsibleError):
    """What is wrong with the vault, and what to do."""


def _secrets() -> list[tuple[str, Any]]:
    """Return the passwords that Ansible was given, else the one in the household's file.

    Raises:
        VaultFaultError: there is none, or others may read it.
    """
    context = VaultSecretsContext.current(optional=True)
    if context is not None and context.secrets:
        return list(context.secrets)
    path = PASSWORD_FILE.expanduser()
    if not path.is_file():
        raise VaultFaultError(
            f"cannot be decrypted: its password is not in {PASSWORD_FILE}. Put it there (chmod 600), "
            "or set ANSIBLE_VAULT_PASSWORD_FILE, or run with --ask-vault-pass"
        )
    if path.stat().st_mode & 0o777 & ~PRIVATE:
        raise VaultFaultError(f"is not opened: others may read its password. Run `chmod 600 {PASSWORD_FILE}`")
    return [("default", VaultSecret(path.read_bytes().strip()))]


def _decrypted(data: bytes) -> tuple[bytes, VaultSecret]:
    """Return what an encrypted file holds, and the password that has opened it.

    Raises:
        VaultFaultError: none of the passwords is its.
    """
    secrets = _secrets()
    try:
        text, _, secret = VaultLib(secrets=secrets).decrypt_and_get_vault_id(data)
    except AnsibleError:
        raise VaultFaultError(
            f"cannot be decrypted: its password is another one. See {PASSWORD_FILE}, "
            "ANSIBLE_VAULT_PASSWORD_FILE and --ask-vault-pass"
        ) from None
    return text, secret


def _load(path: Path) -> dict[str, Any]:
    """Return what the vault holds.

    Raises:
        VaultFaultError: it cannot be used.
    """
    data = path.read_bytes()
    if not is_encrypted(data):
        raise VaultFaultError(
            "is not encrypted, and nothing in it is used. Run "
            f"`ansible-vault encrypt --vault-password-file {PASSWORD_FILE} {path}`; "
            "were it ever committed or shared, change every secret in it"
        )
    text, _ = _decrypted(data)
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)  # the message itself would quote a secret
        raise VaultFaultError(f"holds no YAML{f' (line {where.line + 1})' if where else ''}") from None
    if not isinstance(content, dict):
        raise VaultFaultError("holds no variables: each line is `name: value`")
    return content


class VarsModule(BaseVarsPlugin):
    """The plugin as Ansible finds it."""

    REQUIRES_ENABLED = True
    is_stateless = True

    def get_vars(self, loader: Any, path: str, entities: Any, cache: bool = True) -> dict[str, Any]:
        """Return the vault's variables for the group all."""
        named = entities if isinstance(entities, list) else [entities]
        if not any(entity.name == "all" for entity in named):
            return {}
        vault = Path(path) / "vault.yml"
        if vault not in _read:
            _read[vault] = self._variables(vault)
        return _read[vault]

    def password(self, path: Path) -> bytes | None:
        """Return the password of an encrypted file; None: it is not encrypted, or not there.

        Raises:
            AnsibleError: none of the passwords is its.
        """
        data = path.read_bytes() if path.exists() else b""
        return _decrypted(data)[1].bytes if is_encrypted(data) else None

    def text(self, path: Path) -> str:
        """Return the text of a file of secrets, encrypted or not.

        Raises:
            AnsibleError: it cannot be decrypted.
        """
        data = path.read_bytes()
        return (_decrypted(data)[0] if is_encrypted(data) else data).decode()

    def rewrite(self, path: Path, change: Callable[[str], str]) -> None:
        """Change the text of a file of secrets; an encrypted one stays so, with the same password.

        Raises:
            AnsibleError: it cannot be decrypted.
        """
        from hal.network.files import write_private  # noqa: PLC0415 - who lacks it is told by another plugin

        data = path.read_bytes()
        if not is_encrypted(data):
            write_private(path, change(data.decode()).encode())
            return
        text, secret = _decrypted(data)
        write_private(path, VaultLib().encrypt(change(text.decode()), secret))

    def _variables(self, vault: Path) -> dict[str, Any]:
        if not vault.exists():
            return {}
        try:
            return _load(vault) | {"network_vault_fault": ""}
        except (VaultFaultError, OSError, AnsibleError) as error:
            Display().warning(f"{vault} {error}.")
            return {"network_vault_fault": f"it {error}"}
