"""Runs one model at a time, one request at a time, and unloads it when nobody has asked for a while."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import FOREVER
from .llama import Chunk, Engine, LlamaEngine
from .store import Model

MAX_WAITING = 64

type Load = Callable[[Path, int], Engine]


class Overloaded(Exception):
    """Too many requests wait."""

    def __init__(self) -> None:
        super().__init__("server busy, please try again.  maximum pending requests exceeded")


@dataclass
class Loaded:
    """The model in memory; `expires_at` is the time (Unix, seconds) after which it is unloaded."""

    model: Model
    engine: Engine
    load_s: float
    expires_at: float = FOREVER


class Runner:
    """Owner of the model in memory. All of llama.cpp happens in one thread."""

    def __init__(self, context: int, load: Load = LlamaEngine) -> None:
        """Prepare; `context` is the size of a model's context in tokens."""
        self._context = context
        self._load = load
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="llama")
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        self.loaded: Loaded | None = None

    async def load(self, model: Model, path: Path, keep_alive_s: float) -> Loaded:
        """Have a model in memory, and return it."""
        loop = asyncio.get_running_loop()
        loaded = await loop.run_in_executor(self._executor, self._ensure, model, path)
        self._keep(loaded, keep_alive_s)
        return loaded

    async def stream(
        self, model: Model, path: Path, request: dict[str, Any], keep_alive_s: float, *, raw: bool = False
    ) -> AsyncGenerator[Chunk]:
        """Yield the chunks of an answer; whoever stops reading stops the model.

        Raises:
            Overloaded: too many wait already.
            ValueError, RuntimeError: the request or the model is wrong.
        """
        if self._waiting >= MAX_WAITING:
            raise Overloaded
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[Chunk | None] = asyncio.Queue()
        stopped = threading.Event()

        def on_chunk(chunk: Chunk) -> bool:
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return stopped.is_set()

        def work() -> Loaded | None:
            if stopped.is_set():
                return None
            loaded = self._ensure(model, path)
            (loaded.engine.complete if raw else loaded.engine.chat)(request, on_chunk)
            return loaded

        self._waiting += 1
        job = loop.run_in_executor(self._executor, work)
        job.add_done_callback(lambda _: chunks.put_nowait(None))
        job.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # may have no reader
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            await job
        finally:
            stopped.set()
            self._waiting -= 1
            if self.loaded is not None and self.loaded.model == model:
                self._keep(self.loaded, keep_alive_s)

    async def unload(self) -> None:
        """Free the memory, once what is at work has ended."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._drop)

    def close(self) -> None:
        """Forget the timer and the thread."""
        if self._timer:
            self._timer.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _ensure(self, model: Model, path: Path) -> Loaded:
        if self.loaded is None or self.loaded.model.digest != model.digest:
            self._drop()
            begun = time.monotonic()
            engine = self._load(path, self._context)
            self.loaded = Loaded(model, engine, time.monotonic() - begun)
        return self.loaded

    def _drop(self) -> None:
        self.loaded = None

    def _keep(self, loaded: Loaded, keep_alive_s: float) -> None:
        """Unload in `keep_alive_s` seconds unless somebody asks before."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        loaded.expires_at = time.time() + keep_alive_s
        if keep_alive_s != FOREVER:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(
                keep_alive_s, lambda: loop.run_in_executor(self._executor, self._drop)
            )
