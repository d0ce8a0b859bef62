"""Requests over HTTP, the check of any web server, and the metrics that a service tells of itself."""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import Any

from ansible.module_utils.hal_checks.result import CheckFailed, Found
from ansible.module_utils.hal_checks.target import Target

MAX_BYTES = 16 << 20


def request(target: Target, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
    """Return status and body of an HTTP request. Raises CheckFailed if the answer is not HTTP."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = target.connect()
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        content = response.read(MAX_BYTES + 1)
        if len(content) <= MAX_BYTES and response.length:  # as much was announced, and did not come
            raise http.client.IncompleteRead(content, response.length)
    except (http.client.IncompleteRead, http.client.RemoteDisconnected) as error:
        raise CheckFailed(f"the answer to {method} {path} was broken off") from error
    except http.client.HTTPException as error:
        raise CheckFailed(f"what answers there does not speak HTTP ({type(error).__name__})") from error
    finally:
        connection.close()
    if len(content) > MAX_BYTES:
        raise CheckFailed(f"the answer to {method} {path} is longer than {MAX_BYTES} bytes")
    return response.status, content


def _reason(content: bytes) -> str:
    """Return what an answer says went wrong: its `detail` or `error`, or its beginning."""
    with contextlib.suppress(ValueError, AttributeError):
        said = json.loads(content)
        if text := said.get("detail") or said.get("error"):
            return str(text)[:300]
    return content[:160].decode(errors="replace").strip()


def answer(target: Target, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
    """Return the body of a request that succeeded. Raises CheckFailed with what was said otherwise."""
    status, content = request(target, method, path, body)
    if status >= 400:
        raise CheckFailed(f"{method} {path} was answered with {status}: {_reason(content)}")
    return content


def metrics(target: Target) -> dict[str, float]:
    """Return what `/metrics` tells in Prometheus' text format: each series by its name and labels."""
    found = {}
    for line in answer(target, "GET", "/metrics").decode(errors="replace").splitlines():
        name, _, value = line.rpartition(" ")
        if not line.startswith("#") and name:
            try:
                found[name] = float(value)
            except ValueError:
                raise CheckFailed(f"/metrics does not tell metrics but {line[:60]!r}") from None
    return found


def web(target: Target) -> Found:
    """Check that a web server answers, be it with a redirection."""
    status, _ = request(target, "GET", target.path)
    if status >= 400:
        raise CheckFailed(f"GET {target.path} was answered with {status}")
    return Found(f"answered {status}", details={"status": status})
