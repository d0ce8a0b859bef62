"""Reading requests in Ollama's form, and turning them into llama.cpp's."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from .config import parse_duration

MAX_BODY_BYTES = 8 << 20
# Ollama's options, and what llama.cpp's OpenAI-compatible interface calls them.
_OPTIONS = {
    "num_predict": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "seed": "seed",
    "stop": "stop",
    "repeat_penalty": "repeat_penalty",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}

type Fields = dict[str, Any]


class BadRequest(ValueError):
    """The request cannot be understood; the text says why."""


async def read(request: Request) -> Fields:
    """Return the body, a JSON object whatever its content type.

    Raises:
        BadRequest: it is something else, or too large.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BadRequest("request body too large")
    if not body:
        raise BadRequest("missing request body")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"invalid JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadRequest("the request body must be a JSON object")
    return fields


def name_of(fields: Fields) -> object:
    """Return the name of the model asked for; older callers say `name`."""
    return fields.get("model") or fields.get("name") or ""


def keep_alive(fields: Fields, default_s: float) -> float:
    """Return for how many seconds the model is to stay loaded.

    Raises:
        SettingError: it is no duration.
    """
    value = fields.get("keep_alive")
    return default_s if value is None else parse_duration(value)


def messages_of(fields: Fields) -> list[Fields]:
    """Return the conversation of a chat request.

    Raises:
        BadRequest: it is none.
    """
    messages = fields.get("messages") or []
    if not isinstance(messages, list) or not all(
        isinstance(m, dict) and isinstance(m.get("role"), str) and isinstance(m.get("content", ""), str)
        for m in messages
    ):
        raise BadRequest("messages must be a list of objects with role and content")
    return [{"role": message["role"], "content": message.get("content", "")} for message in messages]


def prompt_of(fields: Fields) -> tuple[str, list[Fields]]:
    """Return the prompt of a generate request, and the conversation that it makes.

    Raises:
        BadRequest: prompt or system is no text.
    """
    prompt, system = fields.get("prompt") or "", fields.get("system") or ""
    if not isinstance(prompt, str) or not isinstance(system, str):
        raise BadRequest("prompt and system must be texts")
    messages = [{"role": "user", "content": prompt}]
    return prompt, ([{"role": "system", "content": system}] if system else []) + messages


def sampling(fields: Fields) -> Fields:
    """Return a request's options and format as llama.cpp wants them; what it does not know is left out.

    Raises:
        BadRequest: `options` is no object, or `format` means nothing.
    """
    options = fields.get("options") or {}
    if not isinstance(options, dict):
        raise BadRequest("options must be an object")
    wanted = {_OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS}
    match fields.get("format"):
        case None | "":
            pass
        case "json":
            wanted["response_format"] = {"type": "json_object"}
        case dict(schema):
            wanted["response_format"] = {"type": "json_schema", "json_schema": {"schema": schema}}
        case _:
            raise BadRequest('format must be "json" or a JSON schema')
    return wanted
