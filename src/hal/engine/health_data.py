"""Answers about vital signs: the latest, their trend, average and extremes. No judgement of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from statistics import mean

from hal.engine import spoken
from hal.engine.answers import CAUTION, Answer, Turn
from hal.engine.periods import Period
from hal.engine.records import Reading

TREND = timedelta(days=90)
UNCHANGED = 0.01


def answer(turn: Turn) -> Answer:
    """Answer a question about vital signs."""
    question, today = turn.question, turn.now.date()
    action = question.action or "HEALTH_DATA_LATEST"
    metrics = question.named("metrics") or tuple(turn.household.metrics())
    if not metrics:
        return Answer("No health data is on record.", action)
    if action == "HEALTH_DATA_LATEST" and question.period and not question.period.is_day:
        action = "HEALTH_DATA_TREND"
    said = [_metric(action, turn.household.readings(metric), question.period, today) for metric in metrics]
    if action == "HEALTH_DATA_ASSESSMENT":
        said.append(f"{CAUTION} what that means for you.")
    return Answer(" ".join(said), action)


def _metric(action: str, readings: list[Reading], period: Period | None, today: date) -> str:
    metric = readings[-1].metric
    if action == "HEALTH_DATA_TREND" and period is None:
        period = Period(today - TREND, today, f"in the last {TREND.days} days")
    chosen = [item for item in readings if period is None or item.at.date() in period]
    if not chosen:
        assert period is not None  # noqa: S101 - without a period every reading is chosen
        return f"There is no {metric} reading {period.label}. {_latest(readings[-1], today)}"
    when = f" {period.label}" if period else " on record"
    if action == "HEALTH_DATA_TREND":
        return _trend(chosen, when)
    if action == "HEALTH_DATA_AVERAGE":
        second = [item.second_value for item in chosen if item.second_value is not None]
        average = _value(
            mean(item.value for item in chosen), mean(second) if second else None, chosen[0].unit
        )
        return f"Your average {metric}{when} is {average}, over {spoken.count(len(chosen), 'reading')}."
    if action in ("HEALTH_DATA_HIGHEST", "HEALTH_DATA_LOWEST"):
        highest = action == "HEALTH_DATA_HIGHEST"
        extreme = (max if highest else min)(chosen, key=lambda item: item.value)
        word = "highest" if highest else "lowest"
        return f"Your {word} {metric}{when} was {_said(extreme)}, {spoken.day(extreme.at.date(), today)}."
    return _latest(chosen[-1], today)


def _latest(item: Reading, today: date) -> str:
    return f"Your latest {item.metric} was {_said(item)}, {spoken.moment(item.at, today)}."


def _trend(readings: Sequence[Reading], when: str) -> str:
    first, last = readings[0], readings[-1]
    if len(readings) == 1:
        return f"There is only one {first.metric} reading{when}: {_said(first)}."
    change = last.value - first.value
    if abs(change) <= UNCHANGED * first.value:
        return f"Your {first.metric} stayed about the same{when}, at {_said(last)}."
    way = "up" if change > 0 else "down"
    return (
        f"Your {first.metric} went {way}{when}, from {_said(first)} to {_said(last)},"
        f" over {spoken.count(len(readings), 'reading')}."
    )


def _said(item: Reading) -> str:
    return _value(item.value, item.second_value, item.unit)


def _value(value: float, second: float | None, unit: str) -> str:
    if second is not None:
        return f"{value:.0f} over {second:.0f}"
    return f"{spoken.number(value)} {spoken.units(unit)}".strip()
