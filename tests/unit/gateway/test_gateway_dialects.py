"""Each dialect of the clients in use, on one port, as small clients speak it that know nothing else."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sys
import wave
from pathlib import Path

import pytest
from tests.conformance.clients import ai_server, every_client, main_dialect, one_recording, relay, web_page

from hal.shared import sentences
from hal.shared.recording_session import NOT_UNDERSTOOD

QUESTION = "what medications am I taking"
ANSWER = f"answer to {QUESTION}"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(1_000)


@pytest.fixture
async def url(start_gateway):
    gateway = await start_gateway()
    return f"ws://127.0.0.1:{gateway.ports[0]}"


@pytest.fixture
def speech(speech):
    """Speech recognition without text to speech, unless a test gives it some."""
    speech.reply = {"text": QUESTION}
    return speech


def kinds(frames):
    return [frame["type"] for frame in frames]


async def test_the_main_dialect(url, voice):
    frames = await main_dialect.ask_by_voice(url, voice(0.5))
    assert kinds(frames[:3]) == ["connected", "ack", "state_change"]
    assert kinds(frames[3:]) == ["processing", "transcription", "response", "state_change"]
    assert (frames[4]["text"], frames[5]["text"]) == (QUESTION, ANSWER)
    assert kinds(await main_dialect.leave(url)) == ["goodbye", "state_change"]


@pytest.mark.parametrize("kind", ["text_input", "text_query"])
async def test_typed_questions(url, kind):
    frames = await main_dialect.ask_by_text(url, "my medications", kind)
    assert kinds(frames) == ["connected", "processing", "response", "state_change"]
    assert frames[2]["text"] == frames[2]["response_text"] == "answer to my medications"


async def test_a_text_query_may_name_its_question_a_query(start_gateway, open_client):
    client = await open_client(await start_gateway())
    await client.send("text_query", query="my medications")
    assert (await client.receive_until("response"))[-1]["text"] == "answer to my medications"


async def test_a_relay(url):
    replies = await relay.ask(url, ["one", "two"])
    assert kinds(replies) == ["response", "response"]
    assert [reply["text"] for reply in replies] == ["answer to one", "answer to two"]


async def test_one_recording_and_one_reply(url, speech, voice, silence):
    with_a_pause = voice(0.3) + silence(2) + voice(0.3)
    replies = await one_recording.ask(url, with_a_pause, voice(0.3))
    answer = {"text": ANSWER, "intent": "MEDICATION", "action": "list"}
    assert replies == ["__PONG__", answer, answer]
    sent = base64.b64decode(speech.requests[0]["audio"])
    assert sent.startswith(b"RIFF") and sent.endswith(with_a_pause)


async def test_what_cannot_be_answered_at_the_recordings_path_is_an_error_of_one_sentence(url, speech, voice):
    replies = await one_recording.ask(url, b"", JPEG, voice(0.3))
    assert replies[1:3] == [
        {"error": sentences.NOTHING_HEARD},
        {"error": sentences.NOT_SOUND.format("a JPEG picture")},
    ]
    assert replies[3]["text"] == ANSWER
    speech.mode = "failing"
    assert (await one_recording.ask(url, voice(0.3)))[1] == {"error": sentences.NO_SPEECH}
    for text in ('{"type": "heartbeat"}', "__STOP__", ""):
        assert await one_recording.say(url, text) == {"error": NOT_UNDERSTOOD}


async def test_a_recording_of_any_length_takes_no_more_than_a_minutes_room(url, speech):
    assert (await one_recording.ask(url, bytes(5_000_000)))[1]["text"] == ANSWER
    assert len(base64.b64decode(speech.requests[0]["audio"])) < 2_000_000


@pytest.mark.parametrize("is_stopped", [True, False])
async def test_the_web_page_is_answered_with_sound(url, speech, voice, silence, is_stopped):
    spoken = b"RIFF" + bytes(1_000_000) + b"end"
    speech.sound = spoken
    frames = await web_page.ask(url, voice(0.6) + silence(0 if is_stopped else 1.5), is_stopped=is_stopped)
    assert kinds(frames)[-3:] == ["processing", "transcription", "response"] and "error" not in kinds(frames)
    assert frames[-2]["text"] == QUESTION
    response = frames[-1]
    assert (response["text"], response["intent"], response["audio_format"]) == (ANSWER, "MEDICATION", "wav")
    assert base64.b64decode(response["audio"]) == spoken
    assert speech.requests[-1] == {"input": ANSWER, "response_format": "wav"}


async def test_the_web_page_gets_the_text_where_nothing_can_speak(url, speech, voice):
    for _ in range(4):  # more than open a breaker
        frames = await web_page.ask(url, voice(0.6))
        assert (frames[-1]["text"], frames[-1]["audio"]) == (ANSWER, "")


async def test_a_page_whose_microphone_stays_open_does_not_wake_hal_again(start_gateway, open_client):
    client = await open_client(await start_gateway())
    quiet = [0] * 4096
    await client.send("audio_stream", audio=quiet)
    await client.expect("ack", "state_change")
    await client.send("command", command="stop")
    await client.expect("state_change")
    await client.send("audio_stream", audio=quiet)
    await client.say_nothing_more()
    await client.send("stop_listening")
    await client.expect("response")
    await client.send("audio_stream", audio=quiet)
    await client.expect("ack", "state_change")


@pytest.fixture
def recording(tmp_path, voice):
    """Make a WAV file at a rate that is not the clients' own."""
    path = tmp_path / "question.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 22_050, 0, "NONE", ""))
        file.writeframes(voice(0.5, 22_050))
    return path


async def test_every_client_is_served_as_the_end_to_end_tests_run_them(
    start_gateway, unused_tcp_port, recording, tmp_path
):
    gateway = await start_gateway(ai_server_port=unused_tcp_port)
    shutil.copytree(Path(every_client.__file__).parent, tmp_path / "clients")
    arguments = [f"ws://127.0.0.1:{gateway.ports[0]}", recording, QUESTION, f"127.0.0.1:{unused_tcp_port}"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "clients.every_client", *arguments, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    report = json.loads(said)
    assert every_client.faults(report, f"{QUESTION}?", ["answer to"], has_ai_server=True) == []


async def test_what_a_client_does_not_get_is_told(start_gateway, speech, voice):
    url = f"ws://127.0.0.1:{(await start_gateway()).ports[0]}"
    speech.mode = "failing"
    report = await every_client.ask_all(url, voice(0.5), "my medications", "127.0.0.1:1")
    found = every_client.faults(report, "my medications", ["metformin"], has_ai_server=True)
    assert len(found) == len(report) - 1, "all but who says goodbye"
    text = "\n".join(found)
    assert "main dialect, text_input was answered ['answer to my medications'], without metformin" in text
    assert "main dialect, spoken got ['connected', 'ack'," in text and sentences.NO_SPEECH in text
    assert "AI.SERVER, a line over TCP: ConnectionRefusedError" in text
    assert every_client.faults({}, "", [], has_ai_server=False)[0] == "main dialect, spoken: it did not ask"


@pytest.mark.parametrize("ending", ["\n", ""])
async def test_a_client_of_ai_server(start_gateway, unused_tcp_port, ending):
    await start_gateway(ai_server_port=unused_tcp_port)
    address = f"127.0.0.1:{unused_tcp_port}"
    answer = {"type": "text_response", "status": "success", "session_id": ai_server.SESSION}
    assert await ai_server.ask_over_tcp(f"tcp://{address}", "one", ending) == answer | {
        "text": "answer to one"
    }
    replies = await ai_server.ask_over_websocket(f"ws://{address}", ["one", "two"])
    assert replies == [answer | {"text": f"answer to {each}"} for each in ("one", "two")]


async def test_an_unknown_type_is_refused_once(start_gateway, open_client):
    client = await open_client(await start_gateway())
    for _ in range(5):
        await client.send("video_chunk")
    await client.send("dance")
    messages = [frame["message"] for frame in await client.expect("error", "error")]
    assert messages == ["Unknown message type: video_chunk", "Unknown message type: dance"]
    await client.say_nothing_more()
