"""What narrows a question: a time of day, a bound, a number of records, an average, a comparison."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import time
from typing import Any

from hal.engine import spoken
from hal.engine.period_grammar import CONSUMED
from hal.engine.periods import WEEKDAYS, named_number
from hal.protocol import Intent

EARLIEST = 5  # the hour that is meant by a number without a half of the day
SOME = -1  # refills left, however many
_NUMBER = r"(\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|couple of|few)"
_CLOCK = (
    r"(\d{1,2})(?: (\d{2}))?(?: ?o ?clock)?"
    r"(?: (?:in the )?(am|pm|morning|afternoon|evening|night|at night))?"
)
_VALUE = r"(\d+(?:\.\d+)?)(?: (?:over|by) \d+)?(?: (dollars?|bucks|pounds?|lbs?|points?|percent|mg|beats))?"
_OF_MEDICINES = (
    r"(?:of|my|our|the|these|those|all|medic\w+|pills?|ones?|prescriptions?|tablets?|capsules?|drugs?"
    r"|inhalers?"
    r"|vitamins?|things?|do|i|still|currently|now|take|taking|am|on|that|are)"
)
_MORE = r"(?:(?:more|greater|higher|bigger|larger) than|over|above|exceed\w*|upwards of)"
_STEP = 0.01  # the smallest difference of two values: "at least 140" is over 139.99
_LESS = r"(?:less than|under|below|fewer than|lower than|smaller than|cheaper than)"


EDGES = {
    "before breakfast": 7,
    "breakfast": 9,
    "evening": 17,
    "dinner": 19,
    "supper": 19,
    "night": 20,
}  # the others are at noon


@dataclass(frozen=True, slots=True)
class Hours:
    """From `start` to before `end`; `label` is how to say it."""

    start: time
    end: time
    label: str

    def __contains__(self, moment: time) -> bool:
        return self.start <= moment < self.end or moment == self.start


@dataclass(frozen=True, slots=True)
class Amount:
    """Between what, in cents, the amount of each transaction must be, or which it is else.

    `label` is how to say it.
    """

    low: int
    high: int
    label: str
    other: int = 0

    def __contains__(self, cents: int) -> bool:
        return self.low < cents < self.high or cents == self.other


def _whole(bound: float, step: float) -> float | None:
    """Return the whole number that a bound includes, as "at least 140" does; None: it includes none."""
    included = round(bound + step, 2)
    return included if included % 1 == 0 else None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What narrows a question; what it says nothing of is None, "" or False.

    Attributes:
        hours: a time of day, told by the clock.
        frequency: how often a medicine is taken, as a regular expression over the record's own words.
        instruction: with what a medicine is taken, in the record's own words.
        form: tablet, capsule, inhaler.
        dose: the number of its dosage.
        refills_left: how many refills are left, or `SOME`.
        over, under: a bound that a value, a price or a sum keeps.
        severity: of an allergy.
        last, next: how many of the latest or coming records.
        average, counted: whether an average or a number of times is asked for.
        comparison: more or less, of two things.
        per: week, month or year, of which what is usual is asked.
        negated: whether the question says "not".
        about: an amount that each transaction is, or is near.
        days: weekends, weekdays or Fridays, on which a transaction is.
    """

    hours: Hours | None = None
    frequency: str = ""
    instruction: str = ""
    form: str = ""
    dose: str = ""
    refills_left: int | None = None
    over: float | None = None
    under: float | None = None
    severity: str = ""
    last: int = 0
    next: int = 0
    average: bool = False
    counted: bool = False
    comparison: str = ""
    per: str = ""
    negated: bool = False
    about: Amount | None = None
    days: str = ""

    def bound(self, unit: str = "") -> str:
        """Say the bounds: " over 140", " of at least 20 dollars", or nothing; a unit follows each number."""
        said = ""
        if self.over is not None:
            least = _whole(self.over, _STEP)
            said += f" over {self.over:g}{unit}" if least is None else f" of at least {least:g}{unit}"
        if self.under is not None:
            most = _whole(self.under, -_STEP)
            said += f" under {self.under:g}{unit}" if most is None else f" of at most {most:g}{unit}"
        return said

    def limit(self) -> float | None:
        """Return the number that was named as a bound, the lower one of two."""
        value, step = (self.over, _STEP) if self.over is not None else (self.under, -_STEP)
        whole = None if value is None else _whole(value, step)
        return value if whole is None else whole

    def named(self) -> set[str]:
        """Return the names of the conditions that the question has."""
        return {each.name for each in fields(self) if getattr(self, each.name) != each.default}


HONOURED: dict[Intent, frozenset[str]] = {
    Intent.MEDICATION: frozenset(
        {"hours", "frequency", "instruction", "form", "dose", "refills_left", "negated"}
    ),
    Intent.APPOINTMENT: frozenset({"hours", "last", "next", "negated"}),
    Intent.ALLERGY: frozenset({"severity", "negated"}),
    Intent.HEALTH_DATA: frozenset({"over", "under", "last", "average", "counted", "comparison", "negated"}),
    Intent.TRANSACTION: frozenset(
        {"over", "under", "about", "last", "average", "comparison", "per", "negated", "days"}
    ),
}


def read(text: str, intent: Intent) -> tuple[Conditions, str]:
    """Return the conditions of a question and the question with `CONSUMED` where they stood.

    Arguments:
        text: the question, its periods already taken out of it.
        intent: its subject; a condition that means nothing within it is left standing.
    """
    conditions = Conditions()
    for pattern, build in TABLE:
        match = pattern.search(text)
        if match is None:
            continue
        try:
            values = build(match)
        except ValueError:  # "at 77"
            continue
        if not HONOURED[intent].issuperset(values):
            continue
        conditions = replace(conditions, **values)
        text = f"{text[: match.start()]} {CONSUMED} {text[match.end() :]}"
    if conditions.comparison:
        text = re.sub(r"\bthan\b", CONSUMED, text)
    return conditions, " ".join(text.split())


def _hour(hour: str, minutes: str | None, half: str | None) -> list[time]:
    """Return the times that a clock's reading may mean: two when it leaves out the half of the day."""
    number, minute = int(hour), int(minutes or 0)
    if half in ("am", "morning"):
        return [time(number % 12, minute)]
    if half is not None:
        return [time(number % 12 + (12 if half != "night" or number != 12 else 0), minute)]
    return (
        [time(number, minute)]
        if number > 12 or not number
        else [time(number % 12, minute), time(number % 12 + 12, minute)]
    )


def _said(moment: time) -> str:
    minutes = f":{moment.minute:02d}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes} {'AM' if moment.hour < 12 else 'PM'}"


def _at(match: re.Match[str]) -> dict[str, Any]:
    moment = _hour(*match.groups())[0]
    if match[3] is None and moment.hour < 5:  # "at 2": hardly in the night
        moment = moment.replace(hour=moment.hour + 12)
    return {"hours": Hours(moment, moment, f"at {_said(moment)}")}


def _named_hour(match: re.Match[str]) -> dict[str, Any]:
    moment = time(12) if match[1] != "midnight" else time(0)
    return {"hours": Hours(moment, moment, f"at {match[1]}")}


def _side_of_part(match: re.Match[str]) -> dict[str, Any]:
    """Read "until the evening", "after dinner": a side of the hour at which a part of the day begins."""
    side = match[1] or match[0].split()[0]
    part = match[2] or match[3] or f"before {match[4]}"
    edge = time(EDGES.get(part, 12))
    said = "noon" if edge.hour == 12 else _said(edge)
    if side in ("after", "from"):
        return {"hours": Hours(edge, time.max, f"after {said}")}
    return {"hours": Hours(time(0), edge, f"before {said}")}


def _before(match: re.Match[str]) -> dict[str, Any]:
    moment = _hour(*match.groups())[0]
    return {"hours": Hours(time(0), moment, f"before {_said(moment)}")}


def _after(match: re.Match[str]) -> dict[str, Any]:
    moment = _hour(*match.groups())[-1]
    later = moment.replace(minute=moment.minute + (moment.minute < 59))  # at that time is not after it
    return {"hours": Hours(later, time.max, f"after {_said(moment)}")}


def _between(match: re.Match[str]) -> dict[str, Any]:
    start = _hour(match[1], match[2], match[3] or match[6])[0]
    end = _hour(match[4], match[5], match[6])[0]
    if match[3] is None and match[6] is None:  # "between 2 and 4": hardly in the night
        start, end = (each.replace(hour=each.hour + 12 * (each.hour < EARLIEST)) for each in (start, end))
        end = end.replace(hour=end.hour + 12 * (end <= start and end.hour < 12))
    return {
        "hours": Hours(
            start, end.replace(minute=end.minute + (end.minute < 59)), f"from {_said(start)} to {_said(end)}"
        )
    }


def _set(**values: Any) -> Callable[[re.Match[str]], dict[str, Any]]:
    return lambda _match: values


def _about(match: re.Match[str]) -> dict[str, Any]:
    """Read "about 45 dollars" as a tenth less or more, "45 dollars" as from above 44 to below 46.

    "Fourteen twenty five" may be either of two amounts: 14.25_1425.
    """
    cents = round(float(match[2]) * 100) + int(match[4] or 0)
    other = round(float(match[3] or 0) * 100)
    exact = not match[1] and bool(match[4] or "." in match[2])
    margin = 1 if exact else max(cents // 10, 100) if match[1] else 100
    label = f" of {'' if exact else 'about '}{spoken.money(cents)}"
    label += f" or {spoken.money(other)}" if other else ""
    return {"about": Amount(cents - margin, cents + margin, label, other)}


def _times_a_day(match: re.Match[str]) -> dict[str, Any]:
    often = {"1": "once", "one time": "once", "2": "twice", "two times": "twice"}.get(match[1], match[1])
    return {"frequency": rf"\b{often} (?:a|per) {match[2] or 'day'}"}


TABLE: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})(?!\w)"), build)
    for pattern, build in (
        (r"is it true that|is it correct that|is it right that", _set()),
        (rf"(?:between|from) {_CLOCK} (?:and|to) {_CLOCK}(?! (?:over|dollars|times|pills))", _between),
        (
            rf"(?:at|around|about) {_CLOCK}(?!\.\d)(?! (?:times|refills|dollars|milligrams|over|purchases"
            rf"|readings|pills))",
            _at,
        ),
        (
            r"(before|after|until|till|up to|by|from) (?:the )?(noon|midday|lunch|afternoon|evening|night)"
            r"|after (?:the )?(dinner|supper|breakfast)|before (?:the )?(breakfast)",
            _side_of_part,
        ),
        (r"(?:at )?(noon|midnight|midday)", _named_hour),
        (
            r"(?:more than once|multiple times|several times) (?:a|per) day",
            _set(frequency=r"\b(?:twice|\w+ times) (?:a|per) day"),
        ),
        (r"(\d+(?:\.\d+)?) ?(?:mg|mcg|milligrams?|micrograms?|iu|units)", lambda m: {"dose": m[1]}),
        (rf"before {_CLOCK}(?! (?:times|dollars))", _before),
        (rf"after {_CLOCK}(?! (?:times|dollars))", _after),
        (
            r"(once|one time|twice|two times|(?:three|four|3|4) times|1|2)(?: (?:times?))? (?:a|per|each"
            r"|every) (day|week|month)",
            _times_a_day,
        ),
        (
            r"(?:only )?as needed|when(?:ever)? (?:i )?need(?:ed)?(?: (?:it|to|them))?|if needed"
            r"|only when i need (?:it|them)",
            _set(frequency="as needed"),
        ),
        (
            r"(?:with|without|after) (?:food|a meal|meals|eating)",
            lambda m: {"instruction": "with food" if m[0].startswith("with ") else "on an empty stomach"},
        ),
        (
            r"on an empty stomach|empty stomach|before (?:eating|meals|food)",
            _set(instruction="on an empty stomach"),
        ),
        (r"(tablet|capsule|inhaler)s?", lambda m: {"form": m[1]}),
        (
            rf"(?:what|which) (?:{_OF_MEDICINES} ){{1,6}}(?:has|have|with|got) "
            r"(?:any |some |more |only |just )*(?:(one|two|three|four|five|[1-9]) )?refills?(?: left| "
            r"remaining)?(?= |$)",
            lambda m: {"refills_left": named_number(m[1]) if m[1] else SOME},
        ),
        (
            r"(?:(?:has|have|with|without) )?(?:no|zero|any)? ?(?:more )?refills? (?:left|remaining)(?= |$)"
            r"|(?:(?:has|have|with) (?:no|zero)|without)(?: more)? refills?(?= |$)",
            lambda m: {"refills_left": 0} if re.search(r"\bno\b|\bzero\b|without", m[0]) else {},
        ),
        (r"(?:are |is )?out of refills", _set(refills_left=0)),
        (
            rf"(?:that (?:was|were|is|are|cost) )?(?<!pounds )(?<!points ){_MORE} {_VALUE}",
            lambda m: {"over": float(m[1])},
        ),
        (
            rf"(?:(?:that (?:was|were|is|are|cost) )?(?<!pounds )(?<!points )at least {_VALUE}"
            rf"|{_VALUE} (?:or|and) (?:more|higher|above|over|up|greater))",
            lambda m: {"over": round(float(m[1] or m[3]) - _STEP, 2)},
        ),
        (rf"(?:that (?:was|were|is|are|cost) )?{_LESS} {_VALUE}", lambda m: {"under": float(m[1])}),
        (
            rf"(?:(?:that (?:was|were|is|are|cost) )?at most {_VALUE}"
            rf"|{_VALUE} (?:or|and) (?:less|lower|below|under|fewer))",
            lambda m: {"under": round(float(m[1] or m[3]) + _STEP, 2)},
        ),
        (
            r"(?:(?:for|of|at|was|is|were) )?(?:(around|about|close to|near|nearly|almost) )?"
            r"(\d+(?:\.\d+)?)(?:_(\d+(?:\.\d+)?))? dollars(?: and (\d\d?) cents)?",
            _about,
        ),
        (
            r"(mild|moderate|severe|serious|worst|bad|life threatening|deadly|dangerous)(?:ly)?",
            lambda m: {"severity": m[1] if m[1] in ("mild", "moderate") else "severe"},
        ),
        (
            rf"(?:last|latest|past|previous|most recent) {_NUMBER}(?: (?:times|ones))?",
            lambda m: {"last": named_number(m[1])},
        ),
        (rf"next {_NUMBER}", lambda m: {"next": named_number(m[1])}),
        (
            r"(?:a|per|each|every) (week|month|year)|(week|month|year)ly",
            lambda m: {"per": m[1] or m[2]},
        ),
        (
            r"on average|averages?|averaged|averaging|the mean|typical(?:ly)?"
            r"|(?<!time do i )(?<!when do i )usually|per (?:visit|trip"
            r"|purchase)",
            _set(average=True),
        ),
        (
            r"how many (?:times|readings)|how often|number of times"
            r"|how many (?=(?:. )?(?:\w+ ){0,3}readings\b)",
            _set(counted=True),
        ),
        (
            r"(?:more|higher|greater|bigger|larger|heavier)(?: money)?(?: of)?(?: than| compared to"
            r"| versus)?",
            _set(comparison="more"),
        ),
        (
            r"(?:less|fewer|lower|smaller|lighter)(?: money)?(?: than| compared to| versus)?",
            _set(comparison="less"),
        ),
        (
            r"(?:better|worse) than|compared? (?:to|with)|compare|comparison|versus|vs|difference between",
            _set(comparison="difference"),
        ),
        (r"not|never|no longer|no", _set(negated=True)),
        (r"(?:(?:on|over|during) )?(?:the )?(weekends|weekdays)", lambda m: {"days": m[1]}),
        (
            rf"(?:(?:on|over|during) )?({'|'.join(WEEKDAYS)})s",
            lambda m: {"days": f"{m[1].capitalize()}s"},
        ),
    )
)
