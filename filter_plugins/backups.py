"""What of a host is backed up, and the credentials of its repository."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

Groups = dict[str, list[str]]
OF_AN_ITEM = ("kind", "paths", "every", "unit")


def backup_items(backups: dict[str, dict[str, Any]], host: str, groups: Groups) -> dict[str, dict[str, Any]]:
    """Return what of a host is backed up.

    Args:
        backups: network_backups, as inventories/common/backups.yml has it.
        host: the inventory's name of the host.
        groups: the inventory's groups.

    Returns:
        {item: {kind, paths, every, unit}}; empty for a host without any.
    """
    return {
        name: {key: backup[key] for key in OF_AN_ITEM if key in backup}
        for name, backup in backups.items()
        if host in groups.get(backup["group"], [])
        and not any(host in groups.get(group, []) for group in backup.get("except", []))
    }


def backup_hosts(backups: dict[str, dict[str, Any]], groups: Groups) -> list[str]:
    """Return the hosts of which anything is backed up, sorted."""
    hosts = sorted({host for names in groups.values() for host in names})
    return [host for host in hosts if backup_items(backups, host, groups)]


def backup_access(host: str, secret: str) -> dict[str, str]:
    """Return the credentials of a host's repository, all derived from one secret: a new host needs none.

    Args:
        host: the inventory's name of the host.
        secret: network_backup_secret; whoever has it can open every repository.

    Returns:
        {user, password, encryption, htpasswd}: whom the backup server lets in, what the repository is
        encrypted with, and the line of the server's password file. The passwords are 256 bits long: for such,
        its unsalted SHA-1 is as good as a slow digest.
    """

    def derived(purpose: str) -> str:
        return hmac.new(secret.encode(), f"{purpose}:{host}".encode(), hashlib.sha256).hexdigest()

    password = derived("access")
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()  # noqa: S324 - of a random secret
    return {
        "user": host,
        "password": password,
        "encryption": derived("encryption"),
        "htpasswd": f"{host}:{{SHA}}{digest}",
    }


class FilterModule:
    """The filters of the backups."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"backup_access": backup_access, "backup_hosts": backup_hosts, "backup_items": backup_items}
