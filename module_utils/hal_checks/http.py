"""Checks over HTTP: speech both ways, the language model, and any other service."""

from __future__ import annotations

import http.client
import json
from typing import Any

from ansible.module_utils.hal_checks.target import CheckFailed, Target
from ansible.module_utils.hal_checks.websocket import decode

SHORTEST_WAV_BYTES = 4000


def request(target: Target, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
    """Return status and body of an HTTP request. Raises CheckFailed if the answer is not HTTP."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = target.connect()
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as error:
        raise CheckFailed(f"what answers there does not speak HTTP ({type(error).__name__})") from error
    finally:
        connection.close()


def answer(target: Target, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
    """Return the body of a request that succeeded. Raises CheckFailed with what was said otherwise."""
    status, content = request(target, method, path, body)
    if status >= 400:
        raise CheckFailed(
            f"{method} {path} was answered with {status}: {content[:160].decode(errors='replace')}"
        )
    return content


def web(target: Target) -> str:
    """Check that a web server answers, be it with a redirection."""
    status, _ = request(target, "GET", target.path)
    if status >= 400:
        raise CheckFailed(f"GET {target.path} was answered with {status}")
    return f"answered {status}"


def speech(target: Target) -> str:
    """Check that the model is loaded and, where its sound is given, that a sentence is understood."""
    health = decode(answer(target, "GET", "/health"))
    if target.audio:
        heard = decode(answer(target, "POST", "/transcribe", {"audio": target.audio, "language": "en"}))
        target.require_words(str(heard.get("text")))
        return (
            f"heard {str(heard.get('text')).strip()!r} with {health.get('model')} on {health.get('device')}"
        )
    return f"{health.get('model')} on {health.get('device')}"


def tts(target: Target) -> str:
    """Check that a word is spoken."""
    sound = answer(target, "POST", "/synthesize", {"text": "hello"})
    if not sound.startswith(b"RIFF") or len(sound) < SHORTEST_WAV_BYTES:
        raise CheckFailed(f"what was spoken is no sound but {sound[:40]!r}")
    return f"spoke, {len(sound)} bytes"


def ollama(target: Target) -> str:
    """Check that the declared models are there and that the first of them says something."""
    listed = decode(answer(target, "GET", "/api/tags")).get("models") or []
    there = [str(model.get("name")) for model in listed]
    missing = [model for model in target.models if model not in there]
    if missing:
        raise CheckFailed(
            f"lacks the model {', '.join(missing)}: run `ollama pull {missing[0]}` on {target.host}"
        )
    if not there:
        raise CheckFailed("has no model: name one in the inventory and run site.yml")
    model = (target.models or there)[0]
    order = {"model": model, "prompt": "Say yes.", "stream": False, "options": {"num_predict": 4}}
    if not decode(answer(target, "POST", "/api/generate", order)).get("response"):
        raise CheckFailed(f"the model {model} says nothing")
    return f"{len(there)} models; {model} generates"
