"""Fake back ends with real sockets, and a gateway between them and a test."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import struct
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from hal.engine.engine import Engine
from hal.engine.main import initialise
from hal.engine.phantom import Phantom, PhantomSettings
from hal.gateway.gateway import Gateway
from hal.gateway.settings import GatewaySettings
from hal.protocol import Frame, ListenerReply
from hal.shared.session import ListeningTimes
from hal.shared.websocket import WebSocketServer

NOW = datetime(2026, 3, 11, 9, 0)  # the household's day in these tests
WAIT_S = 10  # a test that waits longer has failed


class FakeServer:
    """A TCP server whose manner of answering can be changed: see `mode`.

    Modes: "normal", "slow" (until `release` is set), "vanish" (breaks off mid-reply),
    "garbage" (answers rubbish), "failing" (HTTP 500, or an error reply).
    """

    def __init__(self) -> None:
        self.mode = "normal"
        self.requests: list[Frame] = []
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.release = asyncio.Event()
        self.reply: Frame = {}
        self.status = 200

    async def start(self, port: int = 0) -> FakeServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        self.release.set()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await self.read(reader)
            if request is None:
                return
            self.requests.append(request)
            self.asked.set()
            if self.holds(request):
                await self._hold(reader)
            reply = self.encode(request)
            if self.mode == "vanish":
                reply = reply[: len(reply) // 2]
            if self.mode == "garbage":
                reply = self.frame_garbage(b"\x00\xff{[not json")
            beginning, rest = self.split(reply)
            writer.write(beginning)
            await writer.drain()
            if rest:
                await self._hold(reader)
                writer.write(rest)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _hold(self, reader: asyncio.StreamReader) -> None:
        gone = asyncio.ensure_future(reader.read())
        released = asyncio.ensure_future(self.release.wait())
        await asyncio.wait([gone, released], return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            self.left.set()
        gone.cancel()
        released.cancel()

    def holds(self, request: Frame) -> bool:
        """Tell whether the answer waits for `release`."""
        return self.mode == "slow"

    def split(self, reply: bytes) -> tuple[bytes, bytes]:
        """Return what is sent at once, and what waits for `release`."""
        return reply, b""

    async def read(self, reader: asyncio.StreamReader) -> Frame | None:
        raise NotImplementedError

    def encode(self, request: Frame) -> bytes:
        raise NotImplementedError

    def frame_garbage(self, garbage: bytes) -> bytes:
        return garbage


class FakeListener(FakeServer):
    """Answers "answer to <question>", delegates what begins with "why"; the newline is optional."""

    newline = b"\n"

    async def read(self, reader: asyncio.StreamReader) -> Frame | None:
        line = await reader.readline()
        return json.loads(line) if line else None

    def encode(self, request: Frame) -> bytes:
        question = request["transcription"]
        if self.mode == "failing":
            reply = ListenerReply("The records are locked.", intent="MEDICATION", status="error")
        elif question.startswith("why"):
            reply = ListenerReply("", intent="GENERAL", status="delegate", prompt=f"explain {question}")
        else:
            reply = ListenerReply(f"answer to {question}", intent="MEDICATION", action_taken="list")
        return reply.encode().rstrip(b"\n") + self.newline


class FakeHttp(FakeServer):
    """Answers every POST with `reply` and every GET with 200."""

    async def read(self, reader: asyncio.StreamReader) -> Frame | None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            ),
            0,
        )
        return json.loads(await reader.readexactly(length)) if length else {}

    def encode(self, request: Frame) -> bytes:
        status = 500 if self.mode == "failing" else self.status
        return self._frame(status, json.dumps(self.reply).encode())

    def frame_garbage(self, garbage: bytes) -> bytes:
        return self._frame(200, garbage)

    def _frame(self, status: int, body: bytes) -> bytes:
        return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
            status,
            len(body),
            body,
        )


class FakeSpeech(FakeHttp):
    """Answers a recording with `reply`, and a text with `sound`; without that it cannot speak."""

    sound = b""

    def encode(self, request: Frame) -> bytes:
        if "input" not in request:
            return super().encode(request)
        return self._frame(200 if self.sound else 503, self.sound)


class FakeOllama(FakeHttp):
    """A language model's server, which writes `reply` piece by piece when it is asked for a stream.

    In the mode "loading" it waits with the model, in "slow" with its answer, in "pausing" after the words
    `pause_after`; in "breaking" it breaks off after these.
    """

    pause_after = ""
    lines: list[Frame] | None = None  # what is sent instead of the reply
    _pause_at = 0

    def holds(self, request: Frame) -> bool:
        return self.mode == ("slow" if "messages" in request else "loading")

    def encode(self, request: Frame) -> bytes:
        self._pause_at = 0
        if not request.get("stream") or self.status != 200 or self.mode == "failing":
            return super().encode(request)
        text = "" if self.lines else self.reply["message"]["content"]
        head = b"HTTP/1.1 200 X\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        written, chunks = "", [head]
        for piece in itertools.batched(text, max(4, len(text) // 1000)):
            written += "".join(piece)
            chunks.append(self._chunk({"message": {"content": "".join(piece)}, "done": False}))
            if self.pause_after and self.pause_after in written and not self._pause_at:
                self._pause_at = len(b"".join(chunks))
        ending = {"done_reason": "stop"} | self.reply | {"message": {"content": ""}, "done": True}
        chunks += [self._chunk(line) for line in self.lines or [ending]]
        return b"".join(chunks) + b"0\r\n\r\n"

    def split(self, reply: bytes) -> tuple[bytes, bytes]:
        at = self._pause_at if self.mode in ("pausing", "breaking") else 0
        return (reply[:at], reply[at:] if self.mode == "pausing" else b"") if at else (reply, b"")

    @staticmethod
    def _chunk(fields: Frame) -> bytes:
        line = json.dumps(fields).encode() + b"\n"
        return b"%x\r\n%s\r\n" % (len(line), line)


class Client:
    """A client of the gateway, as simple as those in use."""

    def __init__(self, socket: ClientConnection, greeting: Frame) -> None:
        self.socket = socket
        self.greeting = greeting

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, "session_id": self.greeting["session_id"]} | fields))

    async def receive(self) -> Frame:
        async with asyncio.timeout(WAIT_S):
            return json.loads(await self.socket.recv())

    async def receive_until(self, kind: str) -> list[Frame]:
        frames = [await self.receive()]
        while frames[-1]["type"] != kind:
            frames.append(await self.receive())
        return frames

    async def expect(self, *kinds: str) -> list[Frame]:
        frames = [await self.receive() for _ in kinds]
        assert [frame["type"] for frame in frames] == list(kinds)
        return frames

    async def ask(self, text: str) -> Frame:
        await self.send("text_input", text=text)
        return (await self.expect("processing", "response", "state_change"))[1]

    async def say_nothing_more(self) -> None:
        """Check that nothing is waiting to be read: the next reply answers this very frame."""
        await self.send(f"no_such_type_{uuid.uuid4()}")  # each is refused once
        assert (await self.receive())["type"] == "error"


async def bothered(port: int, rubbish: Callable[[], bytes]) -> AsyncIterator[None]:
    """Send rubbish over 300 connections, of which a third each is reset, left open and ended.

    It stops now and then, so that the caller can see whether others are still served.
    """
    left_open = []
    for number in range(300):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(rubbish())
        if number % 3 == 0:
            writer.transport.abort()
        elif number % 3 == 1:
            left_open.append(writer)
        else:
            writer.write_eof()
            async with asyncio.timeout(10):
                with contextlib.suppress(ConnectionError):
                    await reader.read()
            writer.close()
        if number % 30 == 0:
            yield
    for writer in left_open:
        writer.transport.abort()


@pytest.fixture
async def listener() -> AsyncIterator[FakeListener]:
    fake = await FakeListener().start()
    yield fake
    await fake.stop()


@pytest.fixture
async def speech() -> AsyncIterator[FakeHttp]:
    fake = await FakeSpeech().start()
    fake.reply = {"text": "what medications am I taking", "status": "success"}
    yield fake
    await fake.stop()


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    fake = await FakeOllama().start()
    fake.reply = {"message": {"role": "assistant", "content": "<think>hm</think>Because  of the air."}}
    yield fake
    await fake.stop()


@pytest.fixture
async def twin() -> AsyncIterator[FakeOllama]:
    """A second server of the language model."""
    fake = await FakeOllama().start()
    fake.reply = {"message": {"content": "I am the second. And that is all."}}
    yield fake
    await fake.stop()


@pytest.fixture
async def start_gateway(
    listener: FakeListener, speech: FakeHttp, ollama: FakeHttp
) -> AsyncIterator[Callable[..., Awaitable[Gateway]]]:
    """Start a gateway on the fakes: `await start_gateway(listening_times=…, **settings)`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(listening_times: ListeningTimes | None = None, **settings: Any) -> Gateway:
            defaults: dict[str, Any] = {
                "host": "127.0.0.1",
                "port": 0,
                "listener_port": listener.port,
                "speech_urls": (speech.url,),
                "ollama_urls": (ollama.url,),
                "ollama_model": "tiny",
                "drain_timeout_s": 2.0,
            }
            gateway = Gateway(GatewaySettings(**(defaults | settings)), listening_times)
            await gateway.start()
            stack.push_async_callback(gateway.stop)
            return gateway

        yield start


@pytest.fixture
def household(tmp_path: Path) -> Path:
    """Make a database with the sample household as of a fixed day."""
    initialise(tmp_path / "household.db", sample=True, today=NOW.date())
    return tmp_path / "household.db"


@pytest.fixture
async def start_phantom(household: Path) -> AsyncIterator[Callable[..., Awaitable[Phantom]]]:
    """Start an engine in phantom mode on the sample household: `await start_phantom(**settings)`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**settings: Any) -> Phantom:
            engine = Engine(household, clock=NOW.astimezone)
            engine.start()
            stack.push_async_callback(engine.close)
            own = {"host": "127.0.0.1", "port": 0, "database": household, "mode": "phantom"} | settings
            phantom = Phantom(engine, PhantomSettings(**own))
            await phantom.start()
            stack.push_async_callback(phantom.stop)
            return phantom

        yield start


@pytest.fixture
async def open_client() -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Connect to a server: `await open_client(server, path="/", **options of connect)`."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_(server: WebSocketServer, path: str = "/", **options: Any) -> Client:
            socket = await stack.enter_async_context(
                connect(f"ws://127.0.0.1:{server.ports[0]}{path}", compression=None, proxy=None, **options)
            )
            return Client(socket, json.loads(await socket.recv()))

        yield open_


@pytest.fixture
def voice() -> Callable[..., bytes]:
    """Make PCM16 mono that voice detection takes for speech: `voice(seconds, rate)`."""

    def make(seconds: float, rate: int = 16_000) -> bytes:
        samples = []
        for i in range(int(seconds * rate)):
            t = i / rate
            pitch = 140 + 20 * math.sin(2 * math.pi * 3 * t)
            tone = sum(math.sin(2 * math.pi * pitch * n * t) / n for n in range(1, 20))
            samples.append(int(6_000 * tone * (0.6 + 0.4 * math.sin(2 * math.pi * 5 * t))))
        return struct.pack(f"<{len(samples)}h", *samples)

    return make


@pytest.fixture
def silence() -> Callable[..., bytes]:
    """Make silent PCM16 mono: `silence(seconds, rate)`."""
    return lambda seconds, rate=16_000: bytes(int(seconds * rate) * 2)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait for a condition that nothing announces: `await until(lambda: …)`."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            for _ in iter(condition, True):
                await asyncio.sleep(0.01)

    return wait
