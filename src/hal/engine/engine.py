"""From a request to its reply: understand, look up, answer, record."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from hal.engine import allergy, appointment, database, general, health_data, medication, transaction
from hal.engine.answers import Answer, Turn
from hal.engine.conversation import ConversationLog, Exchange
from hal.engine.question import MAX_CONTEXT, understand
from hal.engine.records import Household
from hal.protocol import Intent, ListenerReply, ListenerRequest, Status, timestamp

MAX_CHARACTERS = 4_000

type Clock = Callable[[], datetime]

_HANDLERS: dict[Intent, Callable[[Turn], Answer]] = {
    Intent.MEDICATION: medication.answer,
    Intent.APPOINTMENT: appointment.answer,
    Intent.ALLERGY: allergy.answer,
    Intent.HEALTH_DATA: health_data.answer,
    Intent.TRANSACTION: transaction.answer,
}
_PASSWORD = Answer(
    "I never speak passwords or codes aloud. Please look in your password manager.", "PASSWORD_REFUSED"
)
_NOT_HEARD = "I didn't hear a question. Please say it again."
_TOO_LONG = "That was too long for me to follow. Please ask it in fewer words."
_NO_MODEL = "I can't find that in your records."


def local_now() -> datetime:
    """Return the time on the household's clock, without a zone, as the records hold it."""
    return datetime.now()


class Engine:
    """Answers requests from one database.

    Questions are understood and looked up in a thread of their own, so that the event loop
    never waits for the disk; each reply is given once its exchange is recorded.

    Arguments:
        path: the database, made by `hal-engine init`; tables that are missing are created.
        clock: tells the local time.

    Raises:
        DatabaseError: the database cannot be opened.
    """

    def __init__(self, path: Path, clock: Clock = local_now) -> None:
        self._clock = clock
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
        reply = await loop.run_in_executor(
            self._thread, reply_to, request, self._reading, request.asked_at or self._clock()
        )
        await self._log.record(
            Exchange(
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


def reply_to(request: ListenerRequest, connection: sqlite3.Connection, now: datetime) -> ListenerReply:
    """Answer one request from the records in `connection` as of `now` (local time)."""
    asked = request.transcription
    if len(asked) > MAX_CHARACTERS:
        return ListenerReply(_TOO_LONG, action_taken="TOO_LONG", status=Status.ERROR)
    household = Household(connection)
    question = understand(asked, request.context, household, now.date())
    if not question.text:
        return ListenerReply(_NOT_HEARD, action_taken="NOT_HEARD", status=Status.ERROR)
    intent, answer = _answer(Turn(question, household, now))
    if answer is not None:
        return ListenerReply(answer.text, intent=intent, action_taken=answer.action)
    return ListenerReply(
        _NO_MODEL,
        intent=Intent.GENERAL,
        action_taken="GENERAL_DELEGATE",
        status=Status.DELEGATE,
        prompt=general.prompt(asked, now),
        context=request.context[-MAX_CONTEXT:],
    )


def _answer(turn: Turn) -> tuple[Intent, Answer | None]:
    """Answer from the records, or return None for the language model."""
    intent = turn.question.intent
    if intent == Intent.PASSWORD:
        return intent, _PASSWORD
    local = general.answer(turn)
    if local is not None:
        return Intent.GENERAL, local
    if not (turn.question.entities or turn.question.continued):
        ask_back = general.ask_back(turn)
        if ask_back is not None:
            return intent, ask_back
    handler = _HANDLERS.get(intent)
    return intent, handler(turn) if handler else None
