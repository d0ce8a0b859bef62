"""Answers about money: sums by period, category and merchant, the largest, the last."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

from hal.engine import averages, comparisons, period_grammar, periods, ranking, spoken
from hal.engine.answers import SpokenAnswer, Turn
from hal.engine.question import Question
from hal.engine.records import Transaction

RECENT = 3
MAX_SPOKEN = 10
TOP_CATEGORIES = 4
_SATURDAY = 5  # as a date's weekday
HOW_MANY = re.compile(
    r"\b(\d{1,2}|two|three|four|five|six|seven|eight|nine|ten)\b(?! (?:day|week|month|year))"
)
_WORDS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_OF_THIS_MONTH = ("TRANSACTION_SUM", "TRANSACTION_BREAKDOWN", "TRANSACTION_INCOME")


def lacks_time(question: Question) -> bool:
    """Tell whether a question of money names no time where one is needed: this month would be meant."""
    named = question.periods or _OF_ALL.search(question.text) or _ALTOGETHER.search(question.text)
    return question.action in _OF_THIS_MONTH and not named


def _balance(_: Turn) -> SpokenAnswer:
    said = "There is no account balance on record, only transactions. Please ask your bank."
    return SpokenAnswer(said, "TRANSACTION_BALANCE")


_OF_ALL_MONEY = {"TRANSACTION_BALANCE": _balance, "TRANSACTION_LEFT": comparisons.left_over}


def answer(turn: Turn) -> SpokenAnswer:
    """Answer a question about transactions."""
    question, today = turn.question, turn.now.date()
    action = _action(question)
    if action in _OF_ALL_MONEY:
        return _OF_ALL_MONEY[action](turn)
    of_both = _SPEND.search(question.text) or question.named("categories")
    if question.action == "TRANSACTION_INCOME" and of_both:
        return SpokenAnswer("Do you mean what you received or what you spent?", "CLARIFY")
    past = [item for item in turn.household.transactions() if item.date <= today]
    if not past:
        return SpokenAnswer("There are no transactions on record.", action)
    merchants = _merchants(turn)
    selling = _selling(turn, merchants)
    matching = [item for item in past if _is_named(item, question, merchants, selling)]
    income = "TRANSACTION_INCOME" in (action, question.action) or (
        bool(merchants and matching) and all(item.cents < 0 for item in matching)
    )
    if income and action != "TRANSACTION_LAST":
        action = "TRANSACTION_INCOME"
        matching = past if not merchants else matching
    matching = [item for item in matching if (item.cents < 0) == income and _keeps(item, question, action)]
    if action == "TRANSACTION_COMPARE":
        return comparisons.compare(matching, turn, merchants, _subject(turn, merchants))
    period = question.period
    counted = _PAYMENTS.search(question.text)
    named = bool(merchants or question.named("categories"))
    of_all = _OF_ALL.search(question.text) or (named and _ALTOGETHER.search(question.text))
    if (
        period is None
        and action in _OF_THIS_MONTH
        and not (income and (question.conditions.average or question.conditions.per or counted))
        and not (question.excluded_periods or question.conditions.last or of_all)
    ):
        period = periods.this_month(today)
    chosen = [
        item
        for item in matching
        if period is None or (item.date in period and (not question.periods or question.covers(item.date)))
    ]
    subject = "" if income else _subject(turn, merchants)
    when = f" {period.label}" if period else "" if action == "TRANSACTION_LAST" else " on record"
    if question.conditions.last > 1 and action in ("TRANSACTION_SUM", "TRANSACTION_AVERAGE"):
        chosen = matching[-question.conditions.last :]
        when = " lately"
    if chosen:
        said = _say(action, chosen, subject, when, turn)
        if action == "TRANSACTION_SUM" and not question.periods and not income:
            said += _missing(chosen, matching, turn, merchants)
        return SpokenAnswer(said, action)
    last = ""
    if period and period.end < past[0].date:
        last = f" The transactions on record begin {spoken.day(past[0].date, today)}."
    elif matching and question.conditions.over is None and question.conditions.about is None:
        last = f" The last was {_last_of_each(matching, turn, merchants)}."
        if action == "TRANSACTION_SUM" and not (question.periods or income) and len(matching) > 1:
            total = spoken.money(sum(item.cents for item in matching))
            number = len(matching)
            those = f"All {spoken.count(number, 'purchase')}" if number > 2 else "Both purchases"
            last += f" {those} on record come to {total}."
    source = f"payment from {spoken.join(merchants)}" if merchants else "income"
    none = f"is no {source}" if income else f"are no purchases{subject}"
    return SpokenAnswer(f"There {none}{when}.{last}", action)


def _action(question: Question) -> str:
    """Return what is asked: the conditions say more than the verb."""
    action, conditions = question.action or "TRANSACTION_SUM", question.conditions
    bounded = bool(conditions.named() & {"over", "under", "about"})
    text = question.text
    of_a_sum = bool(_OF_A_SUM.search(text))
    top = ranking.number_of(text)
    earned = _EARNED.search(text) and not _MADE.search(text) and not of_a_sum
    when_paid = action in ("TRANSACTION_INCOME", "TRANSACTION_LAST") and text.startswith("when")
    how_much = action == "TRANSACTION_LAST" and _HOW_MUCH.search(text) and not _LAST.search(text)
    meant = (
        (ranking.PEAK.search(text), "TRANSACTION_PEAK"),
        (top and _GROUPED.search(text), "TRANSACTION_BREAKDOWN"),
        (top, "TRANSACTION_TOP"),
        (conditions.comparison, "TRANSACTION_COMPARE"),
        (_IN_THE_BANK.search(text), "TRANSACTION_BALANCE"),
        (earned, "TRANSACTION_INCOME"),
        (when_paid, "TRANSACTION_LAST"),
        ((conditions.average or conditions.per) and action not in _EXTREMES, "TRANSACTION_AVERAGE"),
        (conditions.last > 1 and _TOTAL.search(text), "TRANSACTION_SUM"),
        (conditions.last > 1, "TRANSACTION_RECENT"),
        (_MOST.search(text), "TRANSACTION_LARGEST"),
        (_LEAST.search(text), "TRANSACTION_SMALLEST"),
        (bounded and action == "TRANSACTION_COUNT", action),
        (bounded and _is_of_a_sum(question), "TRANSACTION_SUM"),
        (bounded, "TRANSACTION_RECENT"),
        (how_much, "TRANSACTION_SUM"),
        (
            action == "TRANSACTION_LAST" and _WHICH.search(text) and not _LAST.search(text),
            "TRANSACTION_RECENT",
        ),
    )
    return next((name for holds, name in meant if holds), action)


_RANKED = ("TRANSACTION_BREAKDOWN", "TRANSACTION_PEAK", "TRANSACTION_TOP")
_EXTREMES = ("TRANSACTION_LARGEST", "TRANSACTION_SMALLEST", "TRANSACTION_FIRST")
_PAYMENTS = re.compile(r"^(?:and )?how many (?:\w+ ){0,3}(?:payments|deposits|(?:pay ?)?checks)\b")
_IN_THE_BANK = re.compile(
    r"\b(?:balance|owes?|owed|debts?"
    r"|(?:left|have|money) in (?:my|the|our) (?:\w+ )?(?:account|bank|checking|savings))\b"
)
_EARNED = re.compile(
    r"\bmoney (?:did|have|do) (?:i|we) (?:make|made|get|gotten|earn\w*|bring in)\b|\b(?:did|do) (?:i"
    r"|we) (?:make|earn|bring in)\b"
)
_MADE = re.compile(r"\b(?:purchas\w*|payments?|transactions?|orders?|trips?|visits?)\b")
_ALSO = re.compile(r"\b(?:and|or|plus)\b")
_AT = re.compile(r"\b(?:at|from|to)\b")
_OF_A_SUM = re.compile(r"\b(?:spend|spent|paid|pay|cost)\b")
_OF_EACH = re.compile(
    r"\b(?:who|when|anybody|anyone|somebody|someone|charges?|ever|anything|anywhere|something|purchase\w*"
    r"|items?|transactions?|which|what|single|things?)\b"
)
_MOST = re.compile(r"\bmost (?:i|we) (?:have )?(?:ever )?(?:spent|paid)\b")
_LEAST = re.compile(r"\bleast (?:i|we) (?:have )?(?:ever )?(?:spent|paid)\b")
_GROUPED = re.compile(
    r"\b(?:stores?|shops?|places?|merchants?|compan(?:y|ies)|categor(?:y|ies)|restaurants?)\b"
)
_TOTAL = re.compile(r"\b(?:how much|total|sum|add up|altogether)\b")
# Of everything on record, as far as the question names no time.
_ALTOGETHER = re.compile(r"\b(?:altogether|all together|in (?:all|total)|together|all told|combined)\b")
_OF_ALL = re.compile(r"\b(?:of all (?:of )?(?:my|our|the)|all of my|ever|since the records began)\b")
_SPEND = re.compile(r"\bspen[dt]")
_STORES = re.compile(
    r"\b(?:stores?|shops?|places?|merchants?|compan(?:y|ies)|restaurants?)\b"
    r"|^where (?:do|did|have|has|does) .*\bmost (?:money |often )?(?:on|for)\b"
)
_WHICH = re.compile(r"^(?:what|which)\b")
_HOW_MUCH = re.compile(r"\bhow much\b|\baltogether\b|\bin (?:all|total)\b")
_LAST = re.compile(
    r"\b(?:last|latest|recent|when)\b(?! (?:week|month|year|night|quarter|weekend|\w+day|\d|two|three"
    r"|few|couple|several))"
)


def _is_of_a_sum(question: Question) -> bool:
    """Tell whether a bound is one of what was spent in all: "did I spend more than 100 dollars".

    An amount without a time is that of one purchase.
    """
    if question.conditions.about is not None and not question.periods:
        return False
    return bool(_OF_A_SUM.search(question.text)) and not _OF_EACH.search(question.text)


def _keeps(item: Transaction, question: Question, action: str) -> bool:
    """Tell whether a transaction keeps the bounds that are asked of each one."""
    if not _is_on(item.date, question.conditions.days):
        return False
    over, under, about = question.conditions.over, question.conditions.under, question.conditions.about
    if action == "TRANSACTION_SUM":
        return True
    amount = abs(item.cents) / 100
    if about is not None and abs(item.cents) not in about:
        return False
    return (over is None or amount > over) and (under is None or amount < under)


def _is_on(day: date, days: str) -> bool:
    """Tell whether a day is one of the weekends, weekdays or Fridays that are asked for, if any are."""
    if days in ("weekends", "weekdays"):
        return (day.weekday() >= _SATURDAY) == (days == "weekends")
    return not days or periods.WEEKDAYS[day.weekday()] == days[:-1].lower()


def _merchants(turn: Turn) -> tuple[str, ...]:
    """Return the merchants named, also by the person who is seen there."""
    question = turn.question
    known = {item.merchant for item in turn.household.transactions()}
    places = [
        item.location
        for item in turn.household.appointments()
        if item.provider in question.named("providers") and item.location in known
    ]
    return tuple(dict.fromkeys([*question.named("merchants"), *places]))


def _is_named(item: Transaction, question: Question, merchants: tuple[str, ...], selling: set[str]) -> bool:
    """Tell whether a transaction is one of those named.

    What is bought at a merchant narrows it, "groceries at Costco", but for one that sells nothing of the kind
    and is joined to it by "and", "groceries and Netflix", or where no place is told: "water and utilities".
    """
    if item.merchant in question.leaves_out("merchants") or item.category in question.leaves_out(
        "categories"
    ):
        return False
    if any(item.date in period for period in question.excluded_periods):
        return False
    categories = question.named("categories")
    if not (merchants and categories):
        return item.merchant in merchants if merchants else not categories or item.category in categories
    at_one, on_one = item.merchant in merchants, item.category in categories
    if not _ALSO.search(question.text) or (at_one and on_one):
        return at_one and on_one
    if not _AT.search(question.text):
        return at_one or on_one
    return (at_one and item.merchant not in selling) or (on_one and not selling)


def _selling(turn: Turn, merchants: tuple[str, ...]) -> set[str]:
    """Return those of the merchants named where something of the categories named was bought."""
    categories = turn.question.named("categories")
    return {
        item.merchant
        for item in turn.household.transactions()
        if item.merchant in merchants and item.category in categories
    }


def _subject(turn: Turn, merchants: tuple[str, ...]) -> str:
    question = turn.question
    categories, conditions = question.named("categories"), question.conditions
    at, on = f" at {spoken.join(merchants)}", f" on {spoken.join(categories)}"
    said = at if merchants else on if categories else ""
    if question.named("merchants") and categories:
        joined = _ALSO.search(question.text) and not (_AT.search(question.text) and _selling(turn, merchants))
        said = f"{at} and{on}" if joined else on + at
    if not _is_of_a_sum(question):
        said += conditions.bound(" dollars")
        said += conditions.about.label if conditions.about else ""
    said += f" on {conditions.days}" if conditions.days else ""
    left_out = [*question.leaves_out("merchants"), *question.leaves_out("categories")]
    left_out += [period_grammar.bare_label(period) for period in question.excluded_periods]
    return said + (f", leaving out {spoken.join(left_out)}," if left_out else "")


def _say(action: str, chosen: list[Transaction], subject: str, when: str, turn: Turn) -> str:
    total = spoken.money(sum(item.cents for item in chosen))
    purchases = spoken.count(len(chosen), "purchase")
    conditions = turn.question.conditions
    bound = conditions.limit()
    cents = sum(item.cents for item in chosen)
    alone = chosen[0].merchant if len(chosen) == 1 else ""
    where = f" at {alone}" if alone and alone not in subject else ""
    said = f"You spent {total}{subject}{when}, in {purchases}{where}."
    if action == "TRANSACTION_SUM" and bound is not None:
        word = "more" if cents > bound * 100 else "less" if cents < bound * 100 else "no more"
        return f"You spent {total}{subject}{when}, which is {word} than {bound:g} dollars."
    if action == "TRANSACTION_AVERAGE":
        return averages.average(chosen, subject, when, turn)
    if action == "TRANSACTION_SUM" and len(turn.question.periods) > 1:
        return f"{said[:-1]}: {_by_period(chosen, turn)}."
    if action == "TRANSACTION_INCOME":
        return _received(chosen, total, when, turn)
    if action == "TRANSACTION_COUNT":
        said = f"You made {purchases}{subject}{when}, for {total} in all."
    elif action == "TRANSACTION_FREQUENT":
        [(merchant, number)] = Counter(item.merchant for item in chosen).most_common(1)
        said = f"You bought most often at {merchant}{subject}{when}, {spoken.count(number, 'time')}."
    elif action in _RANKED:
        said = _most(action, chosen, subject, when, turn)
    elif action == "TRANSACTION_RECENT":
        said = _recent(chosen, turn)
    elif action in ranking.CHOICES:
        word, choose = ranking.CHOICES[action]
        further = turn.question.further
        if further >= len(chosen):
            return f"There is no earlier one{subject}{when} on record."
        item = choose(chosen[: len(chosen) - further])
        noun = "purchase" if item.cents > 0 else f"payment from {item.merchant}"
        which = "The one before" if further else f"Your {word} {noun}{subject}{when}"
        said = f"{which} was {_one(item, turn)}."
    elif not turn.question.named("merchants") and len(turn.question.named("categories")) > 1:
        said = f"You spent {total}{when}: {spoken.join(_by_category(chosen))}."
    elif _of_each_merchant(action, turn) and len(each := _by_merchant(chosen)) > 1:
        said = f"{said[:-1]}: {spoken.join(each)}."
    return said


def _of_each_merchant(action: str, turn: Turn) -> bool:
    """Tell whether a sum is of several merchants that are named, and of nothing else."""
    several = len(turn.question.named("merchants")) > 1 and not turn.question.named("categories")
    return action == "TRANSACTION_SUM" and several


def _received(chosen: list[Transaction], total: str, when: str, turn: Turn) -> str:
    """Say what was received, how much that is as a rule, or in how many payments it came."""
    conditions = turn.question.conditions
    if conditions.average or conditions.per:
        return averages.received(chosen, turn)
    sources = spoken.join(list(dict.fromkeys(item.merchant for item in chosen)))
    if _PAYMENTS.search(turn.question.text):
        return f"You received {spoken.count(len(chosen), 'payment')} from {sources}{when}, {total} in all."
    return f"You received {total}{when}, from {sources}."


def _most(action: str, chosen: list[Transaction], subject: str, when: str, turn: Turn) -> str:
    """Say on what, where or when most was spent, or which purchases were the largest."""
    text, today = turn.question.text, turn.now.date()
    number = ranking.number_of(text)
    if action == "TRANSACTION_BREAKDOWN":
        ranked = spoken.join(_ranked(chosen, turn)[: number or TOP_CATEGORIES])
        return f"Most of your spending{subject if _where(turn) else ''}{when} was {ranked}."
    asked = ranking.PEAK.search(text)
    if asked:
        within = subject + (when if turn.question.period else "")
        return ranking.peak(chosen, asked, within, turn.household.transactions()[0].date, today)
    largest = ranking.largest(chosen, number)
    noun = "purchase" if len(largest) == 1 else spoken.count(len(largest), "largest purchase")
    return f"Your {noun}{subject}{when}: {'; '.join(_one(item, turn) for item in largest)}."


def _dated(item: Transaction, turn: Turn) -> str:
    place = "" if turn.question.named("merchants") == (item.merchant,) else f" at {item.merchant}"
    return f"{spoken.money(item.cents)}{place}, {spoken.day(item.date, turn.now.date())}"


def _missing(
    chosen: list[Transaction], matching: list[Transaction], turn: Turn, merchants: tuple[str, ...]
) -> str:
    """Say the last purchase of each merchant and category named of which there is none among those chosen."""
    names = [*merchants, *turn.question.named("categories")]
    bought = {name for item in chosen for name in (item.merchant, item.category)}
    latest = {name: item for item in matching for name in (item.merchant, item.category)}
    items = [latest[name] for name in names if name not in bought and name in latest]
    if len(names) < 2 or not items:
        return ""
    return f" The last was {spoken.join([_dated(item, turn) for item in dict.fromkeys(items)])}."


def _last_of_each(matching: list[Transaction], turn: Turn, merchants: tuple[str, ...]) -> str:
    """Return the last of the transactions, or of those of each merchant and category named."""
    categories = turn.question.named("categories")
    names = [*merchants, *categories]
    latest = {name: item for item in matching for name in names if name in (item.merchant, item.category)}
    items = list(dict.fromkeys(latest[name] for name in names if name in latest))
    return spoken.join([_dated(item, turn) for item in (items if len(items) > 1 else matching[-1:])])


def _one(item: Transaction, turn: Turn) -> str:
    period, merchants = turn.question.period, turn.question.named("merchants")
    place = "" if merchants == (item.merchant,) or item.cents < 0 else f" at {item.merchant}"
    day = "" if period and period.is_day else f", {spoken.day(item.date, turn.now.date())}"
    return spoken.money(item.cents) + place + day


def _recent(chosen: list[Transaction], turn: Turn) -> str:
    question = turn.question
    conditions = question.conditions
    asked = None if conditions.named() & {"over", "under", "about"} else HOW_MANY.search(question.text)
    number = conditions.last or RECENT
    if asked and not conditions.last:
        word = asked.group(1)
        number = min(int(word) if word.isdigit() else _WORDS.index(word) + 2, MAX_SPOKEN) or RECENT
    elif not conditions.last and (question.period or conditions.named()):
        number = MAX_SPOKEN
    latest = chosen[-min(number, MAX_SPOKEN) :][::-1]
    listed = "; ".join(_one(item, turn) for item in latest)
    period = f" {question.period.label}" if question.period else ""
    subject = _subject(turn, _merchants(turn))
    number_said = "purchase" if len(latest) == 1 else spoken.count(len(latest), "purchase")
    if len(latest) < len(chosen) and not (asked or conditions.last):
        number_said = f"{spoken.count(len(latest), 'of', 'of')} {spoken.count(len(chosen), 'purchase')}"
    return f"{f'Your latest {number_said}{subject}{period}'.rstrip(',')}: {listed}."


def _by_period(chosen: list[Transaction], turn: Turn) -> str:
    """Return what was spent in each of several periods."""
    sums = (
        (period.label, sum(item.cents for item in chosen if item.date in period))
        for period in turn.question.periods
    )
    return spoken.join([f"{spoken.money(cents)} {label}" for label, cents in sums])


def _ranked(chosen: list[Transaction], turn: Turn) -> list[str]:
    """Return what was spent on each category, or at each merchant if those are asked for, most first."""
    return _by_merchant(chosen) if _where(turn) else _by_category(chosen)


def _by_merchant(chosen: list[Transaction]) -> list[str]:
    """Return what was spent at each merchant, most first."""
    totals = Counter[str]()
    for item in chosen:
        totals[item.merchant] += item.cents
    return [f"{spoken.money(cents)} at {merchant}" for merchant, cents in totals.most_common()]


def _where(turn: Turn) -> bool:
    """Tell whether it is asked at which merchants money was spent."""
    return bool(_STORES.search(turn.question.text))


def _by_category(chosen: list[Transaction]) -> list[str]:
    """Return what was spent on each category, most first."""
    totals: dict[str, int] = {}
    for item in chosen:
        totals[item.category] = totals.get(item.category, 0) + item.cents
    ranked = sorted(totals.items(), key=lambda pair: -pair[1])
    return [f"{spoken.money(cents)} on {category}" for category, cents in ranked]
