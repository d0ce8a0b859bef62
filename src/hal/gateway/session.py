"""A session: the state machine between one socket and the pipeline.

Everything here is synchronous except the turn itself, which is a task: a frame is dealt with
completely before the next one, so `stop` is obeyed at once whatever the back ends do, and the
follow-up window is a timer that holds nothing up. Questions asked while one is being answered
are answered in order; a few may wait. The client speaks the answer itself, so that the protocol's
state `responding` takes no time here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from hal import protocol
from hal.gateway import sentences
from hal.gateway.audio import Recording, decode_chunk
from hal.gateway.config import Windows
from hal.gateway.pipeline import Answer, Pipeline, Question
from hal.protocol import Frame, ProtocolError, State, Status

log = logging.getLogger(__name__)

MAX_WAITING_QUESTIONS = 4
MAX_QUESTION_CHARACTERS = 4_000
CONTEXT_TURNS = 5


class Session:
    """One client's conversation. `send` queues a frame for its socket and never waits."""

    def __init__(
        self,
        session_id: str,
        send: Callable[[Frame], None],
        pipeline: Pipeline,
        windows: Windows | None = None,
    ) -> None:
        self.session_id = session_id
        self.state = State.PASSIVE_LISTENING
        self._send = send
        self._pipeline = pipeline
        self._windows = windows or Windows()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.Task[None] | None = None
        self._waiting: deque[Question] = deque()
        self._recording = Recording()
        self._ended_by_silence = False
        self._has_heard = False
        self._context: deque[Frame] = deque(maxlen=CONTEXT_TURNS)
        self._last_answer: Answer | None = None
        self._draining = False
        self._handlers: dict[str, Callable[[Frame], None]] = {
            "wake_word_detected": self._on_wake_word,
            "audio_chunk": self._on_audio_chunk,
            "speech_ended": self._on_speech_ended,
            "text_input": lambda frame: self._on_text(frame, is_relayed=False),
            "transcription": lambda frame: self._on_text(frame, is_relayed=True),
            "command": self._on_command,
            "heartbeat": lambda _: None,
        }
        self._commands: dict[str, Callable[[], None]] = {
            "hold": self._stop,
            "stop": self._stop,
            "repeat": self._repeat,
            "goodbye": self._goodbye,
        }

    @property
    def turn(self) -> asyncio.Task[None] | None:
        """The turn in flight, if any."""
        return self._turn

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
        kind = frame.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise ProtocolError(f"Unknown message type: {protocol.quoted(kind)}")
        handler(frame)

    def drain(self) -> None:
        """Take no more questions; those taken already are still answered."""
        self._draining = True

    def abandon(self) -> None:
        """Give up the turn in flight and those that wait, and say so for each."""
        unanswered = bool(self._turn) + len(self._waiting)
        self._cancel_work()
        for _ in range(unanswered):
            self._refuse(sentences.RESTARTING, "restarting")

    def close(self) -> None:
        """Let go of everything: the socket is gone."""
        self._cancel_work()

    # What clients send

    def _on_wake_word(self, _frame: Frame) -> None:
        if self.state is State.PROCESSING:
            self._send(protocol.state_change(State.PROCESSING))
            return
        self._ended_by_silence = self._has_heard = False
        self._recording = Recording()
        self._send(protocol.acknowledged())
        self._send(protocol.state_change(State.ACTIVE_LISTENING, timeout_ms=self._windows.active_ms))
        self._listen(self._windows.active_ms)

    def _on_audio_chunk(self, frame: Frame) -> None:
        data, rate, label = decode_chunk(frame)
        self._hear(data, rate, label)
        if frame.get("is_final") is True:
            self._on_speech_ended(frame)

    def _on_speech_ended(self, _frame: Frame) -> None:
        if self._ended_by_silence and not self._recording.has_voice:
            self._ended_by_silence = False  # this utterance is being answered, or has been
            self._recording = Recording()
        elif self._recording:
            self._finish_utterance()
        elif self.state is State.PASSIVE_LISTENING:
            self._refuse(sentences.NOT_LISTENING, "not_listening")
        elif self.state is State.ACTIVE_LISTENING and not self._has_heard:
            self._refuse(sentences.NOTHING_HEARD, "nothing_heard")
            self._follow_up()

    def _on_text(self, frame: Frame, *, is_relayed: bool) -> None:
        text = frame.get("text")
        if not isinstance(text, str):
            raise ProtocolError("text must be a string")
        text = protocol.clean_text(text)
        if not text:
            self._refuse(sentences.EMPTY_QUESTION, "empty_question")
        elif len(text) > MAX_QUESTION_CHARACTERS:
            self._refuse(sentences.LONG_QUESTION, "question_too_long")
        else:
            self._ask(Question(text=text, is_relayed=is_relayed))

    def _on_command(self, frame: Frame) -> None:
        name = frame.get("command")
        command = self._commands.get(name.lower()) if isinstance(name, str) else None
        if command is None:
            raise ProtocolError(f"Unknown command: {protocol.quoted(name)}")
        command()

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
        had_voice = self._recording.has_voice
        self._recording.add(data, rate, label)
        if self._recording.is_over:
            self._on_recording_over()
        elif self._recording.has_voice and not had_voice and self.state is State.ACTIVE_LISTENING:
            self._listen(self._windows.active_ms)  # somebody speaks: the window must not close on them

    def _on_recording_over(self) -> None:
        """End an utterance that the client has not ended; a minute of silence is none."""
        if self._recording.has_voice:
            self._ended_by_silence = True
            self._finish_utterance()
        else:
            self._recording = Recording()

    def _finish_utterance(self) -> None:
        audio = self._recording.to_bytes()
        self._recording = Recording()
        self._has_heard = True  # some clients end one utterance twice: is_final, then speech_ended
        self._ask(Question(audio=audio))

    def _listen(self, window_ms: int) -> None:
        """Listen for so long, then be passive, or answer what was said until then."""
        self.state = State.ACTIVE_LISTENING
        self._set_timer(window_ms, self._on_window_over)

    def _on_window_over(self) -> None:
        if self._recording.has_voice:
            self._on_recording_over()
        else:
            self._become_passive()

    def _follow_up(self) -> None:
        window_ms = self._windows.follow_up_ms
        if not self._recording.has_voice:
            self._recording = Recording()
        self._send(protocol.state_change(State.ACTIVE_LISTENING, countdown_ms=window_ms))
        self._listen(self._windows.active_ms if self._recording.has_voice else window_ms)

    def _become_passive(self) -> None:
        self._set_timer(0, None)
        self._recording = Recording()
        self.state = State.PASSIVE_LISTENING
        self._send(protocol.state_change(State.PASSIVE_LISTENING))

    def _set_timer(self, after_ms: int, action: Callable[[], None] | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(after_ms / 1_000, action) if action else None

    # Turns

    def _ask(self, question: Question) -> None:
        if self._draining:
            self._refuse(sentences.RESTARTING, "restarting")
        elif self._turn is None:
            self._begin(question)
        elif len(self._waiting) < MAX_WAITING_QUESTIONS:
            self._waiting.append(question)
        else:
            self._refuse(sentences.TOO_MANY_WAITING, "too_many_questions")

    def _begin(self, question: Question) -> None:
        self._set_timer(0, None)
        self.state = State.PROCESSING
        if not question.is_relayed:  # a relay takes the very next frame for the response
            self._send(protocol.processing(sentences.WORKING))
        self._turn = self._loop.create_task(self._answer(question), name=f"turn {self.session_id}")

    async def _answer(self, question: Question) -> None:
        answer = await self._pipeline.answer(question, self.session_id, list(self._context), self._on_heard)
        if self._turn is not asyncio.current_task():
            return  # stopped at the very moment it was done
        self._turn = None
        self._last_answer = answer
        if answer.status is Status.SUCCESS:
            turn = {"question": answer.question, "answer": answer.text, "intent": answer.intent}
            self._context.append(turn)
        self._respond(answer)
        self._follow_up()
        if self._waiting:
            self._begin(self._waiting.popleft())

    def _on_heard(self, text: str) -> None:
        self._send(protocol.transcription(text))

    def _respond(self, answer: Answer, *, is_repeat: bool = False) -> None:
        self._send(
            protocol.response(
                answer.text,
                intent=answer.intent,
                action=answer.action,
                status=answer.status,
                is_repeat=is_repeat,
            )
        )

    def _refuse(self, sentence: str, action: str) -> None:
        self._respond(Answer(text=sentence, action=action, status=Status.ERROR))

    def _cancel_work(self) -> None:
        self._set_timer(0, None)
        self._waiting.clear()
        self._recording = Recording()
        self._ended_by_silence = False
        if self._turn:
            self._turn.cancel()
            self._turn = None
