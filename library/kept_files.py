#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Put back what HAL kept beside its own files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ansible.module_utils import own_files
from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: kept_files
short_description: Put back what HAL kept beside its own files
description:
  - Finds what M(managed_files) and M(haproxy_existing) kept, C(NAME.before-hal), and renames each, so that it
    takes the place of HAL's file. What somebody else has put there since stays, and so does what was kept.
options:
  roots:
    description: The directories in which it looks, with all that is below them.
    type: list
    elements: path
    default: [/etc, /usr/local/bin]
attributes:
  check_mode:
    support: full
    description: It says what would be put back.
  diff_mode:
    support: none
    description: The paths are told.
author: HAL network
"""

EXAMPLES = r"""
- name: Put back what HAL kept
  kept_files:
    roots: [/etc]
  register: kept
"""

RETURN = r"""
put_back:
  description: The paths that have what was there before HAL.
  type: list
  elements: str
  returned: success
left:
  description: The paths that have something which is neither HAL's nor what was kept.
  type: list
  elements: str
  returned: success
restart:
  description: The systemd services whose units were put back.
  type: list
  elements: str
  returned: success
"""

ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "roots": {"type": "list", "elements": "path", "default": ["/etc", "/usr/local/bin"]},
}
UNIT = re.compile(r"/systemd/system/([^/]+\.service)(\.d)?(/|$)")


def kept(roots: list[str]) -> list[Path]:
    """Return the paths of what was kept, sorted; nothing below a directory that was."""
    found = []
    for root in roots:
        for folder, directories, files in os.walk(root):
            names = [name for name in [*directories, *files] if name.endswith(own_files.SUFFIX)]
            directories[:] = [name for name in directories if name not in names]
            found += [Path(folder, name) for name in names]
    return sorted(found)


def is_replaceable(path: Path) -> bool:
    """Return whether at a path there is nothing, a link, or a file of HAL's."""
    if path.is_symlink() or not path.exists():
        return True
    return path.is_file() and own_files.is_ours(path.read_bytes())


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    put_back, left = [], []
    for copy in kept(module.params["roots"]):
        path = copy.with_name(copy.name.removesuffix(own_files.SUFFIX))
        if is_replaceable(path):
            put_back.append(str(path))
            if not module.check_mode:
                copy.replace(path)
        else:
            left.append(str(path))
    restart = {match[1] for match in map(UNIT.search, put_back) if match}
    module.exit_json(changed=bool(put_back), put_back=put_back, left=left, restart=sorted(restart))


if __name__ == "__main__":
    main()
