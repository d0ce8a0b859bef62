"""Single stretches of time, which the grammar of periods combines: "in two weeks", "on Christmas Eve"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from hal.engine.periods import (
    MONTH,
    MONTHS,
    PERIOD_RULES,
    WEEKDAYS,
    Period,
    months_from,
    named_number,
    said_day,
    unit_of,
)
from hal.engine.wordings import NUMBER

_DAY = timedelta(1)
HOLIDAYS = {
    r"new years? eve": (12, 31, "New Year's Eve"),
    r"new years?(?: day)?": (1, 1, "New Year's Day"),
    r"valentines?(?: day)?": (2, 14, "Valentine's Day"),
    r"(?:st|saint) patricks?(?: day)?": (3, 17, "St. Patrick's Day"),
    r"juneteenth": (6, 19, "Juneteenth"),
    r"independence day|(?:the )?fourth of july": (7, 4, "Independence Day"),
    r"halloween": (10, 31, "Halloween"),
    r"veterans? day": (11, 11, "Veterans Day"),
    r"christmas eve": (12, 24, "Christmas Eve"),
    r"christmas(?: day)?|xmas": (12, 25, "Christmas Day"),
}
# Of a month, which one of which weekday (0 is Monday, -1 the last).
FLOATING = {
    r"memorial_day": (5, 0, -1, "Memorial Day"),
    r"mothers?_day": (5, 6, 2, "Mother's Day"),
    r"fathers?_day": (6, 6, 3, "Father's Day"),
    r"labor_day": (9, 0, 1, "Labor Day"),
    r"thanksgiving(?:_day)?": (11, 3, 4, "Thanksgiving"),
}
ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_ORDINAL = "|".join(ORDINALS)
_WEEKDAY = "|".join(WEEKDAYS)
_BEFORE_MONTH = re.compile(
    r"\b(?:of|and|or|than|to|through|from|between|since|after|before|until|till|by|early|late|in) $"
)


def _unit_to_date(match: re.Match[str], today: date, _future: bool) -> Period:
    unit = match[1] or match[2] or match[3]
    whole = unit_of(unit, today, 0, "")
    return Period(whole.start, today, f"so far this {unit}")


def _rest_of_unit(match: re.Match[str], today: date, _future: bool) -> Period:
    return Period(today, unit_of(match[1], today, 0, "").end, f"for the rest of this {match[1]}")


def _full_date(match: re.Match[str], _today: date, _future: bool) -> Period:
    when = date(int(match[3]), MONTHS.index(match[1]) + 1, int(match[2]))
    return Period(when, when, f"on {when:%B} {when.day}, {when.year}")


def _day_of_month(match: re.Match[str], today: date, future: bool) -> Period:
    day = int(match[1])
    for step in range(12):
        month = months_from(today.replace(day=1), step if future else -step)
        try:
            when = month.replace(day=day)
        except ValueError:  # a 31st in a shorter month
            continue
        if (when >= today) if future else (when <= today):
            return Period(when, when, f"on {said_day(when, today)}")
    raise ValueError(day)


def _day_in_month(match: re.Match[str], today: date, _future: bool) -> Period:
    step = {"last": -1, "this": 0, "the": 0, "next": 1}[match[2]]
    when = unit_of("month", today, step, "").start.replace(day=int(match[1]))
    return Period(when, when, f"on {said_day(when, today)}")


def _holiday(month: int, day: int, name: str) -> Callable[[re.Match[str], date, bool], Period]:
    return _yearly(lambda year: date(year, month, day), name)


def _floating(
    month: int, weekday: int, which: int, name: str
) -> Callable[[re.Match[str], date, bool], Period]:
    def day_of(year: int) -> date:
        first = date(year, month, 1)
        days = [first + timedelta((weekday - first.weekday()) % 7 + 7 * week) for week in range(5)]
        return [each for each in days if each.month == month][which - (which > 0)]

    return _yearly(day_of, name)


def _yearly(day_of: Callable[[int], date], name: str) -> Callable[[re.Match[str], date, bool], Period]:
    def build(_match: re.Match[str], today: date, future: bool) -> Period:
        when = day_of(today.year)
        if future and when < today:
            when = day_of(today.year + 1)
        elif not future and when > today:
            when = day_of(today.year - 1)
        year = f" {when.year}" if when.year != today.year else ""
        return Period(when, when, f"on {name}{year}")

    return build


def _from_now(match: re.Match[str], today: date, _future: bool) -> Period:
    length, unit = named_number(match["a"] or match["b"]), match["unit_a"] or match["unit_b"]
    when = months_from(today, {"month": 1, "year": 12}.get(unit, 0) * length) + timedelta(
        {"day": 1, "week": 7}.get(unit, 0) * length
    )
    if unit == "week":
        week = unit_of("week", when, 0, "")
        return replace(week, label=f"in the week of {said_day(week.start, today)}")
    if unit in ("month", "year"):
        month = unit_of("month", when, 0, "")
        return replace(month, label=f"in {when:%B}{f' {when.year}' if when.year != today.year else ''}")
    return Period(when, when, f"on {said_day(when, today)}")


def _quarter(match: re.Match[str], today: date, future: bool) -> Period:
    number = ORDINALS.get(match[1] or "") or int(match[2])
    year = _year_of(match[3], today)
    if year is None:
        year = today.year
        if not future and date(year, 3 * number - 2, 1) > today:
            year -= 1
    start = date(year, 3 * number - 2, 1)
    label = f"in the {['first', 'second', 'third', 'fourth'][number - 1]} quarter of {year}"
    return Period(start, months_from(start, 3) - _DAY, label)


def _year_of(text: str | None, today: date) -> int | None:
    if not text:
        return None
    return int(text) if text.isdigit() else today.year + {"last": -1, "this": 0, "next": 1}[text.split()[0]]


def _day_of_week(match: re.Match[str], today: date, _future: bool) -> Period:
    which, name = match[2] or match[3], match[1] or match[4]
    week = unit_of("week", today, {"last": -1, "this": 0, "next": 1}[which], "")
    when = week.start + timedelta(WEEKDAYS.index(name))
    return Period(when, when, f"on {name.capitalize()} {which} week")


def _week_after_next(match: re.Match[str], today: date, _future: bool) -> Period:
    return unit_of(match[1], today, 2, f"the {match[1]} after next")


def _last_night(_match: re.Match[str], today: date, _future: bool) -> Period:
    return Period(today - _DAY, today - _DAY, "yesterday")


def _bare_month(match: re.Match[str], today: date, future: bool) -> Period:
    if match[0] in ("march", "may") and not _BEFORE_MONTH.search(match.string[: match.start()]):
        raise ValueError(match[0])  # the verb
    number = MONTHS.index(match[1]) + 1
    year = _year_of(match[2], today)
    if year is None:
        year = today.year + (number < today.month) if future else today.year - (number > today.month)
    start = date(year, number, 1)
    said = f"{match[1].capitalize()}{f' {year}' if year != today.year else ''}"
    return Period(start, months_from(start, 1) - _DAY, f"in {said}")


def _the_unit(match: re.Match[str], today: date, _future: bool) -> Period:
    return unit_of(match[1], today, 0, f"this {match[1]}")


# The month in which each begins; it lasts three (the meteorological seasons).
SEASONS = {"winter": 12, "spring": 3, "summer": 6, "fall": 9, "autumn": 9}


def _season(match: re.Match[str], today: date, future: bool) -> Period:
    which, name, year = match[1] or "", match[2] or match[4], match[3] or match[5]
    if year and name == "winter":
        raise ValueError(match[0])  # it is part of two years
    starts = [date(today.year + step, SEASONS[name], 1) for step in range(-2, 3)]
    if year:
        start = date(int(year), SEASONS[name], 1)
    elif which == "next":
        start = next(each for each in starts if each > today)
    elif which in ("last", "past", "previous"):
        start = next(each for each in reversed(starts) if months_from(each, 3) <= today)
    elif future:
        start = next(each for each in starts if months_from(each, 3) > today)
    else:
        start = next(each for each in reversed(starts) if each <= today)
    end = months_from(start, 3) - _DAY
    first, last = (f"{each:%B}{f' {each.year}' if each.year != today.year else ''}" for each in (start, end))
    return Period(start, end, f"from {first} to {last}")


_MORE_ATOMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date, bool], Period]], ...] = (
    (
        re.compile(
            r"\b(?:(?:in|for|during) )?(?:the )?(?:(year|month|week|quarter) to date"
            r"|(?:so far )(?:in )?this (year|month|week|quarter)|this (year|month|week"
            r"|quarter) (?:so far|to date))\b"
        ),
        _unit_to_date,
    ),
    (
        re.compile(
            r"\b(?:(?:for|in|during) )?(?:the )?(?:rest|remainder) of (?:this|the) (week|month|year)\b"
        ),
        _rest_of_unit,
    ),
    (re.compile(rf"\b(?:on )?({MONTH}) (\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(20\d\d)\b"), _full_date),
    (re.compile(r"\b(?:on )?the (\d{1,2})(?:st|nd|rd|th)\b(?! of)"), _day_of_month),
    (
        re.compile(r"\b(?:on )?the (\d{1,2})(?:st|nd|rd|th)? of (this|next|last|the) month\b"),
        _day_in_month,
    ),
    *(
        (re.compile(rf"\b(?:(?:on|for|over|during|at) )?(?:{pattern})\b"), _holiday(*when))
        for pattern, when in HOLIDAYS.items()
    ),
    *(
        (re.compile(rf"\b(?:(?:on|for|over|during|at) )?{pattern}\b"), _floating(*when))
        for pattern, when in FLOATING.items()
    ),
    (
        re.compile(
            rf"\bin (?P<a>{NUMBER[1:-1]}) (?P<unit_a>day|week|month|year)s?\b(?! from| after| before)"
            rf"|\b(?P<b>{NUMBER[1:-1]}) (?P<unit_b>day|week|month|year)s? from (?:now|today)\b"
        ),
        _from_now,
    ),
    (
        re.compile(
            rf"\b(?:(?:in|for|during) )?(?:the )?(?:({_ORDINAL}) quarter|quarter ([1-4]))"
            r"(?: (?:of )?((?:last|this|next) year|20\d\d))?\b"
        ),
        _quarter,
    ),
    (
        re.compile(
            rf"\b(?:on )?(?:({_WEEKDAY}) (?:of )?(last|this|next) week|(last|this"
            rf"|next) week (?:on )?({_WEEKDAY}))\b"
        ),
        _day_of_week,
    ),
    (re.compile(r"\b(?:in )?the (week|month|year) after next\b"), _week_after_next),
    (re.compile(r"\blast night\b"), _last_night),
    (
        re.compile(
            r"\b(?:(?:in|during|over|for|of|back in) )?(this|the|last|past|previous|next)"
            rf" ({'|'.join(SEASONS)})"
            r"(?: (?:of )?(20\d\d))?\b"
            rf"|\b(?:in|during|over) ({'|'.join(SEASONS)})(?: (?:of )?(20\d\d))?\b"
        ),
        _season,
    ),
    (
        re.compile(
            rf"\b(?:(?:in|during|for|last|this|next) )?({MONTH})"
            r"(?: (?:of )?((?:last|this|next) year|20\d\d))?\b(?! (?:\d|i\b|we\b))"
        ),
        _bare_month,
    ),
    (re.compile(r"(?<=of )the (month|year|week|quarter)\b"), _the_unit),
)
ATOMS = (*_MORE_ATOMS, *PERIOD_RULES)
