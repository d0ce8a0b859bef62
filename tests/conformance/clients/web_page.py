"""The web page: lists of int16 samples while its microphone is open, then `stop_listening`."""

from __future__ import annotations

import struct

from websockets.asyncio.client import connect

from .frames import Frame, chunks, receive_until, send

SAMPLES = 4096


async def ask(url: str, sound: bytes, *, is_stopped: bool = True) -> list[Frame]:
    """Return all frames until the answer.

    Arguments:
        url: the gateway's.
        sound: PCM16, 16 kHz, mono.
        is_stopped: whether the person ends the question; else its silence does.
    """
    async with connect(url, proxy=None, max_size=None) as socket:
        for chunk in chunks(sound, 2 * SAMPLES):
            await send(socket, type="audio_stream", audio=list(struct.unpack(f"<{len(chunk) // 2}h", chunk)))
        if is_stopped:
            await send(socket, type="stop_listening")
        return await receive_until(socket, "response")
