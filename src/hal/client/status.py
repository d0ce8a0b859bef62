"""Whether HAL can be reached from here: the gateway, its readiness, and the speech service."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx

from hal.client.conversation import connect_to
from hal.client.errors import EXIT_CANNOT_CONNECT, EXIT_OK, EXIT_TURN_FAILED, ClientError
from hal.client.explain import explain_network
from hal.client.settings import ClientSettings
from hal.client.text_to_speech import SPEECH_PATH, http_client


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried.

    Attributes:
        name: "gateway", "readiness" or "speech".
        url: what was contacted.
        ok: whether it works; None if it is not offered or not set, which is no failure.
        ms: how long it took, in milliseconds, if it was reached.
        message: one sentence.
    """

    name: str
    url: str
    ok: bool | None
    ms: float | None
    message: str


async def check_all(settings: ClientSettings) -> list[Check]:
    """Run every check, one after another, so that none adds to the time another measures.

    Raises:
        UsageError: a setting is missing or wrong.
    """
    settings.require_gateway()
    headers = settings.headers()
    async with http_client(settings) as client:
        return [
            await _gateway(settings),
            await _readiness(settings, client, headers),
            await _speech(settings, client),
        ]


def exit_code(checks: list[Check]) -> int:
    """Return 0 if nothing failed, 3 if the gateway cannot be reached, else 1."""
    failed = {check.name for check in checks if check.ok is False}
    if "gateway" in failed:
        return EXIT_CANNOT_CONNECT
    return EXIT_TURN_FAILED if failed else EXIT_OK


async def _gateway(settings: ClientSettings) -> Check:
    """Connect, be greeted, and measure a round trip."""
    url = settings.gateway_url
    try:
        async with connect_to(settings) as gateway:
            ms = 1000 * await gateway.round_trip_s()
    except ClientError as error:
        return Check("gateway", url, False, None, str(error))
    return Check("gateway", url, True, ms, "connected and greeted")


async def _readiness(settings: ClientSettings, client: httpx.AsyncClient, headers: dict[str, str]) -> Check:
    """Ask the gateway's port, over HTTP, whether everything behind it works."""
    parts = urlsplit(settings.gateway_url)
    scheme = "https" if parts.scheme == "wss" else "http"
    url = urlunsplit((scheme, parts.netloc, "/readyz", "", ""))
    started = time.monotonic()
    try:
        reply = await client.get(url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Check("readiness", url, False, None, explain_network(error))
    ms = 1000 * (time.monotonic() - started)
    if reply.status_code == httpx.codes.OK:
        return Check("readiness", url, True, ms, "ready")
    if reply.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return Check(
            "readiness", url, False, ms, f"not ready: {' '.join(reply.text.split()) or 'no reason given'}"
        )
    # A QM phantom that serves the port itself reports no readiness, and answers questions all the same.
    return Check("readiness", url, None, ms, f"not reported (HTTP {reply.status_code})")


async def _speech(settings: ClientSettings, client: httpx.AsyncClient) -> Check:
    """See that the speech service is behind its URL; nothing is spoken.

    The proxy shows clients only /v1/audio/, so the check is the refusal of a GET there.
    """
    if not settings.speech_url:
        return Check("speech", "", None, None, "not set (HAL_SPEECH_URL)")
    url = settings.require_speech() + SPEECH_PATH
    started = time.monotonic()
    try:
        reply = await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Check("speech", url, False, None, explain_network(error))
    ms = 1000 * (time.monotonic() - started)
    if reply.status_code in (httpx.codes.OK, httpx.codes.METHOD_NOT_ALLOWED):
        return Check("speech", url, True, ms, "answers")
    return Check("speech", url, False, ms, f"answered HTTP {reply.status_code}")
