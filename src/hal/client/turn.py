"""One turn of a conversation, as the client sees it: a question's audio, and the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol, Self

from hal.protocol import Frame, Status


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """The gateway's answer to one question.

    Attributes:
        text: what HAL says; with status "error", why it could not answer.
        intent: what the question was about, such as MEDICATION.
        action: what HAL did.
        status: "success" or "error".
        transcription: what was heard, for a spoken question.
        seconds: from the end of the question to the answer.
    """

    text: str
    intent: str
    action: str
    status: str
    transcription: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Tell whether the question was answered."""
        return self.status != Status.ERROR

    @classmethod
    def from_response(cls, frame: Frame, transcription: str, seconds: float) -> Self:
        """Read a `response` frame, whichever of the names in use it carries."""
        return cls(
            text=str(frame.get("response_text") or frame.get("text") or ""),
            intent=str(frame.get("intent") or ""),
            action=str(frame.get("action_taken") or frame.get("action") or ""),
            status=str(frame.get("status") or Status.SUCCESS),
            transcription=transcription,
            seconds=seconds,
        )


class AnswerProgress(Protocol):
    """What is told of a turn before its answer is complete."""

    def heard(self, question: str) -> None:
        """Take what was understood of a spoken question."""

    def said(self, sentences: str) -> None:
        """Take the next whole sentences of the answer."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A spoken question on its way to the gateway.

    Attributes:
        chunks: the bytes, as they come.
        format: "pcm16" (little-endian, mono) or a container's name, such as "wav".
        sample_rate: samples a second.
    """

    chunks: AsyncGenerator[bytes]
    format: str
    sample_rate: int
