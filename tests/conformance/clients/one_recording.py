"""The voice client of the Mac package, at the path /transcribe: a recording, then one reply."""

from __future__ import annotations

import json
from typing import Any

from websockets.asyncio.client import connect

from .frames import chunks


async def ask(url: str, *recordings: bytes) -> list[Any]:
    """Return the reply to a ping, then the one to each recording; the client reads nothing else."""
    async with connect(f"{url}/transcribe", proxy=None) as socket:
        await socket.send("__PING__")
        replies: list[Any] = [await socket.recv()]
        for recording in recordings:
            for chunk in chunks(recording):
                await socket.send(chunk)
            await socket.send("__END__")
            replies.append(json.loads(await socket.recv()))
        return replies


async def say(url: str, text: str) -> Any:
    """Return the reply to a text that is no word of this dialect."""
    async with connect(f"{url}/transcribe", proxy=None) as socket:
        await socket.send(text)
        return json.loads(await socket.recv())
