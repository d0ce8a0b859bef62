"""A session: the state machine between one socket and the pipeline.

Everything here is synchronous except the turn itself, which is a task: a frame is dealt with
completely before the next one, so `stop` is obeyed at once whatever the back ends do, and the
follow-up window is a timer that holds nothing up. Questions asked while one is being answered
are answered in order; a few may wait. The client speaks the answer itself, so that the protocol's
state `responding` takes no time here; the follow-up window is longer by what speaking takes, or
begins when the client says that it has spoken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hal import protocol
from hal.protocol import Frame, ProtocolError, State, Status
from hal.shared import sentences
from hal.shared.confirmation import Unsure
from hal.shared.pipeline import Pipeline, TurnRequest, TurnResult
from hal.shared.recording import Recording, decode_chunk

log = logging.getLogger(__name__)

MAX_WAITING_QUESTIONS = 4
MAX_UNKNOWN_TYPES = 32  # that are remembered, so that each is refused once
CONTEXT_TURNS = 5
SPEAKING_MS_PER_CHARACTER = 70  # of an answer that is spoken
SOUND_WAIT_S = 1.0  # an answer's text waits no longer for its sound


@dataclass(frozen=True, slots=True)
class ListeningTimes:
    """How long a session listens, in milliseconds: after the wake word, and after an answer."""

    active_ms: int = protocol.ACTIVE_TIMEOUT_MS
    follow_up_ms: int = protocol.FOLLOW_UP_MS


class Session:
    """One client's conversation. `send` queues a frame for its socket and never waits."""

    def __init__(
        self,
        session_id: str,
        send: Callable[[Frame], None],
        pipeline: Pipeline,
        listening_times: ListeningTimes | None = None,
    ) -> None:
        self.session_id = session_id
        self.state = State.PASSIVE_LISTENING
        self._send = send
        self._pipeline = pipeline
        self._listening = listening_times or ListeningTimes()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.Task[None] | None = None
        self._waiting: list[TurnRequest] = []  # lists: an empty deque takes more room than all the rest
        self._recording = Recording()
        self._ended_by_silence = False
        self._has_heard = False
        self._context: list[Frame] = []
        self._last_answer: TurnResult | None = None
        self._draining = False
        self._is_known = False  # its first frame has come
        self._wants_deltas = False
        self._is_speaking = False  # the client has the beginning of the answer
        self._is_page = False  # it plays the answer that it is sent
        self._is_streaming = False  # and its microphone is open
        self._unsure_of: Unsure | None = None  # HAL has asked back
        self._is_being_spoken = False  # the last answer, for all that is known
        self._late_sound: asyncio.Task[bytes] | None = None
        self._unknown_types: list[str] = []

    @property
    def turn(self) -> asyncio.Task[None] | None:
        """The turn in flight, if any."""
        return self._turn

    @property
    def _unanswered(self) -> int:
        """How many questions are being answered or wait for that."""
        return bool(self._turn) + len(self._waiting)

    def greet(self) -> None:
        """Send the greeting."""
        self._send(protocol.connected(self.session_id))

    def receive(self, message: str | bytes) -> None:
        """Deal with one message: a JSON frame, or audio when it is binary.

        The frame's `session_id` is advisory: it acts on this socket's session whatever it says.

        Raises:
            ProtocolError: the message is not understood; its text is fit for the client.
        """
        if isinstance(message, bytes):
            self._hear(message, protocol.SAMPLE_RATE, "")
            return
        frame = protocol.decode_object(message)
        if not isinstance(frame.get("session_id") or "", str):
            raise ProtocolError("Invalid session ID")
        if not self._is_known:
            self._is_known = True
            self._wants_deltas = protocol.announces(frame, protocol.RESPONSE_DELTA)
        kind = frame.get("type")
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            self._refuse_type(kind)
        else:
            handler(self, frame)

    def drain(self) -> None:
        """Take no more questions; those taken already are still answered."""
        self._draining = True

    def abandon(self) -> None:
        """Give up the turn in flight and those that wait, and say so for each."""
        unanswered = self._unanswered
        self._cancel_work()
        for _ in range(unanswered):
            self._refuse(sentences.RESTARTING, "restarting")

    def close(self) -> None:
        """Let go of everything: the socket is gone."""
        self._cancel_work()

    def _refuse_type(self, kind: object) -> None:
        """Refuse a frame of no known type, once: some clients send four a second."""
        name = protocol.quoted(kind)
        if isinstance(kind, str):
            if name in self._unknown_types:
                return
            if len(self._unknown_types) < MAX_UNKNOWN_TYPES:
                self._unknown_types.append(name)
        raise ProtocolError(f"Unknown message type: {name}")

    # What clients send

    def _on_wake_word(self, _frame: Frame) -> None:
        if self._is_speaking:  # somebody calls while HAL speaks: they have heard enough
            self._cancel_work()
        elif self.state is State.PROCESSING:
            self._send(protocol.state_change(State.PROCESSING))
            return
        self._ended_by_silence = self._has_heard = False
        self._recording = Recording()
        self._send(protocol.acknowledged())
        self._send(protocol.state_change(State.ACTIVE_LISTENING, timeout_ms=self._listening.active_ms))
        self._listen(self._listening.active_ms)

    def _on_audio_chunk(self, frame: Frame) -> None:
        data, rate, label = decode_chunk(frame)
        self._hear(data, rate, label)
        if frame.get("is_final") is True:
            self._on_speech_ended(frame)

    def _on_audio_stream(self, frame: Frame) -> None:
        """Hear a web page, which has no wake word: its microphone is open from here to `stop_listening`."""
        if not self._is_streaming:
            self._is_page = self._is_streaming = True
            if self.state is State.PASSIVE_LISTENING:
                self._on_wake_word(frame)
        self._on_audio_chunk(frame)

    def _on_stop_listening(self, frame: Frame) -> None:
        self._is_streaming = False
        self._on_speech_ended(frame)

    def _on_speech_ended(self, frame: Frame) -> None:
        if self._ended_by_silence and not self._recording.has_voice:
            self._ended_by_silence = False  # this utterance is being answered, or has been
            self._recording = Recording()
        elif self._recording:
            self._finish_utterance(frame)
        elif self.state is State.PASSIVE_LISTENING:
            self._refuse(sentences.NOT_LISTENING, "not_listening")
        elif self.state is State.ACTIVE_LISTENING and not self._has_heard:
            self._refuse(sentences.NOTHING_HEARD, "nothing_heard")
            self._follow_up()

    def _on_text(self, frame: Frame) -> None:
        text = frame.get("text", frame.get("query"))  # of `text_query`
        if not isinstance(text, str):
            raise ProtocolError("text must be a string")
        text = protocol.clean_text(text)
        if not text:
            self._refuse(sentences.EMPTY_QUESTION, "empty_question")
        elif len(text) > protocol.MAX_QUESTION_CHARACTERS:
            self._refuse(sentences.LONG_QUESTION, "question_too_long")
        else:
            is_relayed = frame["type"] == "transcription"
            confidence, asked_at = protocol.confidence(frame), _asked_at(frame)
            self._ask(TurnRequest(text=text, confidence=confidence, is_relayed=is_relayed, asked_at=asked_at))

    def _on_playback_ended(self, _frame: Frame) -> None:
        """Begin the follow-up window: the person has heard the answer to its end only now."""
        if self._is_being_spoken and self._turn is None and not self._recording.has_voice:
            self._is_being_spoken = False
            self._follow_up()

    def _on_heartbeat(self, _frame: Frame) -> None:
        """Do nothing: that a frame came keeps the session alive."""

    def _on_command(self, frame: Frame) -> None:
        name = frame.get("command")
        command = _COMMANDS.get(name.lower()) if isinstance(name, str) else None
        if command is None:
            raise ProtocolError(f"Unknown command: {protocol.quoted(name)}")
        command(self)

    # Commands

    def _stop(self) -> None:
        self._cancel_work()
        self._become_passive()

    def _repeat(self) -> None:
        if self._last_answer is None:
            self._refuse(sentences.NOTHING_TO_REPEAT, "nothing_to_repeat")
        else:
            self._respond(self._last_answer, is_repeat=True)

    def _goodbye(self) -> None:
        self._cancel_work()
        self._send(protocol.goodbye())
        self._become_passive()

    # Listening

    def _hear(self, data: bytes, rate: int, label: str) -> None:
        """Record audio unless nobody called; while an answer is prepared, for the next turn."""
        if self.state is State.PASSIVE_LISTENING:
            return
        if not self._recording.add(data, rate, label):
            return
        if self._recording.is_over:
            self._on_recording_over()
        elif self.state is State.ACTIVE_LISTENING:
            self._listen(self._listening.active_ms)  # somebody speaks: the window must not close on them

    def _on_recording_over(self) -> None:
        """End an utterance that the client has not ended; a minute of silence is none."""
        if self._recording.has_voice:
            self._ended_by_silence = True
            self._finish_utterance()
        else:
            self._recording = Recording()

    def _finish_utterance(self, frame: Frame | None = None) -> None:
        recording, self._recording = self._recording, Recording()
        self._has_heard = True  # some clients end one utterance twice: is_final, then speech_ended
        likeness = recording.not_sound
        if not likeness:
            self._ask(TurnRequest(audio=recording.to_bytes(), asked_at=_asked_at(frame or {})))
            return
        self._refuse(sentences.NOT_SOUND.format(likeness), "bad_audio")
        if self.state is State.ACTIVE_LISTENING:
            self._follow_up()

    def _listen(self, window_ms: int) -> None:
        """Listen for so long, then be passive, or answer what was said until then."""
        self.state = State.ACTIVE_LISTENING
        self._set_timer(window_ms, self._on_window_over)

    def _on_window_over(self) -> None:
        if self._recording.has_voice:
            self._on_recording_over()
        else:
            self._become_passive()

    def _follow_up(self, spoken: str = "") -> None:
        """Listen for another question; `spoken` is what the client begins to speak now."""
        window_ms = self._listening.follow_up_ms + SPEAKING_MS_PER_CHARACTER * len(spoken)
        if not self._recording.has_voice:
            self._recording = Recording()
        self._send(protocol.state_change(State.ACTIVE_LISTENING, countdown_ms=window_ms))
        self._listen(self._listening.active_ms if self._recording.has_voice else window_ms)

    def _become_passive(self) -> None:
        self._set_timer(0, None)
        self._recording = Recording()
        self._unsure_of = None
        self.state = State.PASSIVE_LISTENING
        self._send(protocol.state_change(State.PASSIVE_LISTENING))

    def _set_timer(self, after_ms: int, action: Callable[[], None] | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(after_ms / 1_000, action) if action else None

    # Turns

    def _ask(self, question: TurnRequest) -> None:
        if self._draining:
            self._refuse(sentences.RESTARTING, "restarting")
        elif self._turn is None:
            self._begin(question)
        elif len(self._waiting) < MAX_WAITING_QUESTIONS:
            self._waiting.append(question)
        else:
            self._refuse(sentences.TOO_MANY_WAITING, "too_many_questions")

    def _begin(self, question: TurnRequest) -> None:
        self._set_timer(0, None)
        self._drop_sound()
        self.state = State.PROCESSING
        if not question.is_relayed:  # a relay takes the very next frame for the response
            self._send(protocol.processing(sentences.WORKING))
        self._turn = self._loop.create_task(self._answer(question), name=f"turn {self.session_id}")

    async def _answer(self, question: TurnRequest) -> None:
        turn = asyncio.current_task()

        def say(sentences_: str) -> None:
            if self._turn is turn:
                self._is_speaking = True
                self._send(protocol.response_delta(sentences_))

        unsure_of, self._unsure_of = self._unsure_of, None
        question = replace(question, unsure_of=unsure_of)
        wants_deltas = self._wants_deltas and not question.is_relayed
        answer = await self._pipeline.answer(
            question, self.session_id, self._context, self._on_heard, say if wants_deltas else None
        )
        audio = await self._spoken(answer) if self._is_page else None
        if self._turn is not turn:
            return  # stopped at the very moment it was done
        self._turn = None
        self._is_speaking = False
        self._last_answer = answer
        self._unsure_of = answer.unsure_of
        if answer.status is Status.SUCCESS and answer.question:
            told = {"question": answer.question, "answer": answer.text, "intent": answer.intent}
            self._context = [*self._context, told][-CONTEXT_TURNS:]
        self._respond(answer, audio=audio)
        self._is_being_spoken = True
        self._follow_up(answer.text if question.audio else "")
        if self._waiting:
            self._begin(self._waiting.pop(0))

    async def _spoken(self, answer: TurnResult) -> bytes:
        """Return an answer's sound; empty if there is none yet: it then follows when it is there."""
        sound = self._late_sound = self._loop.create_task(self._pipeline.speak(answer.text))
        await asyncio.wait([sound], timeout=SOUND_WAIT_S)
        if sound.done():
            return sound.result()

        def send(late: asyncio.Task[bytes]) -> None:
            if not late.cancelled() and not late.exception() and late.result():
                self._respond(answer, is_repeat=True, audio=late.result())

        sound.add_done_callback(send)
        return b""

    def _drop_sound(self) -> None:
        """Give up the sound of an answer that nobody waits for any more."""
        if self._late_sound:
            self._late_sound.cancel()
            self._late_sound = None

    def _on_heard(self, text: str) -> None:
        self._send(protocol.transcription(text))

    def _respond(self, answer: TurnResult, *, is_repeat: bool = False, audio: bytes | None = None) -> None:
        self._send(
            protocol.response(
                answer.text,
                intent=answer.intent,
                action=answer.action,
                status=answer.status,
                is_repeat=is_repeat,
                audio=audio,
            )
        )

    def _refuse(self, sentence: str, action: str) -> None:
        self._respond(TurnResult(text=sentence, action=action, status=Status.ERROR))

    def _cancel_work(self) -> None:
        self._set_timer(0, None)
        self._waiting.clear()
        self._recording = Recording()
        self._ended_by_silence = False
        if self._turn:
            self._turn.cancel()
            self._turn = None
        self._is_speaking = False
        self._is_being_spoken = False
        self._unsure_of = None
        self._drop_sound()


def _asked_at(frame: Frame) -> datetime:
    return protocol.agreed_moment(protocol.moment(frame), datetime.now(UTC))


_HANDLERS: dict[str, Callable[[Session, Frame], None]] = {
    "wake_word_detected": Session._on_wake_word,
    "audio_chunk": Session._on_audio_chunk,
    "audio_stream": Session._on_audio_stream,
    "speech_ended": Session._on_speech_ended,
    "stop_listening": Session._on_stop_listening,
    "text_input": Session._on_text,
    "text_query": Session._on_text,
    "transcription": Session._on_text,
    "command": Session._on_command,
    "playback_ended": Session._on_playback_ended,
    "heartbeat": Session._on_heartbeat,
}
_COMMANDS: dict[str, Callable[[Session], None]] = {
    "hold": Session._stop,
    "stop": Session._stop,
    "repeat": Session._repeat,
    "goodbye": Session._goodbye,
}
