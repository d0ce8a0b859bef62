"""Answers that are given out while they are made: to whom, when, and what stays when the rest is lost."""

from __future__ import annotations

import asyncio

import pytest

from hal.shared import breaker, sentences

from .conftest import WAIT_S, Client

FIRST, REST = "Because of the air.", "It scatters the blue. Look up!"
ANNOUNCED = {"capabilities": ["applause", "response_delta"]}


@pytest.fixture
def ollama(ollama):
    ollama.reply = {"message": {"role": "assistant", "content": f"<think>Hm. Hm.</think>{FIRST} **{REST}**"}}
    ollama.pause_after = f"{FIRST} "
    ollama.mode = "pausing"
    return ollama


async def first_words(client: Client) -> str:
    """Ask as a client that reads the sentences as they come, and return the first of them."""
    await client.send("text_input", text="why", **ANNOUNCED)
    return (await client.expect("processing", "response_delta"))[1]["text"]


async def test_the_first_sentence_is_there_while_the_rest_is_made(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    assert await first_words(client) == FIRST
    ollama.release.set()
    frames = await client.receive_until("response")
    said = [FIRST, *(frame["text"] for frame in frames[:-1])]
    assert len(said) > 1
    assert {frame["type"] for frame in frames[:-1]} == {"response_delta"}
    assert frames[-1]["text"] == " ".join(said) == f"{FIRST} {REST}"
    assert (frames[-1]["status"], frames[-1]["action"]) == ("success", "language_model")
    await client.expect("state_change")
    await client.send("command", command="repeat")
    assert (await client.receive())["text"] == f"{FIRST} {REST}"
    assert ollama.requests[-1]["stream"] is True


async def test_a_spoken_question_is_answered_in_sentences_after_its_transcript(
    start_gateway, open_client, ollama, speech, voice
):
    client = await open_client(await start_gateway())
    ollama.release.set()
    speech.reply = {"text": "why is the sky blue"}
    await client.send("wake_word_detected", **ANNOUNCED)
    await client.expect("ack", "state_change")
    await client.socket.send(voice(0.3))
    await client.send("speech_ended")
    kinds = [frame["type"] for frame in await client.receive_until("state_change")]
    assert kinds[:3] == ["processing", "transcription", "response_delta"]
    assert kinds[-2:] == ["response", "state_change"]


@pytest.mark.parametrize(
    "first", [{}, {"capabilities": "response_delta"}, {"capabilities": ["speech"]}, {"capabilities": [["x"]]}]
)
async def test_clients_that_announce_nothing_get_the_whole_only(start_gateway, open_client, ollama, first):
    client = await open_client(await start_gateway())
    ollama.release.set()
    await client.send("heartbeat", **first)
    await client.send("text_input", text="why", **ANNOUNCED)  # too late: it is not the first frame
    _, response = await client.expect("processing", "response")
    assert response["text"] == f"{FIRST} {REST}"


async def test_a_relay_takes_the_next_frame_for_the_response(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    ollama.release.set()
    await client.send("transcription", text="why", **ANNOUNCED)
    assert (await client.receive())["text"] == f"{FIRST} {REST}"


async def test_an_answer_of_one_sentence_comes_whole(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    ollama.mode, ollama.reply = "normal", {"message": {"content": FIRST}}
    await client.send("text_input", text="why", **ANNOUNCED)
    await client.expect("processing", "response", "state_change")


async def test_a_model_whose_prompt_ends_within_a_thought_is_heard_to_the_end_of_it(
    start_gateway, open_client, ollama
):
    client = await open_client(await start_gateway())
    ollama.mode = "normal"
    ollama.reply = {
        "message": {"content": f"The user asks. Well. </think>{FIRST} {REST}"},
        "template": "{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}assistant: <think>\n",
    }
    assert await first_words(client) == FIRST
    assert (await client.receive_until("response"))[-1]["text"] == f"{FIRST} {REST}"
    shown = [request for request in ollama.requests if request == {"model": "tiny"}]
    await client.expect("state_change")
    await client.send("text_input", text="why")
    await client.receive_until("response")
    assert (
        shown
        == [request for request in ollama.requests if request == {"model": "tiny"}]
        == [{"model": "tiny"}]
    )


async def test_what_was_said_stays_when_the_model_breaks_off(start_gateway, open_client, ollama, twin):
    client = await open_client(await start_gateway(ollama_urls=(ollama.url, twin.url)))
    ollama.mode, ollama.pause_after = "breaking", f"{FIRST} **It scat"
    assert await first_words(client) == FIRST
    response, _ = await client.expect("response", "state_change")
    assert (response["text"], response["status"]) == (FIRST, "success")
    assert response["action"] == "language_model_broke_off"
    assert twin.requests == []


async def test_what_was_said_stays_when_the_rest_takes_too_long(start_gateway, open_client, ollama):
    for limit in ({"ollama_timeout_s": 0.5}, {"turn_timeout_s": 0.5}):
        client = await open_client(await start_gateway(**limit))
        assert await first_words(client) == FIRST
        assert (await client.expect("response", "state_change"))[0]["text"] == FIRST


async def test_the_twin_answers_when_nothing_was_said_yet(start_gateway, open_client, ollama, twin):
    ollama.mode, ollama.pause_after = "breaking", "Because of"
    client = await open_client(await start_gateway(ollama_urls=(ollama.url, twin.url)))
    assert await first_words(client) == "I am the second."
    other = await open_client(await start_gateway(ollama_urls=(ollama.url, twin.url)))
    ollama.pause_after = f"{FIRST} "
    assert (await other.ask("why"))["text"] == "I am the second. And that is all."


async def test_an_error_within_the_stream_is_a_failure(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    ollama.mode = "normal"
    for line in ({"error": "out of memory"}, {"message": {"content": 5}}, {"message": "x"}):
        ollama.lines = [line, {"message": {"content": "Late."}, "done": True}]
        assert (await client.ask("why"))["text"] == sentences.NO_LANGUAGE_MODEL


async def test_a_model_whose_answers_break_off_is_left_in_peace(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    ollama.mode = "breaking"
    for _ in range(breaker.FAILURE_THRESHOLD):
        assert await first_words(client) == FIRST
        await client.expect("response", "state_change")
    await client.send("text_input", text="why")
    assert (await client.expect("processing", "response"))[1]["text"] == sentences.NO_LANGUAGE_MODEL


@pytest.mark.parametrize(
    ("kind", "fields", "state"),
    [
        ("command", {"command": "stop"}, "passive_listening"),
        ("command", {"command": "hold"}, "passive_listening"),
        ("wake_word_detected", {"wake_word": "hal", "confidence": 1.0}, "active_listening"),
    ],
)
async def test_who_has_heard_enough_ends_the_answer(start_gateway, open_client, ollama, kind, fields, state):
    client = await open_client(await start_gateway())
    assert await first_words(client) == FIRST
    await client.send(kind, **fields)
    frames = await client.receive_until("state_change")
    assert frames[-1]["new_state"] == state
    async with asyncio.timeout(WAIT_S):
        await ollama.left.wait()  # the model need not go on
    ollama.release.set()
    await client.say_nothing_more()
