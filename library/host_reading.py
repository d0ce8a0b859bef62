#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Read what a Linux host has and does, whoever brought it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.reading import (
    containers,
    disks,
    network,
    ollama,
    people,
    programs,
    schedules,
    units,
)
from ansible.module_utils.reading.host import Host

DOCUMENTATION = r"""
module: host_reading
short_description: Read what a Linux host has and does
description:
  - Reads what listens with its programs, the units that are started with the host, the firewall's rules made
    by hand, who can log in, what cron runs, containers, Ollama with its models, servers that somebody set up
    and HAL would configure, and mounted disks. Nothing is changed, and nothing needs to be installed.
  - Of keys it tells fingerprint and comment, of cron's commands the program. Passwords are in neither.
  - What cannot be read is told as a sentence and hides nothing else.
options:
  parts:
    description: What is read.
    type: list
    elements: str
    choices: [listeners, units, firewall, users, schedules, containers, ollama, programs, disks]
    default: [listeners, units, firewall, users, schedules, containers, ollama, programs, disks]
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
- name: Read what the host has and does
  host_reading:
    parts: [listeners, users]
  register: reading
"""

RETURN = r"""
listeners:
  description: >-
    Each socket that takes connections or datagrams: protocol, address, port, program, unit, interface;
    whether it serves others, serves inner networks only, and is of a unit that HAL wrote (ours); what the
    inventory could call it (entry), and what a person is told (text).
  type: list
  elements: dict
  returned: if asked for
units:
  description: The enabled units with name, description, path, active and ours.
  type: list
  elements: dict
  returned: if asked for
firewall:
  description: >-
    Whether ufw is enabled and refuses, and the rules made by hand, each with text, ports, allows and source.
  type: dict
  returned: if asked for
users:
  description: Who can log in, with uid, shell, and keys, each with type, fingerprint and comment.
  type: list
  elements: dict
  returned: if asked for
schedules:
  description: What cron runs and neither a package nor HAL brought, with path, user, when and program.
  type: list
  elements: dict
  returned: if asked for
containers:
  description: The containers of Docker and podman with engine, name, image, state and ports.
  type: list
  elements: dict
  returned: if asked for
ollama:
  description: >-
    The owner of Ollama, V(nobody), V(hal) or V(household); its program, unit, drop_ins and directory of
    models; the models with name, digest and gib.
  type: dict
  returned: if asked for
programs:
  description: >-
    The files that somebody wrote for each server that runs, such as V(nginx), and that HAL configures whole
    and has not configured yet.
  type: dict
  returned: if asked for
disks:
  description: The mounted disks beside the system's with path, device, type and gib.
  type: list
  elements: dict
  returned: if asked for
system:
  description: V(linux), or what else the host runs, of which nothing is read.
  type: str
  returned: always
unread:
  description: A sentence for each thing that could not be read.
  type: list
  elements: str
  returned: always
"""

LINUX = "linux"
PARTS: dict[str, Callable[[Host], Any]] = {
    "listeners": network.read_listeners,
    "units": units.read,
    "firewall": network.read_firewall,
    "users": people.read,
    "schedules": schedules.read,
    "containers": containers.read,
    "ollama": ollama.read,
    "programs": programs.read,
    "disks": disks.read,
}
ARGUMENT_SPEC: dict[str, dict[str, Any]] = {
    "parts": {"type": "list", "elements": "str", "choices": [*PARTS], "default": [*PARTS]},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    if not sys.platform.startswith(LINUX):
        module.exit_json(changed=False, system=sys.platform, unread=[])
    host = Host(module)
    found: dict[str, Any] = {}
    for part in module.params["parts"]:
        try:
            found[part] = PARTS[part](host)
        except (ValueError, LookupError, TypeError, OSError) as error:
            host.unread.append(f"The {part} cannot be read: {error}.")
            found[part] = {} if part in ("firewall", "ollama", "programs") else []
    module.exit_json(changed=False, system=LINUX, **found, unread=host.unread)


if __name__ == "__main__":
    main()
