"""What a Windows host has beside HAL: what stays, what is in HAL's way, and what nobody has named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hal.network.adoption.hosts import Found
from hal.network.catalogue import EVERYBODY, Described
from hal.network.model import is_network

WINDOWS = re.compile(r"(?i)System|[a-z]:\\Windows\\.*")  # where its own programs are
FILE_SHARING = 445  # the one port of Windows' own that a household uses without naming it
OWN_TASKS = "\\HAL\\"
OWN_SERVICE = re.compile(r"(?i)hal|qmsvc")
LOOPBACK = re.compile(r"127\..*|::1")

type Listener = Mapping[str, Any]
type Ports = Sequence[Mapping[str, Any]]


def windows_obstacles(holders: Sequence[Mapping[str, Any]], services: Mapping[str, Described]) -> list[str]:
    """Return what stands on a Windows host where HAL must, a sentence each.

    Args:
        holders: the processes on ports of HAL's that are not HAL's, [{port, process, name, script}].
        services: what the host runs as the inventory has it.
    """
    names = {service["port"]: name for name, service in services.items()}
    return [
        f"{' '.join(filter(None, (one['name'], one['script'])))} (process {one['process']}) on port "
        f"{one['port']}, where HAL's {names[one['port']]} is to listen: end it, and remove what starts it"
        for one in holders
    ]


def found_on_windows(
    reading: Mapping[str, Any],
    host: str,
    services: Mapping[str, Described],
    known_ports: Ports,
    holders: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what was found on a host: the fields of Found.

    Args:
        reading: what read_listeners.ps1 and read_windows.ps1 returned, together.
        host: its name.
        services: what it runs as the inventory has it, HAL's and the household's own.
        known_ports: the ports that the inventory names in any mode, [{port, protocol}].
        holders: as of `windows_obstacles`.
    """
    found = Found(in_the_way=windows_obstacles(holders, services))
    named = {service["port"]: name for name, service in services.items()}
    known = {one["port"] for one in known_ports} | named.keys()
    held = {one["port"] for one in holders}
    if not reading["refuses"]:
        found.changes.append(
            "its firewall is enabled, and refuses what no rule of the inventory or of yours opens"
        )
    for one in reading["listeners"]:
        if one["port"] in held or not _serves(one) or (_is_windows(one) and one["port"] not in named):
            continue
        if one["port"] in known:
            found.here += [f"{named[one['port']]}: {_told(one)}"] if one["port"] in named else []
        elif reading["refuses"] and not one["admitted"]:
            found.left.append(f"{_told(one)}, which its firewall lets nobody reach")
        else:
            found.unknown.append(f"{_told(one)}: not in network_foreign_services")
            found.services.setdefault(_entry(one), _service(one, host))
    found.left += _left(reading)
    found.unknown += [f"Not read: {sentence}" for sentence in reading["unread"]]
    return asdict(found)


def closed_on_windows(reading: Mapping[str, Any], known_ports: Ports) -> list[Listener]:
    """Return what others reach on a host until its firewall is enabled, and which no rule would open then.

    Args:
        reading: what read_listeners.ps1 returned.
        known_ports: as of `found_on_windows`.
    """
    known = {one["port"] for one in known_ports}
    return [
        one
        for one in reading["listeners"]
        if not (reading["refuses"] or one["admitted"] or one["port"] in known)
        and _serves(one)
        and not _is_windows(one)
    ]


def windows_refusal(closed: Sequence[Listener], host: str) -> list[str]:
    """Return why the firewall is left alone, and what to add to the inventory, a line each.

    Args:
        closed: what `closed_on_windows` returned, which is not empty.
        host: the host's name.
    """
    entries = {_entry(one): one["port"] for one in closed}
    return [
        f"The firewall of {host} would close what the inventory does not name: "
        f"{', '.join(_told(one) for one in closed)}.",
        "Nothing was changed. What others are to reach goes into group_vars/all/network.yml, with who may:",
        "network_foreign_services:",
        *(
            f"  {name}: {{group: {host}, port: {port}, protocol: tcp, clients: [any]}}"
            for name, port in entries.items()
        ),
        "All else is closed by the same run with -e firewall_close_unknown=true",
    ]


def _serves(listener: Listener) -> bool:
    """Return whether others than the host itself could reach a socket."""
    return any(not LOOPBACK.fullmatch(address) for address in listener["addresses"])


def _is_windows(listener: Listener) -> bool:
    """Return whether a socket is one that every Windows has."""
    return bool(WINDOWS.fullmatch(listener["path"])) and listener["port"] != FILE_SHARING


def _told(listener: Listener) -> str:
    """Return what a person is told of a socket."""
    if listener["port"] == FILE_SHARING:
        return f"the sharing of files on tcp port {FILE_SHARING}"
    service = f" (service {', '.join(listener['services'])})" if listener["services"] else ""
    program = listener["program"] or f"process {listener['process']}"
    return f"{program}{service} on tcp port {listener['port']}"


def _entry(listener: Listener) -> str:
    """Return what the inventory could call a socket's service."""
    if listener["port"] == FILE_SHARING:
        return "file_sharing"
    program = re.sub(r"\.exe$", "", listener["program"].lower()) or "service"
    return f"{re.sub(r'[^a-z0-9]+', '_', program).strip('_')}_{listener['port']}"


def _service(listener: Listener, host: str) -> dict[str, Any]:
    """Return the entry of a socket for network_foreign_services."""
    sources = list(listener["admitted"])
    everybody = not sources or any(not is_network(source) for source in sources)
    return {
        "description": _told(listener),
        "group": host,
        "port": listener["port"],
        "protocol": "tcp",
        "clients": [EVERYBODY] if everybody else sources,
    }


def _left(reading: Mapping[str, Any]) -> Iterator[str]:
    """Yield what HAL leaves as it is: services, tasks, users and disks."""
    for one in reading["services"]:
        if not OWN_SERVICE.match(one["name"]):
            yield f"service {one['name']} ({one['title']}) as {one['user']}"
    for one in reading["tasks"]:
        if not one["name"].startswith(OWN_TASKS):
            programs = ", ".join(one["programs"]) or "no program"
            yield f"task {one['name']}: {programs} as {one['user'] or 'nobody'}"
    for name in reading["users"]:
        yield f"user {name}"
    for one in reading["disks"]:
        yield f"disk {one['letter']}: ({one['type']}, {one['gib']} GiB)"
