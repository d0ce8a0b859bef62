"""The gateway's parts one by one: audio, end of speech, breaker, fail-over, throttle, settings."""

from __future__ import annotations

import asyncio
import io
import struct
import wave

import pytest

from hal.gateway.main import on_loop_error
from hal.gateway.settings import FOREIGN_VARIABLES, PREFIX, GatewaySettings
from hal.shared.breaker import BackendError, BreakerState, CircuitBreaker, Failover, Rejected, Unreachable
from hal.shared.connection import Throttle
from hal.shared.metrics import GatewayMetrics
from hal.shared.recording import MAX_CONTAINER_BYTES, MAX_SECONDS, Recording
from hal.shared.settings import SettingsError, parse
from hal.shared.vad import EndOfSpeech


def wav(pcm, rate=16_000, channels=1):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm)
    return buffer.getvalue()


def test_pcm_gets_the_header_it_lacks(voice):
    recording = Recording()
    recording.add(voice(0.2, 8_000) + b"\x01", 8_000, "wav")
    with wave.open(io.BytesIO(recording.to_bytes())) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8_000, 1, 2)
        assert file.readframes(file.getnframes()) == voice(0.2, 8_000)


def test_header_on_every_chunk_is_removed(voice, silence):
    recording = Recording()
    recording.add(wav(voice(0.3)))
    recording.add(wav(voice(0.3)))
    assert recording.has_voice and not recording.is_over
    recording.add(wav(silence(1.2)))
    assert recording.is_over
    assert recording.to_bytes() == wav(voice(0.3) * 2 + silence(1.2))


def test_a_container_whose_first_byte_comes_alone_is_one_all_the_same(encoded_sound):
    sound = encoded_sound("webm", "libopus")
    recording = Recording()
    for data in (sound[:1], sound[1:5], sound[5:]):
        recording.add(data)
    assert recording.has_voice and not recording.not_sound
    assert recording.to_bytes() == sound


def test_stereo_wav_is_passed_on_as_it_is():
    recording = Recording()
    data = wav(bytes(4_000), channels=2)
    recording.add(data)
    assert recording.to_bytes() == data


def test_truncated_wav_header_is_passed_on_as_it_is():
    recording = Recording()
    recording.add(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    assert recording.to_bytes().startswith(b"RIFF")


@pytest.mark.parametrize(("first", "limit"), [(b"", MAX_SECONDS * 32_000), (b"OggS", MAX_CONTAINER_BYTES)])
def test_recordings_are_bounded(first, limit):
    recording = Recording()
    recording.add(first)
    for _ in range(100):
        recording.add(bytes(100_000))
    assert limit <= len(recording) < limit + 100_000
    assert recording.is_over


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_end_of_speech(voice, silence, rate):
    ear = EndOfSpeech(rate)
    ear.feed(silence(2, rate))
    assert not ear.heard and not ear.ended
    ear.feed(voice(0.5, rate) + silence(0.5, rate) + voice(0.3, rate))
    assert ear.heard and not ear.ended
    for chunk in (silence(1.2, rate)[i : i + 333] for i in range(0, int(1.2 * rate) * 2, 333)):
        ear.feed(chunk)
    assert ear.ended


def test_a_click_is_not_speech(silence):
    ear = EndOfSpeech(16_000)
    ear.feed(silence(0.2) + struct.pack("<8h", *[30_000, -30_000] * 4) + silence(2))
    assert not ear.heard


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_breaker_opens_waits_and_closes():
    clock = Clock()
    breaker = CircuitBreaker(threshold=2, reset_after_s=5, clock=clock)
    for _ in range(2):
        assert breaker.enter()
        breaker.settle(False)
    assert breaker.state is BreakerState.OPEN and not breaker.enter()
    clock.now = 5
    assert breaker.enter()
    assert not breaker.enter()  # one call tries, the others wait
    breaker.settle(False)
    assert not breaker.enter()
    clock.now = 10
    assert breaker.enter()
    breaker.settle(None)  # the call was cancelled: the next one tries
    assert breaker.enter()
    breaker.settle(True)
    assert breaker.state is BreakerState.CLOSED


async def test_failover_retries_a_connection_and_then_goes_on():
    calls = []

    async def attempt(address):
        calls.append(address)
        if address == "a":
            raise Unreachable("gone")
        return address

    assert await Failover("x", ["a", "b"], GatewayMetrics()).call(attempt, 5) == "b"
    assert calls == ["a", "a", "b"]


async def test_failover_does_not_repeat_what_was_asked():
    calls = []

    async def attempt(address):
        calls.append(address)
        raise BackendError("broke off")

    with pytest.raises(BackendError, match="broke off"):
        await Failover("x", ["a"], GatewayMetrics()).call(attempt, 5)
    assert calls == ["a"]


async def test_failover_stops_at_a_refusal():
    async def attempt(address):
        raise Rejected(address)

    with pytest.raises(Rejected, match=r"^a$"):
        await Failover("x", ["a", "b"], GatewayMetrics()).call(attempt, 5)


async def test_failover_leaves_a_dead_address_alone():
    calls = []

    async def attempt(address):
        calls.append(address)
        raise BackendError("dead")

    failover = Failover("x", ["a"], GatewayMetrics())
    for _ in range(5):
        with pytest.raises(BackendError):
            await failover.call(attempt, 5)
    assert len(calls) == 3


async def test_failover_gives_each_address_its_time():
    failover = Failover("x", ["a"], GatewayMetrics())
    with pytest.raises(BackendError, match=r"x at a took longer than 0\.05 s"):
        await failover.call(lambda _: asyncio.sleep(30), 0.05)


def test_throttle_lets_a_burst_pass_and_then_slows_down():
    clock = Clock()
    throttle = Throttle(clock, rate=10, burst=3)
    assert [throttle.delay() for _ in range(3)] == [0, 0, 0]
    assert throttle.delay() == pytest.approx(0.1)
    clock.now = 10
    assert throttle.delay() == 0


def test_settings_ignore_the_clients_variable():
    environ = {PREFIX + "PORT": "1", "HAL_GATEWAY_URL": "ws://gateway:8768"}
    assert parse(GatewaySettings, PREFIX, environ, ignore=FOREIGN_VARIABLES).port == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "70000", "port must be between"),
        ("SPEECH_URLS", "ubuai:9000", "speech_urls: 'ubuai:9000' is not an http"),
        ("TRUSTED_NETWORKS", "10.1.0.1/16", "trusted_networks: '10.1.0.1/16' is not a network"),
        ("MAX_SESSIONS", "0", "max_sessions must be greater than 0"),
        ("TURN_TIMEOUT_S", "nan", "turn_timeout_s must be greater than 0"),
        ("OLLAMA_URLS", "http://ubuai:11434", "ollama_model must name the model"),
    ],
)
def test_settings_that_cannot_work(name, value, message):
    with pytest.raises(SettingsError, match=message):
        parse(GatewaySettings, PREFIX, {PREFIX + name: value})


@pytest.mark.parametrize(("message", "fails"), [("Accept failed on a socket", True), ("other", False)])
def test_a_dead_port_ends_the_process(message, fails):
    calls = []
    on_loop_error({"message": message}, lambda: calls.append(1))
    assert bool(calls) is fails
