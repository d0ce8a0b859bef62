"""Which hosts the lab has: those of its inventory, and with a profile further ones.

A profile is a file of `inventories/profiles`. The one that was chosen is linked into the lab's inventory,
where Ansible and the lab's own programs find its hosts beside the others; git ignores the link.
"""

from __future__ import annotations

from hal.network.inventory import read_inventory
from lab import network
from lab.containers import Lab
from lab.loss import delete, machines
from lab.machine import LabError

DEFAULT = "default"


def names() -> list[str]:
    """Return the profiles that there are."""
    return [DEFAULT, *sorted(path.stem for path in network.PROFILES.glob("*.yml"))]


def current() -> str:
    """Return the profile that the lab has."""
    return network.PROFILE.resolve().stem if network.PROFILE.is_symlink() else DEFAULT


def choose(name: str) -> None:
    """Let the lab have a profile from now on.

    Raises:
        LabError: there is none of that name.
    """
    if name not in names():
        raise LabError(f"There is no profile {name}: there are {', '.join(names())}.")
    if name == current():
        return
    network.PROFILE.unlink(missing_ok=True)
    if name != DEFAULT:
        network.PROFILE.symlink_to(f"../{network.PROFILES.name}/{name}.yml")


def remove_undescribed(lab: Lab) -> list[str]:
    """Delete the machines that another profile describes and this one does not.

    Returns:
        A sentence for each machine that is not described; one that no profile knows is left alone.
    """
    described, told = network.addresses(), []
    others = {host for path in network.PROFILES.glob("*.yml") for host in read_inventory(path).hosts}
    for host in sorted(machines().keys() - described.keys()):
        if host in others:
            delete(lab, host)
            told.append(f"{host} is not in the profile {current()}, and was removed.")
        else:
            told.append(f"{host} is described nowhere, and was left alone.")
    return told
