"""Questions as plain lower-case words, and near matches against words that are expected."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from rapidfuzz import fuzz, process


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNSPACED = {
    "im": "i am",
    "ive": "i have",
    "whats": "what is",
    "whens": "when is",
    "wheres": "where is",
    "hows": "how is",
    "whos": "who is",
    "thats": "that is",
    "dont": "do not",
    "dr": "doctor",
    "doc": "doctor",
    "bp": "blood pressure",
    "rx": "prescription",
    "rxs": "prescriptions",
    "meds": "medications",
    "med": "medication",
    "appt": "appointment",
    "appts": "appointments",
}
_REWRITES = (
    (re.compile(r"[\u2018\u2019`]"), "'"),
    (re.compile(r"\b(what|when|where|how|who|that|it|there|here|which)'s\b"), r"\1 is"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"'s?\b"), ""),
    (re.compile(r"\b([ap])\.\s?m\b\.?"), r"\1m"),
    (re.compile(r"(?<=\d),(?=\d)"), ""),
    (re.compile(r"[^\w.]|_|\.(?!\d)|(?<!\d)\."), " "),
)
_ADDRESSING = re.compile(r"^(?:(?:hey|hi|hello|ok|okay|please|um|uh|so|well|hal|computer)\b ?)+(?=\w)")
_CLOSING = re.compile(r"(?: (?:please|hal|thanks|thank you))+$")

# Words a recogniser or a hurried typist gets nearly right; those just beside them that mean something else.
_EXPECTED = sorted(
    _words(
        """
    medication medications medicine medicines prescription prescriptions prescribed appointment
    appointments allergy allergies allergic password passwords refill refills transaction transactions
    pressure glucose interact interaction interactions schedule dentist calendar groceries purchase
    purchases
    """
    )
)
_DIFFERENT = _words(
    """
    meditation meditations medical disappointment passport transition transitions pressured reaction
    reactions interacts describe described description allegory
    """
)
COMMON = _words(
    """
    a about all also am an and any are at be been by can could did do does for from get give going had has
    have how i in is it its last list many me much my next no not of on or our out please show should so
    some take taking tell that the their them there these they this those to today tomorrow up us was we
    were what when where which who why will with would you your
    """
)
_CORRECTED_FROM = 6
_CORRECTION_CUTOFF = 84
WORDS_CUTOFF = 88  # of a name of several words, no single one may match


def normalise(text: str) -> str:
    """Return a question in lower case, without punctuation, contractions or words of address."""
    text = unicodedata.normalize("NFKC", text).lower()
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = " ".join(_UNSPACED.get(word, word) for word in text.split())
    text = _CLOSING.sub("", _ADDRESSING.sub("", text))
    return " ".join(correct(word) for word in text.split())


def correct(word: str) -> str:
    """Return the expected word that a long word nearly is, or the word itself."""
    if len(word) < _CORRECTED_FROM or word in _DIFFERENT or word in _EXPECTED:
        return word
    found = process.extractOne(word, _EXPECTED, scorer=fuzz.ratio, score_cutoff=_CORRECTION_CUTOFF)
    return found[0] if found else word


def cutoff(length: int) -> float:
    """Return how alike (0 to 100) a heard phrase must be to one of `length` letters: short ones exactly."""
    if length < 5:
        return 100
    if length < 7:
        return 90
    return 82 if length < 9 else 76


class Phrases:
    """The runs of words in a question, spaces left out, to find names in that were heard amiss.

    Recognisers split names ("met forming") and join them, so a name is compared with every run
    of about as many letters. Runs of nothing but common words never match.
    """

    MAX_WORDS = 5

    def __init__(self, text: str) -> None:
        words = text.split()
        self._runs: dict[str, str] = {}
        for first in range(len(words)):
            for last in range(first + 1, min(first + self.MAX_WORDS, len(words)) + 1):
                run = words[first:last]
                if (run[0] not in COMMON and run[-1] not in COMMON) or last - first > 2:
                    self._runs.setdefault("".join(run), " ".join(run))

    def score(self, name: str) -> float:
        """Return how well the question contains a name: 0, or from its cutoff to 100."""
        wanted = name.lower().replace(" ", "")
        best = max(cutoff(len(wanted)), WORDS_CUTOFF if " " in name else 0)
        found = process.extractOne(wanted, self._runs.keys(), scorer=fuzz.ratio, score_cutoff=best)
        return float(found[1]) if found else 0.0

    def best(self, names: Iterable[str]) -> float:
        """Return the best score of several names of one thing."""
        return max((self.score(name) for name in names if name), default=0.0)
