"""What adoption says of a Windows host, and what its firewall would close."""

from __future__ import annotations

from typing import Any

import pytest

from hal.network.adoption.windows import (
    closed_on_windows,
    found_on_windows,
    windows_obstacles,
    windows_refusal,
)

SERVICES = {
    "gateway": {"group": "gateways", "port": 8768, "protocol": "websocket", "clients": []},
    "rdp": {"group": "windows_hosts", "port": 3389, "protocol": "tcp", "clients": []},
}
KNOWN = [{"port": 8767, "protocol": "tcp"}]
HOLDER = {"port": 8768, "process": 4321, "name": "python.exe", "script": "voice_gateway.py"}
SYSTEM = r"C:\Windows\System32\svchost.exe"


def listener(port: int, program: str = "films.exe", **changes: Any) -> dict[str, Any]:
    """Return a socket that a program of the household has for everybody."""
    told = {
        "port": port,
        "addresses": ["0.0.0.0"],
        "process": 77,
        "program": program,
        "path": rf"C:\Films\{program}",
        "services": [],
        "admitted": [],
    }
    return told | changes


def reading(*listeners: dict[str, Any], refuses: bool = True, **parts: Any) -> dict[str, Any]:
    """Return what was read of a host."""
    nothing: dict[str, Any] = {"services": [], "tasks": [], "users": [], "disks": [], "unread": []}
    return nothing | {"refuses": refuses, "listeners": list(listeners)} | parts


def found(*listeners: dict[str, Any], holders: Any = (), **parts: Any) -> dict[str, Any]:
    """Return what is found on a host with these sockets."""
    return found_on_windows(reading(*listeners, **parts), "qm1", SERVICES, KNOWN, holders)


def test_a_process_on_a_port_of_hals_is_named_and_told_once() -> None:
    of_qm = HOLDER | {"name": "qm.exe", "script": ""}
    told = "(process 4321) on port 8768, where HAL's gateway is to listen: end it, and remove what starts it"
    assert windows_obstacles([HOLDER, of_qm], SERVICES) == [
        f"python.exe voice_gateway.py {told}",
        f"qm.exe {told}",
    ]
    assert found(listener(8768, "python.exe"), holders=[HOLDER])["here"] == []


@pytest.mark.parametrize(
    ("admitted", "clients"),
    [
        (["Any"], ["any"]),
        (["192.0.2.0/24"], ["192.0.2.0/24"]),
        (["192.0.2.0/24", "LocalSubnet"], ["any"]),
        (["192.0.2.1-192.0.2.9"], ["any"]),
    ],
)
def test_what_a_rule_lets_others_reach_is_proposed_with_who_may(
    admitted: list[str], clients: list[str]
) -> None:
    told = found(listener(32400, admitted=admitted, services=["Films"]))
    assert told["unknown"] == ["films.exe (service Films) on tcp port 32400: not in network_foreign_services"]
    assert told["services"]["films_32400"]["clients"] == clients


def test_what_no_rule_opens_is_left_where_the_firewall_refuses_and_to_decide_where_it_does_not() -> None:
    assert found(listener(32400))["left"] == [
        "films.exe on tcp port 32400, which its firewall lets nobody reach"
    ]
    told = found(listener(32400), refuses=False)
    assert told["unknown"] and told["changes"] == [
        "its firewall is enabled, and refuses what no rule of the inventory or of yours opens"
    ]


def test_windows_own_sockets_loopback_and_what_the_inventory_names_are_not_to_decide() -> None:
    told = found(
        listener(135, "svchost.exe", path=SYSTEM, admitted=["Any"]),
        listener(5040, "System", path="System"),
        listener(32401, addresses=["127.0.0.1", "::1"]),
        listener(3389, "svchost.exe", path=SYSTEM),
        listener(8767, "qm.exe"),
        refuses=False,
    )
    assert (told["unknown"], told["services"], told["here"]) == (
        [],
        {},
        ["rdp: svchost.exe on tcp port 3389"],
    )


def test_what_starts_by_itself_who_logs_in_and_where_files_are_is_left() -> None:
    told = found(
        services=[
            {"name": "HalGateway", "title": "HAL", "user": "x"},
            {"name": "Films", "title": "Film server", "user": "LocalSystem"},
        ],
        tasks=[
            {"name": r"\HAL\back up", "programs": ["restic.exe"], "user": "SYSTEM"},
            {"name": r"\copy", "programs": ["robocopy.exe"], "user": "anna"},
        ],
        users=["anna"],
        disks=[{"letter": "D", "type": "NTFS", "gib": 931}],
        unread=["the users cannot be read: denied"],
    )
    assert told["left"] == [
        "service Films (Film server) as LocalSystem",
        r"task \copy: robocopy.exe as anna",
        "user anna",
        "disk D: (NTFS, 931 GiB)",
    ]
    assert told["unknown"] == ["Not read: the users cannot be read: denied"]


def test_a_firewall_that_is_off_would_close_what_neither_the_inventory_nor_a_rule_names() -> None:
    sharing = listener(445, "System", path="System", process=4)
    sockets = [
        listener(32400, admitted=["Any"]),
        listener(32469),
        sharing,
        listener(8767, "qm.exe"),
        listener(135, path=SYSTEM),
    ]
    closed = closed_on_windows(reading(*sockets, refuses=False), KNOWN)
    assert [one["port"] for one in closed] == [32469, 445]
    assert closed_on_windows(reading(*sockets), KNOWN) == []
    lines = windows_refusal(closed, "qm1")
    assert lines[0].endswith("films.exe on tcp port 32469, the sharing of files on tcp port 445.")
    assert "  file_sharing: {group: qm1, port: 445, protocol: tcp, clients: [any]}" in lines
