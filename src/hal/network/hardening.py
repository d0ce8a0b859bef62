"""What a systemd unit is kept from: systemd.exec(5), as `systemd-analyze security` weighs it."""

from __future__ import annotations

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


def hardening(own: Mapping[str, Setting]) -> str:
    """Return the lines of a unit's [Service] that keep it from what it does not need.

    Args:
        own: settings that this unit needs otherwise, or besides; a list becomes several lines of one name.
    """
    settings = {**HARDENED, **own}
    return "\n".join(
        f"{name}={value}"
        for name, values in settings.items()
        for value in ([values] if isinstance(values, str | int) else values)
    )
