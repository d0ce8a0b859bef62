"""An engine with the sample household on a fixed day, behind a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hal.client.conformance import EXCHANGES, load_exchanges
from hal.engine import database
from hal.engine.engine import Engine
from hal.engine.listener import Listener
from hal.protocol import ListenerRequest

NOW: datetime = load_exchanges(EXCHANGES[0]).now

type Reply = dict[str, Any]


@dataclass
class Caller:
    """Speaks the listener protocol with one listener."""

    host: str
    port: int

    async def send(self, raw: bytes, *, end: bool = False) -> bytes:
        """Send bytes, read until the listener closes; `end` closes our side first."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            async with asyncio.timeout(20):
                writer.write(raw)
                if end:
                    writer.write_eof()
                return await reader.read()
        finally:
            writer.close()

    async def ask(self, question: str, context: list[Reply] | None = None, session: str = "s1") -> Reply:
        request = ListenerRequest(question, session_id=session, context=context or [])
        reply: Reply = json.loads(await self.send(request.encode()))
        return reply


type Serve = Callable[..., Awaitable[Caller]]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Make a database with the sample household as of the conformance day."""
    path = tmp_path / "household.db"
    with closing(database.connect(path)) as connection:
        database.create(connection)
        database.load_sample(connection, NOW.date())
    return path


@pytest.fixture
async def serve(sample: Path) -> AsyncIterator[Serve]:
    """Start a listener on the sample household, with bounds of the test's choice."""
    stops: list[Callable[[], Awaitable[None]]] = []

    async def start(**bounds: Any) -> Caller:
        engine = Engine(sample, clock=NOW.astimezone)
        engine.start()
        listener = Listener(engine.answer, **bounds)
        host, port = await listener.start("127.0.0.1", 0)
        stops.extend((engine.close, listener.stop))
        return Caller(host, port)

    yield start
    for stop in reversed(stops):
        await stop()


@pytest.fixture
async def caller(serve: Serve) -> Caller:
    """Speak with a listener of ordinary bounds."""
    return await serve()
