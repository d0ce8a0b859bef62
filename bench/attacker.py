"""One address that means ill: `python -m bench.attacker PORT KIND SECONDS` prints how many times it struck.

It is 127.0.0.2, strikes a server of this machine alone, and ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import ssl
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from bench.asker import trusting
from bench.processes import LIFETIME_S

SOURCE = ("127.0.0.2", 0)
AT_ONCE = 20
HELD = 2_500  # connections at a time, more than the gateway or the proxy takes of all addresses
PINGS, EMPTY_FRAMES = b"\x89\x80\0\0\0\0" * 10_000, b"\x81\x80\0\0\0\0" * 10_000
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
HALF = REQUEST[:60]
GUESS = REQUEST + b"Authorization: Bearer a-guess\r\n\r\n"
SILENCE = b""
UPLOAD = b"POST /transcribe HTTP/1.1\r\nHost: haproxy\r\nContent-Length: 10000000\r\n\r\n"
LOST = (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)  # what a server does to an attacker

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _open(port: int, tls: ssl.SSLContext | None = None) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=SOURCE, ssl=tls)


async def _flood(port: int, data: bytes) -> AsyncGenerator[int]:
    """Send the same frames over and over, and read what comes back."""
    while True:
        with contextlib.suppress(*LOST):
            reader, writer = await _open(port)
            writer.write(REQUEST + b"\r\n")
            draining = asyncio.create_task(reader.read())
            try:
                while not draining.done():
                    writer.write(data)
                    await writer.drain()
                    yield 10_000
            finally:
                draining.cancel()
                writer.transport.abort()
        await asyncio.sleep(0.01)


async def _connect(port: int, data: bytes, *, hold: bool) -> AsyncGenerator[int]:
    """Connect over and over, say something, and hold on or wait for what is said to it."""
    held: list[Streams] = []
    try:
        while True:
            with contextlib.suppress(*LOST):
                reader, writer = await _open(port)
                writer.write(data)
                if hold and len(held) < HELD // AT_ONCE:
                    held.append((reader, writer))
                else:
                    await reader.read(1)
                    writer.transport.abort()
            yield 1
            await asyncio.sleep(0)
    finally:
        for _, writer in held:
            writer.transport.abort()


async def _trickle(port: int, head: bytes) -> AsyncGenerator[int]:
    """Begin one upload after another, and send each a byte now and then."""
    held: list[asyncio.StreamWriter] = []
    tls = trusting()
    try:
        while True:
            if len(held) < HELD // AT_ONCE:
                with contextlib.suppress(*LOST):
                    _, writer = await _open(port, tls)
                    writer.write(head)
                    held.append(writer)
            held = [writer for writer in held if not writer.transport.is_closing()]
            for writer in held:
                writer.write(b"x")
            yield 1
            await asyncio.sleep(0.01)
    finally:
        for writer in held:
            writer.transport.abort()


KINDS: dict[str, Callable[[int], AsyncGenerator[int]]] = {
    "pings": lambda port: _flood(port, PINGS),
    "empty frames": lambda port: _flood(port, EMPTY_FRAMES),
    "half-open handshakes": lambda port: _connect(port, HALF, hold=True),
    "sessions": lambda port: _connect(port, REQUEST + b"\r\n", hold=True),
    "unknown tokens": lambda port: _connect(port, GUESS, hold=False),
    "silent TLS connections": lambda port: _connect(port, SILENCE, hold=True),
    "slow uploads": lambda port: _trickle(port, UPLOAD),
}
AT_THE_PROXY = ("silent TLS connections", "slow uploads")


async def attack(kind: str, port: int, seconds: float) -> int:
    """Strike for so long, and return how often."""
    struck = 0
    end = time.monotonic() + seconds

    async def one() -> None:
        nonlocal struck
        async with contextlib.aclosing(KINDS[kind](port)) as strikes:
            async for count in strikes:
                struck += count
                if time.monotonic() > end:
                    break

    workers: list[Awaitable[None]] = [one() for _ in range(AT_ONCE)]
    print("ready", flush=True)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*workers), seconds)
    return struck


if __name__ == "__main__":
    signal.alarm(LIFETIME_S)
    print(json.dumps(asyncio.run(attack(sys.argv[2], int(sys.argv[1]), float(sys.argv[3])))))
