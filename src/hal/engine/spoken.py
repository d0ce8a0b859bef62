"""Facts as people say them: lists, dates, times, amounts and units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal

UNITS = {
    "mg": "milligrams",
    "mcg": "micrograms",
    "ml": "milliliters",
    "IU": "international units",
    "mmHg": "",
    "bpm": "beats per minute",
    "lb": "pounds",
    "kg": "kilograms",
    "mg/dL": "milligrams per deciliter",
}
_SMALL_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def join(parts: Sequence[str], word: str = "and") -> str:
    """Join parts as "a", "a and b" or "a, b, and c"."""
    if len(parts) < 3:
        return f" {word} ".join(parts)
    return f"{', '.join(parts[:-1])}, {word} {parts[-1]}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Say a number of things: "no refills", "one refill", "12 refills"."""
    said = _SMALL_NUMBERS[number] if 0 <= number < len(_SMALL_NUMBERS) else f"{number:,}"
    return f"{said} {noun if number == 1 else plural or noun + 's'}"


def money(cents: int) -> str:
    """Say an amount: "45 dollars and 20 cents"."""
    dollars, rest = divmod(abs(cents), 100)
    parts = [f"{dollars:,} dollar{'' if dollars == 1 else 's'}"] if dollars or not rest else []
    if rest:
        parts.append(f"{rest} cent{'' if rest == 1 else 's'}")
    return " and ".join(parts)


def clock(moment: time) -> str:
    """Say a time of day: "8 AM", "10:30 AM", "noon"."""
    if (moment.hour, moment.minute) == (12, 0):
        return "noon"
    minutes = f":{moment.minute:02d}" if moment.minute else ""
    return f"{moment.hour % 12 or 12}{minutes} {'AM' if moment.hour < 12 else 'PM'}"


def day(when: date, today: date) -> str:
    """Say a date: "today", "tomorrow", "on Friday, March 13", with the year if it is another."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((when - today).days)
    if near:
        return near
    year = f", {when.year}" if when.year != today.year else ""
    return f"on {when:%A, %B} {when.day}{year}"


def moment(when: datetime, today: date) -> str:
    """Say a date and time: "tomorrow at 10:30 AM"."""
    return f"{day(when.date(), today)} at {clock(when.time())}"


def units(text: str) -> str:
    """Write the units in a text out: "500 mg" as "500 milligrams"."""
    words = re.sub(r"(?<=\d)(?=[A-Za-z])", " ", text).split()
    return " ".join(filter(None, (UNITS.get(word, word) for word in words)))


def article(noun: str) -> str:
    """Return the indefinite article of a noun."""
    return "an" if noun[:1] in "aeiou" else "a"


def title(names: str) -> str:
    """Begin every word with a capital, if that is a letter of ASCII."""
    return re.sub(r"(?<![a-z\x80-\U0010ffff])[a-z]", lambda letter: letter[0].upper(), names)


def number(value: float) -> str:
    """Say a measured value, with one decimal if it has any; what is half way is rounded up."""
    rounded = Decimal(str(round(value, 6))).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{rounded:,f}".removesuffix(".0")


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
