"""The WebSocket server: listens, admits, gives each socket a session, and drains when told to stop."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
import uuid
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from hal.shared.admission import (
    NOT_ADMITTED,
    TOO_MANY_FAILURES,
    TOO_MANY_WRONG_TOKENS,
    WRONG_TOKEN,
    Admission,
    Refused,
)
from hal.shared.ai_server_session import AiServerSession
from hal.shared.ai_server_socket import NOT_TRUSTED, AiServerSocket
from hal.shared.connection import Connection
from hal.shared.device_tokens import SUBPROTOCOL, Device, DeviceTokens, token_of
from hal.shared.limited_socket import LimitedConnection
from hal.shared.limits import Limits, Place, Sources
from hal.shared.metrics import CONTENT_TYPE, GatewayMetrics
from hal.shared.own_names import OwnNames
from hal.shared.pipeline import Pipeline
from hal.shared.readiness import Readiness
from hal.shared.recording_session import RECORDING_PATH, RecordingSession
from hal.shared.session import ListeningTimes, Session
from hal.shared.socket_settings import SocketSettings
from hal.shared.tls import server_context

log = logging.getLogger(__name__)

# A minute of 16 kHz PCM16 in base64, in one frame, is 2.6 MB; nothing larger is meant well.
MAX_FRAME_BYTES = 3 * 2**20
MAX_QUEUED_FRAMES = 16
HANDSHAKE_TIMEOUT_S = 10.0
EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - what is encrypted is for other hosts; the firewall decides which
CLOSE_TIMEOUT_S = 2.0
PING_INTERVAL_S = 20.0
# Some clients read only while they wait for an answer, so that a person may think for a while
# before the client sees our ping; a dead host is noticed by TCP itself.
PING_TIMEOUT_S = 600.0
TOKENS_INTERVAL_S = 2.0  # how soon a session ends whose device has lost its token
_JSON = "application/json"
TOO_MANY_CONNECTIONS = "This address has too many connections, or opens them too fast: try again later."


class WebSocketServer:
    """Serves sessions over WebSocket, and its health over HTTP. Use `start`, then `stop`.

    Arguments:
        settings: where to listen, and who may connect.
        pipeline: what answers the questions.
        readiness: whether it can, for `/readyz`.
        metrics: what is counted, for `/metrics`.
        listening_times: how long a session listens; the protocol's own times unless given.

    Raises:
        ValueError: the tokens file is unreadable or malformed.
    """

    def __init__(
        self,
        settings: SocketSettings,
        pipeline: Pipeline,
        readiness: Readiness,
        metrics: GatewayMetrics,
        listening_times: ListeningTimes | None = None,
    ) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._readiness = readiness
        self._listening_times = listening_times
        self._draining = False
        self._sources = Sources(
            Limits(
                settings.address_connections,
                settings.address_sessions,
                settings.address_handshakes_per_minute,
            ),
            time.monotonic,
        )
        self._servers: list[Server] = []
        self._closing: set[asyncio.Task[None]] = set()
        self.metrics = metrics
        for kind in (NOT_ADMITTED, WRONG_TOKEN, TOO_MANY_WRONG_TOKENS):
            metrics.refused.labels(kind)  # from 0 on, so that the first one is seen to have been added
        self.sessions: dict[Session, Connection | AiServerSocket] = {}  # those open now
        self._tokens = DeviceTokens(path=settings.tokens_file)
        self._watching: asyncio.Task[None] | None = None
        self._own_names = OwnNames(settings.own_names, settings.allowed_origins)
        self._admission = Admission(
            settings.trusted_networks, settings.trusted_proxies, self._tokens, self._own_names
        )

    @property
    def ports(self) -> list[int]:
        """The ports that are open."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def start(self) -> None:
        """Open the ports.

        Raises:
            OSError: a port is taken or the address is not this host's.
            ValueError: the certificate cannot be read.
        """
        settings = self._settings
        for port in [settings.port, *([settings.extra_port] if settings.extra_port else [])]:
            self._servers.append(await self._listen(settings.host, port))
        if settings.ai_server_port:
            self._servers.append(
                await self._listen(settings.host, settings.ai_server_port, connect=self._connect_ai_server)
            )
        if settings.tls_port and settings.certificate_file:
            context = server_context(settings.certificate_file)
            self._servers.append(await self._listen(EVERY_INTERFACE, settings.tls_port, context=context))
        for server in self._servers:
            log.info("listening on %s:%d", *server.sockets[0].getsockname()[:2])
        self._watching = asyncio.create_task(self._watch_tokens(), name="tokens")

    async def _listen(
        self,
        host: str,
        port: int,
        *,
        connect: Callable[..., asyncio.Protocol] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> Server:
        return await serve(
            self._serve_client,
            host,
            port,
            ssl=context,
            ssl_handshake_timeout=HANDSHAKE_TIMEOUT_S if context else None,
            compression=None,  # a quarter of the memory for each idle connection, and frames are small
            process_request=self._process_request,
            select_subprotocol=_select_subprotocol,
            create_connection=connect or self._connect,  # type: ignore[arg-type]  # any factory will do
            server_header=None,
            open_timeout=HANDSHAKE_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            max_size=MAX_FRAME_BYTES,
            max_queue=MAX_QUEUED_FRAMES,
        )

    def _connect(self, *arguments: Any, **options: Any) -> LimitedConnection:
        return LimitedConnection(
            *arguments,
            place=Place(self._sources, self._settings.max_connections),
            is_proxy=self._admission.is_proxy,
            **options,
        )

    def _connect_ai_server(self, *arguments: Any, **options: Any) -> AiServerSocket:
        websocket = self._connect(*arguments, **options)
        websocket.session_kind = AiServerSession
        return AiServerSocket(websocket, self._admission.is_proxy, self._begin_over_tcp, self._end_session)

    async def stop(self) -> None:
        """Stop accepting, let the turns in flight end within the drain time, close every socket."""
        self._draining = True
        if self._watching:
            self._watching.cancel()
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

    async def _watch_tokens(self) -> None:
        """End the sessions of devices whose tokens have been revoked."""
        while True:
            await asyncio.sleep(TOKENS_INTERVAL_S)
            self._tokens.refresh()
            for connection in list(self.sessions.values()):
                if connection.device and not self._tokens.is_good(connection.device):
                    log.info("ended a session of %s, whose token was revoked", connection.device.name)
                    connection.device = None
                    self._closing.add(
                        task := asyncio.create_task(
                            connection.close(CloseCode.POLICY_VIOLATION, "this device's token was revoked")
                        )
                    )
                    task.add_done_callback(self._closing.discard)

    async def _serve_client(self, socket: ServerConnection) -> None:
        if len(self.sessions) >= self._settings.max_sessions:
            self.metrics.refused.labels("too_many_sessions").inc()
            await socket.close(CloseCode.TRY_AGAIN_LATER, "too many sessions, try again later")
            return
        if isinstance(socket, LimitedConnection) and not socket.place.begin_session():
            self.metrics.refused.labels("too_many_sessions_of_an_address").inc()
            await socket.close(CloseCode.TRY_AGAIN_LATER, "too many sessions from this address")
            return
        connection = Connection(
            socket, self.metrics, socket.device if isinstance(socket, LimitedConnection) else None
        )
        path = socket.request.path.partition("?")[0] if socket.request else ""
        kind = socket.session_kind if isinstance(socket, LimitedConnection) else Session
        if kind is Session and path == RECORDING_PATH:
            kind = RecordingSession
        session = kind(str(uuid.uuid4()), connection.send, self._pipeline, self._listening_times)
        self._begin_session(session, connection)
        try:
            await connection.serve(session)
        finally:
            self._end_session(session)

    def _begin_over_tcp(self, socket: AiServerSocket) -> AiServerSession | str:
        """Open the session of a client without a WebSocket, or say why it may have none."""
        reason, kind = "", ""
        try:
            self._admission.admit(socket.peer, Headers(), socket.local)
        except Refused as refusal:
            log.warning("refused a client at %s, over TCP: %s", socket.peer, refusal)
            reason, kind = NOT_TRUSTED, refusal.kind
        else:
            if len(self.sessions) >= self._settings.max_sessions:
                reason, kind = TOO_MANY_CONNECTIONS, "too_many_sessions"
            elif not (socket.place.count_as(socket.peer) and socket.place.begin_session()):
                reason, kind = TOO_MANY_CONNECTIONS, "too_many_sessions_of_an_address"
        if reason:
            self.metrics.refused.labels(kind).inc()
            return reason
        session = AiServerSession(str(uuid.uuid4()), socket.send, self._pipeline, self._listening_times)
        if self._draining:
            session.drain()
        self._begin_session(session, socket)
        return session

    def _begin_session(self, session: Session, connection: Connection | AiServerSocket) -> None:
        self.sessions[session] = connection
        self.metrics.sessions.set(len(self.sessions))

    def _end_session(self, session: Session) -> None:
        del self.sessions[session]
        self.metrics.sessions.set(len(self.sessions))

    async def _process_request(self, socket: ServerConnection, request: Request) -> Response | None:
        """Answer health checks, and let only admitted clients go on to a WebSocket."""
        try:
            self._count(socket, request)
            if answer := await self._answer_plainly(socket, request):
                return answer
            self._admit(socket, request)
        except Refused as refusal:
            self.metrics.refused.labels(refusal.kind).inc()
            if refusal.kind != TOO_MANY_WRONG_TOKENS:
                log.warning("refused a client at %s: %s", _address(socket.remote_address), refusal)
            response = socket.respond(refusal.status, f"{refusal}\n")
            if refusal.status is HTTPStatus.UNAUTHORIZED:
                response.headers["WWW-Authenticate"] = 'Bearer realm="hal"'
            return response
        return None

    async def _answer_plainly(self, socket: ServerConnection, request: Request) -> Response | None:
        """Answer what is asked without a WebSocket; None: it is something else."""
        path = request.path.partition("?")[0]
        if path not in ("/healthz", "/readyz", "/metrics"):
            return None
        hosts, origins = request.headers.get_all("Host"), request.headers.get_all("Origin")
        if reason := self._own_names.fault(hosts, origins, _address(socket.local_address)):
            raise Refused(reason, HTTPStatus.FORBIDDEN)
        if path == "/healthz":
            return _respond(socket, HTTPStatus.OK, json.dumps({"status": "alive"}), _JSON)
        if path == "/metrics":
            return _respond(socket, HTTPStatus.OK, self.metrics.render(), CONTENT_TYPE)
        ready, report = await self._readiness.report(draining=self._draining)
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _respond(socket, status, json.dumps(report | {"sessions": len(self.sessions)}), _JSON)

    def _count(self, socket: ServerConnection, request: Request) -> None:
        """Count a connection that comes through a proxy as one of the client behind it.

        Raises:
            Refused: that client has as many as it may have.
        """
        client = self._admission.client_address(_address(socket.remote_address), request.headers)
        if client and isinstance(socket, LimitedConnection) and not socket.place.count_as(str(client)):
            raise Refused(TOO_MANY_CONNECTIONS, HTTPStatus.TOO_MANY_REQUESTS)

    def _admit(self, socket: ServerConnection, request: Request) -> None:
        """Let a client go on.

        Raises:
            Refused: it may not.
        """
        peer = _address(socket.remote_address)
        client = str(self._admission.client_address(peer, request.headers) or peer)
        failures = self._sources.of(client).wrong_tokens
        if token_of(request.headers) is not None and failures.is_empty():
            raise Refused(TOO_MANY_FAILURES, HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY_WRONG_TOKENS)
        try:
            admitted = self._admission.admit(peer, request.headers, _address(socket.local_address))
        except Refused as refusal:
            if refusal.kind == WRONG_TOKEN:
                failures.delay()
            raise
        if isinstance(admitted, Device):
            if isinstance(socket, LimitedConnection):
                socket.device = admitted
            log.info("admitted %s", admitted.name)
        else:
            log.info("admitted %s", admitted)


def _select_subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Name the protocol to a client that asks for it, and never repeat its token."""
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def _address(end: tuple[str, int] | None) -> str:
    return end[0] if end else "a client that has left"


def _respond(socket: ServerConnection, status: HTTPStatus, body: str, content_type: str) -> Response:
    response = socket.respond(status, body + ("" if body.endswith("\n") else "\n"))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = content_type
    return response
