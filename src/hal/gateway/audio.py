"""Audio as clients send it: three encodings in, one proper container out.

Most clients send 16 kHz mono PCM16 in 32 ms chunks and call it "wav" without a RIFF header;
others send a container. What the bytes are is decided by looking at them, not by the label.
"""

from __future__ import annotations

import base64
import binascii
import io
import struct
import wave
from enum import StrEnum
from typing import Any

from hal.gateway.vad import EndOfSpeech
from hal.protocol import SAMPLE_RATE, Frame, ProtocolError

MAX_SECONDS = 60
MAX_CONTAINER_BYTES = MAX_SECONDS * 64_000  # 60 s at 512 kbit/s: more than any speech codec needs
MIN_SAMPLE_RATE = 8_000
MAX_SAMPLE_RATE = 48_000
SAMPLE_WIDTH = 2
_WAV_HEADER_BYTES = 12
_WAVE_FORMATS_PCM = (1, 0xFFFE)


class Kind(StrEnum):
    """What a recording's bytes are."""

    PCM = "pcm"
    WAV = "wav"
    FLAC = "flac"
    OGG = "ogg"
    MP3 = "mp3"


def decode_chunk(frame: Frame) -> tuple[bytes, int, str]:
    """Read an `audio_chunk` frame and return (bytes, sample rate in Hz, label of the format).

    The audio stands in `audio` or `audio_data`, as base64 or as a list of int16 samples.

    Raises:
        ProtocolError: a field is missing or has the wrong type or value.
    """
    audio = frame.get("audio", frame.get("audio_data"))
    rate = frame.get("sample_rate", SAMPLE_RATE)
    label = frame.get("format", "")
    if isinstance(rate, bool) or not isinstance(rate, int) or not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
        raise ProtocolError(f"sample_rate must be a whole number from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}")
    return _decode_audio(audio), rate, label.lower() if isinstance(label, str) else ""


def _decode_audio(audio: Any) -> bytes:
    if isinstance(audio, str):
        try:
            return base64.b64decode(audio, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ProtocolError("audio is not valid base64") from error
    if isinstance(audio, list):
        try:
            return struct.pack(f"<{len(audio)}h", *audio)
        except struct.error as error:
            raise ProtocolError("audio samples must be whole numbers from -32768 to 32767") from error
    raise ProtocolError("audio must be base64 text or a list of int16 samples")


def sniff(data: bytes, label: str = "") -> Kind:
    """Tell what `data`, the beginning of a recording, is; whatever is not recognised is PCM16."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return Kind.WAV
    if data[:4] == b"fLaC":
        return Kind.FLAC
    if data[:4] == b"OggS":
        return Kind.OGG
    if data[:3] == b"ID3" or _is_mp3(data, trust_header=label in ("mp3", "mpeg", "audio/mpeg")):
        return Kind.MP3
    return Kind.PCM


def _is_mp3(data: bytes, *, trust_header: bool) -> bool:
    """Look for two MPEG layer III frames in a row: one header alone may as well be two loud samples."""
    bitrates = {
        3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
        2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    }
    rates = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    bitrate, rate = data[2] >> 4, data[2] >> 2 & 3
    if version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3:
        return False
    factor = 144_000 if version == 3 else 72_000
    length = factor * bitrates[3 if version == 3 else 2][bitrate - 1] // rates[version][rate]
    length += data[2] >> 1 & 1
    if len(data) < length + 2:
        return trust_header
    return data[length] == 0xFF and data[length + 1] & 0xFE == data[1] & 0xFE


def _parse_wav(data: bytes) -> tuple[bytes, int] | None:
    """Return (samples, rate) of a mono PCM16 WAV, or None for any other.

    The lengths in the header are not believed: a client that streams does not know them.
    """
    position, rate = _WAV_HEADER_BYTES, 0
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        body = position + 8
        if name == b"fmt " and body + 16 <= len(data):
            code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, body)
            if (channels, bits) != (1, 16) or code not in _WAVE_FORMATS_PCM:
                return None
        if name == b"data":
            usable = MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE
            return (data[body:], rate) if usable else None
        position = body + size + size % 2
    return None


class Recording:
    """One utterance as it arrives, bounded; knows when the person has stopped speaking.

    The end is found in PCM only. A container is complete when the client says so, when the
    limit is reached, or when the session's time is up.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._kind: Kind | None = None
        self._rate = SAMPLE_RATE
        self._ear: EndOfSpeech | None = None

    def __len__(self) -> int:
        return len(self._data)

    @property
    def has_voice(self) -> bool:
        """Whether somebody has begun to speak; a container, which is not decoded here, counts."""
        return self._ear.heard if self._ear else bool(self._data)

    @property
    def is_over(self) -> bool:
        """Whether the person has stopped speaking, or the recording is as long as it may get."""
        return self._is_full or (self._ear is not None and self._ear.ended)

    @property
    def _is_full(self) -> bool:
        if self._kind is Kind.PCM:
            return len(self._data) >= MAX_SECONDS * self._rate * SAMPLE_WIDTH
        return len(self._data) >= MAX_CONTAINER_BYTES

    def add(self, data: bytes, rate: int = SAMPLE_RATE, label: str = "") -> None:
        """Append a chunk. The first one settles what the recording is and its sample rate."""
        if not data or self._is_full:
            return
        if self._kind in (None, Kind.PCM) and sniff(data[:_WAV_HEADER_BYTES]) is Kind.WAV:
            parsed = _parse_wav(data)  # some clients put a header on every chunk
            if parsed:
                data, rate = parsed
                self._kind = self._kind or Kind.PCM
                self._begin_pcm(rate)
        if self._kind is None:
            self._kind = sniff(data, label)
            if self._kind is Kind.PCM:
                self._begin_pcm(rate)
        self._data += data
        if self._ear:
            self._ear.feed(data)

    def _begin_pcm(self, rate: int) -> None:
        if self._ear is None:
            self._rate = rate
            self._ear = EndOfSpeech(rate)

    def to_bytes(self) -> bytes:
        """Return the recording as a container: PCM gets the header that it lacks."""
        if self._kind is not Kind.PCM:
            return bytes(self._data)
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(SAMPLE_WIDTH)
            out.setframerate(self._rate)
            out.writeframes(self._data[: len(self._data) // SAMPLE_WIDTH * SAMPLE_WIDTH])
        return buffer.getvalue()
