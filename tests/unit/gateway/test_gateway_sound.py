"""Every way in which clients write their sound, and what is said to those that write none."""

from __future__ import annotations

import asyncio
import base64
import io
import struct
import wave

import av
import numpy as np
import pytest

from hal.protocol import ProtocolError
from hal.shared.recording import Recording, decode_chunk
from hal.shared.samples import decode_base64

SOUND = bytes(range(256)) * 3  # its base64 has every digit, and padding where it is cut


@pytest.mark.parametrize("rate", [True, 7_999, 48_001, 16_000.5, "fast", [], float("nan"), "1e999", 10**400])
def test_sample_rates_that_make_no_sense(rate):
    with pytest.raises(ProtocolError, match="sample_rate must be"):
        decode_chunk({"audio": "", "sample_rate": rate})


@pytest.mark.parametrize(
    ("said", "rate"),
    [(16_000, 16_000), (16_000.0, 16_000), ("8000", 8_000), (" 44100.0", 44_100), (None, 16_000)],
)
def test_sample_rates_as_clients_write_them(said, rate):
    assert decode_chunk({"audio": "", "sample_rate": said}) == (b"", rate, "")


@pytest.mark.parametrize("size", [len(SOUND), len(SOUND) - 1, len(SOUND) - 2])
@pytest.mark.parametrize(
    "write",
    [
        lambda text: text,
        lambda text: text.rstrip("="),
        lambda text: "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76)),
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: "data:audio/webm;codecs=opus;base64," + text,
        lambda text: "DATA:;BASE64," + text.replace("+", "-"),
    ],
)
def test_base64_as_clients_write_it(write, size):
    text = write(base64.b64encode(SOUND[:size]).decode())
    assert decode_base64(text) == SOUND[:size]
    assert decode_chunk({"audio": text})[0] == SOUND[:size]


@pytest.mark.parametrize("text", ["a", "AAAAA", "AA=A", "%%%%", "data:audio/wav,AAAA", "é"])
def test_what_is_no_base64(text):
    with pytest.raises(ProtocolError, match="not valid base64"):
        decode_chunk({"audio": text})


def recorded(recording):
    with wave.open(io.BytesIO(recording.to_bytes())) as file:
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")


def encoded(codec: str, samples: np.ndarray) -> bytes:
    """Return int16 samples as FFmpeg encodes them."""
    encoder = av.CodecContext.create(codec, "w")
    encoder.sample_rate, encoder.layout = 8_000, "mono"
    encoder.format = "s16"
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = 8_000
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize("label", ["mulaw", "audio/PCMU", "g711_ulaw", "µ-law", "alaw", "PCMA"])
def test_samples_of_telephones_are_understood_by_their_label(label):
    codec = "pcm_alaw" if label in ("alaw", "PCMA") else "pcm_mulaw"
    wanted = np.arange(-32_000, 32_000, 50, np.int16)
    data, rate, kept = decode_chunk(
        {"audio": base64.b64encode(encoded(codec, wanted)).decode(), "format": label}
    )
    recording = Recording()
    for begin in range(0, len(data), 100):
        recording.add(data[begin : begin + 100], rate, kept)
    rate, got = recorded(recording)
    assert rate == 8_000 and got.size == wanted.size
    assert np.all(np.abs(got.astype(int) - wanted) <= 16 + np.abs(wanted) / 16)


@pytest.mark.parametrize("label", ["float32", "pcm_f32le", "F32", "audio/pcm-float32"])
def test_floats_are_understood_by_their_label(label):
    numbers = [0.0, 0.5, -0.5, 1.0, -1.0, 7.5, float("nan"), float("-inf"), 0.25]
    data, rate, kept = decode_chunk({"audio": [0, *numbers[1:]], "format": label, "sample_rate": 48_000})
    assert data == struct.pack("<9f", *numbers)
    recording = Recording()
    for begin in range(0, len(data), 13):  # within a sample, too
        recording.add(data[begin : begin + 13], rate, kept)
    rate, got = recorded(recording)
    assert rate == 48_000
    assert got.tolist() == [0, 16_384, -16_384, 32_767, -32_768, 32_767, 0, -32_768, 8_192]


@pytest.mark.parametrize("label", ["float32", "mulaw"])
def test_a_container_is_one_whatever_its_label(encoded_sound, label):
    sound = encoded_sound("wav", "pcm_f32le")
    recording = Recording()
    for begin in range(0, len(sound), 10_000):
        recording.add(sound[begin : begin + 10_000], 16_000, label)
    assert recording.to_bytes() == sound


@pytest.mark.parametrize(
    ("audio", "label"),
    [(audio, "") for audio in ([0.5], [40_000], ["1"], [None], [[]], 5, {}, None)]
    + [(audio, "float32") for audio in ([1e39], ["1"], [None], [10**400], {})]
    + [(audio, "mulaw") for audio in ([256], [-1], [0.5], ["1"])],
)
def test_what_is_no_samples(audio, label):
    with pytest.raises(ProtocolError, match=r"^audio (samples )?must be"):
        decode_chunk({"audio": audio, "format": label})


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /transcribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n" + bytes(9_000_000),
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
@pytest.mark.parametrize("step", [1, 9_000_000])
async def test_a_plain_request_is_told_that_its_method_is_not_allowed(
    start_gateway, open_client, request_, step
):
    gateway = await start_gateway()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.ports[0])
    for begin in range(0, 8, step):  # some send the beginning byte by byte
        writer.write(request_[begin : begin + step])
        await asyncio.sleep(0.01)
    if step == 1:
        writer.write(request_[8:])
    async with asyncio.timeout(10):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 405 ") and b"Allow: GET" in answer
    writer.close()
    assert (await (await open_client(gateway)).ask("x"))["status"] == "success"
