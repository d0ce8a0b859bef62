"""The project's own services, each on a real port: what the checks must find healthy."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from tests.unit.checks.servers import http_server
from tests.unit.lab_ollama.conftest import DIGEST, MODEL, NAME, engine, make_app, store  # noqa: F401 - fixtures
from tests.unit.speech.conftest import eventually, make_service, on_port, transcriber  # noqa: F401 - too

from hal.engine.engine import Engine
from hal.engine.listener import Listener
from hal.engine.main import initialise
from hal.gateway.gateway import Gateway
from hal.gateway.settings import GatewaySettings

NOW = datetime(2026, 3, 11, 9, 30).astimezone()


@pytest.fixture
async def services(tmp_path: Path):
    """The ports of an engine with the sample household and of a gateway before it."""
    database = tmp_path / "household.db"
    initialise(database, sample=True, today=date(2026, 3, 11))
    records = Engine(database, lambda: NOW)
    records.start()
    listener = Listener(records.answer)
    _, port = await listener.start("127.0.0.1", 0)
    with http_server({"/health": (200, b"{}"), "/api/tags": (200, b"{}")}) as backends:
        url = f"http://127.0.0.1:{backends}"
        settings = {"listener_port": port, "speech_urls": (url,), "ollama_urls": (url,), "ollama_model": "m"}
        gateway = Gateway(GatewaySettings(host="127.0.0.1", port=0, own_names=("there",), **settings))
        await gateway.start()
        yield {"gateway": gateway.ports[0], "listener": port}
        await gateway.stop()
    await listener.stop()
    await records.close()


@pytest.fixture
async def ollama_port(make_app: Any, store: Any):  # noqa: F811 - those fixtures
    """The port of the lab's stand-in for Ollama, which has one model and whose engine says two words."""
    store.add(DIGEST, [MODEL])
    store.tag(NAME, DIGEST, {"format": "gguf"})
    server = uvicorn.Server(
        uvicorn.Config(make_app().app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    )
    task = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


@pytest.fixture
def health(run_module):
    """Run a health module on 127.0.0.1 in a thread, so that servers of this process can answer."""

    async def run(name: str, port: int, **options: Any) -> dict[str, Any]:
        where = {"host": "there", "address": "127.0.0.1", "port": port}
        return await asyncio.to_thread(run_module, name, where | options)

    return run
