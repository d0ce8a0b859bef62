"""One socket: reads frames for its session, writes what the session sends, both within bounds."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from hal import protocol
from hal.protocol import Frame, ProtocolError
from hal.shared.device_tokens import Device
from hal.shared.metrics import GatewayMetrics
from hal.shared.session import Session

log = logging.getLogger(__name__)

OUTBOX_FRAMES = 64
WRITE_TIMEOUT_S = 10.0  # a client that reads nothing for so long is let go
FRAMES_PER_SECOND = 200  # a microphone sends 31 chunks of 32 ms
BURST_FRAMES = 2_000  # a whole recording of a minute at once


class Throttle:
    """A token bucket: says how long a peer that sends too much has to wait, in seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        rate: float = FRAMES_PER_SECOND,
        burst: float = BURST_FRAMES,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = burst
        self._at = clock()

    def delay(self) -> float:
        """Count one frame and return how long to wait before taking the next."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._tokens / self._rate)


class Connection:
    """Joins a socket to a session.

    A peer that sends too fast, or does not read, is simply read more slowly; one that does not
    read at all is let go.

    Attributes:
        device: who is at the other end; None: somebody who needed no token.
    """

    def __init__(
        self, socket: ServerConnection, metrics: GatewayMetrics, device: Device | None = None
    ) -> None:
        self.device = device
        self._socket = socket
        self._metrics = metrics
        self._outbox: list[Frame | str] = []  # an empty deque takes more room
        self._wake_writer = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._is_written = True  # until nothing can be sent any more
        self._throttle = Throttle(asyncio.get_running_loop().time)

    def send(self, frame: Frame | str) -> None:
        """Queue a frame, or text that is none; it is written as soon as the client reads, if it still can."""
        if not self._is_written:
            return  # else the outbox would fill, and who reads would wait for room without end
        self._outbox.append(frame)
        self._wake_writer.set()
        if len(self._outbox) >= OUTBOX_FRAMES:
            self._room.clear()

    async def serve(self, session: Session) -> None:
        """Run the session until the client leaves or the socket is closed."""
        writer = asyncio.create_task(self._write(), name=f"writer {session.session_id}")
        try:
            session.greet()
            await self._read(session)
        except ConnectionClosed:
            pass
        finally:
            session.close()
            writer.cancel()
            await asyncio.wait([writer])

    async def close(self, code: CloseCode, reason: str) -> None:
        """Close the socket once everything queued has been written, or the client will not read it."""
        while self._outbox and self._socket.close_code is None:
            self._room.clear()
            await self._room.wait()
        await self._socket.close(code, reason)

    async def _read(self, session: Session) -> None:
        while True:
            message = await self._socket.recv()
            try:
                session.receive(message)
            except ProtocolError as error:
                self._metrics.protocol_errors.inc()
                self.send(protocol.error(str(error)))
            if len(self._outbox) >= OUTBOX_FRAMES:
                await self._room.wait()
            if delay := self._throttle.delay():
                await asyncio.sleep(delay)

    async def _write(self) -> None:
        """Write the outbox; ends when the socket is closed or the client does not read."""
        try:
            while True:
                await self._wake_writer.wait()
                while self._outbox:
                    async with asyncio.timeout(WRITE_TIMEOUT_S):
                        frame = self._outbox[0]
                        await self._socket.send(frame if isinstance(frame, str) else json.dumps(frame))
                    self._outbox.pop(0)
                self._wake_writer.clear()
                self._room.set()
        except TimeoutError:
            log.warning("session closed: the client does not read")
            self._socket.transport.abort()
        except ConnectionClosed:
            pass
        finally:
            self._is_written = False
            self._outbox.clear()
            self._room.set()
