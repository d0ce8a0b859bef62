"""Recordings are decoded in processes of their own: hostile ones are refused and cost no more than others."""

from __future__ import annotations

import io
import os
import signal
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from hal.speech.decoder import Decoder
from hal.speech.decoding import decode
from hal.speech.errors import BadAudio, Refusal, TooLarge

from .conftest import eventually, spoken, wav

MIB = 2**20
EDITS = b"elst"


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    started = Decoder()
    started.start()
    yield started
    started.close()


def encoded(container: str, codec: str, seconds: float = 1, *, video: str = "") -> bytes:
    """Return a tone, and a picture that moves if `video` names an encoder."""
    file = io.BytesIO()
    with av.open(file, mode="w", format=container) as out:
        stream = out.add_stream(codec, rate=48_000, layout="mono")
        pictures = out.add_stream(video, rate=5, width=64, height=64, pix_fmt="yuv420p") if video else None
        for number in range(5 if pictures else 0):
            picture = av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuv420p")
            picture.pts = number
            out.mux(pictures.encode(picture))
        tone = (9_000 * np.sin(np.arange(int(48_000 * seconds)) / 20)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), format="s16", layout="mono")
        frame.rate = 48_000
        out.mux([*stream.encode(frame), *stream.encode(None)])
        if pictures:
            out.mux(pictures.encode(None))
    return file.getvalue()


def patched(data: bytes, atom: bytes, offset: int, *numbers: int) -> bytes:
    """Return a file with other 32-bit numbers `offset` bytes behind the name of an atom, at each place."""
    content, position = bytearray(data), data.find(atom)
    assert position > 0
    while position > 0:
        struct.pack_into(f">{len(numbers)}I", content, position + 4 + offset, *numbers)
        position = data.find(atom, position + 4)
    return bytes(content)


def peak_bytes(pid: str = "self") -> int:
    """Return the largest memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def with_picture(sound: bytes, width: int) -> bytes:
    """Return a FLAC file with a cover that claims to be as wide and high as `width`."""
    head = struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(4))), (b"IEND", b"")):
        png += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    block = struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">IIIIII", 0, width, width, 24, 0, len(png))
    block += png
    return sound[:42] + b"\x06" + struct.pack(">I", len(block))[1:] + block + sound[42:]


@pytest.mark.parametrize(
    "recording",
    [wav(), wav()[44:], encoded("ipod", "aac"), encoded("webm", "libopus"), encoded("flac", "flac")],
    ids=["wav", "raw", "m4a", "webm", "flac"],
)
def test_the_samples_are_those_of_this_process(decoder, recording):
    assert np.array_equal(decoder.decode(recording, 10), decode(recording, 10))


def test_an_m4a_with_the_list_of_edits_that_telephones_write_is_understood(decoder):
    recording = encoded("ipod", "aac")
    assert EDITS in recording
    assert decoder.decode(recording, 10).size == pytest.approx(16_000, rel=0.1)


async def test_a_small_file_that_claims_sixty_million_samples_takes_no_memory(in_process):
    client = await in_process()
    small = patched(encoded("mov", "aac"), b"stsz", 4, 1, 60_000_000)
    claims = patched(patched(small, b"stts", 4, 1, 60_000_000), b"stsc", 4, 1, 1, 60_000_000)
    assert len(claims) < 20_000
    before = peak_bytes()
    reply = await client.post("/transcribe", json=spoken(claims))
    assert reply.status_code == 422
    assert reply.json()["detail"].startswith("The recording ")
    assert peak_bytes() - before < 64 * MIB
    assert (await client.post("/transcribe", json=spoken(wav()))).status_code == 200


@pytest.mark.parametrize("codec", ["aac", "alac", "pcm_s16le", "adpcm_ima_qt"])
@pytest.mark.parametrize("atoms", ["stts", "stsz stts", "stsz stts stsc"])
def test_a_file_that_claims_more_samples_than_it_has_bytes_is_refused(decoder, codec, atoms):
    claims = {"stsz": (1, 60_000_000), "stts": (1, 60_000_000, 0), "stsc": (1, 1, 60_000_000)}
    recording = encoded("mov", codec, 0.1)
    assert decoder.decode(recording, 10).size == pytest.approx(1_600, abs=400)
    for atom in atoms.split():
        recording = patched(recording, atom.encode(), 4, *claims[atom])
    with pytest.raises(BadAudio, match="cannot be decoded"):
        decoder.decode(recording, 10)


@pytest.mark.parametrize("container", ["mov", "flac"])
def test_a_file_that_claims_to_last_far_longer_than_it_does_is_refused(decoder, container):
    if container == "mov":
        recording = encoded("mov", "aac", 0.1).replace(b"edts", b"free")
        recording = patched(patched(recording, b"mdhd", 16, 60_000_000), b"stts", 4, 1, 6, 10_000_000)
    else:  # 36 bits of its head are the number of samples
        recording = bytearray(encoded("flac", "flac", 0.1))
        struct.pack_into(">I", recording, 22, 60_000_000)
    with pytest.raises(BadAudio, match="says that it lasts far longer than it does"):
        decoder.decode(bytes(recording), 10)


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("mov", "pcm_s16le"), ("flac", "flac")])
def test_a_file_that_does_not_say_how_long_it_lasts_is_heard_whole(decoder, container, codec):
    recording = encoded(container, codec)
    if container == "flac":
        recording = recording[:21] + bytes([recording[21] & 0xF0]) + bytes(4) + recording[26:]
    else:
        recording = patched(patched(recording, b"mdhd", 16, 0), b"mvhd", 16, 0)
    assert decoder.decode(recording, 10).size == pytest.approx(16_000, abs=800)


@pytest.mark.parametrize(
    ("channels", "rate"), [(1, 2**32 - 1), (1, 0), (1, 1), (65_535, 16_000), (0, 16_000), (9, 2**31)]
)
def test_impossible_rates_and_channels_are_refused(decoder, channels, rate):
    recording = bytearray(wav())
    struct.pack_into("<HI", recording, 22, channels, rate)
    with pytest.raises(BadAudio):
        decoder.decode(bytes(recording), 10)


@pytest.mark.parametrize(("container", "codec"), [("ogg", "libopus"), ("flac", "flac"), ("ipod", "aac")])
def test_a_recording_that_is_too_long_is_given_up(decoder, container, codec):
    with pytest.raises(TooLarge, match="longer than 2 s"):
        decoder.decode(encoded(container, codec, 60), 2)


@pytest.mark.parametrize(("container", "codec"), [("ipod", "aac"), ("webm", "libopus"), ("wav", "pcm_s16le")])
def test_a_recording_that_is_cut_off_is_understood_or_refused(decoder, container, codec):
    whole = encoded(container, codec)
    for size in range(16, len(whole), len(whole) // 12):
        try:
            assert decoder.decode(whole[:size], 10).size <= 17_000
        except BadAudio as refusal:
            assert str(refusal)


@pytest.mark.parametrize(
    "numbers",
    [(1, 2**32 - 1, 0), (1, 2**31, 2**31 - 1), (2**32 - 1, 0, 0), (2**24, 1, 0), (1, 0, 2**32 - 2)],
)
def test_hostile_lists_of_edits_end(decoder, numbers):
    recording = patched(encoded("mov", "aac"), EDITS, 4, *numbers)
    try:
        assert decoder.decode(recording, 10).size <= 160_000
    except Refusal as refusal:
        assert str(refusal)


def test_a_video_is_refused(decoder):
    for container, codec in (("mov", "aac"), ("matroska", "libopus")):
        with pytest.raises(BadAudio, match="holds a video"):
            decoder.decode(encoded(container, codec, video="mpeg4"), 10)


@pytest.mark.parametrize("width", [1, 60_000])
def test_the_picture_of_a_cover_is_not_looked_at(decoder, width):
    recording = with_picture(encoded("flac", "flac"), width)
    assert decoder.decode(recording, 10).size == 16_000


@pytest.mark.parametrize(("container", "codec"), [("matroska", "ac3"), ("wav", "adpcm_yamaha")])
def test_what_no_client_encodes_with_is_refused_by_its_name(decoder, container, codec):
    with pytest.raises(BadAudio, match=f"encoded as {codec}, which is not taken here: send WAV, FLAC"):
        decoder.decode(encoded(container, codec), 10)


def test_a_process_that_was_killed_is_started_again(decoder):
    os.kill(decoder._parent.pid, signal.SIGKILL)
    assert decoder.decode(wav(), 10).size == 8_000


def test_a_stop_of_the_service_lets_recordings_end(decoder):
    decoder.decode(wav(), 10)
    process = decoder._parent.pid
    os.kill(process, signal.SIGTERM)
    assert decoder.decode(wav(), 10).size == 8_000
    assert decoder._parent.pid == process


async def test_nothing_is_left_when_the_service_has_ended():
    decoder = Decoder()
    decoder.decode(wav(), 10)
    process = decoder._parent.pid
    decoder._line.close()  # as the system does when it kills the service
    await eventually(lambda: Path(f"/proc/{process}/stat").read_text().split()[2] == "Z")
    decoder.close()
