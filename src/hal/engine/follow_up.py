"""Questions that lean on those before them: "and last month", "when do I take it", "and the one after"."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from hal.engine import beside, period_grammar, periods, rules
from hal.engine.conditions import Conditions
from hal.engine.entities import Entities, Naming, by_kind, find_entities
from hal.engine.evidence import EVIDENCE
from hal.engine.question import (
    FEW,
    MAX_CHARACTERS,
    Question,
    belongs,
    names_records,
    parse,
    plain,
)
from hal.engine.records import Household
from hal.engine.subject import SHORT
from hal.protocol import Frame, Intent

MAX_CONTEXT = 4
_OF_ONE = {"medications": ("purposes",), "providers": ("places", "reasons")}
_ONE_OF_THEM = re.compile(r"\b(?:(?:which|the \w+) ones?|of (?:those|these|them))\b")
# What is asked of one record by itself where one was named before: "how many refills are left".
_OF_THE_SAME = re.compile(
    r"^(?:and )?(?:how many refills(?: are| do i have)?(?: left| remaining)?"
    r"|(?:are there )?any refills left"
    r"|when is the (?:next )?refill(?: due)?|what is the (?:dose|dosage|strength)"
    r"|how much did (?:i|we) (?:spend|pay)(?: there)?|how many times did (?:i|we|she|he) (?:go|shop|eat"
    r"|buy|order)(?: there)?"
    r"|when was the last time(?: (?:i|we|she|he) (?:went|shopped|bought))?(?: there)?)$"
)
_ASKS_ITSELF = re.compile(
    r"^(?:and|but|or|also|then|now)"
    r" (?:when|where|who|why|which|(?:how|what)(?! about)|do|did|am|is|are|was|can)\b"
    r"|^(?:and|but|what about|how about) (?:the |my )?(?:last|previous) (?:time|visit|appointment)\b"
    r"|^(?:and|but|or|what about|how about) (?:the |my )?"
    r"(?:smallest|largest|biggest|cheapest|highest|lowest|(?:most|least) expensive|average)\b"
)
_EXTREME = re.compile(
    r"^(?:and |but |or )?(?:what|when|which|how much)\b.*"
    r"\b(?:highest|lowest|biggest|largest|smallest|cheapest|earliest|latest|most|least|average)\b"
)
_WAS = re.compile(r"\b(?:was|were|did)\b")
_TAKES = re.compile(r"\btak(?:e|en|ing)\b")
_SEES_PERSON = re.compile(r"\b(?:see|seeing|saw|seen|visit|appointment with) (him|her|them)\b")
# "And the one after that", "and the month before": one step on from what was told.
_ONE_FURTHER = re.compile(
    r"^(?:and |then |but )*"
    r"(?:what about |(?:what|which|when|who|where) (?:is|comes|was|do i see|did i see) )?"
    r"(?:(?:the )?(?:next )?(?:one|appointment|visit|reading|purchase|time) )?(?:right |just )?"
    r"(before|after)(?: (?:that|it|this|this one|that one))?$"
    r"|^(?:and |then )+(?:what about )?(?:the )?(?:next|following) (?:one|appointment)$"
)
_UNIT_BESIDE = re.compile(
    r"^(?:and |but |or |what about |how about )*(?:(?:in|for|during|on) )?(?:the )?(day|week|month|year)"
    r" (before|after)(?: (?:that|it|this|that one))?$"
)
_OF_THOSE = re.compile(r"\b(?:average|mean|total|of) (?:those|these|them)\b")
# What another doctor has prescribed, after "what did Dr. Chen prescribe": "and Dr. Patel".
_ONLY_NAMED = re.compile(
    r"^(?:and|what about|how about)(?: which (?:are|were|ones (?:are|were)))?(?: (?:from|by))?(?: doctor)?"
    r" \w+$"
)
_LEFT = re.compile(r"\b(?:left|remaining|remain)\b")
# "When was that" after "what was my highest blood pressure" is for that reading.
_WHEN_WAS = re.compile(
    r"^(?:and )?(?:when|where|what day|what date|on what day) (?:was|did|is) (?:that|it|this)\b(?!.*\b(?:last"
    r"|latest)\b)"
)
_ONE_OF_ALL = ("_HIGHEST", "_LOWEST", "_LARGEST", "_SMALLEST", "_FIRST")
_ONE_TOLD = ("APPOINTMENT_LAST", "TRANSACTION_LAST", "HEALTH_DATA_LATEST")


def understand(text: str, context: list[Frame], household: Household, today: date) -> Question:
    """Understand a question, with the help of the turns before it where it leans on them."""
    question = parse(text, household, today)
    context = context[-MAX_CONTEXT:]
    before = str(context[-1].get("question") or "") if context else ""
    if not before or not _leans(question):
        return question
    earlier = understand(before, context[:-1], household, today)
    further = _further(question, earlier, household, today)
    if further is not None:
        return further
    if rules.PRONOUN.search(question.text):
        answer = plain(str(context[-1].get("answer") or "")[:MAX_CHARACTERS])
        told = by_kind(find_entities(answer, household))
        # One of several medicines may be named by what it is for, one of several visits by where it is.
        of_one = {"sorts"} | {
            kind for of, kinds in _OF_ONE.items() if len(told.get(of, ())) > 1 for kind in kinds
        }
        single: Entities = {
            kind: names for kind, names in told.items() if len(names) == 1 and kind not in of_one
        }
        seen = _SEES_PERSON.search(question.text)
        if seen and earlier.intent != Intent.APPOINTMENT and "providers" in single:
            name = plain(single["providers"][0])
            text = f"{question.text[: seen.start(1)]}{name}{question.text[seen.end(1) :]}"
            return parse(text, household, today)
        if not earlier.entities:
            its_own = {kind: names for kind, names in single.items() if belongs(kind, earlier.intent)}
            earlier = replace(earlier, entities=its_own)
    return _continue(question, earlier, household, today)


def _leans(question: Question) -> bool:
    """Tell whether a question cannot be understood without the one before."""
    leaning = (rules.ELLIPSIS, rules.PRONOUN, _ONE_OF_THEM, _OF_THE_SAME)
    if any(pattern.search(question.text) for pattern in leaning):
        return True
    short = len(question.text.split()) <= SHORT
    return short and (question.intent == Intent.GENERAL or not question.action)


def _continue(question: Question, earlier: Question, household: Household, today: date) -> Question:
    """Complete a question that leans on an earlier one, with what it does not name itself."""
    if earlier.intent == Intent.GENERAL:
        return question
    own_action = question.action
    elliptic = bool(rules.ELLIPSIS.search(question.text))
    points = rules.PRONOUN.search(question.text) or _ONE_OF_THEM.search(question.text)
    prescribed = _ONLY_NAMED.search(question.text) and question.named("providers")
    if prescribed and earlier.intent == Intent.MEDICATION and earlier.named("providers"):
        entities = {**earlier.entities, "providers": question.named("providers")}
        return replace(earlier, text=question.text, entities=entities, continued=True)
    if question.intent == Intent.GENERAL:
        candidate = parse(question.text, household, today, earlier.intent)
        own_action = candidate.action
        named = any(belongs(kind, earlier.intent) for kind in question.entities)
        short = elliptic or len(question.text.split()) <= 2
        related = rules.weight(EVIDENCE[earlier.intent], question.text) > 0
        pointed = own_action and (related or points)
        stranger = elliptic and candidate.leftover
        averaged = candidate.conditions.average and not candidate.leftover
        bounded = elliptic and candidate.conditions.named() and not candidate.leftover
        counted = own_action.endswith("_COUNT") and not candidate.leftover and len(candidate.text.split()) > 2
        extreme = own_action and not candidate.leftover and _EXTREME.search(question.text)
        if not (
            named
            or pointed
            or candidate.periods
            or stranger
            or (short and own_action)
            or candidate.part_of_day
            or averaged
            or bounded
            or counted
            or extreme
        ):
            return question
        question = candidate
    if question.intent != earlier.intent:
        return question
    question = replace(question, continued=True)
    takes_over = not own_action or own_action.endswith("_LIST")
    takes_over = takes_over or (elliptic and not _ASKS_ITSELF.search(question.text))
    action = earlier.action or own_action if takes_over else own_action
    merged = replace(question, action=_in_the_same_sense(action, earlier.action, question.text))
    if merged.conditions.comparison and len(question.periods) == 1:
        merged = replace(merged, periods=(*earlier.periods[:1], *question.periods))
    if not (names_records(question) or question.leftover or question.conditions.form):
        merged = replace(
            merged,
            entities={
                **question.entities,
                **{k: v for k, v in earlier.entities.items() if belongs(k, merged.intent)},
            },
        )
    merged = replace(merged, conditions=_conditions(merged, earlier, elliptic=elliptic))
    same = bool(points) and not names_records(question)
    bare = len(question.text.split()) <= FEW and not names_records(question)
    of_the_same = (same or bare) and merged.intent == Intent.APPOINTMENT
    sides = max(len(merged.named(kind)) for kind in ("merchants", "categories"))
    # What was told is one side of a comparison; which the other is must be said.
    one_sided = merged.intent == Intent.TRANSACTION and bool(merged.conditions.comparison) and sides < 2
    takes_time = merged.intent in (Intent.TRANSACTION, Intent.HEALTH_DATA) and not one_sided
    if not merged.periods and (takes_time or of_the_same):
        merged = replace(merged, periods=earlier.periods)
    if merged.action == "APPOINTMENT_LAST" != earlier.action:  # it is not among those that were told
        others = {k: v for k, v in merged.entities.items() if k not in ("reasons", "places")}
        merged = replace(merged, periods=question.periods, entities=others)
    of_all = merged.action != "MEDICATION_DETAILS" or merged.conditions.named()
    if same and of_all and merged.intent == Intent.MEDICATION and not merged.part_of_day:
        merged = replace(merged, part_of_day=earlier.part_of_day)
    return merged


def _conditions(merged: Question, earlier: Question, *, elliptic: bool) -> Conditions:
    """Return the conditions with those of before that stay: two times compared, the last few averaged."""
    own, before = merged.conditions, earlier.conditions
    if elliptic and len(earlier.periods) > 1 and not (merged.periods or own.comparison):  # "and for weight"
        own = replace(own, comparison=before.comparison)
    if _OF_THOSE.search(merged.text) and not own.last:
        own = replace(own, last=before.last)
    return own


def _in_the_same_sense(action: str, before: str, text: str) -> str:
    """Return what is asked, of the past visit or the refill that was told rather than of those to come."""
    if before.endswith(_ONE_OF_ALL) and action.endswith(("_LATEST", "_LAST")) and _WHEN_WAS.search(text):
        return before
    single = action in ("APPOINTMENT_NEXT", "APPOINTMENT_LOCATION")
    if before == "APPOINTMENT_LAST" and single and _WAS.search(text):
        return before
    if before == "MEDICATION_REFILLS" and action == "MEDICATION_COUNT" and _LEFT.search(text):
        return before
    pointed = rules.PRONOUN.search(text) or _ONE_OF_THEM.search(text)
    of_refill = before == "MEDICATION_REFILLS" and action == "MEDICATION_SCHEDULE"
    return before if of_refill and pointed and not _TAKES.search(text) else action


def _further(question: Question, earlier: Question, household: Household, today: date) -> Question | None:
    """Return what "and the one after that" or "and the month before" asks, None of another question."""
    again = replace(earlier, text=question.text, continued=True)
    unit, step = _UNIT_BESIDE.search(question.text), _ONE_FURTHER.search(question.text)
    period = earlier.period
    if unit:
        if period is None and earlier.intent == Intent.TRANSACTION:
            period = periods.this_month(today)
        beside = period_grammar.beside(unit[1], period, unit[2], today) if period else None
        return replace(again, periods=(beside,)) if beside else None
    if step and step[1] == "before":
        return replace(again, further=earlier.further + 1) if earlier.action in _ONE_TOLD else None
    if step and earlier.intent == Intent.APPOINTMENT and earlier.action != "APPOINTMENT_LAST":
        return _appointment_after(again, household, today)
    return None


def _appointment_after(again: Question, household: Household, today: date) -> Question | None:
    """Return the question for what comes after the appointments that it asks for already."""
    if again.action == "APPOINTMENT_LIST":
        return replace(again, periods=(period_grammar.after(again.period),)) if again.period else None
    again = replace(again, action="APPOINTMENT_NEXT")
    named = [Naming("providers", name, range(1, 2)) for name in again.named("providers")]
    if not named:
        return replace(again, further=again.further + 1)
    after, _, _ = beside.visits("after it", named[:1], household, today)
    return replace(again, periods=after, entities={}) if after else None
