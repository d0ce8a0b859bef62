"""What bytes are, told by how they begin: sound of every kind, and what is none."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from hal.shared.container import identify, is_no_pcm16

SPOKEN = Path(__file__).parent / "speech/what_medications.ogg"
MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # 128 kbit/s at 44.1 kHz is 417 bytes
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov", "frag_duration": "100000"}


@pytest.mark.parametrize(
    ("container", "codec", "options", "label"),
    [
        ("wav", "pcm_s16le", {}, "wav"),
        ("wav", "pcm_s16le", {"rf64": "always"}, "wav"),
        ("flac", "flac", {}, "flac"),
        ("ogg", "libopus", {}, "ogg"),
        ("mp3", "mp3", {}, "mp3"),
        ("mp3", "mp3", {"id3v2_version": "0", "write_xing": "0"}, "mp3"),
        ("webm", "libopus", {}, "webm"),
        ("webm", "libopus", {"live": "1"}, "webm"),
        ("matroska", "libopus", {}, "webm"),
        ("ipod", "aac", {}, "mp4"),
        ("mp4", "aac", {}, "mp4"),
        ("mp4", "aac", FRAGMENTED, "mp4"),
        ("mov", "pcm_s16le", {}, "mp4"),
        ("3gp", "aac", {}, "mp4"),
        ("aiff", "pcm_s16be", {}, "aiff"),
        ("caf", "pcm_s16be", {}, "caf"),
        ("adts", "aac", {}, "aac"),
    ],
)
def test_sound_is_told_whole_and_from_its_first_kilobyte(
    encoded_sound: Callable[..., bytes], container: str, codec: str, options: dict[str, str], label: str
) -> None:
    whole = encoded_sound(container, codec, **options)
    for data in (whole, whole[:1_024]):
        found = identify(data)
        assert found is not None and found.label == label


def test_amr_is_sound() -> None:  # which FFmpeg reads and does not write
    found = identify(b"#!AMR\n\x3c\x91\x17")
    assert found is not None and found.label == "amr"


@pytest.mark.parametrize(
    ("data", "label", "kind"),
    [
        (MP3_FRAME * 2, "", "mp3"),
        (MP3_FRAME[:100], "mp3", "mp3"),
        (MP3_FRAME[:100], "wav", None),
        (b"\xff\xfb\x90\x00" + b"\x01\x02" * 500, "wav", None),
        (b"\xff\xff\xff\xff", "mp3", None),
        (b"\x00\x00\x01\x00", "wav", None),
        (b"", "", None),
        (b"RIFF\x24\x00", "wav", None),
    ],
)
def test_a_label_decides_only_where_the_bytes_leave_it_open(
    data: bytes, label: str, kind: str | None
) -> None:
    found = identify(data, label)
    assert (found.label if found else None) == kind


def picture(codec: str, pixels: str) -> bytes:
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width = encoder.height = 16
    encoder.pix_fmt, encoder.framerate = pixels, 1
    frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24").reformat(
        format=pixels
    )
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as out:
        out.writestr("a.txt", "text")
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (picture("mjpeg", "yuvj420p"), "a JPEG picture"),
        (picture("png", "rgb24"), "a PNG picture"),
        (b"GIF89a\x10\x00", "a GIF picture"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "a WebP picture"),
        (b"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00", "a HEIC or AVIF picture"),
        (archive(), "a ZIP archive"),
        (gzip.compress(b"text"), "a gzip archive"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"RIFF\x24\x00\x00\x00AVI LIST", "an AVI video"),
        (b"<!DOCTYPE html>\n<html lang='en'><head><title>502 Bad Gateway</title></head>", "an HTML page"),
        (b'\xef\xbb\xbf{"status": "error", "detail": "The service is busy, try again in a moment."}', "JSON"),
        ("Wie geht es Ihnen? Für größere Äpfel genügt ein Löffel, überall und immer.".encode(), "text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_sound_has_a_name(data: bytes, title: str) -> None:
    found = identify(data)
    assert found is not None and (found.title, found.label) == (title, "")


@pytest.mark.parametrize(
    ("container", "codec", "options", "marks", "title"),
    [
        ("webm", "libopus", {"live": "1"}, [b"\x1f\x43\xb6\x75", b"\xa3"], "the middle of a WebM recording"),
        ("mp4", "aac", FRAGMENTED, [b"moof"], "the middle of an MP4 recording"),
    ],
)
def test_a_recording_without_its_beginning_is_told_as_such(
    encoded_sound: Callable[..., bytes],
    container: str,
    codec: str,
    options: dict[str, str],
    marks: list[bytes],
    title: str,
) -> None:
    whole = encoded_sound(container, codec, **options)
    for mark in marks:
        start = whole.index(mark, 400 if mark == b"\xa3" else 0) - (4 if mark == b"moof" else 0)
        found = identify(whole[start:])
        assert found is not None and (found.title, found.label) == (title, "")


def test_samples_without_a_header_are_taken_for_nothing_else() -> None:
    chance = random.Random(16)
    for number in range(20_000):
        loudness = chance.choice([3, 300, 30_000])
        samples = (chance.randint(-loudness, loudness) for _ in range(64))
        data = struct.pack("<64h", *samples)
        assert identify(data) is None, (number, data)


def samples_of(path: Path, rate: int = 16_000) -> np.ndarray:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", rate)
        pieces = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([piece.to_ndarray().ravel() for piece in pieces])


@pytest.mark.parametrize("share", [0.2, 0.35, 0.5])
def test_a_recording_cut_anywhere_is_no_pcm16(share: float) -> None:
    spoken = SPOKEN.read_bytes()
    assert is_no_pcm16(spoken[int(len(spoken) * share) :])


def test_encrypted_bytes_and_samples_of_the_other_byte_order_are_no_pcm16() -> None:
    assert is_no_pcm16(random.Random(30).randbytes(20_000))
    assert is_no_pcm16(samples_of(SPOKEN).astype(">i2").tobytes())


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("gain", [0.01, 1, 5, 20, 100, 1000])
def test_speech_is_pcm16_however_loud_and_clipped(rate: int, gain: float) -> None:
    samples = np.clip(samples_of(SPOKEN, rate) * float(gain), -32_768, 32_767).astype("<i2")
    for begin in range(0, len(samples) - 2_000, rate // 2):  # half seconds, of which some are hissed
        assert not is_no_pcm16(samples[begin : begin + rate // 2].tobytes())
    assert not is_no_pcm16(samples.tobytes())


def test_quiet_noise_hum_and_silence_are_pcm16_and_so_is_what_is_too_short_to_tell() -> None:
    chance = np.random.default_rng(31)
    for samples in (
        chance.normal(size=16_000) * 3_000,
        np.sin(np.arange(16_000) / 50) * 32_000,
        np.sign(np.sin(np.arange(16_000) / 50)) * 20_000,
        np.zeros(16_000),
    ):
        assert not is_no_pcm16(samples.astype("<i2").tobytes())
    assert not is_no_pcm16(random.Random(32).randbytes(2_000))
    assert not is_no_pcm16(b"")
