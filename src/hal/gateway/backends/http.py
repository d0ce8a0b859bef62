"""JSON over HTTP to a back end, bounded, with failures told apart."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx

from hal.protocol import Frame, ProtocolError, decode_object
from hal.shared.breaker import BackendError, Rejected, Unreachable
from hal.shared.tls import client_context

CONNECT_TIMEOUT_S = 2.0
PROBE_TIMEOUT_S = 1.0
MAX_REPLY_BYTES = 1_000_000
# What is wrong with the request itself; 401, 404 or 429 say something about the server instead.
_BAD_REQUEST = frozenset({400, 413, 415, 422})


def make_client(ca_file: Path | None = None) -> httpx.AsyncClient:
    """Return a client for back ends. Time limits on replies are the caller's; proxies are not used.

    Args:
        ca_file: PEM of the authority that vouches for them; the system's own by default.

    Raises:
        ValueError: the file cannot be read or holds no certificate.
    """
    timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
    return httpx.AsyncClient(timeout=timeout, trust_env=False, verify=client_context(ca_file))


async def post(client: httpx.AsyncClient, url: str, payload: dict[str, Any]) -> Frame:
    """Send `payload` and return the JSON object that comes back.

    Raises:
        Unreachable: no connection could be made.
        Rejected: the server finds fault with the request.
        BackendError: anything else that is not a JSON object with status 200.
    """
    return _decoded(url, await post_for_bytes(client, url, payload))


async def post_for_bytes(
    client: httpx.AsyncClient, url: str, payload: dict[str, Any], limit: int = MAX_REPLY_BYTES
) -> bytes:
    """Send `payload` and return what comes back, at most `limit` bytes.

    Raises:
        BackendError: as `post` does.
    """
    async with contextlib.aclosing(_reply(client, url, payload, limit)) as parts:
        return b"".join([part async for part in parts])


async def post_for_lines(
    client: httpx.AsyncClient, url: str, payload: dict[str, Any]
) -> AsyncGenerator[Frame]:
    """Send `payload` and yield the JSON objects that come back, one a line, each as it comes.

    Raises:
        BackendError: as `post` does; also when a line is no JSON object.
    """
    rest = b""
    async with contextlib.aclosing(_reply(client, url, payload)) as parts:
        async for part in parts:
            *lines, rest = (rest + part).split(b"\n")
            for line in filter(None, lines):
                yield _decoded(url, line)
    if rest:
        yield _decoded(url, rest)


async def _reply(
    client: httpx.AsyncClient, url: str, payload: dict[str, Any], limit: int = MAX_REPLY_BYTES
) -> AsyncGenerator[bytes]:
    """Yield the body of a reply whose status is 200, as it comes."""
    received = 0
    try:
        async with client.stream("POST", url, json=payload) as reply:
            if reply.status_code in _BAD_REQUEST:
                raise Rejected(f"{url} answered {reply.status_code}")
            if reply.status_code != httpx.codes.OK:
                raise BackendError(f"{url} answered {reply.status_code}")
            async for part in reply.aiter_bytes():
                received += len(part)
                if received > limit:
                    raise BackendError(f"{url} sent more than {limit} bytes")
                yield part
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise Unreachable(f"{url} cannot be reached ({error!r})") from error
    except httpx.HTTPError as error:
        raise BackendError(f"{url} broke off ({error!r})") from error


def _decoded(url: str, text: bytes) -> Frame:
    try:
        return decode_object(text)
    except ProtocolError as error:
        raise BackendError(f"{url} did not answer with a JSON object") from error


async def answers(client: httpx.AsyncClient, url: str) -> bool:
    """Tell whether a GET of `url` succeeds soon."""
    try:
        reply = await client.get(url, timeout=PROBE_TIMEOUT_S)
    except httpx.HTTPError:
        return False
    return reply.status_code == httpx.codes.OK
