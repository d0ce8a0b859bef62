"""Speaking, recording and playing: `hal speech`, `hal say`, `--speak` and the microphone."""

from __future__ import annotations

import asyncio
import base64

import pytest

from hal.client.errors import UsageError
from hal.client.microphone import find_recorder

from .conftest import WAV


async def test_speech_writes_a_file(speech_service, hal, tmp_path):
    url, texts = await speech_service()
    out = tmp_path / "out.wav"
    done = await hal("speech", "Good", "morning", "-o", out, "--speech-url", url + "/")
    assert (done.code, out.read_bytes(), texts) == (0, WAV, ["Good morning"])


async def test_say_asks_with_the_spoken_question(gateway, speech_service, hal):
    fake = await gateway()
    url, texts = await speech_service()
    done = await hal("say", "What now?", "--url", fake.url, HAL_SPEECH_URL=url)
    assert done.code == 0 and "You said: what was said" in done.out
    sent = b"".join(base64.b64decode(frame["audio"]) for frame in fake.frames if "audio" in frame)
    assert (sent, texts) == (WAV, ["What now?"])


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        ("400 Bad Request", b'{"detail": "input is empty."}', "HTTP 400: input is empty."),
        ("503 Unavailable", b'{"error": {"message": "no voice"}}', "HTTP 503: no voice."),
        ("500 Oops", b"<html>", "HTTP 500"),
        ("200 OK", b"<html>", "not a WAV file"),
        ("200 OK", b"", "not a WAV file"),
    ],
)
async def test_a_refusal_of_the_service_is_passed_on(speech_service, hal, tmp_path, status, body, sentence):
    url, _ = await speech_service(status, body)
    done = await hal("speech", "hi", "-o", tmp_path / "o.wav", "--speech-url", url)
    assert done.code == 1 and sentence in done.err and url in done.err
    assert not (tmp_path / "o.wav").exists()


async def test_an_unreachable_speech_service_exits_3(hal, tmp_path):
    done = await hal("speech", "hi", "-o", tmp_path / "o.wav", "--speech-url", "http://127.0.0.1:1")
    assert done.code == 3 and "http://127.0.0.1:1/v1/audio/speech: the connection was" in done.err


async def test_an_unwritable_file_is_named(speech_service, hal, tmp_path):
    url, _ = await speech_service()
    done = await hal("speech", "hi", "-o", tmp_path / "none" / "o.wav", "--speech-url", url)
    assert done.code == 2 and "Cannot write" in done.err


async def test_status_finds_the_speech_service(gateway, speech_service, hal):
    fake = await gateway()
    url, texts = await speech_service()
    assert (await hal("status", "--url", fake.url, "--speech-url", url)).code == 0
    assert texts == []
    broken = await hal("status", "--url", fake.url, "--speech-url", "http://127.0.0.1:1")
    assert broken.code == 1 and "the connection was refused" in broken.out


async def test_the_answer_is_played_and_no_copy_is_kept(gateway, speech_service, hal, program, tmp_path):
    fake = await gateway()
    url, texts = await speech_service()
    log = tmp_path / "played"
    player = f"pathlib.Path({str(log)!r}).write_bytes(pathlib.Path(sys.argv[-1]).read_bytes())"
    done = await hal(
        "ask", "--speak", "q", "--url", fake.url, "--speech-url", url, PATH=program("paplay", player)
    )
    assert (done.code, done.err, log.read_bytes()) == (0, "", WAV)
    async with asyncio.timeout(10):
        while fake.frames[-1]["type"] != "playback_ended":  # noqa: ASYNC110 - it is read a moment later
            await asyncio.sleep(0.01)
    assert texts == ["You asked: q"] and list(tmp_path.glob("hal-*.wav")) == []


async def test_without_a_player_the_answer_is_saved(gateway, speech_service, hal, tmp_path):
    fake = await gateway()
    url, _ = await speech_service()
    done = await hal("ask", "--speak", "q", "--url", fake.url, "--speech-url", url, PATH=str(tmp_path))
    (saved,) = tmp_path.glob("hal-*.wav")
    assert [frame["type"] for frame in fake.frames] == ["text_input"]  # nothing was heard
    assert done.code == 0 and str(saved) in done.err and saved.read_bytes() == WAV
    assert saved.stat().st_mode & 0o077 == 0


async def test_the_microphone_is_sent_until_it_ends(gateway, hal, program):
    fake = await gateway()
    path = program("arecord", "sys.stdout.buffer.write(bytes(2500))")
    done = await hal("talk", "--url", fake.url, PATH=path)
    assert done.code == 0 and "Listening" in done.err and "You said: what was said" in done.out
    chunks = [base64.b64decode(frame["audio"]) for frame in fake.frames if frame["type"] == "audio_chunk"]
    assert [len(chunk) for chunk in chunks] == [1024, 1024, 452]
    assert fake.frames[-1] | {"duration_ms": 78} == fake.frames[-1]


async def test_a_microphone_that_fails_says_why(gateway, hal, program):
    fake = await gateway()
    path = program("arecord", "sys.exit('audio open error: No such device')")
    done = await hal("talk", "--url", fake.url, PATH=path)
    assert done.code == 1 and "arecord cannot record: audio open error: No such device" in done.err


async def test_without_a_recorder_the_person_learns_what_to_install(gateway, hal, tmp_path):
    fake = await gateway()
    done = await hal("talk", "--url", fake.url, PATH=str(tmp_path))
    assert done.code == 2 and "alsa-utils" in done.err


def test_a_mac_records_with_its_own_programs(program, monkeypatch):
    monkeypatch.setenv("PATH", program("ffmpeg"))
    assert "avfoundation" in find_recorder("darwin")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="brew install sox"):
        find_recorder("darwin")
