"""From a request to its reply: understand, look up, answer, record."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from hal.engine import (
    allergy,
    appointment,
    caution,
    commands,
    danger,
    database,
    general,
    health_data,
    medication,
    transaction,
)
from hal.engine.answers import SpokenAnswer, Turn
from hal.engine.clock import Clock, household_time
from hal.engine.conversation_log import ConversationLog, LoggedExchange
from hal.engine.follow_up import MAX_CONTEXT, understand
from hal.engine.question import MAX_CHARACTERS, Question, names_records, plain
from hal.engine.records import Household
from hal.engine.settle import Delegate, joins_strangers, settle
from hal.protocol import MAX_QUESTION_CHARACTERS, Intent, ListenerReply, ListenerRequest, Status, timestamp

_HANDLERS: dict[Intent, Callable[[Turn], SpokenAnswer]] = {
    Intent.MEDICATION: medication.answer,
    Intent.APPOINTMENT: appointment.answer,
    Intent.ALLERGY: allergy.answer,
    Intent.HEALTH_DATA: health_data.answer,
    Intent.TRANSACTION: transaction.answer,
}
_PASSWORD = SpokenAnswer(
    "I never speak passwords or codes aloud. Please look in your password manager.", "PASSWORD_REFUSED"
)
_NOT_HEARD = "I didn't hear a question. Please say it again."
_TOO_LONG = "That was too long for me to follow. Please ask it in fewer words."
EMERGENCY_NUMBER = "911"
_JOINT = re.compile(
    r" (?:and also|and|also|plus) (?:(?P<asks>(?=(?:when|what|how|who|where|which|do|does|did|am|is|are"
    r"|was|have|can|tell|list|show)\b))|(?=(?:my|our|the)\b)"
    r"|(?=(?:medic\w+|meds|prescriptions|pills|allergies|appointments|vitals|readings|transactions"
    r"|purchases)$))"
)
# What was paid to who was named just before: "when is the dentist and how much did I pay last time".
_THERE = re.compile(r"\b(?:pay|paid) (?:there|him|her|them)\b|\b(?:pay|paid) (?:the )?last time(?: there)?$")
_OPENING = re.compile(
    r"^(?:what is|what are|when is|when are|tell me(?: about)?|list|show me|show|read me|give me"
    r"|what was|how is)\b(?: my\b| the\b)?"
)
_NO_MODEL = "I can't find that in your records."


class Engine:
    """Answers requests from one database.

    Questions are understood and looked up in a thread of their own, so that the event loop
    never waits for the disk; each reply is given once its exchange is recorded.

    Arguments:
        path: the database, made by `hal-engine init`; tables that are missing are created.
        clock: tells the household's time, with its zone.
        emergency_number: what a person in danger is told to call.

    Raises:
        DatabaseError: the database cannot be opened.
    """

    def __init__(self, path: Path, clock: Clock, emergency_number: str = EMERGENCY_NUMBER) -> None:
        self._clock = clock
        self._emergency_number = emergency_number
        self._reading = database.connect(path)
        database.create(self._reading)
        self._writing = database.connect(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="records")
        self._log = ConversationLog(self._writing)

    def start(self) -> None:
        """Start recording; call it inside the running loop."""
        self._log.start()

    async def close(self) -> None:
        """Record what is under way and close the database."""
        await self._log.stop()
        self._thread.shutdown()
        self._reading.close()
        self._writing.close()

    async def answer(self, request: ListenerRequest) -> ListenerReply:
        """Answer one request and record the exchange."""
        loop = asyncio.get_running_loop()
        asked_at = household_time(request.asked_at, self._clock)
        reply = await loop.run_in_executor(
            self._thread, reply_to, request, self._reading, asked_at, self._emergency_number
        )
        await self._log.record(
            LoggedExchange(
                at=timestamp(),
                session=request.session_id,
                client=request.client_type,
                question=request.transcription,
                intent=reply.intent,
                action=reply.action_taken,
                status=reply.status,
            )
        )
        return reply

    async def check(self) -> None:
        """Read from the records.

        Raises:
            sqlite3.Error: they cannot be read.
        """
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, lambda: Household(self._reading).medications())


def reply_to(
    request: ListenerRequest,
    connection: sqlite3.Connection,
    now: datetime,
    emergency_number: str = EMERGENCY_NUMBER,
) -> ListenerReply:
    """Answer one request from the records in `connection` as of `now` (local time).

    A danger is answered first; then what can't be done; then one question, or two asked in one sentence.
    """
    asked = request.transcription
    if len(asked) > MAX_QUESTION_CHARACTERS:
        return ListenerReply(_TOO_LONG, action_taken="TOO_LONG", status=Status.ERROR)
    household = Household(connection)
    question = understand(asked, request.context, household, now.date())
    if not question.text:
        return ListenerReply(_NOT_HEARD, action_taken="NOT_HEARD", status=Status.ERROR)
    earlier = plain(str(request.context[-1].get("question") or "")) if request.context else ""
    before = _before_the_records(question, asked, earlier, household, emergency_number)
    if before is not None:
        return before
    last = str(request.context[-1].get("answer") or "") if request.context else ""
    if last and general.said_again(asked):
        return ListenerReply(last, intent=Intent.GENERAL, action_taken="SAID_AGAIN")
    answered = [_answer(Turn(each, household, now)) for each in _parts(question, request, household, now)]
    said = [(intent, answer) for intent, answer in answered if answer is not None]
    if said and len(said) == len(answered):
        intent, first = said[0]
        texts = list(dict.fromkeys(answer.text for _, answer in said))
        text = texts[-1] if texts[-1].startswith(texts[0]) else " ".join(texts)
        return ListenerReply(text, intent=intent, action_taken=first.action)
    return ListenerReply(
        _NO_MODEL,
        intent=Intent.GENERAL,
        action_taken="GENERAL_DELEGATE",
        status=Status.DELEGATE,
        prompt=general.prompt(asked, now),
        context=request.context[-MAX_CONTEXT:],
    )


def _before_the_records(
    question: Question, asked: str, earlier: str, household: Household, emergency_number: str
) -> ListenerReply | None:
    """Return what comes before any answer: a warning, that something can't be done, that it was too much."""
    allergens = question.named("allergens")
    warning = danger.find(plain(asked), household, allergens, emergency_number, earlier)
    if warning is not None:
        return ListenerReply(warning.text, intent=warning.intent, action_taken=warning.action)
    impossible = commands.find(question.text)
    if impossible and question.intent != Intent.PASSWORD and question.action != "APPOINTMENT_CHANGE":
        return ListenerReply(impossible.text, intent=Intent.GENERAL, action_taken=impossible.action)
    if len(asked) > MAX_CHARACTERS and question.intent in _HANDLERS:  # there are words that nobody read
        return ListenerReply(_TOO_LONG, intent=question.intent, action_taken="CLARIFY")
    return None


def _parts(
    question: Question, request: ListenerRequest, household: Household, now: datetime
) -> list[Question]:
    """Return the question, or the two of which it is made."""
    for match in _JOINT.finditer(question.text):
        first, second = question.text[: match.start()], question.text[match.end() :]
        one = understand(first, request.context, household, now.date())
        asks = match["asks"] is not None
        opening = _OPENING.match(first)
        if opening and not asks:
            second = f"{opening[0]} {second}"
        turn = {"question": first, "answer": "", "intent": one.intent}
        two = understand(second, [*request.context, turn], household, now.date())
        if any(each.intent == Intent.GENERAL and not general.is_local(each.text) for each in (one, two)):
            continue
        of_money = question.intent == one.intent == Intent.TRANSACTION
        if of_money and not (asks or question.leftover):
            continue  # it is one sum: "on the doctor and the pharmacy"
        if asks or one.intent != two.intent:
            if one.intent == two.intent:  # in the same sentence it is the same time
                first_time, second_time = one.periods, two.periods
                two = replace(two, periods=first_time) if transaction.lacks_time(two) else two
                one = replace(one, periods=second_time) if transaction.lacks_time(one) else one
            if two.intent == Intent.TRANSACTION and "providers" in one.entities and _THERE.search(two.text):
                two = replace(two, entities={**two.entities, "providers": one.entities["providers"]})
            return [one, two]
    return [question]


def _answer(turn: Turn) -> tuple[Intent, SpokenAnswer | None]:
    """Answer from the records, or return None for the language model; in doubt, with caution."""
    intent, answer = _from_records(turn)
    if answer is None or answer.action == "CLARIFY":
        careful = caution.asked_of(turn.question)
        if careful is not None:
            return careful.intent, _HANDLERS[careful.intent](replace(turn, question=careful))
    return intent, answer


def _from_records(turn: Turn) -> tuple[Intent, SpokenAnswer | None]:
    intent = turn.question.intent
    if intent == Intent.PASSWORD:
        return intent, _PASSWORD
    local = general.answer(turn)
    if local is not None:
        return Intent.GENERAL, local
    bare = intent == Intent.GENERAL or not names_records(turn.question)
    if bare and not turn.question.continued:
        ask_back = general.ask_back(turn)
        if ask_back is not None:
            return intent, ask_back
    settled = settle(turn)
    if settled is not None:
        return intent, None if isinstance(settled, Delegate) else _with_those_known(turn, settled)
    handler = _HANDLERS.get(intent)
    return intent, handler(turn) if handler else None


def _with_those_known(turn: Turn, settled: SpokenAnswer) -> SpokenAnswer:
    """Answer for the names that are on record too, where the question joins others to them by "and"."""
    question = turn.question
    known_too = question.leftover and joins_strangers(question) and names_records(question)
    if settled.action == "CLARIFY" or not known_too:
        return settled
    known = _HANDLERS[question.intent](replace(turn, question=replace(question, leftover=())))
    return SpokenAnswer(f"{known.text} {settled.text}", known.action)
