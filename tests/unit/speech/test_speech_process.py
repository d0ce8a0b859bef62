"""The program as systemd runs it: settings, stop, and a real model where one is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from hal.shared.settings import SettingsError, parse
from hal.speech.decoding import decode
from hal.speech.settings import PREFIX, SpeechSettings
from hal.speech.transcriber import Abandoned, Options, WhisperTranscriber

MODEL = os.environ.get("HAL_TEST_WHISPER_MODEL", "")
RECORDING = Path(__file__).with_name("what_medications.ogg")  # spoken by Piper's voice "joe"
ROOT = Path(__file__).parents[3]
WAIT_S = 30


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "x", "PORT"),
        ("PORT", "70000", "port"),
        ("WORKERS", "0", "workers"),
        ("DEVICE", "tpu", "device"),
        ("TTS_URL", "piper", "tts_url"),
        ("MODLE", "x", "MODLE"),
    ],
)
def test_bad_settings_are_named(name, value, said):
    with pytest.raises(SettingsError, match=said):
        parse(SpeechSettings, PREFIX, {f"{PREFIX}MODEL": "tiny.en", PREFIX + name: value})


def test_the_model_must_be_set():
    with pytest.raises(SettingsError, match="HAL_SPEECH_MODEL must be set"):
        parse(SpeechSettings, PREFIX, {})


def test_sigterm_ends_with_exit_code_0_even_without_a_model(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "HAL_SPEECH_MODEL": str(tmp_path),
        "HAL_SPEECH_HOST": "127.0.0.1",
        "HAL_SPEECH_PORT": "0",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "from hal.speech.main import main; main()"], env=environment, stderr=output
        )
    try:
        deadline = time.monotonic() + WAIT_S
        while "listening on" not in log.read_text() and time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        port = log.read_text().split("listening on 127.0.0.1:")[1].split()[0]
        reply = httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
        assert reply.status_code == 503
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def whisper() -> WhisperTranscriber:
    if not MODEL:
        pytest.skip("HAL_TEST_WHISPER_MODEL names no directory with a Whisper model")
    return WhisperTranscriber(SpeechSettings(model=MODEL))


def test_real_model_hears_nothing_in_silence(whisper):
    transcript = whisper.transcribe(np.zeros(16_000, np.float32), Options("en"), lambda: False)
    assert transcript.text == ""
    assert transcript.duration_s == 1


def test_real_model_understands_real_speech(whisper):
    samples = decode(RECORDING.read_bytes(), 60)
    transcript = whisper.transcribe(samples, Options(), lambda: False)
    assert words(transcript.text) == ["what", "medications", "am", "i", "taking"]
    assert transcript.duration_s == pytest.approx(1.73, abs=0.1)
    assert transcript.language == "en"
    with pytest.raises(Abandoned):
        whisper.transcribe(samples, Options("en"), lambda: True)


def words(text: str) -> list[str]:
    """Return the words of `text`, without case and punctuation."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()
