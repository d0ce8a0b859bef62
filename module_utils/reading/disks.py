# SPDX-License-Identifier: Apache-2.0
"""The disks that are mounted on a host, beside the system's own."""

from __future__ import annotations

import json
import re
from typing import Any

from ansible.module_utils.reading.host import Host

GIB = 1024**3
COMMAND = ("findmnt", "--json", "--real", "--list", "--bytes", "--output", "TARGET,SOURCE,FSTYPE,SIZE")
SYSTEM = re.compile(r"/(boot|efi|snap|etc|run|proc|sys|dev)(/|$)")
OTHER_TYPES = (
    "nfs",
    "nfs4",
    "cifs",
    "ceph",
    "fuse.sshfs",
    "zfs",
    "9p",
    "virtiofs",
)  # whose source is no device


def read(host: Host) -> list[dict[str, Any]]:
    """Return the mounted disks beside the system's own: [{path, device, type, gib}]."""
    said = host.output(*COMMAND)
    found = []
    for mount in json.loads(said or '{"filesystems": []}')["filesystems"]:
        path, device = mount["target"], mount["source"] or ""
        is_disk = device.startswith("/dev/") and "[" not in device
        if path == "/" or SYSTEM.match(path) or not (is_disk or mount["fstype"] in OTHER_TYPES):
            continue
        gib = round(int(mount["size"] or 0) / GIB, 1)
        found.append({"path": path, "device": device, "type": mount["fstype"], "gib": gib})
    return found
