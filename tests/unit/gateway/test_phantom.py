"""Phantom mode: the engine serves clients itself, with the gateway's own sessions and text alone."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from websockets.exceptions import InvalidStatus

from hal.engine import database
from hal.shared import sentences

MEDICATIONS = "What medications am I taking?"


@pytest.fixture
async def client(start_phantom, open_client):
    return await open_client(await start_phantom())


async def fetch(server, path):
    """Return (status, JSON) of a GET."""

    def get():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.ports[0]}{path}", timeout=10) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    return await asyncio.to_thread(get)


async def test_a_greeting_and_an_answer_from_the_records(client):
    assert client.greeting["state"] == "passive_listening"
    answer = await client.ask(MEDICATIONS)
    assert (answer["intent"], answer["action"], answer["status"]) == (
        "MEDICATION",
        "MEDICATION_LIST",
        "success",
    )
    assert answer["text"] == answer["response_text"]
    assert "metformin" in answer["text"]


async def test_a_follow_up_question_knows_what_was_spoken_of(client):
    await client.ask("Tell me about metformin")
    answer = await client.ask("When do I take it?")
    assert answer["action"] == "MEDICATION_SCHEDULE"
    assert "8 AM" in answer["text"] and "6 PM" in answer["text"]


async def test_conversations_are_apart(start_phantom, open_client):
    server = await start_phantom()
    one, other = await open_client(server), await open_client(server)
    await one.ask("Tell me about metformin")
    assert (await other.ask("When do I take it?"))["action"] == "CLARIFY"


async def test_ten_seconds_after_an_answer_the_session_is_passive_and_nothing_has_waited(client, clock):
    await client.send("text_input", text=MEDICATIONS)
    *_, state = await client.expect("processing", "response", "state_change")
    assert (state["new_state"], state["countdown_ms"]) == ("active_listening", 10_000)
    clock(9)
    began = time.monotonic()
    await client.ask("What allergies do I have?")
    assert time.monotonic() - began < 5, "the window must hold nothing up"
    clock(9)
    await client.say_nothing_more()  # the second answer began the window anew
    clock(1.5)
    (state,) = await client.expect("state_change")
    assert state["new_state"] == "passive_listening"


async def test_the_wake_word_opens_a_window_of_half_a_minute(client, clock):
    await client.send("wake_word_detected", wake_word="hal")
    chime, state = await client.expect("ack", "state_change")
    assert (chime["sound"], state["new_state"], state["timeout_ms"]) == ("chime", "active_listening", 30_000)
    clock(31)
    (state,) = await client.expect("state_change")
    assert state["new_state"] == "passive_listening"


@pytest.mark.parametrize("command", ["hold", "stop"])
async def test_hold_and_stop_end_the_window_at_once(client, command):
    await client.ask(MEDICATIONS)
    await client.send("command", command=command)
    (state,) = await client.expect("state_change")
    assert state["new_state"] == "passive_listening"
    assert (await client.ask(MEDICATIONS))["status"] == "success"


async def test_repeat_and_goodbye(client):
    first = await client.ask(MEDICATIONS)
    await client.send("command", command="repeat")
    (again,) = await client.expect("response")
    assert (again["text"], again["is_repeat"]) == (first["text"], True)
    await client.send("command", command="goodbye")
    farewell, state = await client.expect("goodbye", "state_change")
    assert farewell["message"] and state["new_state"] == "passive_listening"


async def test_a_relayed_transcription_is_followed_by_the_response_itself(client):
    await client.send("transcription", text=MEDICATIONS)
    response, _ = await client.expect("response", "state_change")
    assert "metformin" in response["text"]


@pytest.mark.parametrize("ended_by", ["is_final", "speech_ended"])
async def test_speech_is_answered_with_the_sentence_that_only_text_works(client, voice, ended_by):
    await client.send("wake_word_detected")
    await client.expect("ack", "state_change")
    audio = base64.b64encode(voice(0.3)).decode()
    await client.send("audio_chunk", audio=audio, is_final=ended_by == "is_final")
    if ended_by == "speech_ended":
        await client.send("speech_ended")
    _, response, _ = await client.expect("processing", "response", "state_change")
    assert (response["text"], response["status"], response["action"]) == (
        sentences.TEXT_ONLY,
        "error",
        "text_only",
    )
    assert (await client.ask(MEDICATIONS))["status"] == "success"


async def test_a_general_question_is_answered_with_the_sentence_that_only_records_can_be_asked(client):
    response = await client.ask("Why is the sky blue?")
    assert (response["text"], response["intent"]) == (sentences.RECORDS_ONLY, "GENERAL")
    assert (response["status"], response["action"]) == ("error", "records_only")


@pytest.mark.parametrize(
    ("frame", "wording"),
    [
        ("{", "Invalid JSON"),
        ('{"type":"heartbeat","session_id":[1]}', "Invalid session ID"),
        ('{"type":"dance"}', "Unknown message type: dance"),
    ],
)
async def test_faults_of_the_protocol_have_their_wordings(client, frame, wording):
    await client.socket.send(frame)
    (error,) = await client.expect("error")
    assert error["message"] == wording


async def test_another_sessions_id_acts_on_nothing_but_the_own_session(start_phantom, open_client):
    server = await start_phantom()
    victim, other = await open_client(server), await open_client(server)
    await victim.ask(MEDICATIONS)
    await other.send("command", command="goodbye", session_id=victim.greeting["session_id"])
    await other.expect("goodbye", "state_change")
    await victim.say_nothing_more()


async def test_every_exchange_is_in_the_conversation_log(client, household):
    await client.ask(MEDICATIONS)
    with closing(sqlite3.connect(household)) as connection:
        rows = connection.execute("SELECT session, client, question, intent FROM conversation").fetchall()
    assert rows == [(client.greeting["session_id"], "websocket", MEDICATIONS, "MEDICATION")]


async def test_it_is_alive_and_ready_while_the_records_can_be_read(start_phantom, open_client, household):
    server = await start_phantom()
    assert await fetch(server, "/healthz") == (200, {"status": "alive"})
    ready = {"status": "ready", "backends": {"records": {"database": "up"}}, "sessions": 0}
    assert await fetch(server, "/readyz") == (200, ready)


async def test_without_its_records_it_is_not_ready_and_says_so_to_the_person(
    start_phantom, open_client, household
):
    server = await start_phantom()
    with closing(sqlite3.connect(household)) as connection:
        for table in database.RECORD_TABLES:
            connection.execute(f"DROP TABLE {table}")
    status, report = await fetch(server, "/readyz")
    assert (status, report["status"]) == (503, "not ready")
    answer = await (await open_client(server)).ask(MEDICATIONS)
    assert (answer["text"], answer["status"]) == (sentences.NO_RECORDS, "error")


async def test_a_network_that_is_not_trusted_needs_a_token(start_phantom, open_client):
    phantom = await start_phantom(trusted_networks=("192.0.2.0/24",))
    with pytest.raises(InvalidStatus) as refusal:
        await open_client(phantom, additional_headers={"X-Forwarded-For": "198.51.100.1"})
    assert refusal.value.response.status_code == 401
