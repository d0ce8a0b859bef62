"""What is known of a pin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What was found: as it begins a line of the report."""

    CURRENT = "nothing newer"
    NEWER = "newer"
    UNKNOWN = "unknown"


class UnknownError(Exception):
    """Nothing can be concluded about a pin; the text says why, in one sentence."""


@dataclass(frozen=True)
class Finding:
    """What is known of one pin.

    Attributes:
        name: what is pinned.
        state: what was found.
        told: a sentence, or the versions.
        changes: new values by their keys below the variable that pins it.
        by_hand: a person has to change it.
    """

    name: str
    state: State
    told: str
    changes: Mapping[tuple[str | int, ...], Any] = field(default_factory=dict)
    by_hand: bool = False
