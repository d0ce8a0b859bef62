"""What the clients have in common: JSON in text frames."""

from __future__ import annotations

import json
from typing import Any

from websockets.asyncio.client import ClientConnection

CHUNK_BYTES = 1024  # 32 ms of 16 kHz PCM16

type Frame = dict[str, Any]


async def send(socket: ClientConnection, **frame: Any) -> None:
    await socket.send(json.dumps(frame))


async def receive(socket: ClientConnection) -> Frame:
    frame: Frame = json.loads(await socket.recv())
    return frame


async def receive_until(socket: ClientConnection, kind: str) -> list[Frame]:
    """Return all frames up to the first of a kind."""
    frames = [await receive(socket)]
    while frames[-1]["type"] != kind:
        frames.append(await receive(socket))
    return frames


def chunks(sound: bytes, size: int = CHUNK_BYTES) -> list[bytes]:
    return [sound[begin : begin + size] for begin in range(0, len(sound), size)]
