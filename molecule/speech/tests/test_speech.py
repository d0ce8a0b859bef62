"""Speech both ways on one host, with the real small models."""

import json

import pytest

pytestmark = pytest.mark.units("hal-speech", "hal-tts")

SENTENCE = "What medications am I taking?"


def test_services_run_and_start_at_boot(host):
    for name in ("hal-speech", "hal-tts"):
        service = host.service(name)
        assert service.is_running and service.is_enabled


def test_the_model_is_loaded(host):
    health = json.loads(host.check_output("curl --silent --fail http://127.0.0.1:9000/health"))
    assert health["device"] == "cpu"
    assert health["service"]


def test_a_spoken_sentence_comes_back_as_text(host):
    body = json.dumps({"input": SENTENCE, "response_format": "wav"})
    spoken = host.run(
        "curl --silent --fail -H 'Content-Type: application/json' -d %s -o /tmp/spoken.wav http://127.0.0.1:9000/v1/audio/speech",
        body,
    )
    assert spoken.rc == 0
    heard = json.loads(
        host.check_output(
            "curl --silent --fail -F file=@/tmp/spoken.wav http://127.0.0.1:9000/v1/audio/transcriptions"
        )
    )
    assert heard["text"].strip().lower().rstrip("?.") == SENTENCE.lower().rstrip("?")


def test_bad_audio_is_refused_with_a_reason(host):
    status = host.check_output(
        "curl --silent -o /tmp/refusal -w '%%{http_code}' -H 'Content-Type: application/json' -d %s http://127.0.0.1:9000/transcribe",
        json.dumps({"audio": "not base64!"}),
    )
    assert status.startswith("4")
    assert json.loads(host.file("/tmp/refusal").content_string)["detail"]
