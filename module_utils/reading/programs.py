# SPDX-License-Identifier: Apache-2.0
"""Which servers that HAL configures whole were set up by somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.reading import units
from ansible.module_utils.reading.host import Host


@dataclass(frozen=True)
class Program:
    """A server whose settings HAL replaces, as it is for HAL alone.

    Attributes:
        settings: the files that say what it serves.
        directories: those whose files all do.
        hals: what is there as soon as HAL has configured it.
    """

    settings: tuple[str, ...]
    hals: str
    directories: tuple[str, ...] = ()


PROGRAMS = {
    "nginx": Program(
        settings=("/etc/nginx/nginx.conf",),
        directories=("/etc/nginx/sites-enabled", "/etc/nginx/conf.d"),
        hals="/etc/systemd/system/nginx.service.d/hal.conf",
    ),
    "prometheus": Program(settings=("/etc/prometheus/prometheus.yml",), hals="/etc/prometheus/rules/hal.yml"),
    "prometheus-alertmanager": Program(
        settings=("/etc/prometheus/alertmanager.yml",), hals="/etc/prometheus/rules/hal.yml"
    ),
    "restic-rest-server": Program(
        settings=("/etc/default/restic-rest-server",),
        hals="/etc/systemd/system/restic-rest-server.service.d/hal.conf",
    ),
}


def read(host: Host) -> dict[str, list[str]]:
    """Return the files that somebody wrote of each server that runs and that HAL has not configured."""
    described = units.describe(host, [f"{name}.service" for name in PROGRAMS])
    found = {}
    for name, program in PROGRAMS.items():
        runs = described.get(f"{name}.service", {}).get("active", False)
        if not runs or host.path(program.hals).exists():
            continue
        files = [*program.settings, *(file for place in program.directories for file in host.files(place))]
        if theirs := [file for file in files if _is_theirs(host, file)]:
            found[name] = theirs
    return found


def _is_theirs(host: Host, path: str) -> bool:
    """Return whether neither a package nor HAL wrote a file, or what a link leads to."""
    place = host.path(path)
    if not place.is_file():
        return False
    original = Path("/", place.resolve().relative_to(host.path("/").resolve()))
    return not host.is_ours(path) and not host.is_packaged(original)
