"""What OpenAI's clients may ask for: each is served, or refused with the reason."""

from __future__ import annotations

import json
import math
import struct

import pytest

from hal.speech import body
from hal.speech.languages import CODES
from hal.speech.transcriber import Segment, Word

from .conftest import spoken, wav

URL = "/v1/audio/transcriptions"
SEGMENTS = (
    Segment(
        0.0,
        1.5,
        " Good morning,",
        -0.1,
        0.02,
        0.9,
        words=(Word(0.0, 0.4, " Good", 0.9), Word(0.4, 1.5, " morning,", 0.8)),
    ),
    Segment(1.5, 3_662.25, " HAL.", -0.3, 0.01, 0.8, words=(Word(1.6, 2.0, " HAL.", 0.7),)),
)


@pytest.fixture
async def ask(in_process, transcriber):
    transcriber.segments = SEGMENTS
    client = await in_process(model="/models/tiny.en")

    async def send(url: str = URL, **fields):
        return await client.post(url, files={"file": ("speech.wav", wav(), "audio/wav")}, data=fields)

    return send


async def test_subtitles(ask):
    reply = await ask(response_format="srt")
    assert reply.text == (
        "1\n00:00:00,000 --> 00:00:01,500\nGood morning,\n\n2\n00:00:01,500 --> 01:01:02,250\nHAL.\n\n"
    )
    reply = await ask(response_format="vtt")
    assert reply.headers["content-type"].startswith("text/vtt")
    assert reply.text.startswith("WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.500\nGood morning,\n\n")


@pytest.mark.parametrize("name", ["timestamp_granularities[]", "timestamp_granularities"])
async def test_the_times_of_words(ask, transcriber, name):
    reply = (await ask(response_format="verbose_json", **{name: "word"})).json()
    assert transcriber.options.words and "segments" not in reply
    assert reply["words"][1] == {"word": "morning,", "start": 0.4, "end": 1.5}
    reply = (await ask(response_format="verbose_json", **{name: ["word", "segment"]})).json()
    assert len(reply["words"]) == 3 and len(reply["segments"]) == 2
    reply = (await ask(response_format="verbose_json")).json()
    assert not transcriber.options.words and "words" not in reply
    assert (
        reply["segments"][0] | {"avg_logprob": -0.1, "no_speech_prob": 0.02, "compression_ratio": 0.9}
        == (reply["segments"][0])
    )


async def test_events(ask):
    reply = await ask(stream="true")
    assert reply.headers["content-type"].startswith("text/event-stream")
    *events, done, end = (line.removeprefix("data: ") for line in reply.text.strip().split("\n\n"))
    assert [json.loads(event)["delta"] for event in events] == ["Good morning,", " HAL."]
    assert json.loads(done) == {"type": "transcript.text.done", "text": "Good morning, HAL."}
    assert end == "[DONE]"


async def test_what_was_said_before_and_how_freely_the_model_chooses(ask, transcriber):
    await ask(prompt="Metformin, Lisinopril", temperature="0.4", language="english")
    options = transcriber.options
    assert (options.prompt, options.temperature, options.language) == ("Metformin, Lisinopril", 0.4, "en")
    await ask(temperature="0")
    assert transcriber.options.temperature is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"timestamp_granularities[]": "word"}, "verbose_json"),
        ({"timestamp_granularities[]": "line", "response_format": "verbose_json"}, "word and segment"),
        ({"include[]": "logprobs"}, "include"),
        ({"stream": "maybe"}, "stream"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": "nan"}, "temperature"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"language": "klingon"}, "English only"),
    ],
)
async def test_what_is_not_served_is_refused_with_the_reason(ask, transcriber, fields, said):
    reply = await ask(**fields)
    assert reply.status_code == 422 and said in reply.json()["detail"]
    assert not transcriber.calls


async def test_translations(ask, transcriber):
    reply = await ask("/v1/audio/translations")
    assert reply.status_code == 422 and "cannot translate" in reply.json()["detail"]
    transcriber.languages = frozenset({"en", "es"})
    reply = await ask("/v1/audio/translations", response_format="verbose_json")
    assert reply.json()["task"] == "translate"
    assert (transcriber.options.task, transcriber.options.language) == ("translate", None)


def test_every_language_has_one_code():
    assert {name: CODES[name] for name in ("english", "haitian-creole", "cantonese")} == {
        "english": "en",
        "haitian-creole": "ht",
        "cantonese": "yue",
    }
    assert all(name == name.lower() for name in CODES)
    assert "haitian" in CODES and len(CODES) > 100


async def test_a_form_at_transcribe(in_process, transcriber):
    client = await in_process()
    for part in ("file", "audio"):
        reply = await client.post("/transcribe", files={part: ("a.wav", wav())}, data={"language": "english"})
        assert reply.json()["text"] == "hello" and reply.json()["status"] == "success"
        assert transcriber.options.language == "en"
    assert (await client.post("/transcribe", files={"other": b"x"})).status_code == 400
    assert (await client.post("/transcribe", files={"file": b"PK\x03\x04" + bytes(100)})).status_code == 422


async def test_a_body_of_millions_of_values_is_refused_before_it_is_read(in_process, monkeypatch):
    client = await in_process()
    monkeypatch.setattr(body.json, "loads", lambda _: pytest.fail("it was read"))
    for many in (
        b"[" + b"[]," * 100_000 + b"[]]",
        b'{"audio":[' + b"{}," * 100_000 + b"{}]}",
        b"[1" + b",1" * 100_000,
    ):
        for url in ("/transcribe", "/v1/audio/speech"):
            reply = await client.post(url, content=many)
            assert reply.status_code in (400, 413), reply.text


HEADER_OF_A_CHUNK = struct.Struct("<4sI4s4sIHHIIHH4sI")


@pytest.mark.parametrize("said", [16_000, 0, 1_000, 0xFFFF_FFFF])
async def test_a_wav_file_that_goes_on_behind_its_first_chunk_is_heard_whole(in_process, said):
    sound = wav(2)[44:]
    head = HEADER_OF_A_CHUNK.pack(
        b"RIFF", (36 + said) & 0xFFFF_FFFF, b"WAVE", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16, b"data", said
    )
    reply = await (await in_process()).post("/transcribe", json=spoken(head + sound))
    assert reply.json()["duration"] == pytest.approx(2, abs=0.01)


async def test_what_a_wav_file_tells_of_itself_is_not_taken_for_sound(in_process):
    note = b"LIST" + struct.pack("<I", 32_000) + b"INFO" + bytes(31_996)
    reply = await (await in_process()).post("/transcribe", json=spoken(wav(1) + note))
    assert reply.json()["duration"] == 1


def numbers(confidence: float, **others) -> dict:
    return {"average_log_probability": math.log(confidence)} | others


async def test_words_that_the_model_made_up_are_left_out(in_process, transcriber):
    transcriber.segments = (
        Segment(0, 1, " No more time.", **numbers(0.48)),
        Segment(1, 2, " Do it. Do it. Do it.", **numbers(0.9, compression_ratio=2.5)),
    )
    client = await in_process()
    reply = (await client.post("/transcribe", json=spoken(wav()))).json()
    assert (reply["text"], reply["confidence"], reply["avg_logprob"]) == ("", 0.0, None)
    transcriber.segments += (Segment(2, 3, " What time is it?", **numbers(0.8, no_speech_probability=0.1)),)
    reply = (await client.post("/transcribe", json=spoken(wav()))).json()
    assert (reply["text"], reply["confidence"], reply["no_speech_prob"]) == ("What time is it?", 0.8, 0.1)
    everything = (await (await in_process(min_confidence=0)).post("/transcribe", json=spoken(wav()))).json()
    assert everything["text"] == "No more time. What time is it?"
