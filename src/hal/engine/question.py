"""A question understood: what it is about, what is asked of which records, and under which conditions.

A reading explains every word of a question. `settle` decides what becomes of one with words left over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache

from hal.engine import (
    asides,
    beside,
    conditions,
    discourse,
    numbers,
    period_grammar,
    rules,
    synonyms,
    vocabulary,
    wordings,
)
from hal.engine.actions import ACTIONS
from hal.engine.conditions import Conditions
from hal.engine.entities import Entities, Naming, by_kind, find_entities
from hal.engine.period_grammar import CONSUMED
from hal.engine.periods import Period
from hal.engine.records import Household
from hal.engine.subject import ENTITY_EVIDENCE, is_of_a_price, subject
from hal.engine.text import normalise, said_once, write_out
from hal.engine.vocabulary import Leftover, leftovers
from hal.protocol import Intent

MAX_CHARACTERS = 500  # of a text that is looked at: a minute of speech
FEW = 4
_HONOURED = {
    Intent.MEDICATION: {"medications", "unclear", "purposes", "providers", "allergens"},
    Intent.APPOINTMENT: {"providers", "reasons", "places"},
    Intent.ALLERGY: {"allergens", "reactions", "sorts"},
    Intent.HEALTH_DATA: {"metrics"},
    Intent.TRANSACTION: {"merchants", "categories", "providers"},
}
_ASKED_WHETHER = ("MEDICATION_ADVICE", "MEDICATION_INTERACTIONS")
_ASKED_AGAIN = re.compile(r"\b(?:what|how|which|spen[dt]|spending|take|taking)\b")
_EXCLUSION = re.compile(
    r"\b(?:besides|except(?:ing)?(?: for)?|other than|apart from|aside from|outside of|not counting|not "
    r"including"
    r"|excluding"
    r"|leaving out|minus|(?<=\w )but(?! (?:what|how|when|where|who|i|is|not|do"
    r"|did)\b)(?= (?:\w+ ){0,3}\w+$)|but not|rather than|(?:all|everything|anything) but"
    r"|without(?! (?:food|a meal"
    r"|eating|any|refills))"
    r"|(?:(?:that|which) )?(?:(?:is|are|was|were) )?(?<!am )not (?:with|at|for|on|to|from|in|about"
    r"|counting)"
    r"|(?:that|which) (?:is|are|was|were) not)\b"
)
_PAST = re.compile(
    r"\b(?:did|was|were|had|last|been|seen|saw|past|previous|took|used to|ago|went|gone|visited|visiting"
    r"|attended|have done|(?:did|have|had) (?:\w+ ){0,3}already|already (?:done|had)|so far)\b"
)
_CALLED_OFF = re.compile(r"\bcancell?ed\b")  # of a visit that would be to come
_FILLERS = re.compile(r"\b(?:uh+|um+|erm?|hmm+|ah)\b")
_LEAD = (
    r"^(?:so |well |like )*(?:i would like to know|i want to know|i need to know|i was wondering"
    r"|i wonder|do you know"
    r"|(?:can|could|would) you (?:please )?(?:tell|remind) me|(?:do you have )?any idea"
    r"|do you remember|(?:please )?(?:tell|remind) me) "
)
_LEAD_IN = re.compile(
    rf"{_LEAD}(?:if |whether )?(?=(?:what|when|where|who|which|how|why|i|my|the|do|did|am|is|are"
    r"|we)\b)(?!the (?:time|date|(?:day|night|evening|week|morning) before))"
)
# "Tell me if I take it" asks whether I do.
_WHETHER = re.compile(rf"{_LEAD}(?:if|whether) i (?=(?:take|have|need|see|get|use|pay|spend)\b)")
_WHETHER_I_DID = re.compile(rf"{_LEAD}(?:if|whether) i (?=(?:took|had|saw|went|used|paid|spent|bought)\b)")
_WHETHER_I_AM = re.compile(rf"{_LEAD}(?:if|whether) i am ")
_ANYTHING_ON = re.compile(
    r"^(?:and )?(?:what|do|have|anything|is there|am|are)\b.*\b(?:have|got|going on|planned|happening"
    r"|doing|free|busy|on|attend|there)\b"
    r"|^(?:and )?(?:anything|something|is there anything|are there any|first thing)\b|\b(?:free|busy"
    r"|booked)$"
    r"|^where (?:do|must|am) (?:i|we) (?:\w+ to )?(?:go|be|going|expected)\b"
    r"|^(?:list|show|read|go over|run through)\b"
    r"|^where (?:i|we|she|he) (?:must|should|have to|has to|need to) (?:go|be)\b"
)
# What tells that a sum of the household's is asked for, and that a value was recorded.
_SUMS = re.compile(
    r"\bhow much\b|\btotals?\b|\bamounts?\b|\bspen[dt]\w*|\bpaid\b|\bbills?\b|\b(?:versus|vs|compared?"
    r"|higher|lower|more|less)\b"
    r"|\baverage\b|\blast time\b|\bhow many times\b|\bhow often\b|\b(?:over|under) \d|\b(?:priciest"
    r"|biggest|largest|smallest|latest|last|dollars|altogether|together|combined|in all|copays?|charges?"
    r"|income|received"
    r"|costing|(?:come|came|comes|go|goes|gone|went) out)\b"
)
_OWN_MONEY = re.compile(
    r"\b(?:income|spending|expenses|purchases|charges|deposits|pension|paychecks?|bills|payments)\b"
)
_MEASURED = re.compile(
    r"\b(?:was|were|went|gone|been|had|now|currently|times|average|highest|lowest|latest|last|first"
    r"|numbers?"
    r"|readings?|measured|recorded|the (?:blood|weight|sugar|glucose|heart|pulse|pressure)|what happens"
    r"|reaction)\b"
)
_OF_ANYONE = re.compile(
    r"\b(?:too|should|dangerous|healthy|supposed|safe|for (?:an?|people|adults?|men|women|someone)"
    r"|an? (?!day|week|month|year|time|visit|reading)\w+)\b"
)
_YES_NO = re.compile(
    r"^(?:and |but |so )?(?:is|are|am|was|were|do|does|did|have|has|had|can|could|should|will|would|i am"
    r"|i have|i do|we)\b"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What a question asks.

    Attributes:
        text: the normalised question.
        intent: its subject; GENERAL when it is not about the records.
        action: what it asks within the subject, or "" when it does not say.
        periods: the stretches of time it names, in order.
        part_of_day: morning, afternoon, evening, night.
        continued: whether it was completed from the turn before.
        entities: the names of the records it names, by kind; see `find_entities`.
        excluded, excluded_periods: those that it leaves out.
        conditions: what else narrows it.
        leftover: the words that none of this explains.
        further: how many records after, or before, the one that it would tell are passed over.
    """

    text: str
    intent: Intent = Intent.GENERAL
    action: str = ""
    periods: tuple[Period, ...] = ()
    part_of_day: tuple[str, ...] = ()
    continued: bool = False
    entities: Entities = field(default_factory=dict)
    excluded: Entities = field(default_factory=dict)
    excluded_periods: tuple[Period, ...] = ()
    conditions: Conditions = field(default_factory=Conditions)
    leftover: tuple[Leftover, ...] = ()
    further: int = 0

    @property
    def period(self) -> Period | None:
        """Return the stretch of time it names: the first, or those that follow each other as one."""
        if len(self.periods) < 2 or self.conditions.comparison:
            return self.periods[0] if self.periods else None
        first, *more = sorted(self.periods, key=lambda each: each.start)
        for each in more:
            label = f"{first.label} and {period_grammar.bare_label(each)}"
            first = Period(first.start, max(first.end, each.end), label)
        return first

    @property
    def is_yes_no(self) -> bool:
        """Tell whether it can be answered by yes or no."""
        return bool(_YES_NO.search(self.text))

    def named(self, kind: str) -> tuple[str, ...]:
        """Return the records of one kind that it names."""
        return self.entities.get(kind, ())

    def leaves_out(self, kind: str) -> tuple[str, ...]:
        """Return the records of one kind that it excludes."""
        return self.excluded.get(kind, ())

    def covers(self, when: date) -> bool:
        """Tell whether a day is in the period it names, if it names one, and in none that it excludes."""
        if any(when in each for each in self.excluded_periods):
            return False
        return not self.periods or any(when in each for each in self.periods)


@lru_cache(maxsize=16)  # a question is read for dangers and for what it asks
def plain(text: str) -> str:
    """Return a question in the form in which it is read: plain words, dates and amounts written out."""
    said = _FILLERS.sub("", normalise(write_out(text)))
    said = discourse.strip(numbers.in_digits(said_once(said)))
    for pattern, asks in ((_WHETHER, "do i "), (_WHETHER_I_DID, "did i "), (_WHETHER_I_AM, "am i ")):
        said = pattern.sub(asks, said)
    return wordings.spell_out(synonyms.unify(_LEAD_IN.sub("", said)))


def parse(text: str, household: Household, today: date, intent: Intent | None = None) -> Question:
    """Understand a question by itself.

    Arguments:
        text: the question.
        household: its records.
        today: what relative times count from.
        intent: its subject if that is known from elsewhere.
    """
    said = plain(asides.without(text[:MAX_CHARACTERS], household))
    question = _read(said, household, today, intent)
    if intent is None and (question.leftover or question.intent == Intent.GENERAL):
        for asked, told in asides.apart(said, household):
            alone = _read(asked, household, today, None)
            if _is_whole(alone) and _is_beside(told, alone, household, today):
                return alone
    return question


def _is_whole(question: Question) -> bool:
    """Tell whether a part of what was said is a question of the records that is understood in full."""
    narrowed = (
        question.periods or question.part_of_day or question.conditions.named() or names_records(question)
    )
    return (
        question.intent not in (Intent.GENERAL, Intent.PASSWORD) and not question.leftover and bool(narrowed)
    )


def _is_beside(told: str, question: Question, household: Household, today: date) -> bool:
    """Tell whether what was told beside a question changes nothing in it.

    It names no record of the question's subject, and a time only where the question has its own.
    """
    named = by_kind(find_entities(told, household))
    if any(belongs(kind, question.intent) for kind in named):
        return False
    own = bool(question.periods or question.conditions.named())
    return own or not (
        vocabulary.TIME_WORDS.search(told) or period_grammar.read(told, today, future=False).periods
    )


def _read(said: str, household: Household, today: date, intent: Intent | None) -> Question:
    """Understand a plain text as one question."""
    named = find_entities(said, household)
    everything = by_kind(named)
    best, worldly = (intent, False) if intent else subject(said, everything)
    question = Question(said, intent=Intent.GENERAL if worldly else best, entities=everything)
    intent = question.intent
    if worldly:
        own = _complete(replace(question, intent=best), named, household, today)
        first = own.leftover[0].words if len(own.leftover) == 1 and own.periods else ""
        named_first = bool(first) and said.startswith(first)
        if (not own.leftover or named_first) and _is_of_the_records(own):
            return own
    if intent == Intent.GENERAL and _ANYTHING_ON.search(said):
        dated = _complete(replace(question, intent=Intent.APPOINTMENT), named, household, today)
        if dated.periods and not dated.leftover:
            return dated
    if (
        intent == Intent.GENERAL
        and {"merchants", "categories"} & set(everything)
        and not (rules.GENERAL_KNOWLEDGE.search(said) or _OF_ANYONE.search(said))
    ):
        dated = _complete(replace(question, intent=Intent.TRANSACTION), named, household, today)
        if not dated.leftover and (dated.periods or _is_of_the_records(dated)):
            return dated
    return _complete(question, named, household, today)


def _complete(question: Question, named: list[Naming], household: Household, today: date) -> Question:
    """Read what depends on the subject: periods, conditions, exclusions, the action, what is left over."""
    intent, text = question.intent, question.text
    if intent in (Intent.GENERAL, Intent.PASSWORD):
        return replace(question, leftover=tuple(leftovers(text, intent)))
    tail = _excluded_words(text)
    asked_whether = intent != Intent.MEDICATION or rules.first(ACTIONS[intent], text) in _ASKED_WHETHER
    honoured = [
        each
        for each in named
        if each.kind in _HONOURED[intent] and (each.kind != "allergens" or asked_whether)
    ]
    kept = [each for each in honoured if not set(each.words) & set(tail)]
    dropped = [each for each in honoured if set(each.words) & set(tail)]
    coming = intent in (Intent.APPOINTMENT, Intent.MEDICATION) and (
        not _PAST.search(text) or bool(_CALLED_OFF.search(text))
    )
    words = text.split()
    around: tuple[Period, ...] = ()
    if intent == Intent.APPOINTMENT and coming and not tail:
        around, kept, words = beside.visits(text, kept, household, today)
    for each in honoured:
        for position in each.words:
            words[position] = CONSUMED
    head = " ".join(word for i, word in enumerate(words) if i not in tail)
    cut = " ".join(words[i] for i in tail)
    read = period_grammar.read(head, today, future=coming)
    left_out = period_grammar.read(cut, today, future=coming)
    narrowed, rest = conditions.read(read.rest, intent)
    excluded_periods: tuple[Period, ...] = ()
    periods_read = (*read.periods, *around)
    if left_out.periods and not dropped:
        excluded_periods = left_out.periods
    else:
        periods_read = (*periods_read, *left_out.periods)
    excluding = _EXCLUSION.search(text)
    marker = set(excluding[0].split()) if excluding else set()
    unread: tuple[Leftover, ...] = ()
    if tail and (left_out.periods or dropped) and not _ASKED_AGAIN.search(cut):
        cut_rest = " ".join(word for word in left_out.rest.split() if word not in marker)
    else:
        cut_rest = ""  # it excludes nothing that is understood
        unread = (Leftover(text.split(maxsplit=tail.start)[-1], "", owned=False),) if tail else ()
    if intent == Intent.MEDICATION:
        unread = (*unread, *beside.medicine(text, kept))
    if around and read.periods:  # "next week before the dentist" is neither of the two
        unread = (*unread, Leftover(around[0].label.split()[0], "", owned=False))
    searched = " ".join(word for i, word in enumerate(text.split()) if i not in tail)
    if intent != Intent.MEDICATION:
        without_periods = period_grammar.read(searched, today, future=coming).rest
        searched = " ".join(word for word in without_periods.split() if word != CONSUMED)
    if intent == Intent.TRANSACTION:
        periods_read = tuple(period_grammar.around(each, today) for each in periods_read)
    periods_read = periods_read if narrowed.comparison else period_grammar.narrowest(periods_read, text)
    parts = tuple(part for part, pattern in rules.PARTS_OF_DAY.items() if pattern.search(text))
    others = {k: v for k, v in question.entities.items() if k not in {each.kind for each in honoured}}
    return replace(
        question,
        action=rules.first(ACTIONS[intent], searched) or "",
        periods=periods_read,
        part_of_day=parts if narrowed.hours is None else (),
        entities={**others, **by_kind(kept)},
        excluded=by_kind(dropped),
        excluded_periods=excluded_periods,
        conditions=narrowed,
        leftover=(*leftovers(rest, intent), *leftovers(cut_rest, intent), *unread),
    )


def _excluded_words(text: str) -> range:
    """Return the positions of the words from an exclusion ("except the dentist") to the end."""
    match = _EXCLUSION.search(text)
    if match is None:
        return range(0)
    return range(text[: match.start()].count(" "), len(text.split()))


def names_records(question: Question) -> bool:
    """Tell whether a question names records of its own subject."""
    return any(belongs(kind, question.intent) for kind in question.entities)


def belongs(kind: str, intent: Intent) -> bool:
    """Tell whether records of a kind are those of a subject."""
    return ENTITY_EVIDENCE[kind][0] == intent


def _is_of_the_records(question: Question) -> bool:
    """Tell whether a question that is explained in full, and does not say whose, is for what was recorded."""
    text = question.text
    if question.intent == Intent.PASSWORD or rules.GENERAL_KNOWLEDGE.search(text) or _OF_ANYONE.search(text):
        return False
    if question.intent == Intent.TRANSACTION:
        if question.periods and ("merchants" in question.entities or _OWN_MONEY.search(text)):
            return True
        return bool(_SUMS.search(text)) and ("merchants" in question.entities or not is_of_a_price(text))
    return bool(question.periods or question.conditions.named() or _MEASURED.search(text))
