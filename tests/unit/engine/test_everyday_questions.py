"""Everyday questions of the sample household, with answers from its records and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from hal.client.conformance import load_exchanges
from hal.engine.engine import reply_to
from hal.protocol import ListenerRequest, Status

from . import everyday

FOR_EVERY_LISTENER = everyday.written()
WRITTEN = dict.fromkeys(everyday.ANSWERS.read_text(encoding="utf-8").splitlines())
WRITE = "run: python -m tests.unit.engine.everyday --write"


@pytest.fixture(scope="module")
def records() -> Iterator[sqlite3.Connection]:
    with closing(everyday.sample()) as connection:
        yield connection


@pytest.mark.parametrize(
    "question", everyday.load(), ids=lambda question: " / ".join([*question.after, question.ask])
)
def test_an_everyday_question_is_answered_right(
    question: everyday.Everyday, records: sqlite3.Connection
) -> None:
    reply = everyday.ask(question, records)
    assert question.outcome(reply, records) == "right", f"{reply.action_taken}: {reply.response_text}"
    if (question.ask, *question.after) in FOR_EVERY_LISTENER:
        assert everyday.exchange(question, reply) in WRITTEN, WRITE


def test_the_exchanges_for_every_listener_are_those_of_these_questions() -> None:
    assert tuple(WRITTEN)[: len(everyday.HEAD)] == everyday.HEAD, WRITE
    assert len(WRITTEN) == len(everyday.HEAD) + len(FOR_EVERY_LISTENER), WRITE
    exchanges = load_exchanges(everyday.ANSWERS).exchanges
    assert [(each.ask, *each.after) for each in exchanges] == list(FOR_EVERY_LISTENER), WRITE


@pytest.mark.parametrize(
    ("asked", "never"),
    [
        ("how much did I spend at {} last month", "dollars"),
        ("how much did I spend last month at {}", "dollars"),
        ("did I spend more at {} this month than last month", "dollars"),
        ("what was my last purchase from {}", "dollars"),
        ("when do I see Dr. {}", "Chen"),
        ("do I have an appointment with {} this week", "Chen"),
        ("when do I take my {}", "metformin"),
        ("how many refills of {} are left", "sertraline"),
        ("what was my {} yesterday", "128"),
        ("what was my {} pressure yesterday", "128"),
        ("how much did I {} last month", "dollars"),
        ("which {} medications do I take", "metformin"),
    ],
)
@pytest.mark.parametrize("unknown", ["zorblax", "quandary", "mister vandelay"])
def test_a_word_that_nothing_explains_is_never_dropped(
    asked: str, never: str, unknown: str, records: sqlite3.Connection
) -> None:
    reply = reply_to(ListenerRequest(asked.format(unknown)), records, everyday.NOW)
    assert never.lower() not in reply.response_text.lower()


@pytest.mark.parametrize(
    "asked",
    [
        "I have chest pains",
        "when is my next appointment and I can't breathe",
        "I took too many of my metformin pills",
        "my blood pressure is 200 over 110",
        "I want to die",
        "I just ate peanuts",
        f"{'please listen ' * 60}I have chest pains",  # beyond what is read of a question for the records
    ],
)
def test_a_danger_is_told_first_with_the_households_emergency_number(
    asked: str, records: sqlite3.Connection
) -> None:
    reply = reply_to(ListenerRequest(asked), records, everyday.NOW, "112")
    assert "call 112" in reply.response_text.lower()
    assert "appointment" not in reply.response_text


@pytest.mark.parametrize(
    "asked",
    [
        "when did I have chest pains",
        "how many times was my blood pressure over 180",
        "do I take metformin twice a day",
        "what are the signs of a stroke",
        "my blood pressure is 120 over 80",
        "what allergies do I have to peanuts",
    ],
)
def test_a_question_that_only_names_a_danger_is_no_emergency(asked: str, records: sqlite3.Connection) -> None:
    assert "112" not in reply_to(ListenerRequest(asked), records, everyday.NOW, "112").response_text


def test_a_question_too_long_to_be_read_in_full_is_asked_back(records: sqlite3.Connection) -> None:
    asked = f"how much did I spend last month {'on this and that and ' * 30} without the rent"
    reply = reply_to(ListenerRequest(asked), records, everyday.NOW)
    assert "too long" in reply.response_text
    assert reply.status == Status.SUCCESS
