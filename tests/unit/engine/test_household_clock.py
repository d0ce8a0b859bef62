"""Which day it is in the household: around midnight, changes of its clocks, and for callers elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hal.engine import clock, database
from hal.engine.clock import household_time, time_zone
from hal.engine.engine import Engine
from hal.protocol import ListenerRequest

# The instants before and after which the household's day or its clock changes, and the days then.
CHANGES = [
    pytest.param(
        "Europe/Berlin", "2026-03-28T23:00Z", date(2026, 3, 29), id="midnight before spring in Berlin"
    ),
    pytest.param(
        "Europe/Berlin", "2026-03-29T22:00Z", date(2026, 3, 30), id="midnight after spring in Berlin"
    ),
    pytest.param(
        "Europe/Berlin", "2026-10-24T22:00Z", date(2026, 10, 25), id="midnight before autumn in Berlin"
    ),
    pytest.param(
        "Europe/Berlin", "2026-10-25T23:00Z", date(2026, 10, 26), id="midnight after autumn in Berlin"
    ),
    pytest.param(
        "America/New_York", "2026-03-08T05:00Z", date(2026, 3, 8), id="midnight before spring in New York"
    ),
    pytest.param(
        "America/New_York", "2026-03-09T04:00Z", date(2026, 3, 9), id="midnight after spring in New York"
    ),
    pytest.param(
        "America/New_York", "2026-11-01T04:00Z", date(2026, 11, 1), id="midnight before autumn in New York"
    ),
    pytest.param(
        "America/New_York", "2026-11-02T05:00Z", date(2026, 11, 2), id="midnight after autumn in New York"
    ),
]


class Household:
    """An engine with one appointment a day, at a time that its test sets."""

    def __init__(self, path: Path, zone: str) -> None:
        self.now = datetime.now(UTC)
        self.zone = ZoneInfo(zone)
        self.engine = Engine(path, lambda: self.now.astimezone(self.zone))

    async def ask(self, question: str, asked_at: datetime | None = None) -> str:
        reply = await self.engine.answer(ListenerRequest(question, asked_at=asked_at))
        return reply.response_text


@pytest.fixture
async def household(tmp_path: Path, request: Any) -> AsyncIterator[Household]:
    zone, changes, day = request.param
    path = tmp_path / "household.db"
    with closing(database.connect(path)) as connection:
        database.create(connection)
        for offset, provider in ((-1, "Dr. Before"), (0, "Dr. Same"), (1, "Dr. After")):
            connection.execute(
                "INSERT INTO appointment (date, time, provider, status) VALUES (?, '02:30', ?, 'scheduled')",
                [(day + timedelta(offset)).isoformat(), provider],
            )
        connection.commit()
    made = Household(path, zone)
    made.now = datetime.fromisoformat(changes)
    made.engine.start()
    yield made
    await made.engine.close()


AT_CHANGES = pytest.mark.parametrize(
    "household", [pytest.param(change.values, id=change.id) for change in CHANGES], indirect=True
)


@AT_CHANGES
@pytest.mark.parametrize(
    ("word", "provider"), [("yesterday", "Before"), ("today", "Same"), ("tomorrow", "After")]
)
async def test_days_are_counted_from_the_households_midnight(household, word, provider):
    said = await household.ask(f"what appointments do i have {word}")
    assert provider in said and said.count("Dr.") == 1, said


@AT_CHANGES
async def test_a_second_earlier_it_was_still_the_day_before(household):
    household.now -= timedelta(seconds=1)
    assert "Same" in await household.ask("what appointments do i have tomorrow")


@AT_CHANGES
async def test_a_question_asked_before_midnight_and_heard_after_it_is_of_the_day_before(household):
    asked_at = household.now - timedelta(seconds=2)
    household.now += timedelta(seconds=3)
    assert "Same" in await household.ask("what appointments do i have tomorrow", asked_at)


@pytest.mark.parametrize(
    ("zone", "instant", "said"),
    [
        ("Europe/Berlin", "2026-03-29T00:59Z", "1:59 AM"),
        ("Europe/Berlin", "2026-03-29T01:00Z", "3:00 AM"),
        ("Europe/Berlin", "2026-10-25T00:59Z", "2:59 AM"),
        ("Europe/Berlin", "2026-10-25T01:00Z", "2:00 AM"),
        ("America/New_York", "2026-03-08T07:00Z", "3:00 AM"),
        ("America/New_York", "2026-11-01T06:00Z", "1:00 AM"),
    ],
)
async def test_the_time_of_day_is_the_households(tmp_path, zone, instant, said):
    household = Household(tmp_path / "household.db", zone)
    household.now = datetime.fromisoformat(instant)
    household.engine.start()
    assert said in await household.ask("what time is it")
    await household.engine.close()


@pytest.mark.parametrize(
    "asked_at", ["2026-10-25T02:00:30+02:00", "2026-10-24T20:00:30-04:00", "2026-10-25T00:00:30Z"]
)
def test_a_callers_zone_is_turned_into_the_households(asked_at):
    zone = time_zone("Europe/Berlin")
    heard = datetime.fromisoformat("2026-10-25T00:00:31Z").astimezone(zone)
    assert household_time(datetime.fromisoformat(asked_at), lambda: heard) == datetime(2026, 10, 25, 2, 0, 30)


def test_a_caller_with_a_wrong_clock_is_answered_as_of_now():
    now = datetime(2026, 3, 11, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    assert household_time(datetime(1970, 1, 1, tzinfo=UTC), lambda: now) == now.replace(tzinfo=None)


def test_without_a_name_it_is_the_machines_own_zone(monkeypatch):
    monkeypatch.setattr(clock, "MACHINES_ZONE", Path("/usr/share/zoneinfo/America/New_York"))
    assert datetime(2026, 7, 1, tzinfo=time_zone("")).utcoffset() == timedelta(hours=-4)
    monkeypatch.setattr(clock, "MACHINES_ZONE", Path("/nonexistent"))
    assert time_zone("") is UTC


@pytest.mark.parametrize("name", ["Mars/Olympus", "Europe", "../etc/passwd", "UTC+1"])
def test_a_zone_that_does_not_exist_is_named(name):
    with pytest.raises(ValueError, match="no time zone"):
        time_zone(name)
