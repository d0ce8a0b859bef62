"""Hostile peers: bad frames and raw rubbish crash neither gateway nor phantom, nor disturb others."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import uuid

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from hal.shared import connection
from hal.shared.metrics import GatewayMetrics
from hal.shared.session import Session

from .conftest import bothered

FRAMES = int(os.environ.get("HAL_HOSTILE_FRAMES", "5000"))  # `make test-hostile` sends more
PER_CONNECTION = 400
TYPES = ["wake_word_detected", "audio_chunk", "speech_ended", "text_input", "command", "heartbeat"]
WRONG = [
    None,
    True,
    -1,
    10**400,
    1.5,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    "\ud800",
    "x" * 10_000,
    "\x00",
]


@pytest.fixture(params=["gateway", "phantom"])
def start(request):
    """Start the server of either mode: `await start()`."""
    return request.getfixturevalue(f"start_{request.param}")


def malformed(rng: random.Random) -> str | bytes:
    """One bad text frame; each is to be answered with an error."""
    match rng.randrange(9):
        case 0:  # truncated
            whole = json.dumps({"type": rng.choice(TYPES), "text": "my medications", "session_id": "s"})
            return whole[: rng.randrange(len(whole))]
        case 1:  # not an object
            return json.dumps(rng.choice([None, 1, [], "text", [{"type": "heartbeat"}], True]))
        case 2:  # nested too deeply to be meant
            return rng.choice(["[", '{"a":']) * rng.randrange(1_000, 100_000)
        case 3:  # unknown or wrong type of frame
            wrong = [w for w in WRONG if not isinstance(w, str)]
            kind = rng.choice([*wrong, f"dance {rng.random()}"])  # each type is refused once
            return json.dumps({"type": kind, "session_id": "s"})
        case 4:
            return json.dumps(
                {"type": rng.choice(TYPES), "session_id": rng.choice([1, [1], {"a": 1}, True, 1.5])}
            )
        case 5:  # wrong audio
            wrong = [w for w in WRONG if w not in ([], "x" * 10_000)]  # these two are audio, if dull
            audio = rng.choice([*wrong, [1, "2"], [0.5], [70_000], [10**400], "%%%", "AAAAA", "é"])
            return json.dumps({"type": "audio_chunk", "audio": audio})
        case 6:
            rate = rng.choice([w for w in WRONG if w is not None])
            return json.dumps({"type": "audio_chunk", "audio": "AAAA", "sample_rate": rate})
        case 7:
            wrong = [w for w in WRONG if not isinstance(w, str)]
            return json.dumps({"type": "text_input", "text": rng.choice(wrong)})
        case _:
            return json.dumps({"type": "command", "command": rng.choice([*WRONG, "jump"])})


def binary(rng: random.Random) -> bytes:
    """Binary rubbish: allowed as audio, and therefore without a reply."""
    return rng.randbytes(rng.randrange(3_000))


async def answered(client, count):
    """Check that there are so many errors before a mark."""
    mark = f"end of the batch {uuid.uuid4()}"
    await client.send(mark)
    replies = []
    while True:
        frame = await client.receive()
        if frame.get("message") == f"Unknown message type: {mark}":
            break
        if frame["type"] == "error":
            replies.append(frame)
    assert len(replies) == count


async def attack(open_client, gateway, rng):
    sent = 0
    while sent < FRAMES:
        client = await open_client(gateway, max_size=None)
        await client.send("wake_word_detected")
        await client.expect("ack", "state_change")
        for _ in range(PER_CONNECTION // 50):
            expected = 0
            for _ in range(50):
                if rng.random() < 0.1:
                    await client.socket.send(binary(rng))
                else:
                    await client.socket.send(malformed(rng))
                    expected += 1
            await answered(client, expected)
            sent += 50
        await client.socket.close()


async def honest(open_client, gateway, finished):
    """Real turns all along; returns how many."""
    client = await open_client(gateway)
    turns = 0
    while not finished.is_set():
        turns += 1
        assert (await client.ask("list my medications"))["intent"] == "MEDICATION"
        await asyncio.sleep(0.01)
    return turns


async def test_bad_frames_are_answered_and_disturb_nobody(start, open_client, until):
    gateway = await start()
    finished = asyncio.Event()
    other = asyncio.create_task(honest(open_client, gateway, finished))
    try:
        await attack(open_client, gateway, random.Random(20))
    finally:
        finished.set()
    assert await other > 10
    await until(lambda: len(gateway.sessions) <= 1)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("x" * (3 * 2**20 + 1), 1009),
        (b"x" * (3 * 2**20 + 1), 1009),
    ],
)
async def test_oversized_frames_close_the_connection_cleanly(start, open_client, payload, code, until):
    gateway = await start()
    client = await open_client(gateway)
    with pytest.raises(ConnectionClosed):
        await client.socket.send(payload)
        await client.receive()
    assert client.socket.close_code == code
    await until(lambda: not gateway.sessions)


async def test_a_minute_of_audio_in_one_frame_fits(start_gateway, open_client, speech):
    client = await open_client(await start_gateway())
    await client.send("wake_word_detected")
    await client.expect("ack", "state_change")
    await client.send(
        "audio_chunk", audio=base64.b64encode(b"OggS" + bytes(1_920_000)).decode(), is_final=True
    )
    assert (await client.receive_until("response"))[-1]["status"] == "success"


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def raw_rubbish(rng: random.Random) -> bytes:
    """What a port scanner, a broken client or an enemy may send on the bare connection."""
    match rng.randrange(6):
        case 0:
            return rng.randbytes(rng.randrange(1, 5_000))
        case 1:
            return HANDSHAKE[: rng.randrange(1, len(HANDSHAKE))]
        case 2:
            return b"GET /" + b"x" * rng.randrange(20_000) + b" HTTP/1.1\r\n\r\n"
        case 3:
            return b"POST /readyz HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"
        case 4:
            return HANDSHAKE + rng.randbytes(rng.randrange(1, 2_000))
        case _:  # an unmasked frame, invalid UTF-8, a frame that promises more than it sends
            return HANDSHAKE + rng.choice(
                [b"\x81\x02hi", b"\x81\x82\0\0\0\0\xff\xfe", b"\x82\xff" + b"\xff" * 8, b"\x83\x80\0\0\0\0"]
            )


async def test_raw_rubbish_disturbs_nobody(start, open_client, until):
    gateway = await start()
    client = await open_client(gateway)
    rng = random.Random(21)
    async for _ in bothered(gateway.ports[0], lambda: raw_rubbish(rng)):
        assert (await client.ask("list my medications"))["intent"] == "MEDICATION"
    await until(lambda: list(gateway.sessions) and len(gateway.sessions) == 1)
    assert (await client.ask("list my allergies"))["status"] == "success"


class StuckSocket:
    """A socket of a client that sends without end and reads nothing."""

    close_code = None

    def __init__(self):
        self.transport = self
        self.aborted = asyncio.Event()
        self.received = 0

    def abort(self):
        self.aborted.set()

    async def send(self, _message):
        await asyncio.Event().wait()

    async def recv(self):
        await asyncio.sleep(0)
        if self.aborted.is_set():
            raise ConnectionClosedError(None, None)
        self.received += 1
        return "rubbish"


async def test_a_client_that_reads_nothing_is_read_no_more_and_let_go(monkeypatch):
    monkeypatch.setattr(connection, "WRITE_TIMEOUT_S", 0.2)
    socket = StuckSocket()
    joined = connection.Connection(socket, GatewayMetrics())
    async with asyncio.timeout(10):
        await joined.serve(Session("s", joined.send, pipeline=None))
    assert socket.aborted.is_set()
    assert socket.received <= connection.OUTBOX_FRAMES


class LeftSocket:
    """A socket of a client that has sent much and left: that is still read, but nothing can be sent."""

    close_code = 1006
    received = 0

    async def send(self, _message):
        raise ConnectionClosedError(None, None)

    async def recv(self):
        await asyncio.sleep(0)
        self.received += 1
        if self.received > 5 * connection.OUTBOX_FRAMES:
            raise ConnectionClosedError(None, None)
        return "rubbish"


async def test_a_session_whose_client_has_left_ends_whatever_it_had_sent():
    socket = LeftSocket()
    joined = connection.Connection(socket, GatewayMetrics())
    async with asyncio.timeout(10):
        await joined.serve(Session("s", joined.send, pipeline=None))
    assert socket.received > 5 * connection.OUTBOX_FRAMES


class FloodingSocket:
    """A socket of a client that sends without end, and reads."""

    close_code = None
    received = 0

    async def send(self, _message):
        pass

    async def recv(self):
        await asyncio.sleep(0)
        self.received += 1
        return '{"type": "heartbeat"}'


async def test_a_flood_is_read_no_faster_than_the_throttle_allows(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
    socket = FloodingSocket()
    joined = connection.Connection(socket, GatewayMetrics())
    serving = asyncio.create_task(joined.serve(Session("s", joined.send, pipeline=None)))

    async def read_so_far():
        for _ in range(3 * connection.BURST_FRAMES):  # more than would be read without a throttle
            await asyncio.sleep(0)
        return socket.received

    try:
        burst = await read_so_far()
        assert burst == connection.BURST_FRAMES + 1
        now[0] += 1
        assert await read_so_far() == burst + connection.FRAMES_PER_SECOND
    finally:
        serving.cancel()
        await asyncio.wait([serving])
