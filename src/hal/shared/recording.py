"""Audio as clients send it: samples of several kinds in, one proper container out.

Most clients send 16 kHz mono PCM16 in 32 ms chunks and call it "wav" without a RIFF header, some send
floats or µ-law and say so; others send a container, which goes to speech recognition as it is.
"""

from __future__ import annotations

import struct
from typing import Any

from hal.protocol import SAMPLE_RATE, Frame, ProtocolError
from hal.shared.container import HEAD_BYTES, NO_PCM16, Format, identify, is_no_pcm16
from hal.shared.samples import (
    FLOAT32,
    MAX_SAMPLE_RATE,
    MIN_SAMPLE_RATE,
    SAMPLE_WIDTH,
    Encoding,
    decode_base64,
    encoding_of,
    sample_rate,
    to_wav,
)
from hal.shared.vad import EndOfSpeech

MAX_SECONDS = 60
MAX_CONTAINER_BYTES = MAX_SECONDS * 64_000  # 60 s at 512 kbit/s: more than any speech codec needs
_WAV_HEADER_BYTES = 12
_WAVE_FORMATS_PCM = (1, 0xFFFE)


def decode_chunk(frame: Frame) -> tuple[bytes, int, str]:
    """Read an `audio_chunk` frame and return (bytes, sample rate in Hz, label of the format).

    The audio stands in `audio` or `audio_data`, as base64 or as a list of samples: int16, or floats if the
    label says so.

    Raises:
        ProtocolError: a field is missing or has the wrong type or value.
    """
    label = frame.get("format", "")
    label = label if isinstance(label, str) else ""
    encoding = encoding_of(label)
    try:
        rate = sample_rate(frame.get("sample_rate"), (encoding and encoding.rate) or SAMPLE_RATE)
    except ValueError as error:
        raise ProtocolError(str(error)) from error
    return _decode_audio(frame.get("audio", frame.get("audio_data")), encoding), rate, label


def _decode_audio(audio: Any, encoding: Encoding | None) -> bytes:
    if isinstance(audio, str):
        try:
            return decode_base64(audio)
        except ValueError as error:
            raise ProtocolError("audio is not valid base64") from error
    if not isinstance(audio, list):
        raise ProtocolError("audio must be base64 text or a list of int16 samples")
    try:
        if encoding is FLOAT32:
            return struct.pack(f"<{len(audio)}f", *audio)
        return bytes(audio) if encoding else struct.pack(f"<{len(audio)}h", *audio)
    except (struct.error, TypeError, ValueError, OverflowError) as error:
        wanted = "such as format says" if encoding else "whole numbers from -32768 to 32767"
        raise ProtocolError(f"audio samples must be {wanted}") from error


def _parse_wav(data: bytes) -> tuple[bytes, int] | None:
    """Return (samples, rate) of a mono PCM16 WAV, or None for anything else.

    The lengths in the header are not believed: a client that streams does not know them.
    """
    if data[:4] != b"RIFF" or data[8:_WAV_HEADER_BYTES] != b"WAVE":
        return None
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

    Attributes:
        has_voice: whether somebody has begun to speak; a container, which is not decoded here, counts.
        is_over: whether the person has stopped speaking, or the recording is as long as it may get.
    """

    def __init__(self) -> None:
        self.has_voice = False
        self.is_over = False
        self._head = b""
        self._chunks: list[bytes] = []
        self._size = 0
        self._limit = MAX_CONTAINER_BYTES
        self._rate = SAMPLE_RATE
        self._ear: EndOfSpeech | None = None  # of PCM only
        self._encoding: Encoding | None = None  # of samples that are no PCM16
        self._partial = b""  # the beginning of such a sample
        self._format: Format | None = None

    def __len__(self) -> int:
        return self._size

    @property
    def not_sound(self) -> str:
        """What it looks like if it is no sound at all, such as "a JPEG picture"; else empty."""
        if self._ear:
            return NO_PCM16 if is_no_pcm16(b"".join(self._chunks)) else ""
        return self._format.title if self._format and not self._format.label else ""

    def add(self, data: bytes, rate: int = SAMPLE_RATE, label: str = "") -> bool:
        """Append a chunk; the first bytes settle what the recording is, and its sample rate.

        Returns:
            Whether `has_voice` or `is_over` has changed.
        """
        if not data or self._size >= self._limit:
            return False
        if not self._chunks:
            data = self._head + data  # browsers may send the very first byte alone
            if len(data) < HEAD_BYTES:
                self._head = data
                return False
            data = self._begin(data, rate, label)
        elif self._ear and data.startswith(b"RIFF") and (wav := _parse_wav(data)):
            data = wav[0]  # some clients put a header on every chunk
        data = self._to_pcm16(data)
        self._chunks.append(data)
        self._size += len(data)
        is_full = self._size >= self._limit
        if self._ear:
            if not (self._ear.feed(data) or is_full):
                return False
            self.has_voice, self.is_over = self._ear.heard, self._ear.ended or is_full
            return True
        is_first = not self.has_voice
        self.has_voice, self.is_over = True, is_full
        return is_first or is_full

    def _begin(self, data: bytes, rate: int, label: str) -> bytes:
        """Find out what is sent, and return the first chunk without the header that is not needed."""
        if wav := _parse_wav(data):
            data, rate = wav
        else:
            self._format, encoding = identify(data, label.lower()), encoding_of(label)
            if encoding and not (self._format and self._format.label):  # its bytes may look like anything
                self._format, self._encoding = None, encoding
        if self._format is None:
            self._rate = rate
            self._ear = EndOfSpeech(rate)
            self._limit = MAX_SECONDS * rate * SAMPLE_WIDTH
        return data

    def _to_pcm16(self, data: bytes) -> bytes:
        """Turn samples of another kind into PCM16; a chunk may end within one."""
        if self._encoding is None:
            return data
        data = self._partial + data
        whole = len(data) // self._encoding.width * self._encoding.width
        self._partial = data[whole:]
        return self._encoding.to_pcm16(data[:whole])

    def to_bytes(self) -> bytes:
        """Return the recording as a container: PCM gets the header that it lacks."""
        data = b"".join(self._chunks)
        return to_wav(data, self._rate) if self._ear else data
