"""The port of AI.SERVER's clients: what comes over TCP and WebSocket, and from whom, within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import socket
import struct
import sys

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hal.gateway.settings import GatewaySettings
from hal.shared import ai_server_socket, sentences
from hal.shared.ai_server_session import NOT_UNDERSTOOD
from hal.shared.ai_server_socket import (
    CUT_SHORT,
    MAX_REQUEST_BYTES,
    NOT_TRUSTED,
    TOO_LATE,
    TOO_LONG,
    AiServerSocket,
)
from hal.shared.websocket import TOO_MANY_CONNECTIONS

from .conftest import bothered

QUESTION = {"type": "text_input", "text": "my medications", "user_id": "u", "session_id": "s-1"}
ANSWER = {
    "type": "text_response",
    "text": "answer to my medications",
    "status": "success",
    "session_id": "s-1",
}
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")


@pytest.fixture
async def start(start_gateway, unused_tcp_port):
    """Start a gateway with the port: `await start(**settings)` returns it and the port."""

    async def start_(**settings):
        return await start_gateway(ai_server_port=unused_tcp_port, **settings), unused_tcp_port

    return start_


async def exchange(port, sent, *, ends=False, local="127.0.0.1"):
    """Send bytes, or pieces of them one by one, and return all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(local, 0))
    for piece in [sent] if isinstance(sent, bytes) else sent:
        writer.write(piece)
        await asyncio.sleep(0.01)
    if ends:
        writer.write_eof()
    async with asyncio.timeout(10):
        said = await reader.read()
    writer.close()
    return said


async def ask(port, frame=QUESTION, **options):
    said = await exchange(port, json.dumps(frame).encode() + b"\n", **options)
    assert said.endswith(b"}\n") and said.count(b"\n") == 1
    return json.loads(said)


async def test_a_question_over_tcp_is_answered_once_and_the_connection_closed(start):
    _, port = await start()
    assert await ask(port) == ANSWER
    whole = json.dumps(QUESTION).encode()
    for sent in (whole, [whole[:20], whole[20:]], [bytes([byte]) for byte in whole], b"\r\n " + whole):
        assert json.loads(await exchange(port, sent)) == ANSWER
    assert json.loads(await exchange(port, whole, ends=True)) == ANSWER
    assert json.loads(await exchange(port, whole + b"\n" + whole + b"\n")) == ANSWER


async def test_a_client_that_names_no_session_gets_the_name_of_ours(start, listener):
    _, port = await start()
    reply = await ask(port, {"type": "text_input", "text": "my medications"})
    assert reply["status"] == "success" and reply["session_id"] == listener.requests[0]["session_id"]
    await ask(port)
    assert listener.requests[1]["session_id"] != "s-1", "a client's own name leads to no session"


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (QUESTION | {"text": "  "}, sentences.EMPTY_QUESTION),
        (QUESTION | {"text": "x" * 4_001}, sentences.LONG_QUESTION),
        (QUESTION | {"text": ["x"]}, "text must be a string"),
        (QUESTION | {"type": "command", "command": "stop"}, NOT_UNDERSTOOD),
        ({"text": "my medications"}, NOT_UNDERSTOOD),
        (QUESTION | {"session_id": 7}, "Invalid session ID"),
        (QUESTION | {"session_id": "s" * 201}, "Invalid session ID"),
    ],
)
async def test_what_is_no_question_is_answered_with_what_is_wrong(start, frame, text):
    _, port = await start()
    reply = await ask(port, frame)
    assert (reply["type"], reply["status"], reply["text"]) == ("text_response", "error", text)
    async with connect(f"ws://127.0.0.1:{port}", proxy=None) as client:
        await client.send(json.dumps(frame))
        assert json.loads(await client.recv())["text"] == text
        await client.send(json.dumps(QUESTION))
        assert json.loads(await client.recv()) == ANSWER


async def test_nobody_is_asked_back_who_could_not_say_yes(start):
    _, port = await start()
    assert await ask(port, QUESTION | {"confidence": 0.1}) == ANSWER


async def test_the_longest_question_fits_however_it_is_written(start):
    _, port = await start()
    assert (await ask(port, QUESTION | {"text": "\U0001f600" * 4_000}))["status"] == "success"


async def test_a_failed_turn_is_an_answer(start, listener):
    _, port = await start()
    listener.mode = "vanish"
    assert await ask(port) == ANSWER | {"text": sentences.NO_RECORDS, "status": "error"}


async def test_each_answer_over_websocket_bears_the_name_that_its_question_had(start, listener):
    _, port = await start()
    listener.mode = "slow"
    async with connect(f"ws://127.0.0.1:{port}", proxy=None) as client:
        for number in range(6):
            await client.send(json.dumps(QUESTION | {"text": f"{number}", "session_id": f"s-{number}"}))
        refused = json.loads(await client.recv())
        assert (refused["session_id"], refused["text"]) == ("s-5", sentences.TOO_MANY_WAITING)
        listener.release.set()
        for number in range(5):
            reply = json.loads(await client.recv())
            assert (reply["session_id"], reply["text"]) == (f"s-{number}", f"answer to {number}")


async def test_a_question_in_flight_is_answered_when_the_gateway_is_stopped(start, listener, until):
    gateway, port = await start(drain_timeout_s=0.1)
    listener.mode = "slow"
    over_tcp = asyncio.create_task(ask(port))
    async with connect(f"ws://127.0.0.1:{port}", proxy=None) as client:
        for number in range(2):
            await client.send(json.dumps(QUESTION | {"session_id": f"s-{number}"}))
        await until(lambda: len(listener.requests) == 2)
        await gateway.stop()
        replies = [json.loads(await client.recv()) for _ in range(2)]
    assert [reply["session_id"] for reply in replies] == ["s-0", "s-1"]
    assert {reply["text"] for reply in [await over_tcp, *replies]} == {sentences.RESTARTING}


async def test_a_client_that_leaves_ends_its_turn(start, listener, until):
    gateway, port = await start()
    listener.mode = "slow"
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(json.dumps(QUESTION).encode() + b"\n")
    await asyncio.wait_for(listener.asked.wait(), 10)
    assert len(gateway.sessions) == 1
    # Without the reset it might be one that only says no more, and waits for its answer.
    socket_of_it = writer.get_extra_info("socket")
    socket_of_it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    await asyncio.wait_for(listener.left.wait(), 10)
    await until(lambda: not gateway.sessions)


# Who may ask


async def test_only_trusted_networks_and_the_host_itself_are_answered_over_tcp(start, monkeypatch):
    gateway, port = await start(trusted_networks=("192.0.2.0/24",))
    assert await ask(port) == ANSWER  # the host itself
    connection_made, peers = AiServerSocket.connection_made, iter(["198.51.100.7", "192.0.2.9"])

    def from_elsewhere(itself, transport):
        connection_made(itself, transport)
        itself.peer = next(peers)

    monkeypatch.setattr(AiServerSocket, "connection_made", from_elsewhere)
    assert await ask(port) == ANSWER | {"text": NOT_TRUSTED, "status": "error", "session_id": ""}
    assert await ask(port) == ANSWER
    assert 'hal_gateway_refused_total{reason="not_admitted"} 1.0' in gateway.metrics.render()


async def test_a_client_behind_a_proxy_needs_its_token_for_a_websocket(start, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"desk {hashlib.sha256(b'secret').hexdigest()}\n")
    _, port = await start(trusted_proxies=("127.0.0.1/32",), tokens_file=tokens)
    headers, url = {"X-Forwarded-For": "198.51.100.7"}, f"ws://127.0.0.1:{port}"
    with pytest.raises(InvalidStatus, match="401"):
        await connect(url, proxy=None, additional_headers=headers)
    headers["Authorization"] = "Bearer secret"
    async with connect(url, proxy=None, additional_headers=headers) as client:
        await client.send(json.dumps(QUESTION))
        assert json.loads(await client.recv()) == ANSWER


async def test_a_web_page_of_another_origin_is_refused_and_a_form_is_no_question(start):
    _, port = await start()
    with pytest.raises(InvalidStatus, match="403"):
        await connect(f"ws://127.0.0.1:{port}", proxy=None, origin="https://evil.example")
    body = json.dumps(QUESTION).encode()
    said = await exchange(port, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert said.startswith(b"HTTP/1.1 405 ")


async def test_health_is_told_at_this_port_too(start):
    _, port = await start()
    said = await exchange(port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 ")


# Bounds


async def test_a_request_has_a_limit_in_size_and_in_time(start, monkeypatch):
    _, port = await start()
    assert json.loads(await exchange(port, b'{"text": "' + b"x" * MAX_REQUEST_BYTES))["text"] == TOO_LONG
    assert json.loads(await exchange(port, b'{"text": "x', ends=True))["text"] == CUT_SHORT
    assert await exchange(port, b"", ends=True) == b""
    monkeypatch.setattr(ai_server_socket, "REQUEST_TIMEOUT_S", 0.2)
    assert json.loads(await exchange(port, b'{"text"'))["text"] == TOO_LATE
    assert json.loads(await exchange(port, [b"{", *[b" "] * 100]))["text"] == TOO_LATE, "bytes that drip"
    with contextlib.suppress(ConnectionError):
        assert await exchange(port, b" \n") == b""


async def test_who_sends_on_and_on_after_a_question_is_cut_off(start, listener):
    _, port = await start()
    listener.mode = "slow"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(json.dumps(QUESTION).encode() + b"\n" + b"x" * 4 * MAX_REQUEST_BYTES)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(10):
            assert await reader.read() == b""
    writer.close()


@only_linux
async def test_an_address_has_so_many_connections_and_sessions_over_both(start, listener, until):
    gateway, port = await start(address_connections=3, address_sessions=2)
    listener.mode = "slow"
    waiting = [asyncio.create_task(ask(port, local="127.0.0.2")) for _ in range(2)]
    await until(lambda: len(gateway.sessions) == 2)
    assert (await ask(port, local="127.0.0.2"))["text"] == TOO_MANY_CONNECTIONS
    idle = [await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0)) for _ in range(3)]
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            assert await idle[-1][0].read() == b""
    listener.mode = "normal"
    assert await ask(port, local="127.0.0.3") == ANSWER
    listener.release.set()
    assert [await each for each in waiting] == [ANSWER, ANSWER]
    for _, writer in idle:
        writer.close()
    await until(lambda: gateway._sources.open == 0 and not gateway.sessions)


async def test_there_are_no_more_sessions_than_the_gateway_may_have(start, listener, until):
    gateway, port = await start(max_sessions=1)
    async with connect(f"ws://127.0.0.1:{port}", proxy=None):
        await until(lambda: len(gateway.sessions) == 1)
        assert (await ask(port))["text"] == TOO_MANY_CONNECTIONS
    await until(lambda: not gateway.sessions)
    assert await ask(port) == ANSWER


def rubbish(rng: random.Random) -> bytes:
    """What a broken client, a port scanner or an enemy may send."""
    whole = json.dumps(QUESTION).encode()
    match rng.randrange(8):
        case 0:
            return rng.randbytes(rng.randrange(1, 5_000))
        case 1:
            return whole[: rng.randrange(len(whole))]
        case 2:
            return b'{"a":' * rng.randrange(1, 13_000) + b"\n"
        case 3:
            return b"{" + rng.randbytes(rng.randrange(2_000)) + b"}\n"
        case 4:
            return json.dumps(QUESTION | {"session_id": rng.choice([{}, [1], True, 1.5, -1])}).encode()
        case 5:
            return b'{"type": "text_input", "text": "\\ud800", "session_id": "\\ud800", "n": 1e999}\n'
        case 6:
            return b'{"session_id": ' + b"9" * 5_000 + b"}\n"
        case _:
            return b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(500)


async def test_rubbish_disturbs_nobody(start, until):
    gateway, port = await start(address_handshakes_per_minute=0, address_sessions=0)
    rng = random.Random(22)
    async for _ in bothered(port, lambda: rubbish(rng)):
        assert await ask(port) == ANSWER
    await until(lambda: not gateway.sessions and gateway._sources.open == 0)
    assert await ask(port) == ANSWER


def test_ports_must_differ():
    for ports in ({"extra_port": 8768}, {"ai_server_port": 8768}, {"extra_port": 5, "ai_server_port": 5}):
        with pytest.raises(ValueError, match="must differ"):
            GatewaySettings(**ports)


async def test_without_the_setting_there_is_no_such_port(start_gateway):
    gateway = await start_gateway()
    assert len(gateway.ports) == 1
    said = await exchange(gateway.ports[0], json.dumps(QUESTION).encode() + b"\n\n")
    assert b"text_response" not in said
