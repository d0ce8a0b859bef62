"""Answers in Ollama's form, made of llama.cpp's chunks."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from .llama import Chunk
from .store import Model

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

type Fields = dict[str, Any]
type Wrap = Callable[[str], Fields]


def as_message(text: str) -> Fields:
    """Put text where /api/chat has it."""
    return {"message": {"role": "assistant", "content": text}}


def as_response(text: str) -> Fields:
    """Put text where /api/generate has it."""
    return {"response": text}


def now() -> str:
    """Return the time as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def piece(model: str, fields: Fields) -> Fields:
    """Return one line of a streamed answer that goes on."""
    return {"model": model, "created_at": now(), **fields, "done": False}


def ending(model: str, fields: Fields, reason: str) -> Fields:
    """Return an answer's last line."""
    return piece(model, fields) | {"done": True, "done_reason": reason}


def text_of(chunk: Chunk) -> str:
    """Return the text in a chunk of a chat or of a completion."""
    choice = (chunk.get("choices") or [{}])[0]
    return choice.get("text") or (choice.get("delta") or {}).get("content") or ""


def reason_of(chunk: Chunk) -> str:
    """Return why the answer ends with this chunk; empty when it does not."""
    return (chunk.get("choices") or [{}])[0].get("finish_reason") or ""


async def answer(model: str, chunks: AsyncGenerator[Chunk], wrap: Wrap) -> AsyncGenerator[Fields]:
    """Yield an answer's lines: one for each piece of text, and one that ends it, with the counts."""
    begun = time.monotonic_ns()
    reason, counts = "stop", {}
    async with aclosing(chunks):
        async for chunk in chunks:
            reason = reason_of(chunk) or reason
            if "timings" in chunk:
                counts = _counts(chunk["timings"])
            if text := text_of(chunk):
                yield piece(model, wrap(text))
    total = time.monotonic_ns() - begun
    computed = counts.get("prompt_eval_duration", 0) + counts.get("eval_duration", 0)
    yield ending(model, wrap(""), reason) | {
        "total_duration": total,
        "load_duration": max(0, total - computed),  # loading the model, and waiting for it
        **counts,
    }


async def whole(lines: AsyncGenerator[Fields], wrap: Wrap, read: Callable[[Fields], str]) -> Fields:
    """Return an answer in one piece: all its text, in its last line."""
    text, last = "", {}
    async with aclosing(lines):
        async for line in lines:
            text += read(line)
            last = line
    return last | wrap(text)


def read_message(line: Fields) -> str:
    """Return the text of a line of /api/chat."""
    return str(line["message"]["content"])


def read_response(line: Fields) -> str:
    """Return the text of a line of /api/generate."""
    return str(line["response"])


def _counts(timings: Fields) -> Fields:
    return {
        "prompt_eval_count": timings.get("cache_n", 0) + timings.get("prompt_n", 0),
        "prompt_eval_duration": int(timings.get("prompt_ms", 0) * NS_PER_MS),
        "eval_count": timings.get("predicted_n", 0),
        "eval_duration": int(timings.get("predicted_ms", 0) * NS_PER_MS),
    }


def listing(model: Model) -> Fields:
    """Return a model's entry in /api/tags."""
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": model.modified_at,
        "size": model.size,
        "digest": model.digest,
        "details": model.details,
    }
