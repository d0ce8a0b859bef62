"""A small gateway for the client's tests, and the command `hal` run as a person runs it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from hal import protocol
from hal.protocol import State

ROOT = Path(__file__).parents[3]

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\1\2" * 5000

type Handler = Callable[["FakeGateway", ServerConnection], Awaitable[None]]


@dataclass
class FakeGateway:
    """What a fake gateway has seen, and where it is."""

    url: str = ""
    frames: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Headers] = field(default_factory=list)
    connections: int = 0

    async def receive(self, socket: ServerConnection) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await socket.recv())
        self.frames.append(frame)
        return frame


async def send(socket: ServerConnection, *frames: dict[str, Any]) -> None:
    for frame in frames:
        await socket.send(json.dumps(frame))


async def greet(socket: ServerConnection) -> None:
    await send(socket, protocol.connected("session-1"))


async def answer_all(gateway: FakeGateway, socket: ServerConnection) -> None:
    """Behave: answer every question with what it asked, spoken ones with how much was heard."""
    await greet(socket)
    heard = 0
    while True:
        frame = await gateway.receive(socket)
        match frame["type"]:
            case "text_input":
                await send(socket, protocol.processing("Looking."))
                await send(socket, *respond(f"You asked: {frame['text']}"))
            case "wake_word_detected":
                await send(socket, protocol.acknowledged(), protocol.state_change(State.ACTIVE_LISTENING))
            case "audio_chunk":
                heard += len(frame["audio"])
            case "speech_ended":
                await send(socket, protocol.processing("Listening."), protocol.transcription("what was said"))
                await send(socket, *respond(f"You spoke: {heard}"))


def respond(text: str, **fields: Any) -> list[dict[str, Any]]:
    answer = protocol.response(text, intent="MEDICATION", action="list")
    return [answer | fields, protocol.state_change(State.ACTIVE_LISTENING, countdown_ms=10_000)]


def http_reply(connection: ServerConnection, request: Request) -> Response | None:
    if request.path == "/readyz":
        return connection.respond(HTTPStatus.OK, "ready\n")
    return None


async def leave_first(gateway: FakeGateway, socket: ServerConnection) -> None:
    """Break off at the question "one", and answer others."""
    await greet(socket)
    frame = await gateway.receive(socket)
    if frame["text"] == "one":
        await socket.close(1012, "restarting")
    else:
        await send(socket, *respond("back"))
        await socket.wait_closed()


@pytest.fixture
async def gateway() -> AsyncIterator[Callable[..., Awaitable[FakeGateway]]]:
    """Start fake gateways on free ports: `await gateway(handler)`."""
    running: set[asyncio.Task[None] | None] = set()
    async with contextlib.AsyncExitStack() as servers:

        async def start(handler: Handler = answer_all, **options: Any) -> FakeGateway:
            fake = FakeGateway()

            async def serve_one(socket: ServerConnection) -> None:
                running.add(asyncio.current_task())
                fake.connections += 1
                assert socket.request is not None
                fake.headers.append(socket.request.headers)
                await handler(fake, socket)

            options = {"process_request": http_reply} | options
            server = await servers.enter_async_context(serve(serve_one, "127.0.0.1", 0, **options))
            port = next(iter(server.sockets)).getsockname()[1]
            fake.url = f"{'wss' if 'ssl' in options else 'ws'}://127.0.0.1:{port}"
            return fake

        yield start
        for handler in filter(None, running):  # a server waits for its handlers, and some wait for ever
            handler.cancel()


@dataclass(frozen=True)
class Finished:
    """A program that has ended."""

    code: int | None
    out: str
    err: str


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a person's shell, without any setting of HAL."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HAL_")}
    return kept | {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path), "COLUMNS": "200"}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Callable[..., Awaitable[Finished]]:
    """Run a program to its end in `tmp_path`, without blocking the fake gateway beside it."""

    async def run(*command: str | Path, stdin: str = "", **variables: str) -> Finished:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment | variables, cwd=tmp_path
        )
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
        finished = Finished(process.returncode, out.decode(), err.decode())
        assert "Traceback" not in finished.err
        return finished

    return run


@pytest.fixture
def hal(run: Callable[..., Awaitable[Finished]]) -> Callable[..., Awaitable[Finished]]:
    """Run the command `hal`."""

    async def hal(*arguments: str | Path, **options: str) -> Finished:
        return await run(sys.executable, "-m", "hal.client.cli", *arguments, **options)

    return hal


@pytest.fixture
async def speech_service():
    """A text-to-speech service: `url, texts = await speech_service(status, body)`."""
    servers = []

    async def start(status="200 OK", body=WAV):
        texts = []

        async def answer(reader, writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            if head.startswith("get"):
                writer.write(
                    b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            else:
                length = int(head.split("content-length:")[1].split()[0])
                texts.append(json.loads(await reader.readexactly(length))["input"])
                reply = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                writer.write(reply.encode() + body)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", texts

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program of one's own on the PATH, in front of any other."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def write(name, *lines):
        path = folder / name
        path.write_text("\n".join([f"#!{sys.executable}", "import os, pathlib, sys", *lines]))
        path.chmod(0o755)
        return str(folder)

    return write
