"""A client of AI.SERVER: one question over TCP, with a newline or without, or several over WebSocket."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from .frames import Frame, receive, send

SESSION = "desk-1"


def _question(text: str) -> Frame:
    return {"type": "text_input", "text": text, "user_id": "desk", "session_id": SESSION}


async def ask_over_tcp(url: str, question: str, ending: str = "\n") -> Frame:
    """Return the answer: all that comes until the server closes the connection.

    Args:
        url: tcp://HOST:PORT.
        question: the question.
        ending: what follows the object.
    """
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write((json.dumps(_question(question)) + ending).encode())
    answer: Frame = json.loads(await reader.read())
    writer.close()
    return answer


async def ask_over_websocket(url: str, questions: list[str]) -> list[Frame]:
    """Return the frame that follows each question, the first of which is the connection's first frame."""
    replies = []
    async with connect(url, proxy=None) as socket:
        for question in questions:
            await send(socket, **_question(question))
            replies.append(await receive(socket))
    return replies
