#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Write a file that a firewall reads by itself, and restore it unless the controller comes back in."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.firewall_guard import FirewallGuard
from ansible.module_utils.own_files import copy_of, is_ours

DOCUMENTATION = r"""
module: guarded_firewall_file
short_description: Write the file of a firewall, to be restored unless the controller comes back in
description:
  - For a firewall that reads its file by itself when it has changed, as Proxmox does with C(cluster.fw).
  - Before a change the timer C(hal-firewall-revert) is started, which after O(revert_after) seconds restores
    the file, or removes it if there was none, also after a restart meanwhile. Stop and disable the timer once
    a new connection has proved that the host can still be reached.
  - A timer that an earlier, interrupted run left behind is started anew and reported as a change, so that the
    caller stops it this time. It still restores what was there before that run.
  - What somebody else wrote is kept once beside it, as C(cluster.fw.before-hal).
options:
  path:
    description: The file. Its directory exists.
    type: path
    required: true
  content:
    description: What it has to say.
    type: str
    required: true
  revert_after:
    description: Seconds after which the change undoes itself.
    type: int
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: HAL network
"""

EXAMPLES = r"""
- name: Write the rules of Proxmox's firewall
  guarded_firewall_file:
    path: /etc/pve/firewall/cluster.fw
    content: "{{ lookup('ansible.builtin.template', 'cluster.fw.j2') }}"
    revert_after: 60
"""

RETURN = r"""
armed:
  description: Whether the timer runs that undoes the change.
  type: bool
  returned: success
"""

ARGUMENT_SPEC = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str", "required": True},
    "revert_after": {"type": "int", "required": True},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    path, content = Path(module.params["path"]), module.params["content"]
    before = path.read_text() if path.exists() else ""
    guard = FirewallGuard(module)
    guard.read()
    changed = before != content or guard.armed
    if changed and not module.check_mode:
        guard.start(module.params["revert_after"], [path])
        kept = copy_of(path)
        if before and not is_ours(before.encode()) and not kept.exists():
            kept.write_text(before)
        # Beside it, for the firewall must not read half of it. Proxmox's file system has modes of its own.
        new = path.with_name(f"{path.name}.new")
        new.touch(0o640)
        new.write_text(content)
        new.replace(path)
    module.exit_json(changed=changed, armed=guard.armed, diff={"before": before, "after": content})


if __name__ == "__main__":
    main()
