"""The speech service's HTTP interface."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hal.speech import audio, body, order
from hal.speech.config import Settings
from hal.speech.metrics import CONTENT_TYPE, Metrics
from hal.speech.model import SERVICE, Loader, Model
from hal.speech.pool import Pool
from hal.speech.replies import EXCEPTION_HANDLERS, counted, openai_transcript, transcript_reply
from hal.speech.synthesis import FORMATS, Speech, Synthesiser
from hal.speech.transcriber import Transcriber, Transcript, WhisperTranscriber
from hal.speech.watch import while_connected

log = logging.getLogger(__name__)

type ReadOrder = Callable[[bytes, Transcriber], order.Order]


class SpeechService:
    """The service: routes, worker pool and model. `app` is the ASGI application."""

    def __init__(self, settings: Settings, loader: Loader = WhisperTranscriber) -> None:
        """Prepare; the model is loaded once the application starts up."""
        self._settings = settings
        self._pool = Pool(settings.workers, settings.queue)
        self.model = Model(settings, loader)
        self.metrics = Metrics(ready=lambda: self.model.ready, places=lambda: self._pool.taken)
        self._synthesiser = Synthesiser(settings.tts_url, settings.tts_timeout_s)
        self._started_at = int(time.time())
        count = partial(counted, self.metrics)
        self.app = Starlette(
            routes=[
                Route("/", self._health),
                Route("/health", self._health),
                Route("/metrics", self._metrics),
                Route("/transcribe", count("transcribe", self._transcribe), methods=["POST"]),
                Route("/v1/models", self._models),
                Route(
                    "/v1/audio/transcriptions",
                    count("transcriptions", self._transcriptions),
                    methods=["POST"],
                ),
                Route("/v1/audio/speech", count("speech", self._speech), methods=["POST"]),
            ],
            exception_handlers=EXCEPTION_HANDLERS,
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.model.start()
        yield
        self._pool.close()
        await self._synthesiser.close()

    async def _health(self, _: Request) -> Response:
        status, report = self.model.report()
        return JSONResponse(report, status)

    async def _metrics(self, _: Request) -> Response:
        return PlainTextResponse(self.metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    async def _models(self, _: Request) -> Response:
        model = {
            "id": self._settings.name,
            "object": "model",
            "created": self._started_at,
            "owned_by": SERVICE,
        }
        return JSONResponse({"object": "list", "data": [model]})

    async def _transcribe(self, request: Request) -> Response:
        begun = time.monotonic()
        size = self._settings.max_audio_bytes

        def read(raw: bytes, model: Transcriber) -> order.Order:
            return order.from_json(raw, model.languages, size)

        _, transcript = await self._serve(request, read, body.base64_size(size))
        return JSONResponse(transcript_reply(transcript, time.monotonic() - begun))

    async def _transcriptions(self, request: Request) -> Response:
        size = self._settings.max_audio_bytes
        content_type = request.headers.get("content-type", "")

        def read(raw: bytes, model: Transcriber) -> order.Order:
            return order.from_form(raw, content_type, model.languages, size)

        ordered, transcript = await self._serve(request, read, size + body.OVERHEAD_BYTES)
        return openai_transcript(transcript, ordered.response_format)

    async def _speech(self, request: Request) -> Response:
        raw = await body.read_body(request, body.OVERHEAD_BYTES, self._settings.upload_timeout_s)
        speech = Speech.from_json(raw)
        recording = await while_connected(request, self._synthesiser.speak(speech))
        return Response(recording, media_type=FORMATS[speech.response_format])

    async def _serve(self, request: Request, read: ReadOrder, limit: int) -> tuple[order.Order, Transcript]:
        """Receive a recording and transcribe it: all that is slow happens in threads."""
        model = self.model.get()
        begun = time.monotonic()
        with self._pool.place() as place:
            raw = await body.read_body(request, limit, self._settings.upload_timeout_s)
            ordered = await asyncio.to_thread(read, raw, model)

            def work(abandoned: Callable[[], bool]) -> Transcript:
                samples = audio.decode(ordered.audio, self._settings.max_audio_s)
                return model.transcribe(
                    samples, language=ordered.language, task=ordered.task, abandoned=abandoned
                )

            transcript = await while_connected(request, place.run(work))
        took = time.monotonic() - begun
        self.metrics.transcription_seconds.observe(took)
        self.metrics.audio_seconds.inc(transcript.duration_s)
        log.info("transcribed %.1f s of audio in %.2f s", transcript.duration_s, took)
        return ordered, transcript
