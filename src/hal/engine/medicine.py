"""What is told of one medicine: its dose, its prescriber, when it began and ended, what came before it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from hal.engine import rules, spoken
from hal.engine.answers import CAUTION, Turn
from hal.engine.records import Medication

OVERLAP = timedelta(days=14)  # of a medicine and the one that follows it


def times(item: Medication) -> str:
    """Say when a medicine is taken, and how often."""
    food = f", {item.instructions}" if item.instructions else ""
    if not item.times:
        return f"You take {item.name} {spoken.units(item.dosage)}, {item.frequency}{food}."
    moments = spoken.join([spoken.clock(moment) for moment in item.times])
    return f"You take {item.name} {spoken.units(item.dosage)} {item.frequency}, at {moments}{food}."


def ended(item: Medication, turn: Turn) -> str:
    """Say that a medicine is no longer taken, and when it began and ended."""
    today = turn.now.date()
    began = f"began {spoken.day(item.start_date, today)} and " if item.start_date else ""
    ended = f"; it {began}ended {spoken.day(item.end_date, today)}" if item.end_date else ""
    purpose = f" for {item.purpose}" if item.purpose else ""
    said = f"{item.name} {spoken.units(item.dosage)}{purpose} is no longer active{ended}"
    return spoken.sentence(said)


def details(turn: Turn, medications: list[Medication]) -> str:
    """Say of each medicine what is asked about it, or all."""
    said = " ".join(_detail(turn, item) for item in medications)
    counted = turn.question.action == "MEDICATION_COUNT" and len(medications) > 1
    return f"You take {spoken.count(len(medications), 'medication')}. {said}" if counted else said


def _detail(turn: Turn, item: Medication) -> str:
    if not item.active:
        asks_who = rules.first(FOCUS, turn.question.text) == "prescriber" and item.prescriber
        who = f"{_prescriber(item, turn.now.date())} " if asks_who else ""
        return f"{who}{ended(item, turn)}"
    if turn.question.conditions.dose:
        return _dose(item, turn.now.date())
    focus = rules.first(FOCUS, turn.question.text)
    if turn.question.periods and _HELD.search(turn.question.text):
        focus = "start"
    if focus is not None:
        said = _FOCUSED[focus](item, turn.now.date())
        if focus == "dose" and _A_DAY.search(turn.question.text):
            said += _in_a_day(item)
        confirmed = focus == "start" and turn.question.named("providers")
        return f"{said} {_prescriber(item, turn.now.date())}" if confirmed else said
    brand = f", also called {item.brand}," if item.brand else ""
    purpose = f" for {item.purpose}" if item.purpose else ""
    said = f"{item.name}{brand} is {spoken.article(item.form)} {item.form}{purpose}. {times(item)}"
    if item.prescriber:
        said += f" {item.prescriber} prescribed it."
    return spoken.sentence(said)


def _prescriber(item: Medication, _today: date) -> str:
    if not item.prescriber:
        return f"No prescriber is on record for {item.name}."
    return f"{item.prescriber} prescribed {item.name}."


def _brand(item: Medication, _today: date) -> str:
    if not item.brand:
        return f"No other name is on record for {item.name}."
    return spoken.sentence(f"{item.name} is also called {item.brand}")


def _start(item: Medication, today: date) -> str:
    if item.start_date is None:
        return f"No start date is on record for {item.name}."
    return f"You started {item.name} {spoken.day(item.start_date, today)}."


def _purpose(item: Medication, _today: date) -> str:
    if not item.purpose:
        return f"No purpose is on record for {item.name}."
    return f"You take {item.name} for {item.purpose}."


def _instructions(item: Medication, _today: date) -> str:
    if not item.instructions:
        return f"Your records say nothing about food with {item.name}. {CAUTION}."
    return f"Your records say: take {item.name} {item.instructions}. {CAUTION} if you are unsure."


def _dose(item: Medication, _today: date) -> str:
    return f"Your dose of {item.name} is {spoken.units(item.dosage)}, {item.frequency}."


def _in_a_day(item: Medication) -> str:
    """Say how much that is in a day, of a medicine that is taken several times."""
    strength = _STRENGTH.search(item.dosage)
    if strength is None or len(item.times) < 2:
        return ""
    daily = f"{int(strength[1]) * len(item.times)} {strength[2]}"
    return f" That is {spoken.units(daily)} a day."


_A_DAY = re.compile(r"\b(?:a|per|each|every) day\b|\bdaily\b|\baltogether\b|\bin all\b")
_STRENGTH = re.compile(r"^(\d+) (\w+)$")
# "Did I take it before May" is answered by the day on which it began.
_HELD = re.compile(r"^(?:and )?(?:did|was|were|had|have) (?:i|we|she|he)\b")
FOCUS = rules.named(
    r"""
    start when (?:\w+ ){1,4}prescri\w+
    prescriber prescribed|prescribes?|prescriber|prescribing
    prescriber ^who is (?:the|my) doctor|^(?:which|what) doctor
    start start|started|begin|began|how long|since when|newest|longest|most recent
    brand (?:the )?generic (?:name|for|of|version|form)|brand|called|(?:other|another) names?
    dose (?:dose|dosage|strength) (?:for|of|on)
    purpose why|purpose|what is .* for|what .* for$
    instructions food|meals?|stomach|eating|breakfast|dinner|water|instructions
    dose dose|dosage|strength|strong|how much|how many (?:milligrams|mg|micrograms|units)
    """
)
_FOCUSED: dict[str, Callable[[Medication, date], str]] = {
    "prescriber": _prescriber,
    "brand": _brand,
    "start": _start,
    "purpose": _purpose,
    "instructions": _instructions,
    "dose": _dose,
}


def in_turn(turn: Turn, medications: list[Medication]) -> str:
    """Say which medicines for the same purpose ended when one began, or began when it ended."""
    item, everything = medications[0], turn.household.medications()
    today, before = turn.now.date(), " before " in turn.question.text
    edge = item.start_date if before else item.end_date
    if edge is None:
        known = "start" if before else "end"
        return f"No {known} date is on record for {item.name}."
    others = [each for each in everything if each.purpose == item.purpose and each is not item]
    if before:
        found = [each for each in others if each.end_date and each.end_date <= edge + OVERLAP]
        when = f"before {item.name}, which began {spoken.day(edge, today)}, you took"
    else:
        found = [each for each in others if each.start_date and each.start_date >= edge - OVERLAP]
        when = f"after {item.name}, which ended {spoken.day(edge, today)}, you took"
    names = spoken.join([f"{each.name} {spoken.units(each.dosage)}" for each in found])
    purpose = f" for {item.purpose}" if item.purpose else ""
    return spoken.sentence(f"{when} {names or 'nothing that is on record'}{purpose}")
