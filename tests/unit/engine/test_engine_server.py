"""The listener's bounds: hostile callers get a clear error or a clean close and disturb nobody."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from typing import Any

import pytest

from hal.engine.listener import Listener
from hal.protocol import MAX_LISTENER_MESSAGE_BYTES, ListenerReply, ListenerRequest

QUESTION = "What medications am I taking?"


async def test_a_question_for_the_model_takes_its_context_along(caller: Any) -> None:
    context = [{"question": "What medications am I taking?", "answer": "Nine.", "intent": "MEDICATION"}]
    reply = await caller.ask("tell me a joke", context)
    assert (reply["status"], reply["context"]) == ("delegate", context)
    assert "tell me a joke" in reply["prompt"]


async def test_request_may_end_at_the_closing_brace(caller: Any) -> None:
    raw = json.dumps({"text": 'a "quoted } brace\\" and when is my next appointment'}).encode()
    reply = json.loads(await caller.send(raw))
    assert reply["intent"] == "APPOINTMENT"


async def test_request_in_single_bytes(caller: Any) -> None:
    reader, writer = await asyncio.open_connection(caller.host, caller.port)
    for byte in ListenerRequest(QUESTION).encode():
        writer.write(bytes([byte]))
        await writer.drain()
    reply = json.loads(await reader.read())
    writer.close()
    assert reply["action_taken"] == "MEDICATION_LIST"
    assert set(reply) == {"response_text", "action_taken", "intent", "status", "timestamp"}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\n", "Invalid JSON"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Invalid JSON"),
        (b"[1, 2]\n", "Invalid JSON"),
        (b'{"transcription": 7}\n', "transcription must be a string"),
        (b'{"transcription": "x", "context": "y"}\n', "context must be a list of objects"),
        (b'{"transcription": "x", "context": [7]}\n', "context must be a list of objects"),
        (b'{"transcription": "\xff\xfe"}\n', "Invalid JSON"),
        (b'{"a":' * 100_000 + b"\n", "Invalid JSON"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "Invalid JSON"),
        (b"}}}}", "Invalid JSON"),
        (b'{"transcription": ""}\n', "didn't hear a question"),
        (json.dumps({"text": "a" * 5_000}).encode(), "too long"),
    ],
)
async def test_fault_is_named(caller: Any, raw: bytes, said: str) -> None:
    reply = json.loads(await caller.send(raw))
    assert reply["status"] == "error"
    assert said in reply["response_text"]


async def test_cut_short(caller: Any) -> None:
    reply = json.loads(await caller.send(b'{"transcription": "x', end=True))
    assert "cut short" in reply["response_text"]


async def test_nothing_sent_is_closed_silently(caller: Any) -> None:
    assert await caller.send(b"", end=True) == b""


async def test_oversized(caller: Any) -> None:
    raw = b'{"transcription": "' + b"a" * MAX_LISTENER_MESSAGE_BYTES + b'"}\n'
    reply = json.loads(await caller.send(raw))
    assert str(MAX_LISTENER_MESSAGE_BYTES) in reply["response_text"]


async def test_large_context_is_served(caller: Any) -> None:
    context = [{"question": "q" * 9_000, "answer": "a" * 9_000}] * 50
    assert (await caller.ask(QUESTION, context))["action_taken"] == "MEDICATION_LIST"


@pytest.mark.parametrize(
    "turn", [{"question": 7}, {"question": None, "answer": []}, {}, {"question": {"a": 1}}]
)
async def test_odd_context_is_harmless(caller: Any, turn: dict[str, Any]) -> None:
    reply = await caller.ask("when do I take it", [turn])
    assert reply["status"] == "success"


async def test_lone_surrogates_are_harmless(caller: Any) -> None:
    reply = json.loads(
        await caller.send(b'{"transcription": "list my \\ud800 medications", "session_id": "\\udfff"}\n')
    )
    assert reply["action_taken"] == "MEDICATION_LIST"


async def test_slow_caller_is_told_and_disturbs_nobody(serve: Any) -> None:
    caller = await serve(timeout_s=0.2)
    slow = asyncio.create_task(caller.send(b'{"transcription": "wh'))
    assert (await caller.ask(QUESTION))["status"] == "success"
    assert "did not end within 0.2 seconds" in json.loads(await slow)["response_text"]


async def test_a_caller_who_does_not_end_his_request_has_until_the_time_limit(serve: Any, clock: Any) -> None:
    caller = await serve(timeout_s=60)
    reader, writer = await asyncio.open_connection(caller.host, caller.port)
    writer.write(b'{"transcription": "wh')
    await caller.ask(QUESTION)  # whoever came before is being listened to
    clock(61)
    reply = json.loads(await asyncio.wait_for(reader.read(), 10))
    writer.close()
    assert reply["action_taken"] == "TIMEOUT"


async def test_a_caller_who_does_not_take_his_reply_has_until_the_time_limit(clock: Any) -> None:
    large = ListenerReply("x" * 50_000_000)

    async def answer(_: ListenerRequest) -> ListenerReply:
        return large

    listener = Listener(answer, timeout_s=60)
    reader, writer = await asyncio.open_connection(*await listener.start("127.0.0.1", 0))
    try:
        writer.write(ListenerRequest(QUESTION).encode())
        taken = len(await reader.read(1))  # the reply is under way, and larger than every buffer
        clock(61)
        with contextlib.suppress(ConnectionError):
            while data := await asyncio.wait_for(reader.read(1_000_000), 10):
                taken += len(data)
    finally:
        writer.close()
        await listener.stop()
    assert taken < len(large.encode())


async def test_too_many_callers(serve: Any) -> None:
    caller = await serve(timeout_s=5, max_connections=2)
    idle = [await asyncio.open_connection(caller.host, caller.port) for _ in range(2)]
    refused = await caller.ask(QUESTION)
    assert (refused["status"], refused["action_taken"]) == ("error", "BUSY")
    for reader, writer in idle:
        writer.write(ListenerRequest(QUESTION).encode())
        assert json.loads(await reader.read())["status"] == "success"
        writer.close()


@pytest.mark.slow
async def test_five_thousand_hostile_messages(serve: Any) -> None:
    caller = await serve(timeout_s=2)
    chance = random.Random(8767)
    good = ListenerRequest(QUESTION).encode()

    def hostile() -> bytes:
        match chance.randrange(6):
            case 0:
                return chance.randbytes(chance.randrange(1, 400))
            case 1:
                return good[: chance.randrange(1, len(good) - 2)]
            case 2:
                return bytes(byte ^ (chance.random() < 0.05) * 0x15 for byte in good)
            case 3:
                return b"{" * chance.randrange(1, 3_000)
            case 4:
                return b'{"transcription": "' + b"\\u0000';--{}" * chance.randrange(1, 300) + b'"}\n'
            case _:
                return (
                    b'{"transcription": ' + chance.choice([b"null", b"[]", b"{}", b"1e999", b"NaN"]) + b"}\n"
                )

    limit = asyncio.Semaphore(32)

    async def attack(raw: bytes) -> None:
        async with limit:
            answer = await caller.send(raw, end=True)
        if answer:
            assert json.loads(answer)["response_text"]

    async def attack_all() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(5_000):
                group.create_task(attack(hostile()))

    attacks = asyncio.create_task(attack_all())
    asked = 0
    while not attacks.done():
        assert (await caller.ask(QUESTION))["action_taken"] == "MEDICATION_LIST"
        asked += 1
    await attacks
    assert asked > 0
    assert (await caller.ask(QUESTION))["status"] == "success"
