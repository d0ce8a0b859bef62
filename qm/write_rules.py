"""Write the rules of the QM programs, which are those of the engine: `python qm/write_rules.py`.

The engine's tables of patterns and word lists become the items of the directory file HAL.RULES, one
rule a line as "meaning = pattern". HAL.COMPILE reads the subset of regular expressions that they use;
every pattern there stands for whole words, as if written between two "\b".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from hal.engine import (
    allergy,
    appointment,
    entities,
    general,
    medication,
    periods,
    rules,
    spoken,
    text,
    transaction,
)
from hal.engine.actions import ACTIONS
from hal.engine.evidence import EVIDENCE

DIRECTORY = Path(__file__).parent / "HAL.RULES"
_NAMED_GROUP = re.compile(r"\(\?P<\w+>")

_PATTERNS = {
    "PERSONAL": rules.PERSONAL,
    "COMMAND ME": rules.COMMAND_ME,
    "GENERAL KNOWLEDGE": rules.GENERAL_KNOWLEDGE,
    "RECORDED": rules.RECORDED,
    "PRONOUN": rules.PRONOUN,
    "ELLIPSIS": rules.ELLIPSIS,
    "TAKEN FOR": rules.TAKEN_FOR,
    "DEFINITION": rules.DEFINITION,
    "PASSWORD ADVICE": rules.PASSWORD_ADVICE,
    "STRANGER": appointment._DOCTOR,
    "ASKED ABOUT": allergy._ASKED_ABOUT,
    "CONFIRM": allergy._CONFIRM,
    "PERMISSION": allergy._PERMISSION,
    "NOTHING NAMED": allergy._NOTHING_NAMED,
    "HOW MANY": transaction._HOW_MANY,
}
_MATCHED_AT_START = {"DEFINITION", "NOTHING NAMED"}
_PERIODS = (
    *("before yesterday", "after tomorrow", "yesterday", "tomorrow", "today", "span", "ago", "unit"),
    *("weekend", "date", "date of", "month", "year", "weekday"),
)
_WORDS = {
    "COMMON": text.COMMON,
    "EXPECTED": text._EXPECTED,
    "DIFFERENT": text._DIFFERENT,
    "QUALIFIERS": entities._QUALIFIERS,
    "PLAIN NAMES": entities._PLAIN_NAMES,
}


def bare(pattern: str) -> str:
    r"""Return a pattern without the "\b" around it and without the names of its groups."""
    pattern = _NAMED_GROUP.sub("(", pattern)
    stripped = pattern.removeprefix(r"\b(?:").removesuffix(r")\b")
    if rf"\b(?:{stripped})\b" == pattern and _is_balanced(stripped):
        return stripped
    return pattern.removeprefix(r"\b").removesuffix(r"\b")


def _is_balanced(pattern: str) -> bool:
    depth = 0
    for character in re.sub(r"\\.|\[[^]]*\]", "", pattern):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def items() -> dict[str, str]:
    """Return the text of every item of HAL.RULES by its name."""
    tables: dict[str, Iterable[tuple[object, str]]] = {
        **{f"EVIDENCE.{intent}": _bare(table) for intent, table in EVIDENCE.items()},
        **{f"ACTION.{intent}": _bare(table) for intent, table in ACTIONS.items()},
        "AMBIGUOUS": _whole(rules.AMBIGUOUS),
        "LOCAL": _whole(general._LOCAL),
        "FOCUS": _bare(medication._FOCUS),
        "METRICS": _bare(rules.METRIC_WORDS.items()),
        "ALLERGIES": _bare(rules.ALLERGY_CATEGORY),
        "SPENDING": _bare(rules.SPENDING_WORDS.items()),
        "PARTS": _bare(rules.PARTS_OF_DAY.items()),
        "PATTERNS": ((name, _single(name, pattern.pattern)) for name, pattern in _PATTERNS.items()),
        "PERIODS": (
            (name, f"(?:{bare(pattern.pattern)})")
            for name, (pattern, _) in zip(_PERIODS, periods._RULES, strict=True)
        ),
        "WORDS": ((name, " ".join(sorted(words))) for name, words in _WORDS.items()),
        "UNSPACED": text._UNSPACED.items(),
        "SPECIALISTS": ((name, "|".join(also)) for name, also in entities._SPECIALISTS.items()),
        "UNITS": spoken._UNITS.items(),
    }
    return {name: "".join(f"{left} = {right}\n" for left, right in table) for name, table in tables.items()}


def _bare(table: Iterable[tuple[object, re.Pattern[str]]]) -> list[tuple[object, str]]:
    return [(meaning, bare(pattern.pattern)) for meaning, pattern in table]


def _whole(table: rules.Rules[str]) -> list[tuple[object, str]]:
    return [(meaning, f"^(?:{bare(pattern.pattern)})$") for meaning, pattern in table]


def _single(name: str, pattern: str) -> str:
    return (
        f"^(?:{bare(pattern)})" + r"\w*" * (name == "NOTHING NAMED")
        if name in _MATCHED_AT_START
        else bare(pattern)
    )


def main() -> None:
    """Write the items."""
    for name, content in items().items():
        (DIRECTORY / name).write_text(content, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
