"""Answers about vital signs: the latest, their trend, average and extremes. No judgement of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
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
_LAST_READING = re.compile(
    r"\b(?:last|latest|final|most recent) (?:(?!week|month|year|day|night|time|\d)\w+ ){0,3}reading\b"
    r"|\blatest (?:blood |heart )?(?:pressure|sugar|glucose|weight|pulse|rate)\b"
)
_LOWEST = re.compile(r"\b(?:lowest|minimum|min)\b")
_EACH_OF_THEM = re.compile(
    r"\b(?:all|list|show)\b.*\b(?:readings|weights|measurements|sugars|pressures)\b"
    r"|\bwhat were (?:my|the)\b.*\breadings\b"
    r"|\bwhat were (?:my|the) (?:blood |heart )?(?:pressures?|weights?|sugars?|glucose|pulse|rates?)\b"
    r"|^(?:my |the )?(?:\w+ ){1,2}readings (?:in|from|for|since|this|last)\b"
)
_DIASTOLIC = re.compile(r"\bdiastolic\b")
_HOW_MANY_UNITS = re.compile(r"\bhow (?:many (?:pounds|points|kilos|beats)|much|far)\b")
_CHANGED = re.compile(r"\b(?:lose|lost|losing|gain\w*)\b")


type _Value = Callable[[Reading], float]


def _highest(readings: Sequence[Reading], value: _Value) -> Reading:
    return max(readings, key=value)


def _lowest(readings: Sequence[Reading], value: _Value) -> Reading:
    return min(readings, key=value)


def _earliest(readings: Sequence[Reading], _: _Value) -> Reading:
    return readings[0]


_WORDS: dict[str, tuple[str, Callable[[Sequence[Reading], _Value], Reading]]] = {
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
        action = action if _LAST_READING.search(question.text) else "HEALTH_DATA_TREND"
    conditions = question.conditions
    if conditions.comparison and not question.periods:
        return SpokenAnswer("With which time shall I compare it?", "CLARIFY")
    action = _meant(action, question)
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


def _meant(action: str, question: Question) -> str:
    """Return what is asked: the conditions say more than the verb."""
    conditions, text = question.conditions, question.text
    bounded = conditions.over is not None or conditions.under is not None
    of_two = conditions.comparison and len(question.periods) > 1
    latest = action in ("HEALTH_DATA_LATEST", "HEALTH_DATA_TREND")
    meant = (
        (bounded and _CHANGED.search(text), "HEALTH_DATA_TREND"),
        (bounded and action == "HEALTH_DATA_FIRST", action),  # the first that keeps the bound
        (bounded and _HOW_MANY_UNITS.search(text), "HEALTH_DATA_LATEST"),
        (bounded or conditions.counted, "HEALTH_DATA_COUNT"),
        (conditions.average and not of_two, "HEALTH_DATA_AVERAGE"),
        (conditions.last > 1 and latest, "HEALTH_DATA_RECENT"),
        (conditions.comparison, "HEALTH_DATA_COMPARE"),
        (_EACH_OF_THEM.search(text), "HEALTH_DATA_RECENT"),
    )
    return next((name for holds, name in meant if holds), action)


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
    within = period
    if period and question.further and action == "HEALTH_DATA_LATEST":
        within = replace(period, start=date.min)  # what came before may be older
    chosen = [item for item in kept if within is None or item.at.date() in within]
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
        return _trend(chosen, when, question, told=bool(_HOW_MANY_UNITS.search(question.text)))
    if action == "HEALTH_DATA_AVERAGE":
        number = spoken.count(len(chosen), "reading")
        return f"Your average {metric}{when} is {_average(chosen)}, over {number}."
    if action in _WORDS:
        return _extreme(action, chosen, when, question, today)
    return _one(chosen, question, today)


def _extreme(action: str, chosen: list[Reading], when: str, question: Question, today: date) -> str:
    """Say the highest, lowest or first reading, of those that keep the bound that is asked."""
    word, choose = _WORDS[action]
    metric, value = _asked_of(chosen[0], question)
    kept, bound = _kept(chosen, question)
    if not kept:
        return f"You have no {metric} reading{bound}{when}."
    item = choose(kept, value)
    named = f"{metric} reading{bound}" if bound else metric
    return f"Your {word} {named}{when} was {_said(item)}, {spoken.day(item.at.date(), today)}."


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


def _asked_of(reading: Reading, question: Question) -> tuple[str, _Value]:
    """Return what is asked of readings like one, and which of its two values that is."""
    if reading.second_value is not None and _DIASTOLIC.search(question.text):
        return f"diastolic {reading.metric}", lambda item: item.second_value or 0.0
    return reading.metric, lambda item: item.value


def _kept(readings: Sequence[Reading], question: Question) -> tuple[list[Reading], str]:
    """Return those of some readings that keep the bound that is asked of them, and how to say the bound."""
    over, under = question.conditions.over, question.conditions.under
    _, value = _asked_of(readings[0], question)
    kept = [
        item
        for item in readings
        if (over is None or value(item) > over) and (under is None or value(item) < under)
    ]
    return kept, question.conditions.bound()


def _counted(readings: Sequence[Reading], question: Question, when: str, today: date) -> str:
    """Say how many readings keep a bound, and the latest of them."""
    metric, _ = _asked_of(readings[0], question)
    kept, bound = _kept(readings, question)
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


def _trend(readings: Sequence[Reading], when: str, question: Question, *, told: bool) -> str:
    """Say how the values went from the first to the last, and, if it is to be told, by how much."""
    first, last = readings[0], readings[-1]
    _, value = _asked_of(first, question)
    if len(readings) == 1:
        return f"There is only one {first.metric} reading{when}: {_said(first)}."
    change = value(last) - value(first)
    if abs(change) <= UNCHANGED * value(first) and not (told and change and first.second_value is None):
        values = (
            f"at {_said(last)}" if _said(first) == _said(last) else f"from {_said(first)} to {_said(last)}"
        )
        return f"Your {first.metric} stayed about the same{when}, {values}."
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
