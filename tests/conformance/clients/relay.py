"""A relay that has heard the question itself: it takes the very next frame for the response."""

from __future__ import annotations

from websockets.asyncio.client import connect

from .frames import Frame, receive, send


async def ask(url: str, transcriptions: list[str]) -> list[Frame]:
    """Return the frame that followed each question; the end of each turn is read away."""
    replies = []
    async with connect(url, proxy=None) as socket:
        session = (await receive(socket))["session_id"]
        for text in transcriptions:
            await send(socket, type="transcription", session_id=session, text=text)
            replies.append(await receive(socket))
            await receive(socket)  # the session listens again
    return replies
