"""A port for a server that a test starts."""

from __future__ import annotations

import random
import socket

# Below the ports that the kernel gives to connections (from 32768): one of those could become an end of
# somebody's connection between this call and the server's start.
PORTS = range(20_000, 32_000)
# Of the operating system, because tests that run side by side may have seeded the common generator alike.
_random = random.SystemRandom()


def free_port() -> int:
    """Return a TCP port that nothing on this machine uses, whatever address of loopback is asked."""
    while True:
        port = _random.choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        return port
