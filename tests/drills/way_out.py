"""The way out of the lab's hosts, closed and opened again on the controller."""

from __future__ import annotations

import subprocess

from lab import machine, network

COMMENT = "hal: no way out"


def iptables(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run iptables on the controller."""
    return subprocess.run(["iptables", "--wait", *arguments], capture_output=True, text=True, check=False)


def rules() -> list[list[str]]:
    """Return a rule for each host; what the hosts say to each other is not forwarded."""
    elsewhere = f"! --destination {machine.NETWORK}".split()
    drop = ["--match", "comment", "--comment", COMMENT, "--jump", "DROP"]
    return [["FORWARD", "--source", address, *elsewhere, *drop] for address in network.addresses().values()]


def close() -> None:
    """Let no host reach anything but the other hosts."""
    reopen()
    for rule in rules():
        done = iptables("--insert", *rule)
        assert done.returncode == 0, done.stderr


def reopen() -> None:
    """Remove the rules, also those that a killed run left."""
    for rule in rules():
        while iptables("--delete", *rule).returncode == 0:
            pass


def refused() -> int:
    """Return how many packets have been kept from leaving."""
    listing = iptables("--list", "FORWARD", "--numeric", "--verbose", "--exact").stdout
    return sum(int(line.split()[0]) for line in listing.splitlines() if COMMENT in line)
