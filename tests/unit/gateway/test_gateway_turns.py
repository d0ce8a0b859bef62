"""Turns through a real socket: the dialect of the clients in use, frame by frame."""

from __future__ import annotations

import asyncio
import base64
import io
import random
import struct
import time
import wave

import pytest
from websockets.asyncio.client import connect

from hal.shared import sentences
from hal.shared.session import ListeningTimes

CHUNK_BYTES = 1_024
SHORT = ListeningTimes(active_ms=300, follow_up_ms=300)


def chunks(pcm):
    return [pcm[i : i + CHUNK_BYTES] for i in range(0, len(pcm), CHUNK_BYTES)]


def encoded(data):
    return base64.b64encode(data).decode()


async def wake(client):
    await client.send("wake_word_detected", wake_word="hal", confidence=0.9)
    return await client.expect("ack", "state_change")


def recorded(speech):
    """What the speech service was sent last, as (samples, rate)."""
    with wave.open(io.BytesIO(base64.b64decode(speech.requests[-1]["audio"]))) as file:
        return file.readframes(file.getnframes()), file.getframerate()


async def test_greeting(start_gateway, open_client):
    client = await open_client(await start_gateway(), "/any/path?x=1")
    assert client.greeting["type"] == "connected"
    assert client.greeting["state"] == "passive_listening"
    assert client.greeting["session_id"] and client.greeting["timestamp"]


async def test_text_turn_carries_every_name_a_client_reads(start_gateway, open_client):
    client = await open_client(await start_gateway())
    await client.send("text_input", text="my medications")
    processing, response, state = await client.expect("processing", "response", "state_change")
    assert processing["sound"] == "working_tone" and processing["message"]
    assert response["text"] == response["response_text"] == "answer to my medications"
    assert (response["intent"], response["action"], response["action_taken"], response["status"]) == (
        "MEDICATION", "list", "list", "success",
    )  # fmt: skip
    assert (state["new_state"], state["countdown_ms"]) == ("active_listening", 10_000)


async def test_follow_up_window_ends_by_itself(start_gateway, open_client):
    client = await open_client(await start_gateway(SHORT))
    await client.ask("one")
    (state,) = await client.expect("state_change")
    assert state["new_state"] == "passive_listening"


async def test_second_query_inside_the_follow_up_window_is_answered_at_once(start_gateway, open_client):
    client = await open_client(await start_gateway())
    await client.ask("one")
    began = time.monotonic()
    assert (await client.ask("two"))["text"] == "answer to two"
    assert time.monotonic() - began < 1  # the window is 10 s


async def test_questions_asked_during_a_turn_are_answered_in_order(start_gateway, open_client, listener):
    client = await open_client(await start_gateway())
    listener.mode = "slow"
    for text in "abc":
        await client.send("text_input", text=text)
    await asyncio.wait_for(listener.asked.wait(), 5)
    listener.mode = "normal"
    listener.release.set()
    answers = [(await client.expect("processing", "response", "state_change"))[1]["text"] for _ in "abc"]
    assert answers == ["answer to a", "answer to b", "answer to c"]


async def test_too_many_waiting_questions_are_refused_aloud(start_gateway, open_client, listener):
    client = await open_client(await start_gateway())
    listener.mode = "slow"
    for i in range(6):
        await client.send("text_input", text=str(i))
    _, refusal = await client.expect("processing", "response")
    assert (refusal["status"], refusal["text"]) == ("error", sentences.TOO_MANY_WAITING)


async def test_relayed_transcription_is_followed_by_the_response_itself(start_gateway, open_client):
    client = await open_client(await start_gateway())
    await client.send("transcription", text="my allergies")
    response, _ = await client.expect("response", "state_change")
    assert response["text"] == "answer to my allergies"


async def test_wake_word_and_active_timeout(start_gateway, open_client):
    client = await open_client(await start_gateway(SHORT))
    ack, state = await wake(client)
    assert ack["sound"] == "chime"
    assert (state["new_state"], state["timeout_ms"]) == ("active_listening", 300)
    assert (await client.expect("state_change"))[0]["new_state"] == "passive_listening"


async def test_the_announced_windows_are_those_of_the_protocol(start_gateway, open_client):
    client = await open_client(await start_gateway())
    assert (await wake(client))[1]["timeout_ms"] == 30_000


@pytest.mark.parametrize("encoding", ["audio", "audio_data", "samples", "binary"])
async def test_voice_turn_in_each_encoding(start_gateway, open_client, speech, voice, encoding):
    client = await open_client(await start_gateway())
    await wake(client)
    pcm = voice(0.5)
    for chunk in chunks(pcm):
        if encoding == "binary":
            await client.socket.send(chunk)
        elif encoding == "samples":
            await client.send("audio_chunk", audio=list(struct.unpack(f"<{len(chunk) // 2}h", chunk)))
        else:
            await client.send("audio_chunk", **{encoding: encoded(chunk)}, format="wav", sample_rate=16_000)
    await client.send("speech_ended", duration_ms=500)
    _, heard, response, _ = await client.expect("processing", "transcription", "response", "state_change")
    assert heard["text"] == "what medications am I taking"
    assert response["text"] == "answer to what medications am I taking"
    assert recorded(speech) == (pcm, 16_000)


async def test_final_chunk_ends_the_utterance(start_gateway, open_client, voice):
    client = await open_client(await start_gateway())
    await wake(client)
    await client.send("audio_chunk", audio=encoded(voice(0.3)), is_final=True)
    await client.expect("processing", "transcription", "response", "state_change")
    await client.send("speech_ended")  # some clients end an utterance twice
    await client.say_nothing_more()


@pytest.mark.parametrize("ended_by", ["is_final", "speech_ended"])
@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("webm", "libopus"),
        ("ipod", "aac"),
        ("aiff", "pcm_s16be"),
        ("flac", "flac"),
        ("ogg", "libopus"),
        ("mp3", "mp3"),
    ],
)
async def test_a_container_reaches_the_speech_service_untouched(
    start_gateway, open_client, speech, encoded_sound, container, codec, ended_by
):
    client = await open_client(await start_gateway())
    await wake(client)
    sound = encoded_sound(container, codec)
    for chunk in chunks(sound)[:-1]:
        await client.socket.send(chunk)
    await client.send("audio_chunk", audio=encoded(chunks(sound)[-1]), is_final=ended_by == "is_final")
    await client.send("speech_ended")
    await client.expect("processing", "transcription", "response", "state_change")
    assert base64.b64decode(speech.requests[-1]["audio"]) == sound


async def test_a_container_that_nobody_ends_is_answered_when_the_time_is_up(
    start_gateway, open_client, encoded_sound, clock
):
    client = await open_client(await start_gateway())
    await wake(client)
    await client.socket.send(encoded_sound("webm", "libopus"))
    await client.say_nothing_more()
    clock(31)
    await client.expect("processing", "transcription", "response", "state_change")


@pytest.mark.parametrize(
    ("data", "likeness"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(1_000), "a JPEG picture"),
        (b"PK\x03\x04" + bytes(1_000), "a ZIP archive"),
        (b"\x1f\x43\xb6\x75\x01\xff\xff\xff" + bytes(1_000), "the middle of a WebM recording"),
        (b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head></html>", "an HTML page"),
        (random.Random(23).randbytes(8_000), "compressed data or noise"),
    ],
)
async def test_what_is_no_sound_is_answered_with_what_it_looks_like(
    start_gateway, open_client, speech, voice, data, likeness
):
    client = await open_client(await start_gateway())
    await wake(client)
    for chunk in chunks(data):
        await client.send("audio_chunk", audio=encoded(chunk))
    await client.send("speech_ended")
    response, state = await client.expect("response", "state_change")
    assert (response["status"], response["action"]) == ("error", "bad_audio")
    assert f"looks like {likeness}" in response["text"]
    assert state["new_state"] == "active_listening"
    assert not speech.requests
    await client.send("audio_chunk", audio=encoded(voice(0.3)), is_final=True)
    assert (await client.receive_until("response"))[-1]["status"] == "success"


async def test_one_second_of_silence_ends_the_utterance(start_gateway, open_client, speech, voice, silence):
    client = await open_client(await start_gateway())
    speech.mode = "slow"
    await wake(client)
    for chunk in chunks(voice(0.5) + silence(1.5)):
        await client.send("audio_chunk", audio=encoded(chunk))
    await client.expect("processing")
    await client.send("speech_ended")  # the client's own, later, is not a second utterance
    await client.say_nothing_more()
    speech.release.set()
    await client.expect("transcription", "response", "state_change")
    await client.say_nothing_more()
    assert len(speech.requests) == 1


async def test_follow_up_speech_needs_no_wake_word(start_gateway, open_client, voice, silence):
    client = await open_client(await start_gateway())
    await client.ask("one")
    await client.send("audio_chunk", audio=encoded(voice(0.5) + silence(1.2)))
    await client.expect("processing", "transcription", "response", "state_change")


async def test_speech_during_a_turn_is_the_next_question(start_gateway, open_client, listener, voice):
    client = await open_client(await start_gateway())
    listener.mode = "slow"
    await client.send("text_input", text="one")
    await asyncio.wait_for(listener.asked.wait(), 5)
    await client.send("audio_chunk", audio=encoded(voice(0.5)), is_final=True)
    listener.mode = "normal"
    listener.release.set()
    await client.expect("processing", "response", "state_change")
    await client.expect("processing", "transcription", "response", "state_change")


async def test_speech_that_goes_on_when_time_is_up_is_answered(start_gateway, open_client, voice, clock):
    client = await open_client(await start_gateway())
    await wake(client)
    await client.send("audio_chunk", audio=encoded(voice(0.5)))
    await client.say_nothing_more()
    clock(31)
    await client.expect("processing", "transcription", "response", "state_change")


async def test_audio_nobody_called_for_is_not_kept(start_gateway, open_client, speech, voice):
    client = await open_client(await start_gateway())
    await client.send("audio_chunk", audio=encoded(voice(0.5)))
    await client.send("speech_ended")
    (response,) = await client.expect("response")
    assert (response["status"], response["text"]) == ("error", sentences.NOT_LISTENING)
    assert not speech.requests


async def test_ended_without_a_sound_is_answered(start_gateway, open_client):
    client = await open_client(await start_gateway())
    await wake(client)
    await client.send("speech_ended")
    response, _ = await client.expect("response", "state_change")
    assert (response["status"], response["text"]) == ("error", sentences.NOTHING_HEARD)


@pytest.mark.parametrize("command", ["stop", "hold"])
async def test_stop_during_a_transcription_is_obeyed_at_once(
    start_gateway, open_client, speech, listener, voice, command
):
    client = await open_client(await start_gateway())
    speech.mode = "slow"
    await wake(client)
    await client.send("audio_chunk", audio=encoded(voice(0.3)), is_final=True)
    await client.send("text_input", text="waits its turn")
    await client.expect("processing")
    await asyncio.wait_for(speech.asked.wait(), 5)
    began = time.monotonic()
    await client.send("command", command=command)
    (state,) = await client.expect("state_change")
    assert time.monotonic() - began < 1  # the transcription takes longer than this test may
    assert state["new_state"] == "passive_listening"
    await asyncio.wait_for(speech.left.wait(), 5)  # the back end is let go too
    await client.say_nothing_more()
    assert not listener.requests


async def test_stop_drops_what_was_recorded(start_gateway, open_client, speech, voice):
    client = await open_client(await start_gateway())
    await wake(client)
    await client.send("audio_chunk", audio=encoded(voice(0.3)))
    await client.send("command", command="stop")
    await client.expect("state_change")
    await wake(client)
    pcm = voice(0.2)
    await client.send("audio_chunk", audio=encoded(pcm), is_final=True)
    await client.receive_until("response")
    assert recorded(speech)[0] == pcm


async def test_repeat(start_gateway, open_client):
    client = await open_client(await start_gateway())
    await client.send("command", command="repeat")
    (nothing,) = await client.expect("response")
    assert (nothing["status"], nothing["text"]) == ("error", sentences.NOTHING_TO_REPEAT)
    first = await client.ask("one")
    await client.send("command", command="repeat")
    (again,) = await client.expect("response")
    assert "is_repeat" not in first
    assert again["is_repeat"] is True
    assert (again["text"], again["intent"]) == (first["text"], first["intent"])


async def test_goodbye(start_gateway, open_client):
    client = await open_client(await start_gateway())
    await client.send("command", command="goodbye")
    farewell, state = await client.expect("goodbye", "state_change")
    assert farewell["sound"] and farewell["message"]
    assert state["new_state"] == "passive_listening"


async def test_heartbeat_has_no_reply(start_gateway, open_client):
    client = await open_client(await start_gateway())
    await client.send("heartbeat")
    await client.say_nothing_more()


@pytest.mark.parametrize(
    ("message", "wording"),
    [
        ("{", "Invalid JSON"),
        ("[]", "Invalid JSON"),
        ('{"type":"heartbeat","session_id":[1]}', "Invalid session ID"),
        ('{"type":"dance"}', "Unknown message type: dance"),
        ('{"type":"command","command":"jump"}', "Unknown command: jump"),
        ('{"type":"text_input","text":5}', "text must be a string"),
        ('{"type":"audio_chunk"}', "audio must be base64 text or a list of int16 samples"),
        ('{"type":"audio_chunk","audio":"!"}', "audio is not valid base64"),
        (
            '{"type":"audio_chunk","audio":[40000]}',
            "audio samples must be whole numbers from -32768 to 32767",
        ),
    ],
)
async def test_faults_of_the_protocol(start_gateway, open_client, message, wording):
    client = await open_client(await start_gateway())
    await client.socket.send(message)
    (error,) = await client.expect("error")
    assert error["message"] == wording


@pytest.mark.parametrize(
    ("text", "sentence"), [(" ", sentences.EMPTY_QUESTION), ("x" * 5_000, sentences.LONG_QUESTION)]
)
async def test_questions_that_cannot_be_asked_are_answered(start_gateway, open_client, text, sentence):
    client = await open_client(await start_gateway())
    await client.send("text_input", text=text)
    (response,) = await client.expect("response")
    assert (response["status"], response["text"]) == ("error", sentence)


async def test_a_frame_never_acts_on_another_session(start_gateway, open_client, listener):
    gateway = await start_gateway()
    victim, other = await open_client(gateway), await open_client(gateway)
    listener.mode = "slow"
    await victim.send("text_input", text="one")
    await asyncio.wait_for(listener.asked.wait(), 5)
    await other.send("command", command="stop", session_id=victim.greeting["session_id"])
    await other.expect("state_change")
    listener.release.set()
    await victim.expect("processing", "response", "state_change")


async def test_one_sessions_stall_does_not_delay_another(start_gateway, open_client, speech, voice):
    gateway = await start_gateway()
    stalled, other = await open_client(gateway), await open_client(gateway)
    speech.mode = "slow"
    await wake(stalled)
    await stalled.send("audio_chunk", audio=encoded(voice(0.3)), is_final=True)
    await asyncio.wait_for(speech.asked.wait(), 5)
    assert (await other.ask("one"))["status"] == "success"
    assert not speech.release.is_set()


async def test_context_of_the_last_five_turns_goes_to_the_listener(start_gateway, open_client, listener):
    client = await open_client(await start_gateway())
    for i in range(7):
        await client.ask(str(i))
    context = listener.requests[-1]["context"]
    assert [turn["question"] for turn in context] == ["1", "2", "3", "4", "5"]
    assert context[0] == {"question": "1", "answer": "answer to 1", "intent": "MEDICATION"}


async def test_general_question_goes_to_the_language_model(start_gateway, open_client, ollama):
    client = await open_client(await start_gateway())
    await client.ask("before")
    response = await client.ask("why is the sky blue")
    assert (response["text"], response["intent"]) == ("Because of the air.", "GENERAL")
    sent = ollama.requests[-1]
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert sent["messages"][-1]["content"] == "explain why is the sky blue"
    assert sent["model"] == "tiny" and sent["options"]["num_predict"] <= 500


async def test_extra_port_serves_the_same(start_gateway, unused_tcp_port):
    gateway = await start_gateway(extra_port=unused_tcp_port)
    async with connect(f"ws://127.0.0.1:{unused_tcp_port}", proxy=None) as socket:
        assert "connected" in await socket.recv()
    assert len(gateway.ports) == 2
