"""End of speech: voice activity detection (WebRTC's) with the memory that makes it steady."""

from __future__ import annotations

import struct

import webrtcvad  # type: ignore[import-untyped]  # the wheel ships no type information

FRAME_MS = 20
ONSET_FRAMES = 5  # 100 ms of voice: the detector hears a click for 80 ms
SILENCE_FRAMES = 1_000 // FRAME_MS
AGGRESSIVENESS = 2  # 0 lets noise pass as voice, 3 takes soft voices for noise
_SUPPORTED_RATES = (8_000, 16_000, 32_000, 48_000)
_FALLBACK_RATE = 16_000


class EndOfSpeech:
    """Listens to mono PCM16 and tells when somebody has spoken and then been silent for 1 s."""

    def __init__(self, sample_rate: int) -> None:
        self.heard = False
        self.ended = False
        self._is_speech = webrtcvad.Vad(AGGRESSIVENESS).is_speech
        self._input_rate = sample_rate
        self._rate = sample_rate if sample_rate in _SUPPORTED_RATES else _FALLBACK_RATE
        self._frame_bytes = sample_rate * FRAME_MS // 1_000 * 2
        self._rest = b""
        self._voiced = 0
        self._silent = 0

    def feed(self, pcm: bytes) -> bool:
        """Listen to more audio, of any length; return whether `heard` or `ended` has changed."""
        data = self._rest + pcm
        before = self.heard, self.ended
        start, size = 0, self._frame_bytes
        while (end := start + size) <= len(data):
            frame = data[start:end] if self._rate == self._input_rate else self._resample(data[start:end])
            self._judge(self._is_speech(frame, self._rate))
            start = end
        self._rest = data[start:]
        return (self.heard, self.ended) != before

    def _judge(self, is_speech: bool) -> None:
        self._voiced = self._voiced + 1 if is_speech else 0
        if self._voiced >= ONSET_FRAMES:  # a single noisy frame does not interrupt a silence
            self.heard = True
            self._silent = 0
        else:
            self._silent += 1
            self.ended = self.ended or (self.heard and self._silent >= SILENCE_FRAMES)

    def _resample(self, frame: bytes) -> bytes:
        """Pick samples at a rate the detector knows; good enough to tell voice from silence."""
        samples = struct.unpack(f"<{len(frame) // 2}h", frame)
        count = self._rate * FRAME_MS // 1_000
        return struct.pack(f"<{count}h", *(samples[i * len(samples) // count] for i in range(count)))
