"""Where a request over bare TCP ends: at a newline, or at the brace that closes its object."""

from __future__ import annotations

import asyncio
import re

from hal.protocol import MAX_LISTENER_MESSAGE_BYTES, ProtocolError

CHUNK_BYTES = 65_536
_OUTSIDE_STRING = re.compile(rb'["{}\n]')
_INSIDE_STRING = re.compile(rb'["\\\n]')


class RequestScanner:
    """Finds the end of a request while it arrives, looking at each byte once."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._skip = 0

    def feed(self, data: bytes) -> int | None:
        """Return how many bytes of `data` belong to the request if it ends within them, else None."""
        position = self._skip
        while True:
            pattern = _INSIDE_STRING if self._in_string else _OUTSIDE_STRING
            match = pattern.search(data, position)
            if match is None:
                self._skip = max(0, position - len(data))
                return None
            position = match.end()
            mark = match.group()
            if mark == b"\n":
                return position
            if mark == b'"':
                self._in_string = not self._in_string
            elif mark == b"\\":
                position += 1
            elif self._depth_after(mark) <= 0:
                return position

    def _depth_after(self, brace: bytes) -> int:
        self._depth += 1 if brace == b"{" else -1
        return self._depth


async def read_request(reader: asyncio.StreamReader) -> bytes | None:
    """Read one request; None when the caller closed without sending anything.

    Raises:
        ProtocolError: the request is no object, is cut short or exceeds the limit.
    """
    scanner = RequestScanner()
    received = bytearray()
    while chunk := await reader.read(CHUNK_BYTES):
        end = scanner.feed(chunk)
        received += chunk if end is None else chunk[:end]
        if len(received) > MAX_LISTENER_MESSAGE_BYTES:
            raise ProtocolError(f"The request exceeds {MAX_LISTENER_MESSAGE_BYTES} bytes")
        if end is not None:
            return bytes(received)
        start = received.lstrip()[:1] if len(received) == len(chunk) else b"{"
        if start not in (b"", b"{"):
            raise ProtocolError("Invalid JSON")
    if not received:
        return None
    raise ProtocolError("Invalid JSON: the request is cut short")
