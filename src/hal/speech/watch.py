"""Noticing that a caller has left, so that nothing is computed for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from starlette.requests import ClientDisconnect, Request


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
