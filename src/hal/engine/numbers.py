"""Numbers that are said in words, in digits: "over one forty", "a hundred and fifty", "at nine"."""

from __future__ import annotations

SMALL = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ORDINAL_ENDS = frozenset(
    ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
)  # "twenty third" is a day
BEFORE_HOUR = frozenset(("at", "before", "after", "until", "till", "by", "around"))
AFTER_HOUR = frozenset(
    (
        *(
            "oclock",
            "o",
            "am",
            "pm",
            "tonight",
            "sharp",
            "in",
            "at",
            "this",
            "right",
            "is",
            "or",
            "on",
            "today",
        ),
        *("tomorrow", "correct", ""),
    )
)
_HOURS = 12
_MINUTES = 60
_VALUES = {
    **{word: value for value, word in enumerate(SMALL, 1)},
    **{word: 20 + 10 * place for place, word in enumerate(TENS)},
}


def in_digits(text: str) -> str:
    """Return a normalised text with numbers above twelve, and the hours of a clock, in digits."""
    words = text.split()
    found: list[str] = []
    at = 0
    while at < len(words):
        value, end = _read(words, at)
        before = found[-1] if found else ""
        after = words[end] if end < len(words) else ""
        if value and not (after in ORDINAL_ENDS and words[end - 1] in TENS):
            hour, minutes = divmod(value, 100)
            is_time = before in BEFORE_HOUR and _is_clock(words[at:end])
            found.append(f"{hour} {minutes}" if is_time else str(value))
            at = end
        elif before in BEFORE_HOUR and 0 < _VALUES.get(words[at], 0) <= _HOURS and _ends_hour(words, at):
            found.append(str(_VALUES[words[at]]))
            at += 1
        else:
            found.append(words[at])
            at += 1
    return " ".join(found)


def _ends_hour(words: list[str], at: int) -> bool:
    return (words[at + 1] if at + 1 < len(words) else "") in AFTER_HOUR


def _is_clock(words: list[str]) -> bool:
    """Tell whether words such as "six thirty" may be a time of day."""
    return (
        len(words) > 1
        and _VALUES.get(words[0], 99) <= _HOURS
        and _HOURS - 3 < _VALUES.get(words[1], 0) < _MINUTES
    )


def _read(words: list[str], at: int) -> tuple[int, int]:
    """Return the number that begins at a word and the place after it; 0 for one of a word up to twelve."""
    total = current = 0
    end = at
    if words[at] == "a" and at + 1 < len(words) and words[at + 1] in ("hundred", "thousand"):
        end += 1
    while end < len(words):
        word = words[end]
        value = _VALUES.get(word, 0)
        if word == "hundred" and (end > at or current):
            current = (current or 1) * 100
        elif word == "thousand" and (end > at or current):
            total, current = total + (current or 1) * 1000, 0
        elif word == "and" and current >= 100 and end + 1 < len(words) and words[end + 1] in _VALUES:
            pass
        elif value and (current % 100 == 0 or (current % 100 >= 20 and current % 10 == 0 and value < 10)):
            current += value
        elif value >= 10 and 0 < current <= _HOURS and not total and (value >= 20 or current < 10):
            current = current * 100 + value
        else:
            break
        end += 1
    total += current
    return (total, end) if total > _HOURS else (0, at + 1)
