"""A client of the main dialect: greeting, wake word, chunks in base64, typed questions, commands."""

from __future__ import annotations

import base64

from websockets.asyncio.client import connect

from .frames import Frame, chunks, receive, receive_until, send


async def ask_by_voice(url: str, sound: bytes) -> list[Frame]:
    """Return all frames from the greeting to the end of the turn."""
    async with connect(url, proxy=None) as socket:
        greeting = await receive(socket)
        session = greeting["session_id"]
        await send(socket, type="wake_word_detected", session_id=session, wake_word="hal", confidence=0.9)
        frames = [greeting, *await receive_until(socket, "state_change")]
        for chunk in chunks(sound):
            audio = base64.b64encode(chunk).decode()
            fields = {"audio": audio, "format": "wav", "sample_rate": 16_000}
            await send(socket, type="audio_chunk", session_id=session, **fields)
        await send(socket, type="speech_ended", session_id=session, duration_ms=len(sound) // 32)
        return frames + await receive_until(socket, "state_change")


async def ask_by_text(url: str, question: str, kind: str = "text_input") -> list[Frame]:
    """Return all frames from the greeting to the end of the turn."""
    async with connect(url, proxy=None) as socket:
        greeting = await receive(socket)
        await send(socket, type=kind, session_id=greeting["session_id"], text=question)
        return [greeting, *await receive_until(socket, "state_change")]


async def leave(url: str) -> list[Frame]:
    """Say goodbye, and return all frames after the greeting."""
    async with connect(url, proxy=None) as socket:
        greeting = await receive(socket)
        await send(socket, type="heartbeat", session_id=greeting["session_id"])
        await send(socket, type="command", session_id=greeting["session_id"], command="goodbye")
        return await receive_until(socket, "state_change")
