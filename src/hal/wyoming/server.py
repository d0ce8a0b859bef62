"""The three ports, and the connections to them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from hal.wyoming.backends import Gateway, Speech
from hal.wyoming.handlers import Assistant, Handler, SpeechToText, TextToSpeech
from hal.wyoming.settings import WyomingSettings

log = logging.getLogger(__name__)

type MakeHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Handler]


class WyomingServer:
    """The service. Use `start`, then `stop`; `ports` are in the order of their settings."""

    def __init__(self, settings: WyomingSettings) -> None:
        """Prepare, without opening a port.

        Raises:
            ValueError: the authority's certificate is unreadable or malformed.
        """
        self._settings = settings
        self._speech = Speech(settings.speech_url, settings.timeout_s)
        self._gateway = Gateway(settings.gateway_urls, settings.timeout_s, settings.ca_file)
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def ports(self) -> list[int]:
        """The ports that are open."""
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    async def start(self) -> None:
        """Open the ports.

        Raises:
            OSError: a port is taken or the address is not this host's.
        """
        settings, language = self._settings, self._settings.language
        kinds: list[tuple[int, MakeHandler]] = [
            (settings.stt_port, lambda *streams: SpeechToText(self._speech, language, *streams)),
            (settings.tts_port, lambda *streams: TextToSpeech(self._speech, language, *streams)),
            (settings.assistant_port, lambda *streams: Assistant(self._gateway, language, *streams)),
        ]
        for port, make in kinds:
            self._servers.append(await asyncio.start_server(self._serving(make), settings.host, port))
        log.info("listening on %s, ports %s", settings.host, self.ports)

    async def stop(self) -> None:
        """Close the ports and the connections."""
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._gateway.close()
        await self._speech.close()

    def _serving(self, make: MakeHandler) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        """Return what begins to serve a connection, unless there are too many."""

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(self._connections) >= self._settings.max_connections:
                log.warning("a connection is closed: there are %d", len(self._connections))
                writer.transport.abort()
                return
            task = asyncio.get_running_loop().create_task(self._serve(make(reader, writer), writer))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return begin

    async def _serve(self, handler: Handler, writer: asyncio.StreamWriter) -> None:
        try:
            await handler.run()
        except asyncio.CancelledError:
            pass  # the service stops
        except Exception:
            log.exception("a connection failed unexpectedly")
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
