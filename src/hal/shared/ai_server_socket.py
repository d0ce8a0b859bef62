"""The port of AI.SERVER's clients: one question over bare TCP, or a WebSocket; the first byte tells which.

Over TCP a client sends one JSON object, which ends at a newline or at its closing brace, gets one object and
a newline, and the connection is closed. It has no way to show a token, so that only the host itself and
trusted networks are answered. A web page cannot have a browser begin a connection with a brace.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import cast

from websockets.frames import CloseCode

from hal.protocol import Frame, Status
from hal.shared.ai_server_session import AiServerSession, text_response
from hal.shared.device_tokens import Device
from hal.shared.framing import RequestScanner
from hal.shared.limited_socket import LINGER_S, LimitedConnection

MAX_REQUEST_BYTES = 65_536  # each of a question's 4,000 characters may take twelve, as \ud83d\ude00
REQUEST_TIMEOUT_S = 10.0
NOT_TRUSTED = "Only hosts of trusted networks may ask here without a WebSocket."
TOO_LATE = "Your question did not end in time."
TOO_LONG = f"Your question is longer than {MAX_REQUEST_BYTES} bytes."
CUT_SHORT = "Invalid JSON: the question is cut short"


class AiServerSocket(asyncio.Protocol):
    """A connection of which nothing is known until its first byte is there.

    Args:
        websocket: takes the connection over if that byte begins no object; both are counted in its place.
        is_proxy: tells whether an address is a proxy's, behind which there are others.
        begin: returns the session that is to answer, or a sentence that says why there is none.
        end: is told that the session is over.

    Attributes:
        peer: the address of the connection's other end.
        local: that of this end.
        device: who showed a token; nobody does without a WebSocket.
        protocol: the WebSocket's own, which the library looks for in what its factory made.
    """

    device: Device | None = None

    def __init__(
        self,
        websocket: LimitedConnection,
        is_proxy: Callable[[str], bool],
        begin: Callable[[AiServerSocket], AiServerSession | str],
        end: Callable[[AiServerSession], None],
    ) -> None:
        self.place = websocket.place
        self.protocol = websocket.protocol
        self.peer = self.local = ""
        self._websocket = websocket
        self._is_proxy = is_proxy
        self._begin = begin
        self._end = end
        self._session: AiServerSession | None = None
        self._scanner = RequestScanner()
        self._request = b""
        self._surplus = 0  # bytes that came after the request
        self._has_ended = False  # the request has, well or badly
        self._is_answered = False
        self._has_eof = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection, and wait for its request, not for ever."""
        self._transport = cast("asyncio.Transport", transport)
        self.peer = (transport.get_extra_info("peername") or ("",))[0]
        self.local = (transport.get_extra_info("sockname") or ("",))[0]
        self._timer = asyncio.get_running_loop().call_later(REQUEST_TIMEOUT_S, self._on_too_late)
        if not self.place.take() or not (self._is_proxy(self.peer) or self.place.count_as(self.peer)):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        self._timer.cancel()
        self.place.leave()
        if self._session:
            self._session.close()
            self._end(self._session)

    def data_received(self, data: bytes) -> None:
        """Collect the request; what comes after it is thrown away."""
        if self._transport.is_closing():
            return
        if self._has_ended:
            self._surplus += len(data)
            if self._surplus > MAX_REQUEST_BYTES:
                self._transport.abort()
            return
        if not self._request and not (data := data.lstrip()):
            return
        if not self._request and not data.startswith(b"{"):
            self._hand_over(data)
            return
        end = self._scanner.feed(data)
        self._request += data[:end]
        if len(self._request) > MAX_REQUEST_BYTES:
            self._refuse(TOO_LONG)
        elif end is not None:
            self._ask()

    def eof_received(self) -> bool:
        """Return whether something is still to be said to a client that says no more itself."""
        self._has_eof = True
        if self._request and not self._has_ended:
            self._refuse(CUT_SHORT)
        return self._has_ended and not self._is_answered

    def send(self, frame: Frame) -> None:
        """Send the answer. The connection then ends, soon or when the client has read it."""
        if self._is_answered or self._transport.is_closing():
            return
        self._is_answered = True
        self._transport.write(json.dumps(frame).encode() + b"\n")
        if self._has_eof or not self._transport.can_write_eof():
            self._transport.close()
            return
        # Closing at once would destroy the answer where the client is still sending.
        self._transport.write_eof()
        self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._transport.abort)

    async def close(self, _code: CloseCode, _reason: str) -> None:
        """Close the connection once everything is written; without a WebSocket there is no code to tell."""
        self._transport.close()

    def _hand_over(self, data: bytes) -> None:
        self._timer.cancel()
        self._transport.set_protocol(self._websocket)
        self._websocket.connection_made(self._transport)
        self._websocket.data_received(data)

    def _ask(self) -> None:
        self._timer.cancel()
        self._has_ended = True
        begun = self._begin(self)
        if isinstance(begun, str):
            self._refuse(begun)
            return
        self._session = begun
        begun.receive(self._request)

    def _on_too_late(self) -> None:
        if self._request:
            self._refuse(TOO_LATE)
        else:
            self._transport.abort()

    def _refuse(self, sentence: str) -> None:
        self._timer.cancel()
        self._has_ended = True
        self.send(text_response(sentence, Status.ERROR, ""))
