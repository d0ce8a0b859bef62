"""The speech service's HTTP interface."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hal.shared.metrics import CONTENT_TYPE
from hal.shared.own_names import OwnNames
from hal.speech import body, order
from hal.speech.decoder import Decoder
from hal.speech.encoding import ENCODINGS
from hal.speech.metrics import SpeechMetrics
from hal.speech.model import SERVICE, Loader, Model
from hal.speech.pool import Pool, Uploads
from hal.speech.replies import EXCEPTION_HANDLERS, counted, refusal_reply
from hal.speech.settings import SpeechSettings
from hal.speech.synthesis import Speech, Synthesiser
from hal.speech.transcriber import Task, Transcriber, Transcript, WhisperTranscriber
from hal.speech.transcripts import openai_transcript, transcript_reply
from hal.speech.watch import while_connected

log = logging.getLogger(__name__)

type ReadOrder = Callable[[bytes, Transcriber], order.Order]


class OwnNamesOnly:
    """Answers no web page but the network's own."""

    def __init__(self, app: ASGIApp, own_names: OwnNames) -> None:
        self._app = app
        self._own_names = own_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it with 403."""
        app = self._app
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            local = (scope.get("server") or ("",))[0]
            if fault := self._own_names.fault(headers.getlist("host"), headers.getlist("origin"), local):
                app = refusal_reply(HTTPStatus.FORBIDDEN, fault)
        await app(scope, receive, send)


class SpeechService:
    """The service: routes, worker pool and model. `app` is the ASGI application."""

    def __init__(self, settings: SpeechSettings, loader: Loader = WhisperTranscriber) -> None:
        """Prepare; the model is loaded once the application starts up."""
        self._settings = settings
        self._pool = Pool(settings.workers, settings.queue)
        self._uploads = Uploads()
        self._decoder = Decoder()
        self.model = Model(settings, loader)
        self.metrics = SpeechMetrics(ready=lambda: self.model.ready, places=lambda: self._pool.taken)
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
                Route("/v1/models/{name:path}", self._one_model),
                Route(
                    "/v1/audio/transcriptions",
                    count("transcriptions", self._transcriptions),
                    methods=["POST"],
                ),
                Route("/v1/audio/translations", count("translations", self._translations), methods=["POST"]),
                Route("/v1/audio/speech", count("speech", self._speech), methods=["POST"]),
            ],
            exception_handlers=EXCEPTION_HANDLERS,
            middleware=[Middleware(OwnNamesOnly, OwnNames(settings.own_names, settings.allowed_origins))],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self.model.start()
        await asyncio.to_thread(self._decoder.start)
        yield
        self._pool.close()
        self._decoder.close()
        await self._synthesiser.close()

    async def _health(self, _: Request) -> Response:
        status, report = self.model.report()
        return JSONResponse(report, status)

    async def _metrics(self, _: Request) -> Response:
        return PlainTextResponse(self.metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [self._described()]})

    async def _one_model(self, request: Request) -> Response:
        if request.path_params["name"] != self._settings.name:
            detail = f"There is no such model here; there is {self._settings.name}."
            return refusal_reply(HTTPStatus.NOT_FOUND, detail)
        return JSONResponse(self._described())

    def _described(self) -> dict[str, str | int]:
        return {
            "id": self._settings.name,
            "object": "model",
            "created": self._started_at,
            "owned_by": SERVICE,
        }

    async def _transcribe(self, request: Request) -> Response:
        begun = time.monotonic()
        size = self._settings.max_audio_bytes
        content_type = request.headers.get("content-type", "")

        def read(raw: bytes, model: Transcriber) -> order.Order:
            return order.from_transcribe(raw, content_type, model.languages, size)

        _, transcript = await self._serve(request, read, body.base64_size(size))
        return JSONResponse(transcript_reply(transcript, time.monotonic() - begun))

    async def _transcriptions(self, request: Request) -> Response:
        return await self._openai(request, "transcribe")

    async def _translations(self, request: Request) -> Response:
        return await self._openai(request, "translate")

    async def _openai(self, request: Request, task: Task) -> Response:
        size = self._settings.max_audio_bytes
        content_type = request.headers.get("content-type", "")

        def read(raw: bytes, model: Transcriber) -> order.Order:
            return order.from_form(raw, content_type, model.languages, size, task)

        ordered, transcript = await self._serve(request, read, size + body.OVERHEAD_BYTES)
        return openai_transcript(transcript, ordered)

    async def _speech(self, request: Request) -> Response:
        raw = await body.read_body(request, body.OVERHEAD_BYTES, self._settings.upload_timeout_s)
        speech = Speech.from_json(raw)
        recording = await while_connected(request, self._synthesiser.speak(speech))
        return Response(recording, media_type=ENCODINGS[speech.response_format].media_type)

    async def _serve(self, request: Request, read: ReadOrder, limit: int) -> tuple[order.Order, Transcript]:
        """Receive a recording and transcribe it: all that is slow happens in threads."""
        model = self.model.get()
        begun = time.monotonic()
        self._pool.refuse_if_full()
        with self._uploads.begin(request.client.host if request.client else ""):
            raw = await body.read_body(request, limit, self._settings.upload_timeout_s)
        with self._pool.place() as place:  # not before the body is there: a slow sender keeps nobody waiting
            ordered = await asyncio.to_thread(read, raw, model)

            def work(abandoned: Callable[[], bool]) -> Transcript:
                samples = self._decoder.decode(ordered.audio, self._settings.max_audio_s)
                heard = model.transcribe(samples, ordered.options, abandoned)
                return heard.without_guesses(self._settings.min_confidence)

            transcript = await while_connected(request, place.run(work))
        took = time.monotonic() - begun
        self.metrics.transcription_seconds.observe(took)
        self.metrics.audio_seconds.inc(transcript.duration_s)
        log.info("transcribed %.1f s of audio in %.2f s", transcript.duration_s, took)
        return ordered, transcript
