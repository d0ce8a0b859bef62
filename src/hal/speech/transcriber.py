"""Speech recognition itself: what the service needs of a model, and faster-whisper behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from faster_whisper import WhisperModel  # type: ignore[import-untyped]  # it ships no types

from hal.protocol import SAMPLE_RATE
from hal.speech.decoding import Samples
from hal.speech.device import has_gpu, load_libraries, why_not_cuda
from hal.speech.settings import SpeechSettings

type Task = Literal["transcribe", "translate"]

log = logging.getLogger(__name__)

_MODEL_FILE = "model.bin"


class Abandoned(Exception):
    """Nobody waits for the transcript any more."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech: `start` and `end` in seconds from the beginning, and what was said."""

    start: float
    end: float
    text: str
    average_log_probability: float = 0.0
    no_speech_probability: float = 0.0


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, in which language (ISO 639-1) and how sure that is; duration in seconds."""

    segments: tuple[Segment, ...]
    language: str
    language_probability: float
    duration_s: float

    @property
    def text(self) -> str:
        """The segments' text, joined."""
        return " ".join(stripped for segment in self.segments if (stripped := segment.text.strip()))


class Transcriber(Protocol):
    """A loaded model."""

    @property
    def languages(self) -> Collection[str]:
        """ISO 639-1 codes of the languages it understands."""

    @property
    def device(self) -> str:
        """What computes it: "cpu" or "cuda"."""

    @property
    def fallback(self) -> str:
        """Why the processor computes it though there is a GPU; empty otherwise."""

    def transcribe(
        self, samples: Samples, *, language: str | None, task: Task, abandoned: Callable[[], bool]
    ) -> Transcript:
        """Return what is said; runs in a worker thread.

        Arguments:
            samples: mono, 16 kHz.
            language: ISO 639-1 code, or None to have it recognised.
            task: "translate" gives English whatever is spoken.
            abandoned: asked between segments whether to give up.

        Raises:
            Abandoned: `abandoned` said so.
        """


class WhisperTranscriber:
    """Whisper by faster-whisper and CTranslate2."""

    def __init__(self, settings: SpeechSettings) -> None:
        """Load the model, which takes seconds.

        Raises:
            RuntimeError, ValueError, OSError: it cannot be loaded; the text says why.
        """
        logging.getLogger("faster_whisper").setLevel(logging.WARNING)
        path = Path(settings.model)
        if path.is_absolute() and not (path / _MODEL_FILE).is_file():
            raise FileNotFoundError(f"{path} holds no model: {_MODEL_FILE} is missing")
        self._settings = settings
        self.fallback = ""
        if settings.device == "cuda":
            load_libraries()
            self._model = self._load("cuda")
        elif settings.device == "cpu" or not has_gpu():
            self._model = self._load("cpu")
        else:
            self._model = self._load_anywhere()
        self.languages = frozenset(self._model.supported_languages)
        self.device = str(self._model.model.device)

    def _load_anywhere(self) -> WhisperModel:
        """Load the model on the GPU, or else on the processor, and note why."""
        self.fallback = why_not_cuda()
        if not self.fallback:
            try:
                return self._load("cuda")
            except (RuntimeError, ValueError) as error:  # too little memory, or a GPU that is too old
                self.fallback = str(error)
        log.warning("there is a GPU, but the processor computes: %s", self.fallback)
        return self._load("cpu")

    def _load(self, device: str) -> WhisperModel:
        model = WhisperModel(
            self._settings.model,
            device=device,
            compute_type=self._settings.compute_type,
            cpu_threads=self._settings.cpu_threads,
            num_workers=self._settings.workers,
        )
        if device == "cuda":  # CTranslate2 loads CUDA's libraries when it first computes
            second = np.zeros(SAMPLE_RATE, dtype=np.float32)
            model.encode(model.feature_extractor(second))
        return model

    def transcribe(
        self, samples: Samples, *, language: str | None, task: Task, abandoned: Callable[[], bool]
    ) -> Transcript:
        """Return what is said; see Transcriber."""
        if abandoned():
            raise Abandoned
        # Silence is removed first: Whisper invents words for it. And one sentence says nothing
        # about the next, whereas a mistake carried on repeats itself.
        segments, info = self._model.transcribe(
            samples, language=language, task=task, vad_filter=True, condition_on_previous_text=False
        )
        heard: list[Segment] = []
        for segment in segments:
            if abandoned():
                raise Abandoned
            heard.append(
                Segment(segment.start, segment.end, segment.text, segment.avg_logprob, segment.no_speech_prob)
            )
        duration_s = samples.size / SAMPLE_RATE
        return Transcript(tuple(heard), info.language, float(info.language_probability), duration_s)
