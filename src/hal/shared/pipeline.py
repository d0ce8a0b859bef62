"""A turn: speech recognition → listener → language model, under one deadline.

Each stage may fail or be cancelled; whatever happens, the person gets a sentence. Only
cancellation (`stop`, or a client that left) ends a turn without an answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hal.protocol import Frame, Intent, ListenerReply, ListenerRequest, Status
from hal.shared import sentences
from hal.shared.breaker import BackendError, NotReady, Rejected
from hal.shared.confirmation import DANGER, Unsure, ask_back, is_no, is_yes
from hal.shared.metrics import GatewayMetrics

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was understood of a recording, and how sure that is, 0 to 1."""

    text: str
    confidence: float = 1.0


class Speech(Protocol):
    """Speech recognition, and text to speech."""

    async def transcribe(self, audio: bytes) -> Heard:
        """Return what is said in `audio`, a container."""

    async def speak(self, text: str) -> bytes:
        """Return `text` spoken, as a WAV file; empty if that cannot be had."""


class Listener(Protocol):
    """The household's records."""

    async def ask(self, request: ListenerRequest) -> ListenerReply:
        """Answer a question, or delegate it."""


class LanguageModel(Protocol):
    """What answers general questions."""

    async def answer(
        self, prompt: str, context: list[Frame], say: Callable[[str], None] | None = None
    ) -> str:
        """Return a sentence or two, empty when there is nothing to say; `say` gets the first ones sooner."""


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What a turn begins with: `text`, or else `audio` (a container) that holds it, and when, with a zone.

    `confidence` is how sure a client is of a text that it has recognized itself, 0 to 1.
    With `unsure_of` HAL has just asked back, so that a yes or a no answers that.
    """

    asked_at: datetime
    text: str = ""
    confidence: float = 1.0
    audio: bytes = b""
    is_relayed: bool = False
    unsure_of: Unsure | None = None


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What a turn ends with; with `unsure_of` HAL asks whether it has heard right."""

    text: str
    intent: str = Intent.GENERAL
    action: str = ""
    status: Status = Status.SUCCESS
    question: str = ""
    unsure_of: Unsure | None = None


class _Failure(Exception):
    def __init__(self, text: str, action: str, intent: str = Intent.GENERAL) -> None:
        super().__init__(action)
        self.answer = TurnResult(text=text, action=action, intent=intent, status=Status.ERROR)


class _Begun:
    """What a client was given of an answer that is still being made: `answer`, None if nothing."""

    def __init__(self, say: Callable[[str], None] | None) -> None:
        self.answer: TurnResult | None = None
        self._say = say

    def teller(self, intent: str, question: str) -> Callable[[str], None] | None:
        """Return what takes the sentences of the answer to a question; None: the client wants it whole."""
        say = self._say
        if say is None:
            return None

        def tell(sentence: str) -> None:
            text = f"{self.answer.text} {sentence}" if self.answer else sentence
            self.answer = TurnResult(text, intent, "language_model_broke_off", Status.SUCCESS, question)
            say(sentence)

        return tell


class Pipeline:
    """Answers questions; shared by all sessions, keeps nothing between turns.

    Without speech recognition or a language model the person is told so, in a sentence. HAL asks whether it
    has heard right where that is less sure than `ask_below_confidence`, 0 to 1.
    """

    def __init__(
        self,
        listener: Listener,
        metrics: GatewayMetrics,
        speech: Speech | None = None,
        language: LanguageModel | None = None,
        *,
        timeout_s: float = 60.0,
        ask_below_confidence: float = 0.0,
    ) -> None:
        self._ask_below_confidence = ask_below_confidence
        self._speech = speech
        self._listener = listener
        self._language = language
        self._metrics = metrics
        self._timeout_s = timeout_s

    async def answer(
        self,
        question: TurnRequest,
        session_id: str,
        context: list[Frame],
        heard: Callable[[str], None],
        say: Callable[[str], None] | None = None,
    ) -> TurnResult:
        """Answer a question; every failure is an answer with status "error".

        Arguments:
            question: text or audio.
            session_id: for the listener's conversation log.
            context: earlier turns, oldest first.
            heard: called with the transcript of a spoken question as soon as there is one.
            say: called with the sentences of an answer that is still being made. What was said stays: it is
                the answer when the rest does not come.
        """
        began = time.monotonic()
        begun = _Begun(say)
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._run(question, session_id, context, heard, begun)
        except _Failure as failure:
            answer = failure.answer
        except TimeoutError:
            answer = TurnResult(text=sentences.TOO_SLOW, action="timeout", status=Status.ERROR)
        except Exception:
            log.exception("session=%s a turn failed unexpectedly", session_id)
            answer = TurnResult(text=sentences.FAULT, action="fault", status=Status.ERROR)
        if begun.answer and answer.status is Status.ERROR:
            answer = begun.answer
        self._metrics.count_turn(answer.intent, answer.status)
        log.info(
            "session=%s turn kind=%s intent=%s status=%s action=%s ms=%d",
            session_id,
            "voice" if question.audio else "text",
            answer.intent,
            answer.status,
            answer.action,
            (time.monotonic() - began) * 1_000,
        )
        return answer

    async def speak(self, text: str) -> bytes:
        """Return an answer spoken, as a WAV file; empty if that cannot be had."""
        return await self._speech.speak(text) if self._speech else b""

    async def _run(
        self,
        question: TurnRequest,
        session_id: str,
        context: list[Frame],
        heard: Callable[[str], None],
        begun: _Begun,
    ) -> TurnResult:
        text, confidence = question.text, question.confidence
        if question.audio:
            understood = await self._transcribe(question.audio)
            text, confidence = understood.text, understood.confidence
            heard(text)
        if question.unsure_of and is_no(text):
            return TurnResult(sentences.SAY_IT_AGAIN, action="question_not_confirmed")
        if question.unsure_of and is_yes(text):
            text, reply = question.unsure_of.question, question.unsure_of.reply
        else:
            async with self._stage("listener", sentences.NO_RECORDS, "records_unavailable"):
                reply = await self._listener.ask(
                    ListenerRequest(
                        transcription=text, session_id=session_id, context=context, asked_at=question.asked_at
                    )
                )
            is_sure = confidence >= self._ask_below_confidence
            if not (is_sure or is_yes(text) or is_no(text) or reply.action_taken == DANGER):
                unsure_of = Unsure(text, reply)
                return TurnResult(ask_back(text), action="question_asked_back", unsure_of=unsure_of)
        if reply.status != Status.DELEGATE:
            status = Status.ERROR if reply.status == Status.ERROR else Status.SUCCESS
            return TurnResult(reply.response_text, reply.intent, reply.action_taken, status, text)
        if self._language is None:
            raise _Failure(sentences.RECORDS_ONLY, "records_only", reply.intent)
        async with self._stage(
            "language_model", sentences.NO_LANGUAGE_MODEL, "language_model_unavailable", reply.intent
        ):
            try:
                spoken = await self._language.answer(
                    reply.prompt or text, reply.context or context, begun.teller(reply.intent, text)
                )
            except NotReady as error:
                log.info("language_model: %s", error)
                raise _Failure(sentences.WARMING_UP, "language_model_warming_up", reply.intent) from error
        if not spoken:
            raise _Failure(sentences.NOTHING_TO_SAY, "language_model_silent", reply.intent)
        return TurnResult(spoken, reply.intent, reply.action_taken or "language_model", Status.SUCCESS, text)

    async def _transcribe(self, audio: bytes) -> Heard:
        if self._speech is None:
            raise _Failure(sentences.TEXT_ONLY, "text_only")
        async with self._stage("speech", sentences.NO_SPEECH, "speech_unavailable"):
            try:
                heard = await self._speech.transcribe(audio)
            except Rejected as error:
                log.warning("speech: %s", error)
                raise _Failure(sentences.BAD_AUDIO, "bad_audio") from error
        if not heard.text:
            raise _Failure(sentences.NOTHING_HEARD, "nothing_heard")
        return heard

    @asynccontextmanager
    async def _stage(
        self, name: str, sentence: str, action: str, intent: str = Intent.GENERAL
    ) -> AsyncGenerator[None]:
        """Time a stage, and turn the failure of its back end into the sentence for the person."""
        try:
            with self._metrics.stage_seconds.labels(name).time():
                yield
        except BackendError as error:
            log.warning("%s: %s", name, error)
            raise _Failure(sentence, action, intent) from error
