"""The checks of a gateway that trusts no network: they show a token of their own, which is told nowhere."""

from __future__ import annotations

import asyncio
import hashlib
import json

import pytest

from hal.gateway.gateway import Gateway
from hal.gateway.settings import GatewaySettings

TOKEN = "the-token-of-the-checks"


@pytest.fixture
async def guarded(services, tmp_path):
    """The port of a gateway that nobody may ask without a token."""
    path = tmp_path / "tokens"
    path.write_text(f"checks {hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    settings = {"listener_port": services["listener"], "trusted_networks": (), "tokens_file": path}
    gateway = Gateway(GatewaySettings(host="127.0.0.1", port=0, own_names=("there",), **settings))
    await gateway.start()
    yield gateway.ports[0]
    await gateway.stop()


@pytest.fixture
async def closed():
    """The port of a server that lets nobody in; a gateway would let in its own host, on which this runs."""

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
def check(run_module):
    """Check a gateway at a port with a token, and another flow beside it that needs none."""

    async def run(port, token):
        there = {"host": "there", "address": "127.0.0.1", "port": port}
        checks = [
            there | {"name": "gateway", "kind": "gateway", "question": "What medications am I taking?"},
            there | {"name": "port", "kind": "flow"},
        ]
        order = {"origin": "here", "checks": checks, "token": token}
        return await asyncio.to_thread(run_module, "service_checks", order)

    return run


async def test_the_checks_show_their_token_and_tell_it_nobody(check, guarded):
    result = await check(guarded, TOKEN)
    assert result["ok"], result["message"]
    assert TOKEN not in json.dumps(result)


async def test_a_token_that_is_not_known_is_told_with_what_to_do(check, guarded):
    refused, port = (await check(guarded, "another-token"))["results"]
    assert not refused["ok"] and port["ok"]
    assert "401" in refused["message"] and "run site.yml, which tells it" in refused["remedy"]


async def test_a_token_that_lacks_is_told_with_what_to_do(check, closed):
    refused, port = (await check(closed, ""))["results"]
    assert not refused["ok"] and port["ok"]
    assert "401" in refused["message"] and "`make production-init` makes one" in refused["remedy"]
