"""What a systemd unit is kept from: systemd.exec(5), as `systemd-analyze security` weighs it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

type Setting = str | int | Sequence[str]

# A service that opens sockets, reads its release and writes its state needs none of the rest. A call that is
# not allowed fails as one without the right to it does: libraries go on, where SIGSYS would end them.
HARDENED: Mapping[str, Setting] = {
    "AmbientCapabilities": "",
    "CapabilityBoundingSet": "",
    "LockPersonality": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHome": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "ProtectSystem": "strict",
    "RemoveIPC": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
    "SystemCallFilter": ["@system-service", "~@privileged @resources"],
    "UMask": "0077",
}

# Settings to which each further line adds: a drop-in empties them first, or what the unit has would count,
# too.
LISTS = ("CapabilityBoundingSet", "RestrictAddressFamilies", "SystemCallFilter")

# Go raises the limit of open files when it starts, which is among @resources.
GO: Mapping[str, Setting] = {"SystemCallFilter": ["@system-service", "~@privileged"]}

# What the units of Debian's and Ubuntu's packages need otherwise, or besides.
PACKAGED: Mapping[str, Mapping[str, Setting]] = {
    # It starts as root, binds its ports, reads keys that others may own, makes its sockets and locks itself
    # up as an account of its own; the master stays root, and ends that account's processes. It raises the
    # limit of open files. Certificates may be in a home (acme.sh), and what the sites' Lua programs write,
    # or a socket that another program asks, anywhere but in the system's own directories.
    "haproxy": {
        "CapabilityBoundingSet": (
            "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE"
            " CAP_SETGID CAP_SETUID CAP_SYS_CHROOT"
        ),
        "PrivateTmp": "no",
        "ProtectHome": "read-only",
        "ProtectSystem": "full",
        "SystemCallFilter": ["@system-service", "chroot"],
        "UMask": "0022",
    },
    # It sets addresses, sends packets of its own making and starts one program as another user.
    "keepalived": {
        "CapabilityBoundingSet": (
            "CAP_KILL CAP_NET_ADMIN CAP_NET_BROADCAST CAP_NET_RAW CAP_SETGID CAP_SETUID"
        ),
        "ReadWritePaths": "/run",
        "RestrictAddressFamilies": "AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_UNIX",
        "SystemCallFilter": "@system-service",
    },
    # It starts as root, which opens the logs, and its workers have an account of their own.
    "nginx": {
        "CapabilityBoundingSet": (
            "CAP_CHOWN CAP_DAC_OVERRIDE CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID"
        ),
        "ProtectSystem": "full",
        "SystemCallFilter": ["@system-service", "~@resources"],
        "UMask": "0022",
    },
    # Debian's unit has PrivateUsers, for which systemd looks into /proc of another process. Where it has
    # not the right to that, as in a container, ProtectProc hides it, and the unit does not start.
    "prometheus": {**GO, "ProtectProc": "default", "ReadWritePaths": "/var/lib/prometheus"},
    "prometheus-alertmanager": {**GO, "ReadWritePaths": "/var/lib/prometheus"},
    "prometheus-blackbox-exporter": GO,
    # What it tells is the host's: the mounts, which are those of process 1, and the space in each, homes
    # too; how far the clock is off, which adjtimex says; and the interfaces, for which it asks the kernel.
    "prometheus-node-exporter": {
        "ProtectClock": "no",
        "ProtectHome": "read-only",
        "ProtectProc": "default",
        "RestrictAddressFamilies": "AF_INET AF_INET6 AF_NETLINK AF_UNIX",
        "SystemCallFilter": ["@system-service", "~@privileged", "adjtimex clock_adjtime"],
    },
}

# What a household's own sections of haproxy.cfg may have HAProxy do that it could not otherwise, by
# HAProxy's keywords: show servers the client's address as theirs, serve in a network namespace, run a
# program as a check.
PROXY_NEEDS: Mapping[str, Mapping[str, Setting]] = {
    r"usesrc|transparent": {"CapabilityBoundingSet": "CAP_NET_ADMIN CAP_NET_RAW"},
    r"namespace": {
        "CapabilityBoundingSet": "CAP_SYS_ADMIN",
        "RestrictNamespaces": "net",
        "SystemCallFilter": "setns",
    },
    r"external-check": {"CapabilityBoundingSet": "CAP_NET_RAW", "NoNewPrivileges": "no"},  # it may be ping
}


def hardening(own: Mapping[str, Setting]) -> str:
    """Return the lines of a unit's [Service] that keep it from what it does not need.

    Args:
        own: settings that this unit needs otherwise, or besides; a list becomes several lines of one name.
    """
    return _lines({**HARDENED, **own})


def hardening_drop_in(unit: str, *more: Mapping[str, Setting]) -> str:
    """Return the drop-in that keeps a unit of the distribution from what it does not need.

    Args:
        unit: one of PACKAGED.
        more: what this host needs besides, written after it as by a further drop-in: it adds to lists of
            rights and calls, and replaces what has one value.

    Raises:
        KeyError: nothing is known of the unit.
    """
    emptied: Mapping[str, Setting] = dict.fromkeys(LISTS, "")
    parts: list[Mapping[str, Setting]] = [emptied, {**HARDENED, **PACKAGED[unit]}, *filter(None, more)]
    return "\n".join(["[Service]", *(_lines(part) for part in parts)])


def proxy_needs(text: str) -> dict[str, Setting]:
    """Return what HAProxy needs besides to serve sections of a household's own.

    Args:
        text: the sections, in HAProxy's language.
    """
    words = "\n".join(line.partition("#")[0] for line in text.splitlines())
    needs: dict[str, Setting] = {}
    for keyword, settings in PROXY_NEEDS.items():
        if re.search(rf"(?<![\w-])(?:{keyword})(?![\w-])", words):
            for name, value in settings.items():
                needs[name] = f"{needs[name]} {value}" if name in needs else value
    return needs


def _lines(settings: Mapping[str, Setting]) -> str:
    return "\n".join(
        f"{name}={value}"
        for name, values in settings.items()
        for value in ([values] if isinstance(values, str | int) else values)
    )
