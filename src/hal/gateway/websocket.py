"""The WebSocket server: listens, admits, gives each socket a session, and drains when told to stop."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from hal.gateway.admission import Admission, Refused, read_tokens
from hal.gateway.config import SocketSettings, Windows
from hal.gateway.connection import Connection
from hal.gateway.health import Readiness
from hal.gateway.metrics import CONTENT_TYPE, Metrics
from hal.gateway.pipeline import Pipeline
from hal.gateway.session import Session

log = logging.getLogger(__name__)

# A minute of 16 kHz PCM16 in base64, in one frame, is 2.6 MB; nothing larger is meant well.
MAX_FRAME_BYTES = 3 * 2**20
MAX_QUEUED_FRAMES = 16
HANDSHAKE_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
PING_INTERVAL_S = 20.0
# Some clients read only while they wait for an answer, so that a person may think for a while
# before the client sees our ping; a dead host is noticed by TCP itself.
PING_TIMEOUT_S = 600.0
_JSON = "application/json"


class WebSocketServer:
    """Serves sessions over WebSocket, and its health over HTTP. Use `start`, then `stop`.

    Arguments:
        settings: where to listen, and who may connect.
        pipeline: what answers the questions.
        readiness: whether it can, for `/readyz`.
        metrics: what is counted, for `/metrics`.
        windows: how long a session listens; the protocol's own times unless given.

    Raises:
        ValueError: the tokens file is unreadable or malformed.
    """

    def __init__(
        self,
        settings: SocketSettings,
        pipeline: Pipeline,
        readiness: Readiness,
        metrics: Metrics,
        windows: Windows | None = None,
    ) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._readiness = readiness
        self._windows = windows
        self._draining = False
        self._servers: list[Server] = []
        self.metrics = metrics
        self.sessions: dict[Session, Connection] = {}  # those open now
        tokens = read_tokens(settings.tokens_file) if settings.tokens_file else {}
        self._admission = Admission(
            settings.trusted_networks, settings.trusted_proxies, tokens, settings.allowed_origins
        )

    @property
    def ports(self) -> list[int]:
        """The ports that are open."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def start(self) -> None:
        """Open the ports.

        Raises:
            OSError: a port is taken or the address is not this host's.
        """
        settings = self._settings
        for port in [settings.port, *([settings.extra_port] if settings.extra_port else [])]:
            self._servers.append(await self._listen(port))
        for port in self.ports:
            log.info("listening on %s:%d", settings.host, port)

    async def _listen(self, port: int) -> Server:
        return await serve(
            self._serve_client,
            self._settings.host,
            port,
            compression=None,  # a quarter of the memory for each idle connection, and frames are small
            process_request=self._process_request,
            server_header=None,
            open_timeout=HANDSHAKE_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            max_size=MAX_FRAME_BYTES,
            max_queue=MAX_QUEUED_FRAMES,
        )

    async def stop(self) -> None:
        """Stop accepting, let the turns in flight end within the drain time, close every socket."""
        self._draining = True
        for server in self._servers:
            server.close(close_connections=False)
        for session in self.sessions:
            session.drain()
        deadline = time.monotonic() + self._settings.drain_timeout_s
        while turns := [session.turn for session in self.sessions if session.turn]:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            await asyncio.wait(turns, timeout=remaining)
        for session in self.sessions:
            session.abandon()
        closing = [
            asyncio.create_task(connection.close(CloseCode.GOING_AWAY, "the server is stopping"))
            for connection in self.sessions.values()
        ]
        if closing:
            await asyncio.wait(closing, timeout=2 * CLOSE_TIMEOUT_S)
        # Half-open handshakes may linger; they are dropped with the loop.
        waiting = [asyncio.create_task(server.wait_closed()) for server in self._servers]
        _, lingering = await asyncio.wait(waiting, timeout=CLOSE_TIMEOUT_S)
        for task in lingering:
            task.cancel()

    async def _serve_client(self, socket: ServerConnection) -> None:
        if len(self.sessions) >= self._settings.max_sessions:
            self.metrics.refused.labels("too_many_sessions").inc()
            await socket.close(CloseCode.TRY_AGAIN_LATER, "too many sessions, try again later")
            return
        connection = Connection(socket, self.metrics)
        session = Session(str(uuid.uuid4()), connection.send, self._pipeline, self._windows)
        self.sessions[session] = connection
        self.metrics.sessions.set(len(self.sessions))
        try:
            await connection.serve(session)
        finally:
            del self.sessions[session]
            self.metrics.sessions.set(len(self.sessions))

    async def _process_request(self, socket: ServerConnection, request: Request) -> Response | None:
        """Answer health checks, and let only admitted clients go on to a WebSocket."""
        match request.path.partition("?")[0]:
            case "/healthz":
                return _respond(socket, HTTPStatus.OK, json.dumps({"status": "alive"}), _JSON)
            case "/readyz":
                ready, report = await self._readiness.report(draining=self._draining)
                status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
                return _respond(socket, status, json.dumps(report | {"sessions": len(self.sessions)}), _JSON)
            case "/metrics":
                return _respond(socket, HTTPStatus.OK, self.metrics.render(), CONTENT_TYPE)
        peer = socket.remote_address[0] if socket.remote_address else "a client that has left"
        try:
            name = self._admission.admit(peer, request.headers)
        except Refused as refusal:
            self.metrics.refused.labels("not_admitted").inc()
            log.warning("refused a client at %s: %s", peer, refusal)
            response = socket.respond(HTTPStatus.UNAUTHORIZED, f"{refusal}\n")
            response.headers["WWW-Authenticate"] = 'Bearer realm="hal"'
            return response
        log.info("admitted %s", name)
        return None


def _respond(socket: ServerConnection, status: HTTPStatus, body: str, content_type: str) -> Response:
    response = socket.respond(status, body + ("" if body.endswith("\n") else "\n"))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = content_type
    return response
