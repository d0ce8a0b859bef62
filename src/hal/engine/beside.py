"""The time beside what the records name: "before the dentist", "between the cardiologist and the lab"."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import date, timedelta

from hal.engine import period_grammar
from hal.engine.entities import Naming
from hal.engine.period_grammar import CONSUMED
from hal.engine.periods import Period, said_day
from hal.engine.records import Household
from hal.engine.vocabulary import Leftover

_HOW_FAR = re.compile(r"^how (?:many (?:days|weeks)|long|far)\b")
_BETWEEN_VISITS = re.compile(
    r"\bbetween (?:my |the )?(?:(?:next )?(?:appointment|visit)s? (?:with|at|to) )?(?:my |the )?$"
)
_AND_VISIT = re.compile(
    r"^(?: (?:appointment|visit|check ?up|cleaning))? and (?:my |the )?"
    r"(?:(?:next )?(?:appointment|visit)s? (?:with|at|to) )?(?:my |the )?$"
)
_MEDICINE_BESIDE = re.compile(
    r"\b(before|after|since|until|till) (?:(?:i|they|he|she) (?:was on |was |have |had )?(?:\w+ ){0,2}"
    r"|starting |taking |stopping )?(?:the |my )?$"
)
_SIDE_OF_VISIT = re.compile(
    r"\b(before|after|following|until|till|between (?:now|today) and) (?:i (?:see|visit|go to) )?(?:my "
    r"|the )?"
    r"(?:(?:next )?(?:appointment|visit)s? (?:with|at|to) )?(?:my |the )?$"
)
# "What did I take before lisinopril": one medicine after the other.
IN_TURN = re.compile(
    r"^(?:what|which)\b.*\b(?:did i (?:take|use|have|get)|was i (?:on|taking|using|given|prescribed)) "
    r"(before|after)\b"
)


def visits(
    text: str, kept: list[Naming], household: Household, today: date
) -> tuple[tuple[Period, ...], list[Naming], list[str]]:
    """Read "before the dentist" as the time before that appointment.

    Returns the periods, the namings that are none of these, and the words with `CONSUMED` where they stood.
    """
    words = text.split()
    periods: list[Period] = []
    if _HOW_FAR.search(text):
        return (), kept, words
    for first, second in itertools.permutations((each for each in kept if each.kind == "providers"), 2):
        if between := _between(text, first, second, household, today):
            begin, period = between
            words[begin : second.words.stop] = [CONSUMED] * (second.words.stop - begin)
            return (
                (period,),
                [each for each in kept if each.words.start not in range(begin, second.words.stop)],
                words,
            )
    for each in kept:
        start = each.words.start
        side = (
            _SIDE_OF_VISIT.search(f"{' '.join(text.split()[:start])} ") if each.kind == "providers" else None
        )
        if side is None or each not in kept:
            continue
        when = _next_visit(each.name, household, today)
        if when is None:
            continue
        way = "after" if side[1] in ("after", "following") else "before"
        label = f"{way} the appointment with {each.name} on {said_day(when, today)}"
        periods.append(
            Period(today, when - timedelta(1), label)
            if way == "before"
            else replace(period_grammar.after(Period(when, when, "")), label=label)
        )
        for position in range(text[: side.start()].count(" "), start):
            words[position] = CONSUMED
        kept = [other for other in kept if other.name != each.name and other.words.start not in each.words]
    return tuple(periods), kept, words


def _next_visit(provider: str, household: Household, today: date) -> date | None:
    dates = (item.at.date() for item in household.appointments() if item.provider == provider)
    return next((when for when in dates if when >= today), None)


def _between(
    text: str, first: Naming, second: Naming, household: Household, today: date
) -> tuple[int, Period] | None:
    """Return where "between the dentist and the lab" begins and the days between the two appointments."""
    said = text.split()
    before = " ".join(said[: first.words.start])
    begun = _BETWEEN_VISITS.search(f"{before} ")
    joint = " ".join(["", *said[first.words.stop : second.words.start], ""])
    if begun is None or not _AND_VISIT.search(joint) or first.name == second.name:
        return None
    both = [(_next_visit(each.name, household, today), each.name) for each in (first, second)]
    coming = sorted((when, name) for when, name in both if when)
    if len(coming) < 2:
        return None
    (start, earlier), (end, later) = coming
    label = f"between the appointments with {earlier} on {said_day(start, today)}"
    label += f" and {later} on {said_day(end, today)}"
    return before[: begun.start()].count(" "), Period(start + timedelta(1), end - timedelta(1), label)


def medicine(text: str, kept: list[Naming]) -> tuple[Leftover, ...]:
    """Return "before" or "after" where it stands before the only medicine that a question names."""
    if IN_TURN.search(text):
        return ()
    medicines = [each for each in kept if each.kind == "medications"]
    if len({each.name for each in medicines}) != 1:
        return ()
    before = " ".join(text.split()[: medicines[0].words.start])
    side = _MEDICINE_BESIDE.search(f"{before} ")
    return (Leftover(side[1], "", owned=False),) if side else ()
