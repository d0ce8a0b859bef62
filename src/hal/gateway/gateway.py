"""The gateway: the WebSocket server, and behind it the listener, speech recognition and a language model."""

from __future__ import annotations

from hal.gateway.backends.http import make_client
from hal.gateway.backends.language import LanguageBackend
from hal.gateway.backends.listener import ListenerBackend
from hal.gateway.backends.speech import SpeechBackend
from hal.gateway.settings import GatewaySettings
from hal.shared.metrics import GatewayMetrics
from hal.shared.pipeline import Pipeline
from hal.shared.readiness import Readiness
from hal.shared.session import ListeningTimes
from hal.shared.websocket import WebSocketServer


class Gateway(WebSocketServer):
    """The service. Use `start`, then `stop`; `sessions` are the ones open now."""

    def __init__(self, settings: GatewaySettings, listening_times: ListeningTimes | None = None) -> None:
        """Prepare, without opening a port.

        Raises:
            ValueError: the tokens file or the authority's certificate is unreadable or malformed.
        """
        metrics = GatewayMetrics()
        self._client = make_client(settings.ca_file)
        listener = ListenerBackend(
            settings.listener_host,
            settings.listener_port,
            metrics,
            timeout_s=settings.listener_timeout_s,
        )
        speech = SpeechBackend(
            self._client,
            settings.speech_urls,
            metrics,
            language=settings.speech_language,
            timeout_s=settings.speech_timeout_s,
        )
        self._language = language = LanguageBackend(
            self._client,
            settings.ollama_urls,
            settings.ollama_model,
            metrics,
            timeout_s=settings.ollama_timeout_s,
            load_wait_s=settings.ollama_load_wait_s,
        )
        pipeline = Pipeline(
            listener,
            metrics,
            speech,
            language,
            timeout_s=settings.turn_timeout_s,
            ask_below_confidence=settings.ask_below_confidence,
        )
        readiness = Readiness(listener, (speech, language))
        super().__init__(settings, pipeline, readiness, metrics, listening_times)

    async def stop(self) -> None:
        """Stop as every server does, then let go of the connections to the back ends."""
        await super().stop()
        await self._language.stop()
        await self._client.aclose()
