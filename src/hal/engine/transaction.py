"""Answers about money: sums by period, category and merchant, the largest, the last."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hal.engine import periods, spoken
from hal.engine.answers import Answer, Turn
from hal.engine.question import Question
from hal.engine.records import Transaction

RECENT = 3
MAX_SPOKEN = 10
TOP_CATEGORIES = 4
_HOW_MANY = re.compile(
    r"\b(\d{1,2}|two|three|four|five|six|seven|eight|nine|ten)\b(?! (?:day|week|month|year))"
)
_WORDS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_THIS_MONTH = "this month"
_OF_THIS_MONTH = ("TRANSACTION_SUM", "TRANSACTION_BREAKDOWN", "TRANSACTION_INCOME")


def _largest(chosen: Sequence[Transaction]) -> Transaction:
    return max(chosen, key=lambda item: item.cents)


def _smallest(chosen: Sequence[Transaction]) -> Transaction:
    return min(chosen, key=lambda item: item.cents)


def _latest(chosen: Sequence[Transaction]) -> Transaction:
    return chosen[-1]


_CHOICES: dict[str, tuple[str, Callable[[Sequence[Transaction]], Transaction]]] = {
    "TRANSACTION_LARGEST": ("largest", _largest),
    "TRANSACTION_SMALLEST": ("smallest", _smallest),
    "TRANSACTION_LAST": ("last", _latest),
}


def answer(turn: Turn) -> Answer:
    """Answer a question about transactions."""
    question, today = turn.question, turn.now.date()
    action = question.action or "TRANSACTION_SUM"
    if action == "TRANSACTION_BALANCE":
        return Answer("I have transactions on record but no account balance. Please ask your bank.", action)
    past = [item for item in turn.household.transactions() if item.date <= today]
    if not past:
        return Answer("There are no transactions on record.", action)
    matching = [item for item in past if _is_named(item, question)]
    income = action == "TRANSACTION_INCOME" or (
        bool(question.named("merchants")) and all(item.cents < 0 for item in matching)
    )
    if income and action != "TRANSACTION_LAST":
        action = "TRANSACTION_INCOME"
        matching = past if not question.named("merchants") else matching
    matching = [item for item in matching if (item.cents < 0) == income]
    period = question.period
    if period is None and action in _OF_THIS_MONTH:
        period, _ = periods.find(_THIS_MONTH, today)
    chosen = [item for item in matching if period is None or item.date in period]
    subject = "" if income else _subject(question)
    when = f" {period.label}" if period else "" if action == "TRANSACTION_LAST" else " on record"
    if chosen:
        return Answer(_say(action, chosen, subject, when, turn), action)
    last = f" The last was {_one(matching[-1], turn)}." if matching else ""
    return Answer(f"There {'is no income' if income else f'are no purchases{subject}'}{when}.{last}", action)


def _is_named(item: Transaction, question: Question) -> bool:
    merchants, categories = question.named("merchants"), question.named("categories")
    if merchants:
        return item.merchant in merchants
    return not categories or item.category in categories


def _subject(question: Question) -> str:
    merchants, categories = question.named("merchants"), question.named("categories")
    if merchants:
        return f" at {spoken.join(merchants)}"
    return f" on {spoken.join(categories)}" if categories else ""


def _say(action: str, chosen: list[Transaction], subject: str, when: str, turn: Turn) -> str:
    total = spoken.money(sum(item.cents for item in chosen))
    purchases = spoken.count(len(chosen), "purchase")
    said = f"You spent {total}{subject}{when}, in {purchases}."
    if action == "TRANSACTION_INCOME":
        sources = list(dict.fromkeys(item.merchant for item in chosen))
        said = f"You received {total}{when}, from {spoken.join(sources)}."
    elif action == "TRANSACTION_COUNT":
        said = f"You made {purchases}{subject}{when}, for {total} in all."
    elif action == "TRANSACTION_BREAKDOWN":
        said = f"Most of your spending{when} was {spoken.join(_by_category(chosen)[:TOP_CATEGORIES])}."
    elif action == "TRANSACTION_RECENT":
        said = _recent(chosen, turn)
    elif action in _CHOICES:
        word, choose = _CHOICES[action]
        item = choose(chosen)
        noun = "purchase" if item.cents > 0 else f"payment from {item.merchant}"
        said = f"Your {word} {noun}{subject}{when} was {_one(item, turn)}."
    elif not turn.question.named("merchants") and len(turn.question.named("categories")) > 1:
        said = f"You spent {total}{when}: {spoken.join(_by_category(chosen))}."
    return said


def _one(item: Transaction, turn: Turn) -> str:
    period, merchants = turn.question.period, turn.question.named("merchants")
    place = "" if merchants == (item.merchant,) else f" at {item.merchant}"
    day = "" if period and period.is_day else f", {spoken.day(item.date, turn.now.date())}"
    return spoken.money(item.cents) + place + day


def _recent(chosen: list[Transaction], turn: Turn) -> str:
    asked = _HOW_MANY.search(turn.question.text)
    number = RECENT
    if asked:
        word = asked.group(1)
        number = min(int(word) if word.isdigit() else _WORDS.index(word) + 2, MAX_SPOKEN) or RECENT
    elif turn.question.period:
        number = MAX_SPOKEN
    latest = chosen[-number:][::-1]
    listed = "; ".join(_one(item, turn) for item in latest)
    period = f" {turn.question.period.label}" if turn.question.period else ""
    return f"Your latest {spoken.count(len(latest), 'purchase')}{period}: {listed}."


def _by_category(chosen: list[Transaction]) -> list[str]:
    """Return what was spent on each category, most first."""
    totals: dict[str, int] = {}
    for item in chosen:
        totals[item.category] = totals.get(item.category, 0) + item.cents
    ranked = sorted(totals.items(), key=lambda pair: -pair[1])
    return [f"{spoken.money(cents)} on {category}" for category, cents in ranked]
