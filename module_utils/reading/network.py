# SPDX-License-Identifier: Apache-2.0
"""What listens on a host, and which rules of its firewall were made by hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible.module_utils.listening_sockets import (
    ADDRESSES,
    COMMAND,
    interfaces_of_addresses,
    listening_sockets,
)
from ansible.module_utils.reading import units
from ansible.module_utils.reading.host import Host
from ansible.module_utils.ufw_firewall import Firewall, FirewallError


def read_listeners(host: Host) -> list[dict[str, Any]]:
    """Return what listens, as Listener has it, and `serves`, `inside`, `ours`, `entry` and `text` of each."""
    if not host.has(COMMAND[0]):
        host.unread.append("What listens cannot be read: there is no `ss`; install iproute2.")
    interfaces = interfaces_of_addresses(host.output(*ADDRESSES) or "[]")
    found = listening_sockets(host.output(*COMMAND), interfaces)
    described = units.describe(host, sorted({one.unit for one in found if one.unit}))
    return [
        asdict(one)
        | {
            "serves": one.serves,
            "inside": one.is_inside,
            "ours": described.get(one.unit, {}).get("ours", False),
            "entry": one.entry,
            "text": str(one),
        }
        for one in found
    ]


def read_firewall(host: Host) -> dict[str, Any]:
    """Return whether ufw refuses what is not allowed, and the rules that HAL did not make.

    Returns:
        {enabled, refuses, rules: [{text, ports: [[port, protocol]], allows, source}]}; `source` is an address
        or a network, or empty where a rule is for all.
    """
    try:
        firewall = Firewall(host.module, required=False)
        by_hand = firewall.foreign(set())
        rules = [
            {
                "text": line,
                "ports": [list(port) for port in sorted(firewall.ports(line))],
                "allows": line.startswith(("allow", "limit")),
                "source": _source(line),
            }
            for line in by_hand
        ]
    except (FirewallError, OSError) as error:
        host.unread.append(f"The firewall cannot be read: {error}")
        return {"enabled": False, "refuses": False, "rules": []}
    enabled = firewall.settings["enabled"] == "yes"
    return {
        "enabled": enabled,
        "refuses": enabled and firewall.settings["incoming"] in ("deny", "reject"),
        "rules": rules,
    }


def _source(rule: str) -> str:
    """Return where a rule lets connections come from; empty: from everywhere."""
    _, found, rest = rule.partition(" from ")
    return rest.split()[0] if found and rest.split()[0] != "any" else ""
