"""Five thousand requests that mean no good: none is our fault (500), and the service is well afterwards."""

from __future__ import annotations

import base64
import json
import os
import random
from collections import Counter

import pytest

from .conftest import spoken, wav

pytestmark = pytest.mark.slow

REQUESTS = int(os.environ.get("HAL_HOSTILE_REQUESTS", "5000"))  # `make test-hostile` sends more
MAX_AUDIO_BYTES = 30_000
MAGIC = [
    b"RIFF\xff\xff\xff\xffWAVEfmt ",
    b"fLaC",
    b"OggS",
    b"ID3\x04",
    b"\x1aE\xdf\xa3",
    b"caff",
    b"\0\0\0 ftypM4A ",
    b"FORM\0\0\0\0AIFF",
    b"\xff\xfb\x90\x64",
    b"",
]
WORDS = [
    "",
    "en",
    "auto",
    "es",
    "\x00",
    "\ud83d\ude00",
    "x" * 5_000,
    "../../etc/passwd",
    "transcribe",
    "translate",
    "%s%n",
]


def some_audio(rng: random.Random, good: bytes) -> bytes:
    """Return a recording that is damaged in one of several ways."""
    match rng.randrange(6):
        case 0:
            return good[: rng.randrange(len(good))]
        case 1:
            spoilt = bytearray(good)
            for _ in range(rng.randrange(1, 30)):
                spoilt[rng.randrange(60)] = rng.randrange(256)
            return bytes(spoilt)
        case 2:
            return rng.choice(MAGIC) + rng.randbytes(rng.randrange(2_000))
        case 3:
            return rng.randbytes(rng.choice([0, 1, 2, 3, 100, 5_001]))
        case 4:
            return bytes(rng.choice([MAX_AUDIO_BYTES - 1, MAX_AUDIO_BYTES + 1, 3 * MAX_AUDIO_BYTES]))
    return good


def some_value(rng: random.Random, depth: int = 0):
    """Return a JSON value."""
    simple = [None, True, -1, 1e308, rng.choice(WORDS)]
    if depth > 3 or rng.random() < 0.6:
        return rng.choice(simple)
    return rng.choice([[some_value(rng, depth + 1)] * 3, {rng.choice(WORDS): some_value(rng, depth + 1)}])


def json_body(rng: random.Random, good: bytes) -> bytes:
    """Return the body of a hostile POST /transcribe."""
    text = base64.b64encode(some_audio(rng, good)).decode()
    fields = {
        "audio": rng.choice([text, text, text[:-1], text + "=", some_value(rng)]),
        "language": rng.choice(["en", some_value(rng)]),
        "task": rng.choice(["transcribe", some_value(rng)]),
        rng.choice(WORDS): some_value(rng),
    }
    body = json.dumps(fields).encode()
    match rng.randrange(5):
        case 0:
            return body[: rng.randrange(len(body))]
        case 1:
            return rng.choice([b"\xff\xfe", b"[" * 20_000, b'{"a":' * 5_000, b"NaN", b'"\\ud800"', b"{}" * 9])
    return body


def form_body(rng: random.Random, good: bytes) -> tuple[bytes, str]:
    """Return the body and the content type of a hostile POST /v1/audio/transcriptions."""
    boundary = rng.choice(["b", "x" * 70, "\\", "b b"])
    body = b""
    for _ in range(rng.choice([0, 1, 1, 1, 2, 40])):
        name = rng.choice(["file", "file", "language", "response_format", "x" * 3_000])
        filename = rng.choice(["", '; filename="a.wav"', '; filename="../../x"', '; filename="'])
        content = rng.choice([some_audio(rng, good), rng.choice(WORDS).encode("utf-8", "replace")])
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode()
        body += content + b"\r\n"
    body += rng.choice([f"--{boundary}--\r\n", f"--{boundary}", "", "--"]).encode()
    if rng.random() < 0.2:
        body = body[: rng.randrange(len(body) + 1)] + rng.randbytes(5)
    return body, rng.choice(
        [f"multipart/form-data; boundary={boundary}"] * 6
        + ["text/plain", "", "multipart/form-data", "multipart/form-data; boundary=\xe9"]
    )


@pytest.mark.parametrize("seed", [2026])
async def test_hostile_requests_are_answered(in_process, seed):
    rng = random.Random(seed)
    client = await in_process(max_audio_bytes=MAX_AUDIO_BYTES, max_audio_s=2)
    good = wav(0.2)
    statuses: Counter[int] = Counter()
    for number in range(REQUESTS):
        if number % 2:
            body, kind = form_body(rng, good)
            headers = {"content-type": kind.encode("latin-1")}
            reply = await client.post("/v1/audio/transcriptions", content=body, headers=headers)
        else:
            path = rng.choice(["/transcribe", "/transcribe", "/transcribe", "/v1/audio/speech"])
            reply = await client.post(path, content=json_body(rng, good))
        statuses[reply.status_code] += 1
        assert reply.status_code in (200, 400, 413, 422), (
            f"request {number}: {reply.status_code} {reply.text}"
        )
        if reply.status_code != 200:
            assert reply.json()["detail"], f"request {number}"
    assert all(statuses[status] for status in (200, 400, 413, 422)), statuses
    assert (await client.get("/health")).status_code == 200
    assert "hal_speech_requests_in_progress 0.0" in (await client.get("/metrics")).text
    assert (await client.post("/transcribe", json=spoken(good))).json()["text"] == "hello"
