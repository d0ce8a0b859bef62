"""What a question is about, by the evidence of its words and of the records that it names."""

from __future__ import annotations

import re

from hal.engine import rules
from hal.engine.entities import Entities
from hal.engine.evidence import EVIDENCE
from hal.engine.medicine_classes import OF_THE_CLASS
from hal.protocol import Intent

ENOUGH_EVIDENCE = 3
SHORT = 5
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
_WENT_TO_DOCTOR = re.compile(
    r"\b(?:go|going|gone|went|been) to (?:the |a |my )?(?:\w+ )?(?:doctors?|dentist)\b"
)
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
_MONEY = re.compile(
    r"\b(?:spen[dt]\w*|paid|pay|cost|costs|bill|bills|charge[ds]?|copay\w*|how much (?:was|were))\b"
)
_PAYS = re.compile(
    r"^(?:how much|(?:did|have) (?:i|we) (?:already )?(?:pay|paid)|what (?:did|do|have) (?:i|we) (?:pay"
    r"|paid|owe))\b"
)
_APPOINTED = re.compile(r"\b(?:appoint\w*|doctors?|schedul\w+|calendar|check ?ups?|exams?)\b")
_MEDICINE = re.compile(r"\b(?:medic(?:ation|ine)s?|prescriptions?|pills?|drugs?|prescribed?)\b")
_TAKES = re.compile(r"\b(?:take|use|taking|using)\b")
_DATED = re.compile(r"\b(?:this|last|past) (?:week|month|year)\b")
_MONEY_MOVED = re.compile(
    r"\b(?:purchases|charges|transactions|orders|trips)\b|^how much (?:was|were)\b"
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
    rf"|{OF_THE_CLASS}"
)


def subject(text: str, found: Entities) -> tuple[Intent, bool]:
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
    more = scores[Intent.TRANSACTION] >= scores[Intent.APPOINTMENT] or bool(_PAYS.search(text))
    more = more or "merchants" in found
    if (
        "merchants" in found
        and not {"providers", "places", "reasons"} & set(found)
        and not _APPOINTED.search(text)
    ):
        scores[Intent.APPOINTMENT] = 0
    if more and _MONEY.search(text):
        scores[Intent.APPOINTMENT] = 0
    if _MEDICINE.search(text) and not _VISIT.search(text):
        scores[Intent.APPOINTMENT] = 0
    intent = max(scores, key=lambda each: scores[each])
    if scores[intent] < ENOUGH_EVIDENCE:
        return Intent.GENERAL, False
    return intent, _is_general(text, found, intent, scores[intent])


def is_of_a_price(text: str) -> bool:
    """Tell whether a question is for what something costs anywhere."""
    return bool(_PRICE.search(text))


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
