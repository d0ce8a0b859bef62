"""What was spent most: the largest purchases, and the month, week or day of the most or the least."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from hal.engine import periods, spoken
from hal.engine.records import Transaction

MAX_RANKED = 10
# How `synonyms` writes "three biggest" and "in which month … most".
TOP = re.compile(r"\btop_(\d+|two|three|four|five|six|seven|eight|nine|ten)\b")
PEAK = re.compile(r"\b(peak|low)_(month|week|day)\b")
_NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_DAY = timedelta(1)


def number_of(text: str) -> int:
    """Return how many of the most are asked for, 0 if the question does not say."""
    asked = TOP.search(text)
    if asked is None:
        return 0
    return min(int(asked[1]) if asked[1].isdigit() else _NUMBERS.index(asked[1]) + 2, MAX_RANKED)


def largest(chosen: Sequence[Transaction], number: int) -> list[Transaction]:
    """Return so many of the largest transactions, the largest first and the earlier of two alike first."""
    return sorted(chosen, key=lambda item: -item.cents)[:number]


def peak(chosen: Sequence[Transaction], asked: re.Match[str], subject: str, first: date, today: date) -> str:
    """Say in which month, week or day of those chosen the most, or the least, was spent.

    Arguments:
        chosen: what was spent, at least one purchase.
        asked: the match of `PEAK`.
        subject: on what or where, as " on groceries".
        first: the day of the first transaction on record. The least is looked for in whole months or weeks.
        today: the date.
    """
    least, unit = asked[1] == "low", asked[2]
    sums: dict[date, int] = {}
    for item in chosen:
        start = item.date if unit == "day" else periods.unit_of(unit, item.date, 0, "").start
        sums[start] = sums.get(start, 0) + item.cents
    whole = {
        start: cents
        for start, cents in sums.items()
        if unit == "day" or (start >= first and periods.unit_of(unit, start, 1, "").start - _DAY < today)
    }
    if least:
        if not whole:
            return f"There is no full {unit} of purchases{subject} on record."
        sums = whole
    start = (min if least else max)(sums, key=lambda each: sums[each])
    when = {
        "day": spoken.day(start, today),
        "week": f"in the week of {periods.said_day(start, today)}",
        "month": f"in {start:%B}{f' {start.year}' if start.year != today.year else ''}",
    }[unit]
    word = "least" if least else "most"
    of = f", of the {'days' if unit == 'day' else f'full {unit}s'} with any" if least else ""
    return f"You spent the {word}{subject} {when}: {spoken.money(sums[start])}{of}."


def _largest(chosen: Sequence[Transaction]) -> Transaction:
    return max(chosen, key=lambda item: item.cents)


def _smallest(chosen: Sequence[Transaction]) -> Transaction:
    return min(chosen, key=lambda item: item.cents)


def _earliest(chosen: Sequence[Transaction]) -> Transaction:
    return chosen[0]


def _latest(chosen: Sequence[Transaction]) -> Transaction:
    return chosen[-1]


# Which one of several is told, by the action.
CHOICES: dict[str, tuple[str, Callable[[Sequence[Transaction]], Transaction]]] = {
    "TRANSACTION_LARGEST": ("largest", _largest),
    "TRANSACTION_SMALLEST": ("smallest", _smallest),
    "TRANSACTION_LAST": ("last", _latest),
    "TRANSACTION_FIRST": ("first", _earliest),
}
