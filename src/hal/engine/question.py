"""A question understood: what it is about, what is asked, and of which records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from hal.engine import periods, rules
from hal.engine.actions import ACTIONS
from hal.engine.entities import Entities, find_entities
from hal.engine.evidence import EVIDENCE
from hal.engine.periods import Period
from hal.engine.records import Household
from hal.engine.text import normalise
from hal.protocol import Frame, Intent

MAX_CONTEXT = 4
MAX_CHARACTERS = 500  # of a text that is looked at: a minute of speech
ENOUGH_EVIDENCE = 3
SHORT = 5
ENTITY_EVIDENCE = {
    "medications": (Intent.MEDICATION, 3),
    "unclear": (Intent.MEDICATION, 3),
    "purposes": (Intent.MEDICATION, 1),
    "providers": (Intent.APPOINTMENT, 3),
    "allergens": (Intent.ALLERGY, 3),
    "metrics": (Intent.HEALTH_DATA, 4),
    "merchants": (Intent.TRANSACTION, 3),
    "categories": (Intent.TRANSACTION, 1),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a question asks.

    Attributes:
        text: the normalised question.
        intent: its subject; GENERAL when it is not about the records.
        action: what it asks within the subject, or "" when it does not say.
        period: the stretch of time it names.
        continued: whether it was completed from the turn before.
        entities: the names of the records it names, by kind; see `find_entities`.
    """

    text: str
    intent: Intent = Intent.GENERAL
    action: str = ""
    period: Period | None = None
    part_of_day: tuple[str, ...] = ()
    continued: bool = False
    entities: Entities = field(default_factory=dict)

    def named(self, kind: str) -> tuple[str, ...]:
        """Return the records of one kind that it names."""
        return self.entities.get(kind, ())


def understand(text: str, context: list[Frame], household: Household, today: date) -> Question:
    """Understand a question, with the help of the turns before it where it leans on them."""
    question = parse(text, household, today)
    context = context[-MAX_CONTEXT:]
    before = str(context[-1].get("question") or "") if context else ""
    if not before or not _leans(question):
        return question
    earlier = understand(before, context[:-1], household, today)
    if not earlier.entities and rules.PRONOUN.search(question.text):
        answered = parse(str(context[-1].get("answer") or ""), household, today)
        told = {kind: names for kind, names in answered.entities.items() if len(names) == 1}
        earlier = replace(
            earlier, entities={k: names for k, names in told.items() if _belongs(k, earlier.intent)}
        )
    return _continue(question, earlier, today)


def parse(text: str, household: Household, today: date) -> Question:
    """Understand a question by itself."""
    plain = normalise(text[:MAX_CHARACTERS])
    found = find_entities(plain, household)
    intent = _intent(plain, found)
    return _complete(Question(plain, intent=intent, entities=found), today)


def _complete(question: Question, today: date) -> Question:
    """Fill in the action and the period, which are read differently for each intent."""
    coming = question.intent == Intent.APPOINTMENT and " did " not in f" {question.text} "
    period, rest = periods.find(question.text, today, future=coming)
    searched = question.text if question.intent == Intent.MEDICATION else rest
    action = rules.first(ACTIONS.get(question.intent, ()), searched) or ""
    parts = tuple(part for part, pattern in rules.PARTS_OF_DAY.items() if pattern.search(question.text))
    return replace(question, action=action, period=period, part_of_day=parts)


def _leans(question: Question) -> bool:
    """Tell whether a question cannot be understood without the one before."""
    if rules.ELLIPSIS.search(question.text) or rules.PRONOUN.search(question.text):
        return True
    short = len(question.text.split()) <= SHORT
    return short and (question.intent == Intent.GENERAL or not question.action)


def _continue(question: Question, earlier: Question, today: date) -> Question:
    """Complete a question that leans on an earlier one."""
    if earlier.intent == Intent.GENERAL:
        return question
    own_action = question.action
    if question.intent == Intent.GENERAL:
        candidate = _complete(replace(question, intent=earlier.intent), today)
        own_action = candidate.action
        named = any(_belongs(kind, earlier.intent) for kind in question.entities)
        elliptic = bool(rules.ELLIPSIS.search(question.text)) or len(question.text.split()) <= 2
        related = rules.weight(EVIDENCE[earlier.intent], question.text) > 0
        pointed = own_action and (related or rules.PRONOUN.search(question.text))
        if not (named or pointed or candidate.period or (elliptic and own_action) or candidate.part_of_day):
            return question
        question = candidate
    if question.intent != earlier.intent:
        return question
    question = replace(question, continued=True)
    elliptic = bool(rules.ELLIPSIS.search(question.text)) or not own_action or own_action.endswith("_LIST")
    merged = replace(question, action=earlier.action or own_action if elliptic else own_action)
    if not any(_belongs(kind, merged.intent) for kind in question.entities):
        merged = replace(
            merged, entities={k: v for k, v in earlier.entities.items() if _belongs(k, merged.intent)}
        )
    if merged.period is None and merged.intent in (Intent.TRANSACTION, Intent.HEALTH_DATA):
        merged = replace(merged, period=earlier.period)
    return merged


def _belongs(kind: str, intent: Intent) -> bool:
    return ENTITY_EVIDENCE[kind][0] == intent


def _intent(text: str, found: Entities) -> Intent:
    """Return what a question is about by the evidence, unless it is about the world at large."""
    scores = {intent: rules.weight(evidence, text) for intent, evidence in EVIDENCE.items()}
    for kind in found:
        intent, evidence = ENTITY_EVIDENCE[kind]
        scores[intent] += evidence
    if found.get("purposes") and scores[Intent.MEDICATION] > 1 and rules.TAKEN_FOR.search(text):
        scores[Intent.MEDICATION] += 3
    intent = max(scores, key=lambda each: scores[each])
    if scores[intent] < ENOUGH_EVIDENCE or _is_general(text, found, intent, scores[intent]):
        return Intent.GENERAL
    return intent


def _is_general(text: str, found: Entities, intent: Intent, score: int) -> bool:
    """Tell whether a question with some evidence for an intent is still not about the household."""
    if intent == Intent.PASSWORD:
        return bool(rules.PASSWORD_ADVICE.search(text))
    if rules.PERSONAL.search(rules.COMMAND_ME.sub("", text)):
        return False
    only_named = score <= ENOUGH_EVIDENCE + 1
    known = "providers" in found or ("medications" in found and "work" not in text.split())
    if rules.GENERAL_KNOWLEDGE.search(text) and not known:
        return True
    if intent == Intent.HEALTH_DATA:
        defined = rules.DEFINITION.match(text) or len(text.split()) > SHORT
        return bool(defined) and not rules.RECORDED.search(text)
    if intent == Intent.TRANSACTION:
        return only_named and ("merchants" in found or "categories" not in found)
    return intent == Intent.ALLERGY and only_named
