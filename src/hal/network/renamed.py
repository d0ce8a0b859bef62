"""Variables that had another name, or that nothing reads any more: setting one stops a run.

Ansible ignores a variable that nothing reads, so a setting under its old name would have no effect and nobody
would be told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

_NVIDIA_REPOSITORY = (
    "delete it: NVIDIA's own repository is no longer added. To have a driver from there, install it by hand "
    "once; a driver that is loaded is kept"
)
# The old name, and the new one or what to do instead.
RENAMED = {
    "artifacts_project": "project_directory",
    "artifacts_python_version": "network_python_versions, a list",
    "backup_restore": "start_empty, the hosts that are to start without their data, as in -e start_empty=qm1",
    "gpu_driver_keyring_checksum": _NVIDIA_REPOSITORY,
    "gpu_driver_keyring_url": _NVIDIA_REPOSITORY,
    "gpu_driver_repository": _NVIDIA_REPOSITORY,
    "network_administrator": "network_administrator_user",
    "network_administrators": "network_administrator_networks",
    "network_flows": "network_admitted_networks",
    "network_gateway": "network_router",
}


def renamed_variables(variables: Mapping[str, Collection[str]], where: str = "for") -> list[str]:
    """Return a line for each old name that is set, as `old → new`; none when there is nothing to rename.

    Args:
        variables: the names of the variables that each host has, or that each file sets. A variable that only
            some of them have is listed with these, so that it is found.
        where: the preposition before them: a variable is set "for" a host and "in" a file.
    """
    found: dict[str, list[str]] = {}
    for host in variables:
        names = variables[host]  # once: Ansible collects a host's variables anew at each look
        for old in RENAMED:
            if old in names:
                found.setdefault(old, []).append(host)
    return [
        f"{old} → {RENAMED[old]}"
        + ("" if len(hosts) == len(variables) else f" (set {where} {', '.join(hosts)})")
        for old, hosts in sorted(found.items())
    ]
