"""Recordings of any kind in, samples as Whisper wants them out: mono, 16 kHz, 32-bit float.

Only the demuxer of the kind that the bytes are is given them: FFmpeg's own guess may take text for a
playlist and open the addresses it names.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from numpy.typing import NDArray

from hal.protocol import SAMPLE_RATE
from hal.shared.container import ACCEPTED, NO_PCM16, Format, identify, is_no_pcm16, says_too_little
from hal.speech.errors import BadAudio, TooLarge

type Samples = NDArray[np.float32]

SAMPLE_BYTES = 2
FULL_SCALE = 32_768
MIN_RATE = 4_000
MAX_RATE = 192_000
MAX_CHANNELS = 8
_CODECS = frozenset(
    {"aac", "alac", "amrnb", "amrwb", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "libvorbis"}
    | {"adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms"}
    | {name for name in av.codecs_available if name.startswith("pcm_")}
)
"""FFmpeg's names of what telephones, browsers and recorders encode sound with; it opens no others."""

SAMPLES_PER_BYTE = 8  # ADPCM, in which a file says how many samples it holds, has two in a byte
CUT_OFF = 10
"""How many times longer than its sound a file may say that it lasts: an upload that broke off is heard."""

_SAY_HOW_LONG = frozenset({"mp4", "flac"})
"""What is told its duration when it is complete; of others FFmpeg, or a client that streams, guesses it."""

_DEMUXERS = {"webm": "matroska", "mp4": "mov"}  # of the others, FFmpeg's name is our label


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
    found = identify(data)
    likeness = (
        found.title if found and not found.label else NO_PCM16 if not found and is_no_pcm16(data) else ""
    )
    if likeness:
        raise BadAudio(f"This looks like {likeness}: send a whole {ACCEPTED} file, or PCM16 at 16 kHz.")
    pcm = _from_container(data, found, limit) if found else _from_raw(data)
    if pcm.size == 0:
        raise BadAudio("The recording is empty: it holds no sound.")
    if pcm.size > limit:
        raise TooLarge(f"The recording is longer than {max_s:g} s: send it in shorter pieces.")
    return pcm.astype(np.float32) / np.float32(FULL_SCALE)


def is_raw(data: bytes) -> bool:
    """Return whether a recording is samples without a container, for which nothing is parsed."""
    return identify(data) is None


def size_limit(max_s: float) -> int:
    """Return how many bytes the samples of a recording of `max_s` seconds have."""
    return int(max_s * SAMPLE_RATE) * np.dtype(np.float32).itemsize


def _from_raw(data: bytes) -> NDArray[np.int16]:
    """Read PCM16."""
    if len(data) % SAMPLE_BYTES:
        raise BadAudio(
            "The recording is in no known container, and as raw PCM16 it would have an even number of bytes."
        )
    return np.frombuffer(data, dtype="<i2")


def _from_container(data: bytes, found: Format, limit: int) -> NDArray[np.int16]:
    """Decode a container, no further than just beyond `limit` samples."""
    pieces: list[NDArray[np.int16]] = []
    count = 0
    options = {"codec_whitelist": ",".join(_CODECS)}
    if says_too_little(data):
        options["ignore_length"] = "1"
    try:
        with av.open(
            io.BytesIO(data),
            mode="r",
            format=_DEMUXERS.get(found.label, found.label),
            container_options=options,
        ) as container:
            said_s = _claimed_s(container, found, len(data))
            for piece in _resampled(container):
                pieces.append(piece)
                count += piece.size
                if count > limit:
                    break
    except (av.FFmpegError, ValueError, OverflowError, MemoryError, UnicodeError) as error:
        raise BadAudio(
            f"The recording begins like {found.title} but cannot be decoded: it is damaged."
        ) from error
    if 0 < count <= limit and said_s * SAMPLE_RATE > CUT_OFF * max(count, SAMPLE_RATE):
        raise BadAudio("The recording says that it lasts far longer than it does: it is cut off or damaged.")
    return np.concatenate(pieces) if pieces else np.empty(0, np.int16)


def _claimed_s(container: InputContainer, found: Format, size: int) -> float:
    """Return how many seconds a container of `size` bytes says that it lasts; 0 if it does not say.

    Raises:
        ValueError: it says that it has more samples than its bytes can be.
    """
    stream = next(iter(container.streams.audio), None)
    if stream is None or found.label not in _SAY_HOW_LONG:
        return 0.0
    if stream.frames > SAMPLES_PER_BYTE * size:
        raise ValueError(f"{stream.frames} samples in {size} bytes")
    return float((stream.duration or 0) * (stream.time_base or 0))


def _resampled(container: InputContainer) -> Iterator[NDArray[np.int16]]:
    stream = next(iter(container.streams.audio), None)
    if stream is None:
        raise BadAudio("The file holds no audio track.")
    if any(not stream.disposition & Disposition.attached_pic for stream in container.streams.video):
        raise BadAudio(f"The file holds a video: send its sound alone, as {ACCEPTED}.")
    if not hasattr(stream, "rate"):  # PyAV gives a track of unknown encoding no such attributes
        raise BadAudio(f"The recording's encoding is not known here: send {ACCEPTED}.")
    codec = stream.codec_context.name
    if codec not in _CODECS:
        raise BadAudio(f"The recording is encoded as {codec}, which is not taken here: send {ACCEPTED}.")
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
