"""The services on loopback for the libraries that other programs are written with."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from openai import AsyncOpenAI
from tests.unit.checks.conftest import ollama_port  # noqa: F401 - a fixture
from tests.unit.checks.servers import http_server
from tests.unit.lab_ollama.conftest import engine, make_app, store  # noqa: F401 - too
from tests.unit.speech.conftest import make_service, on_port, transcriber, wav  # noqa: F401 - too


@pytest.fixture
async def openai_at() -> AsyncIterator[object]:
    """Return a client of OpenAI's library for a service's address: `openai_at(url)`."""
    async with httpx.AsyncClient(trust_env=False) as http:
        yield lambda url: AsyncOpenAI(base_url=f"{url}/v1", api_key="none", http_client=http, max_retries=0)


@pytest.fixture
async def speech_client(on_port, openai_at):  # noqa: F811 - that fixture
    """OpenAI's client of the speech service, Piper a stand-in that says a second and a half."""
    with http_server({"/synthesize": (200, wav(1.5, 22_050))}) as piper:
        service = await on_port(tts_url=f"http://127.0.0.1:{piper}", model="/models/tiny.en")
        yield openai_at(str(service.base_url).rstrip("/"))
