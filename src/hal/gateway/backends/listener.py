"""The listener (OpenQM or the engine): one JSON object each way over a TCP connection."""

from __future__ import annotations

import asyncio
import contextlib

from hal.gateway.backends.http import CONNECT_TIMEOUT_S, PROBE_TIMEOUT_S
from hal.protocol import MAX_LISTENER_MESSAGE_BYTES, ListenerReply, ListenerRequest, ProtocolError
from hal.shared.breaker import BackendError, Failover, Unreachable
from hal.shared.metrics import GatewayMetrics

_READ_BYTES = 65_536


class ListenerBackend:
    """Asks the listener a question."""

    def __init__(self, host: str, port: int, metrics: GatewayMetrics, *, timeout_s: float = 10.0) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self.failover = Failover("listener", [f"{host}:{port}"], metrics)

    async def ask(self, request: ListenerRequest) -> ListenerReply:
        """Return the listener's reply.

        Raises:
            BackendError: it cannot be reached, is too slow, breaks off or answers rubbish.
        """
        return await self.failover.call(lambda _: self._exchange(request), self._timeout_s)

    async def probe(self, _address: str) -> bool:
        """Tell whether the listener accepts a connection."""
        try:
            _, writer = await self._connect(PROBE_TIMEOUT_S)
        except Unreachable:
            return False
        writer.transport.abort()
        return True

    async def _connect(self, timeout_s: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.open_connection(self._host, self._port)
        except OSError as error:  # TimeoutError is one
            raise Unreachable(f"the listener at {self._host}:{self._port} cannot be reached") from error

    async def _exchange(self, request: ListenerRequest) -> ListenerReply:
        reader, writer = await self._connect(CONNECT_TIMEOUT_S)
        try:
            writer.write(request.encode())
            await writer.drain()
            return await self._read_reply(reader)
        except OSError as error:
            raise BackendError("the listener broke off") from error
        finally:
            writer.transport.abort()  # nothing is owed to the listener, and it may not be reading

    async def _read_reply(self, reader: asyncio.StreamReader) -> ListenerReply:
        """Read to a complete object or to the end: a newline may be missing, and so may the end."""
        raw = b""
        while chunk := await reader.read(_READ_BYTES):
            raw += chunk
            if len(raw) > MAX_LISTENER_MESSAGE_BYTES:
                raise BackendError(f"the listener sent more than {MAX_LISTENER_MESSAGE_BYTES} bytes")
            if raw.rstrip().endswith(b"}"):
                with contextlib.suppress(ProtocolError):
                    return ListenerReply.decode(_as_utf8(raw))
        try:
            return ListenerReply.decode(_as_utf8(raw))
        except ProtocolError as error:
            raise BackendError(f"the listener's reply of {len(raw)} bytes is not understood") from error


def _as_utf8(raw: bytes) -> bytes:
    """OpenQM on Windows may send an accented letter in the system's code page."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace").encode()
    return raw
