"""Answers about medicines: schedule, list, details, refills. Advice is left to the pharmacist."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from hal.engine import beside, medicine, refills, rules, spoken
from hal.engine.answers import CAUTION, SpokenAnswer, Turn
from hal.engine.conditions import SOME, Conditions, Hours
from hal.engine.question import Question
from hal.engine.records import Medication

NOON = 12
PART_HOURS = {
    "morning": (4, 12),
    "breakfast": (7, 10),
    "afternoon": (12, 17),
    "dinner": (16, 20),
    "evening": (17, 24),
    "night": (20, 28),
}


def answer(turn: Turn) -> SpokenAnswer:
    """Answer a question about medicines."""
    question = turn.question
    everything = turn.household.medications()
    active = [item for item in everything if item.active]
    named = _named(question, everything)
    action = _action(question, named)
    if action in REFUSALS or not everything:
        said = _refusal(action, turn) if action in REFUSALS else "There are no medications on record."
        return SpokenAnswer(said, action)
    if not named and narrows(question):
        return _narrowed(turn, action, active)
    unclear = spoken.join(question.named("unclear"), "or")
    began = question.periods and _BEGAN.search(question.text)
    if not named and (
        unclear or (action == "MEDICATION_DETAILS" and _needs_name(question.text) and not began)
    ):
        said = f"Which one do you mean, {unclear}?" if unclear else "Which medication do you mean?"
        return SpokenAnswer(said, "MEDICATION_CLARIFY")
    if question.periods and not named and action in _DATED:
        return SpokenAnswer(_started(turn, everything), action)
    in_turn = beside.IN_TURN.search(question.text) and len(named) == 1
    handler = {
        "MEDICATION_REFILLS": refills.due,
        "MEDICATION_HISTORY": medicine.in_turn if in_turn else _history,
        "MEDICATION_SCHEDULE": _schedule,
        "MEDICATION_TAKEN": _taken,
        "MEDICATION_DETAILS": medicine.details,
        "MEDICATION_COUNT": _list,
        "MEDICATION_LIST": _list,
    }[action]
    others = _past(question, everything) if action == "MEDICATION_HISTORY" else active
    return SpokenAnswer(handler(turn, named or others), action)


def _named(question: Question, everything: list[Medication]) -> list[Medication]:
    """Return the medicines that a question names: by name, by form, or by what they are for."""
    named = [item for item in everything if item.name in question.named("medications")]
    active = [item for item in everything if item.active]
    form = question.conditions.form
    beside = refills.THE_FORM.search(question.text) and not any(item.form == form for item in named)
    alone = not named and question.action not in _LISTS
    if form and not question.conditions.negated and (beside or alone):
        purposes = question.named("purposes")
        named += [item for item in active if item.form == form and (not purposes or item.purpose in purposes)]
    started = [item for item in active if item.start_date]
    if not named and started and (_NEWEST.search(question.text) or _OLDEST.search(question.text)):
        choose = max if _NEWEST.search(question.text) else min
        named = [choose(started, key=lambda item: item.start_date or date.min)]
    plurals = {f"{name.split()[0].lower()}s" for name in question.named("unclear")}
    if not named and plurals & set(question.text.split()):
        named = [item for item in active if item.name in question.named("unclear")]
    if not named and question.action not in ("", "MEDICATION_LIST", "MEDICATION_COUNT", "MEDICATION_HISTORY"):
        named = [item for item in active if item.purpose in question.named("purposes")]
    return named


def _past(question: Question, everything: list[Medication]) -> list[Medication]:
    """Return the medicines that are no longer taken, of the purposes and the prescribers named."""
    purposes, prescribers = question.named("purposes"), question.named("providers")
    return [
        item
        for item in everything
        if not item.active
        and (not purposes or item.purpose in purposes)
        and (not prescribers or item.prescriber in prescribers)
    ]


def _action(question: Question, named: list[Medication]) -> str:
    """Return what is asked of the medicines named, or of all of them."""
    action = question.action or ("MEDICATION_DETAILS" if named else "MEDICATION_LIST")
    due = action == "MEDICATION_SCHEDULE" and named and _DUE.search(question.text)
    if due and not any(item.times for item in named):
        action = "MEDICATION_REFILLS"
    if _STOPPED.search(question.text) or beside.IN_TURN.search(question.text):
        return "MEDICATION_HISTORY"
    if action == "MEDICATION_TAKEN":
        of_purpose = question.named("purposes") and not question.named("medications")
        how_long = question.text.startswith("how long")
        return "MEDICATION_DETAILS" if how_long else "MEDICATION_LIST" if of_purpose else action
    of_part = action == "MEDICATION_COUNT" and bool(question.part_of_day)
    if action in ("MEDICATION_LIST", "MEDICATION_COUNT") and (named or of_part):
        return "MEDICATION_SCHEDULE" if of_part else "MEDICATION_DETAILS"
    of_provider = bool(question.named("providers")) and not (named or question.part_of_day)
    if action == "MEDICATION_DETAILS" and not named:
        unfocused = rules.first(medicine.FOCUS, question.text) is None and not _needs_name(question.text)
        if unfocused or (question.named("providers") and not question.part_of_day):
            return "MEDICATION_LIST"
        if question.part_of_day:
            return "MEDICATION_SCHEDULE"
    return "MEDICATION_LIST" if of_provider and action == "MEDICATION_SCHEDULE" else action


def narrows(question: Question) -> bool:
    """Tell whether a question asks for the medicines that keep a condition."""
    conditions = question.conditions.named()
    inverted = "negated" in conditions and bool(question.part_of_day)
    return bool(conditions - {"negated"}) or bool(question.excluded) or inverted


def _narrowed(turn: Turn, action: str, active: list[Medication]) -> SpokenAnswer:
    """Answer which of the active medicines keep the conditions of the question."""
    question = turn.question
    late = _LATE.search(question.text)
    if question.conditions.hours and (late or not _HALF_OF_DAY.search(question.text)):
        taken = [] if late else active
        question = replace(question, conditions=_at_either(question.conditions, taken))
    conditions = question.conditions
    chosen, told = active, list[str]()
    for keeps, label in _tests(question):
        kept = [item for item in chosen if keeps(item) != conditions.negated]
        chosen, told = kept, [*told, label]
    left_out = [
        *question.leaves_out("medications"),
        *question.leaves_out("unclear"),
        *question.leaves_out("purposes"),
        *question.leaves_out("providers"),
    ]
    chosen = [item for item in chosen if not {item.name, item.purpose, item.prescriber} & set(left_out)]
    purposes = question.named("purposes")
    if purposes:
        chosen = [item for item in chosen if item.purpose in purposes]
        told.append(f"for {spoken.join(purposes)}")
    if left_out:
        told.append(f"leaving out {spoken.join(left_out)}")
    when = " ".join(told)
    action = "MEDICATION_SCHEDULE" if conditions.hours else action if action in _LISTS else "MEDICATION_LIST"
    if action == "MEDICATION_REFILLS" and chosen and conditions.refills_left is None:
        return SpokenAnswer(refills.due(turn, chosen), action)
    if not chosen:
        return SpokenAnswer(
            f"You have no medication scheduled {when}."
            if conditions.hours
            else f"You take no medication {when}.",
            action,
        )
    names = spoken.join([f"{item.name} {spoken.units(item.dosage)}" for item in chosen])
    verb = "do not take" if conditions.negated else "take"
    counted = f"{spoken.count(len(chosen), 'medication')}: " if _HOW_MANY.search(question.text) else ""
    return SpokenAnswer(spoken.sentence(f"{when}, you {verb} {counted}{names}"), action)


def _at_either(conditions: Conditions, active: list[Medication]) -> Conditions:
    """Return the conditions with "at 9" in the evening, if nothing is taken then in the morning."""
    hours = conditions.hours
    if hours is None or hours.start != hours.end or hours.start.hour >= NOON:
        return conditions
    if any(hours.start in item.times for item in active):
        return conditions
    later = hours.start.replace(hour=hours.start.hour + NOON)
    return replace(conditions, hours=Hours(later, later, f"at {spoken.clock(later)}"))


# "At 9 in the evening", with other words between.
_LATE = re.compile(r"^(?!.*(?:\d am|\bmorning|\bnoon)\b).*\b(?:evening|night|tonight|afternoon)\b")
_HALF_OF_DAY = re.compile(r"\b(?:am|pm|morning|afternoon|evening|night|noon|midday|midnight)\b")
_DATED = ("MEDICATION_LIST", "MEDICATION_COUNT", "MEDICATION_HISTORY", "MEDICATION_DETAILS")
_BEGAN = re.compile(r"\b(?:start\w*|began|begin|new)\b")
_NEXT = re.compile(r"\bnext\b(?! (?:week|month|year|weekend|\w+day)\b)")
_REMAINING = re.compile(r"\b(?:left|remaining|still|else)\b")
_HOW_MANY = re.compile(r"^(?:and )?how many (?!times\b)")
_DUE = re.compile(r"\bdue\b")
_NEWEST = re.compile(
    r"\bnewest\b|\bstart(?:ed)? (?:taking )?(?:last|most recently)$"
    r"|\b(?:last|latest|most recent) (?:medic\w+|pill|prescription) (?:that )?i (?:start\w*|began)\b"
)
_OLDEST = re.compile(r"\blongest\b")
_STOPPED = re.compile(r"^(?:when|what|which|why)\b.* did (?:i|we|he|she|doctor \w+) (?:stop|quit)\b")
_LISTS = ("MEDICATION_LIST", "MEDICATION_COUNT", "MEDICATION_SCHEDULE", "MEDICATION_REFILLS")


def _tests(question: Question) -> list[tuple[Callable[[Medication], bool], str]]:
    """Return what a medicine must be to keep each condition, with the words for it."""
    conditions, parts = question.conditions, question.part_of_day
    tests: list[tuple[Callable[[Medication], bool], str]] = []
    hours = conditions.hours
    if hours:
        tests.append((lambda item: any(moment in hours for moment in item.times), hours.label))
    elif parts:
        spans = [PART_HOURS[part] for part in parts]
        tests.append(
            (
                lambda item: any(
                    first <= moment.hour < last for moment in item.times for first, last in spans
                ),
                _part(parts).strip(),
            )
        )
    if conditions.frequency:
        often = re.compile(conditions.frequency)
        said = conditions.frequency.removeprefix(r"\b").replace(" (?:a|per)", " a")
        said = said.replace(r"(?:twice|\w+ times)", "more than once")
        tests.append((lambda item: bool(often.search(item.frequency)), said))
    if conditions.instruction:
        tests.append((lambda item: item.instructions == conditions.instruction, conditions.instruction))
    if conditions.form:
        tests.append(
            (
                lambda item: item.form == conditions.form,
                f"as {spoken.article(conditions.form)} {conditions.form}",
            )
        )
    if conditions.dose:
        dose = conditions.dose
        tests.append((lambda item: dose in item.dosage.split(), f"at a dosage of {dose}"))
    if conditions.refills_left == SOME:
        tests.append((lambda item: bool(item.refills_left), "with refills left"))
    elif conditions.refills_left is not None:
        left = conditions.refills_left
        tests.append((lambda item: item.refills_left == left, f"with {spoken.count(left, 'refill')} left"))
    return tests


def _started(turn: Turn, everything: list[Medication]) -> str:
    """Answer which medicines were taken in a period, by the days on which they began and ended."""
    period, today = turn.question.period, turn.now.date()
    assert period is not None  # noqa: S101 - asked only with one
    if _BEGAN.search(turn.question.text):
        chosen = [item for item in everything if item.start_date and item.start_date in period]
        verb = "started"
    else:
        chosen = [
            item
            for item in everything
            if (item.start_date is None or item.start_date <= period.end)
            and (item.end_date is None or item.end_date >= period.start)
        ]
        verb = "take" if period.end >= today else "took"
    purposes = turn.question.named("purposes")
    chosen = [item for item in chosen if not purposes or item.purpose in purposes]
    names = spoken.join([f"{item.name} {spoken.units(item.dosage)}" for item in chosen])
    return spoken.sentence(f"{period.label}, you {verb} {names or 'no medication that is on record'}")


REFUSALS = {
    "MEDICATION_INTERACTIONS": "I can't say whether medicines, food or drink go together.",
    "MEDICATION_ADVICE": "I can't advise on taking, changing or stopping a medicine.",
}


_ASKS_WHETHER = re.compile(r"\b(?:can|could|may|should|safe|ok|okay)\b.*\b(?:take|use|have|mix)\b")


def _refusal(action: str, turn: Turn) -> str:
    warned = [
        item for item in turn.household.allergies() if item.allergen in turn.question.named("allergens")
    ]
    warning = "".join(
        f" Your records show {spoken.article(item.severity)} {item.severity} allergy to {item.allergen}."
        for item in warned
    )
    active = [item.name for item in turn.household.medications() if item.active]
    tell = (
        f", and say that you take {spoken.join(active)}"
        if active and _ASKS_WHETHER.search(turn.question.text)
        else ""
    )
    return f"{REFUSALS[action]}{warning} {CAUTION}{tell}."


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
        everything = turn.household.medications() if purposes else medications
        prescribed = [
            item.name
            for item in everything
            if item.prescriber in prescribers and (not purposes or item.purpose in purposes)
        ]
        counted = _HOW_MANY.search(turn.question.text) and prescribed
        number = f"{spoken.count(len(prescribed), 'medication')}: " if counted else ""
        names_said = (
            spoken.join(prescribed) or f"nothing {'that is on record' if purposes else 'you take now'}"
        )
        purpose = f" for {spoken.join(purposes)}" if purposes else ""
        return f"{spoken.join(prescribers)} prescribed {number}{names_said}{purpose}."
    chosen = [item for item in medications if item.purpose in purposes] if purposes else medications
    names = [f"{item.name} {spoken.units(item.dosage)}" for item in chosen]
    if purposes and not chosen:
        past = [medicine.ended(item, turn) for item in _past(turn.question, turn.household.medications())]
        return " ".join([f"You take nothing for {spoken.join(purposes)} now.", *past])
    if not purposes:
        return f"You take {spoken.count(len(chosen), 'active medication')}: {spoken.join(names)}."
    return f"For {spoken.join(list(purposes))} you take {spoken.join(names)}."


def _schedule(turn: Turn, medications: list[Medication]) -> str:
    question = turn.question
    timed = [item for item in medications if item.active]
    if not timed:
        return " ".join(medicine.ended(item, turn) for item in medications)
    if question.named("medications") or question.named("purposes") or question.conditions.form:
        return " ".join(medicine.times(item) for item in timed)
    by_time: dict[str, list[str]] = {}
    wanted = [PART_HOURS[part] for part in question.part_of_day]
    remaining = bool(_REMAINING.search(question.text)) and (
        question.period is None or question.period.start == turn.now.date()
    )
    for moment, name in sorted((moment, item.name) for item in timed for moment in item.times):
        hour = moment.hour
        if remaining and moment <= turn.now.time():
            continue
        if not wanted or any(first <= hour < last for first, last in wanted):
            by_time.setdefault(spoken.clock(moment), []).append(name)
    part = _part(question.part_of_day)
    number = sum(len(names) for names in by_time.values())
    if _NEXT.search(question.text):
        return _next_dose(turn, timed)
    if not by_time:
        return f"You have no {'more ' * remaining}medication scheduled{' today' * remaining}{part}."
    doses = [f"at {moment}, {spoken.join(names)}" for moment, names in by_time.items()]
    if remaining:
        return f"Still to come today{part}: {'; '.join(doses)}."
    as_needed = [item.name for item in timed if not item.times]
    extra = f" You take {spoken.join(as_needed)} as needed." if as_needed and not wanted else ""
    counted = (
        f"You take {spoken.count(number, 'dose')}" if _HOW_MANY.search(question.text) else "Your schedule"
    )
    return f"{counted}{part}: {'; '.join(doses)}.{extra}"


def _part(parts: tuple[str, ...]) -> str:
    if not parts:
        return ""
    words = [f"at {part}" if part in ("night", "breakfast", "dinner") else f"in the {part}" for part in parts]
    return f" {spoken.join(words)}"


def _next_dose(turn: Turn, medications: list[Medication]) -> str:
    now = turn.now.time()
    moments = sorted({moment for item in medications for moment in item.times})
    if not moments:
        return "You have no medication scheduled."
    moment = next((each for each in moments if each > now), moments[0])
    when = "today" if moment > now else "tomorrow"
    names = [f"{item.name} {spoken.units(item.dosage)}" for item in medications if moment in item.times]
    return f"Your next dose is {spoken.join(names)}, {when} at {spoken.clock(moment)}."


def _taken(turn: Turn, medications: list[Medication]) -> str:
    return f"I don't have a record of doses taken. {_schedule(turn, medications)}"


def _history(turn: Turn, medications: list[Medication]) -> str:
    if not medications:
        return "No past medications are on record."
    return " ".join(
        medicine.ended(item, turn) if not item.active else medicine.times(item) for item in medications
    )
