"""JSON over HTTP to a back end, bounded, with failures told apart."""

from __future__ import annotations

from typing import Any

import httpx

from hal.gateway.breaker import BackendError, Rejected, Unreachable
from hal.protocol import Frame, ProtocolError, decode_object

CONNECT_TIMEOUT_S = 2.0
PROBE_TIMEOUT_S = 1.0
MAX_REPLY_BYTES = 1_000_000
# What is wrong with the request itself; 401, 404 or 429 say something about the server instead.
_BAD_REQUEST = frozenset({400, 413, 415, 422})


def make_client() -> httpx.AsyncClient:
    """Return a client for back ends. Time limits on replies are the caller's; proxies are not used."""
    return httpx.AsyncClient(timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S), trust_env=False)


async def post(client: httpx.AsyncClient, url: str, payload: dict[str, Any]) -> Frame:
    """Send `payload` and return the JSON object that comes back.

    Raises:
        Unreachable: no connection could be made.
        Rejected: the server finds fault with the request.
        BackendError: anything else that is not a JSON object with status 200.
    """
    body = bytearray()
    try:
        async with client.stream("POST", url, json=payload) as reply:
            async for part in reply.aiter_bytes():
                body += part
                if len(body) > MAX_REPLY_BYTES:
                    raise BackendError(f"{url} sent more than {MAX_REPLY_BYTES} bytes")
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise Unreachable(f"{url} cannot be reached ({error!r})") from error
    except httpx.HTTPError as error:
        raise BackendError(f"{url} broke off ({error!r})") from error
    if reply.status_code in _BAD_REQUEST:
        raise Rejected(f"{url} answered {reply.status_code}")
    if reply.status_code != httpx.codes.OK:
        raise BackendError(f"{url} answered {reply.status_code}")
    try:
        return decode_object(bytes(body))
    except ProtocolError as error:
        raise BackendError(f"{url} did not answer with a JSON object") from error


async def answers(client: httpx.AsyncClient, url: str) -> bool:
    """Tell whether a GET of `url` succeeds soon."""
    try:
        reply = await client.get(url, timeout=PROBE_TIMEOUT_S)
    except httpx.HTTPError:
        return False
    return reply.status_code == httpx.codes.OK
