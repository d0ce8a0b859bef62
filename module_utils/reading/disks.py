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
    "smb3",
    "ceph",
    "zfs",
    "9p",
    "virtiofs",
    "glusterfs",
)  # without a device
# Several disks as one, or a place elsewhere; these are of a session or of a container.
FUSE, OF_A_SESSION = (
    "fuse.",
    ("fuse.gvfsd-fuse", "fuse.portal", "fuse.lxcfs", "fuse.snapfuse", "fuse.fuse-overlayfs"),
)


def read(host: Host) -> list[dict[str, Any]]:
    """Return the mounted disks beside the system's own: [{path, device, type, gib}].

    The device of a subvolume, or of a directory that is mounted elsewhere, has that in brackets.
    """
    said = host.output(*COMMAND)
    found = []
    for mount in json.loads(said or '{"filesystems": []}')["filesystems"]:
        path, device = mount["target"], mount["source"] or ""
        kind = mount["fstype"]
        is_fuse = kind.startswith(FUSE) and kind not in OF_A_SESSION
        is_disk = device.startswith("/dev/") or is_fuse or kind in OTHER_TYPES
        if path == "/" or SYSTEM.match(path) or not is_disk:
            continue
        gib = round(int(mount["size"] or 0) / GIB, 1)
        found.append({"path": path, "device": device, "type": mount["fstype"], "gib": gib})
    return found
