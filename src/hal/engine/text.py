"""Questions as plain lower-case words, and near matches against words that are expected."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz import fuzz, process


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SHORT_FORMS = {
    "im": "i am",
    "ive": "i have",
    "whats": "what is",
    "whens": "when is",
    "wheres": "where is",
    "hows": "how is",
    "whos": "who is",
    "thats": "that is",
    "dont": "do not",
    "cant": "can not",
    "wont": "will not",
    "isnt": "is not",
    "arent": "are not",
    "didnt": "did not",
    "doesnt": "does not",
    "havent": "have not",
    "dr": "doctor",
    "doc": "doctor",
    "docs": "doctors",
    "bp": "blood pressure",
    "rx": "prescription",
    "rxs": "prescriptions",
    "meds": "medications",
    "med": "medication",
    "appt": "appointment",
    "appts": "appointments",
    "em": "them",
    "wich": "which",
    "whitch": "which",
    "wen": "when",
    "wat": "what",
    "waht": "what",
    "hwo": "how",
    "teh": "the",
    "mo": "month",
    "yr": "year",
    "yrs": "years",
    "wk": "week",
    "wks": "weeks",
    "mos": "months",
    "wt": "weight",
    "avg": "average",
    "pls": "please",
    "plz": "please",
    "thx": "thanks",
    "tmrw": "tomorrow",
    "tmw": "tomorrow",
    "tonite": "tonight",
    "cuz": "because",
    "whatd": "what did",
    "howd": "how did",
    "youre": "you are",
    "theyre": "they are",
    "wasnt": "was not",
    "shouldnt": "should not",
    "couldnt": "could not",
    "wouldnt": "would not",
    "hasnt": "has not",
    "acct": "account",
}
_REWRITES = (
    (re.compile("`"), "'"),
    (re.compile(r"\b(what|when|where|how|who|that|it|there|here|which)'s\b"), r"\1 is"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(what|when|where|how|why|who)'d\b"), r"\1 did"),
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
EXPECTED_WORDS = sorted(
    _words(
        """
    medication medications medicine medicines prescription prescriptions prescribed appointment
    appointments allergy allergies allergic password passwords refill refills transaction transactions
    pressure glucose interact interaction interactions schedule dentist calendar groceries purchase
    purchases
    """
    )
)
OTHER_WORDS = _words(
    """
    meditation meditations medical disappointment passport transition transitions pressured reaction
    reactions interacts reschedule rescheduled describe described description allegory scheduled
    """
)
COMMON = _words(
    """
    a about all also am an and any are at be been book books by can could did do does for from get give
    going had has
    have how i in is it its last list many me much my next no not of on or our out please show should so
    some take taking tell that the their them there these they this those to today tomorrow up us was we
    were what when where which who why will with would you your
    """
)
_DATED = re.compile(
    rf"\b(?:in|of|since|until|for|during|by|last|next|this) (?:{'|'.join(calendar.month_name[1:]).lower()})$"
)
_CORRECTED_FROM = 6
_CORRECTION_CUTOFF = 84
WORDS_CUTOFF = 88  # of a name of several words, no single one may match


_SIGNS = (range(0xA0, 0xC0), range(0x2000, 0x2C00), range(0x3000, 0x3040), range(0xFE00, 0xFE10))
_PICTURES = range(0x1F000, 0x20000)
_ACCENTS = range(0x300, 0x370)
_ACCENTED = (range(0xC0, 0x250), range(0x370, 0x460), range(0x1E00, 0x2000), range(0xFF01, 0xFF5F))


_ENLACED = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h",
    "\u0131": "i",
}  # fmt: skip


def _without_accents(letter: str) -> str:
    letter = letter.lower()
    apart = unicodedata.normalize("NFKD", _ENLACED.get(letter, letter))
    plain = "".join(each for each in apart if not unicodedata.combining(each)).lower()
    return plain if plain.isalnum() or letter > "\uff00" else " "


# What stands for a letter that has an accent or is a capital; the QM programs read the same table.
PLAIN_LETTERS = {
    code: plain
    for codes in _ACCENTED
    for code in codes
    if (plain := _without_accents(chr(code))) != chr(code)
}
_FOLDED = {
    **{code: " " for codes in (*_SIGNS, _PICTURES) for code in codes},
    **dict.fromkeys(_ACCENTS, ""),
    **PLAIN_LETTERS,
    0x2018: "'",
    0x2019: "'",
}


_OTHER_SCRIPT = re.compile(r"(?<=[a-z0-9])(?=[^\x00-\x7f])|(?<=[^\x00-\x7f])(?=[a-z0-9])")


def fold(text: str) -> str:
    """Return a text in lower case, its letters without accents and signs such as ™ left out.

    Letters of another script are words of their own.
    """
    return _OTHER_SCRIPT.sub(" ", text.translate(_FOLDED).lower())


@lru_cache(maxsize=1024)  # names of records are read with every question
def normalise(text: str) -> str:
    """Return a question in lower case, without punctuation, contractions or words of address."""
    text = fold(text)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    text = " ".join(SHORT_FORMS.get(word, word) for word in text.split())
    text = _CLOSING.sub("", _ADDRESSING.sub("", text))
    return " ".join(correct(word) for word in text.split())


def said_once(text: str) -> str:
    """Return a text without the words that are said twice in a row: "from, to, to the fifteenth".

    "Twenty twenty five" is a year.
    """
    words = text.split()
    pairs = zip(["", *words], words, strict=False)
    return " ".join(
        word for before, word in pairs if word != before or word == "twenty" or not word.isalpha()
    )


_WRITTEN_FORMS = (
    (re.compile(r"\$\s?(\d[\d,]*(?:\.\d+)?)"), r"\1 dollars"),
    (re.compile(r"\b(20\d\d)-(\d\d?)-(\d\d?)\b"), lambda m: _date_in_words(m[2], m[3], m[1])),
    (re.compile(r"\b(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?\b"), lambda m: _date_in_words(m[1], m[2], m[3])),
    (re.compile(r"\b(\d{2,3})/(\d{2,3})\b"), r"\1 over \2"),
)


def write_out(text: str) -> str:
    """Return a question with dates and amounts that are written with signs in words: 3/23, $20, 120/80.

    A date of two numbers is read month first, and day first only where the month could not be one.
    """
    for pattern, replacement in _WRITTEN_FORMS:
        text = pattern.sub(replacement, text)
    return text


def _date_in_words(month: str, day: str, year: str | None) -> str:
    first, second = int(month), int(day)
    if first > 12 >= second:
        first, second = second, first
    if not (1 <= first <= 12 and 1 <= second <= 31):
        return f"{month} over {day}"
    century = f" 20{year}" if year and len(year) == 2 else f" {year}" if year else ""
    return f"{calendar.month_name[first]} {second}{century}"


def correct(word: str) -> str:
    """Return the expected word that a long word nearly is, or the word itself."""
    if len(word) < _CORRECTED_FROM or word in OTHER_WORDS or word in EXPECTED_WORDS:
        return word
    found = process.extractOne(word, EXPECTED_WORDS, scorer=fuzz.ratio, score_cutoff=_CORRECTION_CUTOFF)
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
        self._runs: dict[str, range] = {}
        for first in range(len(words)):
            for last in range(first + 1, min(first + self.MAX_WORDS, len(words)) + 1):
                run = words[first:last]
                if len(run) > 2 and _DATED.search(" ".join(run)):  # "see in April" is no name
                    continue
                if (run[0] not in COMMON and run[-1] not in COMMON) or last - first > 2:
                    self._runs.setdefault("".join(run), range(first, last))

    def find(self, names: Iterable[str]) -> tuple[float, range]:
        """Return how well the question contains one of several names of one thing, and at which words.

        The score is 0, or from the name's cutoff to 100.
        """
        best, where = 0.0, range(0)
        for name in names:
            wanted = "".join(fold(name).split())
            least = max(cutoff(len(wanted)), WORDS_CUTOFF if " " in name else 0)
            found = process.extractOne(wanted, self._runs.keys(), scorer=fuzz.ratio, score_cutoff=least)
            if name and found and (len(self._runs[found[0]]), found[1]) > (len(where), best):
                best, where = float(found[1]), self._runs[found[0]]
        return best, where

    def score(self, name: str) -> float:
        """Return how well the question contains a name: 0, or from its cutoff to 100."""
        return self.find([name])[0]
