"""Which systems the hosts may have: what runs there needs a Python for which the network keeps wheels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

RELEASES = "Debian 13 or Ubuntu 24.04 or 26.04"


def system_faults(systems: Mapping[str, Mapping[str, Any]], versions: Sequence[str]) -> list[str]:
    """Return a sentence for each host whose Python has no wheels, with what to do; none when all have.

    Args:
        systems: facts of each host, as Ansible gathers them. Only Debian's kind takes wheels from here.
        versions: the versions of Python that there are wheels for, such as 3.13.
    """
    faults = []
    for host, facts in systems.items():
        if facts.get("os_family") != "Debian":
            continue
        python = facts["python"]["version"]
        version = f"{python['major']}.{python['minor']}"
        if version in versions:
            continue
        newer = (python["major"], python["minor"]) > max(_numbers(known) for known in versions)
        advice = (
            f"add {version!r} to network_python_versions in playbooks/group_vars/all.yml"
            if newer
            else f"upgrade it to {RELEASES}"
        )
        faults.append(
            f"{host} runs {facts['distribution']} {facts['distribution_version']} with Python {version}, "
            f"and there are wheels for {', '.join(versions)}: {advice}"
        )
    return faults


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)
