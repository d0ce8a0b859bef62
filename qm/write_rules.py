"""Write the rules of the QM programs, which are those of the engine: `python qm/write_rules.py`.

The engine's tables of patterns and word lists become the items of the directory file HAL.RULES, one
rule a line as "meaning = pattern". HAL.COMPILE reads the subset of regular expressions that they use.
The patterns that a module of the engine holds by themselves are named MODULE.NAME in the item PATTERNS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from hal.engine import (
    allergy,
    appointment,
    asides,
    beside,
    caution,
    commands,
    comparisons,
    conditions,
    danger,
    discourse,
    engine,
    entities,
    follow_up,
    general,
    health_data,
    medication,
    medicine,
    medicine_classes,
    period_atoms,
    period_grammar,
    question,
    ranking,
    refills,
    rules,
    settle,
    spoken,
    subject,
    synonyms,
    text,
    transaction,
    unheeded,
    vocabulary,
    wordings,
)
from hal.engine.actions import ACTIONS
from hal.engine.evidence import EVIDENCE

DIRECTORY = Path(__file__).parent / "HAL.RULES"
_MODULES = (
    *(
        allergy,
        appointment,
        asides,
        beside,
        caution,
        commands,
        comparisons,
        danger,
        engine,
        entities,
        follow_up,
        general,
        health_data,
    ),
    *(medication, medicine, medicine_classes),
    *(period_atoms, period_grammar, question, ranking, refills, rules, settle, subject, transaction),
    vocabulary,
)
_MATCHED_AT_START = {
    *("RULES.DEFINITION", "ALLERGY.NOTHING.NAMED", "PERIOD.GRAMMAR.BARE.DAY", "PERIOD.GRAMMAR.ONWARD"),
    *("PERIOD.GRAMMAR.DAY.NUMBER", "SETTLE.AFTER.NAME"),
}
_PERIODS = (
    *("to date", "rest of unit", "full date", "day of month", "day in month"),
    *(f"holiday {month} {day} {name}" for month, day, name in period_atoms.HOLIDAYS.values()),
    *(f"floating {' '.join(map(str, when))}" for when in period_atoms.FLOATING.values()),
    *("from now", "quarter", "day of week", "after next", "last night", "season", "bare month", "the unit"),
    *("before yesterday", "after tomorrow", "yesterday", "tomorrow", "today", "span", "ago", "unit"),
    *("weekend", "date", "date of", "month", "year", "weekday"),
)
_CONDITIONS = (
    *("confirm", "between", "at", "noon side", "noon", "more than once", "dose", "before", "after"),
    *(
        "times a day",
        "as needed",
        "food",
        "empty stomach",
        "form",
        "some refills",
        "refills left",
        "out of refills",
    ),
    *(
        "over",
        "at least",
        "under",
        "at most",
        "about",
        "severity",
        "last",
        "next",
        "per",
        "average",
        "counted",
        "more",
        "less",
    ),
    *("difference", "negated", "days", "day"),
)
_RELATIONS = ("since", "after", "before", "until")
_WORDS = {
    "COMMON": text.COMMON,
    "EXPECTED": text.EXPECTED_WORDS,
    "DIFFERENT": text.OTHER_WORDS,
    "QUALIFIERS": entities.QUALIFIERS,
    "PLAIN NAMES": entities.PLAIN_NAMES,
}
_CATEGORIES = dict.fromkeys([*rules.SPENDING_WORDS, *entities.CATEGORY_WORDS])
_SPECIALTIES = dict.fromkeys([*entities.SPECIALISTS, *entities.BODY_PARTS])


def spread(pattern: str) -> str:
    r"""Return a pattern with the alternatives of a group that it begins with one by one: "\ba|\bb".

    HAL.FIND looks only where the first letters of an alternative stand. Names of groups are left out.
    """
    pattern = re.sub(r"\(\?P<\w+>", "(", pattern)
    if re.search(r"(?<!\\)\((?!\?)", pattern):  # groups are told by their number
        return pattern
    return "|".join(each for alternative in _split(pattern) for each in _alternatives(alternative))


def _alternatives(pattern: str) -> Iterator[str]:
    begun = re.match(r"(\\b|\^)?\(\?:", pattern)
    if begun is None:
        yield pattern
        return
    end = _end_of_group(pattern, begun.end())
    if pattern[end + 1 : end + 2] in ("?", "*", "+", "{"):
        yield pattern
        return
    for each in _split(pattern[begun.end() : end]):
        yield from _alternatives(f"{begun[1] or ''}{each}{pattern[end + 1 :]}")


def _end_of_group(pattern: str, position: int) -> int:
    depth = 1
    for match in re.compile(r"\\.|\[[^]]*\]|[()]").finditer(pattern, position):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if not depth:
            return match.start()
    raise ValueError(pattern)


def _split(pattern: str) -> list[str]:
    """Split a pattern at the bars that are in no group."""
    parts, depth, begun = [], 0, 0
    for match in re.finditer(r"\\.|\[[^]]*\]|[()|]", pattern):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if match[0] == "|" and not depth:
            parts.append(pattern[begun : match.start()])
            begun = match.end()
    return [*parts, pattern[begun:]]


def _patterns() -> Iterator[tuple[str, str]]:
    for module in _MODULES:
        for name, value in sorted(vars(module).items()):
            if isinstance(value, re.Pattern):
                title = f"{module.__name__.rpartition('.')[2]}.{name.lstrip('_')}".upper().replace("_", ".")
                start = "^" if title in _MATCHED_AT_START else ""
                yield title, spread(f"{start}(?:{value.pattern})" if start else value.pattern)


def _understood() -> Iterator[tuple[str, str]]:
    """Yield the words that are understood within each subject, and with a star those that only begin so.

    A plus is a star that wants one letter at least.
    """
    for intent, words in vocabulary.understood_words().items():
        plain: list[str] = []
        for word in words:
            open_end = re.search(r"\\w([*+])$", word)
            stem = word[: open_end.start()] if open_end else word
            for each in _optional(stem):
                plain.append(each + (open_end[1] if open_end else ""))
        yield intent, " ".join(each for each in plain if each[-1] not in "*+")
        yield f"{intent} BEGUN", " ".join(each for each in plain if each[-1] in "*+")


def _optional(word: str) -> list[str]:
    """Return a word with and without its letter that may be left out."""
    letter, mark, rest = word.partition("?")
    return [letter + rest, letter[:-1] + rest] if mark else [word]


def items() -> dict[str, str]:
    """Return the text of every item of HAL.RULES by its name."""
    tables: dict[str, Iterable[tuple[object, str]]] = {
        **{f"EVIDENCE.{intent}": _spread(table) for intent, table in EVIDENCE.items()},
        **{f"ACTION.{intent}": _spread(table) for intent, table in ACTIONS.items()},
        "AMBIGUOUS": _whole(rules.AMBIGUOUS),
        "LOCAL": _whole(general.LOCAL_ACTIONS),
        "FOCUS": _spread(medicine.FOCUS),
        "METRICS": _spread(rules.METRIC_WORDS.items()),
        "ALLERGIES": _spread(rules.ALLERGY_CATEGORY),
        "PARTS": _spread(rules.PARTS_OF_DAY.items()),
        "PATTERNS": _patterns(),
        "PERIODS": _named(_PERIODS, (pattern for pattern, _ in period_atoms.ATOMS)),
        "RELATIONS": _named(_RELATIONS, (pattern for pattern, _ in period_grammar.RELATIONS)),
        "DISCOURSE": ((put, spread(pattern.pattern)) for pattern, put in discourse.DISCOURSE),
        "SYNONYMS": ((put, spread(pattern.pattern)) for pattern, put in synonyms.SYNONYMS),
        "USUAL": ((put, spread(pattern.pattern)) for pattern, put in wordings.USUAL_FORMS),
        "CONDITIONS": _named(_CONDITIONS, (pattern for pattern, _ in conditions.TABLE)),
        "DANGERS": _spread(danger.DANGERS),
        "UNHEEDED": _spread(unheeded.UNHEEDED),
        "COMMANDS": ((kind, spread(f"^(?:{pattern.pattern})")) for kind, pattern in commands.COMMANDS),
        "RANGES": ((f"{name}:{low}:{high}", pattern.pattern) for name, pattern, low, high in danger.RANGES),
        "CATEGORIES": ((name, spread(entities.category_words(name).pattern)) for name in _CATEGORIES),
        "SPECIALTIES": ((name, spread(entities.specialty_words(name).pattern)) for name in _SPECIALTIES),
        "MEMBERS": (
            (name, spread(entities.exactly(*members).pattern)) for name, members in entities.MEMBERS.items()
        ),
        "SERVICES": ((who, spread(rf"\b(?:{said})\b")) for said, who in entities.SERVICES.items()),
        "CLASSES": ((said, spread(rf"\b(?:{said})\b")) for said in medicine_classes.CLASSES),
        "CLASSED": ((said, spread(rf"\b(?:{who})\b")) for said, who in medicine_classes.CLASSES.items()),
        "PROVIDERS": ((who, spread(who)) for who in entities.SERVICES.values()),
        "WORDS": ((name, " ".join(sorted(words))) for name, words in _WORDS.items()),
        "UNSPACED": text.SHORT_FORMS.items(),
        "SPECIALISTS": ((name, "|".join(also)) for name, also in entities.SPECIALISTS.items()),
        "UNITS": spoken.UNITS.items(),
        "LETTERS": _letters(),
        "ABBREVIATED": wordings.ABBREVIATED.items(),
        "ORDINALS": ((name, str(day)) for day, name in enumerate(wordings.DAY_ORDINALS, 1)),
        "SENTENCES": _sentences(),
        "UNDERSTOOD": _understood(),
    }
    return {name: "".join(f"{left} = {right}\n" for left, right in table) for name, table in tables.items()}


def _letters() -> Iterator[tuple[object, str]]:
    """Yield the number of each letter that has a plainer form in Unicode, and those of that form."""
    for code, plain in text.PLAIN_LETTERS.items():
        if code < 0xFF00:  # full-width forms are told by their place
            yield code, " ".join(str(ord(letter)) for letter in plain)


def _sentences() -> Iterator[tuple[object, str]]:
    for table in (danger.SAID, commands.SAID, medication.REFUSALS):
        yield from table.items()
    for intent, words in settle.ABOUT_NAME.items():
        yield f"ABOUT {intent}", " ".join(words.split())
    for intent, honoured in conditions.HONOURED.items():
        yield f"HONOURED {intent}", " ".join(sorted(honoured))
    for intent, action in settle.USUAL_ACTION.items():
        yield f"USUAL {intent}", action


def _named(names: tuple[str, ...], patterns: Iterable[re.Pattern[str]]) -> list[tuple[object, str]]:
    return [(name, spread(pattern.pattern)) for name, pattern in zip(names, patterns, strict=True)]


def _spread(table: Iterable[tuple[object, re.Pattern[str]]]) -> list[tuple[object, str]]:
    return [(meaning, spread(pattern.pattern)) for meaning, pattern in table]


def _whole(table: rules.Rules[str]) -> list[tuple[object, str]]:
    return [(meaning, spread(f"^(?:{pattern.pattern})$")) for meaning, pattern in table]


def main() -> None:
    """Write the items."""
    wanted = items()
    for path in DIRECTORY.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (DIRECTORY / name).write_text(content, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
