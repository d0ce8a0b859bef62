"""Text to speech: what reaches Piper, what comes back, and Piper's absence."""

from __future__ import annotations

import json

import httpx
import pytest

from hal.shared.container import identify
from hal.speech.decoding import decode
from hal.speech.synthesis import Synthesiser

from .conftest import wav


@pytest.fixture
def piper(monkeypatch):
    """Stand in for Piper's HTTP server; its `reply` can be changed, or be an exception."""

    class Piper:
        def __init__(self) -> None:
            self.orders: list[dict] = []
            # Piper labels a recording as HTML.
            self.reply: httpx.Response | Exception = httpx.Response(
                200, content=wav(0.1, 22_050), headers={"content-type": "text/html"}
            )

        def __call__(self, request: httpx.Request) -> httpx.Response:
            assert (request.method, request.url.path) == ("POST", "/synthesize")
            self.orders.append(json.loads(request.content))
            if isinstance(self.reply, Exception):
                raise self.reply
            return self.reply

    fake = Piper()
    monkeypatch.setattr(
        "hal.speech.synthesis.httpx.AsyncHTTPTransport", lambda **_: httpx.MockTransport(fake)
    )
    return fake


PIPER_URL = "http://127.0.0.1:5000/"


async def speak(client: httpx.AsyncClient, **fields) -> httpx.Response:
    return await client.post("/v1/audio/speech", json=fields)


async def test_wav_and_pcm(in_process, piper):
    client = await in_process(tts_url=PIPER_URL)
    reply = await speak(client, input=" Good morning. ", voice="alloy", model="tts-1", response_format="wav")
    assert reply.headers["content-type"] == "audio/wav"
    assert reply.content == wav(0.1, 22_050)
    reply = await speak(client, input="Good morning.", response_format="pcm", speed=2)
    assert len(reply.content) == pytest.approx(2 * 0.1 * 24_000, abs=40)  # as OpenAI's clients play it
    assert piper.orders == [{"text": "Good morning."}, {"text": "Good morning.", "length_scale": 0.5}]


@pytest.mark.parametrize(
    ("said", "media_type", "label"),
    [
        ({}, "audio/mpeg", "mp3"),
        ({"response_format": "mp3"}, "audio/mpeg", "mp3"),
        ({"response_format": "opus"}, "audio/ogg", "ogg"),
        ({"response_format": "aac"}, "audio/aac", "aac"),
        ({"response_format": "flac", "stream_format": "audio"}, "audio/flac", "flac"),
    ],
)
async def test_every_encoding_of_openais(in_process, piper, said, media_type, label):
    piper.reply = httpx.Response(200, content=wav(1.5, 22_050))
    reply = await speak(await in_process(tts_url=PIPER_URL), input="Good morning.", **said)
    assert reply.headers["content-type"] == media_type
    assert identify(reply.content).label == label
    assert decode(reply.content, 10).size == pytest.approx(1.5 * 16_000, abs=2_000)


async def test_what_a_language_model_wrote_is_spoken_without_its_thoughts_and_marks(in_process, piper):
    client = await in_process(tts_url=PIPER_URL)
    await speak(client, input="hm</think>**Good** morning 😀, see https://a.example/x.")
    assert piper.orders == [{"text": "Good morning, see a.example."}]
    assert (await speak(client, input="<think>hm")).status_code == 422


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 422),
        ({"input": "  "}, 422),
        ({"input": "?!"}, 422),
        ({"input": 5}, 400),
        ({"input": "a" * 5_000}, 422),
        ({"input": "a", "response_format": "wma"}, 422),
        ({"input": "a", "stream_format": "sse"}, 422),
        ({"input": "a", "speed": 0}, 422),
        ({"input": "a", "speed": "fast"}, 400),
    ],
)
async def test_bad_orders_do_not_reach_piper(in_process, piper, fields, status):
    client = await in_process(tts_url=PIPER_URL)
    reply = await speak(client, **fields)
    assert reply.status_code == status
    assert reply.json()["detail"]
    assert not piper.orders


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (httpx.ConnectError("refused"), "hal-tts"),
        (httpx.ReadTimeout("slow"), "in time"),
        (httpx.Response(500, text="<html>"), "HTTP 500"),
        (httpx.Response(200, text="<html>"), "without a recording"),
    ],
)
async def test_piper_down_is_a_sentence(in_process, piper, failure, said):
    piper.reply = failure
    client = await in_process(tts_url=PIPER_URL)
    reply = await speak(client, input="Good morning.")
    assert reply.status_code == 503
    assert said in reply.json()["detail"]


async def test_no_text_to_speech(in_process):
    client = await in_process(tts_url="")
    reply = await speak(client, input="Good morning.")
    assert reply.status_code == 503
    assert "not set up" in reply.json()["detail"]


async def test_a_damaged_recording_is_noticed(in_process, piper):
    piper.reply = httpx.Response(200, content=b"RIFF")
    client = await in_process(tts_url=PIPER_URL)
    assert (await speak(client, input="Hello", response_format="pcm")).status_code == 503


async def test_close_closes():
    synthesiser = Synthesiser(PIPER_URL, 1)
    await synthesiser.close()
    assert synthesiser._client.is_closed
