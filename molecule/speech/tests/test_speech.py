"""Speech both ways on one host, with the real small models."""

import json

import pytest

pytestmark = pytest.mark.units("hal-speech", "hal-tts", "hal-wyoming")

SENTENCE = "What medications am I taking?"


def test_services_run_and_start_at_boot(host):
    for name in ("hal-speech", "hal-tts", "hal-wyoming"):
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


DESCRIBE = """
import asyncio, json, sys
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe
async def ask(port):
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Describe().event())
        return (await client.read_event()).data
print(json.dumps(asyncio.run(ask(int(sys.argv[1])))))
"""


def test_home_assistant_learns_what_each_port_offers(host):
    for port, offered in ((10300, "asr"), (10200, "tts"), (10600, "handle")):
        said = host.check_output("/opt/hal/wyoming/current/bin/python -c %s %s", DESCRIBE, str(port))
        assert json.loads(said)[offered][0]["installed"]
