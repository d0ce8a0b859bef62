"""Clauses that only tell something beside a question, which is read without them."""

from __future__ import annotations

import re

from hal.engine import rules
from hal.engine.entities import find_entities
from hal.engine.records import Household
from hal.engine.text import normalise
from hal.engine.vocabulary import TIME_WORDS

_CLAUSE_ENDS = r"[,;.!?]+ +"
# What is only told, by its first words, and what may still narrow or turn a question.
_ASIDE = re.compile(
    r"^(?:and |but |so )?(?:i|it|we|they|everyone|everybody|people|somebody|someone) (?:am |was |is |are "
    r"|were |have )?"
    r"(?!wonder|want|need|would|should|can|could|forgot|must|know|mean|see|have|had)\w+ \w+"
)
_NARROWS = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|not|never|no|only|except|besides|apart|but"
    r"|without|than"
    r"|more|less|most|least|average|total|all|today|tomorrow|yesterday|tonight|morning|afternoon|evening"
    r"|night|last|next"
    r"|this (?:week|month|year)|first|other|another|again|january|february|march|april|may|june|july"
    r"|august|september"
    r"|october|november|december|\w+day|take|takes|took|taken|taking|ate|eat|drank|swallowed|touched"
    r"|medic\w*|pills?"
    r"|tablets?|doses?|refills?|prescri\w*|appoint\w*|visit\w*|doctors?|see|saw|seen|allerg\w*|react\w*"
    r"|weigh\w*"
    r"|pressure|sugar|spen[dt]\w*|paid|pay|bought|buy|costs?|bills?|money|die|dying|dead|kill|hurts?"
    r"|pain\w*|breath\w*"
    r"|chest|blood|sick|dizzy|faint\w*|fell|wife|husband|mother|mom|father|dad|sons?|daughters?|sister"
    r"|brother|friend"
    r"|neighbou?r|my|her|his|their)\b"
)


# What a person says of themselves or others before a question that is whole by itself, and what turns that.
_TELLS = re.compile(
    r"^(?:and |but |so |oh |well |now |you know |it is just |because )*(?:i|we|it|they|he|she|you|there"
    r"|somebody|someone|everybody|kids|(?:my|our|the) \w+) (?!bought |buy |paid |pay )\w+ \w+"
)
_TURNS = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|only|except|besides|apart|without|than"
    r"|counting|excluding|other|another|else|for (?:my|her|his|their|the|an?)|her|his|their|hers"
    r"|theirs|take|takes|took|taken|taking|ate|eat|drank|swallowed|touched|had|bought|paid|spent"
    r"|spend|doses?|pills?|tablets?|refills?|medic\w*|prescri\w*|appoint\w*|allerg\w*|weigh\w*"
    r"|pressure|sugar|cancel\w*|change\w*|die|dying|dead|kill|hurts?|pain\w*|breath\w*|chest|blood"
    r"|sick|dizzy|faint\w*|fell|instead|stop\w*|mean|meant|rather|january|february|march|april|june"
    r"|july|august|september|october|november|december)\b"
)
# Where a question begins after a story that no mark parts from it, and a remark after the question.
_BEGINS = re.compile(
    r" (?:(?:what|when|where|which|how|who)(?: \w+){0,3}? (?:is|are|was|were|do|does|did|has|have|am|can"
    r"|should|will)|(?:do|did|have|am|can|should|was|were) i"
    r"|(?:is|are|was|has|does|did|were|do) (?:my|the|there|doctor))\b"
)
_JOINED = re.compile(r"(?: (?:and|so|but|anyhow|anyway|now|then))+$")
_STORY_TURNS = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|only|except|besides|apart|without|than|counting"
    r"|excluding|else|for (?:my|our|the|her|his|their|an?)|hers?|his|theirs|take|takes|took|taken|taking"
    r"|swallowed|touched|ate|eat|drank|doses?|pills?|tablets?|refills?|medic\w*|prescri\w*|appoint\w*|allerg\w*"
    r"|weigh\w*|pressure|sugar|cancel\w*|change\w*|die|dying|dead|kill|hurts?|pain\w*|breath\w*|chest"
    r"|blood|sick|dizzy|faint\w*|fell|instead|stop\w*)\b"
)
_REMARKS = re.compile(
    r" (?:(?:and|but|because|since|cause) )?(?=(?:i|it|we|they|she|he|that|somebody|everybody) (?:just "
    r"|really |still |only |was |am |were |is |are )*(?:am|was|is|are|were|had|have had|feel|felt"
    r"|feels|keep|kept"
    r"|get|got|seems?|seemed|looks?|looked|likes?|loved?|hate|hope|bet|swear|thought|figured|promised|guessed"
    r"|\w+ing) \w+)"
)
_CLOSED = re.compile(
    r"\b(?:\w+day|weeks?|months?|years?|days?|ago|january|february|march|april|may|june|july|august"
    r"|september|october|november|december|today|tonight|tomorrow|yesterday|morning|afternoon|evening"
    r"|night|now|currently|lately|recently|christmas|thanksgiving|20\d\d|\d+(?:st|nd|rd|th))$"
)
_ASKS = re.compile(
    r"^(?:and |but |so )?(?:what|when|where|who|which|how|do|does|did|am|is|are|was|were|have|has)\b"
)


def without(text: str, household: Household) -> str:
    """Return a question without the clauses that only tell something beside it: "I'm always asked this, …".

    Such a clause names no record, time, number or negation, and none of the words that a subject is asked by.
    """
    clauses = re.split(_CLAUSE_ENDS, text)
    if len(clauses) == 1:
        return text
    asked, _, told = text.partition("? ")
    after = [normalise(each) for each in re.split(_CLAUSE_ENDS, told) if each.strip()]
    if after and _ASKS.search(normalise(asked)) and all(_is_told(each, household) for each in after):
        return asked
    last = normalise(clauses[-1])
    is_whole = (
        bool(_ASKS.search(last)) and not rules.PRONOUN.search(last) and bool(find_entities(last, household))
    )
    kept = [
        each
        for place, each in enumerate(clauses, 1)
        if not (
            _is_aside(normalise(each), household)
            or (is_whole and place < len(clauses) and _is_told(normalise(each), household))
        )
    ]
    return ", ".join(kept) if 0 < len(kept) < len(clauses) else text


def apart(text: str, household: Household) -> list[tuple[str, str]]:
    """Return a normalised question's parts that may be whole by themselves, each with what is told beside it.

    A story before it ends where the question begins; a remark after it begins where a name or time has ended.
    """
    found = []
    before = story(text)
    told, asked = _JOINED.sub("", before), text[len(before) + 1 :]
    if told and not (_STORY_TURNS.search(told) or rules.PRONOUN.search(asked)):
        found.append((asked, told))
    for match in _REMARKS.finditer(text):
        asked, remark = text[: match.start()], text[match.end() :]
        if not _ASKS.search(asked) or _NARROWS.search(remark) or TIME_WORDS.search(remark):
            continue
        last = asked.count(" ")
        named = find_entities(asked, household)
        if (_CLOSED.search(asked) or any(last in each.words for each in named)) and not find_entities(
            remark, household
        ):
            found.append((asked, remark))
    return found


def story(text: str) -> str:
    """Return what a normalised question only tells before it asks, "" if it begins with what it asks."""
    begins = list(_BEGINS.finditer(text))
    return text[: begins[-1].start()] if begins and _TELLS.search(text) and not _ASKS.search(text) else ""


def _is_told(clause: str, household: Household) -> bool:
    """Tell whether a clause beside a question that is whole by itself tells nothing that could turn it."""
    tells = _TELLS.search(clause) and not (_TURNS.search(clause) or TIME_WORDS.search(clause))
    return bool(tells) and not find_entities(clause, household)


def _is_aside(clause: str, household: Household) -> bool:
    tells = _ASIDE.search(clause) and not (_NARROWS.search(clause) or TIME_WORDS.search(clause))
    return bool(tells) and all(each.kind == "categories" for each in find_entities(clause, household))
