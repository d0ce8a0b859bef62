# SPDX-License-Identifier: Apache-2.0
"""Which units are started with a host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.module_utils.reading.host import Host

LIST = ("systemctl", "list-unit-files", "--no-legend", "--plain", "--no-pager")
STATES = "--state=enabled,enabled-runtime,linked,generated"
PROPERTIES = "--property=Id,Description,FragmentPath,DropInPaths,ActiveState"
KINDS = (".service", ".timer", ".socket", ".path")


def read(host: Host) -> list[dict[str, Any]]:
    """Return the enabled units: [{name, description, path, active, ours}], of templates the name alone."""
    listed = host.output(*LIST, STATES)
    first = [line.split()[0] for line in listed.splitlines() if line.strip()]
    names = [name for name in first if name.endswith(KINDS)]
    templates = [name for name in names if "@." in name]
    single = [name for name in names if name not in templates]
    bare = {"description": "", "path": "", "active": False, "ours": False}
    return [*describe(host, single).values(), *({"name": name, **bare} for name in templates)]


def describe(host: Host, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what systemd knows of units, as `read` returns it, by their names."""
    shown = host.output("systemctl", "show", "--no-pager", PROPERTIES, *names) if names else ""
    units = {}
    for block in shown.split("\n\n"):
        about = dict(line.partition("=")[::2] for line in block.splitlines())
        if name := about.get("Id"):
            files = [about.get("FragmentPath", ""), *about.get("DropInPaths", "").split()]
            units[name] = {
                "name": name,
                "description": about.get("Description", ""),
                "path": files[0],
                "active": about.get("ActiveState") == "active",
                "ours": any(host.is_ours(path) for path in files if path),
            }
    return units
