"""What every subject's answers share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hal.engine.question import Question
from hal.engine.records import Household

CAUTION = "Please ask your pharmacist or doctor"


@dataclass(frozen=True, slots=True)
class SpokenAnswer:
    """A sentence to speak and the name of what was done."""

    text: str
    action: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What a handler needs: the question, the records and the time it is (local)."""

    question: Question
    household: Household
    now: datetime
