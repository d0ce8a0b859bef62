"""What HAL does when it is not sure what it heard, and until when it listens for more."""

from __future__ import annotations

import asyncio
import base64

import pytest
from tests.conformance.clients import one_recording, web_page

from hal.protocol import ListenerReply
from hal.shared import sentences
from hal.shared.confirmation import is_no, is_yes

QUESTION = "how much did I spend at Costco?"
ASKED_BACK = "Did you ask: how much did I spend at Costco?"


@pytest.fixture
async def client(start_gateway, open_client):
    return await open_client(await start_gateway())


@pytest.fixture
def say(client, speech, voice):
    """Say something that is heard with a confidence, and return the response."""

    async def say(text, confidence=None):
        speech.reply = {"text": text} | ({} if confidence is None else {"confidence": confidence})
        await client.send("wake_word_detected")
        await client.socket.send(voice(0.4))
        await client.send("speech_ended")
        return (await client.receive_until("response"))[-1]

    return say


async def test_what_was_heard_for_sure_is_answered(say):
    for confidence in (None, 0.58, 1.0, "0.1", 1):
        assert (await say(QUESTION, confidence))["text"] == f"answer to {QUESTION}"


@pytest.mark.parametrize("word", ["Yes.", "yeah", "Yes, please!", "That's right.", "correct"])
async def test_what_was_not_is_repeated_and_answered_after_a_yes(say, listener, word):
    response = await say(QUESTION, 0.5)
    assert (response["text"], response["status"], response["action"]) == (
        ASKED_BACK,
        "success",
        "question_asked_back",
    )
    answer = await say(word, 0.5)
    assert (answer["text"], answer["intent"]) == (f"answer to {QUESTION}", "MEDICATION")
    assert [request["transcription"] for request in listener.requests] == [QUESTION]
    await say("and last month?")
    assert [turn["question"] for turn in listener.requests[-1]["context"]] == [QUESTION]


async def test_a_recognizer_that_is_not_sure_at_all_is_asked_back(say):
    for confidence in (0, 0.0):
        assert (await say(QUESTION, confidence))["text"] == ASKED_BACK
        assert (await say("no"))["text"] == sentences.SAY_IT_AGAIN


@pytest.fixture
def relay(client):
    """Send text that a client has heard itself: `await relay(text, kind, **fields)` returns the response."""

    async def send(text, kind="transcription", **fields):
        await client.send(kind, text=text, **fields)
        return (await client.receive_until("response"))[-1]

    return send


@pytest.mark.parametrize("kind", ["transcription", "text_input", "text_query"])
async def test_what_a_client_has_heard_with_little_confidence_is_asked_back(relay, listener, kind):
    assert (await relay(QUESTION, kind, confidence=0.57))["text"] == ASKED_BACK
    assert (await relay("yes", kind, confidence=0.57))["text"] == f"answer to {QUESTION}"
    assert [request["transcription"] for request in listener.requests] == [QUESTION]


async def test_to_a_relay_the_question_back_is_the_very_next_frame(client):
    await client.send("transcription", text=QUESTION, confidence=0.2)
    assert (await client.receive())["action"] == "question_asked_back"


@pytest.mark.parametrize(
    "confidence", [None, 0.58, 1, 1.0, True, False, "0.1", [], -0.3, 87, 10**400, float("nan"), float("-inf")]
)
async def test_a_client_that_is_sure_or_says_nothing_of_0_to_1_is_answered(relay, confidence):
    assert (await relay(QUESTION, confidence=confidence))["text"] == f"answer to {QUESTION}"


async def test_a_clients_own_no_and_another_question_are_taken_as_when_spoken(relay):
    await relay(QUESTION, confidence=0.1)
    assert (await relay("no", confidence=0.1))["text"] == sentences.SAY_IT_AGAIN
    await relay(QUESTION, confidence=0.1)
    assert (await relay("my medications", confidence=0.9))["text"] == "answer to my medications"


async def test_a_relays_person_in_danger_is_not_asked_back(relay, listener, monkeypatch):
    danger = ListenerReply("Call 112 now.", action_taken="DANGER")
    monkeypatch.setattr(type(listener), "encode", lambda *_: danger.encode())
    assert (await relay("I cannot breathe", confidence=0.1))["text"] == "Call 112 now."


async def test_the_wake_words_confidence_says_nothing_of_the_question(client, speech, voice):
    speech.reply = {"text": QUESTION, "confidence": 0.9}
    await client.send("wake_word_detected", wake_word="hal", confidence=0.1)
    await client.socket.send(voice(0.4))
    await client.send("speech_ended", confidence=0.1)
    assert (await client.receive_until("response"))[-1]["text"] == f"answer to {QUESTION}"


@pytest.mark.parametrize("dialect", ["web page", "one recording"])
async def test_every_dialect_that_is_heard_here_is_asked_back(
    start_gateway, open_client, speech, voice, dialect
):
    url = f"ws://127.0.0.1:{(await start_gateway()).ports[0]}"
    speech.reply = {"text": QUESTION, "confidence": 0.2}
    if dialect == "web page":
        assert (await web_page.ask(url, voice(0.6)))[-1]["text"] == ASKED_BACK
    else:
        assert (await one_recording.ask(url, voice(0.6)))[1]["text"] == ASKED_BACK


async def test_the_yes_may_be_typed(client, say):
    await say(QUESTION, 0.5)
    await client.receive()  # the state
    await client.send("text_input", text="yes")
    assert (await client.receive_until("response"))[-1]["text"] == f"answer to {QUESTION}"


async def test_after_a_no_it_is_said_again(say, listener):
    await say(QUESTION, 0.5)
    assert (await say("No.", 0.5))["text"] == sentences.SAY_IT_AGAIN
    assert (await say("my medications"))["text"] == "answer to my medications"
    assert listener.requests[-1]["context"] == []
    await say("yes")  # to nothing that HAL has asked
    assert listener.requests[-1]["transcription"] == "yes"


async def test_another_question_is_asked_instead(say, listener):
    await say(QUESTION, 0.5)
    assert (await say("my medications", 0.9))["text"] == "answer to my medications"
    await say("yes")
    assert listener.requests[-1]["transcription"] == "yes"


@pytest.mark.parametrize("is_stopped", [True, False])
async def test_a_yes_long_afterwards_confirms_nothing(client, say, listener, clock, is_stopped):
    await say(QUESTION, 0.5)
    if is_stopped:
        await client.send("command", command="stop")
    else:
        clock(60)
    frames = await client.receive_until("state_change")
    while frames[-1]["new_state"] != "passive_listening":
        frames = await client.receive_until("state_change")
    await say("yes")
    assert listener.requests[-1]["transcription"] == "yes"


async def test_a_question_that_is_delegated_is_so_after_the_yes(say, ollama):
    await say("why is the sky blue?", 0.5)
    assert not any("messages" in request for request in ollama.requests)
    assert (await say("yes"))["text"] == "Because of the air."


async def test_nobody_in_danger_is_asked_back(say, listener, monkeypatch):
    reply = ListenerReply("Call 911 now.", action_taken="DANGER")
    monkeypatch.setattr(listener, "encode", lambda _: reply.encode())
    assert (await say("my chest hurts", 0.5))["text"] == "Call 911 now."


@pytest.mark.parametrize("threshold", [0.0, 0.9])
async def test_the_threshold_is_a_setting(start_gateway, open_client, speech, voice, threshold):
    client = await open_client(await start_gateway(ask_below_confidence=threshold))
    speech.reply = {"text": QUESTION, "confidence": 0.5}
    await client.send("wake_word_detected")
    await client.socket.send(voice(0.4))
    await client.send("speech_ended")
    response = (await client.receive_until("response"))[-1]
    assert (response["text"] == ASKED_BACK) is (threshold > 0.5)


def test_yes_and_no():
    assert all(map(is_yes, ["Yes", "yes it is", "That is correct.", "OK", "I did", "yes that\u2019s right"]))
    assert all(map(is_no, ["No", "nope!", "no I didn't", "That's wrong"]))
    for text in ("", "yes and no", "yes what about Costco", "no more refills", "right eye", "is it"):
        assert not is_yes(text) and not is_no(text)


# The window for another question


async def end_of_turn(client):
    return (await client.receive_until("state_change"))[-1]


async def test_the_window_is_longer_by_what_speaking_takes(client, say, clock):
    long = "what " * 40
    answer = await say(long)
    state = await end_of_turn(client)
    assert state["countdown_ms"] == 10_000 + 70 * len(answer["text"])
    clock(20)
    await client.say_nothing_more()
    clock(5)
    assert (await end_of_turn(client))["new_state"] == "passive_listening"


async def test_the_window_of_a_typed_question_is_as_it_was(client):
    await client.send("text_input", text="what " * 40)
    assert (await end_of_turn(client))["countdown_ms"] == 10_000


async def test_the_window_begins_when_the_client_has_spoken(client, say, clock):
    await say("what " * 40)
    await end_of_turn(client)
    clock(2)
    await client.send("playback_ended")
    state = await end_of_turn(client)
    assert (state["new_state"], state["countdown_ms"]) == ("active_listening", 10_000)
    clock(9)
    await client.say_nothing_more()
    clock(2)
    assert (await end_of_turn(client))["new_state"] == "passive_listening"


async def test_a_client_that_spoke_for_longer_than_thought_opens_the_window_again(client, say, clock):
    await say("x")
    await end_of_turn(client)
    clock(30)
    assert (await end_of_turn(client))["new_state"] == "passive_listening"
    await client.send("playback_ended")
    assert (await end_of_turn(client))["new_state"] == "active_listening"


async def test_playback_that_ended_means_nothing_where_nothing_is_spoken(client, say):
    await client.send("playback_ended")
    await client.say_nothing_more()
    await say("x")
    await end_of_turn(client)
    await client.send("playback_ended")
    await client.send("playback_ended")
    await end_of_turn(client)
    await client.say_nothing_more()
    await say("x")
    await end_of_turn(client)
    await client.send("command", command="stop")
    await end_of_turn(client)
    await client.send("playback_ended")
    await client.say_nothing_more()


# A web page whose answer cannot be spoken in time


async def ask_as_a_page(client, voice):
    samples = list(memoryview(voice(0.4)).cast("h"))
    await client.send("audio_stream", audio=samples)
    await client.send("stop_listening")
    return (await client.receive_until("response"))[-1]


@pytest.fixture
def slow_to_speak(speech, monkeypatch):
    """Speech recognition at once, and text to speech not before `speech.release` is set."""
    monkeypatch.setattr(speech, "holds", lambda request: "input" in request)
    speech.sound = b"RIFF of the answer"
    return speech


async def test_a_text_does_not_wait_for_a_sound_that_hangs(client, slow_to_speak, voice):
    async with asyncio.timeout(8):  # text to speech has 30 s
        response = await ask_as_a_page(client, voice)
    assert (response["text"], response["audio"]) == ("answer to what medications am I taking", "")
    assert (await end_of_turn(client))["new_state"] == "active_listening"
    slow_to_speak.release.set()
    late = (await client.receive_until("response"))[-1]
    assert (late["text"], late["is_repeat"]) == (response["text"], True)
    assert base64.b64decode(late["audio"]) == slow_to_speak.sound


async def test_a_sound_that_nobody_waits_for_any_more_is_not_sent(client, slow_to_speak, voice):
    await ask_as_a_page(client, voice)
    await end_of_turn(client)
    await client.send("command", command="stop")
    await end_of_turn(client)
    async with asyncio.timeout(8):
        await slow_to_speak.left.wait()
    slow_to_speak.release.set()
    await client.say_nothing_more()
