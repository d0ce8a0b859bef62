"""Periods made of others, at the ends of months and years too."""

from __future__ import annotations

from datetime import date

import pytest

from hal.engine.period_grammar import read
from hal.engine.text import normalise, write_out
from hal.engine.wordings import spell_out

WEDNESDAY = date(2026, 3, 11)


def stretch(text: str, today: date, *, future: bool) -> tuple[list[tuple[str, str]], str]:
    """Return the first and last days that a text names, and what is left of it."""
    found = read(spell_out(normalise(write_out(text))), today, future=future)
    return [(str(each.start), str(each.end)) for each in found.periods], found.rest.replace("|", "").strip()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("from February 1st to February 15th", "2026-02-01", "2026-02-15"),
        ("from February 1st to 15th", "2026-02-01", "2026-02-15"),
        ("between Feb. 10 and Feb. 20", "2026-02-10", "2026-02-20"),
        ("between December 20 and January 5", "2025-12-20", "2026-01-05"),
        ("from November to February", "2025-11-01", "2026-02-28"),
        ("since Monday", "2026-03-09", "2026-03-11"),
        ("since Christmas", "2025-12-25", "2026-03-11"),
        ("from February 20 on", "2026-02-20", "2026-03-11"),
        ("year to date", "2026-01-01", "2026-03-11"),
        ("in the first half of February", "2026-02-01", "2026-02-14"),
        ("the first week of March", "2026-03-01", "2026-03-07"),
        ("in the last week of February", "2026-02-22", "2026-02-28"),
        ("in the last two weeks of February", "2026-02-15", "2026-02-28"),
        ("in the fourth quarter", "2025-10-01", "2025-12-31"),
        ("in the last half year", "2025-09-11", "2026-03-11"),
        ("on 2/14", "2026-02-14", "2026-02-14"),
        ("on 14/2", "2026-02-14", "2026-02-14"),
        ("on 2025-12-31", "2025-12-31", "2025-12-31"),
        ("on the 5th", "2026-03-05", "2026-03-05"),
        ("on New Year's Eve", "2025-12-31", "2025-12-31"),
        ("from Monday to Wednesday", "2026-03-02", "2026-03-04"),
        ("from the 10th to the 20th of January", "2026-01-10", "2026-01-20"),
        ("this winter", "2025-12-01", "2026-02-28"),
        ("last winter", "2025-12-01", "2026-02-28"),
        ("in the fall", "2025-09-01", "2025-11-30"),
        ("last summer", "2025-06-01", "2025-08-31"),
        ("in the spring of 2025", "2025-03-01", "2025-05-31"),
    ],
)
def test_a_period_past(text: str, start: str, end: str) -> None:
    assert stretch(f"what did i spend {text}", WEDNESDAY, future=False) == (
        [(start, end)],
        "what did i spend",
    )


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("a week from Tuesday", "2026-03-24", "2026-03-24"),
        ("two weeks from Monday", "2026-03-30", "2026-03-30"),
        ("three days after Christmas", "2026-12-28", "2026-12-28"),
        ("before Friday", "2026-03-11", "2026-03-12"),
        ("until the end of the month", "2026-03-11", "2026-03-31"),
        ("between now and Friday", "2026-03-11", "2026-03-13"),
        ("on the 23rd", "2026-03-23", "2026-03-23"),
        ("on the 5th", "2026-04-05", "2026-04-05"),
        ("in two weeks", "2026-03-23", "2026-03-29"),
        ("the week of March 23", "2026-03-23", "2026-03-29"),
        ("the week after next", "2026-03-23", "2026-03-29"),
        ("Tuesday next week", "2026-03-17", "2026-03-17"),
        ("on New Year's Day", "2027-01-01", "2027-01-01"),
    ],
)
def test_a_period_to_come(text: str, start: str, end: str) -> None:
    assert stretch(f"what do i have {text}", WEDNESDAY, future=True) == ([(start, end)], "what do i have")


@pytest.mark.parametrize(
    ("today", "text", "start", "end"),
    [
        (date(2026, 1, 1), "yesterday", "2025-12-31", "2025-12-31"),
        (date(2026, 1, 1), "since Christmas", "2025-12-25", "2026-01-01"),
        (date(2026, 1, 1), "this quarter", "2026-01-01", "2026-03-31"),
        (date(2026, 1, 1), "last week", "2025-12-22", "2025-12-28"),
        (date(2028, 2, 29), "a year ago", "2027-02-28", "2027-02-28"),
        (date(2028, 3, 1), "the last week of February", "2028-02-23", "2028-02-29"),
        (date(2026, 8, 31), "in the last half year", "2026-02-28", "2026-08-31"),
        (date(2026, 3, 31), "on the 31st", "2026-03-31", "2026-03-31"),
        (date(2026, 3, 30), "on the 31st", "2026-01-31", "2026-01-31"),
        # The clocks change on these days, in the United States and in Europe.
        (date(2026, 3, 8), "since yesterday", "2026-03-07", "2026-03-08"),
        (date(2026, 10, 25), "in the past week", "2026-10-18", "2026-10-25"),
    ],
)
def test_a_period_across_the_end_of_a_month_or_year(today: date, text: str, start: str, end: str) -> None:
    assert stretch(text, today, future=False)[0] == [(start, end)]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("around my birthday", "around my birthday"),
        ("on Black Friday", "on black_friday"),
        ("last semester", "last semester"),
        ("in the winter of 2025", "in the winter of 2025"),
        ("if i fall", "if i fall"),
        ("march on", "march on"),
        ("may i ask", "may i ask"),
        ("on February 30", "on february 30"),
    ],
)
def test_what_is_not_understood_is_left_standing(text: str, left: str) -> None:
    assert stretch(text, WEDNESDAY, future=False) == ([], left)


def test_two_periods_are_kept_apart() -> None:
    found, left = stretch("more this month than last month", WEDNESDAY, future=False)
    assert found == [("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")]
    assert left.split() == ["more", "than"]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("before Christmas", "2026-12-24"),
        ("until December 20", "2026-12-20"),
        ("before October 1", "2026-09-30"),
    ],
)
def test_a_day_that_is_near_is_the_one_to_come_where_what_is_before_it_is_asked(text: str, end: str) -> None:
    periods, _ = stretch(f"what did i spend {text}", date(2026, 12, 10), future=False)
    assert periods == [("1900-01-01", end)]


def test_on_christmas_is_the_last_one_in_december_too() -> None:
    periods, _ = stretch("what did i spend on christmas", date(2026, 12, 10), future=False)
    assert periods == [("2025-12-25", "2025-12-25")]
