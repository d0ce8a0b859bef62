"""Speech in the encodings of OpenAI's API, out of the WAV file that Piper makes."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

PCM_RATE = 24_000  # as OpenAI's API has it, PCM16 without a header


@dataclass(frozen=True, slots=True)
class Encoding:
    """A form in which speech is sent.

    Attributes:
        media_type: what HTTP calls it.
        container: FFmpeg's name of its container; empty if it is made without one, and so the next.
        codec: FFmpeg's name of its encoder.
        rate: samples a second.
    """

    media_type: str
    container: str = ""
    codec: str = ""
    rate: int = PCM_RATE


ENCODINGS = {
    "mp3": Encoding("audio/mpeg", "mp3", "libmp3lame"),
    "opus": Encoding("audio/ogg", "ogg", "libopus", 48_000),
    "aac": Encoding("audio/aac", "adts", "aac"),
    "flac": Encoding("audio/flac", "flac", "flac"),
    "wav": Encoding("audio/wav"),
    "pcm": Encoding("audio/pcm"),
}


def encode(recording: bytes, response_format: str) -> bytes:
    """Return a WAV file in another of ENCODINGS; takes a hundredth of its duration.

    Raises:
        ValueError: it is damaged.
    """
    if response_format == "wav":
        return recording
    encoding = ENCODINGS[response_format]
    try:
        with av.open(io.BytesIO(recording), mode="r", format="wav") as source:
            frames = source.decode(source.streams.audio[0])
            return _encoded(frames, encoding) if encoding.container else _pcm(frames)
    except (av.FFmpegError, IndexError) as error:
        raise ValueError("the recording is damaged") from error


def _pcm(frames: Iterable[av.AudioFrame]) -> bytes:
    resampler = AudioResampler("s16", "mono", PCM_RATE)
    pieces = [piece for frame in [*frames, None] for piece in resampler.resample(frame)]
    return b"".join(piece.to_ndarray().astype("<i2", copy=False).tobytes() for piece in pieces)


def _encoded(frames: Iterable[av.AudioFrame], encoding: Encoding) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format=encoding.container) as output:
        stream = cast(AudioStream, output.add_stream(encoding.codec, rate=encoding.rate, layout="mono"))
        resampler = AudioResampler(
            stream.format.name, "mono", encoding.rate, frame_size=stream.frame_size or None
        )
        for frame in [*frames, None]:
            for piece in resampler.resample(frame):
                output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return target.getvalue()
