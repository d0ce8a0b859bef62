"""How bytes and samples are written: base64 of every kind, and samples that are no PCM16 turned into it.

Whoever sends samples without a container says what they are by a label.
"""

from __future__ import annotations

import base64
import io
import math
import struct
import wave
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PCM16_SCALE = 32_768
SAMPLE_WIDTH = 2  # bytes of a PCM16 sample
MIN_SAMPLE_RATE = 8_000
MAX_SAMPLE_RATE = 48_000
_URL_SAFE = str.maketrans("-_", "+/")


def decode_base64(text: str) -> bytes:
    """Return what `text` encodes: with line breaks, URL-safe, without padding, or as a `data:` URI.

    Raises:
        ValueError: it is no base64.
    """
    if text[:5].lower() == "data:":
        head, _, text = text.partition(",")
        if not head.lower().endswith(";base64"):
            raise ValueError("a data: URI must say ;base64")
    digits = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
    return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)


def sample_rate(said: Any, default: int) -> int:
    """Read a rate that may be a number of any kind, or text; None is the default.

    Raises:
        ValueError: it is no rate of speech.
    """
    if said is None:
        return default
    try:
        rate = 0.0 if isinstance(said, bool) else float(said)
    except (TypeError, ValueError, OverflowError):
        rate = 0.0
    if not (MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE and rate.is_integer()):
        raise ValueError(f"sample_rate must be a whole number from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}")
    return int(rate)


def to_wav(pcm16: bytes, rate: int) -> bytes:
    """Return mono PCM16 of a rate as a WAV file; half a sample at the end is left out."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(SAMPLE_WIDTH)
        out.setframerate(rate)
        out.writeframes(pcm16[: len(pcm16) // SAMPLE_WIDTH * SAMPLE_WIDTH])
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Encoding:
    """A way of writing samples that is not PCM16.

    Attributes:
        width: bytes of a sample.
        rate: samples a second where nothing says how many; 0 if there is no usual number.
        to_pcm16: turns whole samples into PCM16, little-endian.
    """

    width: int
    rate: int
    to_pcm16: Callable[[bytes], bytes]


def _from_float32(data: bytes) -> bytes:
    """Turn floats from -1 to 1 into PCM16; what is beyond, or no number, is cut."""
    numbers = struct.unpack(f"<{len(data) // 4}f", data)
    return struct.pack(
        f"<{len(numbers)}h",
        *(
            0 if math.isnan(number) else int(max(-PCM16_SCALE, min(PCM16_SCALE - 1, number * PCM16_SCALE)))
            for number in numbers
        ),
    )


def _mu_law(code: int) -> int:
    """Return the sample that a byte of µ-law stands for (ITU-T G.711)."""
    code = ~code & 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -size if code & 0x80 else size


def _a_law(code: int) -> int:
    """Return the sample that a byte of A-law stands for (ITU-T G.711)."""
    code ^= 0x55
    exponent, size = code >> 4 & 7, (code & 0x0F) << 4
    size = size + 8 if exponent == 0 else size + 0x108 << exponent - 1
    return size if code & 0x80 else -size


def _from_table(expand: Callable[[int], int]) -> Callable[[bytes], bytes]:
    table = [struct.pack("<h", expand(code)) for code in range(256)]
    return lambda data: b"".join(map(table.__getitem__, data))


FLOAT32 = Encoding(4, 0, _from_float32)
MU_LAW = Encoding(1, 8_000, _from_table(_mu_law))
A_LAW = Encoding(1, 8_000, _from_table(_a_law))
_LABELS = {
    FLOAT32: ("float32", "float32le", "float", "f32", "f32le", "pcmf32", "pcmf32le", "pcmfloat32"),
    MU_LAW: ("mulaw", "ulaw", "pcmmulaw", "pcmulaw", "pcmu", "g711", "g711ulaw", "g711mulaw", "basic"),
    A_LAW: ("alaw", "pcmalaw", "pcma", "g711alaw"),
}
_BY_LABEL = {label: encoding for encoding, labels in _LABELS.items() for label in labels}


def encoding_of(label: str) -> Encoding | None:
    """Return what a label such as "pcm_f32le" or "audio/PCMU" names; None: PCM16, a container, or unknown."""
    plain = "".join(filter(str.isalnum, label.lower().replace("µ", "u").replace("\u03bc", "u")))
    return _BY_LABEL.get(plain.removeprefix("audio"))
