"""Answers about medicines: schedule, list, details, refills. Advice is left to the pharmacist."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from hal.engine import rules, spoken
from hal.engine.answers import CAUTION, Answer, Turn
from hal.engine.records import Medication

REFILL_SOON = timedelta(days=14)
PART_HOURS = {"morning": (4, 12), "afternoon": (12, 17), "evening": (17, 21), "night": (20, 28)}


def answer(turn: Turn) -> Answer:
    """Answer a question about medicines."""
    question = turn.question
    everything = turn.household.medications()
    named = [item for item in everything if item.name in question.named("medications")]
    action = question.action or ("MEDICATION_DETAILS" if named else "MEDICATION_LIST")
    if action in _REFUSALS:
        return Answer(_refusal(action, turn), action)
    if action == "MEDICATION_DETAILS" and not named:
        if question.part_of_day:
            action = "MEDICATION_SCHEDULE"
        elif question.named("providers"):
            action = "MEDICATION_LIST"
    if question.named("unclear"):
        return Answer(
            f"Which one do you mean, {spoken.join(question.named('unclear'), 'or')}?", "MEDICATION_CLARIFY"
        )
    if action == "MEDICATION_DETAILS" and not named and _needs_name(question.text):
        return Answer("Which medication do you mean?", "MEDICATION_CLARIFY")
    if action in ("MEDICATION_LIST", "MEDICATION_COUNT") and named:
        action = "MEDICATION_DETAILS"
    if not everything:
        return Answer("There are no medications on record.", action)
    active = [item for item in everything if item.active]
    handler = {
        "MEDICATION_REFILLS": _refills,
        "MEDICATION_SCHEDULE": _schedule,
        "MEDICATION_TAKEN": _taken,
        "MEDICATION_HISTORY": _history,
        "MEDICATION_DETAILS": _details,
        "MEDICATION_COUNT": _list,
        "MEDICATION_LIST": _list,
    }[action]
    if action == "MEDICATION_HISTORY":
        return Answer(handler(turn, named or [item for item in everything if not item.active]), action)
    return Answer(handler(turn, named or active), action)


_REFUSALS = {
    "MEDICATION_INTERACTIONS": "I can't say whether medicines, food or drink go together.",
    "MEDICATION_ADVICE": "I can't advise on taking, changing or stopping a medicine.",
}


def _refusal(action: str, turn: Turn) -> str:
    warned = [
        item for item in turn.household.allergies() if item.allergen in turn.question.named("allergens")
    ]
    warning = "".join(
        f" Your records show {spoken.article(item.severity)} {item.severity} allergy to {item.allergen}."
        for item in warned
    )
    return f"{_REFUSALS[action]}{warning} {CAUTION}."


def _needs_name(text: str) -> bool:
    words = set(text.split())
    return not words & {
        "medications",
        "medicines",
        "prescriptions",
        "pills",
        "drugs",
        "doses",
        "dosages",
        "vitamins",
    }


def _list(turn: Turn, medications: list[Medication]) -> str:
    purposes = turn.question.named("purposes")
    prescribers = turn.question.named("providers")
    if prescribers:
        prescribed = [item.name for item in medications if item.prescriber in prescribers]
        return f"{spoken.join(prescribers)} prescribed {spoken.join(prescribed) or 'nothing you take now'}."
    chosen = [item for item in medications if item.purpose in purposes] if purposes else medications
    names = [f"{item.name} {spoken.units(item.dosage)}" for item in chosen]
    if not purposes:
        return f"You take {spoken.count(len(chosen), 'active medication')}: {spoken.join(names)}."
    return f"For {spoken.join(list(purposes))} you take {spoken.join(names)}."


def _schedule(turn: Turn, medications: list[Medication]) -> str:
    question = turn.question
    timed = [item for item in medications if item.active]
    if not timed:
        return " ".join(_ended(item, turn) for item in medications)
    if question.named("medications"):
        return " ".join(_times(item) for item in timed)
    by_time: dict[str, list[str]] = {}
    wanted = [PART_HOURS[part] for part in question.part_of_day]
    for moment, name in sorted((moment, item.name) for item in timed for moment in item.times):
        hour = moment.hour
        if not wanted or any(first <= hour < last for first, last in wanted):
            by_time.setdefault(spoken.clock(moment), []).append(name)
    part = _part(question.part_of_day)
    if "next" in question.text.split():
        return _next_dose(turn, timed)
    if not by_time:
        return f"You have no medication scheduled{part}."
    doses = [f"at {moment}, {spoken.join(names)}" for moment, names in by_time.items()]
    as_needed = [item.name for item in timed if not item.times]
    extra = f" You take {spoken.join(as_needed)} as needed." if as_needed and not wanted else ""
    return f"Your schedule{part}: {'; '.join(doses)}.{extra}"


def _part(parts: tuple[str, ...]) -> str:
    if not parts:
        return ""
    return " at night" if parts[0] == "night" else f" in the {parts[0]}"


def _next_dose(turn: Turn, medications: list[Medication]) -> str:
    now = turn.now.time()
    moments = sorted({moment for item in medications for moment in item.times})
    if not moments:
        return "You have no medication scheduled."
    moment = next((each for each in moments if each > now), moments[0])
    when = "today" if moment > now else "tomorrow"
    names = [f"{item.name} {spoken.units(item.dosage)}" for item in medications if moment in item.times]
    return f"Your next dose is {spoken.join(names)}, {when} at {spoken.clock(moment)}."


def _times(item: Medication) -> str:
    food = f", {item.instructions}" if item.instructions else ""
    if not item.times:
        return f"You take {item.name} {spoken.units(item.dosage)}, {item.frequency}{food}."
    moments = spoken.join([spoken.clock(moment) for moment in item.times])
    return f"You take {item.name} {spoken.units(item.dosage)} {item.frequency}, at {moments}{food}."


def _taken(turn: Turn, medications: list[Medication]) -> str:
    return f"I don't have a record of doses taken. {_schedule(turn, medications)}"


def _history(turn: Turn, medications: list[Medication]) -> str:
    if not medications:
        return "No past medications are on record."
    return " ".join(_ended(item, turn) if not item.active else _times(item) for item in medications)


def _ended(item: Medication, turn: Turn) -> str:
    ended = f"; it ended {spoken.day(item.end_date, turn.now.date())}" if item.end_date else ""
    purpose = f" for {item.purpose}" if item.purpose else ""
    said = f"{item.name} {spoken.units(item.dosage)}{purpose} is no longer active{ended}"
    return spoken.sentence(said)


def _details(turn: Turn, medications: list[Medication]) -> str:
    return " ".join(_detail(turn, item) for item in medications)


def _detail(turn: Turn, item: Medication) -> str:
    if not item.active:
        return _ended(item, turn)
    focus = rules.first(_FOCUS, turn.question.text)
    if focus is not None:
        return _FOCUSED[focus](item, turn.now.date())
    brand = f", also called {item.brand}," if item.brand else ""
    purpose = f" for {item.purpose}" if item.purpose else ""
    said = f"{item.name}{brand} is {spoken.article(item.form)} {item.form}{purpose}. {_times(item)}"
    if item.prescriber:
        said += f" {item.prescriber} prescribed it."
    return spoken.sentence(said)


def _prescriber(item: Medication, _today: date) -> str:
    if not item.prescriber:
        return f"No prescriber is on record for {item.name}."
    return f"{item.prescriber} prescribed {item.name}."


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


_FOCUS = rules.named(
    r"""
    prescriber prescribed|prescribes?|prescriber
    start start|started|begin|began|how long|since when
    purpose why|purpose|what is .* for|what .* for$
    instructions food|meals?|stomach|eating|breakfast|dinner|water|instructions
    dose dose|dosage|strength|strong|how much
    """
)
_FOCUSED: dict[str, Callable[[Medication, date], str]] = {
    "prescriber": _prescriber,
    "start": _start,
    "purpose": _purpose,
    "instructions": _instructions,
    "dose": _dose,
}


def _refills(turn: Turn, medications: list[Medication]) -> str:
    today = turn.now.date()
    tracked = [(item.refill_date, item) for item in medications if item.active and item.refill_date]
    named, period = turn.question.named("medications"), turn.question.period
    until = period.end if period else today + REFILL_SOON
    due = [(when, item) for when, item in tracked if named or when <= until]
    if named and not due:
        return f"No refill date is on record for {spoken.join([item.name for item in medications])}."
    if not due:
        when = period.label if period else f"in the next {REFILL_SOON.days} days"
        return f"No refills are due {when}."
    parts = []
    for day, item in sorted(due, key=lambda each: each[0]):
        left = "" if item.refills_left is None else f", with {spoken.count(item.refills_left, 'refill')} left"
        parts.append(f"{item.name} is due for a refill {spoken.day(day, today)}{left}")
    return spoken.sentence("; ".join(parts))
