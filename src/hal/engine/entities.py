"""Which of the household's own records a question names, heard right or nearly right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hal.engine import rules
from hal.engine.records import Household
from hal.engine.text import COMMON, Phrases, normalise

type Entities = dict[str, tuple[str, ...]]

_QUALIFIERS = frozenset({"high", "low", "type", "2", "1", "underactive", "overactive", "seasonal", "health"})
_PLAIN_NAMES = frozenset(
    {"home", "city", "best", "great", "social", "state", "golden", "corner", "lab", "heart", "metro"}
)
_SPECIALISTS = {
    "cardiology": ("cardiologist", "heart doctor", "heart specialist"),
    "dentist": ("dental", "teeth cleaning"),
    "eye doctor": ("eye exam", "optometrist", "ophthalmologist", "vision"),
    "primary care": ("family doctor", "general practitioner"),
    "laboratory": ("blood draw", "blood test", "lab work"),
    "physical therapy": ("physical therapist", "physiotherapy"),
}


def find_entities(text: str, household: Household) -> Entities:
    """Return the records a normalised question names, by kind; kinds it names none of are left out.

    The kind "unclear" holds the medications that a word such as "vitamin" may mean.
    """
    phrases = Phrases(text)
    medications = household.medications()
    transactions = household.transactions()
    specialties = {item.provider: item.specialty for item in household.appointments()}
    purposes = dict.fromkeys(item.purpose for item in medications if item.active)
    heard = {item.name: (item.name, item.brand) for item in medications}
    allergens = {item.allergen: _allergen_names(item.allergen) for item in household.allergies()}
    providers = {name: _provider_names(name, specialty) for name, specialty in specialties.items()}
    merchants = {name: (name, _head(name)) for name in dict.fromkeys(item.merchant for item in transactions)}
    named = _heard(phrases, heard)
    found = {
        "medications": named,
        "unclear": () if named else _unclear(text, [item.name for item in medications if item.active]),
        "purposes": tuple(purpose for purpose in purposes if _names_purpose(text, purpose)),
        "providers": _heard(phrases, providers),
        "allergens": _heard(phrases, allergens),
        "metrics": _said(text, household.metrics(), rules.METRIC_WORDS),
        "merchants": _heard(phrases, merchants),
        "categories": _said(
            text,
            dict.fromkeys(item.category for item in transactions if item.cents > 0),
            rules.SPENDING_WORDS,
        ),
    }
    return {kind: names for kind, names in found.items() if names}


def _heard(phrases: Phrases, names: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the records of which one of the names was heard."""
    return tuple(record for record, spoken in names.items() if phrases.best(spoken))


def _said(text: str, names: Iterable[str], synonyms: Mapping[str, re.Pattern[str]]) -> tuple[str, ...]:
    """Return the names that stand in the text themselves or by a synonym."""
    return tuple(
        name
        for name in names
        if f" {name} " in f" {text} " or (name in synonyms and synonyms[name].search(text))
    )


def _unclear(text: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that begin with one and the same word, if the text has just that word."""
    words = {word.removesuffix("s") for word in text.split()}
    found = [name for name in names if " " in name and name.split(maxsplit=1)[0].lower() in words]
    return tuple(found) if len(found) > 1 else ()


def _names_purpose(text: str, purpose: str) -> bool:
    words = [word for word in normalise(purpose).split() if word not in _QUALIFIERS and word not in COMMON]
    said = {word.removesuffix("s") for word in text.replace("allergy", "allergies").split()}
    return bool(words) and all(word.removesuffix("s") in said for word in words)


def _allergen_names(allergen: str) -> tuple[str, ...]:
    return allergen, allergen.removesuffix("s"), allergen.removesuffix(" drugs")


def _provider_names(provider: str, specialty: str) -> tuple[str, ...]:
    name = normalise(provider).removeprefix("doctor ")
    last = name.split()[-1]
    known_by = () if last in _PLAIN_NAMES else (last, f"doctor {last}")
    return name, *known_by, specialty, *_SPECIALISTS.get(specialty, ())


def _head(name: str) -> str:
    """Return the first word of a merchant's name if that says which one is meant."""
    head = name.split(maxsplit=1)[0]
    return "" if head.lower() in _PLAIN_NAMES else head
