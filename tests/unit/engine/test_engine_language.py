"""Periods, near matches and spoken forms."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from hal.engine import periods, spoken
from hal.engine.text import Phrases, normalise

from .conftest import Caller

TODAY = date(2026, 3, 11)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "start", "end", "label"),
    [
        ("today", "2026-03-11", "2026-03-11", "today"),
        ("yesterday", "2026-03-10", "2026-03-10", "yesterday"),
        ("this week", "2026-03-09", "2026-03-15", "this week"),
        ("day before yesterday", "2026-03-09", "2026-03-09", "the day before yesterday"),
        ("eight days ago", "2026-03-03", "2026-03-03", "8 days ago"),
        ("few weeks ago", "2026-02-18", "2026-02-18", "3 weeks ago"),
        ("two months ago", "2026-01-01", "2026-01-31", "2 months ago"),
        ("last week", "2026-03-02", "2026-03-08", "last week"),
        ("in the last one week", "2026-03-04", "2026-03-11", "in the last week"),
        ("in the last 2 years", "2024-03-11", "2026-03-11", "in the last 2 years"),
        ("last year", "2025-01-01", "2025-12-31", "last year"),
        ("over the weekend", "2026-03-07", "2026-03-08", "last weekend"),
        ("in the last month", "2026-02-11", "2026-03-11", "in the past month"),
        ("last month", "2026-02-01", "2026-02-28", "last month"),
        ("this quarter", "2026-01-01", "2026-03-31", "this quarter"),
        ("last quarter", "2025-10-01", "2025-12-31", "last quarter"),
        ("this year so far", "2026-01-01", "2026-12-31", "this year"),
        ("in the last 3 months", "2025-12-11", "2026-03-11", "in the last 3 months"),
        ("over the past two weeks", "2026-02-25", "2026-03-11", "in the last 2 weeks"),
        ("in the past week", "2026-03-04", "2026-03-11", "in the past week"),
        ("over the past month", "2026-02-11", "2026-03-11", "in the past month"),
        ("the past year", "2025-03-11", "2026-03-11", "in the past year"),
        ("in january", "2026-01-01", "2026-01-31", "in January"),
        ("in december", "2025-12-01", "2025-12-31", "in December 2025"),
        ("in june 2024", "2024-06-01", "2024-06-30", "in June 2024"),
        ("since february", "2026-02-01", "2026-03-11", "since February"),
        ("in 2025", "2025-01-01", "2025-12-31", "in 2025"),
        ("on february 5th", "2026-02-05", "2026-02-05", "on February 5"),
        ("on december 24th", "2025-12-24", "2025-12-24", "on December 24"),
        ("on march 3rd", "2026-03-03", "2026-03-03", "on March 3"),
        ("on the 5th of march", "2026-03-05", "2026-03-05", "on March 5"),
        ("last friday", "2026-03-06", "2026-03-06", "last Friday"),
        ("on wednesday", "2026-03-04", "2026-03-04", "last Wednesday"),
        ("two days ago", "2026-03-09", "2026-03-09", "2 days ago"),
        ("this weekend", "2026-03-14", "2026-03-15", "this weekend"),
    ],
)
def test_period(text: str, start: str, end: str, label: str) -> None:
    period, rest = periods.find(f"how much did i spend {text}", TODAY)
    assert period == periods.Period(date.fromisoformat(start), date.fromisoformat(end), label)
    assert rest == "how much did i spend"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("on friday", "2026-03-13", "2026-03-13"),
        ("next friday", "2026-03-13", "2026-03-13"),
        ("on wednesday", "2026-03-11", "2026-03-11"),
        ("this wednesday", "2026-03-11", "2026-03-11"),
        ("next wednesday", "2026-03-18", "2026-03-18"),
        ("last wednesday", "2026-03-04", "2026-03-04"),
        ("on tuesday", "2026-03-17", "2026-03-17"),
        ("in february", "2027-02-01", "2027-02-28"),
        ("next month", "2026-04-01", "2026-04-30"),
        ("on the weekend", "2026-03-14", "2026-03-15"),
        ("in the next two weeks", "2026-03-11", "2026-03-25"),
    ],
)
def test_period_to_come(text: str, start: str, end: str) -> None:
    period, _ = periods.find(text, TODAY, future=True)
    assert period is not None
    assert (period.start, period.end) == (date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize("text", ["february 30", "the last 9999 years", "may i ask", "march on", "in 1999"])
def test_no_period(text: str) -> None:
    assert periods.find(text, TODAY) == (None, text)


@pytest.mark.parametrize(
    ("heard", "plain"),
    [
        ("What's my Medicashion?", "what is my medication"),
        ("Hey HAL, please: when's Dr. Chen\u2019s next appt?!", "when is doctor chen next appointment"),
        ("at 10:30 a.m.", "at 10 30 am"),
        ("I spent $1,234.50", "i spent 1234.50"),
        ("meditation", "meditation"),
        ("", ""),
        ("?!...", ""),
    ],
)
def test_normalise(heard: str, plain: str) -> None:
    assert normalise(heard) == plain


@pytest.mark.parametrize(
    ("heard", "name", "same"),
    [
        ("when do i take met forming", "metformin", True),
        ("tell me about listen april", "lisinopril", True),
        ("a tour of a statin", "atorvastatin", True),
        ("how is the weather", "metformin", False),
        ("when do i take my vitamin", "vitamin D3", False),
        ("show me the way home", "Shell", False),
        ("do i take zinc", "zinc", True),
        ("do i take zink", "zinc", False),  # of so few letters another word is as near
    ],
)
def test_name_heard(heard: str, name: str, same: bool) -> None:
    assert bool(Phrases(heard).score(name)) is same


def test_spoken_forms() -> None:
    assert spoken.join(["a"]) == "a"
    assert spoken.join(["a", "b"]) == "a and b"
    assert spoken.join(["a", "b", "c"], "or") == "a, b, or c"
    assert [spoken.money(cents) for cents in (0, 1, 100, 4520, 123_456)] == [
        "0 dollars", "1 cent", "1 dollar", "45 dollars and 20 cents", "1,234 dollars and 56 cents",
    ]  # fmt: skip
    assert [spoken.clock(time(hour, 30 * (hour == 10))) for hour in (0, 8, 10, 12, 18)] == [
        "12 AM", "8 AM", "10:30 AM", "noon", "6 PM",
    ]  # fmt: skip
    assert spoken.moment(datetime(2026, 3, 12, 10, 30), TODAY) == "tomorrow at 10:30 AM"
    assert spoken.day(date(2025, 12, 1), TODAY) == "on Monday, December 1, 2025"
    assert spoken.units("500 mg") == "500 milligrams"
    assert spoken.units("120mg/dL") == "120 milligrams per deciliter"
    assert [spoken.article(noun) for noun in ("eye doctor", "inhaler", "tablet")] == ["an", "an", "a"]


async def test_allergies_are_listed_by_severity_unless_one_severity_is_asked_for(caller: Caller) -> None:
    everything = await caller.ask("What am I allergic to?")
    assert "severe to penicillin and peanuts; moderate to shellfish" in everything["response_text"]
    severe = await caller.ask("Which of my allergies are severe?")
    assert severe["response_text"].endswith("on record: penicillin and peanuts.")


async def test_what_is_taken_as_needed_belongs_to_no_time_of_day(caller: Caller) -> None:
    whole_day = await caller.ask("What is my medication schedule?")
    assert "You take albuterol as needed." in whole_day["response_text"]
    morning = await caller.ask("What do I take in the morning?")
    assert "albuterol" not in morning["response_text"]
