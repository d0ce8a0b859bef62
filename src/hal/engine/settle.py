"""What becomes of a question with words left over: not on record, asked back, or for the model."""

from __future__ import annotations

import re
from dataclasses import dataclass

import jellyfish
from rapidfuzz import fuzz

from hal.engine import asides, never_names, rules, spoken
from hal.engine.answers import CAUTION, SpokenAnswer, Turn
from hal.engine.entities import PLAIN_NAMES
from hal.engine.medication import REFUSALS, narrows
from hal.engine.medicine_classes import CLASS
from hal.engine.period_grammar import SEVERAL
from hal.engine.question import Question, names_records
from hal.engine.text import COMMON, normalise
from hal.engine.unheeded import UNHEEDED
from hal.engine.vocabulary import Leftover
from hal.protocol import Intent

_OF_RECORDS = (
    r"(?:appoint\w*|medic\w*|meds|pills?|tablets?|allerg\w*|blood|sugar|weight|pulse|doctors?|refills?|bills?"
    r"|prescri\w*|dos\w+|visits?|check ?ups?|readings?|pressure)"
)
_ASKS = re.compile(
    rf"^my (?:\w+ ){{0,2}}{_OF_RECORDS}\b|"
    r"(?:^|\band )(?:and |but |so |also |or )?(?:how|what|when|where|which|who|whose|why|is|are|am|was"
    r"|were|do|does|did|have|has|had|can|could|should|may"
    r"|list|show|tell|give|read|total|any|anything|every|everything|look|find|name|check|compare|average"
    r"|highest|lowest|latest|largest|biggest"
    r"|(?:on|at|in|for|to|with|by|from|since|until|till) (?:what|which|whom|when|who|how))\b"
    r"|\b(?:right|am i|correct|true|or not|do i|did i|is it|is not it|when|when is(?: it)?|is when)$"
    r"|\bhow (?:much|many|often|long|soon)\b|(?<!tell me )\b(?:which|what|who|whose|where|why)\b"
    r"|\bwhen (?:do|does|did|is|are|was|were|am|can|will|must|comes?)\b"
    r"|\b(?:do|does|did|has|have|is|are|was|were|am|can|must|should|would|could)"
    r" (?:i|we|she|he|there|it|they)\b|\b(?:is|are) \w+ or (?:is |are )?(?:not )?\w+$"
)
_SPENT = re.compile(
    r"\b(?:spend\w*|spent|pay|paid|paying|buy|bought|purchas\w*|shop\w*|cost|costs|charged?|bills?"
    r"|how much (?:this|last|at|on|in|since)|cash|spending|trips?|go|gone|went|been|visit\w*|order\w*"
    r"|expens\w*|when (?:was|were) (?:i|we) last at)\b"
)
_FACTS = re.compile(
    r"\b(?:a ?1 ?c|hemoglobin|temperature|(?<!hay )fever|cholesterol|oxygen(?: level| saturation)?"
    r"|blood type"
    r"|height|bmi|body mass index"
    r"|epi ?pen|ldl|hdl|triglycerides|respiratory rate|body"
    r" fat|step count|steps|insulin level|kidney function"
    r"|vision prescription"
    r"|insurance (?:number|card|policy|company)|medicare number|cash|withdrawals?|atm|pulse ox"
    r"|(?:tele)?phone number|number of (?:the )?(?:tele)?phone|fax number|(?:policy|member|account"
    r"|group) number"
    r"|(?<=the )address(?= of (?!my\b|the\b))"
    r"|colonoscopy|mammogram|endoscopy|pap smear|(?<=my )potassium"
    r"|flu (?:shot|injection|vaccine|jab)|vaccin\w+|immuni[sz]ation\w*|booster"
    r"|email(?: address)?|street address|mailing address|home address|zip code|directions|parking"
    r"|(?<=did i )sleep|hours of sleep|sleep (?:score|data)|oxygen sats?)\b"
)
_PERSON = re.compile(
    r"\b(?:wife|husband|spouse|partner|sons?|daughters?|mother|mom|father|dad|brother|sister|friend"
    r"|grand\w+|kids?|child"
    r"|children|baby|neighbor|roommate|aunt|uncle|cousin|niece|nephew|boss|dog|cat)\b"
)
# What points at something that was told, as in "is it expensive", of which nothing is known by itself.
_POINTS = re.compile(
    r"^how (?:many|much) of (?:it|them|those|these)\b|\b(?:is|was|does|did|will|can|should) (?:it|they)\b"
    r"(?! (?:true|right|correct|time|ok|okay|safe|because|that)\b)"
    r"|\b(?:take|use|buy|bought|stop|refill|renew|cost|pay|paid|about|for|on|with|of) (?:it|them)"
    r"(?: (?:now|again|later|last time|(?:this|last) (?:week|month|year)))?$"
    r"|\b(?:pay|paid|spend|spent|buy|bought|last time) (?:\w+ ){0,2}?there$"
    r"|\b(?:pay|paid) (?:him|her)\b|\bhow much (?:did|have) (?:i|we) (?:pay|paid) (?:the )?last time$"
)
_ANOTHERS = re.compile(r"^(?:hers|theirs)$")
# Whose records are asked for; who only drives there is not: "my daughter is driving me".
_OF_PERSON = re.compile(
    rf"\b(?:for|of|about|from|does|do|did|is|are|has|have|was|can|could|should|may|will|when|what"
    rf"|where) (?:my|our)"
    rf" (?:\w+ )?{_PERSON.pattern}"
    rf"|{_PERSON.pattern} (?:\w+ )?{_OF_RECORDS}\b|^(?:my|our) {_PERSON.pattern} (?:take|need|see|have)s?\b"
)
_NEVER_A_NAME = re.compile(rf"{never_names.NEVER}|{never_names.ALONE}")
_ADVICE = re.compile(
    r"^(?:how (?:do|can|should|could|would) (?:i|we|you|one)\b|(?:do i|do we) (?:need|have) to (?:see"
    r"|go(?! anywhere)|call|visit)(?! (?:my|doctor|the (?!doctor|hospital)))|should (?:i|we) (?:see|go"
    r"|call|visit|worry)|what should (?:i|we|my|our)"
    r"|what is the difference between an? (?!day|week|month|year)"
    r"|what can (?:i|we) do|is there (?:a|any) way to)\b"
)
_EATS = re.compile(r"\b(?:can|may|could|should) (?:i|we|he|she) (?:still )?(?:eat|drink|take|touch)\b")
_PERMISSION = re.compile(r"\b(?:can|could|may|should|safe|ok|okay|alright|all right|fine)\b")
_OF_ALLERGIES = re.compile(
    r"allerg|sever|react|sensitiv|intoleran|avoid|\b(?:can|may|could) (?:i|we|she|he)|can not i|safe"
    r"|on (?:my|the|her|his) (?:\w+ )?list|if (?:i|she|he) had|if i|when i|what happens"
    r"|(?:ok|okay|all ?right|alright|fine|allowed|dangerous) (?:to|for)"
    r"|^how (?:bad|serious|severe|dangerous) (?:is|are) (?:my|the)"
    r"|can not eat|(?:gives?|causes?|makes?|triggers?|get|hives|rash) "
)
# Who tells something is no asker: "I spent the day at the bank". "Pills I take at night" asks.
_I_OR_WE = re.compile(
    r"^(?:(?:and|but|so|then|today|yesterday|now|just) )*(?:i|we|he|she|they|you|it"
    r"|this(?! (?:week|month|year)\b))\b"
)
# What follows a name that a question begins with: "Starbucks total for February".
_NAMED_FIRST = re.compile(
    r"^ (?:totals?|bills?|spending|purchases|payments|appointments?|visits?|dos(?:e|age)|refills?|allergy"
    r"|prescription|pills?|when|how much|how many|how often|am i|do i|did i|have i)\b"
)
_AFTER_NAME = re.compile(
    r"(?:appointment|visit|doctor|medicine|medication|pills?|dose|refills?|prescription|tablets?"
    r"|allerg(?:y|ies)|(?:in|among) (?:my|our) (?:medic\w+|pills))"
)
_LATELY = re.compile(r"\b(?:this|last|latest|today|tonight|yesterday|now|recent|current|currently)\b")
_MINE = re.compile(
    r"\b(?:my|our|do i have|am i|i have|did i|have i|she|he|her|his|doctor|clinic|dentist|pharmacy)\b"
)
_OWN_FACT = re.compile(
    r"^(?:what|when|where|who|which|how much|how many) (?:is|are|was|were) (?:my"
    r"|our) (\w+(?: \w+){0,2})$|^(?:do|did) (?:i|we) have an? (\w+(?: \w+)?)$"
)
# The words after which a name stands: "at Walmart", "the dose of gabapentin", "with Dr. Jones".
ABOUT_NAME = {
    Intent.TRANSACTION: """
        at on for to from with by about and or of in pay paid paying buy bought buying purchase purchased
        visit visited spend spent order ordered get got
    """,
    Intent.MEDICATION: """
        on of for take taking taken about with by prescribe prescribed called and or start started starting
        refill use used using need much
    """,
    Intent.APPOINTMENT: "with see seeing saw seen visit for to at and or about have meet by in doctor",
    Intent.ALLERGY: "to about eat have touch drink and or is on take with against",
    Intent.HEALTH_DATA: "about for of and",
}
USUAL_ACTION = {
    Intent.TRANSACTION: "TRANSACTION_SUM",
    Intent.APPOINTMENT: "APPOINTMENT_LIST",
    Intent.ALLERGY: "ALLERGY_CHECK",
    Intent.MEDICATION: "MEDICATION_LIST",
    Intent.HEALTH_DATA: "HEALTH_DATA_LATEST",
}
FEW_WORDS = 4  # of which a question needs no verb: "my latest weight"
_SOUND_ASKED = 70.0  # how alike, from 0 to 100, a heard name and a record's are to be asked about
_CLOSE = 6.0  # names that are this near to each other are asked back together


@dataclass(frozen=True, slots=True)
class Delegate:
    """The question is for the language model."""


def settle(turn: Turn) -> SpokenAnswer | Delegate | None:
    """Return what to say to a question that is not understood in full, or None if it is."""
    question = turn.question
    foreign = _fact_not_kept(turn)
    if foreign is not None:
        return foreign
    if question.intent == Intent.GENERAL or question.action in (*REFUSALS, "APPOINTMENT_CHANGE"):
        return None
    if _is_of_the_world(turn):
        return Delegate()
    unheeded = _unheeded(question)
    if unheeded:
        return unheeded
    warned = question.intent == Intent.ALLERGY and question.named("allergens") and not question.excluded
    if not question.leftover or (warned and _PERMISSION.search(question.text)):
        return None
    return _unexplained(turn)


def _is_of_the_world(turn: Turn) -> bool:
    """Tell whether a question with words of the records is still none of them: advice, a remark."""
    question = turn.question
    if question.intent != Intent.MEDICATION and _ADVICE.search(question.text):
        return True
    if question.continued:
        return False
    if question.intent == Intent.ALLERGY and not _OF_ALLERGIES.search(question.text):
        return True
    if len(question.text.split()) <= FEW_WORDS or _ASKS.search(question.text):
        return False
    return bool(_I_OR_WE.search(question.text)) or not all(_is_name(each, turn) for each in question.leftover)


def _unexplained(turn: Turn) -> SpokenAnswer | Delegate:
    """Return what to say about the words that are left over."""
    question = turn.question
    person = next((found for each in question.leftover if (found := _PERSON.search(each.words))), None)
    asked_of = (
        question.continued or len(question.text.split()) <= FEW_WORDS or _OF_PERSON.search(question.text)
    )
    said = "Only your own records are kept here."
    owned = person and any(each.owned for each in question.leftover)
    if person and owned and asked_of:
        said += f" There is nothing about your {person[0]} on record."
        return SpokenAnswer(said, question.action or USUAL_ACTION[question.intent])
    personal = question.continued or bool(rules.PERSONAL.search(rules.COMMAND_ME.sub("", question.text)))
    times = [each for each in question.leftover if each.is_time]
    strangers = [each for each in question.leftover if _is_name(each, turn)]
    is_own = personal or (bool(times) and question.intent == Intent.APPOINTMENT)
    if not is_own and (times or len(strangers) != len(question.leftover)):
        return Delegate()
    if any(_ANOTHERS.search(each.words) for each in question.leftover):
        return SpokenAnswer(said, question.action or USUAL_ACTION[question.intent])
    if times or owned or len(strangers) != len(question.leftover) or _narrows_a_shop(question):
        return _asked_back(question, times)
    meant = _sounds_like(strangers, turn)
    if meant:
        return SpokenAnswer(f"Do you mean {spoken.join(meant, 'or')}?", "CLARIFY")
    return _none(strangers, turn)


def _narrows_a_shop(question: Question) -> bool:
    """Tell whether what is left over may narrow what was bought at a shop on record."""
    of_shop = question.intent == Intent.TRANSACTION and question.named("merchants")
    return bool(of_shop) and not joins_strangers(question)


def joins_strangers(question: Question) -> bool:
    """Tell whether each of the words left over is joined to something by "and" or "or"."""
    return all(
        each.before in ("and", "or", "doctor")
        or re.search(rf"\b{re.escape(each.words)} (?:and|or) ", question.text)
        for each in question.leftover
    )


def _asked_back(question: Question, times: list[Leftover]) -> SpokenAnswer:
    """Ask what is meant by the words that are left over: by those of a time, if there are any."""
    if times:
        said = " ".join(each.words for each in times).replace("_", " ")
        return SpokenAnswer(
            f"I did not understand which time you mean by “{said}”. Please name a date, a month or a"
            " number of days.",
            "CLARIFY",
        )
    said = " and ".join(f"“{each.words}”" for each in question.leftover)
    return SpokenAnswer(f"I did not understand {said}. Please ask it in other words.", "CLARIFY")


def _unheeded(question: Question) -> SpokenAnswer | None:
    """Ask back where words that belong to the subject are none that the answer would heed."""
    asked = question.action or USUAL_ACTION.get(question.intent, "")
    for action, pattern in UNHEEDED:
        heard = pattern.search(question.text) if asked.startswith(action) else None
        if heard:
            return SpokenAnswer(
                f"I did not understand “{heard[0]}”. Please ask it in other words.", "CLARIFY"
            )
    points = question.intent in (Intent.MEDICATION, Intent.TRANSACTION) and _POINTS.search(question.text)
    named = names_records(question) or question.named("providers")
    if points and not (question.continued or named):
        return SpokenAnswer("What do you mean? Please name it.", "CLARIFY")
    if _turned_round(question):
        return SpokenAnswer("I did not understand “not”. Please ask it in other words.", "CLARIFY")
    if len(question.periods) > 1 and not (question.conditions.comparison or SEVERAL.search(question.text)):
        labels = " and ".join(each.label for each in question.periods)
        return SpokenAnswer(f"Which time do you mean, {labels}? Please ask it with one.", "CLARIFY")
    return None


def _turned_round(question: Question) -> bool:
    """Tell whether it asks for what does not hold: that is answered only of medicines with a condition."""
    if not question.conditions.negated or question.is_yes_no or question.continued:
        return False
    if question.intent == Intent.MEDICATION:
        return not (narrows(question) or question.action == "MEDICATION_HISTORY")
    return not (question.intent == Intent.ALLERGY and question.conditions.severity)


def _fact_not_kept(turn: Turn) -> SpokenAnswer | None:
    """Return that a fact of the household is not on record if the question is for one that is not kept."""
    question = turn.question
    text = question.text
    if _ADVICE.search(text):
        return None
    fact = _FACTS.search(text)
    kept = {each.replace(" ", "") for each in turn.household.metrics()}
    if fact and fact[0].replace(" ", "") in kept:
        return None
    # Whether a medicine may be taken or a food eaten is asked first, and then when.
    cautious = question.intent == Intent.MEDICATION or question.named("allergens") or _EATS.search(text)
    few = len(text.split()) <= FEW_WORDS or bool(fact and text.endswith(fact[0]))
    own = bool(_MINE.search(text)) or question.continued or (few and bool(_LATELY.search(text)))
    own = own or names_records(question)
    if fact and not cautious and own and (few or _ASKS.search(text)):
        return SpokenAnswer(f"There is no {fact[0]} on record.", "NOT_ON_RECORD")
    own_fact = _OWN_FACT.search(text)
    if own_fact and question.intent == Intent.GENERAL and not question.entities:
        thing = own_fact[1] or own_fact[2]
        # "My cheapest meal" may well be on record.
        named = not _NEVER_A_NAME.search(thing) and thing not in ("time", "anything", "something")
        if set(thing.split()) <= COMMON or not named:
            return None
        said = f"your {thing}" if own_fact[1] else f"{spoken.article(thing)} {thing}"
        return SpokenAnswer(spoken.sentence(f"{said} is not on record"), "NOT_ON_RECORD")
    return None


def _is_name(left: Leftover, turn: Turn) -> bool:
    """Tell whether what is left over stands where the name of a record would."""
    question = turn.question
    intent = question.intent
    if intent == Intent.APPOINTMENT and question.named("metrics"):
        return False
    if intent == Intent.MEDICATION and CLASS.fullmatch(left.words):
        return True
    bought = intent == Intent.MEDICATION and question.named("merchants")  # "what did I get off Amazon"
    told = f" {left.words} " in f" {asides.story(question.text)} "
    if bought or told or len(left.words.split()) > 4 or _NEVER_A_NAME.search(left.words):
        return False
    return _is_where_names_stand(left, question)


def _is_where_names_stand(left: Leftover, question: Question) -> bool:
    intent, text = question.intent, question.text
    stands_first = not left.before and text.startswith(left.words)
    if stands_first and _NAMED_FIRST.search(text.removeprefix(left.words)):
        return True
    if intent == Intent.TRANSACTION and not (_SPENT.search(text) or question.continued):
        return False
    if left.before in ABOUT_NAME[intent].split() or left.owned or question.continued:
        return True
    return intent in (Intent.APPOINTMENT, Intent.MEDICATION, Intent.ALLERGY) and bool(
        re.search(rf"\b{re.escape(left.words)} {_AFTER_NAME.pattern}", text)
    )


def _known_names(turn: Turn) -> list[str]:
    """Return the names of the records that the question's subject has."""
    household = turn.household
    match turn.question.intent:
        case Intent.TRANSACTION:
            return list(dict.fromkeys(item.merchant for item in household.transactions()))
        case Intent.APPOINTMENT:
            return list(dict.fromkeys(item.provider for item in household.appointments()))
        case Intent.MEDICATION:
            return [name for item in household.medications() for name in (item.name, item.brand) if name]
        case Intent.ALLERGY:
            return [item.allergen for item in household.allergies()]
        case _:
            return household.metrics()


def _sounds_like(strangers: list[Leftover], turn: Turn) -> list[str]:
    """Return the records that one of the strange names may have been, by its sound and its spelling."""
    scores: dict[str, float] = {}
    question_is_of_people = turn.question.intent == Intent.APPOINTMENT
    for left in strangers:
        if turn.question.intent == Intent.MEDICATION and CLASS.fullmatch(left.words):
            continue
        for name in _known_names(turn):
            whole = normalise(name).removeprefix("doctor ")
            first, last = whole.split()[0], whole.split()[-1]
            spellings = {whole, *({first} - PLAIN_NAMES), *({last} if question_is_of_people else set())}
            score = max((alike(left.words, each) for each in spellings), default=0.0)
            if score >= _SOUND_ASKED:
                scores[name] = max(score, scores.get(name, 0.0))
    best = max(scores.values(), default=0.0)
    return [name for name, score in scores.items() if score >= best - _CLOSE]


def alike(heard: str, name: str) -> float:
    """Return how alike two names are, from 0 to 100: in the mean of their sound and their spelling."""
    heard, name = heard.replace(" ", ""), name.replace(" ", "").lower()
    sound = fuzz.ratio(_sound(heard), _sound(name))
    return (1.5 * sound + fuzz.ratio(heard, name)) / 2.5


def _sound(word: str) -> str:
    return jellyfish.metaphone(word).replace("J", "K")  # a written g is either


def _none(strangers: list[Leftover], turn: Turn) -> SpokenAnswer:
    """Return that what a question names is not on record."""
    question = turn.question
    names = spoken.join([each.words for each in strangers], "or")
    shown = (
        spoken.title(names)
        if question.intent == Intent.TRANSACTION and strangers[0].before in ("at", "to", "from")
        else names
    )
    match question.intent:
        case Intent.TRANSACTION:
            before = strangers[0].before
            word = {"from": "from", "at": "at", "to": "at", "visit": "at", "visited": "at"}.get(before, "for")
            said = f"There is no purchase {word} {shown} on record."
        case Intent.APPOINTMENT:
            first = strangers[0]
            doctor = re.search(rf"\bdoctor {re.escape(first.words)}\b", question.text)
            kind = re.search(rf"\b{re.escape(first.words)} doctor\b", question.text)
            said = f"No appointment for {names} is on record."
            if first.before in ("with", "see", "seeing", "saw"):
                said = f"No appointment with {spoken.title(names)} is on record."
            if doctor or kind:
                who = f"Dr. {spoken.title(names)}" if doctor else f"{spoken.article(names)} {names} doctor"
                said = f"No appointment with {who} is on record."
        case Intent.MEDICATION:
            said = f"There is no {names} among your medications on record."
            if CLASS.search(names):  # the table of classes does not know every medicine
                said = f"I know of no {names} among your medications on record. {CAUTION} to be sure."
            if any(each.before == "for" for each in strangers):
                said = _purposes(turn) or f"No medication for {names} is on record."
        case Intent.ALLERGY:
            known = spoken.join([item.allergen for item in turn.household.allergies()])
            return SpokenAnswer(
                f"I have no record of an allergy to {names}, which does not mean that it is safe for you."
                f" On record are {known}. {CAUTION} if you are unsure.",
                "ALLERGY_CHECK",
            )
        case _:
            said = f"There is no {names} reading on record."
    return SpokenAnswer(said, question.action or USUAL_ACTION[question.intent])


def _purposes(turn: Turn) -> str:
    """Return what the medicines that a question names are for, "" if it names none."""
    return " ".join(
        f"You take {item.name} for {item.purpose}."
        if item.purpose
        else f"No purpose is on record for {item.name}."
        for item in turn.household.medications()
        if item.name in turn.question.named("medications")
    )
