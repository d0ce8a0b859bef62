"""Recorded sound on its way to the gateway.

A file is sent as it is, container and all: the speech service decodes and resamples it, whatever
its rate, better than this client could, and the gateway recognises the container by its first
bytes. So the client carries no resampler.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

from hal.client.errors import UsageError
from hal.client.turn import Audio
from hal.protocol import SAMPLE_RATE
from hal.shared.container import ACCEPTED, identify

CHUNK_BYTES = 512 * 1024
"""As base64, two thirds of the 1 MiB that WebSocket servers commonly allow in a frame.

Not smaller: the gateway listens for a pause that ends the utterance, and judges a chunk as a whole,
so that a recorded question with a pause for thought is still one question.
"""

MAX_FILE_BYTES = 25_000_000
"""What the speech service accepts by default."""


def audio_from_file(path: Path) -> Audio:
    """Read a recording.

    Raises:
        UsageError: it cannot be read, is too large, or is no recording that HAL knows.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} is larger than {MAX_FILE_BYTES // 1_000_000} MB: send a shorter one.")
        recording = path.read_bytes()
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error
    return audio_from_bytes(recording, str(path))


def audio_from_bytes(recording: bytes, name: str) -> Audio:
    """Prepare a recording for sending; `name` is what to call it in an error.

    Raises:
        UsageError: it is none that HAL knows.
    """
    found = identify(recording)
    if not (found and found.label):
        likeness = f"looks like {found.title}" if found else "is no recording that HAL knows"
        raise UsageError(f"{name} {likeness}: give a {ACCEPTED} file.")
    # The rate is only a label here: whoever decodes a container reads its own.
    return Audio(_chunks(recording), found.label, SAMPLE_RATE)


async def _chunks(recording: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(recording), CHUNK_BYTES):
        yield recording[start : start + CHUNK_BYTES]
