"""What was spent at one time, in one place or on one kind of things, against another."""

from __future__ import annotations

import re

from hal.engine import periods, spoken
from hal.engine.answers import SpokenAnswer, Turn
from hal.engine.periods import Period
from hal.engine.records import Transaction

_LAST_UNIT = re.compile(r"^last (week|year)$")
# A shop and a kind of spending that are compared: "more at Netflix or on dining".
_EITHER = re.compile(r"\b(?:or|versus|vs|than (?:on|at))\b")
_BY_HOW_MUCH = re.compile(r"\bhow much (?:more|less|higher|lower)\b|\bdifference\b")


def left_over(turn: Turn) -> SpokenAnswer:
    """Say what was received in a period and what was spent, and what that leaves."""
    today = turn.now.date()
    period = turn.question.period or periods.this_month(today)
    within = [
        item.cents for item in turn.household.transactions() if item.date <= today and item.date in period
    ]
    if not within:
        return SpokenAnswer(f"There are no transactions {period.label}.", "TRANSACTION_LEFT")
    received, spent = (
        -sum(cents for cents in within if cents < 0),
        sum(cents for cents in within if cents > 0),
    )
    difference = spoken.money(abs(received - spent))
    leaves = f"leaves {difference}" if received >= spent else f"is {difference} more than you received"
    both = f"You received {spoken.money(received)} {period.label} and spent {spoken.money(spent)}"
    return SpokenAnswer(f"{both}, which {leaves}.", "TRANSACTION_LEFT")


def compare(
    matching: list[Transaction], turn: Turn, merchants: tuple[str, ...], subject: str
) -> SpokenAnswer:
    """Say what was spent in two periods, at two merchants or on two kinds of things, and which was more.

    Arguments:
        matching: the purchases that the question is about, of any time.
        turn: the question.
        merchants: those that it names.
        subject: the words for what it is about, such as " at Kroger".
    """
    question = turn.question
    categories = question.named("categories")
    period = question.periods[0] if question.periods else periods.this_month(turn.now.date())
    when = ""
    compared = question.periods
    current: Period | None = periods.this_month(turn.now.date())
    if len(compared) == 1 and (unit := _LAST_UNIT.search(compared[0].label)):
        current = periods.find(f"this {unit[1]}", turn.now.date())[0]
    either = len(merchants) == len(categories) == 1 and bool(_EITHER.search(question.text))
    if len(compared) == 1 and current and len(merchants) < 2 and len(categories) != 2 and not either:
        compared = (current, *compared)
    if len(compared) > 1:
        sides = [(each.label, [item for item in matching if item.date in each]) for each in compared]
    else:
        within = [item for item in matching if item.date in period]
        when, subject = f" {period.label}", ""
        sides = [(f"at {each}", [item for item in within if item.merchant == each]) for each in merchants]
        if either or not merchants:
            sides += [
                (f"on {each}", [item for item in within if item.category == each]) for each in categories
            ]
    if len(sides) < 2:
        return SpokenAnswer("What shall I compare it with?", "CLARIFY")
    (first, spent), (second, spent_then) = (
        (label, sum(item.cents for item in items)) for label, items in sides[:2]
    )
    if not spent and sides[0][0] == (current.label if current else "") and len(question.periods) == 1:
        said = f"There are no purchases{subject} {first} yet. What shall I compare {second} with?"
        return SpokenAnswer(said, "CLARIFY")
    if len(compared) < 2 and not (question.periods or (spent and spent_then)):
        return SpokenAnswer("For which time shall I compare them?", "CLARIFY")
    word = "more" if spent > spent_then else "less" if spent < spent_then else "the same"
    by = spoken.money(abs(spent - spent_then)) + " " if _BY_HOW_MUCH.search(question.text) else ""
    said = f"You spent {by if spent != spent_then else ''}{word}{subject} {first} than {second}{when}"
    return SpokenAnswer(
        f"{said}: {spoken.money(spent)} {first}, against {spoken.money(spent_then)} {second}.",
        "TRANSACTION_SUM",
    )
