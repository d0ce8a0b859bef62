"""WEBSOCKET.LISTENER on a real QM: phantom mode, with a standard client and with raw sockets."""

from __future__ import annotations

import asyncio
import json
import os
import random
import struct
from http.client import HTTPConnection

import pytest
from tests.ports import free_port
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .conftest import Listener, read_all

OPENING = (
    b"GET / HTTP/1.1\r\nHost: qm1\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(scope="module")
def phantom(account):
    serving = Listener(account, "WEBSOCKET.LISTENER", free_port())
    assert serving.start() == "started"
    yield serving
    assert account.program("HAL.STOP") == "stopped"


def session(phantom):
    return connect(f"ws://127.0.0.1:{phantom.port}/", open_timeout=20)


async def exchange(socket, *frames, until="response"):
    """Send frames; return what comes, up to the first of a type."""
    for frame in frames:
        await socket.send(json.dumps(frame))
    received = []
    while not received or received[-1]["type"] != until:
        received.append(json.loads(await asyncio.wait_for(socket.recv(), 20)))
    return received


def frame(payload, opcode=1, *, final=True, mask=True, reserved=0):
    """Write a client's frame, wrongly if asked to."""
    size = len(payload)
    head = bytes([final << 7 | reserved << 4 | opcode])
    if size < 126:
        head += bytes([mask << 7 | size])
    elif size < 65536:
        head += bytes([mask << 7 | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mask << 7 | 127]) + struct.pack(">Q", size)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


def opened(phantom):
    """Return a raw socket after the handshake and the greeting."""
    raw = phantom.connect()
    raw.sendall(OPENING)
    received = b""
    while b'"connected"' not in received or not received.endswith(b"}"):
        received += raw.recv(65536)
    assert received.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in received  # the example of RFC 6455
    return raw


def close_code(raw):
    """Return the code of the close frame that ends what comes."""
    with raw:
        received = read_all(raw)
    at = received.rindex(b"\x88\x02")
    return int.from_bytes(received[at + 2 : at + 4])


async def test_a_conversation(phantom):
    async with session(phantom) as socket:
        greeting = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert (greeting["type"], greeting["state"]) == ("connected", "passive_listening")
        asked = {
            "type": "text_input",
            "text": "When do I take metformin?",
            "session_id": greeting["session_id"],
        }
        frames = await exchange(socket, asked, until="state_change")
        assert [each["type"] for each in frames] == ["processing", "response", "state_change"]
        answer = frames[1]
        assert (answer["intent"], answer["status"]) == ("MEDICATION", "success")
        assert answer["text"] == answer["response_text"] and answer["action"] == answer["action_taken"]
        assert frames[2]["countdown_ms"] == 10000
        (*_, follow_up) = await exchange(socket, {"type": "text_input", "text": "who prescribed it"})
        assert "Emily Chen" in follow_up["text"]
        await exchange(socket, {"type": "heartbeat"}, {"type": "wake_word_detected"}, until="ack")
        (*_, repeated) = await exchange(socket, {"type": "command", "command": "repeat"})
        assert repeated["is_repeat"] is True and repeated["text"] == follow_up["text"]
        stopped = await exchange(socket, {"type": "command", "command": "stop"}, until="state_change")
        assert stopped[-1]["new_state"] == "passive_listening"
        parted = await exchange(socket, {"type": "command", "command": "goodbye"}, until="state_change")
        assert [each["type"] for each in parted] == ["goodbye", "state_change"]


async def test_a_relay_gets_the_response_in_the_very_next_frame(phantom):
    async with session(phantom) as socket:
        await socket.recv()
        frames = await exchange(socket, {"type": "transcription", "text": "what are my allergies"})
        assert [each["type"] for each in frames] == ["response"]


async def test_the_window_for_a_follow_up_closes_by_itself_and_holds_nobody_up(phantom):
    async with session(phantom) as socket, session(phantom) as other:
        await socket.recv()
        await other.recv()
        await exchange(socket, {"type": "text_input", "text": "what are my allergies"}, until="state_change")
        await exchange(other, {"type": "text_input", "text": "what day is it"}, until="state_change")
        closed = json.loads(await asyncio.wait_for(socket.recv(), 20))
        assert (closed["type"], closed["new_state"]) == ("state_change", "passive_listening")


async def test_only_records_and_only_text(phantom):
    async with session(phantom) as socket:
        await socket.recv()
        (*_, answer) = await exchange(socket, {"type": "text_input", "text": "tell me a joke"})
        assert (answer["status"], answer["action"]) == ("error", "records_only")
        spoken = [
            {"type": "wake_word_detected"},
            {"type": "audio_chunk", "audio": "AAAA"},
            {"type": "speech_ended"},
        ]
        (*_, answer) = await exchange(socket, *spoken)
        assert (answer["status"], answer["action"]) == ("error", "text_only")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("{", "Invalid JSON"),
        ("[]", "Invalid JSON"),
        ('{"type": "text_input", "text": "x", "session_id": 7}', "Invalid session ID"),
        ('{"type": "nope"}', "Unknown message type: nope"),
        ('{"type": 7}', "Unknown message type"),
        ('{"type": "text_input", "text": 7}', "text must be a string"),
        ('{"type": "command", "command": "dance"}', "Unknown command: dance"),
    ],
)
async def test_faults_are_named_and_the_session_goes_on(phantom, sent, said):
    async with session(phantom) as socket:
        await socket.recv()
        await socket.send(sent)
        complaint = json.loads(await asyncio.wait_for(socket.recv(), 20))
        assert complaint["type"] == "error" and said in complaint["message"]
        assert (await exchange(socket, {"type": "text_input", "text": "what day is it"}))[-1][
            "status"
        ] == "success"


async def test_large_messages_fragments_and_pings(phantom):
    async with session(phantom) as socket:
        await socket.recv()
        question = json.dumps(
            {"type": "text_input", "text": "what are my allergies", "padding": "x" * 100_000}
        )
        await socket.send(question[at : at + 7_000] for at in range(0, len(question), 7_000))
        pong = await socket.ping()
        frames = await exchange(socket)
        assert frames[-1]["intent"] == "ALLERGY"
        await asyncio.wait_for(pong, 20)
        await socket.send(json.dumps({"type": "heartbeat", "padding": "x" * 300_000}))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await asyncio.wait_for(socket.recv(), 20)
        assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(b"{}", mask=False), 1002),
        (frame(b"{}", reserved=4), 1002),
        (frame(b"{}", opcode=3), 1002),
        (frame(b"x", opcode=9, final=False), 1002),
        (frame(b"x" * 126, opcode=9), 1002),
        (frame(b"x", opcode=0), 1002),
        (frame(b"{", final=False) + frame(b"}"), 1002),
        (frame(b"\xff\xfe"), 1007),
        (frame(b"\x03\xe8bye", opcode=8), 1000),
        (frame(b"", opcode=8), 1000),
        (frame(b"\x03", opcode=8), 1002),
        (frame(struct.pack(">H", 1005), opcode=8), 1002),
        (frame(struct.pack(">H", 4321), opcode=8), 4321),
    ],
)
def test_frames_that_break_the_rules_are_closed_with_the_right_code(phantom, sent, code):
    raw = opened(phantom)
    raw.sendall(sent)
    assert close_code(raw) == code


def test_health_is_asked_over_http(phantom):
    for method, path, status in (
        ("GET", "/readyz", 200),
        ("GET", "/healthz", 200),
        ("GET", "/", 426),
        ("POST", "/", 405),
    ):
        asking = HTTPConnection("127.0.0.1", phantom.port, timeout=20)
        asking.request(method, path)
        assert asking.getresponse().status == status
        asking.close()


async def test_a_wrong_handshake_is_refused(phantom):
    with pytest.raises(InvalidStatus):
        await connect(
            f"ws://127.0.0.1:{phantom.port}/",
            additional_headers={"Sec-WebSocket-Version": "12"},
            open_timeout=20,
        )
    for head in (b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000):
        with phantom.connect() as raw:
            try:
                raw.sendall(head)
                assert read_all(raw)[:12] in (b"HTTP/1.1 400", b"")
            except ConnectionError:
                pass


def test_hostile_bytes_leave_it_serving(phantom):
    chance = random.Random(6455)
    for _ in range(300):
        raw = opened(phantom)
        with raw:
            sent = bytearray(frame(json.dumps({"type": "text_input", "text": "x"}).encode()))
            for _ in range(chance.randrange(1, 6)):
                sent[chance.randrange(len(sent))] = chance.randrange(256)
            raw.sendall(bytes(sent))
    with opened(phantom) as raw:
        raw.sendall(frame(json.dumps({"type": "text_input", "text": "what day is it"}).encode()))
        received = b""
        while b"GENERAL_DATE" not in received:
            data = raw.recv(65536)
            assert data
            received += data
    ended = [line for line in phantom.account.run("LIST HAL.EVENTS NO.PAGE").splitlines() if " ended" in line]
    assert ended == []
