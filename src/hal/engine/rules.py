"""Words and what they say, as rules over a normalised question (see `text.normalise`)."""

from __future__ import annotations

import re

type Rules[T] = tuple[tuple[T, re.Pattern[str]], ...]


def named(table: str) -> Rules[str]:
    """Read rules from lines of "NAME pattern"; the pattern must match whole words."""
    lines = (line.split(maxsplit=1) for line in table.splitlines() if line.strip())
    return tuple((meaning, re.compile(rf"\b(?:{pattern})\b")) for meaning, pattern in lines)


def weighed(table: str) -> Rules[int]:
    """Read rules as `named` does, where each name is a number."""
    return tuple((int(meaning), pattern) for meaning, pattern in named(table))


def first[T](rules: Rules[T], text: str) -> T | None:
    """Return the meaning of the first rule that matches."""
    return next((meaning for meaning, pattern in rules if pattern.search(text)), None)


def whole[T](rules: Rules[T], text: str) -> T | None:
    """Return the meaning of the first rule that matches the whole text."""
    return next((meaning for meaning, pattern in rules if pattern.fullmatch(text)), None)


def weight(rules: Rules[int], text: str) -> int:
    """Return the sum of what the matching rules are worth."""
    return sum(meaning for meaning, pattern in rules if pattern.search(text))


PERSONAL = re.compile(r"\b(?:i|my|mine|we|our|us|am|me|she|he|her|his|him)\b")
COMMAND_ME = re.compile(r"\b(?:tell|give|show|remind|read|let) me\b")
GENERAL_KNOWLEDGE = re.compile(
    r"\b(?:treat|treats|cures?|causes?|caused|invented|discovered|people|person|humans?|normal"
    r"|average (?:person|man|woman|adult)|history of|define|definition|explain|meaning|mean|means|world"
    r"|country|in general|usually"
    r"|what (?:is|are) an?|how (?:do|does|is|are) \w+ (?:work|made)|how does|work|works|what do \w+s do"
    r"|made (?:of|from)|ingredients?|recipe|joke|story|poem|song|weather|temperature|capital|president)\b"
)
RECORDED = re.compile(
    r"\b(?:latest|last|readings?|trend\w*|recent|current|record\w*|history|show|tell|vitals?)\b"
)
PRONOUN = re.compile(r"\b(?:it|that|those|them|they|this one|that one|these|he|she|him|her|there)\b")
ELLIPSIS = re.compile(r"^(?:and|or|what about|how about|but|also|then|same for|now)\b")
TAKEN_FOR = re.compile(r"\b(?:for(?! (?:medic|drug|food))|take|taking)\b")
DEFINITION = re.compile(r"what (?:is|are) (?!the\b)")
PASSWORD_ADVICE = re.compile(
    r"\b(?:how (?:do|can|should) (?:i|you|we|one) (?:make|create|choose|pick|change|reset)"
    r"|good password|strong)\b"
)
AMBIGUOUS = named(
    r"""
    next (?:when|what) is (?:my |the )?next(?: one)?|(?:what|anything) (?:is )?(?:due|coming up)(?: next)?
    missing (?:when|how often|how much|why) (?:do|should|did) i take (?:it|that|this|them|one)
    missing (?:tell me )?(?:more )?about (?:it|that|this)|where is (?:it|that)
    missing who (?:is|prescribed) (?:it|that)|how (?:much|many)|is ITEM due(?: soon| yet| now| today)?
    missing (?:and )?how does ITEM compare|how many are left|when was the last one
    missing is ITEM (?:too )?(?:high|low)|is ITEM still on|what (?:is|was) the (?:average|(?:last )?reading)
    missing when do i (?:go )?see (?:him|her|them)
    missing (?:and )?the one before(?: that| this| it)?(?: what (?:was|is) ITEM)?
    missing (?:and )?(?:when|where|who|how much|what|how many|why) (?:is|was|are|were) ITEM(?: again| due)?
    missing (?:and )?(?:when|where|how much|what|who) ITEM (?:is|was|are|were)(?: due| for)?
    missing (?:and )?(?:what|how) about (?:the other|that|this|the same) (?:one|doctor|thing|pill|place)
    missing (?:and )?how many (?:of (?:it|them|those|these)|refills) (?:is|are) left(?: on (?:it|that|those))?
    missing (?:and )?how much (?:did|does|do|is|was|were|are) ITEM(?: cost| come to| run)?(?: me| us)?
    missing (?:and )?what (?:did|does|do) ITEM cost(?: me| us)?
    missing (?:and )?(?:what|who) (?:is|was|are|were) ITEM (?:for|called|from|with|about)
    missing (?:and )?(?:when|where|why) (?:did|do) (?:i|we) (?:buy|get|pay|see|take|need) ITEM
    missing (?:and )?(?:when|why) did (?:i|we) (?:start|stop)(?: taking| using)? ITEM
    missing (?:and )?(?:do|should|must|did) (?:i|we) (?:still |already )?(?:take|need|pay|have|buy) ITEM
    missing (?:and )?did (?:i|we) (?:already )?(?:take|pay|buy) ITEM (?:yet|again|already)
    missing (?:and )?(?:how (?:often|much|many|long)) (?:do|did|should) i (?:take|need|use|pay for) ITEM
    missing (?:and )?how much did (?:i|we) (?:spend|pay) (?:at|for|on|in) (?:that|this|the same) (?:place|one)
    missing (?:and )?(?:how much|what) did (?:i|we) (?:spend|pay|buy|get) there
    missing (?:and )?how much did (?:i|we) (?:spend|pay) (?:at|for|on|in) (?:it|them|there|that|this)
    missing (?:and )?what time (?:does|is|was|will|did) ITEM(?: start| begin| be| end| at)?(?: again)?
    missing (?:and )?the other one when|did it go (?:through|out|up|down)
    missing (?:can you )?tell me about the thing from .*
    missing (?:and )?WHETHER (?:\w+ ){0,3}?(?:take|use|taking|using|be on|on) ITEM(?: TAKEN)?
    missing (?:and )?(?:how (?:often|much|long)|when|what time|why) WHETHER (?:\w+ ){0,5}?TAKE ITEM
    missing (?:and )?(?:how many refills|how much|what dose|any refills) (?:does|do|did) ITEM have(?: left)?
    missing (?:and )?(?:does|do) ITEM (?:still )?(?:have|need|get) (?:any |a )?(?:refills?|food)(?: left)?
    missing (?:and )?(?:can|could|should|does|do|is|was) ITEM (?:be |get |need to be |have to be )?REFILLED
    missing (?:and )?(?:is|are|was) ITEM (?:an? )?(?:tablet|pill|capsule|inhaler|prescription)s?
    missing (?:and )?am i (?:still )?allergic to ITEM
    missing (?:and )?ASKED (?:i|we)(?: EVER)* SIDE \d+(?: over \d+)?(?: WHEN)?
    """.replace(
        "WHETHER", r"(?:do|does|did|should|must|can|could|may|am|have|has)(?: (?:i|we|she|he|they|you))?"
    )
    .replace("EVER", "(?:ever|first|last|still|been|went|was|get|gone|go)")
    .replace("SIDE", "(?:under|below|over|above)")
    .replace(
        "ASKED",
        r"(?:when|how (?:many times|often)|have|did|was|am)(?: (?:was|did|have|is|the|last"
        r"|first|time))*",
    )
    .replace("WHEN", r"(?:since|in|this|last) \w+(?: \w+)?")
    .replace("TAKEN", r"(?:with|without|before|after|at|in the|on an empty) (?:\w+|a meal|or without food)")
    .replace("TAKE", "(?:take|use|taking|on)")
    .replace(
        "REFILLED", r"(?:refilled|renewed|taken|used)(?: (?:with|without|before|after|at) (?:\w+|a meal))?"
    )
    .replace("ITEM", "(?:it|that|this|they|those)(?: one)?")
)

METRIC_WORDS: dict[str, re.Pattern[str]] = {
    "blood pressure": re.compile(r"\b(?:blood ?pressures?|systolic|diastolic|pressure)\b"),
    "weight": re.compile(r"\b(?:weights?|weigh\w*|pounds|kilos|scale)\b"),
    "glucose": re.compile(r"\b(?:glucose|blood ?sugars?|sugar levels?|sugars?)\b"),
    "heart rate": re.compile(r"\b(?:heart ?rates?|pulse|heart ?beats?|resting heart)\b"),
}
ALLERGY_CATEGORY = named(
    r"""
    drug medications?|medicines?|drugs?|antibiotics?|pills?
    food foods?|eat
    environment environment\w*|outdoor|seasonal
    """
)
SPENDING_WORDS: dict[str, re.Pattern[str]] = {
    "groceries": re.compile(r"\b(?:grocer\w*|supermarket|food shopping|(?<!pet )(?<!dog )(?<!cat )food)\b"),
    "dining": re.compile(r"\b(?:dining|restaurants?|eating out|eat out|takeout|take out|coffee)\b"),
    "fuel": re.compile(r"\b(?:fuel|gas|gasoline|petrol|gas station)\b"),
    "utilities": re.compile(r"\b(?:utilit\w+|electric\w*|power|internet)\b"),
    "pharmacy": re.compile(
        r"\b(?:pharmac\w+|chemists?|drug ?store|prescriptions?|medications?|medicines?)\b"
    ),
    "medical": re.compile(r"\b(?:medical|doctors?|health ?care|clinics?|copays?)\b"),
    "rent": re.compile(r"\b(?:rent|housing|apartment)\b"),
}
PARTS_OF_DAY: dict[str, re.Pattern[str]] = {
    "morning": re.compile(r"\b(?:morning|wake up)\b"),
    "breakfast": re.compile(r"\bbreakfast\b"),
    "afternoon": re.compile(r"\b(?:afternoon|noon|midday|lunch)\b"),
    "dinner": re.compile(r"\b(?:dinner|supper)\b"),
    "evening": re.compile(r"\b(?:evening|tonight)\b"),
    "night": re.compile(r"\b(?:night|bedtime|bed|tonight)\b"),
}
