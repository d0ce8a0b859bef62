"""A WebSocket connection that keeps within what its address may take, control frames included.

Bytes are handed to the protocol in small pieces, between which every other connection has its turn; no piece
is handed on while the address is over its rate. Its own frames then wait in its own socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame

from hal.shared.device_tokens import Device
from hal.shared.limits import Place
from hal.shared.session import Session

_OTHER_METHODS = (b"POST ", b"PUT ", b"PATCH ", b"DELETE ", b"OPTIONS ", b"TRACE ", b"CONNECT ")
_BODY = b"Ask over WebSocket: see docs/protocol.md. Recordings are taken by the speech service.\n"
NOT_ALLOWED = (
    b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)
LINGER_S = 2.0  # a peer that is still sending its request's body would lose the answer to a reset
PIECE_BYTES = 4_096  # 680 of the smallest frames
MAX_UNREAD_REPLIES = 2**20  # bytes; pongs to one who does not read would pile up


class LimitedConnection(ServerConnection):
    """A connection whose address is counted from the moment it is accepted.

    Args:
        arguments: those of ServerConnection.
        place: what it is counted in, from before it was made where something looked at its first byte.
        is_proxy: tells whether an address is a proxy's, behind which there are others.
        options: those of ServerConnection.
    """

    def __init__(
        self, *arguments: Any, place: Place, is_proxy: Callable[[str], bool], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._is_proxy = is_proxy
        self._beginning: bytes | None = b""  # until the method is known
        self._is_refused = False
        self._unfed = b""
        self._retry: asyncio.Handle | None = None
        self._frame_delay = 0.0
        self.place = place
        self.session_kind: type[Session] = Session
        self.device: Device | None = None  # who showed a token

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection, and give up one too many before it costs anything."""
        super().connection_made(transport)
        address = (transport.get_extra_info("peername") or ("",))[0]
        if not self.place.take() or not (self._is_proxy(address) or self.place.count_as(address)):
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no more."""
        super().connection_lost(exc)
        self.place.leave()
        self._unfed = b""
        if self._retry:
            self._retry.cancel()

    def data_received(self, data: bytes) -> None:
        """Take what arrived, as fast as the address may send."""
        if self._is_refused:
            return
        if self._beginning is not None:
            self._beginning += data
            if any(method.startswith(self._beginning) for method in _OTHER_METHODS):
                return  # it may yet become one of them
            data, self._beginning = self._beginning, None
            if data.startswith(_OTHER_METHODS):
                self._refuse_method()
                return
        if self.place.source is None:  # a proxy that has not yet said for whom it speaks
            super().data_received(data)
            return
        self._unfed += data
        if self._retry is None:
            self._feed()
        else:
            self.transport.pause_reading()

    def _refuse_method(self) -> None:
        """Answer a request that cannot lead to a WebSocket; one with a body gets no answer otherwise."""
        self._is_refused = True
        self.transport.write(NOT_ALLOWED)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def eof_received(self) -> None:
        """End; what was held back is not heard any more."""
        self._unfed = b""
        super().eof_received()

    def process_event(self, event: Any) -> None:
        """Count every frame."""
        if isinstance(event, Frame) and self.place.source:
            self._frame_delay = self.place.source.frames.delay()
        super().process_event(event)

    def _feed(self) -> None:
        """Hand on a piece, and the next when the others have had their turn and the address may send it."""
        self._retry = None
        if self.transport.is_closing() or not self._unfed or self.place.source is None:
            return
        piece, self._unfed = self._unfed[:PIECE_BYTES], self._unfed[PIECE_BYTES:]
        delay = self.place.source.bytes.delay(len(piece))
        super().data_received(piece)
        delay = max(delay, self._frame_delay)
        self._frame_delay = 0.0
        if self.transport.get_write_buffer_size() > MAX_UNREAD_REPLIES:
            self.transport.abort()
        elif delay:
            self.transport.pause_reading()
            self._retry = self.loop.call_later(delay, self._feed_on)
        elif self._unfed:
            self.transport.pause_reading()
            self._retry = self.loop.call_soon(self._feed_on)

    def _feed_on(self) -> None:
        self._feed()
        if self._retry is None and not self.recv_messages.paused and not self.transport.is_closing():
            self.transport.resume_reading()
