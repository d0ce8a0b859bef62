"""What is spent or received on average: a purchase, and a whole month, week or year."""

from __future__ import annotations

from hal.engine import periods, spoken
from hal.engine.answers import Turn
from hal.engine.periods import Period
from hal.engine.records import Transaction

_MOST_UNITS = 12


def average(chosen: list[Transaction], subject: str, when: str, turn: Turn) -> str:
    """Say what one purchase is on average, and what a whole month, week or year of them is."""
    average = spoken.money(round(sum(item.cents for item in chosen) / len(chosen)))
    said = (
        f"Your average purchase{subject}{when} was {average}, over {spoken.count(len(chosen), 'purchase')}."
    )
    usual, per = _usual(chosen, turn), turn.question.conditions.per
    if per and not usual:
        return f"There is no full {per} on record{when if turn.question.periods else ''}. {said}"
    if not usual or (turn.question.periods and not per):
        return said
    spent = f"You spend {usual[0]}{subject} {usual[1]}"
    return f"{spent} {said}" if per else f"{said} {spent}"


def _usual(chosen: list[Transaction], turn: Turn) -> tuple[str, str] | None:
    """Return the sum of a whole month, week or year on average, and the words that follow it."""
    unit = turn.question.conditions.per or "month"
    first = turn.household.transactions()[0].date
    whole: list[Period] = []
    period = periods.unit_of(unit, turn.now.date(), -1, "")
    while period.start >= first and len(whole) < _MOST_UNITS:
        whole.append(period)
        period = periods.unit_of(unit, period.start, -1, "")
    within = turn.question.period
    if within:
        whole = [each for each in whole if each.start in within and each.end in within]
    if not whole:
        return None
    cents = abs(sum(item.cents for item in chosen if any(item.date in each for each in whole)))
    over = spoken.count(len(whole), f"full {unit}")
    return spoken.money(
        round(cents / len(whole))
    ), f"a {unit} on average{f' {within.label}' if within else ''}, over {over}."


def received(chosen: list[Transaction], turn: Turn) -> str:
    """Say what is received in a whole month, week or year on average."""
    usual = _usual(chosen, turn)
    if usual is None:
        return f"There is no full {turn.question.conditions.per or 'month'} of income on record."
    return f"You receive {usual[0]} {usual[1]}"
