"""What the speech service answers, and how it says no."""

from __future__ import annotations

import random
import struct

import httpx
import pytest

from hal.speech.app import SpeechService

from .conftest import spoken, wav


async def test_health_tells_loading_then_ok_then_error(make_service, transcriber):
    def broken(_):
        raise RuntimeError("out of memory")

    for loader, statuses in ((lambda _: transcriber, ["loading", "ok"]), (broken, ["loading", "error"])):
        service: SpeechService = make_service(loader)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(service.app), base_url="http://s"
        ) as client:
            for status in statuses:
                for path in ("/", "/health"):
                    reply = await client.get(path)
                    assert reply.json()["status"] == status
                    assert reply.status_code == (200 if status == "ok" else 503)
                    assert reply.json() | {"model": "fake", "device": "cpu"} == reply.json()
                refused = await client.post("/transcribe", json=spoken(wav()))
                assert refused.status_code == (200 if status == "ok" else 503)
                service.model.load()
        if status == "error":
            assert "out of memory" in reply.json()["detail"]
            assert "out of memory" in refused.json()["detail"]
            assert refused.headers["Retry-After"]


async def test_transcribe_answers_in_full(in_process, transcriber):
    client = await in_process()
    reply = await client.post("/transcribe", json=spoken(wav(0.5), language="en", task="transcribe"))
    body = reply.json()
    assert reply.status_code == 200
    assert body.pop("processing_time") >= 0
    assert body == {
        "text": "hello",
        "language": "en",
        "language_probability": 1.0,
        "confidence": 1.0,
        "avg_logprob": 0.0,
        "no_speech_prob": 0.0,
        "compression_ratio": 1.0,
        "duration": 0.5,
        "status": "success",
    }
    assert transcriber.calls == [{"samples": 8_000, "language": "en", "task": "transcribe"}]


@pytest.mark.parametrize(
    ("sent", "understood"), [("auto", None), (None, None), ("EN-us", "en"), ("en", "en"), ("English", "en")]
)
async def test_language(in_process, transcriber, sent, understood):
    client = await in_process()
    assert (await client.post("/transcribe", json=spoken(wav(), language=sent))).status_code == 200
    assert transcriber.calls[0]["language"] == understood


async def test_an_english_model_refuses_other_languages_and_translation(in_process, transcriber):
    client = await in_process()
    for fields in ({"language": "es"}, {"task": "translate"}):
        reply = await client.post("/transcribe", json=spoken(wav(), **fields))
        assert reply.status_code == 422
        assert "English only" in reply.json()["detail"]
    assert not transcriber.calls


async def test_a_multilingual_model_takes_both(in_process, transcriber):
    transcriber.languages = frozenset({"en", "es"})
    client = await in_process()
    reply = await client.post("/transcribe", json=spoken(wav(), language="es", task="translate"))
    assert reply.json()["language"] == "es"
    assert transcriber.calls[0]["task"] == "translate"
    assert (await client.post("/transcribe", json=spoken(wav(), language="tlh"))).status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "JSON"),
        (b"[" * 9_000, 400, "JSON"),
        (b"[" * 100_000, 400, "values"),
        (b"[]", 400, "object"),
        (b"{}", 400, "audio"),
        (b'{"audio": 1}', 400, "audio"),
        (b'{"audio": ""}', 422, "empty"),
        (b'{"audio": "%%%"}', 422, "base64"),
        (b'{"audio": "AAAA", "language": 7}', 400, "language"),
        (b'{"audio": "AAAA", "task": "sing"}', 422, "task"),
        (b'{"audio": "AAAA"}', 422, "even number"),
        (b'{"audio": "UklGRgAAAABXQVZF"}', 422, "damaged"),
    ],
)
async def test_a_bad_request_gets_a_sentence(in_process, body, status, said):
    client = await in_process()
    reply = await client.post("/transcribe", content=body)
    assert reply.status_code == status
    assert said in reply.json()["detail"]
    assert reply.json()["error"]["message"] == reply.json()["detail"]


async def test_raw_pcm_is_taken_as_16_khz(in_process, transcriber):
    client = await in_process()
    assert (await client.post("/transcribe", json=spoken(wav(1)[44:]))).json()["duration"] == 1
    assert transcriber.calls[0]["samples"] == 16_000


@pytest.mark.parametrize("as_form", [False, True])
@pytest.mark.parametrize(
    ("audio", "fields", "samples"),
    [
        (wav(1)[44:], {"sample_rate": 8_000}, 32_000),
        (wav(1)[44:], {"sample_rate": "16000", "format": "pcm16"}, 16_000),
        (wav(1, 48_000)[44:], {"sample_rate": "48000", "format": "wav"}, 16_000),
        (bytes([0x80, 0x00]) * 4_000, {"format": "mulaw"}, 16_000),
        (bytes([0x80, 0x00]) * 8_000, {"format": "alaw", "sample_rate": 16_000}, 16_000),
        (struct.pack("<32000f", *[0.5, -0.5] * 16_000), {"format": "float32"}, 32_000),
        (wav(1, 22_050), {"sample_rate": 8_000, "format": "mulaw"}, 16_000),  # a file knows itself what it is
        (wav(1, 22_050), {"sample_rate": 96_000}, 16_000),
    ],
)
async def test_samples_are_what_the_caller_says(in_process, transcriber, audio, fields, samples, as_form):
    client = await in_process()
    if as_form:
        reply = await client.post("/transcribe", data=fields, files={"file": audio})
    else:
        reply = await client.post("/transcribe", json=spoken(audio, **fields))
    assert reply.status_code == 200, reply.text
    assert transcriber.calls[0]["samples"] == pytest.approx(samples, abs=20)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"sample_rate": 1}, 422, "sample_rate must be a whole number from 8000 to 48000."),
        ({"sample_rate": "fast"}, 422, "sample_rate must be a whole number from 8000 to 48000."),
        ({"sample_rate": [16_000]}, 422, "sample_rate must be a whole number from 8000 to 48000."),
        ({"format": 7}, 400, '"format" must be a text.'),
        ({"format": "float32"}, 422, "A sample of float32 has 4 bytes, and the recording ends within one."),
    ],
)
async def test_samples_that_cannot_be_what_the_caller_says_are_refused(in_process, fields, status, said):
    client = await in_process()
    reply = await client.post("/transcribe", json=spoken(bytes(402), **fields))
    assert (reply.status_code, reply.json()["detail"]) == (status, said)


FRAGMENTED = {"movflags": "frag_keyframe+empty_moov", "frag_duration": "100000"}


@pytest.mark.parametrize(
    ("container", "codec", "options"),
    [
        ("flac", "flac", {}),
        ("ogg", "libopus", {}),
        ("mp3", "mp3", {}),
        ("webm", "libopus", {}),
        ("ipod", "aac", {}),  # M4A
        ("mp4", "aac", FRAGMENTED),
        ("mov", "pcm_s16le", {}),
        ("wav", "pcm_f32le", {}),
        ("wav", "pcm_mulaw", {}),
        ("aiff", "pcm_s16be", {}),
        ("caf", "pcm_s16be", {}),
        ("adts", "aac", {}),
    ],
)
async def test_containers_are_decoded(in_process, encoded_sound, container, codec, options):
    client = await in_process()
    reply = await client.post("/transcribe", json=spoken(encoded_sound(container, codec, **options)))
    assert reply.status_code == 200, reply.text
    assert reply.json()["duration"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("data", "likeness"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(1_000), "a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1_000), "a PNG picture"),
        (b"PK\x03\x04" + bytes(1_000), "a ZIP archive"),
        (b"\x1f\x43\xb6\x75\x01\xff\xff\xff" + bytes(1_000), "the middle of a WebM recording"),
        (b"<html>\nThis is a page and no recording at all, whatever.\n</html>" * 4, "an HTML page"),
        (b"What medications am I taking? I wonder, and I wonder again.\r\n" * 4, "text"),
        (random.Random(23).randbytes(8_000), "compressed data or noise"),
    ],
)
async def test_what_is_no_sound_is_refused_and_told_what_it_looks_like(
    in_process, transcriber, data, likeness
):
    client = await in_process()
    for reply in (
        await client.post("/transcribe", json=spoken(data)),
        await client.post("/v1/audio/transcriptions", files={"file": data}),
    ):
        assert reply.status_code == 422
        assert f"This looks like {likeness}" in reply.json()["detail"]
    assert not transcriber.calls


async def test_openai_transcriptions(in_process):
    client = await in_process()
    files = {"file": ("speech.wav", wav(), "audio/wav")}
    url = "/v1/audio/transcriptions"
    assert (await client.post(url, files=files, data={"model": "whisper-1"})).json() == {"text": "hello"}
    text = await client.post(url, files=files, data={"response_format": "text"})
    assert text.text == "hello\n"
    assert text.headers["content-type"].startswith("text/plain")
    verbose = (await client.post(url, files=files, data={"response_format": "verbose_json"})).json()
    assert verbose["duration"] == 0.5
    assert verbose["segments"][0]["text"] == " hello "
    for data, form, status in (
        ({"response_format": "docx"}, files, 422),
        ({"language": "es"}, files, 422),
        ({"model": "x"}, None, 400),
        ({}, {"file": ("x", b"", "audio/wav")}, 422),
        ({}, {"other": ("x", b"x", "audio/wav")}, 400),
        ({f"x{i}": "1" for i in range(50)}, files, 400),
    ):
        reply = await client.post(url, files=form, data=data)
        assert reply.status_code == status, reply.text
        assert reply.json()["detail"]


async def test_a_form_that_is_cut_off_is_refused(in_process):
    client = await in_process()
    request = client.build_request("POST", "/v1/audio/transcriptions", files={"file": ("a.wav", wav())})
    whole = request.read()
    headers = {"content-type": request.headers["content-type"]}
    for size in (0, 10, 200, len(whole) - 10):
        reply = await client.post("/v1/audio/transcriptions", content=whole[:size], headers=headers)
        assert reply.status_code == 400, (size, reply.text)


async def test_limits_of_size_and_duration(in_process, transcriber):
    client = await in_process(max_audio_bytes=20_000, max_audio_s=0.5)
    assert (await client.post("/transcribe", json=spoken(wav(0.5)))).status_code == 200
    for audio in (wav(0.55), wav(0.6)[44:], wav(0.7), wav(10), wav(0.9, 8_000)):
        reply = await client.post("/transcribe", json=spoken(audio))
        assert reply.status_code == 413
        reply = await client.post("/v1/audio/transcriptions", files={"file": audio})
        assert reply.status_code == 413
    assert len(transcriber.calls) == 1


async def test_models_metrics_and_unknown_paths(in_process):
    client = await in_process(model="/models/tiny.en")
    await client.post("/transcribe", json=spoken(wav()))
    await client.post("/transcribe", content=b"x")
    (model,) = (await client.get("/v1/models")).json()["data"]
    assert model["id"] == "tiny.en"
    assert (await client.get("/v1/models/tiny.en")).json() == model
    missing = await client.get("/v1/models/openai/whisper-1")
    assert missing.status_code == 404 and "tiny.en" in missing.json()["detail"]
    metrics = (await client.get("/metrics")).text
    assert 'hal_speech_requests_total{endpoint="transcribe",status="200"} 1.0' in metrics
    assert 'hal_speech_requests_total{endpoint="transcribe",status="400"} 1.0' in metrics
    assert "hal_speech_model_ready 1.0" in metrics
    assert "hal_speech_audio_seconds_total 0.5" in metrics
    assert (await client.get("/nope")).status_code == 404
    assert (await client.get("/transcribe")).status_code == 405


async def test_a_fault_of_ours_is_500_and_says_nothing_of_the_question(make_service, transcriber):
    def fail(*_, **__):
        raise KeyError("private words")

    transcriber.transcribe = fail
    service = make_service()
    service.model.load()
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://s") as client:
        reply = await client.post("/transcribe", json=spoken(wav()))
        assert reply.status_code == 500
        assert "private" not in reply.text
        assert 'status="500"' in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "ubuai:9000", "Origin": "http://evil.example"}, 403),
        ({"Host": "ubuai:9000", "Origin": "http://ubuai:9000"}, 200),
        ({"Host": "ubuai:9000"}, 200),
        ({"Host": "127.0.0.1:9000"}, 200),
    ],
)
async def test_only_the_networks_own_web_pages_are_answered(in_process, headers, status):
    client = await in_process(own_names=("ubuai",))
    for path in ("/health", "/metrics", "/v1/models"):
        assert (await client.get(path, headers=headers)).status_code == status
    assert (await client.post("/transcribe", json=spoken(wav()), headers=headers)).status_code == status
