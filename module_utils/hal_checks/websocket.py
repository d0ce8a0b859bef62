"""A WebSocket client in the standard library: as much of RFC 6455 as a check needs."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from typing import Any

from ansible.module_utils.hal_checks.result import CheckFailed
from ansible.module_utils.hal_checks.target import Target

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
HTTP = b"HTTP/"
MAX_BYTES = 4 << 20


class WebSocket:
    """A connection that sends and receives JSON objects. Raises CheckFailed and OSError."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._buffer = b""
        self._socket = target.connect()
        try:
            self._shake_hands()
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> WebSocket:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._send(CLOSE, struct.pack("!H", 1000))
        except OSError:
            pass  # the other side has gone already
        finally:
            self._socket.close()

    def _shake_hands(self) -> None:
        key = base64.b64encode(os.urandom(16))
        token = f"Authorization: Bearer {self._target.token}\r\n" if self._target.token else ""
        request = (
            f"GET / HTTP/1.1\r\nHost: {self._target.host}:{self._target.port}\r\n"
            f"{token}Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n\r\n"
        )
        self._socket.sendall(request.encode())
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
            if not self._buffer.startswith(HTTP[: len(self._buffer)]):
                raise CheckFailed("what answers there does not speak HTTP")
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode(errors="replace").split("\r\n")
        if status.split()[1:2] == ["401"]:
            raise CheckFailed(f"the WebSocket handshake was refused: {status}", self._token_remedy())
        if status.split()[1:2] != ["101"]:
            raise CheckFailed(f"the WebSocket handshake was refused: {status}")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        expected = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest()).decode()
        if headers.get("sec-websocket-accept") != expected:
            raise CheckFailed("the WebSocket handshake was answered wrongly")

    def _token_remedy(self) -> str:
        """Return what to do where this host or its token is not admitted."""
        if self._target.token:
            return "The gateway does not know the checks' token: run site.yml, which tells it"
        return "The checks have no token: `make production-init` makes one"

    def _fill(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise CheckFailed("the connection was closed before the answer")
        self._buffer += data
        if len(self._buffer) > MAX_BYTES:
            raise CheckFailed(f"the answer is longer than {MAX_BYTES} bytes")

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _send(self, opcode: int, payload: bytes) -> None:
        length = len(payload)
        if length < 126:
            size = bytes([0x80 | length])
        elif length < 1 << 16:
            size = struct.pack("!BH", 0x80 | 126, length)
        else:
            size = struct.pack("!BQ", 0x80 | 127, length)
        mask = os.urandom(4)
        stream = mask * (length // 4 + 1)
        masked = (
            (int.from_bytes(payload) ^ int.from_bytes(stream[:length])).to_bytes(length) if length else b""
        )
        self._socket.sendall(bytes([0x80 | opcode]) + size + mask + masked)

    def _receive(self) -> tuple[int, bool, bytes]:
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        if second & 0x80 or first & 0x70 or length > MAX_BYTES:
            raise CheckFailed("what answers there sends no valid WebSocket frames")
        return first & 0x0F, bool(first & 0x80), self._take(length)

    def send(self, message: dict[str, Any]) -> None:
        """Send one JSON object."""
        self._send(TEXT, json.dumps(message).encode())

    def receive(self) -> dict[str, Any]:
        """Return the next JSON object; pings are answered on the way."""
        message = b""
        while True:
            opcode, final, payload = self._receive()
            if opcode == PING:
                self._send(PONG, payload)
            elif opcode == CLOSE:
                reason = payload[2:].decode(errors="replace") or "no reason given"
                raise CheckFailed(f"the service closed the connection: {reason}")
            elif opcode != PONG:
                message += payload
                if final:
                    return decode(message)


def decode(message: bytes) -> dict[str, Any]:
    """Return the JSON object of a message. Raises CheckFailed if it is none."""
    try:
        value = json.loads(message)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CheckFailed(f"what answers there does not send JSON objects but {message[:60]!r}")
    return value
