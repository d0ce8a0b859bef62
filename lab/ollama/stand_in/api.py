"""The HTTP interface: Ollama's own (`/api/…`) and its OpenAI-compatible part (`/v1/…`)."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from . import VERSION, replies
from .config import Config, SettingError
from .library import Progress, PullError, pull
from .openai import OpenAi
from .replies import Fields
from .requests import BadRequest, keep_alive, messages_of, name_of, prompt_of, read, sampling
from .runner import Overloaded, Runner
from .store import BadName, NotFound, Store
from .streams import NDJSON, ndjson, streamed, while_connected

log = logging.getLogger(__name__)

# The time that is shown of a model that is never unloaded.
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_STATUS = {NotFound: 404, Overloaded: 503, RuntimeError: 500}

type Endpoint = Callable[[Request], Awaitable[Response]]


class Api:
    """The server's endpoints over a store and a runner. `app` is the ASGI application."""

    def __init__(self, config: Config, store: Store, runner: Runner) -> None:
        """Prepare; nothing is loaded until it is asked for."""
        self._config = config
        self._store = store
        self._runner = runner
        openai = OpenAi(store, runner, config.keep_alive_s)
        routes: list[tuple[str, str, Endpoint]] = [
            ("GET", "/", self._running),
            ("GET", "/api/version", self._version),
            ("GET", "/api/tags", self._tags),
            ("GET", "/api/ps", self._ps),
            ("POST", "/api/show", self._show),
            ("POST", "/api/generate", self._generate),
            ("POST", "/api/chat", self._chat),
            ("POST", "/api/pull", self._pull),
            ("DELETE", "/api/delete", self._delete),
            ("GET", "/v1/models", openai.models),
            ("POST", "/v1/chat/completions", openai.chat),
        ]
        self.app = Starlette(
            routes=[Route(path, answered(endpoint), methods=[method]) for method, path, endpoint in routes],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self._runner.unload()
        self._runner.close()

    async def _running(self, _: Request) -> Response:
        return PlainTextResponse("Ollama is running")

    async def _version(self, _: Request) -> Response:
        return JSONResponse({"version": VERSION})

    async def _tags(self, _: Request) -> Response:
        return JSONResponse({"models": [replies.listing(model) for model in self._store.models()]})

    async def _ps(self, _: Request) -> Response:
        loaded = self._runner.loaded
        if loaded is None:
            return JSONResponse({"models": []})
        expires = datetime.fromtimestamp(min(loaded.expires_at, FOR_EVER.timestamp()), UTC)
        entry = replies.listing(loaded.model) | {"expires_at": expires.isoformat(), "size_vram": 0}
        entry.pop("modified_at")
        return JSONResponse({"models": [entry]})

    async def _show(self, request: Request) -> Response:
        model = self._store.get(name_of(await read(request)))
        return JSONResponse(
            {
                "modelfile": f"FROM {self._store.blob(model.digest)}\n",
                "parameters": f"num_ctx {self._config.context}",
                "template": "",
                "details": model.details,
                "model_info": {"general.architecture": "llama"},
                "capabilities": ["completion"],
                "modified_at": model.modified_at,
            }
        )

    async def _generate(self, request: Request) -> Response:
        fields = await read(request)
        prompt, messages = prompt_of(fields)
        raw = bool(fields.get("raw"))
        asked = {"prompt": prompt} if raw else {"messages": messages}
        return await self._answer(
            request, fields, asked if prompt else None, replies.as_response, replies.read_response, raw=raw
        )

    async def _chat(self, request: Request) -> Response:
        fields = await read(request)
        messages = messages_of(fields)
        asked = {"messages": messages} if messages else None
        return await self._answer(request, fields, asked, replies.as_message, replies.read_message)

    async def _answer(
        self,
        request: Request,
        fields: Fields,
        asked: Fields | None,
        wrap: replies.Wrap,
        read_text: Callable[[Fields], str],
        *,
        raw: bool = False,
    ) -> Response:
        """Answer what is asked; nothing asked loads the model, or unloads it when keep_alive is 0."""
        model = self._store.get(name_of(fields))
        path, alive_s = self._store.blob(model.digest), keep_alive(fields, self._config.keep_alive_s)
        if asked is None:
            if alive_s:
                await self._runner.load(model, path, alive_s)
            else:
                await self._runner.unload()
            return JSONResponse(replies.ending(model.name, wrap(""), "load" if alive_s else "unload"))
        chunks = self._runner.stream(model, path, asked | sampling(fields), alive_s, raw=raw)
        lines = replies.answer(model.name, chunks, wrap)
        if fields.get("stream") is False:
            return JSONResponse(await while_connected(request, replies.whole(lines, wrap, read_text)))
        return await streamed(lines, ndjson, NDJSON)

    async def _pull(self, request: Request) -> Response:
        fields = await read(request)
        steps = pull(self._store, self._config.library, name_of(fields))
        if fields.get("stream") is False:
            return JSONResponse((await asyncio.to_thread(list, steps))[-1])
        return StreamingResponse(_pull_lines(steps), media_type=NDJSON)

    async def _delete(self, request: Request) -> Response:
        model = self._store.remove(name_of(await read(request)))
        loaded = self._runner.loaded
        if loaded is not None and loaded.model.name == model.name:
            await self._runner.unload()
        return Response()


def _pull_lines(steps: Iterator[Progress]) -> Iterator[str]:
    """Write a pull's progress; its failure is the last line, for the status has been sent."""
    try:
        for step in steps:
            yield ndjson(step)
    except (PullError, BadName) as error:
        yield ndjson({"error": str(error)})


def answered(endpoint: Endpoint) -> Endpoint:
    """Turn what can go wrong into {"error": …} with Ollama's status codes."""

    @functools.wraps(endpoint)
    async def serve(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ClientDisconnect:
            return Response(status_code=499)
        except (NotFound, BadName, BadRequest, SettingError, ValueError, Overloaded, RuntimeError) as error:
            status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
            log.info("%s: %d %s", request.url.path, status, type(error).__name__)
            message = str(error)
            openai = {"message": message, "type": "api_error"}
            return JSONResponse({"error": openai if request.url.path.startswith("/v1/") else message}, status)
        except PullError as error:
            return JSONResponse({"error": str(error)}, 500)

    return serve
