"""Many WebSocket clients in one process, which costs them next to nothing.

`python -m bench.crowd PORT talk SECONDS TALKERS` speaks; `... idle SECONDS SESSIONS` only stays connected.
Both print "ready" once everybody is connected, and at the end how many chunks were sent or sessions are left;
who is idle leaves when standard input ends.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import struct
import sys

from bench.processes import LIFETIME_S, PROJECT

CHUNK_S = 0.032
AT_ONCE = 50  # handshakes
PING, PONG = b"\x89\x84\0\0\0\0last", b"\x8a\x04last"
_WAV_HEADER_BYTES = 44
_WAKE = json.dumps({"type": "wake_word_detected", "wake_word": "hal", "confidence": 1.0}).encode()
_STOP = json.dumps({"type": "command", "command": "stop"}).encode()


def frame(payload: bytes) -> bytes:
    """Return a text frame as a client sends it; a mask of zeros leaves the payload as it is."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else struct.pack("!BH", 0xFE, len(payload))
    return b"\x81" + size + bytes(4) + payload


def speech() -> list[bytes]:
    """Return a recorded question as frames of 32 ms, spoken without a pause that would end it."""
    recording = base64.b64decode((PROJECT / "playbooks/files/spoken_question.wav.b64").read_text())
    samples = recording[_WAV_HEADER_BYTES:]
    size = round(CHUNK_S * 16_000) * 2
    chunks = [samples[start : start + size] for start in range(0, len(samples) - size, size)]
    return [
        frame(
            json.dumps(
                {
                    "type": "audio_chunk",
                    "session_id": "s",
                    "audio": base64.b64encode(chunk).decode(),
                    "format": "wav",
                    "sample_rate": 16_000,
                }
            ).encode()
        )
        for chunk in chunks
    ]


class Member(asyncio.Protocol):
    """One client: what it is told is thrown away."""

    def __init__(self) -> None:
        self.greeted = asyncio.get_running_loop().create_future()
        self.answered = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP connection has a transport of its own kind")
        self.transport = transport
        transport.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        """Notice the greeting, and the answer to the ping at the end."""
        if b"connected" in data and not self.greeted.done():
            self.greeted.set_result(None)
        elif PONG in data and not self.answered.done():
            self.answered.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Fail: no server may let a client go."""
        for awaited in (self.greeted, self.answered):
            if not awaited.done():
                awaited.set_exception(ConnectionError("the server let a client go"))


async def join(port: int, number: int) -> list[Member]:
    """Connect so many clients, from as many addresses of loopback as their ports need."""
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(index: int) -> Member:
        async with gate:
            source = (f"127.0.0.{2 + index // 5_000}", 0)
            _, member = await loop.create_connection(Member, "127.0.0.1", port, local_addr=source)
            await member.greeted
            return member

    return await asyncio.gather(*(one(index) for index in range(number)))


async def talk(port: int, seconds: float, number: int) -> int:
    """Have everybody speak for so long, each a little after the one before; return the chunks sent."""
    members, chunks = await join(port, number), speech()
    for member in members:
        member.transport.write(frame(_WAKE))
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    rounds = round(seconds / CHUNK_S)
    for turn in range(rounds):
        for index, member in enumerate(members):
            if index % 10 == 0:
                due = begun + (turn + index / number) * CHUNK_S
                await asyncio.sleep(max(0.0, due - loop.time()))
            member.transport.write(chunks[turn % len(chunks)])
    for member in members:
        member.transport.write(frame(_STOP) + PING)
    await asyncio.gather(*(member.answered for member in members))  # every chunk has been dealt with
    return rounds * number


async def main() -> None:
    """Do what the command line says."""
    port, what, seconds, number = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    signal.alarm(LIFETIME_S)
    if what == "talk":
        done = await talk(port, seconds, number)
    else:
        members = await join(port, number)
        print("ready", flush=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(sys.stdin.read), seconds)
        done = sum(not member.transport.is_closing() for member in members)
    print(json.dumps(done))


if __name__ == "__main__":
    asyncio.run(main())
