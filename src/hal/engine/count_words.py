"""Questions whether there are several of a thing, as the question how many there are; as in `synonyms`."""

from __future__ import annotations

_SEVERAL = (
    r"(?:more than (?:one|two|three|[1-3])|at least (?:one|two|three|[1-3])|multiple|several"
    r"|(?:just |only )?(?:one|two|three|four|five|six|a couple of|a single|[1-6])"
    r"(?= (?:appointment|visit|checkup|refill|allerg|pill|medic|tablet|prescription|drug)))"
)
_VISITS = r"(?:(?:doctors? |doctor )?(?:appointment|visit|checkup)s?)"
_PILLS = r"(?:pill|medication|medicine|tablet|prescription|drug)s?"

# What stands for it, then what says it.
COUNTS: tuple[tuple[str, str], ...] = (
    (
        r"how many appointments do \1 have",
        rf"^(?:and )?(?:do|will|have) (i|we) (?:have|got) {_SEVERAL} {_VISITS}\b",
    ),
    ("how many appointments do i have", rf"^(?:and )?(?:is|are|will) there (?:be )?{_SEVERAL} {_VISITS}\b"),
    (
        r"how many appointments do \1 have with \2",
        r"^do (i|we) (?:see|visit|meet|go to) ((?:the |my |doctor )?\w+(?: \w+)?) more than (?:once"
        r"|one time)\b",
    ),
    (
        "how many medications do i take for ",
        rf"^(?:and )?(?:(?:do|am) i (?:take|on|taking|have)|is there|are there) {_SEVERAL} {_PILLS} for ",
    ),
    (
        r"how many medications do i take for \1",
        r"^(?:and )?(?:do|am) i (?:take|on|taking|have) more than (?:one|two|[12]) (\w+(?: \w+)?)"
        rf" {_PILLS}$",
    ),
    (
        "how many refills are left",
        rf"^(?:do i have|is there|are there|have i got) {_SEVERAL} refills?(?: left)?",
    ),
    ("how many allergies do i have", rf"^do i have {_SEVERAL} allerg(?:y|ies)$"),
    (
        r"how many times \1 \2 \3",
        r"^(did|have|has|was|were) (i|we|my) (.+?) more than (?:once|one time|twice)\b(?! (?:a|per) )",
    ),
)
