"""Answers about allergies. Whether something is safe is left to the doctor."""

from __future__ import annotations

import re

from hal.engine import rules, spoken
from hal.engine.answers import CAUTION, Answer, Turn
from hal.engine.records import Allergy

_ASKED_ABOUT = re.compile(
    r"\b(?:allerg\w+ to|eat|have an? reaction to|drink|touch)(?: any| an?| the| some)? (\w+(?: \w+)?)"
)
_CONFIRM = re.compile(r"^(?:am|do|have|is|are)\b.*\b(?:allerg\w+|react\w*)\b")
_PERMISSION = re.compile(r"\b(?:can|could|may|should|safe|okay|ok)\b")
_NOTHING_NAMED = re.compile(r"any|anything|something|foods?|medic\w+|drugs?|what")
_CATEGORY_NAMES = {"drug": "drug", "food": "food", "environment": "environmental"}


def answer(turn: Turn) -> Answer:
    """Answer a question about allergies."""
    question = turn.question
    allergies = turn.household.allergies()
    if not allergies:
        return Answer("No allergies are on record.", question.action or "ALLERGY_LIST")
    named = [item for item in allergies if item.allergen in question.named("allergens")]
    if named:
        return _check(turn, named)
    asked = _ASKED_ABOUT.search(question.text)
    if asked and not _NOTHING_NAMED.match(asked.group(1)):
        return Answer(_unknown(asked.group(1), allergies), "ALLERGY_CHECK")
    return _list(turn, allergies)


def _check(turn: Turn, named: list[Allergy]) -> Answer:
    question = turn.question
    action = question.action if question.action == "ALLERGY_REACTION" else "ALLERGY_CHECK"
    said = " ".join(_one(item) for item in named)
    if _CONFIRM.search(question.text):
        said = f"Yes. {said}"
    elif _PERMISSION.search(question.text):
        said += f" {CAUTION} before you take any."
    return Answer(said, action)


def _list(turn: Turn, allergies: list[Allergy]) -> Answer:
    action = turn.question.action or "ALLERGY_LIST"
    category = rules.first(rules.ALLERGY_CATEGORY, turn.question.text)
    kind = f"{_CATEGORY_NAMES[category]} " if category else ""
    chosen = [item for item in allergies if category in (None, item.category)]
    if action == "ALLERGY_SEVERE":
        kind = f"severe {kind}"
        chosen = [item for item in chosen if item.severity == "severe"]
    said = f"You have {spoken.count(len(chosen), f'{kind}allergy', f'{kind}allergies')} on record"
    if not chosen or action == "ALLERGY_COUNT":
        return Answer(f"{said}.", action)
    plain = spoken.join([item.allergen for item in chosen])
    return Answer(f"{said}: {plain if action == 'ALLERGY_SEVERE' else _by_severity(chosen)}.", action)


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
