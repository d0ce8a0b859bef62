"""What the records do not answer: the clock, help, asking back, and the language model."""

from __future__ import annotations

import re
from datetime import datetime

from hal.engine import rules
from hal.engine.answers import SpokenAnswer, Turn
from hal.engine.text import normalise

LOCAL_ACTIONS = rules.named(
    r"""
    GENERAL_TIME (?:what time is it|what is the time|tell me the time)(?: now| right now)?
    GENERAL_DATE what (?:day|date) is (?:it|today)(?: today)?|what is (?:the|today) (?:date|day)(?: today)?
    GENERAL_HELP help|what can (?:you do|i ask(?: you)?)|how can you help(?: me)?
    """
)
_LOUDER = (
    r"(?:again|once more|one more time|slower|slowly|more slowly|louder|back|to me|for me|by me|a bit"
    r"|a little)"
)
_AGAIN = re.compile(
    rf"^(?:(?:can|could|would|will) you )?(?:(?:say|tell me|read|give me|run) (?:that|it|this)(?: {_LOUDER})+"
    rf"|repeat(?: (?:that|it|this|yourself|the answer))?(?: {_LOUDER})*|come again|say again|what did"
    rf" you (?:just )?say"
    r"|i (?:did not|could not) (?:hear|catch|get) (?:that|it|you))$"
)
_HELP = (
    "You can ask me about your medications, appointments, allergies, health readings and spending,"
    " and I pass other questions to the language model."
)
_ASK_BACK = {
    "next": "Do you mean your next dose of medicine, your next refill or your next appointment?",
    "missing": "What do you mean? Please name it, for example the medication.",
}


def is_local(text: str) -> bool:
    """Tell whether a question is for the clock or for help."""
    return rules.whole(LOCAL_ACTIONS, text) is not None


def said_again(asked: str) -> bool:
    """Tell whether somebody wants to hear the last answer again."""
    return bool(_AGAIN.search(normalise(asked)))


def answer(turn: Turn) -> SpokenAnswer | None:
    """Answer without a language model, or return None when one is needed."""
    text = turn.question.text
    action = rules.whole(LOCAL_ACTIONS, text)
    if action == "GENERAL_TIME":
        hour = turn.now.strftime("%I:%M %p").lstrip("0")
        return SpokenAnswer(f"It is {hour}.", action)
    if action == "GENERAL_DATE":
        return SpokenAnswer(f"It is {turn.now:%A, %B} {turn.now.day}, {turn.now.year}.", action)
    if action:
        return SpokenAnswer(_HELP, action)
    return None


def ask_back(turn: Turn) -> SpokenAnswer | None:
    """Ask what is meant when a question can be read several ways, else return None."""
    meaning = rules.whole(rules.AMBIGUOUS, turn.question.text)
    return SpokenAnswer(_ASK_BACK[meaning], "CLARIFY") if meaning else None


def prompt(asked: str, now: datetime) -> str:
    """Return what the language model is to answer; nothing of the records goes into it."""
    return (
        "You are HAL, a household's voice assistant. Answer in one to three short, plain sentences fit to be"
        " spoken aloud. Do not give medical advice; say to ask a doctor instead."
        f" Today is {now:%A, %B} {now.day}, {now.year}.\nQuestion: {asked.strip()}"
    )
