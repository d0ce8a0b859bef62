"""The messages of the HAL network: every shape that crosses a wire between its services.

Two protocols stand here. Between clients and the gateway, JSON text frames over WebSocket;
between the gateway and the listener (OpenQM or the engine), one JSON object each way over TCP.
Clients in use today were written against several servers, so a reply carries every name that
one of them reads.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

type Frame = dict[str, Any]

ACTIVE_TIMEOUT_MS = 30_000
FOLLOW_UP_MS = 10_000
SAMPLE_RATE = 16_000
RESPONSE_DELTA = "response_delta"  # a frame, and the capability of a client that reads it
MAX_QUESTION_CHARACTERS = 4_000
MAX_LISTENER_MESSAGE_BYTES = 1_000_000
MAX_STRUCTURE = 50_000  # an empty list takes 56 bytes and is written with three
MAX_LISTENER_VALUES = 2000  # of a request: names and entries, of its context for the most part
MAX_LISTENER_DEPTH = 40
_QUOTED_CHARACTERS = 64
MAX_CLOCK_DIFFERENCE = timedelta(minutes=5)


class State(StrEnum):
    """Where a session stands, as clients are told."""

    PASSIVE_LISTENING = "passive_listening"
    ACTIVE_LISTENING = "active_listening"
    PROCESSING = "processing"
    RESPONDING = "responding"


class Intent(StrEnum):
    """What a question is about, as the listener names it."""

    MEDICATION = "MEDICATION"
    APPOINTMENT = "APPOINTMENT"
    ALLERGY = "ALLERGY"
    HEALTH_DATA = "HEALTH_DATA"
    TRANSACTION = "TRANSACTION"
    PASSWORD = "PASSWORD"  # noqa: S105 - the name of an intent
    GENERAL = "GENERAL"


class Status(StrEnum):
    """How a turn ended. DELEGATE asks the gateway to let the language model answer."""

    SUCCESS = "success"
    ERROR = "error"
    DELEGATE = "delegate"


class ProtocolError(ValueError):
    """A message that cannot be understood; its text is fit to be sent to the peer."""


def timestamp() -> str:
    """Return the current time, UTC, as ISO 8601 with seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def decode_object(raw: str | bytes) -> Frame:
    """Decode one JSON object.

    Raises:
        ProtocolError: "Invalid JSON" for anything that is not a JSON object, or has more structure than any
            message needs.
    """
    if len(raw) > MAX_STRUCTURE and _structure(raw) > MAX_STRUCTURE:
        raise ProtocolError("Invalid JSON")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("Invalid JSON") from error
    if not isinstance(value, dict):
        raise ProtocolError("Invalid JSON")
    return value


def _structure(raw: str | bytes) -> int:
    """Count the characters that begin lists, objects, texts and fields; the commas of samples are none."""
    if isinstance(raw, str):
        return sum(map(raw.count, '[{":'))
    return sum(map(raw.count, (b"[", b"{", b'"', b":")))


def _values_in(value: object, depth: int = 0) -> int:
    """Count the values that one holds, with itself.

    Raises:
        ProtocolError: they lie deeper in each other than every listener reads.
    """
    if not isinstance(value, dict | list):
        return 1
    if depth >= MAX_LISTENER_DEPTH:
        raise ProtocolError("Invalid JSON")
    inner = value.values() if isinstance(value, dict) else value
    return 1 + sum(_values_in(each, depth + 1) for each in inner)


def encodable(text: str) -> str:
    """Return `text` as it can be encoded: a lone surrogate, which JSON allows, becomes "?"."""
    return text.encode("utf-8", "replace").decode()


def clean_text(text: str) -> str:
    """Return `text` as it can be encoded, without white space around it."""
    return encodable(text).strip()


def quoted(value: object) -> str:
    """Return a peer's own word for use in an error, cut short, and only if it is a word."""
    return value[:_QUOTED_CHARACTERS] if isinstance(value, str) else "(not a string)"


def _word(frame: Frame, name: str) -> str:
    """Return a field that is text, or a number as text; anything else counts as missing."""
    value = frame.get(name)
    return clean_text(str(value)) if isinstance(value, (str, int, float)) else ""


# One form of ISO 8601, which every listener reads: no bare dates, weeks or hours beyond 23.
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)


def moment(frame: Frame) -> datetime | None:
    """Return the `timestamp` of a frame, with a zone if it names one; None if it is no date and time."""
    said = _word(frame, "timestamp")
    try:
        return datetime.fromisoformat(said) if _TIMESTAMP.fullmatch(said) else None
    except ValueError:
        return None


def agreed_moment(said: datetime | None, now: datetime) -> datetime:
    """Return the time that a caller says, or `now` if it names no zone or the clocks differ."""
    if said is None or said.tzinfo is None or abs(said - now) > MAX_CLOCK_DIFFERENCE:
        return now
    return said


def confidence(frame: Frame) -> float:
    """Return how sure a recognizer was of a frame's text, 0 to 1; 1 where the frame does not say that."""
    said = frame.get("confidence")
    if isinstance(said, bool) or not isinstance(said, (int, float)):
        return 1.0
    return float(said) if 0 <= said < 1 else 1.0


# Client to gateway


def announces(frame: Frame, capability: str) -> bool:
    """Tell whether a client's first frame says that it understands more than every client does."""
    capabilities = frame.get("capabilities")
    return isinstance(capabilities, list) and capability in capabilities


# Gateway to client


def connected(session_id: str) -> Frame:
    """Greet a client that has just connected."""
    return {
        "type": "connected",
        "session_id": session_id,
        "state": State.PASSIVE_LISTENING,
        "timestamp": timestamp(),
    }


def acknowledged(sound: str = "chime") -> Frame:
    """Tell a client that the wake word was heard."""
    return {"type": "ack", "sound": sound, "timestamp": timestamp()}


def state_change(
    new_state: State, *, timeout_ms: int | None = None, countdown_ms: int | None = None
) -> Frame:
    """Tell a client where its session now stands, and for how many milliseconds."""
    frame: Frame = {"type": "state_change", "new_state": new_state, "timestamp": timestamp()}
    if timeout_ms is not None:
        frame["timeout_ms"] = timeout_ms
    if countdown_ms is not None:
        frame["countdown_ms"] = countdown_ms
    return frame


def processing(message: str) -> Frame:
    """Tell a client that its question is being answered."""
    return {"type": "processing", "sound": "working_tone", "message": message, "timestamp": timestamp()}


def transcription(text: str) -> Frame:
    """Tell a client what was heard."""
    return {"type": "transcription", "text": text, "timestamp": timestamp()}


def response(
    text: str,
    *,
    intent: str,
    action: str,
    status: Status = Status.SUCCESS,
    is_repeat: bool = False,
    audio: bytes | None = None,
) -> Frame:
    """Answer a turn, a failed one too: some clients ignore error frames and wait.

    For a client that plays what it gets, `audio` is the answer as a WAV file, empty if none could be made.
    """
    frame: Frame = {
        "type": "response",
        "text": text,
        "response_text": text,
        "intent": intent,
        "action": action,
        "action_taken": action,
        "status": status,
        "timestamp": timestamp(),
    }
    if is_repeat:
        frame["is_repeat"] = True
    if audio is not None:
        frame |= {"audio": base64.b64encode(audio).decode(), "audio_format": "wav"}
    return frame


def response_delta(text: str) -> Frame:
    """Give out the next whole sentences of an answer whose rest is still being made.

    Joined by spaces, the texts of a turn's frames are that of its `response`, which follows unless the turn
    is cancelled.
    """
    return {"type": RESPONSE_DELTA, "text": text, "timestamp": timestamp()}


def goodbye(message: str = "Goodbye.") -> Frame:
    """Part from a client that said goodbye."""
    return {"type": "goodbye", "sound": "goodbye_chime", "message": message, "timestamp": timestamp()}


def error(message: str) -> Frame:
    """Report a fault of the protocol."""
    return {"type": "error", "message": message, "timestamp": timestamp()}


# Gateway to listener


@dataclass(frozen=True, slots=True)
class ListenerRequest:
    """One question for the listener.

    Attributes:
        transcription: the question as text.
        session_id: the gateway's session, for the conversation log.
        client_type: what asked ("voice_gateway", "health_check", …).
        context: the last turns, oldest first, as {"question", "answer", "intent"}.
        asked_at: when it was asked; None: as it arrives. Without a zone it is the household's local time.
            On the wire it is the `timestamp`.
    """

    transcription: str
    session_id: str = ""
    client_type: str = "voice_gateway"
    context: list[Frame] = field(default_factory=list)
    asked_at: datetime | None = None

    def encode(self) -> bytes:
        """Return the request as it goes over the wire, newline included."""
        frame = {
            "session_id": self.session_id,
            "transcription": self.transcription,
            "timestamp": self.asked_at.isoformat(timespec="seconds") if self.asked_at else timestamp(),
            "client_type": self.client_type,
            "context": self.context,
        }
        return json.dumps(frame).encode() + b"\n"

    @classmethod
    def decode(cls, raw: bytes) -> ListenerRequest:
        """Read a request; `text` is accepted for `transcription`.

        Raises:
            ProtocolError: the request is not a JSON object, or a field has the wrong type.
        """
        frame = decode_object(raw)
        if _values_in(frame) > MAX_LISTENER_VALUES:
            raise ProtocolError(f"The request has more than {MAX_LISTENER_VALUES} values")
        question = frame.get("transcription") or frame.get("text") or ""
        context = frame.get("context") or []
        if not isinstance(question, str):
            raise ProtocolError("transcription must be a string")
        if not isinstance(context, list) or not all(isinstance(turn, dict) for turn in context):
            raise ProtocolError("context must be a list of objects")
        return cls(
            transcription=clean_text(question),
            session_id=_word(frame, "session_id"),
            client_type=_word(frame, "client_type"),
            context=context,
            asked_at=moment(frame),
        )


@dataclass(frozen=True, slots=True)
class ListenerReply:
    """The listener's answer; with DELEGATE, `prompt` is what to ask the language model."""

    response_text: str
    intent: str = Intent.GENERAL
    action_taken: str = ""
    status: str = Status.SUCCESS
    prompt: str = ""
    context: list[Frame] = field(default_factory=list)

    def encode(self) -> bytes:
        """Return the reply as it goes over the wire, newline included."""
        frame: Frame = {
            "response_text": self.response_text,
            "action_taken": self.action_taken,
            "intent": self.intent,
            "status": self.status,
            "timestamp": timestamp(),
        }
        if self.status == Status.DELEGATE:
            frame |= {"prompt": self.prompt, "context": self.context}
        return json.dumps(frame).encode() + b"\n"

    @classmethod
    def decode(cls, raw: bytes) -> ListenerReply:
        """Read a reply.

        Raises:
            ProtocolError: the reply is not a JSON object or says nothing.
        """
        frame = decode_object(raw)
        status = _word(frame, "status") or Status.SUCCESS
        text = frame.get("response_text") or ""
        if not isinstance(text, str) or not (text or status == Status.DELEGATE):
            raise ProtocolError("the listener's reply has no response_text")
        context = frame.get("context")
        return cls(
            response_text=clean_text(text),
            intent=_word(frame, "intent") or Intent.GENERAL,
            action_taken=_word(frame, "action_taken"),
            status=status,
            prompt=_word(frame, "prompt"),
            context=[turn for turn in context if isinstance(turn, dict)] if isinstance(context, list) else [],
        )
