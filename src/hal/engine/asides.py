"""Clauses that only tell something beside a question, which is read without them."""

from __future__ import annotations

import re

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


def without(text: str, household: Household) -> str:
    """Return a question without the clauses that only tell something beside it: "I'm always asked this, …".

    Such a clause names no record, time, number or negation, and none of the words that a subject is asked by.
    """
    clauses = re.split(_CLAUSE_ENDS, text)
    if len(clauses) == 1:
        return text
    kept = [each for each in clauses if not _is_aside(normalise(each), household)]
    return ", ".join(kept) if 0 < len(kept) < len(clauses) else text


def _is_aside(clause: str, household: Household) -> bool:
    tells = _ASIDE.search(clause) and not (_NARROWS.search(clause) or TIME_WORDS.search(clause))
    return bool(tells) and all(each.kind == "categories" for each in find_entities(clause, household))
