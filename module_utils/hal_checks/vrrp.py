"""The address that this host shares with others, as its own programs tell it."""

from __future__ import annotations

import json
import subprocess

from ansible.module_utils.hal_checks.result import CheckFailed, Found
from ansible.module_utils.hal_checks.target import Target

UNIT = "keepalived"
HOLDS = "holds"


def _said(target: Target, *command: str) -> str:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=target.timeout, check=False
        ).stdout
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise CheckFailed(f"`{' '.join(command)}` does not answer: {error}") from None


def vrrp(target: Target) -> Found:
    """Check that this host can take the address over; `holds` in the details tells whether it has it."""
    state = _said(target, "systemctl", "is-active", UNIT).strip()
    if state != "active":
        raise CheckFailed(
            f"{UNIT} is {state or 'not there'}, so {target.host} takes {target.address} over from nobody",
            f"On {target.host}: `journalctl -u {UNIT} -n 30`. Then run site.yml",
        )
    interfaces = json.loads(_said(target, "ip", "-json", "-4", "address") or "[]")
    addresses = {entry["local"] for interface in interfaces for entry in interface.get("addr_info", [])}
    holds = target.address in addresses
    told = f"has {target.address}" if holds else f"stands by for {target.address}"
    return Found(told, details={HOLDS: holds})
