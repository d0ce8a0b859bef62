"""What a check says: what it found, what it measured, or what is wrong and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class CheckFailed(Exception):
    """The service is not as it should be.

    `message` says what is wrong. `remedy` says what to do next; without one, the service's own log is
    pointed at. `details` are further facts, for programs.
    """

    def __init__(self, message: str, remedy: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.details = details or {}


@dataclass(frozen=True)
class Measure:
    """One value that a limit of the same name may be set for.

    Attributes:
        name: a key of `limits.LIMITS`.
        value: what was measured; None where it is not told.
        of: what it was measured of.
    """

    name: str
    value: float | None
    of: str


@dataclass(frozen=True)
class Found:
    """What a check that passed found.

    Attributes:
        message: one short sentence.
        version: of the program that answered, as it tells it itself.
        measures: what limits are compared with.
        details: further facts, for programs.
    """

    message: str
    version: str = ""
    measures: list[Measure] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
