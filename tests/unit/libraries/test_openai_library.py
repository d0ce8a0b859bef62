"""OpenAI's own Python library against the speech service, and against the chat of Ollama's stand-in."""

from __future__ import annotations

import openai
import pytest
from tests.unit.lab_ollama.conftest import NAME
from tests.unit.speech.conftest import wav

from hal.shared.container import identify
from hal.speech.decoding import decode
from hal.speech.transcriber import Segment, Word

pytestmark = pytest.mark.slow

SOUND = ("question.wav", wav(), "audio/wav")
MODEL = "whisper-1"


@pytest.fixture(autouse=True)
def heard(transcriber):
    words = (Word(0.0, 0.5, " Good", 0.9), Word(0.5, 1.0, " morning.", 0.9))
    transcriber.segments = (Segment(0, 1, " Good morning.", -0.1, words=words), Segment(1, 2, " HAL.", -0.2))


async def test_models(speech_client):
    (model,) = [each async for each in speech_client.models.list()]
    assert (await speech_client.models.retrieve(model.id)).id == "tiny.en"
    with pytest.raises(openai.NotFoundError, match=r"tiny\.en"):
        await speech_client.models.retrieve(MODEL)


async def test_transcriptions_in_every_form(speech_client, transcriber):
    create = speech_client.audio.transcriptions.create
    assert (await create(file=SOUND, model=MODEL, language="english")).text == "Good morning. HAL."
    assert (await create(file=SOUND, model=MODEL, response_format="text")).strip() == "Good morning. HAL."
    assert "00:00:01,000 --> 00:00:02,000" in await create(file=SOUND, model=MODEL, response_format="srt")
    assert (await create(file=SOUND, model=MODEL, response_format="vtt")).startswith("WEBVTT")
    verbose = await create(file=SOUND, model=MODEL, response_format="verbose_json", temperature=0.2)
    assert [segment.avg_logprob for segment in verbose.segments] == [-0.1, -0.2]
    assert transcriber.options.temperature == 0.2
    timed = await create(
        file=SOUND, model=MODEL, response_format="verbose_json", timestamp_granularities=["word"]
    )
    assert [(word.word, word.end) for word in timed.words] == [("Good", 0.5), ("morning.", 1.0)]


async def test_a_stream_of_events(speech_client):
    stream = await speech_client.audio.transcriptions.create(file=SOUND, model=MODEL, stream=True)
    events = [event async for event in stream]
    assert [event.type for event in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert events[-1].text == "".join(event.delta for event in events[:-1]) == "Good morning. HAL."


async def test_translations(speech_client, transcriber):
    with pytest.raises(openai.UnprocessableEntityError, match="cannot translate"):
        await speech_client.audio.translations.create(file=SOUND, model=MODEL)
    transcriber.languages = frozenset({"en", "es"})
    assert (
        await speech_client.audio.translations.create(file=SOUND, model=MODEL)
    ).text == "Good morning. HAL."


async def test_a_refusal_carries_its_reason(speech_client):
    with pytest.raises(openai.UnprocessableEntityError, match="This looks like a ZIP archive"):
        await speech_client.audio.transcriptions.create(
            file=("a.wav", b"PK\x03\x04" + bytes(1_000)), model=MODEL
        )


@pytest.mark.parametrize("asked", [None, "mp3", "opus", "aac", "flac", "wav", "pcm"])
async def test_speech_in_every_encoding(speech_client, asked):
    said = {} if asked is None else {"response_format": asked}
    speech = await speech_client.audio.speech.create(
        model="tts-1", voice="alloy", input="Good morning.", **said
    )
    content = await speech.aread() if hasattr(speech, "aread") else speech.content
    if asked == "pcm":
        assert len(content) == pytest.approx(1.5 * 24_000 * 2, abs=200)
    else:
        assert identify(content).label == {None: "mp3", "opus": "ogg"}.get(asked, asked)
        assert decode(content, 10).size == pytest.approx(1.5 * 16_000, abs=2_000)


async def test_chat_with_the_language_model(openai_at, ollama_port):
    client = openai_at(f"http://127.0.0.1:{ollama_port}")
    asked = {"model": NAME, "messages": [{"role": "user", "content": "Hi"}]}
    assert (await client.chat.completions.create(**asked)).choices[0].message.content == "Hello there"
    stream = await client.chat.completions.create(**asked, stream=True)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(pieces) == "Hello there"
    assert [model.id async for model in client.models.list()] == [NAME]
