"""How people type and clip their words, and what stands for it: "w/ food", "this AM", "a one c".

Rows as in `discourse`, of which they are the first: they only write out what is shortened, and change nothing
that is asked.
"""

from __future__ import annotations

from hal.engine.numbers import SMALL

_DAY = r"\d{1,2}(?:st|nd|rd|th)"
_BASE = (
    r"(?:do|cost|run|weigh|look|work|say|come|mean|start|end|take|go|treat|charge|fall|end up|help|cause|need"
    r"|have|show|last)"
)
_AUXILIARY = r"(?:is|are|was|were|do|does|did|will|can|should|must|has|have|am|be)"

# What stands for it, then what says it.
SHORTHAND: tuple[tuple[str, str], ...] = (
    # Signs that stood between words: "w/ food", "w/o", "the 28th/29th".
    ("without", r"\bw o\b(?= \w)"),
    ("with", r"\bw\b(?= \w)"),
    (r"\1 and the \2", rf"\b({_DAY}) ({_DAY})\b"),
    (
        r"\1",
        r"\b(20\d\d|this (?:week|month|year)|january|february|march|april|may|june|july|august|september"
        r"|october|november|december) so far\b",
    ),
    # Hours and parts of a day.
    *((f"{hour} oclock", rf"\b{word} o ?clock\b") for hour, word in enumerate(SMALL[:12], 1)),
    ("oclock", r"\b(?<=\d )o clock\b"),
    (
        r"at \1 oclock",
        r"\b(?<!at )(?<!is )(?<!before )(?<!after )(?<!until )(?<!till )(?<!by )(?<!around )"
        r"(\d{1,2}) oclock\b",
    ),
    ("this morning", r"\bthis am\b(?! i\b)"),
    ("this afternoon", r"\bthis pm\b"),
    ("yesterday morning", r"\byesterday am\b(?! i\b)"),
    (r"\1 morning", r"\b(tomorrow|\w+day|in the|each|every) am\b(?! i\b)"),
    (r"\1 evening", r"\b(tomorrow|yesterday|\w+day|in the|each|every) pm\b"),
    # Days of a week that are words too: "sat or sun", "this sat".
    (r"\1 \2 saturday", r"\b(fri|friday|\w+day|weekend) (or|and) sat\b"),
    (r"\1 \2 sunday", r"\b(sat|saturday|friday) (or|and) sun\b(?! (?:screen|burn|block)\b)"),
    (r"\1 month", r"\b(last|this|next|past|per) mo\b"),
    (
        r"\1 saturday or sunday",
        r"\b((?:on|anything|something|free|busy|open|booked|for|plans|this|next|last|either|is|or|have)) "
        r"sat (?:or|and) sun\b",
    ),
    (
        r"\1 \2urday",
        r"\b(on|this|next|last|past|every|each|by|until|till|since|for|anything|free|busy|coming) (sat)\b"
        r"(?! (?:level|reading|down|up|in|at|by|with)\b)",
    ),
    (
        r"\1 \2day",
        r"\b(on|this|next|last|past|every|each|by|until|till|since|anything|free|busy|coming) (sun)\b"
        r"(?! (?:screen|burn|block|exposure|glasses|allerg\w*)\b)",
    ),
    # Letters that are spoken one by one.
    ("a1c", r"\b(?:h ?b ?|hemoglobin )?a (?:one|1) c\b"),
    ("b12", r"\bb (?:twelve|12)\b"),
    ("d3", r"\bd (?:three|3)\b"),
    ("oxygen saturation", r"\b(?:o2|o (?:two|2)|oh (?:two|2)|sp ?o2|oxygen) (?:sats?|saturation|stats?)\b"),
    ("oxygen saturation", r"\b(?:sp ?o2|o2 level)\b"),
    ("blood pressure", r"\bb p\b"),
    (r"\1 heart rate", r"\b(my|resting|latest|last|average|avg|highest|lowest) hr\b"),
    (r"\1 temperature", r"\b(my|last|latest|highest) temp\b"),
    # Words that run together, and their helpers.
    (r"\1 would ", r"\b(what|who|that|it) did (?=(?:be|happen) )"),
    (r"\1 does \2 ", rf"\b(what|how|where|when) is (it|that|he|she|this|(?:my|the) \w+) (?={_BASE}\b)"),
    (
        r"\1 is ",
        r"^(what time|what day|what date|what month) "
        rf"(?=(?:my|the|that|this|it)\b)(?!.*\b{_AUXILIARY}\b)",
    ),
    ("and", r"\bn\b(?= the\b)"),
    ("until", r"\btil\b"),
    ("right now", r"\brn\b"),
    ("kind of", r"\bkinda\b"),
    ("out of", r"\boutta\b"),
    ("a lot of", r"\blotta\b"),
    ("do not know", r"\bdunno\b"),
    (r"\1 have", r"\b(could|should|would|might) of\b"),
    ("supposed to", r"\bsposed to\b"),
)
