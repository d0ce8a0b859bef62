"""Answers about vital signs: the latest, their trend, average and extremes. No judgement of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from statistics import mean

from hal.engine import spoken
from hal.engine.answers import CAUTION, SpokenAnswer, Turn
from hal.engine.periods import Period
from hal.engine.question import Question
from hal.engine.records import Reading

TREND = timedelta(days=90)
UNCHANGED = 0.01
NEAR = timedelta(days=21)
MAX_SPOKEN = 10
_LOWEST = re.compile(r"\b(?:lowest|minimum|min)\b")
_EACH_OF_THEM = re.compile(
    r"\b(?:all|list|show)\b.*\b(?:readings|weights|measurements|sugars|pressures)\b"
    r"|\bwhat were (?:my|the)\b.*\breadings\b"
    r"|\bwhat were (?:my|the) (?:blood |heart )?(?:pressures?|weights?|sugars?|glucose|pulse|rates?)\b"
    r"|^(?:my |the )?(?:\w+ ){1,2}readings (?:in|from|for|since|this|last)\b"
)
_HOW_MANY_UNITS = re.compile(r"\bhow (?:many (?:pounds|points|kilos|beats)|much|far)\b")
_CHANGED = re.compile(r"\b(?:lose|lost|losing|gain\w*)\b")


def _highest(readings: Sequence[Reading]) -> Reading:
    return max(readings, key=lambda item: item.value)


def _lowest(readings: Sequence[Reading]) -> Reading:
    return min(readings, key=lambda item: item.value)


def _earliest(readings: Sequence[Reading]) -> Reading:
    return readings[0]


_WORDS: dict[str, tuple[str, Callable[[Sequence[Reading]], Reading]]] = {
    "HEALTH_DATA_HIGHEST": ("highest", _highest),
    "HEALTH_DATA_LOWEST": ("lowest", _lowest),
    "HEALTH_DATA_FIRST": ("first", _earliest),
}


def answer(turn: Turn) -> SpokenAnswer:
    """Answer a question about vital signs."""
    question, today = turn.question, turn.now.date()
    action = question.action or "HEALTH_DATA_LATEST"
    metrics = question.named("metrics") or tuple(turn.household.metrics())
    if not metrics:
        return SpokenAnswer("No health data is on record.", action)
    if action == "HEALTH_DATA_LATEST" and question.period and not question.period.is_day:
        action = "HEALTH_DATA_TREND"
    conditions = question.conditions
    if conditions.comparison and not question.periods:
        return SpokenAnswer("With which time shall I compare it?", "CLARIFY")
    measured = _HOW_MANY_UNITS.search(question.text)
    bounded = conditions.over is not None or conditions.under is not None
    if bounded and _CHANGED.search(question.text):
        action = "HEALTH_DATA_TREND"
    elif bounded and measured:
        action = "HEALTH_DATA_LATEST"
    elif bounded or conditions.counted:
        action = "HEALTH_DATA_COUNT"
    elif conditions.average and not (conditions.comparison and len(question.periods) > 1):
        action = "HEALTH_DATA_AVERAGE"
    elif conditions.last > 1 and action in ("HEALTH_DATA_LATEST", "HEALTH_DATA_TREND"):
        action = "HEALTH_DATA_RECENT"
    elif conditions.comparison:
        action = "HEALTH_DATA_COMPARE"
    elif _EACH_OF_THEM.search(question.text):
        action = "HEALTH_DATA_RECENT"
    actions = [action]
    if action == "HEALTH_DATA_HIGHEST" and _LOWEST.search(question.text):
        actions.append("HEALTH_DATA_LOWEST")
    said = [
        _metric(each, turn.household.readings(metric), question, today)
        for metric in metrics
        for each in actions
    ]
    if action == "HEALTH_DATA_ASSESSMENT":
        said.append(f"{CAUTION} what that means for you.")
    return SpokenAnswer(" ".join(said), action)


def _metric(action: str, readings: list[Reading], question: Question, today: date) -> str:
    metric, period, conditions = readings[-1].metric, question.period, question.conditions
    if action == "HEALTH_DATA_COMPARE":
        return _compared(readings, question, today)
    if period and period.ago and action in ("HEALTH_DATA_LATEST", "HEALTH_DATA_TREND", "HEALTH_DATA_AVERAGE"):
        return _around(readings, period.ago, period.label, today)
    if action == "HEALTH_DATA_TREND" and period is None:
        period = Period(today - TREND, today, f"in the last {TREND.days} days")
    kept = [
        item for item in readings if not any(item.at.date() in each for each in question.excluded_periods)
    ]
    chosen = [item for item in kept if period is None or item.at.date() in period]
    if not chosen and period is None:
        return f"There is no other {metric} reading on record."
    if conditions.last > 1:
        chosen = chosen[-conditions.last :]
    if not chosen:
        assert period is not None  # noqa: S101 - without a period every reading is chosen
        return f"There is no {metric} reading {period.label}. {_instead(readings, period, today)}"
    when = f" {period.label}" if period else " on record"
    if conditions.last > 1:
        when = f" in the last {spoken.count(len(chosen), 'reading')}{when if period else ''}"
    return _told(action, chosen, when, question, today)


def _told(action: str, chosen: list[Reading], when: str, question: Question, today: date) -> str:
    """Say what is asked of some readings of one metric, of which there is at least one."""
    metric = chosen[0].metric
    if action == "HEALTH_DATA_COUNT":
        return _counted(chosen, question, when, today)
    if action == "HEALTH_DATA_RECENT":
        latest = chosen[-MAX_SPOKEN:][::-1]
        listed = "; ".join(f"{_said(item)} {spoken.day(item.at.date(), today)}" for item in latest)
        within = f" {question.period.label}" if question.period else ""
        return f"Your last {spoken.count(len(latest), f'{metric} reading')}{within}: {listed}."
    if action == "HEALTH_DATA_TREND":
        return _trend(chosen, when, told=bool(_HOW_MANY_UNITS.search(question.text)))
    if action == "HEALTH_DATA_AVERAGE":
        number = spoken.count(len(chosen), "reading")
        return f"Your average {metric}{when} is {_average(chosen)}, over {number}."
    if action in _WORDS:
        word, choose = _WORDS[action]
        extreme = choose(chosen)
        return f"Your {word} {metric}{when} was {_said(extreme)}, {spoken.day(extreme.at.date(), today)}."
    return _one(chosen, question, today)


def _one(readings: Sequence[Reading], question: Question, today: date) -> str:
    """Say the latest reading, that of a period, or the one that is so many `further` before."""
    metric, further = readings[-1].metric, question.further
    if further >= len(readings):
        return f"There is no earlier {metric} reading on record."
    item = readings[-1 - further]
    if not (further or question.period):
        return _latest(item, today)
    which = f"{metric} before that" if further else metric
    return f"Your {which} was {_said(item)}, {spoken.moment(item.at, today)}."


def _average(readings: Sequence[Reading]) -> str:
    second = [item.second_value for item in readings if item.second_value is not None]
    return _value(mean(item.value for item in readings), mean(second) if second else None, readings[0].unit)


def _nearest(readings: Sequence[Reading], when: date) -> Reading:
    return min(readings, key=lambda each: abs((each.at.date() - when).days))


def _around(readings: list[Reading], when: date, label: str, today: date) -> str:
    """Say the reading that is nearest to a day."""
    item = _nearest(readings, when)
    if abs((item.at.date() - when).days) > NEAR.days:
        return f"There is no {item.metric} reading from {label}. {_latest(readings[-1], today)}"
    return f"Your {item.metric} {label} was {_said(item)}, {spoken.day(item.at.date(), today)}."


def _instead(readings: list[Reading], period: Period, today: date) -> str:
    """Say the reading that is nearest to a day without one, else the latest."""
    item = _nearest(readings, period.start)
    if not period.is_day or item is readings[-1] or abs((item.at.date() - period.start).days) > NEAR.days:
        return _latest(readings[-1], today)
    return f"The nearest was {_said(item)}, {spoken.day(item.at.date(), today)}."


def _counted(readings: Sequence[Reading], question: Question, when: str, today: date) -> str:
    """Say how many readings keep a bound, and the latest of them."""
    conditions, metric = question.conditions, readings[0].metric
    over, under = conditions.over, conditions.under
    kept = [
        item
        for item in readings
        if (over is None or item.value > over) and (under is None or item.value < under)
    ]
    bound = f" over {over:g}" if over is not None else f" under {under:g}" if under is not None else ""
    if not kept:
        return f"You have no {metric} reading{bound}{when}."
    said = f"You have {spoken.count(len(kept), f'{metric} reading')}{bound}{when}"
    if not bound:
        return f"{said}."
    return f"{said}, the latest of them {_said(kept[-1])}, {spoken.day(kept[-1].at.date(), today)}."


def _compared(readings: list[Reading], question: Question, today: date) -> str:
    """Compare the latest reading, or the average of one period, with another period."""
    metric = readings[-1].metric
    *first, other = question.periods
    sides = []
    for period in (*first, other):
        if when := period.ago or (period.start if period.is_day else None):
            near = _nearest(readings, when)
            chosen = [near] if abs((near.at.date() - when).days) <= NEAR.days else []
            named = spoken.day(near.at.date(), today)
        else:
            chosen = [item for item in readings if item.at.date() in period]
            named = f"{period.label}, on average"
        if not chosen:
            return f"There is no {metric} reading {period.label}. {_latest(readings[-1], today)}"
        sides.append((mean(item.value for item in chosen), _average(chosen), named))
    if len(sides) == 1:
        sides.insert(0, (readings[-1].value, _said(readings[-1]), "at the latest reading"))
    (value, said, named), (then, said_then, named_then) = sides[:2]
    word = "higher" if value > then else "lower" if value < then else "the same"
    return f"Your {metric} is {word}: {said} {named}, against {said_then} {named_then}."


def _latest(item: Reading, today: date) -> str:
    return f"Your latest {item.metric} was {_said(item)}, {spoken.moment(item.at, today)}."


def _trend(readings: Sequence[Reading], when: str, *, told: bool) -> str:
    """Say how the values went from the first to the last, and, if it is to be told, by how much."""
    first, last = readings[0], readings[-1]
    if len(readings) == 1:
        return f"There is only one {first.metric} reading{when}: {_said(first)}."
    change = last.value - first.value
    if abs(change) <= UNCHANGED * first.value and not (told and change and first.second_value is None):
        return f"Your {first.metric} stayed about the same{when}, at {_said(last)}."
    way = "up" if change > 0 else "down"
    by = f" by {_value(abs(change), None, first.unit)}" if told and first.second_value is None else ""
    return (
        f"Your {first.metric} went {way}{by}{when}, from {_said(first)} to {_said(last)},"
        f" over {spoken.count(len(readings), 'reading')}."
    )


def _said(item: Reading) -> str:
    return _value(item.value, item.second_value, item.unit)


def _value(value: float, second: float | None, unit: str) -> str:
    if second is not None:
        return f"{value:.0f} over {second:.0f}"
    return f"{spoken.number(value)} {spoken.units(unit)}".strip()
