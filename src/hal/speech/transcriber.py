"""Speech recognition itself: what the service needs of a model, and faster-whisper behind it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from faster_whisper import WhisperModel  # type: ignore[import-untyped]  # it ships no types

from hal.protocol import SAMPLE_RATE
from hal.speech.decoding import Samples
from hal.speech.device import has_gpu, load_libraries, why_not_cuda
from hal.speech.settings import SpeechSettings

type Task = Literal["transcribe", "translate"]

log = logging.getLogger(__name__)

MAX_COMPRESSION = 2.4  # a text that can be compressed further repeats itself, which no person does

_MODEL_FILE = "model.bin"


class Abandoned(Exception):
    """Nobody waits for the transcript any more."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a recording is transcribed.

    Attributes:
        language: ISO 639-1 code, or None to have it recognised.
        task: "translate" gives English whatever is spoken.
        words: whether the times of single words are wanted.
        prompt: what was said before, or names that may occur.
        temperature: how freely the model chooses, 0 to 1; None: as freely as it needs.
    """

    language: str | None = None
    task: Task = "transcribe"
    words: bool = False
    prompt: str = ""
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word: `start` and `end` in seconds from the beginning, and how likely it is, 0 to 1."""

    start: float
    end: float
    word: str
    probability: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech: `start` and `end` in seconds from the beginning, and what was said.

    Attributes:
        average_log_probability: of the text's parts, 0 for certain.
        no_speech_probability: that nobody spoke, by the model.
        compression_ratio: of the text; what repeats itself is compressed far.
        temperature: with which the model found it.
    """

    start: float
    end: float
    text: str
    average_log_probability: float = 0.0
    no_speech_probability: float = 0.0
    compression_ratio: float = 1.0
    temperature: float = 0.0
    tokens: tuple[int, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def confidence(self) -> float:
        """How sure the model is of the text, 0 to 1: the mean probability of its parts."""
        return math.exp(min(self.average_log_probability, 0.0))


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, in which language (ISO 639-1) and how sure that is; duration in seconds."""

    segments: tuple[Segment, ...]
    language: str
    language_probability: float
    duration_s: float

    def without_guesses(self, min_confidence: float) -> Transcript:
        """Return it without what the model made up: Whisper finds words in reversed speech and in murmurs.

        Such words it finds unlikely itself. Measured with the model tiny.en on questions that Piper spoke:
        50 understood ones had 0.50 and more, clear or beside noise; of 47 recordings of reversed speech and
        of several voices at once, 45 had less than 0.49.
        """
        believed = tuple(
            segment
            for segment in self.segments
            if segment.confidence >= min_confidence and segment.compression_ratio <= MAX_COMPRESSION
        )
        return replace(self, segments=believed)

    @property
    def text(self) -> str:
        """The segments' text, joined."""
        return " ".join(stripped for segment in self.segments if (stripped := segment.text.strip()))

    @property
    def average_log_probability(self) -> float | None:
        """Of all that was said, by its length; None: nothing was."""
        letters = sum(len(segment.text) for segment in self.segments)
        if not letters:
            return None
        return sum(s.average_log_probability * len(s.text) for s in self.segments) / letters

    @property
    def no_speech_probability(self) -> float | None:
        """The highest of all segments; None: nothing was said."""
        return max((segment.no_speech_probability for segment in self.segments), default=None)

    @property
    def compression_ratio(self) -> float | None:
        """The highest of all segments; None: nothing was said."""
        return max((segment.compression_ratio for segment in self.segments), default=None)

    @property
    def confidence(self) -> float:
        """How sure the model is of what was said, 0 to 1: the mean probability of its parts."""
        average = self.average_log_probability
        return 0.0 if average is None else math.exp(min(average, 0.0))


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

    def transcribe(self, samples: Samples, options: Options, abandoned: Callable[[], bool]) -> Transcript:
        """Return what is said; runs in a worker thread.

        Arguments:
            samples: mono, 16 kHz.
            options: how.
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

    def transcribe(self, samples: Samples, options: Options, abandoned: Callable[[], bool]) -> Transcript:
        """Return what is said; see Transcriber."""
        if abandoned():
            raise Abandoned
        # Silence is removed first: Whisper invents words for it. And one sentence says nothing
        # about the next, whereas a mistake carried on repeats itself.
        freely = {} if options.temperature is None else {"temperature": options.temperature}
        segments, info = self._model.transcribe(
            samples,
            language=options.language,
            task=options.task,
            vad_filter=True,
            condition_on_previous_text=False,
            word_timestamps=options.words,
            initial_prompt=options.prompt or None,
            **freely,
        )
        heard: list[Segment] = []
        for segment in segments:
            if abandoned():
                raise Abandoned
            heard.append(_segment(segment))
        duration_s = samples.size / SAMPLE_RATE
        return Transcript(tuple(heard), info.language, float(info.language_probability), duration_s)


def _segment(found: Any) -> Segment:
    """Read a segment of faster-whisper."""
    return Segment(
        start=float(found.start),
        end=float(found.end),
        text=found.text,
        average_log_probability=float(found.avg_logprob),
        no_speech_probability=float(found.no_speech_prob),
        compression_ratio=float(found.compression_ratio),
        temperature=float(found.temperature or 0.0),
        tokens=tuple(found.tokens),
        words=tuple(
            Word(float(word.start), float(word.end), word.word, float(word.probability))
            for word in found.words or ()
        ),
    )
