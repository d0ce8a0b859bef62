"""Speech, both ways: `POST /transcribe` and `POST /v1/audio/speech` of the speech service."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Sequence

import httpx

from hal.gateway.backends import http
from hal.protocol import clean_text, confidence
from hal.shared.breaker import BackendError, Failover
from hal.shared.metrics import GatewayMetrics
from hal.shared.pipeline import Heard

log = logging.getLogger(__name__)

MAX_SPOKEN_CHARACTERS = 4_096  # of OpenAI's interface
MAX_SPEECH_BYTES = 4_000_000  # a minute and a half at 22,050 Hz


class SpeechBackend:
    """Turns a recording into text, and text into a recording, at one of several speech services."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        urls: Sequence[str],
        metrics: GatewayMetrics,
        *,
        language: str = "en",
        timeout_s: float = 30.0,
    ) -> None:
        self._client = client
        self._urls = [url.rstrip("/") for url in urls]
        self._language = language
        self._timeout_s = timeout_s
        self.failover = Failover("speech", self._urls, metrics, self.probe)

    async def transcribe(self, audio: bytes) -> Heard:
        """Return what is said in `audio`, a container; an empty text when nothing is.

        Raises:
            BackendError: no service transcribed it; Rejected when the audio itself is bad.
        """
        payload = {
            "audio": base64.b64encode(audio).decode(),
            "language": self._language,
            "task": "transcribe",
        }

        async def attempt(url: str) -> Heard:
            reply = await http.post(self._client, f"{url}/transcribe", payload)
            text = reply.get("text")
            if not isinstance(text, str):
                raise BackendError(f"{url} sent a transcription without text")
            # Other services that speak this protocol do not say how sure they are.
            return Heard(clean_text(text), confidence(reply))

        return await self.failover.call(attempt, self._timeout_s)

    async def speak(self, text: str) -> bytes:
        """Return `text` spoken, as a WAV file; empty when no service does that, which is no failure."""
        order = {"input": text[:MAX_SPOKEN_CHARACTERS], "response_format": "wav"}
        for url in self._urls:
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await http.post_for_bytes(
                        self._client, f"{url}/v1/audio/speech", order, MAX_SPEECH_BYTES
                    )
            except (BackendError, TimeoutError) as error:
                log.info("an answer is not spoken: %s", error)
        return b""

    async def probe(self, address: str) -> bool:
        """Tell whether the service at `address` is ready."""
        return await http.answers(self._client, f"{address}/health")
