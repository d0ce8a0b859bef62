"""`hal-speech`: run the speech service until it is told to stop."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn

from hal.shared.settings import load, setup_logging
from hal.speech.app import SpeechService
from hal.speech.settings import FOREIGN_VARIABLES, PREFIX, SpeechSettings

log = logging.getLogger(__name__)

EXIT_FAILURE = 1
KEEP_ALIVE_S = 65  # longer than the proxy keeps an idle connection, so that it is the proxy that closes


class Server(uvicorn.Server):
    """uvicorn, but a stop that was asked for ends with exit code 0, and it says when it listens."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT; uvicorn itself would raise the signal again afterwards."""
        previous = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port and say so."""
        await super().startup(sockets)
        for server in self.servers:
            for bound in server.sockets:
                log.info("listening on %s:%d", *bound.getsockname()[:2])


def make_server(settings: SpeechSettings, service: SpeechService) -> Server:
    """Return the HTTP server for a service."""
    return Server(
        uvicorn.Config(
            service.app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            log_level="warning",
            access_log=False,
            ws="none",
            lifespan="on",
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=round(settings.drain_timeout_s),
        )
    )


def main() -> None:
    """Run the service; exit 0 after a stop that was asked for, 1 on a failure, 2 on bad settings."""
    settings = load(SpeechSettings, PREFIX, ignore=FOREIGN_VARIABLES)
    setup_logging()
    server = make_server(settings, SpeechService(settings))
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    log.info("stopped")
    sys.exit(0 if server.started else EXIT_FAILURE)
