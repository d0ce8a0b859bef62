"""The connection: questions, and every way in which a gateway can fail."""

from __future__ import annotations

import asyncio
import base64
import errno
import socket as sockets
from collections.abc import AsyncGenerator
from http import HTTPStatus

import pytest
from tests.ports import free_port

from hal import protocol
from hal.client import connection
from hal.client.connection import GatewayConnection
from hal.client.conversation import Conversation
from hal.client.errors import ConnectError, TurnError
from hal.client.explain import explain_connect
from hal.client.settings import ClientSettings
from hal.client.turn import Audio
from hal.protocol import State

from .conftest import greet, respond, send


def audio(*chunks: bytes) -> Audio:
    async def generate() -> AsyncGenerator[bytes]:
        for chunk in chunks:
            yield chunk

    return Audio(generate(), "wav", 16_000)


async def test_follow_up_questions_share_one_connection(gateway):
    fake = await gateway()
    async with GatewayConnection(fake.url) as connection:
        first = await connection.ask("one")
        second = await connection.ask("two")
    assert (first.text, second.text) == ("You asked: one", "You asked: two")
    assert first.ok and first.intent == "MEDICATION" and first.action == "list"
    assert fake.connections == 1
    assert {frame["session_id"] for frame in fake.frames} == {"session-1"}


async def lose_power(gateway, socket):
    """Answer, and on the first connection then be as a host without power: silent, and never closing."""
    await greet(socket)
    await gateway.receive(socket)
    await send(socket, *respond("answered"))
    if gateway.connections == 1:
        socket.transport.pause_reading()
    await asyncio.Event().wait()


async def test_a_connection_whose_other_end_is_gone_is_not_asked_again(gateway, monkeypatch):
    monkeypatch.setattr(connection, "ANSWERS_TIMEOUT_S", 0.2)
    fake = await gateway(lose_power, close_timeout=0.1)
    conversation = Conversation(ClientSettings(gateway_url=fake.url))
    for question in ("one", "two"):
        assert (await conversation.ask(question)).text == "answered"
    await conversation.close()
    assert [frame["text"] for frame in fake.frames] == ["one", "two"]
    assert fake.connections == 2


async def test_audio_arrives_whole_and_in_order(gateway):
    fake = await gateway()
    async with GatewayConnection(fake.url) as connection:
        answer = await connection.talk(audio(b"RIFF", b"1234", b"5678"))
    assert answer.transcription == "what was said"
    kinds = [frame["type"] for frame in fake.frames]
    assert kinds == ["wake_word_detected", *["audio_chunk"] * 3, "speech_ended"]
    sent = b"".join(base64.b64decode(frame["audio"]) for frame in fake.frames if "audio" in frame)
    assert sent == b"RIFF12345678"


async def test_the_wake_word_is_left_out_while_the_gateway_listens(gateway):
    fake = await gateway()
    async with GatewayConnection(fake.url) as connection:
        await connection.ask("one")
        await connection.talk(audio(b"RIFF"))
    assert [frame["type"] for frame in fake.frames] == ["text_input", "audio_chunk", "speech_ended"]


async def test_sending_stops_when_the_gateway_ends_the_utterance(gateway):
    closed = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"\0" * 1024
                await asyncio.sleep(0)
        finally:
            closed.set()

    async def impatient(fake, socket):
        await greet(socket)
        await fake.receive(socket)
        await send(socket, protocol.state_change(State.ACTIVE_LISTENING))
        await fake.receive(socket)
        await send(socket, protocol.processing("Heard."), protocol.transcription("enough"), *respond("Yes."))
        async for _ in socket:
            pass

    fake = await gateway(impatient)
    async with GatewayConnection(fake.url) as connection:
        answer = await connection.talk(Audio(endless(), "pcm16", 16_000))
    assert (answer.transcription, answer.text) == ("enough", "Yes.")
    assert closed.is_set()


async def test_listening_that_ends_too_early_fails_the_turn(gateway):
    async def sleepy(fake, socket):
        await greet(socket)
        await fake.receive(socket)
        await send(
            socket,
            protocol.state_change(State.ACTIVE_LISTENING),
            protocol.state_change(State.PASSIVE_LISTENING),
        )
        await socket.wait_closed()

    fake = await gateway(sleepy)
    async with GatewayConnection(fake.url) as connection:
        with pytest.raises(TurnError, match="stopped listening"):
            await connection.talk(audio(b"RIFF"))


async def test_no_sound_is_said_to_be_none(gateway):
    fake = await gateway()
    async with GatewayConnection(fake.url) as connection:
        with pytest.raises(TurnError, match="no sound"):
            await connection.talk(audio())


async def test_an_error_answer_is_an_answer(gateway):
    async def failing(fake, socket):
        await greet(socket)
        await fake.receive(socket)
        await send(socket, *respond("I cannot reach the records.", status="error"))
        await socket.wait_closed()

    fake = await gateway(failing)
    async with GatewayConnection(fake.url) as connection:
        answer = await connection.ask("q")
    assert not answer.ok and answer.text == "I cannot reach the records."


async def test_old_servers_answer_with_text_alone(gateway):
    async def old(fake, socket):
        await greet(socket)
        await fake.receive(socket)
        await send(socket, {"type": "response", "text": "Lisinopril."})
        await socket.wait_closed()

    fake = await gateway(old)
    async with GatewayConnection(fake.url) as connection:
        answer = await connection.ask("q")
    assert answer.ok and answer.text == "Lisinopril."


async def error_frame(fake, socket):
    await greet(socket)
    await fake.receive(socket)
    await send(socket, protocol.error("Invalid session ID"))
    await socket.wait_closed()


async def close_mid_turn(fake, socket):
    await greet(socket)
    await fake.receive(socket)
    await socket.close(1012, "restarting")


async def vanish_mid_turn(fake, socket):
    await greet(socket)
    await fake.receive(socket)
    socket.transport.abort()


async def garbage_mid_turn(fake, socket):
    await greet(socket)
    await fake.receive(socket)
    await socket.send(b"\xff\x00 not JSON")
    await socket.wait_closed()


async def silent(fake, socket):
    await greet(socket)
    await socket.wait_closed()


@pytest.mark.parametrize("spoken", [False, True])
@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (error_frame, "refused: Invalid session ID"),
        (close_mid_turn, r"closed the connection \(restarting\)"),
        (vanish_mid_turn, "closed the connection"),
        (garbage_mid_turn, "not HAL's protocol"),
        (silent, r"did not answer within 0.3 s.*--timeout"),
    ],
)
async def test_a_failed_turn_names_gateway_and_cause(gateway, handler, sentence, spoken):
    fake = await gateway(handler)
    async with GatewayConnection(fake.url, timeout_s=0.3 if handler is silent else 30) as connection:
        with pytest.raises(TurnError, match=sentence) as failure:
            await (connection.talk(audio(b"RIFF")) if spoken else connection.ask("q"))
    assert fake.url in str(failure.value)


async def test_a_late_greeting_is_waited_for(gateway):
    connected = asyncio.Event()

    async def late(fake, socket):
        await socket.ping()  # the client is there, and waits
        await (await socket.ping())
        connected.set()
        await greet(socket)
        await socket.wait_closed()

    fake = await gateway(late)
    async with GatewayConnection(fake.url) as connection:
        assert connected.is_set() and connection.session_id == "session-1"


async def never_greets(fake, socket):
    await socket.wait_closed()


async def greets_strangely(fake, socket):
    await socket.send('{"type": "hello"}')
    await socket.wait_closed()


async def greets_with_garbage(fake, socket):
    await socket.send("<html>")
    await socket.wait_closed()


async def closes_at_once(fake, socket):
    await socket.close(1013, "too many sessions")


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (never_greets, "did not greet within 0.2 s"),
        (greets_strangely, "does not greet as HAL's gateway does"),
        (greets_with_garbage, "does not greet as HAL's gateway does"),
        (closes_at_once, "too many sessions"),
    ],
)
async def test_what_is_no_gateway_is_told_so(gateway, handler, sentence):
    fake = await gateway(handler)
    with pytest.raises(ConnectError, match=sentence) as failure:
        async with GatewayConnection(fake.url, greeting_timeout_s=0.2 if handler is never_greets else 30):
            pytest.fail("connected")
    assert fake.url in str(failure.value)


async def test_a_refused_connection_says_so():
    url = f"ws://127.0.0.1:{free_port()}"
    with pytest.raises(ConnectError, match=rf"{url}: the connection was refused; check that the gateway"):
        async with GatewayConnection(url):
            pytest.fail("connected")


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "HAL_TOKEN_FILE"), (403, "does not admit"), (503, "not ready"), (418, "check the URL")],
)
async def test_an_http_refusal_is_explained(gateway, status, hint):
    fake = await gateway(process_request=lambda socket, _: socket.respond(HTTPStatus(status), "no"))
    with pytest.raises(ConnectError, match=rf"HTTP {status}; .*{hint}"):
        async with GatewayConnection(fake.url):
            pytest.fail("connected")


async def test_a_port_that_speaks_something_else_is_no_gateway():
    async def ssh(reader, writer):
        writer.write(b"SSH-2.0-OpenSSH_10.0\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(ssh, "127.0.0.1", 0)
    async with server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ConnectError, match="not a WebSocket gateway"):
            async with GatewayConnection(url):
                pytest.fail("connected")


async def test_a_token_is_sent_and_the_round_trip_measured(gateway):
    fake = await gateway()
    async with GatewayConnection(fake.url, headers={"Authorization": "Bearer abc"}) as connection:
        assert connection.is_open and await connection.round_trip_s() > 0
    assert fake.headers[0]["Authorization"] == "Bearer abc"
    assert not connection.is_open


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (sockets.gaierror(-2, "Name or service not known"), "the host name is not known; check that the"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "there is no route to this host; check this"),
        (TimeoutError(), "no reply in time; check that the gateway runs"),
    ],
)
def test_the_networks_failures_are_told_in_words(error, cause):
    assert explain_connect(error, "ws://qm1:8768").startswith(f"Cannot connect to ws://qm1:8768: {cause}")
