"""Answers about appointments, those to come and those past."""

from __future__ import annotations

import re
from datetime import datetime

from hal.engine import spoken
from hal.engine.answers import Answer, Turn
from hal.engine.periods import Period
from hal.engine.records import Appointment

MAX_SPOKEN = 6
_DOCTOR = re.compile(
    r"\bdoctor (?!visits?\b|appoint|next|last|today|this|on|in|at|is|for|again|say)([a-z]{3,})$"
)


def answer(turn: Turn) -> Answer:
    """Answer a question about appointments."""
    question = turn.question
    providers = question.named("providers")
    action = question.action or ("APPOINTMENT_NEXT" if providers else "APPOINTMENT_LIST")
    if question.period and action == "APPOINTMENT_NEXT":
        action = "APPOINTMENT_LIST"
    if action == "APPOINTMENT_CHANGE":
        return Answer("I can't book or change appointments. Please call the office.", action)
    stranger = _DOCTOR.search(question.text)
    if stranger and not providers:
        return Answer(f"No appointment with Dr. {stranger.group(1).capitalize()} is on record.", action)
    appointments = [
        item for item in turn.household.appointments() if not providers or item.provider in providers
    ]
    who = f" with {spoken.join(providers, 'or')}" if providers else ""
    if action in ("APPOINTMENT_LAST", "APPOINTMENT_NEXT", "APPOINTMENT_LOCATION"):
        return Answer(_single(action, appointments, who, turn.now), action)
    return Answer(_several(action, appointments, who, turn), action)


def _single(action: str, appointments: list[Appointment], who: str, now: datetime) -> str:
    if action == "APPOINTMENT_LAST":
        past = [item for item in appointments if item.at < now]
        return _one(past[-1], now) if past else f"No past appointment{who} is on record."
    coming = _coming(appointments, now)
    return _one(coming[0], now) if coming else f"You have no upcoming appointment{who}."


def _several(action: str, appointments: list[Appointment], who: str, turn: Turn) -> str:
    period = turn.question.period
    if period:
        chosen, when, upcoming = [item for item in appointments if item.at.date() in period], period.label, ""
    else:
        chosen, when, upcoming = _coming(appointments, turn.now), "", "upcoming "
    have = "had" if period and period.end < turn.now.date() else "have"
    said = f"You {have} {spoken.count(len(chosen), f'{upcoming}appointment')}{who} {when}".rstrip()
    if not chosen or action == "APPOINTMENT_COUNT":
        return f"{said}."
    listed = [f"{_name(item)}, {_when(item, period, turn.now)}" for item in chosen[:MAX_SPOKEN]]
    return f"{said}: {'; '.join(listed)}."


def _coming(appointments: list[Appointment], now: datetime) -> list[Appointment]:
    return [item for item in appointments if item.at >= now and item.status == "scheduled"]


def _one(item: Appointment, now: datetime) -> str:
    past = item.at < now
    verb = "Your last appointment was" if past else "Your next appointment is"
    place = f", at {item.location}" if item.location else ""
    reason = f", for {item.reason}" if item.reason else ""
    return f"{verb} with {_name(item)}, {spoken.moment(item.at, now.date())}{place}{reason}."


def _name(item: Appointment) -> str:
    return f"{item.provider}, {item.specialty}" if item.specialty else item.provider


def _when(item: Appointment, period: Period | None, now: datetime) -> str:
    if period is not None and period.is_day:
        return f"at {spoken.clock(item.at.time())}"
    return spoken.moment(item.at, now.date())
