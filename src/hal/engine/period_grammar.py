"""Periods made of others: "from February 1 to 15", "since Christmas", "a week from Tuesday".

The single stretches of time are those of `period_atoms`; the tables of operators here combine them. What a
question says about time and none of these read stays in the question, where it is noticed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from hal.engine.period_atoms import ATOMS, ORDINALS
from hal.engine.periods import MONTHS, WEEKDAYS, Period, months_from, named_number, said_day, unit_of
from hal.engine.wordings import NUMBER

CONSUMED = "|"  # stands in a question where something was understood
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
_DAY = timedelta(1)
_NEARLY_A_YEAR = 334  # days
_LATELY, _FAR = 31, 300  # days
_ORDINAL = "|".join(ORDINALS)


@dataclass(frozen=True, slots=True)
class TimeRead:
    """What a question says about time.

    Attributes:
        periods: what it names, in order.
        rest: the question with `CONSUMED` where they stood.
    """

    periods: tuple[Period, ...]
    rest: str


# That several times are meant as several: "in January and February".
SEVERAL = re.compile(
    r"\b(?:and|or|versus|vs|than|against|compared?|between|from|to|through|each|every|both)\b"
)


def read(text: str, today: date, *, future: bool) -> TimeRead:
    """Read every period of a question that went through `wordings.spell_out`.

    Arguments:
        text: the question.
        today: what relative words count from.
        future: whether "in June" or "Friday" means the coming one rather than the one past.
    """
    found = _atoms(text, today, future)
    reading = _Reading(text, today, future, found)
    reading.combine()
    rest, position = "", 0
    for each in reading.found:
        rest += text[position : each.start] + f" {CONSUMED} "
        position = each.end
    rest = " ".join((rest + text[position:]).split())
    return TimeRead(tuple(each.period for each in reading.found), rest)


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    period: Period


def _atoms(text: str, today: date, future: bool) -> list[_Found]:
    """Return the single periods, the longest where several begin at the same place."""
    candidates: list[tuple[int, int, int, Period]] = []
    for order, (pattern, build) in enumerate(ATOMS):
        for match in pattern.finditer(text):
            try:
                period = build(match, today, future)
            except (ValueError, OverflowError):  # "February 30"
                continue
            if match[0].endswith("days") and match[0].split()[-1].removesuffix("s") in WEEKDAYS:
                continue  # "on Mondays" is no single day
            if match[0].split()[-1] in MONTHS and _DAY_NUMBER.match(text[match.end() :]):
                continue  # the month of a date
            start = match.start() + (3 if match[0].startswith("of ") else 0)
            candidates.append((start, -match.end(), order, period))
    found: list[_Found] = []
    for start, end, _, period in sorted(candidates, key=lambda each: each[:3]):
        if not found or start >= found[-1].end:
            found.append(_Found(start, -end, period))
    return found


class _Reading:
    """Combines the periods found in a question by the words before and between them."""

    def __init__(self, text: str, today: date, future: bool, found: list[_Found]) -> None:
        self.text, self.today, self.future, self.found = text, today, future, found

    def combine(self) -> None:
        self._apply(_PART_OF, self._part)
        self._apply(_FROM_DAY, self._from_day)
        self._ranges()
        self._apply(_WEEK_OF, self._week_of)
        self._onward()
        for pattern, build in RELATIONS:
            self._apply(pattern, build, self.today, self.future)
        self._within()

    def _within(self) -> None:
        """Read "this week after tomorrow" as what two neighbouring periods share, where one is open."""
        if len(self.found) != 2 or self.text[self.found[0].end : self.found[1].start].strip():
            return
        first, second = self.found
        sides = [each.period for each in self.found]
        bounded = [each for each in sides if not _OPEN.search(each.label)]
        beyond = [each for each in sides if _OPEN.search(each.label)]
        start, end = max(each.start for each in sides), min(each.end for each in sides)
        if len(bounded) == 1 and start <= end:
            period = Period(start, end, f"{bounded[0].label} {beyond[0].label}")
            self.found = [_Found(first.start, second.end, period)]

    def _apply(self, pattern: re.Pattern[str], build: Callable[..., Period | None], *more: object) -> None:
        """Replace each period that the pattern stands directly before by what they make together."""
        for index, each in enumerate(self.found):
            begin = self.found[index - 1].end if index else 0
            match = pattern.search(self.text[begin : each.start])
            if match is None:
                continue
            try:
                period = build(match, each.period, *more)
            except (ValueError, OverflowError):  # "9999 years after Christmas"
                continue
            if period is not None:
                self.found[index] = _Found(begin + match.start(), each.end, period)

    def _part(self, match: re.Match[str], whole: Period) -> Period | None:
        return _part_of(match, whole)

    def _from_day(self, match: re.Match[str], day: Period) -> Period | None:
        if not day.is_day:
            return None
        if not (match["length"] or (match["the"] and match["way"] != "from")):
            return None
        length, unit = named_number(match["length"] or "a"), match["unit"]
        sign = -1 if match["way"] == "before" else 1
        months = {"month": 1, "year": 12}.get(unit, 0) * length * sign
        when = months_from(day.start, months) + timedelta({"day": 1, "week": 7}.get(unit, 0) * length * sign)
        next_to_it = day.start + sign * _DAY
        if match["the"] and match["way"] != "from" and when != next_to_it:
            stretch = f"{length} {unit}s" if length > 1 else unit
            start, end = sorted((when, next_to_it))
            return Period(start, end, f"in the {stretch} {match['way']} {bare_label(day)}")
        return Period(when, when, f"on {said_day(when, self.today)}")

    def _week_of(self, _match: re.Match[str], day: Period) -> Period | None:
        week = unit_of("week", day.start, 0, "")
        return (
            replace(week, label=f"in the week of {said_day(week.start, self.today)}") if day.is_day else None
        )

    def _onward(self) -> None:
        """Read "from March 1 on" as since then."""
        for index, each in enumerate(self.found):
            before = _FROM.search(self.text[: each.start])
            after = _ONWARD.match(self.text[each.end :])
            if before and after:
                period = _since(before, each.period, self.today, self.future)
                self.found[index] = _Found(before.start(), each.end + after.end(), period)

    def _ranges(self) -> None:
        for index in range(len(self.found)):
            if index < len(self.found):
                with contextlib.suppress(ValueError, OverflowError):  # "March 1 to 45"
                    self._range_from(index)

    def _range_from(self, index: int) -> None:
        """Read the period at `index` and what follows it as a range if they are one."""
        first = self.found[index]
        before = _RANGE_BEFORE.search(self.text[: first.start])
        start = before.start() if before else first.start
        second = self.found[index + 1] if index + 1 < len(self.found) else None
        between = self.text[first.end : second.start].strip() if second else ""
        joined = second and (between in _TO or (before and before[1] == "between" and between == "and"))
        bare = _BARE_DAY.match(self.text[first.end :])
        if second and joined:
            period = self._range(first.period, second.period)
            self.found[index : index + 2] = [_Found(start, second.end, period)]
        elif bare and first.period.is_day and (before or bare[1] != "and"):
            last = first.period.start.replace(day=int(bare[2]))
            period = self._range(first.period, Period(last, last, f"on {last:%B} {last.day}"))
            self.found[index] = _Found(start, first.end + bare.end(), period)

    def _begun_lately(self, first: Period, last: Period) -> tuple[Period, Period]:
        """Return a range in which today is, where its first day was taken for that of next year."""
        begun, ended = months_from(first.start, -12), months_from(last.end, -12)
        end = ended if ended >= self.today else last.end
        lately = 0 <= (self.today - begun).days <= _LATELY and (end - self.today).days <= _FAR
        if not (self.future and first.is_day and lately):
            return first, last
        return replace(first, start=begun, end=begun), replace(last, start=min(last.start, end), end=end)

    def _range(self, first: Period, last: Period) -> Period:
        first, last = self._begun_lately(first, last)
        same_day = first.is_day and (first.start, first.end) == (last.start, last.end)  # last and this Monday
        if first.start > last.end or same_day:
            if (first.start - last.end).days <= 7:
                week = timedelta(7)
                if self.future:
                    last = Period(
                        last.end + week, last.end + week, f"on {said_day(last.end + week, self.today)}"
                    )
                else:
                    first = Period(
                        first.start - week,
                        first.start - week,
                        f"on {said_day(first.start - week, self.today)}",
                    )
            elif self.future:
                last = replace(last, end=months_from(last.end, 12))
            else:
                first = replace(first, start=months_from(first.start, -12))
        return Period(first.start, last.end, f"from {bare_label(first)} to {bare_label(last)}")


def around(period: Period, today: date) -> Period:
    """Return the week of a day some weeks ago, the month of one some years ago, else the period."""
    unit = re.search(r"\b(week|year)s? ago$", period.label)
    if unit is None or period.ago is None:
        return period
    if unit[1] == "week":
        week = unit_of("week", period.ago, 0, "")
        return replace(week, label=f"in the week of {said_day(week.start, today)}")
    return unit_of("month", period.ago, 0, f"in {period.ago:%B} {period.ago.year}")


def beside(unit: str, period: Period, side: str, today: date) -> Period:
    """Return the day, week, month or year before or after a period."""
    step = -1 if side == "before" else 1
    edge = period.start if side == "before" else period.end
    if unit == "day":
        when = edge + step * _DAY
        return Period(when, when, f"on {said_day(when, today)}")
    whole = unit_of(unit, edge, step, "")
    if unit == "week":
        label = f"in the week of {said_day(whole.start, today)}"
    elif unit == "year":
        label = f"in {whole.start.year}"
    else:
        year = f" {whole.start.year}" if whole.start.year != today.year else ""
        label = f"in {whole.start:%B}{year}"
    return replace(whole, label=label)


def after(period: Period) -> Period:
    """Return all the time after a period."""
    return Period(period.end + _DAY, _LAST_DAY, f"after {bare_label(period)}")


def bare_label(period: Period) -> str:
    """Return a period's name without the preposition before it."""
    return re.sub(r"^(?:on|in|at) ", "", period.label)


def _part_of(match: re.Match[str], whole: Period) -> Period | None:
    """Return a part of a month, quarter or year; None of something shorter."""
    part, unit = match["part"] or match["edge"] or match["edge_of"], match["unit"] or ""
    days = (whole.end - whole.start).days + 1
    name = f"{'last' if part == 'final' else part} {unit}".strip()
    of = f"of {bare_label(whole)}"
    if unit == "half":
        middle = whole.start + timedelta(days // 2) if days < 360 else date(whole.start.year, 7, 1)
        first = part in ("first", "1st")
        start, end = (whole.start, middle - _DAY) if first else (middle, whole.end)
    elif match["number"]:
        length = named_number(match["number"])
        if part not in ("first", "1st", "final"):
            return None
        size = {"week": timedelta(7), "day": _DAY, "month": timedelta(30)}[unit] * length
        start, end = (
            (whole.start, whole.start + size - _DAY)
            if part != "final"
            else (whole.end - size + _DAY, whole.end)
        )
        name = f"{'last' if part == 'final' else 'first'} {length} {unit}s"
    elif part in ("mid", "middle"):
        third = timedelta(days // 3)
        start, end, name = whole.start + third, whole.end - third, "middle"
    elif unit == "week" or part in ("beginning", "start", "end", "early", "late"):
        if days < 14:
            return Period(whole.end, whole.end, f"at the end {of}") if part == "end" else None
        last = part in ("final", "end", "late")
        start = whole.end - timedelta(6) if last else whole.start + timedelta(7 * (ORDINALS.get(part, 1) - 1))
        end, name = start + timedelta(6), f"{'last' if last else part if unit else 'first'} week"
    elif unit == "day":
        start = end = whole.end if part == "final" else whole.start + timedelta(ORDINALS.get(part, 1) - 1)
    else:
        return None
    return Period(start, end, f"in the {name} {of}" if start != end else f"on the {name} {of}")


_PART_OF = re.compile(
    r"(?:\b(?:in|during|for|over|on|at) )?(?:\bthe )?\b"
    rf"(?:(?P<part>{_ORDINAL}|final) (?:(?P<number>{NUMBER[1:-1]}) )?(?P<unit>half|week|day"
    rf"|month)s?(?: (?:of|in))?"
    r"|(?P<edge>early|late|mid)(?: in)?|(?P<edge_of>beginning|start|end|middle) of) $"
)
_FROM_DAY = re.compile(
    rf"(?:\b(?:in|on|during|over|for) )?\b(?P<the>the )?(?:(?P<length>{NUMBER[1:-1]}) )?(?P<unit>day"
    rf"|week|month|year)s?"
    rf" (?P<way>from|after|before) $"
)
_OPEN = re.compile(r"^(?:after|before|since|until) ")
_DAY_NUMBER = re.compile(r" (?:the )?\d{1,2}(?:st|nd|rd|th)?\b")
_WEEK_OF = re.compile(r"(?:\b(?:in|during|for) )?(?:\bthe )?\bweek (?:of|beginning|starting)(?: on)? $")
_TO = ("to", "through", "until", "till", "thru", "up to", "to the", "up until", "up till")
_RANGE_BEFORE = re.compile(r"\b(from|between) (?:the )?$")
_FROM = re.compile(r"\bfrom (?:the )?$")
_ONWARD = re.compile(r" (?:on|onwards?|forward|to now|to today|until now|until today)\b")
_BARE_DAY = re.compile(
    r" (to|through|until|till|and) (?:the )?(\d{1,2})(?:st|nd|rd|th)?\b(?! (?:dollar|am|pm|over))"
)

type _Relate = Callable[[re.Match[str], Period, date, bool], Period]


def _since(_match: re.Match[str], period: Period, today: date, _future: bool) -> Period:
    begin = re.sub(r"^from (.+?) to .+", r"\1", bare_label(period))  # of "from September to November"
    return Period(period.start, max(today, period.start), f"since {begin}")


def _after(_match: re.Match[str], period: Period, _today: date, _future: bool) -> Period:
    return after(period)


def _due(period: Period, today: date, *, future: bool) -> Period:
    """Return the coming return of a day of the year where that is near: Christmas, in December."""
    near = period.is_day and not future and (today - period.start).days > _NEARLY_A_YEAR
    if not near or re.search(r", \d{4}$", period.label):
        return period
    when = months_from(period.start, 12)
    return Period(when, when, re.sub(r" \d{4}$", "", period.label))


def _before(_match: re.Match[str], period: Period, today: date, future: bool) -> Period:
    period = _due(period, today, future=future)
    return Period(today if future else _FIRST_DAY, period.start - _DAY, f"before {bare_label(period)}")


def _until(_match: re.Match[str], period: Period, today: date, future: bool) -> Period:
    period = _due(period, today, future=future)
    return Period(today if future else _FIRST_DAY, period.end, f"until {bare_label(period)}")


RELATIONS: tuple[tuple[re.Pattern[str], _Relate], ...] = (
    (re.compile(r"\b(?:ever )?(?:since|starting|beginning)(?: on| in| from)?(?: the)? $"), _since),
    (re.compile(r"\b(?:any ?time |some ?time )?(?:after|later than|past)(?: the)? $"), _after),
    (re.compile(r"\b(?:before|prior to|earlier than)(?: the)? $"), _before),
    (
        re.compile(
            r"\bbetween (?:now|today) and $|\b(?:now|today) (?:to|until|till) $"
            r"|\b(?:up )?(?:until|till|through|by|up to) $"
        ),
        _until,
    ),
)


def narrowest(periods: tuple[Period, ...], text: str) -> tuple[Period, ...]:
    """Return the periods of a text without those that hold another: "last year, in July" is July.

    Where the text says that several are meant, none is left out.
    """
    if SEVERAL.search(text):
        return periods
    return tuple(
        each
        for place, each in enumerate(periods)
        if not any(
            each.start <= other.start and other.end <= each.end
            for at, other in enumerate(periods)
            if at < place or (at > place and (other.start, other.end) != (each.start, each.end))
        )
    )
