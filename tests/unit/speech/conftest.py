"""A speech service with a transcriber that does as the test says, in process or behind a real port."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import math
import struct
import threading
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from hal.speech.app import SpeechService
from hal.speech.main import make_server
from hal.speech.model import Loader
from hal.speech.settings import SpeechSettings
from hal.speech.transcriber import Abandoned, Options, Segment, Transcript

WAIT_S = 10  # a test that waits longer has failed


def wav(seconds: float = 0.5, rate: int = 16_000) -> bytes:
    """Return a tone as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        tone = (int(9_000 * math.sin(i * 0.1)) for i in range(int(rate * seconds)))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in tone))
    return buffer.getvalue()


def spoken(audio: bytes, **fields: Any) -> dict[str, Any]:
    """Return the body of POST /transcribe."""
    return {"audio": base64.b64encode(audio).decode(), **fields}


class FakeTranscriber:
    """Answers "hello"; while `release` is not set it works, segment by segment."""

    def __init__(self) -> None:
        self.languages: frozenset[str] = frozenset({"en"})
        self.device = "cpu"
        self.fallback = ""
        self.calls: list[dict[str, Any]] = []
        self.segments: tuple[Segment, ...] = (Segment(0, 1, " hello "),)
        self.abandoned = threading.Event()
        self.begun = threading.Semaphore(0)
        self.release = threading.Event()
        self.release.set()

    def transcribe(self, samples: Any, options: Options, abandoned: Callable[[], bool]) -> Transcript:
        self.calls.append({"samples": samples.size, "language": options.language, "task": options.task})
        self.options = options
        self.begun.release()
        while not self.release.wait(0.01):
            if abandoned():
                self.abandoned.set()
                raise Abandoned
        return Transcript(self.segments, options.language or "en", 1.0, samples.size / 16_000)

    async def started(self) -> None:
        """Wait until one more transcription has begun."""
        assert await asyncio.to_thread(self.begun.acquire, timeout=WAIT_S)


@pytest.fixture
def transcriber():
    fake = FakeTranscriber()
    yield fake
    fake.release.set()


@pytest.fixture
def make_service(transcriber: FakeTranscriber) -> Callable[..., SpeechService]:
    def make(loader: Loader = lambda _: transcriber, **settings: Any) -> SpeechService:
        defaults = {"model": "fake", "host": "127.0.0.1", "port": 0, "tts_url": "", "drain_timeout_s": 1}
        defaults["own_names"] = ("there", "speech", "x")
        return SpeechService(SpeechSettings(**(defaults | settings)), loader)

    return make


@pytest.fixture
async def in_process(make_service: Callable[..., SpeechService]):
    """Return a function that gives a client of a service in this process, its model loaded."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**settings: Any) -> httpx.AsyncClient:
            service = make_service(**settings)
            service.model.load()
            transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
            return await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=WAIT_S)
            )

        yield start


@pytest.fixture
async def on_port(
    make_service: Callable[..., SpeechService],
) -> AsyncIterator[Callable[..., Awaitable[httpx.AsyncClient]]]:
    """Return a function that gives a client of a service behind a real port, its model loaded."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**settings: Any) -> httpx.AsyncClient:
            service = make_service(**settings)
            service.model.load()
            server = make_server(service._settings, service)
            task = asyncio.create_task(server.serve())

            async def stop() -> None:
                server.should_exit = True
                await asyncio.wait_for(task, WAIT_S)

            stack.push_async_callback(stop)
            await eventually(lambda: server.started)
            port = server.servers[0].sockets[0].getsockname()[1]
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_S, trust_env=False)
            return await stack.enter_async_context(client)

        yield start


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - threads and servers set no event
            await asyncio.sleep(0.01)
