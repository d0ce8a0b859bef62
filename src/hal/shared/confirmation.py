"""What HAL does when it is not sure what it heard: it repeats that and asks, and answers after a yes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hal.protocol import ListenerReply
from hal.shared import sentences

DANGER = "DANGER"  # the listener's action where a person may be in danger: nobody is asked back then
_RIGHT = r"(?:(?:that|it)(?: is|'s) )?(?:right|correct|it)|(?:it|that) is|i did"
_YES = re.compile(
    rf"(?:(?:yes|yeah|yep|yup|sure|okay|ok|exactly|please)(?: please)?(?: (?:{_RIGHT}))?|{_RIGHT})"
)
_NO = re.compile(
    r"(?:no|nope|nah)(?: thanks| i did not| i didn't)?|i did not|i didn't|(?:that(?: is|'s) )?wrong"
)


@dataclass(frozen=True, slots=True)
class Unsure:
    """A question that was perhaps not the one that was asked, and what the listener said to it."""

    question: str
    reply: ListenerReply


def is_yes(text: str) -> bool:
    """Tell whether a person agrees, and says nothing else."""
    return bool(_YES.fullmatch(_plain(text)))


def is_no(text: str) -> bool:
    """Tell whether a person disagrees, and says nothing else."""
    return bool(_NO.fullmatch(_plain(text)))


def ask_back(question: str) -> str:
    """Return the sentence that repeats a question and asks whether it was that."""
    return sentences.DID_YOU_ASK.format(question.strip().rstrip("?.!"))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z' ]", " ", text.lower().replace("\u2019", "'")).split())
