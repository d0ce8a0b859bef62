"""Stretches of time in a question: "last month", "since March", "the past two weeks", "on Friday"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

MONTHS = [name.lower() for name in calendar.month_name[1:]]
MONTH = "|".join(MONTHS)  # as a regular expression
WEEKDAYS = [name.lower() for name in calendar.day_name]
_NUMBERS = {
    "a": 1, "an": 1,
    "one": 1, "two": 2, "couple of": 2, "three": 3, "few": 3, "several": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip

_NUMBER = r"(\d{1,4}|couple of|few|several|twelve|eleven|ten|nine|eight|seven|six|five|four|three|two|one)"
_MONTH = rf"({'|'.join(MONTHS)})"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = rf"({'|'.join(WEEKDAYS)})s?"


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, both included; `label` is how to say it, as in "You spent … last month".

    `ago` is the day that "a month ago" means, within the month that it stands for.
    """

    start: date
    end: date
    label: str
    ago: date | None = field(default=None, compare=False)

    @property
    def is_day(self) -> bool:
        """Tell whether it is a single day."""
        return self.start == self.end

    def __contains__(self, when: date) -> bool:
        return self.start <= when <= self.end


def this_month(today: date) -> Period:
    """Return the month that a day is in, which is meant where a question of money names no time."""
    period, _ = find("this month", today)
    assert period is not None  # noqa: S101 - it is among the rules
    return period


def find(text: str, today: date, *, future: bool = False) -> tuple[Period | None, str]:
    """Find the first period named in a normalised question.

    Arguments:
        text: the question.
        today: what relative words count from.
        future: whether "in June" or "Friday" means the coming one rather than the one past.

    Returns the period and the question without it.
    """
    for pattern, build in PERIOD_RULES:
        match = pattern.search(text)
        if match is None:
            continue
        try:
            period = build(match, today, future)
        except (ValueError, OverflowError):  # "February 30", "the last 9999 years"
            continue
        rest = text[: match.start()] + " " + text[match.end() :]
        return period, " ".join(rest.split())
    return None, text


def _named_day(offset: int, label: str) -> _Builder:
    def build(_match: re.Match[str], today: date, _future: bool) -> Period:
        return Period(today + timedelta(offset), today + timedelta(offset), label)

    return build


def _relative_unit(match: re.Match[str], today: date, future: bool) -> Period:
    which, unit = match.group(1), match.group(2)
    if (which == "past" or " the last " in f" {match[0]}") and unit in ("week", "month", "year"):
        months = {"month": 1, "year": 12}.get(unit, 0)
        return Period(
            months_from(today, -months) - timedelta(0 if months else 7), today, f"in the past {unit}"
        )
    if which == "the" and not future and today.weekday() < WEEKDAYS.index("saturday"):
        which = "last"
    step = {"this": 0, "current": 0, "the": 0, "last": -1, "past": -1, "previous": -1}.get(which, 1)
    said = "last" if step < 0 else "next" if step > 0 else "this"
    return unit_of(unit, today, step, f"{said} {unit}")


def unit_of(unit: str, today: date, step: int, label: str) -> Period:
    """Return the week, month, quarter, year or weekend that is `step` after (or before) that of a day."""
    if unit == "weekend":
        saturday = (
            today + timedelta((5 - today.weekday()) % 7 if today.weekday() < 6 else -1) + timedelta(7 * step)
        )
        return Period(saturday, saturday + timedelta(1), label)
    if unit == "week":
        start = today - timedelta(today.weekday()) + timedelta(7 * step)
        return Period(start, start + timedelta(6), label)
    if unit == "year":
        return Period(date(today.year + step, 1, 1), date(today.year + step, 12, 31), label)
    months = 3 if unit == "quarter" else 1
    first = months_from(today.replace(day=1), -((today.month - 1) % months) + months * step)
    return Period(first, months_from(first, months) - timedelta(1), label)


def _span(match: re.Match[str], today: date, _future: bool) -> Period:
    which, amount, unit = match.groups()
    length = named_number(amount)
    days = {"day": 1, "week": 7, "month": 0, "year": 0}[unit] * length
    months = {"month": 1, "year": 12}.get(unit, 0) * length
    said = f"{length} {unit}s" if length > 1 else unit
    if which in ("next", "coming", "following"):
        return Period(today, months_from(today, months) + timedelta(days), f"in the next {said}")
    return Period(months_from(today, -months) - timedelta(days), today, f"in the last {said}")


def _ago(match: re.Match[str], today: date, _future: bool) -> Period:
    length, unit = named_number(match.group(1)), match.group(2)
    days = {"day": 1, "week": 7}.get(unit, 0) * length
    months = {"month": 1, "year": 12}.get(unit, 0) * length
    when = months_from(today, -months) - timedelta(days)
    label = f"{length} {unit}{'s' if length > 1 else ''} ago"
    if unit == "month":
        return Period(when.replace(day=1), months_from(when.replace(day=1), 1) - timedelta(1), label, when)
    return Period(when, when, label, when)


def _month(match: re.Match[str], today: date, future: bool) -> Period:
    since, name, year = match.group(1) == "since", match.group(2), match.group(3)
    number = MONTHS.index(name) + 1
    chosen = int(year) if year else _nearest_year(today, number, future)
    first = date(chosen, number, 1)
    said = f"{name.capitalize()}{f' {chosen}' if year or chosen != today.year else ''}"
    if since:
        return Period(first, today, f"since {said}")
    return Period(first, months_from(first, 1) - timedelta(1), f"in {said}")


def _year(match: re.Match[str], _today: date, _future: bool) -> Period:
    year = int(match.group(1))
    return Period(date(year, 1, 1), date(year, 12, 31), f"in {year}")


def _date(match: re.Match[str], today: date, future: bool) -> Period:
    groups = match.groupdict()
    number, day = MONTHS.index(groups["month"]) + 1, int(groups["day"])
    chosen = today.year
    if date(chosen, number, day) > today and not future:
        chosen -= 1
    elif date(chosen, number, day) < today and future:
        chosen += 1
    when = date(chosen, number, day)
    label = f"{groups['month'].capitalize()} {day}"
    if groups["since"]:
        return Period(when, today, f"since {label}")
    return Period(when, when, f"on {label}")


def _weekday(match: re.Match[str], today: date, future: bool) -> Period:
    which, name = match.group(1) or "", match.group(2)
    ahead = (WEEKDAYS.index(name) - today.weekday()) % 7
    if which == "next" or (future and which != "last"):
        when = today + timedelta(ahead or (7 if which == "next" else 0))
    else:
        when = today - timedelta((7 - ahead) % 7 or 7)
    return Period(when, when, f"{'last' if when < today else 'on'} {name.capitalize()}")


def _nearest_year(today: date, month: int, future: bool) -> int:
    if future:
        return today.year + (month < today.month)
    return today.year - (month > today.month)


def months_from(start: date, months: int) -> date:
    """Return the day some months after (or before) another, the last of its month if that is shorter."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def named_number(text: str) -> int:
    """Return the number that digits or a word such as "couple of" stand for."""
    return int(text) if text.isdigit() else _NUMBERS[text]


def said_day(when: date, today: date) -> str:
    """Return a date in words, with its year if that is another: "March 24"."""
    return f"{when:%B} {when.day}{f', {when.year}' if when.year != today.year else ''}"


type _Builder = Callable[[re.Match[str], date, bool], Period]

PERIOD_RULES: tuple[tuple[re.Pattern[str], _Builder], ...] = (
    (re.compile(r"\bday before yesterday\b"), _named_day(-2, "the day before yesterday")),
    (re.compile(r"\bday after tomorrow\b"), _named_day(2, "the day after tomorrow")),
    (re.compile(r"\byesterday\b"), _named_day(-1, "yesterday")),
    (re.compile(r"\btomorrow\b"), _named_day(1, "tomorrow")),
    (re.compile(r"\b(?:today|tonight)\b|\bthis (?:morning|afternoon|evening)\b"), _named_day(0, "today")),
    (
        re.compile(
            r"\b(?:(?:in|over|for|during|within) )?(?:the )?(last|past|previous|next|coming|following)"
            rf" {_NUMBER} (day|week|month|year)s?\b"
        ),
        _span,
    ),
    (re.compile(rf"\b{_NUMBER.replace('(', '(a|', 1)} (day|week|month|year)s? ago\b"), _ago),
    (
        re.compile(
            r"\b(?:(?:in|over|for|during|within|on) )?(?:the )?(this|current|last|past|previous|next|coming)"
            r" (weekend|week|month|quarter|year)\b(?: so far)?"
        ),
        _relative_unit,
    ),
    (re.compile(r"\b(?:on|for|during|over) (the) (weekend)\b"), _relative_unit),
    (
        re.compile(rf"\b(?P<since>since )?(?:on )?(?P<month>{_MONTH[1:-1]}) (?:the )?{_DAY}\b"),
        _date,
    ),
    (
        re.compile(rf"\b(?P<since>since )?(?:on )?the {_DAY} of (?P<month>{_MONTH[1:-1]})\b"),
        _date,
    ),
    (
        re.compile(rf"\b(in|since|during|for|last|this|of|about) {_MONTH}(?: (?:of )?(\d{{4}}))?\b"),
        _month,
    ),
    (re.compile(r"\b(?:in|during|for) (20\d\d)\b"), _year),
    (re.compile(rf"\b(?:on )?(?:(last|next|this|past) )?{_WEEKDAY}\b"), _weekday),
)
