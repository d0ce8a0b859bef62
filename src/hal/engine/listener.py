"""The listener: one JSON object in, one out, then the connection closes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from hal.protocol import Intent, ListenerReply, ListenerRequest, ProtocolError, Status
from hal.shared.framing import CHUNK_BYTES, read_request

log = logging.getLogger(__name__)

type Responder = Callable[[ListenerRequest], Awaitable[ListenerReply]]

LINGER_S = 1.0
LINGER_BYTES = 8_000_000
DRAIN_S = 10.0
FAILED = "Something went wrong while I looked that up. Please try again."


class Listener:
    """Serves the listener protocol within bounds, so that no caller can disturb another.

    Arguments:
        answer: computes the reply to a request.
        timeout_s: how long a caller may take to send its request, and to take the reply.
        max_connections: callers served at once; one more is told to come back, and from
            twice as many on they are cut off.
    """

    def __init__(self, answer: Responder, *, timeout_s: float = 5.0, max_connections: int = 256) -> None:
        self._answer = answer
        self._timeout_s = timeout_s
        self._max_connections = max_connections
        self._callers: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; return the address, with the port that a 0 was given.

        Raises:
            OSError: the address cannot be bound.
        """
        self._server = await asyncio.start_server(self._serve, host, port, backlog=512)
        address = self._server.sockets[0].getsockname()
        log.info("listening on %s:%d", address[0], address[1])
        return address[0], address[1]

    async def stop(self) -> None:
        """Stop accepting, let the callers in progress finish, and close."""
        if self._server is not None:
            self._server.close()
        if self._callers:
            _, late = await asyncio.wait(self._callers, timeout=DRAIN_S)
            for task in late:
                task.cancel()
        log.info("stopped")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler always runs in a task
        if len(self._callers) >= 2 * self._max_connections:
            writer.transport.abort()
            return
        self._callers.add(task)
        try:
            await self._exchange(reader, writer)
        except (ConnectionError, TimeoutError) as error:
            log.debug("caller gone: %s", error)
            writer.transport.abort()
        finally:
            self._callers.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reply = await self._reply(reader)
        if reply is None:
            return
        async with asyncio.timeout(self._timeout_s):
            writer.write(reply.encode())
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        await _discard(reader)

    async def _reply(self, reader: asyncio.StreamReader) -> ListenerReply | None:
        if len(self._callers) > self._max_connections:
            log.warning("refused a caller: %d connections are open", self._max_connections)
            return _error("I am answering too many questions at once. Please try again in a moment.", "BUSY")
        try:
            async with asyncio.timeout(self._timeout_s):
                raw = await read_request(reader)
            if raw is None:
                return None
            request = ListenerRequest.decode(raw)
        except TimeoutError:
            return _error(f"The request did not end within {self._timeout_s:g} seconds", "TIMEOUT")
        except ProtocolError as error:
            log.info("refused a request: %s", error)
            return _error(str(error), "INVALID_REQUEST")
        started = time.monotonic()
        try:
            reply = await self._answer(request)
        except Exception:  # whatever one question breaks, the next caller must be served
            log.exception("a question could not be answered")
            return _error(FAILED, "FAILED")
        log.info("%s %s in %.1f ms", reply.action_taken, reply.status, (time.monotonic() - started) * 1000)
        return reply


def _error(text: str, action: str) -> ListenerReply:
    return ListenerReply(text, intent=Intent.GENERAL, action_taken=action, status=Status.ERROR)


async def _discard(reader: asyncio.StreamReader) -> None:
    """Read what the caller still sends: closing with bytes unread would destroy the reply under way."""
    remaining = LINGER_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while remaining > 0 and (data := await reader.read(CHUNK_BYTES)):
                remaining -= len(data)
