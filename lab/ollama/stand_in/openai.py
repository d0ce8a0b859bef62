"""The OpenAI-compatible part, which llama.cpp's own chunks already fit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .llama import Chunk
from .replies import Fields, reason_of, text_of
from .requests import BadRequest, messages_of, name_of, read
from .runner import Runner
from .store import Model, Store
from .streams import SSE, event, streamed, while_connected

_PASSED_ON = (
    "temperature",
    "top_p",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
)


class OpenAi:
    """Endpoints under /v1."""

    def __init__(self, store: Store, runner: Runner, keep_alive_s: float) -> None:
        """Serve the models of `store` with `runner`."""
        self._store = store
        self._runner = runner
        self._keep_alive_s = keep_alive_s

    async def models(self, _: Request) -> Response:
        """List the models."""
        return JSONResponse({"object": "list", "data": [_entry(model) for model in self._store.models()]})

    async def chat(self, request: Request) -> Response:
        """Continue a conversation, streamed as server-sent events or in one piece."""
        fields = await read(request)
        model = self._store.get(name_of(fields))
        asked = {"messages": messages_of(fields)} | {key: fields[key] for key in _PASSED_ON if key in fields}
        if not asked["messages"]:
            raise BadRequest("messages must not be empty")
        limit = fields.get("max_completion_tokens", fields.get("max_tokens"))
        if limit is not None:
            asked["max_tokens"] = limit
        stream = self._runner.stream(model, self._store.blob(model.digest), asked, self._keep_alive_s)
        options = fields.get("stream_options")
        wants_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        chunks = _named(stream, model.name, usage=wants_usage or not fields.get("stream"))
        if fields.get("stream"):
            return await streamed(chunks, event, SSE, last="data: [DONE]\n\n")
        return JSONResponse(await while_connected(request, _whole(chunks)))


async def _named(chunks: AsyncGenerator[Chunk], name: str, *, usage: bool) -> AsyncGenerator[Chunk]:
    """Give the chunks the name that was asked for; drop the one with the counts unless asked."""
    async with aclosing(chunks):
        async for chunk in chunks:
            if usage or chunk.get("choices"):
                yield chunk | {"model": name}


async def _whole(chunks: AsyncGenerator[Chunk]) -> Fields:
    """Return a streamed answer in one piece."""
    text, reason, last = "", "stop", {}
    async with aclosing(chunks):
        async for chunk in chunks:
            text += text_of(chunk)
            reason = reason_of(chunk) or reason
            last = chunk
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
    return {key: last[key] for key in ("id", "created", "model", "usage") if key in last} | {
        "object": "chat.completion",
        "choices": [choice],
    }


def _entry(model: Model) -> Fields:
    created = int(datetime.fromisoformat(model.modified_at).timestamp())
    return {"id": model.name, "object": "model", "created": created, "owned_by": "library"}
