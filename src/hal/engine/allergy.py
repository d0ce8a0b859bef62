"""Answers about allergies. Whether something is safe is left to the doctor."""

from __future__ import annotations

import re

from hal.engine import rules, spoken
from hal.engine.answers import CAUTION, SpokenAnswer, Turn
from hal.engine.records import Allergy

# Words that name no substance.
_NO_SUBSTANCE = (
    r"(?:in|on|at|of|to|from|with|by|for|and|or|the|an?|my|our|it|that|this|these|those|them|ones?|is|are|am"
    r"|was|were|be|not|but|so|then|if|when|while|before|after|during|as|about|into|out|up|here|there|too"
    r"|also|i|me|we|you)\b"
)
_ASKS_OF = r"\b(?:allerg\w+ to|eat|have an? reaction to|drink|touch)"
ASKED_ABOUT = re.compile(
    rf"{_ASKS_OF}(?: any(?! of\b)| an?| the| some| my| our)?"
    rf" ((?!{_NO_SUBSTANCE})\w+(?: (?!{_NO_SUBSTANCE})\w+)?)"
)
UNNAMED = re.compile(rf"^(?:am|do|have|is|are|can|could|may|should|did|was)\b.*{_ASKS_OF} {_NO_SUBSTANCE}")
ASKS_TO_CONFIRM = re.compile(r"^(?:am|do|have|is|are)\b.*\b(?:allerg\w+|react\w*)\b")
ASKS_PERMISSION = re.compile(
    r"\b(?:can|could|may|should|safe|okay|ok|prescri\w+|(?:put|start) me on|(?:give|gave|giving) me)\b"
)
NOTHING_NAMED = re.compile(r"any|anything|something|foods?|medic\w+|drugs?|antibiotics?|pills?|what")
_CATEGORY_NAMES = {"drug": "drug", "food": "food", "environment": "environmental"}


def answer(turn: Turn) -> SpokenAnswer:
    """Answer a question about allergies."""
    question = turn.question
    allergies = turn.household.allergies()
    if not allergies:
        return SpokenAnswer("No allergies are on record.", question.action or "ALLERGY_LIST")
    left_out = question.leaves_out("allergens")
    allergies = [item for item in allergies if item.allergen not in left_out]
    named = [item for item in allergies if item.allergen in question.named("allergens")]
    if named:
        return _check(turn, named)
    reacting = [item for item in allergies if item.reaction in question.named("reactions")]
    if reacting:
        return SpokenAnswer(" ".join(_one(item) for item in reacting), "ALLERGY_REACTION")
    asked = ASKED_ABOUT.search(question.text)
    if asked and not question.excluded and not NOTHING_NAMED.match(asked.group(1)):
        return SpokenAnswer(_unknown(asked.group(1), allergies), "ALLERGY_CHECK")
    if UNNAMED.search(question.text) and not (asked or question.excluded or question.continued):
        return SpokenAnswer("What do you mean? Please name it.", "CLARIFY")
    return _list(turn, allergies)


def _check(turn: Turn, named: list[Allergy]) -> SpokenAnswer:
    question = turn.question
    action = question.action if question.action == "ALLERGY_REACTION" else "ALLERGY_CHECK"
    said = " ".join(_one(item) for item in named)
    if question.conditions.negated or (question.conditions.severity and question.is_yes_no):
        pass  # a bare "yes" would leave open to what
    elif ASKS_TO_CONFIRM.search(question.text):
        said = f"Yes. {said}"
    elif ASKS_PERMISSION.search(question.text):
        said += f" {CAUTION} before you take any."
    return SpokenAnswer(said, action)


def _list(turn: Turn, allergies: list[Allergy]) -> SpokenAnswer:
    action = turn.question.action or "ALLERGY_LIST"
    question = turn.question
    said_anywhere = (
        None if question.leaves_out("sorts") else rules.first(rules.ALLERGY_CATEGORY, question.text)
    )
    category = next(iter(question.named("sorts")), said_anywhere)
    kind = f"{_CATEGORY_NAMES[category]} " if category else ""
    chosen = [
        item
        for item in allergies
        if category in (None, item.category) and item.category not in question.leaves_out("sorts")
    ]
    severity = turn.question.conditions.severity
    if severity:
        kind = f"{severity} {kind}"
        inverted = turn.question.conditions.negated and not turn.question.is_yes_no
        chosen = [item for item in chosen if (item.severity == severity) != inverted]
        kind = f"{'not ' if inverted else ''}{kind}"
    if turn.question.excluded:
        kind = f"other {kind}"
    said = f"You have {spoken.count(len(chosen), f'{kind}allergy', f'{kind}allergies')} on record"
    if not chosen or action == "ALLERGY_COUNT":
        return SpokenAnswer(f"{said}.", action)
    plain = spoken.join([item.allergen for item in chosen])
    return SpokenAnswer(f"{said}: {plain if severity else _by_severity(chosen)}.", action)


def _by_severity(allergies: list[Allergy]) -> str:
    grouped: dict[str, list[str]] = {}
    for item in allergies:
        grouped.setdefault(item.severity, []).append(item.allergen)
    return "; ".join(f"{severity} to {spoken.join(names)}" for severity, names in grouped.items())


def _one(item: Allergy) -> str:
    reaction = f". The reaction on record is {item.reaction}" if item.reaction else ""
    return f"You have {spoken.article(item.severity)} {item.severity} allergy to {item.allergen}{reaction}."


def _unknown(thing: str, allergies: list[Allergy]) -> str:
    known = spoken.join([item.allergen for item in allergies])
    return (
        f"I have no record of an allergy to {thing}, which does not mean that it is safe for you."
        f" On record are {known}. {CAUTION} if you are unsure."
    )
