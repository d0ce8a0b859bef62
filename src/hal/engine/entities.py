"""Which of the household's own records a question names, heard right or nearly right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from hal.engine import rules
from hal.engine.medicine_classes import MEMBERS_OF
from hal.engine.records import Appointment, Household
from hal.engine.text import COMMON, Phrases, normalise

type Entities = dict[str, tuple[str, ...]]

QUALIFIERS = frozenset({"high", "low", "type", "2", "1", "underactive", "overactive", "seasonal", "health"})
PLAIN_NAMES = frozenset(
    {"home", "city", "best", "great", "social", "state", "golden", "corner", "lab", "heart", "metro"}
)
SPECIALISTS = {
    "cardiology": ("cardiologist", "heart doctor", "heart specialist"),
    "dentist": ("dental", "teeth cleaning"),
    "eye doctor": ("eye exam", "optometrist", "ophthalmologist", "vision"),
    "primary care": ("family doctor", "general practitioner", "gp", "pcp", "family physician"),
    "laboratory": (
        "blood draw",
        "blood test",
        "the lab work",
        "lab work",
        "the lab tests",
        "the lab",
        "blood work",
        "bloodwork",
        "lab test",
    ),
    "physical therapy": ("physical therapist", "physiotherapy", "physio", "therapy", "pt"),
}


MEMBERS = {
    "penicillin": (
        "amoxicillin",
        "ampicillin",
        "augmentin",
        "amoxil",
        "dicloxacillin",
        "nafcillin",
        "pen v",
        "penicillins",
    ),
    "sulfa": (
        "bactrim",
        "septra",
        "sulfamethoxazole",
        "sulfasalazine",
        "sulfadiazine",
        "cotrimoxazole",
        "sulfa",
    ),
    "shellfish": (
        *("shrimp", "shrimps", "prawn", "prawns", "crab", "crabs", "lobster", "lobsters", "crayfish"),
        *("scallop", "scallops", "oyster", "oysters", "clam", "clams", "mussels", "seafood", "calamari"),
        *("scampi", "langoustine", "prawn cocktail", "crab cakes", "squid", "octopus", "cioppino"),
    ),
    "peanuts": (
        "peanut butter",
        "groundnuts",
        "reeses",
        "reese",
        "snickers",
        "satay sauce",
        "satay",
        "groundnut",
        "pad thai",
    ),
    "latex": ("rubber gloves", "latex gloves", "balloons", "condoms", "condom"),
    "pollen": ("ragweed", "hay fever"),
    "tree nuts": ("almonds", "cashews", "walnuts", "pecans", "hazelnuts", "pistachios"),
    "milk": ("dairy", "cheese", "yogurt", "butter", "ice cream"),
    "eggs": ("egg", "omelette", "mayonnaise"),
    "wheat": ("bread", "pasta", "flour"),
    "aspirin": ("bayer", "excedrin"),
    "ibuprofen": ("advil", "motrin"),
}
SERVICES = {
    r"internet|cable|broadband|wi ?fi": r"comcast|xfinity|spectrum|cox|internet|broadband|fiber",
    r"electric\w*|power|light(?= bill)": r"power|electric|edison|energy",
    r"water": r"\bwater",
    r"(?:cell |mobile )?phone": r"verizon|t-mobile|at&t|mobile|wireless|cricket",
    r"streaming|(?<!at the )movies": r"netflix|hulu|disney|hbo",
    r"flights?|air ?fare|airlines?(?: tickets?)?|plane tickets?|(?<!by )(?<!a )planes?": r"airlines?|airways",
    r"book ?stores?|books": r"barnes|book",
    r"hotels?": r"hotel|hilton|marriott|hyatt|sheraton",
    r"pension": r"pension",
    r"social security": r"social security",
}
_SERVICES = tuple((re.compile(rf"\b(?:{said})\b"), re.compile(who, re.I)) for said, who in SERVICES.items())


@dataclass(frozen=True, slots=True)
class Naming:
    """A record that a question names, and the words that do it.

    Attributes:
        kind: of the record; "unclear" holds the medications that a word such as "vitamin" may mean.
        name: the record's.
        words: their positions in the question.
    """

    kind: str
    name: str
    words: range


def by_kind(named: Iterable[Naming]) -> Entities:
    """Return the names by their kinds."""
    found: dict[str, dict[str, None]] = {}
    for each in named:
        found.setdefault(each.kind, {})[each.name] = None
    return {kind: tuple(names) for kind, names in found.items()}


def find_entities(text: str, household: Household) -> list[Naming]:
    """Return the records that a normalised question names, kind by kind."""
    phrases = Phrases(text)
    medications = household.medications()
    appointments = household.appointments()
    transactions = household.transactions()
    specialties = {item.provider: item.specialty for item in appointments}
    merchants = dict.fromkeys(item.merchant for item in transactions)
    named = list(
        _heard(
            "medications",
            phrases,
            {item.name: (item.name, _last_part(item.name), item.brand) for item in medications},
        )
    )
    if not named:
        named += _unclear(text, [item.name for item in medications if item.active])
    named += _of_class(text, [item.name for item in medications])
    purposes = dict.fromkeys(item.purpose for item in medications if item.purpose)
    named += [each for purpose in purposes for each in _purposes(text, purpose)]
    named += _heard("providers", phrases, {name: _provider_names(name) for name in specialties})
    named += _said("providers", text, {name: specialty_words(each) for name, each in specialties.items()})
    named += _said(
        "places",
        text,
        {item.location: exactly(*_place_names(item.location)) for item in appointments if item.location},
    )
    named += _said(
        "reasons",
        text,
        {item.reason: exactly(normalise(item.reason)) for item in appointments if item.reason},
    )
    allergies = household.allergies()
    allergens = [item.allergen for item in allergies]
    named += _seen_about(text, appointments)
    reactions = dict.fromkeys(item.reaction for item in allergies if item.reaction)
    named += _heard("allergens", phrases, {each: _allergen_names(each) for each in allergens})
    named += _said(
        "allergens", text, {each: exactly(*_members(each)) for each in allergens if _members(each)}
    )
    if "allerg" in text:
        named += _said("sorts", text, dict(rules.ALLERGY_CATEGORY))
    named += _said("reactions", text, {each: exactly(*_signs(each)) for each in reactions})
    reasons = {position for each in named if each.kind == "reasons" for position in each.words}
    measured = {each: rules.METRIC_WORDS.get(each, exactly(each)) for each in household.metrics()}
    named += [each for each in _said("metrics", text, measured) if not reasons & set(each.words)]
    named += _heard("merchants", phrases, {name: (name, _head(name)) for name in merchants})
    named += _services(text, list(merchants))
    categories = dict.fromkeys(item.category for item in transactions if item.cents > 0)
    taken = {position for each in named if each.kind == "merchants" for position in each.words}
    named += [
        each
        for each in _said("categories", text, {name: category_words(name) for name in categories})
        if not taken & set(each.words)
    ]
    return named


def _heard(kind: str, phrases: Phrases, names: Mapping[str, Iterable[str]]) -> list[Naming]:
    """Return the records of which one of the names was heard."""
    found = [(record, *phrases.find(spoken)) for record, spoken in names.items()]
    return [Naming(kind, record, words) for record, score, words in found if score]


def _said(kind: str, text: str, names: Mapping[str, re.Pattern[str]]) -> list[Naming]:
    """Return the records of which the pattern stands in the text."""
    return [
        Naming(kind, name, words_of(text, match))
        for name, pattern in names.items()
        for match in pattern.finditer(text)
    ]


def words_of(text: str, match: re.Match[str]) -> range:
    """Return the positions of the words that a match in the text covers."""
    first = text[: match.start()].count(" ")
    return range(first, first + match[0].strip().count(" ") + 1)


@lru_cache(maxsize=512)
def exactly(*names: str) -> re.Pattern[str]:
    """Return a pattern of names, each as it is written."""
    return re.compile(rf"\b(?:{'|'.join(re.escape(name.lower()) for name in names)})\b")


BODY_PARTS = {
    "eye doctor": "eyes?",
    "cardiology": "heart|cardiac",
    "dentist": "teeth|tooth",
    "laboratory": "labs?|blood",
    "physical therapy": "pt|therapy|shoulder",
    "primary care": "primary|regular",
}
_VISIT = r"(?:appointments?|exams?|checks?|check ?ups?|visits?|tests?|doctor|specialist|clinic)\b"
# "Who do I see for my eyes", "the lady that does my teeth".
_SEEN_FOR = (
    r"(?:(?<=see for my )|(?<=visit for my )|(?<=appointment for my )|(?<=appointment is for my )"
    r"|(?<=appointments are for my )|(?<=appointments for my )|(?<=visits for my )"
    r"|(?<=doctor for my )|(?<=does my )|(?<=checks my ))"
)


def specialty_words(specialty: str) -> re.Pattern[str]:
    """Return a pattern of what a specialty is called."""
    if not specialty:
        return re.compile(r"(?!)")
    names = exactly(specialty, *SPECIALISTS.get(specialty, ())).pattern
    parts = BODY_PARTS.get(specialty)
    return re.compile(rf"{names}|\b(?:{parts})(?= {_VISIT})|{_SEEN_FOR}(?:{parts})\b" if parts else names)


CATEGORY_WORDS = {
    "pets": r"(?:pet|dog|cat) (?:food|supplies)|pets?|dogs?|cats?|pupp(?:y|ies)",
    "personal care": r"hair ?cuts?|barber|hair ?dresser|salon|my hair",
    "travel": (
        r"(?:my|our|the|that) trip(?! to\b)|travel\w*|flights?|air ?fare|airlines?|plane tickets?|hotels?"
        r"|vacations?"
    ),
    "electronics": r"electronics?|computers?|laptops?|gadgets?",
    "entertainment": r"entertainment|movies|streaming",
    "insurance": (
        r"(?:car |auto |home |house )?insurance"
        r"|(?:my|the|what|which|our|all|on|for) bills|(?:\w+est|first|last) bills?"
    ),
    "home": r"home improvements?|hardware|home repairs?|house repairs?|(?<=on )(?:the )?(?:home"
    r"|house)(?! \w+ing)",
    "dining": r"food(?= (?:at|from) )|lunch(?:es)?|dinners?|meals?(?: out)?|fast food|ate out|coffee shops?",
    "shopping": r"online shopping|(?<=on )shopping",
    "groceries": r"grocery (?:stores?|shopping|bills?)|food shopping",
    "utilities": r"utility bills?|(?:my|the|what|which|our|all|on|for) bills|(?:\w+est|first|last) bills?",
    "rent": r"(?:my|the|what|which|our|all|on|for) bills|(?:\w+est|first|last) bills?",
}


def category_words(name: str) -> re.Pattern[str]:
    """Return a pattern of what a category of spending is called."""
    synonyms = [rules.SPENDING_WORDS[name].pattern] if name in rules.SPENDING_WORDS else []
    more = [rf"\b(?:{CATEGORY_WORDS[name]})\b"] if name in CATEGORY_WORDS else []
    said = [] if name in _COMMON_CATEGORIES else [rf"\b{re.escape(name)}\b"]
    return re.compile("|".join([*more, *said, *synonyms]))


_COMMON_CATEGORIES = {"home", "shopping", "medical"}  # words of other meanings too


# "Who do I see for my diabetes": one word of a reason, but for those that say only what kind of visit it is.
SEEN_ABOUT = re.compile(
    r"\b(?:see|seen|seeing|saw|visit|appointments?|go|went|somebody|anybody)\b.* (?:for|about) my "
    r"(?!(?:check|checkup|up|review|exam|yearly|annual|cleaning|follow|therapy|blood|pressure|draw"
    r"|fasting)\b)"
    r"(\w+)"
)


def _seen_about(text: str, appointments: Iterable[Appointment]) -> list[Naming]:
    """Return the reasons of which a word is told as what somebody is seen for."""
    match = SEEN_ABOUT.search(text)
    if match is None:
        return []
    position = text[: match.start(1)].count(" ")
    return [
        Naming("reasons", reason, range(position, position + 1))
        for reason in dict.fromkeys(item.reason for item in appointments if item.reason)
        if match[1] in normalise(reason).split()
    ]


def _members(allergen: str) -> tuple[str, ...]:
    return MEMBERS.get(allergen.removesuffix(" drugs").lower(), ())


def _services(text: str, merchants: list[str]) -> list[Naming]:
    """Return the merchants that provide a service which is named instead of them: "internet"."""
    return [
        Naming("merchants", merchant, words_of(text, match))
        for said, who in _SERVICES
        for match in said.finditer(text)
        for merchant in merchants
        if who.search(merchant)
    ]


def _of_class(text: str, medications: list[str]) -> list[Naming]:
    """Return the medicines of the classes that are named instead of them: "statin"."""
    return [
        Naming("medications", name, words_of(text, match))
        for said, who in MEMBERS_OF
        for match in said.finditer(text)
        for name in medications
        if who.search(name.lower())
    ]


def _place_names(location: str) -> list[str]:
    """Return a place's name and the words that it begins with, but for a common one by itself."""
    words = normalise(location).split()
    heads = [" ".join(words[:end]) for end in range(len(words), 0, -1)]
    return [head for head in heads if head not in PLAIN_NAMES]


def _unclear(text: str, names: Iterable[str]) -> list[Naming]:
    """Return the names that begin with one and the same word, if the text has just that word."""
    words = [word.removesuffix("s") for word in text.split()]
    found = [name for name in names if " " in name and name.split(maxsplit=1)[0].lower() in words]
    if len(found) < 2:
        return []
    position = words.index(found[0].split(maxsplit=1)[0].lower())
    return [Naming("unclear", name, range(position, position + 1)) for name in found]


def _purposes(text: str, purpose: str) -> list[Naming]:
    wanted = [word for word in normalise(purpose).split() if word not in COMMON]
    core = {word.removesuffix("s") for word in wanted if word not in QUALIFIERS}
    said = [word.removesuffix("s") for word in text.replace("allergy", "allergies").split()]
    if not core or not core <= set(said):
        return []
    known = {word.removesuffix("s") for word in wanted}
    return [Naming("purposes", purpose, range(i, i + 1)) for i, word in enumerate(said) if word in known]


def _last_part(medication: str) -> str:
    """Return the last word of a name of several words if it says by itself which one is meant: "B12"."""
    first, _, last = medication.rpartition(" ")
    return last if first and re.search(r"\d", last) else ""


def _allergen_names(allergen: str) -> tuple[str, ...]:
    return allergen, allergen.removesuffix("s"), allergen.removesuffix(" drugs")


def _signs(reaction: str) -> list[str]:
    """Return what is called by itself in a reaction: "sneezing and itchy eyes"."""
    return [re.sub(r"^an? ", "", part) for part in normalise(reaction).split(" and ")]


def _provider_names(provider: str) -> tuple[str, ...]:
    name = normalise(provider).removeprefix("doctor ")
    first, last = name.split()[0], name.split()[-1]
    if last in PLAIN_NAMES:
        return (name,)
    return name, last, f"doctor {last}", first


def _head(name: str) -> str:
    """Return the first word of a merchant's name if that says which one is meant."""
    head = name.split(maxsplit=1)[0]
    return "" if head.lower() in PLAIN_NAMES else head
