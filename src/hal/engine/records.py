"""The household's records, read from the database as they stand at the moment of the question."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class Medication:
    """A medicine; `times` is empty when it is taken as needed, dates are None when unknown."""

    name: str
    brand: str
    form: str
    dosage: str
    frequency: str
    times: tuple[time, ...]
    instructions: str
    purpose: str
    active: bool
    prescriber: str
    start_date: date | None
    end_date: date | None
    refill_date: date | None
    refills_left: int | None


@dataclass(frozen=True, slots=True)
class Appointment:
    """A visit, past or to come; `status` is scheduled, completed or cancelled."""

    provider: str
    specialty: str
    at: datetime
    location: str
    reason: str
    status: str


@dataclass(frozen=True, slots=True)
class Allergy:
    """An allergy; `category` is drug, food or environment, `severity` mild, moderate or severe."""

    allergen: str
    category: str
    severity: str
    reaction: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A vital sign; `second_value` is the diastolic pressure."""

    metric: str
    value: float
    second_value: float | None
    unit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Transaction:
    """Money spent (positive cents) or received (negative)."""

    date: date
    merchant: str
    category: str
    cents: int


class Household:
    """The records as they are while one question is answered: each kind is read once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def medications(self) -> list[Medication]:
        """Return every medicine, active or not, in the order of entry."""
        return list(self._medications)

    @cached_property
    def _medications(self) -> list[Medication]:
        return [_medication(row) for row in self._rows("SELECT * FROM medication ORDER BY id")]

    def appointments(self) -> list[Appointment]:
        """Return every appointment but the cancelled ones, oldest first."""
        return list(self._appointments)

    @cached_property
    def _appointments(self) -> list[Appointment]:
        query = "SELECT * FROM appointment WHERE status <> 'cancelled' ORDER BY date, time"
        return [_appointment(row) for row in self._rows(query)]

    def cancelled_appointments(self) -> list[Appointment]:
        """Return the cancelled appointments, oldest first."""
        query = "SELECT * FROM appointment WHERE status = 'cancelled' ORDER BY date, time"
        return [_appointment(row) for row in self._rows(query)]

    def allergies(self) -> list[Allergy]:
        """Return every allergy, the severe ones first."""
        order = "CASE severity WHEN 'severe' THEN 0 WHEN 'moderate' THEN 1 ELSE 2 END, id"
        return [
            Allergy(row["allergen"], row["category"], row["severity"], row["reaction"])
            for row in self._rows(f"SELECT * FROM allergy ORDER BY {order}")  # noqa: S608 - a constant
        ]

    def metrics(self) -> list[str]:
        """Return what is measured, in the order it was first entered."""
        rows = self._rows("SELECT metric FROM health_data GROUP BY metric ORDER BY MIN(id)")
        return [row["metric"] for row in rows]

    def readings(self, metric: str) -> list[Reading]:
        """Return the readings of one metric, oldest first."""
        query = "SELECT * FROM health_data WHERE metric = ? ORDER BY date, time"
        return [
            Reading(row["metric"], row["value"], row["second_value"], row["unit"], _moment(row))
            for row in self._rows(query, metric)
        ]

    def transactions(self) -> list[Transaction]:
        """Return every transaction, oldest first."""
        return list(self._transactions)

    @cached_property
    def _transactions(self) -> list[Transaction]:
        return [
            Transaction(date.fromisoformat(row["date"]), row["merchant"], row["category"], row["cents"])
            for row in self._rows("SELECT * FROM transactions ORDER BY date, id")
        ]

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self._connection.execute(query, values).fetchall()


def _medication(row: sqlite3.Row) -> Medication:
    return Medication(
        name=row["name"],
        brand=row["brand"],
        form=row["form"],
        dosage=row["dosage"],
        frequency=row["frequency"],
        times=tuple(time.fromisoformat(part) for part in row["times"].split(",") if part),
        instructions=row["instructions"],
        purpose=row["purpose"],
        active=row["status"] == "active",
        prescriber=row["prescriber"],
        start_date=_date(row["start_date"]),
        end_date=_date(row["end_date"]),
        refill_date=_date(row["refill_date"]),
        refills_left=row["refills_left"],
    )


def _appointment(row: sqlite3.Row) -> Appointment:
    return Appointment(
        provider=row["provider"],
        specialty=row["specialty"],
        at=_moment(row),
        location=row["location"],
        reason=row["reason"],
        status=row["status"],
    )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _moment(row: sqlite3.Row) -> datetime:
    return datetime.combine(date.fromisoformat(row["date"]), time.fromisoformat(row["time"]))
