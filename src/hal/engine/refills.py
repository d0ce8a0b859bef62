"""Answers about refills: which are due, the first, the last, and how many are left."""

from __future__ import annotations

import re
from datetime import date, timedelta

from hal.engine import spoken
from hal.engine.answers import Turn
from hal.engine.records import Medication

SOON = timedelta(days=14)
THE_FORM = re.compile(r"\b(?:my|the) (?:\w+ )?(?:inhaler|tablet|capsule)\b")
_EVERY_ONE = re.compile(
    r"\b(?:everything|every|all|each)\b"
    r"|^(?:and )?how many refills(?: (?:do|have|are) (?:\w+ )*(?:left|remaining))?$"
)
_FIRST = re.compile(r"\b(?:first|soonest|earliest)\b")
_LAST = re.compile(r"\b(?:last|latest)\b")
_IN_ALL = re.compile(r"^how many refills\b.*\b(?:total|altogether|in all|combined)\b")
_EXTREME = re.compile(r"\brefills_(?:most|fewest)\b")
_MOST = re.compile(r"\brefills_most\b")
_WAS = re.compile(r"\b(?:was|were|did|have)\b")
_NOT_RECORDED = "When a refill was picked up is not on record."


def due(turn: Turn, medications: list[Medication]) -> str:
    """Say which medicines are due for a refill: those named, those due soon, in a period, one of them."""
    question, today = turn.question, turn.now.date()
    tracked = sorted(
        ((item.refill_date, item) for item in medications if item.active and item.refill_date),
        key=lambda each: each[0],
    )
    if _IN_ALL.search(question.text):
        numbers = [item.refills_left for _, item in tracked if item.refills_left is not None]
        of = spoken.count(len(numbers), "medication")
        return f"You have {spoken.count(sum(numbers), 'refill')} left in all, of {of}."
    form = question.conditions.form and THE_FORM.search(question.text)
    named = question.named("medications") or question.named("purposes") or form
    period = question.period
    until = period.end if period else today + SOON
    since = period.start if period and period.start > today else date.min
    every = named or _EVERY_ONE.search(question.text)
    chosen = [(when, item) for when, item in tracked if every or since <= when <= until]
    if _EXTREME.search(question.text):
        known = [item.refills_left for _, item in tracked if item.refills_left is not None]
        best = max(known, default=0) if _MOST.search(question.text) else min(known, default=0)
        chosen = [(when, item) for when, item in tracked if item.refills_left == best]
    past = f"{_NOT_RECORDED} " if _WAS.search(question.text) and _LAST.search(question.text) else ""
    if _FIRST.search(question.text):
        chosen = chosen[:1]
    elif _LAST.search(question.text) and not (past or named or period):
        chosen = tracked[-1:]
    if named and not chosen:
        return f"No refill date is on record for {spoken.join([item.name for item in medications])}."
    if not chosen:
        when = period.label if period else f"in the next {SOON.days} days"
        return f"{past}No refills are due {when}."
    parts = []
    for day, item in chosen:
        left = "" if item.refills_left is None else f", with {spoken.count(item.refills_left, 'refill')} left"
        parts.append(f"{item.name} is due for a refill {spoken.day(day, today)}{left}")
    return past + spoken.sentence("; ".join(parts))
