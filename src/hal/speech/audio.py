"""Recordings of any kind in, samples as Whisper wants them out: mono, 16 kHz, 32-bit float.

The kind is told by the first bytes, never by a label, and only the demuxer of that kind is given
the bytes: FFmpeg's own guess may take text for a playlist and open the addresses it names.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from hal.protocol import SAMPLE_RATE
from hal.speech.errors import BadAudio, TooLarge

type Samples = NDArray[np.float32]

SAMPLE_BYTES = 2
FULL_SCALE = 32_768
MIN_RATE = 4_000
MAX_RATE = 192_000
MAX_CHANNELS = 8
_MAGIC = (
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (0, b"\x1aE\xdf\xa3", "matroska"),  # WebM too
    (0, b"caff", "caf"),
    (4, b"ftyp", "mov"),  # MP4, M4A
    (8, b"AIFF", "aiff"),
    (8, b"AIFC", "aiff"),
)
_TEXT_PROBE_BYTES = 64


def decode(data: bytes, max_s: float) -> Samples:
    """Return the samples of a recording: any usual container, or raw PCM16 at 16 kHz, mono.

    Arguments:
        data: the recording's bytes.
        max_s: longest duration accepted, in seconds.

    Raises:
        BadAudio: it is empty, damaged, or no audio.
        TooLarge: it lasts longer than `max_s`.
    """
    limit = int(max_s * SAMPLE_RATE)
    demuxer = sniff(data)
    pcm = _from_container(data, demuxer, limit) if demuxer else _from_raw(data)
    if pcm.size == 0:
        raise BadAudio("The recording is empty: it holds no sound.")
    if pcm.size > limit:
        raise TooLarge(f"The recording is longer than {max_s:g} s: send it in shorter pieces.")
    return pcm.astype(np.float32) / np.float32(FULL_SCALE)


def sniff(data: bytes) -> str | None:
    """Return the name of FFmpeg's demuxer for a container, None for anything else."""
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "wav"
    for offset, magic, demuxer in _MAGIC:
        if data[offset : offset + len(magic)] == magic:
            return demuxer
    return "mp3" if _is_mpeg_frame(data) else None


def _is_mpeg_frame(data: bytes) -> bool:
    """Tell an MPEG layer III frame from two loud samples: the frame after it starts alike."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:
        return False
    next_frame = data.find(data[:2], 4, 1_500)  # the longest frame has 1,441 bytes
    return next_frame > 0 and data[next_frame + 2 : next_frame + 3] not in (b"", b"\xff")


def _from_raw(data: bytes) -> NDArray[np.int16]:
    """Read PCM16; text and other documents by mistake are told apart from it."""
    head = data[:_TEXT_PROBE_BYTES]
    if len(head) == _TEXT_PROBE_BYTES and head.isascii() and head.decode("ascii").isprintable():
        raise BadAudio("This is text, not audio: send WAV, FLAC, Ogg, MP3, WebM, M4A, or PCM16 at 16 kHz.")
    if len(data) % SAMPLE_BYTES:
        raise BadAudio(
            "The recording is in no known container, and as raw PCM16 it would have an even number of bytes."
        )
    return np.frombuffer(data, dtype="<i2")


def _from_container(data: bytes, demuxer: str, limit: int) -> NDArray[np.int16]:
    """Decode a container, no further than just beyond `limit` samples."""
    pieces: list[NDArray[np.int16]] = []
    count = 0
    try:
        with av.open(io.BytesIO(data), mode="r", format=demuxer) as container:
            for piece in _resampled(container):
                pieces.append(piece)
                count += piece.size
                if count > limit:
                    break
    except (av.FFmpegError, ValueError, OverflowError, MemoryError, UnicodeError) as error:
        raise BadAudio(
            f"The recording begins like {demuxer} but cannot be decoded: it is damaged."
        ) from error
    return np.concatenate(pieces) if pieces else np.empty(0, np.int16)


def _resampled(container: InputContainer) -> Iterator[NDArray[np.int16]]:
    stream = next(iter(container.streams.audio), None)
    if stream is None:
        raise BadAudio("The file holds no audio track.")
    if not hasattr(stream, "rate"):  # PyAV gives a track of unknown encoding no such attributes
        raise BadAudio("The recording's encoding is not known here: send WAV, FLAC, Ogg, MP3, WebM or M4A.")
    # Resampling from 1 Hz would turn a small file into a huge one.
    if not (MIN_RATE <= (stream.rate or 0) <= MAX_RATE and 1 <= stream.channels <= MAX_CHANNELS):
        raise BadAudio(
            f"The recording must have {MIN_RATE} to {MAX_RATE} samples a second "
            f"and at most {MAX_CHANNELS} channels."
        )
    stream.codec_context.thread_count = 1  # the pool decides how many processors are used
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    for frame in _frames(container, stream):
        for out in resampler.resample(frame):
            yield _samples(out)
    for out in resampler.resample(None):
        yield _samples(out)


def _samples(frame: av.AudioFrame) -> NDArray[np.int16]:
    return frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[av.AudioFrame]:
    """Yield what can be decoded; a damaged packet costs itself, not the recording."""
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            continue
        for frame in frames:
            frame.pts = None  # timestamps that contradict each other do not matter here
            yield frame
