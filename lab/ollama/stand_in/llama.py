"""llama.cpp through xllamacpp, in this process; nothing else here knows of either."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

OPENMP = Path(__file__).parents[1] / "libgomp.so.1"
# Two threads collapse when another process wants one of the processors.
THREADS = 1
ERRORS_ONLY = 1  # verbosity: at the default, llama.cpp's log tells of every request

type Chunk = dict[str, Any]
type OnChunk = Callable[[Chunk], bool]


class Engine(Protocol):
    """A loaded model. Both methods block; `on_chunk` is given chunks as OpenAI's API streams them,
    and returns True to have no more."""

    def chat(self, request: dict[str, Any], on_chunk: OnChunk) -> None:
        """Continue a conversation (`messages`, `max_tokens`, …).

        Raises:
            ValueError: the request is wrong; the text says how.
        """

    def complete(self, request: dict[str, Any], on_chunk: OnChunk) -> None:
        """Continue a text (`prompt`, `max_tokens`, …) as it stands.

        Raises:
            ValueError: the request is wrong; the text says how.
        """


class LlamaEngine:
    """A GGUF model in llama.cpp's own server, called without HTTP."""

    def __init__(self, path: Path, context: int) -> None:
        """Load a model.

        Raises:
            RuntimeError: it cannot be loaded.
        """
        ctypes.CDLL(str(OPENMP))  # what is loaded already is not looked for in the system
        import xllamacpp  # noqa: PLC0415 - the command line starts without it, and it is large

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = context
        params.n_parallel = 1
        params.cpuparams.n_threads = THREADS
        params.cpuparams_batch.n_threads = THREADS
        params.warmup = False
        params.verbosity = ERRORS_ONLY
        self._server = xllamacpp.Server(params)

    def chat(self, request: dict[str, Any], on_chunk: OnChunk) -> None:
        """Continue a conversation."""
        _stream(self._server.handle_chat_completions, request, on_chunk)

    def complete(self, request: dict[str, Any], on_chunk: OnChunk) -> None:
        """Continue a text."""
        _stream(self._server.handle_completions, request, on_chunk)


def _stream(
    handle: Callable[[dict[str, Any], OnChunk], None], request: dict[str, Any], on_chunk: OnChunk
) -> None:
    """Call llama.cpp, which reports some errors by an exception and some as a chunk."""
    errors: list[str] = []

    def check(chunk: Chunk) -> bool:
        if "error" not in chunk:
            return on_chunk(chunk)
        errors.append(chunk["error"]["message"])
        return True

    handle(request | {"stream": True, "stream_options": {"include_usage": True}}, check)
    if errors:
        raise ValueError(errors[0])
