"""Running the HTTP interface until a signal comes."""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Iterator

import uvicorn

from .api import Api
from .config import Config
from .runner import Runner
from .store import Store

log = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)

DRAIN_S = 5


class Server(uvicorn.Server):
    """uvicorn, but a stop that was asked for ends the program in good order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT; uvicorn itself would raise the signal again afterwards."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield


def serve(config: Config) -> bool:
    """Serve; return whether the port could be opened."""
    api = Api(config, Store(config.models), Runner(config.context))
    server = Server(
        uvicorn.Config(
            api.app,
            host=config.host,
            port=config.port,
            log_level="warning",
            log_config=None,
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=DRAIN_S,
        )
    )
    log.info("a stand-in for Ollama, for %s:%d; models in %s", config.host, config.port, config.models)
    with contextlib.suppress(SystemExit):  # uvicorn's way to say that the port is taken
        server.run()
    return server.started
