"""`hal-gateway` as a process: it starts from its environment, drains on SIGTERM and exits 0."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import pytest
import uvloop
from tests.conformance.clients import ai_server
from websockets.asyncio.client import connect

from hal.gateway.main import loop_factory

COMMAND = [sys.executable, "-c", "from hal.gateway.main import main; main()"]
SOURCES = Path(__file__).parents[3] / "src"


@pytest.fixture
async def start():
    """Start the gateway with settings: `await start(PORT=0)`; it is killed afterwards if need be."""
    async with contextlib.AsyncExitStack() as stack:

        async def start_(**settings):
            environ = {name: value for name, value in os.environ.items() if not name.startswith("HAL_")}
            environ |= {"PYTHONPATH": str(SOURCES)}
            environ |= {f"HAL_GATEWAY_{name}": str(value) for name, value in settings.items()}
            process = await asyncio.create_subprocess_exec(
                *COMMAND, env=environ, stderr=asyncio.subprocess.PIPE
            )

            async def end():
                if process.returncode is None:
                    process.kill()
                await process.wait()

            stack.push_async_callback(end)
            return process

        yield start_


async def port_of(process):
    async with asyncio.timeout(20):
        while line := (await process.stderr.readline()).decode():
            if "listening on" in line:
                return int(line.rsplit(":", 1)[1])
    raise AssertionError("the gateway ended before it listened")


async def test_the_port_of_ai_server_on_libuvs_loop(start, listener, unused_tcp_port):
    process = await start(
        HOST="127.0.0.1", PORT=0, LISTENER_PORT=listener.port, AI_SERVER_PORT=unused_tcp_port
    )
    for _ in range(2):  # ports
        await port_of(process)
    answer = await ai_server.ask_over_tcp(f"tcp://127.0.0.1:{unused_tcp_port}", "one", ending="")
    assert answer["text"] == "answer to one"
    answers = await ai_server.ask_over_websocket(f"ws://127.0.0.1:{unused_tcp_port}", ["two", "three"])
    assert [answer["text"] for answer in answers] == ["answer to two", "answer to three"]


async def test_sigterm_during_a_turn(start, listener):
    process = await start(HOST="127.0.0.1", PORT=0, LISTENER_PORT=listener.port)
    listener.mode = "slow"
    async with connect(f"ws://127.0.0.1:{await port_of(process)}", proxy=None) as socket:
        await socket.send(json.dumps({"type": "text_input", "text": "my very private question"}))
        await asyncio.wait_for(listener.asked.wait(), 10)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            while b"stopping" not in await process.stderr.readline():
                pass
        listener.release.set()
        frames = [json.loads(frame) async for frame in socket]
    assert [frame["type"] for frame in frames][-2:] == ["response", "state_change"]
    assert frames[-2]["text"] == "answer to my very private question"
    assert socket.close_code == 1001
    log = (await process.stderr.read()).decode()
    assert await process.wait() == 0
    assert "private" not in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("settings", "code", "sentence"),
    [
        ({"PORT": "many"}, 2, "HAL_GATEWAY_PORT must be a whole number, not 'many'"),
        ({"PORT": 0, "HOST": "127.0.0.1", "TOKENS_FILE": "/nowhere/tokens"}, 2, "cannot be read"),
        ({"PORT": 0, "HOST": "127.0.0.1", "CA_FILE": "/nowhere/ca.crt"}, 2, "/nowhere/ca.crt cannot be used"),
    ],
)
async def test_bad_settings(start, settings, code, sentence):
    process = await start(**settings)
    _, log = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == code
    assert sentence in log.decode() and "Traceback" not in log.decode()


async def test_port_that_is_taken(start, listener):
    process = await start(HOST="127.0.0.1", PORT=listener.port)
    _, log = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1, port {listener.port}" in log.decode()


def test_the_event_loop_is_the_fast_one_where_it_is_installed(monkeypatch):
    assert loop_factory() is uvloop.new_event_loop
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
