"""Chromium with a recorded microphone, against the gateway and the speech service."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from tests.unit.checks.servers import http_server
from tests.unit.gateway.conftest import (  # noqa: F401 - fixtures
    listener,
    ollama,
    speech,
    start_gateway,
)
from tests.unit.network.health.browser import BROWSERS, DRIVER, browser
from tests.unit.speech.conftest import wav

from hal.speech.decoding import decode

PAGE = Path(__file__).parents[2] / "conformance/clients/web_page.html"
QUESTION = Path(__file__).parents[1] / "speech/what_medications.ogg"
WAIT_S = 60
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not shutil.which(DRIVER) or not any(map(shutil.which, BROWSERS)),
        reason="there is no Chromium with its chromedriver: make test-tools installs them",
    ),
]


@pytest.fixture
def microphone(tmp_path):
    """The question as a WAV file, from which Chromium hears, with a second of silence before and after."""
    samples = decode(QUESTION.read_bytes(), 60)
    sound = np.concatenate([np.zeros(16_000), samples, np.zeros(16_000)])
    path = tmp_path / "microphone.wav"
    with av.open(path, "w", format="wav") as output:
        stream = output.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            (sound * 32_767).astype(np.int16).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = 16_000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture
def page(tmp_path, microphone):
    """The small page in a browser whose microphone is a recording."""
    arguments = [
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        "--autoplay-policy=no-user-gesture-required",
    ]
    (tmp_path / "profile").mkdir()
    with (
        http_server({"/": (200, PAGE.read_bytes())}) as port,
        browser(tmp_path / "profile", 800, 600, arguments=arguments) as window,
    ):
        window.call("/url", url=f"http://127.0.0.1:{port}/")
        yield window


@pytest.fixture
async def gateway_url(on_port, start_gateway):  # noqa: F811 - those fixtures
    """A gateway with the speech service behind it, Piper a stand-in that says half a second."""
    with http_server({"/synthesize": (200, wav(0.5, 22_050))}) as piper:
        service = await on_port(tts_url=f"http://127.0.0.1:{piper}")
        gateway = await start_gateway(speech_urls=(str(service.base_url).rstrip("/"),))
        yield f"ws://127.0.0.1:{gateway.ports[0]}"


async def run(page, script):
    return await asyncio.to_thread(page.call, "/execute/sync", script=script, args=[])


async def until(page, condition):
    """Wait until a condition of the page holds."""
    async with asyncio.timeout(WAIT_S):
        while not await run(page, f"return {condition};"):
            assert await run(page, "return faults;") == []
            await asyncio.sleep(0.2)


async def test_a_question_in_samples_is_answered_with_sound(page, gateway_url, transcriber):
    await run(page, f"askWithSamples('{gateway_url}', 4);")
    await until(page, "played.length")
    frames = await run(page, "return frames;")
    assert "error" not in {frame["type"] for frame in frames}
    responses = [frame for frame in frames if frame["type"] == "response"]
    assert responses[0]["text"] == "answer to hello" and responses[-1]["audio_format"] == "wav"
    assert (await run(page, "return played;"))[0] == pytest.approx(0.5, abs=0.1)
    assert transcriber.calls[0]["samples"] > 16_000


async def test_a_question_from_the_browsers_recorder_is_answered(page, gateway_url, transcriber):
    await run(page, f"askWithARecording('{gateway_url}', 3);")
    await until(page, "frames.some(frame => frame.type === 'response')")
    (response,) = [frame for frame in await run(page, "return frames;") if frame["type"] == "response"]
    assert (response["text"], response["status"]) == ("answer to hello", "success")
    assert transcriber.calls[0]["samples"] > 2 * 16_000
