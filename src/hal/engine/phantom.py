"""Phantom mode: the records answer clients themselves, over WebSocket, and no gateway stands between.

This is what OpenQM does with its phantom process WEBSOCKET.LISTENER. To a client it looks like the gateway,
with text alone:

- The greeting, `text_input`, `transcription`, the commands, the wake word, heartbeats, the follow-up window
  of 10 s, the errors of the protocol, `/healthz` and `/readyz` are the gateway's: the same code serves them.
- An utterance is recorded and answered with a `response` of status "error" and action "text_only": there is
  no speech recognition.
- A general question is answered with a `response` of status "error" and action "records_only": there is no
  language model.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from hal.engine.engine import EMERGENCY_NUMBER, Engine
from hal.protocol import ListenerReply, ListenerRequest
from hal.shared.breaker import BackendError, Failover
from hal.shared.metrics import GatewayMetrics
from hal.shared.pipeline import Pipeline
from hal.shared.readiness import Readiness
from hal.shared.socket_settings import SocketSettings
from hal.shared.websocket import WebSocketServer

CLIENT_TYPE = "websocket"  # as which the conversation log knows these callers


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomSettings(SocketSettings):
    """The engine's settings in phantom mode, besides those of every server of clients.

    Attributes:
        database: the file of the records.
        mode: "phantom".
        timezone: the household's, by its name in the IANA database; empty: the machine's own.
        emergency_number: what a person in danger is told to call.
    """

    database: Path
    mode: str
    timezone: str = ""
    emergency_number: str = EMERGENCY_NUMBER


class Records:
    """The engine as the back end that a session asks, without a socket between them."""

    def __init__(self, engine: Engine, metrics: GatewayMetrics, *, timeout_s: float) -> None:
        self._engine = engine
        self._timeout_s = timeout_s
        self.failover = Failover("records", ["database"], metrics)

    async def ask(self, request: ListenerRequest) -> ListenerReply:
        """Return the engine's reply.

        Raises:
            BackendError: the database cannot be read, or is too slow.
        """
        own = dataclasses.replace(request, client_type=CLIENT_TYPE)
        return await self.failover.call(lambda _: self._answer(own), self._timeout_s)

    async def probe(self, _address: str) -> bool:
        """Tell whether the records can be read."""
        try:
            await self._engine.check()
        except sqlite3.Error:
            return False
        return True

    async def _answer(self, request: ListenerRequest) -> ListenerReply:
        try:
            return await self._engine.answer(request)
        except sqlite3.Error as error:
            raise BackendError(f"the database cannot be read: {error}") from error


class Phantom(WebSocketServer):
    """The engine as a server of clients. Use `start`, then `stop`; the engine is the caller's to close."""

    def __init__(self, engine: Engine, settings: PhantomSettings) -> None:
        """Prepare, without opening a port.

        Raises:
            ValueError: the tokens file is unreadable or malformed.
        """
        metrics = GatewayMetrics()
        records = Records(engine, metrics, timeout_s=settings.listener_timeout_s)
        pipeline = Pipeline(records, metrics, timeout_s=settings.turn_timeout_s)
        super().__init__(settings, pipeline, Readiness(records, ()), metrics)
