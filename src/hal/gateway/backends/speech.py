"""Speech recognition: `POST /transcribe` of the speech service."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import httpx

from hal.gateway.backends import http
from hal.gateway.breaker import BackendError, Failover
from hal.gateway.metrics import Metrics
from hal.protocol import clean_text


class SpeechBackend:
    """Turns a recording into text at one of several speech services."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        urls: Sequence[str],
        metrics: Metrics,
        *,
        language: str = "en",
        timeout_s: float = 30.0,
    ) -> None:
        self._client = client
        self._language = language
        self._timeout_s = timeout_s
        self.failover = Failover("speech", [url.rstrip("/") for url in urls], metrics, self.probe)

    async def transcribe(self, audio: bytes) -> str:
        """Return what is said in `audio`, a container; empty when nothing is.

        Raises:
            BackendError: no service transcribed it; Rejected when the audio itself is bad.
        """
        payload = {
            "audio": base64.b64encode(audio).decode(),
            "language": self._language,
            "task": "transcribe",
        }

        async def attempt(url: str) -> str:
            text = (await http.post(self._client, f"{url}/transcribe", payload)).get("text")
            if not isinstance(text, str):
                raise BackendError(f"{url} sent a transcription without text")
            return clean_text(text)

        return await self.failover.call(attempt, self._timeout_s)

    async def probe(self, address: str) -> bool:
        """Tell whether the service at `address` is ready."""
        return await http.answers(self._client, f"{address}/health")
