"""The conversation log: one durable row for each exchange, written in groups."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from dataclasses import astuple, dataclass

log = logging.getLogger(__name__)

MAX_LOGGED_CHARACTERS = 2_000
QUEUE_SIZE = 1_000


@dataclass(frozen=True, slots=True)
class LoggedExchange:
    """What is kept of an exchange; the fields are the columns of the table, in its order."""

    at: str
    session: str
    client: str
    question: str
    intent: str
    action: str
    status: str


class ConversationLog:
    """Writes exchanges from one task, so that many waiting at once share one commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queue: asyncio.Queue[tuple[LoggedExchange, asyncio.Future[None]]] = asyncio.Queue(QUEUE_SIZE)
        self._writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start writing; call it inside the running loop."""
        self._writer = asyncio.create_task(self._write_forever())

    async def stop(self) -> None:
        """Write what is queued, then stop."""
        await self._queue.join()
        if self._writer is not None:
            self._writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer

    async def record(self, exchange: LoggedExchange) -> None:
        """Return once the exchange is on the disk, or could not be written, which is logged.

        A full disk must not cost the household its answers, hence no exception.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._queue.put((exchange, done))
        await done

    async def _write_forever(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await asyncio.to_thread(self._insert, [exchange for exchange, _ in batch])
            except sqlite3.Error as error:
                log.error("%d exchanges were not recorded: %s", len(batch), error)
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
                self._queue.task_done()

    def _insert(self, exchanges: list[LoggedExchange]) -> None:
        with self._connection:
            self._connection.executemany(
                "INSERT INTO conversation (at, session, client, question, intent, action, status)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [tuple(_storable(field) for field in astuple(exchange)) for exchange in exchanges],
            )


def _storable(text: str) -> str:
    """Cut a text to size and replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text[:MAX_LOGGED_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
