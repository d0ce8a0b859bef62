#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Read which Debian packages a host has installed, and which Python packages HAL's releases hold."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: installed_software
short_description: Read the packages of a host and of HAL's releases on it
description:
  - Asks dpkg for the installed packages, and reads what is installed in the current releases that
    M(python_release) has made. Nothing is changed.
  - M(ansible.builtin.package_facts) needs python3-apt, which minimal hosts lack, and names no source
    packages, by which Debian and Ubuntu publish their advisories.
  - A host without dpkg has no Debian packages.
options:
  root:
    description: The directory below which each service has its releases.
    type: path
    default: /opt/hal
attributes:
  check_mode:
    support: full
    description: It reads the same.
  diff_mode:
    support: none
    description: There is nothing to show.
author: HAL network
"""

EXAMPLES = r"""
- name: Read what is installed
  installed_software:
    root: /opt/hal
  register: installed
"""

RETURN = r"""
packages:
  description: The installed Debian packages with name, version, architecture, source and source_version.
  type: list
  elements: dict
  returned: success
releases:
  description: >-
    Each current release: its path, its distributions with name and version, and its requirements, the lock
    that it was installed from.
  type: list
  elements: dict
  returned: success
"""

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {"root": {"type": "path", "default": "/opt/hal"}}
FIELDS = {
    "name": "${Package}",
    "version": "${Version}",
    "architecture": "${Architecture}",
    "source": "${source:Package}",
    "source_version": "${source:Version}",
}
COMMAND = ["--show", "--showformat", "\\t".join(["${db:Status-Status}", *FIELDS.values()]) + "\\n"]


def read_packages(module: AnsibleModule) -> list[dict[str, str]]:
    """Return the installed packages. What was removed and has left its settings behind is none."""
    program = module.get_bin_path("dpkg-query")
    if not program:
        return []
    output = module.run_command([program, *COMMAND], check_rc=True)[1]
    rows = [line.split("\t") for line in output.splitlines()]
    return [dict(zip(FIELDS, values, strict=True)) for status, *values in rows if status == "installed"]


def read_release(link: Path) -> dict[str, Any]:
    """Return what is installed in the release that a link leads to."""
    places = [str(place) for place in link.glob("lib/python3*/site-packages")]
    found = {(one.metadata["Name"], one.version) for one in distributions(path=places)}
    lock = link / "requirements.txt"
    return {
        "path": str(link.parent),
        "distributions": [{"name": name, "version": version} for name, version in sorted(found)],
        "requirements": lock.read_text(encoding="utf-8") if lock.exists() else "",
    }


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    try:
        releases = [read_release(link) for link in sorted(Path(module.params["root"]).glob("*/current"))]
    except OSError as error:
        module.fail_json(msg=f"A release cannot be read: {error}.")
    module.exit_json(changed=False, packages=read_packages(module), releases=releases)


if __name__ == "__main__":
    main()
