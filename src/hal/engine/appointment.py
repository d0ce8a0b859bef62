"""Answers about appointments, those to come and those past."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from hal.engine import commands, spoken
from hal.engine.answers import SpokenAnswer, Turn
from hal.engine.conditions import Conditions
from hal.engine.periods import Period
from hal.engine.question import Question
from hal.engine.records import Appointment

MAX_SPOKEN = 6
_HAD = re.compile(
    r"\b(?:have i (?:already )?(?:had|been|seen)|i have had|did i|i had"
    r"|(?:past|previous|earlier) (?:appointments|visits)|how many times (?:i|she|he|we) (?:was|were|went"
    r"|saw)"
    r"|seen so far|(?:i|we|she|he) (?:have )?(?:already )?done|done already|so far)\b"
)
_WHAT_SOMEONE_IS = re.compile(r"^is (?!there\b)(?:doctor )?\w+ (?:an?|my|the) (?!appointment)")
_WAS_FIRST = re.compile(r"\b(?:was|did)\b.*\bfirst\b")
_NOT_CHANGED = commands.SAID["change"]
_LENGTH_UNKNOWN = "How long an appointment takes is not on record."
_HOW_LONG = re.compile(r"^how long (?:is|are|was|were)\b(?!.*\b(?:until|till|before|since|ago)\b)")
_HOW_SOON = re.compile(r"^how (?:many (?:days|weeks)|long|soon)\b")
_ONLY_ONE = re.compile(
    r"\b(?:next|first|final|after (?:that|it)|one after|(?:comes|is|right|directly|just|the appointment"
    r"|the "
    r"visit) (?:after|following))\b"
)
_FINAL = re.compile(r"\bfinal\b")
_CANCELLED = re.compile(r"\bcancell?ed\b")
_PARTS = {
    "morning": (0, 12),
    "breakfast": (0, 12),
    "afternoon": (12, 17),
    "dinner": (17, 24),
    "evening": (17, 24),
    "night": (20, 24),
}
NAMED_DOCTOR = re.compile(
    r"\bdoctor (?!visits?\b|appoint|next|last|today|this|on|in|at|is|for|again|say|made|gave|had|has|did|does"
    r"|was|will|would|need|want)([a-z]{3,})$"
)


def answer(turn: Turn) -> SpokenAnswer:
    """Answer a question about appointments."""
    question = turn.question
    providers = question.named("providers")
    action = question.action or ("APPOINTMENT_NEXT" if providers else "APPOINTMENT_LIST")
    if question.period and action == "APPOINTMENT_LAST" and question.period.start > turn.now.date():
        action = "APPOINTMENT_LIST"
    if question.period and action == "APPOINTMENT_NEXT" and not _ONLY_ONE.search(question.text):
        action = "APPOINTMENT_LIST"
    if action == "APPOINTMENT_CHANGE" or _HOW_LONG.search(question.text):
        return SpokenAnswer(_NOT_CHANGED if action == "APPOINTMENT_CHANGE" else _LENGTH_UNKNOWN, action)
    stranger = NAMED_DOCTOR.search(question.text)
    if stranger and not (providers or question.excluded or question.periods):
        return SpokenAnswer(f"No appointment with Dr. {stranger.group(1).capitalize()} is on record.", action)
    who = _who(question)
    if providers and _WHAT_SOMEONE_IS.search(question.text):
        specialties = {item.provider: item.specialty for item in turn.household.appointments()}
        known = spoken.join([f"{name} for {specialties[name] or 'appointments'}" for name in providers])
        return SpokenAnswer(f"On record you have {known}.", "APPOINTMENT_LIST")
    if _CANCELLED.search(question.text):
        cancelled = [item for item in turn.household.cancelled_appointments() if _is_meant(item, question)]
        listed = "; ".join(f"{_name(item)}, {spoken.moment(item.at, turn.now.date())}" for item in cancelled)
        said = f"You have {spoken.count(len(cancelled), 'cancelled appointment')}{who} on record"
        return SpokenAnswer(f"{said}: {listed}." if listed else f"{said}.", "APPOINTMENT_LIST")
    appointments = [item for item in turn.household.appointments() if _is_meant(item, question)]
    if action == "APPOINTMENT_NEXT" and question.conditions.next > 1:
        action = "APPOINTMENT_LIST"
    if (
        action in ("APPOINTMENT_LAST", "APPOINTMENT_NEXT", "APPOINTMENT_LOCATION")
        and question.conditions.last < 2
    ):
        return _the_one(turn, action, appointments, who)
    said = _several(action, appointments, who, turn)
    if not appointments:
        said += _called_off(turn) + _the_next_one(appointments, turn)
    return SpokenAnswer(said, action)


def _called_off(turn: Turn) -> str:
    """Return which appointments at the time that is asked about were cancelled, else ""."""
    if not turn.question.period:
        return ""
    return "".join(
        f" The one with {item.provider} {spoken.moment(item.at, turn.now.date())} was cancelled."
        for item in turn.household.cancelled_appointments()
        if _is_meant(item, turn.question)
    )


def _the_one(turn: Turn, action: str, appointments: list[Appointment], who: str) -> SpokenAnswer:
    """Say the last, the first or the next appointment; of each of two providers that are asked for."""
    question, now = turn.question, turn.now
    providers = question.named("providers")
    within = f"{who} {question.period.label}" if question.period else who
    if _WAS_FIRST.search(question.text):
        action, appointments = "APPOINTMENT_FIRST", appointments[:1]
    if len(providers) > 1 and " and " in question.text:
        each = [[item for item in appointments if item.provider == name] for name in providers]
        said = [
            _single(action, items, f" with {name}", now) for name, items in zip(providers, each, strict=True)
        ]
        return SpokenAnswer(" ".join(said), action)
    final = action == "APPOINTMENT_NEXT" and _FINAL.search(question.text)
    if final:
        appointments = _coming(appointments, now)[-1:]
    said_one = _single(action, appointments, within, now, question.further)
    if final:
        said_one = said_one.replace("Your next", "Your last", 1)
    if said_one.startswith("Your next") and " after " in within:
        said_one = spoken.sentence(f"{within.strip()}, your{said_one.removeprefix('Your')}")
    coming = _coming(appointments, now)
    if not coming and action == "APPOINTMENT_NEXT":
        said_one += _called_off(turn) + _the_next_one(coming, turn)
    days = (coming[0].at.date() - now.date()).days if coming else 0
    if days and action == "APPOINTMENT_NEXT" and _HOW_SOON.search(question.text):
        said_one += f" That is in {spoken.count(days, 'day')}."
    return SpokenAnswer(said_one, action)


def _the_next_one(appointments: list[Appointment], turn: Turn) -> str:
    """Return when someone is seen next where there is none at the time that is asked about, else ""."""
    question = turn.question
    narrowed = question.period or question.conditions.hours
    if appointments or not (narrowed and question.named("providers")):
        return ""
    anytime = replace(question, periods=(), excluded_periods=(), conditions=Conditions())
    meant = [item for item in turn.household.appointments() if _is_meant(item, anytime)]
    coming = _coming(meant, turn.now)
    return f" The next one is {spoken.moment(coming[0].at, turn.now.date())}." if coming else ""


def _is_meant(item: Appointment, question: Question) -> bool:
    """Tell whether an appointment is one of those that the question narrows to."""
    named = {
        "providers": item.provider,
        "reasons": item.reason,
        "places": item.location,
    }
    hours, parts = question.conditions.hours, question.part_of_day
    return (
        all(value in question.named(kind) for kind, value in named.items() if question.named(kind))
        and not any(value in question.leaves_out(kind) for kind, value in named.items())
        and question.covers(item.at.date())
        and (hours is None or item.at.time() in hours)
        and (
            not parts or any(first <= item.at.hour < last for first, last in (_PARTS[part] for part in parts))
        )
    )


def _who(question: Question) -> str:
    """Return the words for what narrows the appointments, but for their period."""
    kinds = (("providers", "with"), ("reasons", "for"), ("places", "at"))
    said = "".join(
        f" {word} {spoken.join(question.named(kind), 'or')}" for kind, word in kinds if question.named(kind)
    )
    left_out = [name for kind, _ in kinds for name in question.leaves_out(kind)]
    if left_out:
        said += f" other than with {spoken.join(left_out, 'or')}"
    said += "".join(f" other than {period.label}" for period in question.excluded_periods)
    if question.conditions.hours:
        said += f" {question.conditions.hours.label}"
    elif question.part_of_day:
        parts = [part for part in question.part_of_day if part != "night"] or ["night"]
        said += f" in the {parts[0]}" if len(parts) == 1 else ""  # "morning or afternoon" asks which
    return said


def _single(action: str, appointments: list[Appointment], who: str, now: datetime, further: int = 0) -> str:
    """Say the last, the first or the next appointment, or the one that is so many `further` on."""
    is_past = action in ("APPOINTMENT_LAST", "APPOINTMENT_FIRST")
    found = [item for item in appointments if item.at < now][::-1] if is_past else _coming(appointments, now)
    if len(found) > further:
        return _one(found[further], now, action, further)
    if is_past:
        return f"No {'earlier' if further else 'past'} appointment{who} is on record."
    return f"You have no {'further' if further else 'upcoming'} appointment{who}."


def _several(action: str, appointments: list[Appointment], who: str, turn: Turn) -> str:
    period, conditions = turn.question.period, turn.question.conditions
    past = [item for item in appointments if item.at < turn.now]
    if conditions.last > 1:
        chosen, when, kind = past[-conditions.last :][::-1], "", "past "
    elif period:
        chosen, when, kind = past if _HAD.search(turn.question.text) else appointments, period.label, ""
    elif _HAD.search(turn.question.text):
        chosen, when, kind = past, "", "past "
    else:
        chosen, when, kind = _coming(appointments, turn.now)[: conditions.next or None], "", "upcoming "
    have = (
        "had"
        if _HAD.search(turn.question.text) or kind == "past " or (period and period.end < turn.now.date())
        else "have"
    )
    said = f"You {have} {spoken.count(len(chosen), f'{kind}appointment')}{who} {when}".rstrip()
    if not chosen or action == "APPOINTMENT_COUNT":
        return f"{said}."
    listed = [f"{_name(item)}, {_when(item, period, turn.now)}" for item in chosen[:MAX_SPOKEN]]
    return f"{said}: {'; '.join(listed)}{_details(chosen[0]) if len(chosen) == 1 else ''}."


def _coming(appointments: list[Appointment], now: datetime) -> list[Appointment]:
    return [item for item in appointments if item.at >= now and item.status == "scheduled"]


def _one(item: Appointment, now: datetime, action: str = "", further: int = 0) -> str:
    past = item.at < now
    which = "first" if action == "APPOINTMENT_FIRST" else "last"
    verb = f"Your {which} appointment was" if past else "Your next appointment is"
    if further:
        verb = "The one before was" if past else "The one after is"
    return f"{verb} with {_name(item)}, {spoken.moment(item.at, now.date())}{_details(item)}."


def _details(item: Appointment) -> str:
    """Return where an appointment is and what for."""
    place = f", at {item.location}" if item.location else ""
    return place + (f", for {item.reason}" if item.reason else "")


def _name(item: Appointment) -> str:
    return f"{item.provider}, {item.specialty}" if item.specialty else item.provider


def _when(item: Appointment, period: Period | None, now: datetime) -> str:
    if period is not None and period.is_day:
        return f"at {spoken.clock(item.at.time())}"
    return spoken.moment(item.at, now.date())
