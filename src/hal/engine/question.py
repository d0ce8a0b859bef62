"""A question understood: what it is about, what is asked of which records, and under which conditions.

A reading explains every word of a question. `settle` decides what becomes of one with words left over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date

from hal.engine import (
    asides,
    beside,
    conditions,
    discourse,
    numbers,
    period_grammar,
    rules,
    synonyms,
    wordings,
)
from hal.engine.actions import ACTIONS
from hal.engine.conditions import Conditions
from hal.engine.entities import Entities, Naming, by_kind, find_entities
from hal.engine.evidence import EVIDENCE
from hal.engine.period_grammar import CONSUMED
from hal.engine.periods import Period
from hal.engine.records import Household
from hal.engine.text import normalise, said_once, write_out
from hal.engine.vocabulary import Leftover, leftovers
from hal.protocol import Intent

MAX_CHARACTERS = 500  # of a text that is looked at: a minute of speech
ENOUGH_EVIDENCE = 3
SHORT = 5
FEW = 4
ENTITY_EVIDENCE = {
    "medications": (Intent.MEDICATION, 3),
    "unclear": (Intent.MEDICATION, 3),
    "purposes": (Intent.MEDICATION, 1),
    "providers": (Intent.APPOINTMENT, 3),
    "reasons": (Intent.APPOINTMENT, 3),
    "places": (Intent.APPOINTMENT, 1),
    "allergens": (Intent.ALLERGY, 3),
    "reactions": (Intent.ALLERGY, 1),
    "sorts": (Intent.ALLERGY, 0),
    "metrics": (Intent.HEALTH_DATA, 4),
    "merchants": (Intent.TRANSACTION, 3),
    "categories": (Intent.TRANSACTION, 1),
}
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
    r"|we)\b)(?!the (?:time|date))"
)
# "Tell me if I take it" asks whether I do.
_WHETHER = re.compile(rf"{_LEAD}(?:if|whether) i (?=(?:take|have|need|see|get|use|pay|spend)\b)")
_WHETHER_I_DID = re.compile(rf"{_LEAD}(?:if|whether) i (?=(?:took|had|saw|went|used|paid|spent|bought)\b)")
_WHETHER_I_AM = re.compile(rf"{_LEAD}(?:if|whether) i am ")
_SPECIALIST = re.compile(
    r"\b\w*(?:ologist|iatrist|ometrist|dontist|surgeon|chiropractor|practitioner|pediatrician|therapist"
    r"|hygienist|pedist|allergist|internist|podiatry|dermatology)s?\b"
)
_WHO_IS_SEEN = re.compile(
    r"\bwho (?:did|do|am|have|will) (?:i|we) (?:\w+ )?(?:see|seeing|seen|visit)\b|\b(?:see|seen|seeing"
    r"|visit) (?:anyone|anybody|someone|somebody)\b|\bhave (?:i|we) seen (?:a|any) doctors?\b|\bdoctors "
    r"(?:am|do|did"
    r"|will) (?:i|we) (?:see|seeing)\b"
)
_WENT_TO_DOCTOR = re.compile(r"\b(?:go|gone|went|been) to (?:the |a |my )?(?:doctors?|dentist)\b")
_ON_MEDICINE = re.compile(
    r"^(?:do|does|am|is) (?:i|she|he) (?:still |currently |also |ever )?(?:take|taking|on)\b(?! (?:time"
    r"|call|track|hold|the|out"
    r"|off|care|after))"
    r"|^what (?:do|should|must) i (?:need to |have to )?take (?:tonight|today|now|tomorrow|in|at|before"
    r"|after|with|on|for)\b"
    r"|\b(?:everything|all|pills|anything|something|things?|ones?) (?:that )?(?:i|she|he) (?:have to "
    r"|should |need to )?take\b|^what (?:was|am) i on\b"
    r"|\b(?:does|do|must|should) (?:i|she|he|we) (?:have to |need to )?take (?:anything "
    r"|something )?(?:at|in the|before"
    r"|with|on)\b"
    r"|\b(?:take|taking) (?:something |anything )?next\b(?! (?:week|month|year|\w+day))"
    r"|\bnext (?:thing|one|pill)s? (?:that )?(?:i|we) (?:should |must |have to |need to )?take\b"
    r"|\b(?:left|remaining|else|next) to take\b|\bstill (?:\w+ )?(?:to |must |should )take\b"
)
_OWN_BILL = re.compile(
    r"\bhow much (?:is|are) (?:my|our|the)\b|^what (?:is|was|are|were) (?:my|our) (?:\w+ ){0,2}(?:rent"
    r"|bills?|insurance"
    r"|payments?|spending)\b|\bspen[dt] on\b|\bcompare (?:my|our)\b|^how much (?:was"
    r"|were)\b|\b(?:my|our) "
    r"(?:\w+ )?bills?\b"
    r"|\b(?:my|our) (?:last|latest) (?:flight|plane|hotel|hair ?cut|take ?out|streaming|gas|grocer\w+)\b"
)
_WENT = re.compile(
    r"\b(?:last time (?:i|we) (?:went|was|were|shopped|ate)|(?:often|times) (?:do|did|have) (?:i"
    r"|we) (?:go|gone|been))\b"
)
_PERMISSION = re.compile(
    r"\b(?:can|could|may|should|safe|ok|okay|alright|all right|fine|bad)\b.*\b(?:take|taking|use|using"
    r"|eat|eating"
    r"|have|had|ate|drink|try)\b"
    r"|\b(?:safe|ok|okay|all ?right|alright|fine|bad|allowed|dangerous) (?:for|to) (?:me|someone|her|him"
    r"|us|my)\b"
)
_MONEY = re.compile(r"\b(?:spen[dt]\w*|paid|pay|cost|costs|bill|bills|charge[ds]?|how much (?:was|were))\b")
_MEDICINE = re.compile(r"\b(?:medic(?:ation|ine)s?|prescriptions?|pills?|drugs?|prescribed?)\b")
_TAKES = re.compile(r"\b(?:take|use|taking|using)\b")
_DATED = re.compile(r"\b(?:this|last|past) (?:week|month|year)\b")
_MONEY_MOVED = re.compile(
    r"\b(?:purchases|charges|transactions)\b|^how much (?:was|were)\b"
    r"|^what (?:did|does) the (?:\w+ ){1,2}cost\b|^average (?:spen[dt]|spending)\b"
)
_VISIT = re.compile(r"\b(?:appoint\w*|see|seeing|saw|visit\w*|check ?up)\b")
_WHAT_ONE_DOES = re.compile(
    r"\b(?:does|do) (?:an?|\w+s) \w+ (?:\w+ )?(?:do|cost|help)|\bwhat is an? "
    r"|^what happens (?:at|in|during) an? "
)
_PRICE = re.compile(r"^how much (?:does|do) (?:\w+ ){1,3}cost$|^how much is (?:an?|one|the average) ")
_OF_THE_SUBSTANCE = re.compile(
    r"\bwork\b|\bmade (?:of|from|by|in)\b|\b(?:invented|discovered|ingredients?|chemicals?)\b"
)
_ANYTHING_ON = re.compile(
    r"^(?:and )?(?:what|do|have|anything|is there|am|are)\b.*\b(?:have|got|going on|planned|happening"
    r"|doing|free|busy|on|attend|there)\b"
    r"|^(?:and )?(?:anything|something|is there anything|are there any|first thing)\b|\b(?:free|busy"
    r"|booked)$"
    r"|^where (?:do|must|am) (?:i|we) (?:\w+ to )?(?:go|be|going|expected)\b"
    r"|^where (?:i|we|she|he) (?:must|should|have to|has to|need to) (?:go|be)\b"
)
# What tells that a sum of the household's is asked for, and that a value was recorded.
_SUMS = re.compile(
    r"\bhow much\b|\btotals?\b|\bamounts?\b|\bspen[dt]\w*|\bpaid\b|\bbills?\b|\b(?:versus|vs|compared?"
    r"|higher|lower|more|less)\b"
    r"|\baverage\b|\blast time\b|\bhow many times\b|\bhow often\b|\b(?:over|under) \d|\b(?:priciest"
    r"|biggest|largest|smallest|latest|last)\b"
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
    named = find_entities(said, household)
    everything = by_kind(named)
    best, worldly = (intent, False) if intent else _subject(said, everything)
    question = Question(said, intent=Intent.GENERAL if worldly else best, entities=everything)
    intent = question.intent
    if worldly:
        own = _complete(replace(question, intent=best), named, household, today)
        if not own.leftover and _is_of_the_records(own):
            return own
    if intent == Intent.GENERAL and _ANYTHING_ON.search(said):
        dated = _complete(replace(question, intent=Intent.APPOINTMENT), named, household, today)
        if dated.periods and not dated.leftover:
            return dated
    if (
        intent == Intent.GENERAL
        and {"merchants", "categories"} & set(everything)
        and (len(said.split()) <= FEW or _SUMS.search(said))
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


def _subject(text: str, found: Entities) -> tuple[Intent, bool]:
    """Return what a question is about by the evidence, and whether it seems to be of the world at large."""
    scores = {intent: rules.weight(evidence, text) for intent, evidence in EVIDENCE.items()}
    for kind in found:
        intent, evidence = ENTITY_EVIDENCE[kind]
        scores[intent] += evidence
    if found.get("purposes") and scores[Intent.MEDICATION] > 1 and rules.TAKEN_FOR.search(text):
        scores[Intent.MEDICATION] += 3
    scores[Intent.APPOINTMENT] += 3 * bool(_WENT_TO_DOCTOR.search(text))
    scores[Intent.APPOINTMENT] += 3 * bool(_SPECIALIST.search(text) or _WHO_IS_SEEN.search(text))
    scores[Intent.MEDICATION] += 3 * bool(_ON_MEDICINE.search(text))
    if (_OWN_BILL.search(text) and {"merchants", "categories", "providers"} & set(found)) or (
        _WENT.search(text) and not found.get("metrics")
    ):
        scores[Intent.TRANSACTION] += 3
    if "places" in found and not _MONEY.search(text) and not text.startswith("how much"):
        scores[Intent.APPOINTMENT] += 3
    if found.get("allergens") and _PERMISSION.search(text):
        return (Intent.MEDICATION if _TAKES.search(text) else Intent.ALLERGY), False
    more = scores[Intent.TRANSACTION] >= scores[Intent.APPOINTMENT] or text.startswith("how much")
    more = more or "merchants" in found
    if more and _MONEY.search(text):
        scores[Intent.APPOINTMENT] = 0
    if _MEDICINE.search(text) and not _VISIT.search(text):
        scores[Intent.APPOINTMENT] = 0
    intent = max(scores, key=lambda each: scores[each])
    if scores[intent] < ENOUGH_EVIDENCE:
        return Intent.GENERAL, False
    return intent, _is_general(text, found, intent, scores[intent])


def _is_of_the_records(question: Question) -> bool:
    """Tell whether a question that is explained in full, and does not say whose, is for what was recorded."""
    text = question.text
    if question.intent == Intent.PASSWORD or rules.GENERAL_KNOWLEDGE.search(text) or _OF_ANYONE.search(text):
        return False
    if question.intent == Intent.TRANSACTION:
        return bool(_SUMS.search(text)) and ("merchants" in question.entities or not _PRICE.search(text))
    return bool(question.periods or question.conditions.named() or _MEASURED.search(text))


def _is_general(text: str, found: Entities, intent: Intent, score: int) -> bool:
    """Tell whether a question with some evidence for an intent is still not about the household."""
    if intent == Intent.PASSWORD:
        return bool(rules.PASSWORD_ADVICE.search(text))
    return not rules.PERSONAL.search(rules.COMMAND_ME.sub("", text)) and _is_impersonal(
        text, found, intent, score
    )


def _is_impersonal(text: str, found: Entities, intent: Intent, score: int) -> bool:
    """Tell whether a question that says neither "I" nor "my" is about the world at large."""
    only_named = score <= ENOUGH_EVIDENCE + 1
    known = (
        "providers" in found
        or ("reactions" in found and "allerg" in text)
        or ("medications" in found and not _OF_THE_SUBSTANCE.search(text))
    )
    dated = intent == Intent.TRANSACTION and _DATED.search(text)
    if rules.GENERAL_KNOWLEDGE.search(text) and not known and not dated:
        return True
    if _PRICE.search(text) and "merchants" not in found:
        return True
    if intent == Intent.APPOINTMENT:
        return bool(_WHAT_ONE_DOES.search(text))
    if intent == Intent.HEALTH_DATA:
        defined = rules.DEFINITION.match(text) or len(text.split()) > SHORT
        return bool(defined) and not rules.RECORDED.search(text)
    if intent == Intent.TRANSACTION:
        own = dated or _MONEY_MOVED.search(text) or (" did " in text and "providers" in found)
        return not own and only_named and ("merchants" in found or "categories" not in found)
    return intent == Intent.ALLERGY and only_named
