# SPDX-License-Identifier: Apache-2.0
"""The containers of a host."""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.reading.host import Host


def read(host: Host) -> list[dict[str, Any]]:
    """Return the containers of Docker and podman, stopped ones too: [{engine, name, image, state, ports}]."""
    found = []
    if host.path("/run/docker.sock").exists() or host.path("/var/run/docker.sock").exists():
        for line in host.output("docker", "ps", "--all", "--format", "{{json .}}").splitlines():
            told = json.loads(line)
            found.append(
                {
                    "engine": "docker",
                    "name": told.get("Names", ""),
                    "image": told.get("Image", ""),
                    "state": told.get("State", ""),
                    "ports": told.get("Ports", ""),
                }
            )
    for told in json.loads(host.output("podman", "ps", "--all", "--format", "json") or "[]"):
        ports = [f"{one.get('host_port')}->{one.get('container_port')}" for one in told.get("Ports") or []]
        found.append(
            {
                "engine": "podman",
                "name": " ".join(told.get("Names") or []),
                "image": told.get("Image", ""),
                "state": told.get("State", ""),
                "ports": ", ".join(ports),
            }
        )
    return found
