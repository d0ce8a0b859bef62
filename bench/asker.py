"""One client that asks again and again: `python -m bench.asker WHERE SECONDS` prints how long its turns took.

WHERE is the port of a gateway, which it asks by text in one session, or an address at a proxy: at `wss://` it
asks by text, too, and at `https://` it has a recording transcribed, each time with a connection of its own.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

from bench.processes import LIFETIME_S

EVERY_S = 0.05
WAIT_S = 30
SOURCE = ("127.0.0.3", 0)  # at a proxy, whose limits are for each address
RECORDING = b"\0" * 64_000  # two seconds


def trusting() -> ssl.SSLContext:
    """Return a context for a server on this machine, whose certificate nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one reads all authorities: 0.05 s
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _ask(socket: ClientConnection) -> None:
    await socket.send('{"type": "text_input", "session_id": "s", "text": "What now?"}')
    while (frame := json.loads(await socket.recv()))["type"] != "response":
        pass
    if frame.get("status", "success") != "success":
        raise RuntimeError(f"a question was not answered: {frame['text']}")


async def _connect_and_ask(url: str) -> None:
    async with connect(
        url, compression=None, proxy=None, open_timeout=WAIT_S, ssl=trusting(), local_addr=SOURCE
    ) as socket:
        await _ask(socket)


def _upload(url: str) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPSConnection(
        address.hostname or "", address.port, timeout=WAIT_S, source_address=SOURCE, context=trusting()
    )
    try:
        connection.request("POST", address.path, RECORDING, {"Content-Type": "audio/wav"})
        if (answer := connection.getresponse()).status != http.client.OK:
            raise RuntimeError(f"a recording was not taken: {answer.status} {answer.reason}")
        answer.read()
    finally:
        connection.close()


async def ask(where: str, seconds: float) -> list[float]:
    """Ask for so long and return how long each turn took, in milliseconds."""
    if where.startswith("https:"):
        return await _repeat(lambda: asyncio.to_thread(_upload, where), seconds)
    if where.startswith("wss:"):
        return await _repeat(lambda: _connect_and_ask(where), seconds)
    async with connect(f"ws://127.0.0.1:{where}", compression=None, proxy=None) as socket:
        return await _repeat(lambda: _ask(socket), seconds)


async def _repeat(turn: Callable[[], Awaitable[None]], seconds: float) -> list[float]:
    took = []
    print("ready", flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        asked = time.perf_counter()
        await turn()
        took.append(1_000 * (time.perf_counter() - asked))
        await asyncio.sleep(EVERY_S)
    return took


if __name__ == "__main__":
    signal.alarm(LIFETIME_S)
    print(json.dumps(asyncio.run(ask(sys.argv[1], float(sys.argv[2])))))
