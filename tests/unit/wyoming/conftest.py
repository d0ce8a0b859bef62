"""The Wyoming service on loopback, with the real speech service and the real gateway behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from tests.unit.checks.servers import http_server
from tests.unit.gateway.conftest import (  # noqa: F401 - fixtures
    listener,
    ollama,
    speech,
    start_gateway,
)
from tests.unit.speech.conftest import make_service, on_port, transcriber, wav  # noqa: F401 - too

from hal.wyoming.server import WyomingServer
from hal.wyoming.settings import WyomingSettings


@pytest.fixture
async def start_wyoming() -> AsyncIterator[Callable[..., Awaitable[WyomingServer]]]:
    """Start the service: `await start_wyoming(speech_url=…, gateway_urls=…)`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**settings: Any) -> WyomingServer:
            defaults: dict[str, Any] = {
                "host": "127.0.0.1",
                "stt_port": 0,
                "tts_port": 0,
                "assistant_port": 0,
                "speech_url": "http://127.0.0.1:9",
                "gateway_urls": ("ws://127.0.0.1:9",),
                "timeout_s": 10.0,
            }
            server = WyomingServer(WyomingSettings(**(defaults | settings)))
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start


@pytest.fixture
async def whole(start_wyoming, on_port, start_gateway):  # noqa: F811 - those fixtures
    """The service with all that is behind it, Piper a stand-in."""
    with http_server({"/synthesize": (200, wav(0.5, 22_050))}) as piper:
        behind: httpx.AsyncClient = await on_port(tts_url=f"http://127.0.0.1:{piper}")
        gateway = await start_gateway()
        yield await start_wyoming(
            speech_url=str(behind.base_url), gateway_urls=(f"ws://127.0.0.1:{gateway.ports[0]}",)
        )


@pytest.fixture
def health(run_module):
    """Run the network's own check on a port, in a thread, so that servers of this process can answer."""

    async def run(kind: int, port: int) -> dict[str, Any]:
        check = {"name": str(kind), "kind": "wyoming", "host": "there", "address": "127.0.0.1", "port": port}
        options = {"checks": [check | {"unit": "hal-wyoming"}], "origin": "here", "timeout": 20}
        result = await asyncio.to_thread(run_module, "service_checks", options)
        (found,) = result["results"]
        return found

    return run
