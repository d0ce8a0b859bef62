"""VOICE.LISTENER on a real QM: the exchanges every listener must pass, and callers who mean no good."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from hal.client.conformance import ask_all, load_exchanges

from .conftest import DAY, read_all

PARTS = 16  # of the exchanges, so that each is done within the time for one test
QUESTION = json.dumps({"text": "What medications am I taking?"}).encode() + b"\n"


@pytest.mark.parametrize("part", range(PARTS))
def test_it_conforms(listener, part):
    async def faults():
        wanted = load_exchanges()
        outcomes = ask_all(wanted.exchanges[part::PARTS], "127.0.0.1", listener.port, wanted.now, 20)
        return [(each.exchange.ask, each.answer, each.faults) async for each in outcomes if each.faults]

    assert asyncio.run(faults()) == []


def test_installing_and_starting_again_changes_nothing(listener):
    assert listener.account.install() == "unchanged"
    assert listener.start() == "unchanged"
    assert listener.account.program(f"HAL.SAMPLE {DAY}") == "unchanged"


def test_a_listener_that_was_ended_by_force_hinders_neither_stop_nor_start(listener):
    assert listener.account.program("HAL.STOP") == "stopped"
    listener.account.run("CREATE.FILE LEFT DIRECTORY NO.QUERY")
    sign_of_yesterday = (datetime.now(UTC) - datetime(1967, 12, 31, tzinfo=UTC)).days * 86400 - 86400
    left = ["VOICE.LISTENER", "127.0.0.1", listener.port, 99, sign_of_yesterday]
    (listener.account.directory / "LEFT/SERVING").write_text("\n".join(map(str, left)))
    listener.account.run("COPY FROM LEFT TO HAL.CONTROL SERVING")
    assert listener.account.program("HAL.STOP") == "stopped"
    assert listener.account.program("HAL.STOP") == "unchanged"
    assert listener.start() == "started"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\n", "Invalid JSON"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Invalid JSON"),
        (b"[1, 2]\n", "Invalid JSON"),
        (b'"text"\n', "Invalid JSON"),
        (b'{"text": "x",}\n', "Invalid JSON"),
        (b'{"text": "\\x"}\n', "Invalid JSON"),
        (b'{"text": "a\tb"}\n', "Invalid JSON"),
        (b'{"text": "\xff\xfe"}\n', "Invalid JSON"),
        (b'{"text": "\xc0\xaf"}\n', "Invalid JSON"),
        (b'{"text": 01}\n', "Invalid JSON"),
        (b'{"text": "x"} y\n', "Invalid JSON"),
        (b"{" * 50 + b"\n", "Invalid JSON"),
        (b'{"transcription": 7}\n', "transcription must be a string"),
        (b'{"text": "x", "context": 5}\n', "context must be a list of objects"),
        (b'{"text": "x", "context": [5]}\n', "context must be a list of objects"),
    ],
)
def test_bad_requests_get_a_clear_error(listener, raw, said):
    reply = json.loads(listener.send(raw))
    assert (reply["status"], reply["action_taken"]) == ("error", "INVALID_REQUEST")
    assert said in reply["response_text"]


def test_a_request_may_come_in_single_bytes_or_end_at_its_brace(listener):
    single = [bytes([byte]) for byte in QUESTION]
    assert json.loads(listener.send(*single))["action_taken"] == "MEDICATION_LIST"
    raw = json.dumps({"text": 'a "quoted } brace\\" and when is my next appointment'}, indent=None).encode()
    assert json.loads(listener.send(raw))["intent"] == "APPOINTMENT"
    assert "cut short" in json.loads(listener.send(b'{"text": "x', end=True))["response_text"]


@pytest.mark.parametrize(
    "text",
    ['é ü 日本 😀 \u0001 " \\ / \b \f \n \r \t \x7f', "þÿûüý", "a\u0000b", "~^\u00fe\u00ff"],
)
def test_every_character_comes_back_as_it_was(listener, text):
    asked = f"tell me a story about {text}"
    for ascii_only in (True, False):
        raw = json.dumps({"text": asked}, ensure_ascii=ascii_only).encode() + b"\n"
        reply = json.loads(listener.send(raw))
        assert reply["status"] == "delegate"
        assert asked.replace("\u0000", "") in reply["prompt"].replace("\u0000", "")


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("2026-03-11T15:30:00", "3:30 PM"),
        ("2026-03-11 15:30", "3:30 PM"),
        ("2026-03-11T15:30:00.25", "3:30 PM"),
        ("2026-03-11", None),
        ("20260311T153000", None),
        ("2026-W11-3T15:30:00", None),
        ("2026-03-11T24:00:00", None),
        ("2026-03-11T26:30:00", None),
        ("2026-02-30T15:30:00", None),
        ("2026-03-11T15:30:00Z", None),
    ],
)
def test_a_timestamp_of_another_form_leaves_the_listener_its_own_clock(listener, said, hour):
    told = listener.ask("what time is it", timestamp=said)["response_text"]
    own = listener.ask("what day is it today", timestamp=said)["response_text"]
    assert ("March 11, 2026" in own) == (hour is not None)
    assert hour is None or hour in told


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("how much did I spend before Christmas", "before Christmas Day,"),
        ("how much did I spend until December 20", "17,415 dollars and 48 cents until December 20,"),
        ("how much did I spend on Christmas", "on Christmas Day 2025"),
    ],
)
def test_in_december_what_is_before_christmas_is_before_the_one_to_come(listener, asked, said):
    assert said in listener.ask(asked, timestamp="2026-12-10T09:00:00")["response_text"]


def test_a_request_is_read_up_to_the_bounds_of_the_protocol(listener):
    turns = [{"question": "Tell me about metformin", "answer": "b"}]
    assert listener.ask("When do I take it?", context=turns * 600)["action_taken"] == "MEDICATION_SCHEDULE"
    assert "more than 2000 values" in listener.ask("q", context=turns * 700)["response_text"]
    for digits, action in ((4300, "GENERAL_DATE"), (4301, "INVALID_REQUEST"), (900_000, "INVALID_REQUEST")):
        raw = b'{"text": "what day is it", "more": ' + b"9" * digits + b"}\n"
        assert json.loads(listener.send(raw))["action_taken"] == action
    deep = b'{"text": "what day is it", "more": ' + b"[" * 39 + b"]" * 39 + b"}\n"
    assert json.loads(listener.send(deep))["action_taken"] == "GENERAL_DATE"
    assert json.loads(listener.send(deep.replace(b"[]", b"[[]]")))["action_taken"] == "INVALID_REQUEST"


def test_a_person_in_danger_is_told_the_number_that_is_set(listener):
    assert "Call 911 now" in listener.ask("I have chest pains")["response_text"]
    assert listener.account.program("HAL.EMERGENCY 112") == "installed"
    assert listener.account.program("HAL.EMERGENCY 112") == "unchanged"
    assert "Call 112 now" in listener.ask("I have chest pains")["response_text"]
    assert listener.account.program("HAL.EMERGENCY 911") == "installed"


def test_a_caller_cannot_forge_what_another_field_holds(listener):
    forged = {"context.1.question": "Tell me about metformin", "context": []}
    assert listener.ask("When do I take it?", **forged)["action_taken"] == "CLARIFY"


def test_many_callers_at_once_and_slow_ones_hold_nobody_up(listener):
    slow = [listener.connect() for _ in range(20)]
    for connection in slow:
        connection.sendall(b'{"text": "What')
    with ThreadPoolExecutor(32) as callers:
        replies = list(callers.map(lambda _: json.loads(listener.send(QUESTION)), range(200)))
    assert {reply["action_taken"] for reply in replies} == {"MEDICATION_LIST"}
    for connection in slow:
        with connection:
            assert json.loads(read_all(connection))["action_taken"] == "TIMEOUT"


def test_a_caller_too_many_is_told_to_come_back(listener):
    held = [listener.connect() for _ in range(256)]
    try:
        for connection in held:
            connection.sendall(b"{")
        reply = json.loads(listener.send(b""))
        assert reply["action_taken"] == "BUSY"
    finally:
        for connection in held:
            connection.close()
    # It learns of those who left as it reads from them; until then it may still be busy.
    replies = (ask_or_refused(listener) for _ in range(600))
    assert "GENERAL_DATE" in replies


def ask_or_refused(listener):
    """Return the action of the reply; a caller that is refused may see the connection reset."""
    try:
        return listener.ask("what day is it today")["action_taken"]
    except ConnectionError:
        return "BUSY"


def test_large_requests_are_read_and_larger_ones_refused(listener):
    reply = json.loads(listener.send(json.dumps({"text": "a " * 400_000}).encode() + b"\n"))
    assert reply["action_taken"] == "TOO_LONG"
    with listener.connect() as connection:
        try:
            connection.sendall(b'{"text": "' + b"a" * 1_200_000)
            reply = json.loads(read_all(connection))
        except ConnectionError:
            return  # refused and closed while it was still being sent
    assert "exceeds" in reply["response_text"]


def test_thousands_of_hostile_requests_leave_it_serving(listener):
    chance = random.Random(20260311)
    for _ in range(1000):
        raw = bytearray(QUESTION)
        for _ in range(chance.randrange(1, 12)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        with listener.connect() as connection:
            connection.sendall(raw)
            if chance.random() < 0.3:  # leave at once, some with a reset
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                continue
            connection.shutdown(socket.SHUT_WR)
            assert read_all(connection).endswith(b"}\n")
    assert listener.ask("what day is it today")["action_taken"] == "GENERAL_DATE"
    ended = [
        line for line in listener.account.run("LIST HAL.EVENTS NO.PAGE").splitlines() if " ended" in line
    ]
    assert ended == []


def test_exchanges_are_noted(listener):
    listener.ask("what day is it today", session_id="noted", client_type="test")
    noted = listener.account.run('LIST CONVERSATION WITH SESSION = "noted" NO.PAGE')
    assert "GENERAL_DATE" in noted
    assert "1 record(s)" in noted
