"""Sending an answer, in pieces or whole, to a client that may leave before its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse

NDJSON = "application/x-ndjson"
SSE = "text/event-stream"

type Line = dict[str, Any]


def ndjson(line: Line) -> str:
    """Write a line as Ollama's API streams it."""
    return json.dumps(line) + "\n"


def event(line: Line) -> str:
    """Write a line as OpenAI's API streams it."""
    return f"data: {json.dumps(line)}\n\n"


async def streamed(
    lines: AsyncGenerator[Line], write: Callable[[Line], str], media_type: str, last: str = ""
) -> StreamingResponse:
    """Stream `lines`, and then `last`.

    Raises:
        Exception: whatever hinders the first line.
    """
    first = await anext(lines)

    async def body() -> AsyncGenerator[str]:
        async with aclosing(lines):  # the client may leave: then the model has to stop
            yield write(first)
            try:
                async for line in lines:
                    yield write(line)
            except (ValueError, RuntimeError) as error:
                yield write({"error": str(error)})
                return
            yield last

    return StreamingResponse(body(), media_type=media_type)


async def while_connected[T](request: Request, work: Coroutine[None, None, T]) -> T:
    """Await `work`, but cancel it as soon as the client has left; the body has been read before.

    Raises:
        ClientDisconnect: the client has left.
    """
    job = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((job, gone), return_when=asyncio.FIRST_COMPLETED)
        if not job.done():
            raise ClientDisconnect
        return job.result()
    finally:
        gone.cancel()
        job.cancel()
        await asyncio.wait((job, gone))


async def _disconnected(request: Request) -> None:
    """Return when the client has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
