"""An SSH server on loopback that lets anybody in, and answers every command with a word or not at all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

WORD = "there"


class _Open(asyncssh.SSHServer):
    def __init__(self, connections: list[asyncssh.SSHServerConnection]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember who is connected: the client of an Ansible run stays for minutes."""
        self._connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        """Ask nobody who they are."""
        return False


def _answer(process: asyncssh.SSHServerProcess[str]) -> None:
    process.stdout.write(f"{WORD}\n")
    process.exit(0)


def new_key() -> asyncssh.SSHKey:
    """Return a host key."""
    return asyncssh.generate_private_key("ssh-ed25519")


@contextmanager
def ssh_server(key: asyncssh.SSHKey, *, silent: bool = False) -> Iterator[int]:
    """Serve with that host key, and return the port.

    One that is silent does nothing more once it was given a command, as a host that has hung: the kernel
    still acknowledges what comes.
    """
    woken = threading.Event()

    def fall_silent(_: asyncssh.SSHServerProcess[str]) -> None:
        woken.wait()

    connections: list[asyncssh.SSHServerConnection] = []

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Open(connections),
            server_host_keys=[key],
            process_factory=fall_silent if silent else _answer,
        )

    async def end(server: asyncssh.SSHAcceptor) -> None:
        server.close()
        for connection in connections:
            connection.abort()
        await server.wait_closed()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=30)
    try:
        yield server.get_port()
    finally:
        woken.set()
        asyncio.run_coroutine_threadsafe(end(server), loop).result(timeout=30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=30)
        loop.close()
