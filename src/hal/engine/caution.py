"""Whether something may be eaten, touched or taken, where the question is not understood otherwise.

Such a question is left neither to the language model nor to a second try: what is on record of the allergy
is told, or the pharmacist or doctor named.
"""

from __future__ import annotations

import re
from dataclasses import replace

from hal.engine import rules
from hal.engine.conditions import Conditions
from hal.engine.medicine_classes import BRANDS, CLASS, ENDINGS
from hal.engine.question import Question
from hal.protocol import Intent

_FINE = r"(?:ok|okay|fine|safe|alright|all right|allowed|bad|dangerous|off limits)"
# Leave is asked, or something is about to be done.
_LEAVE = re.compile(
    r"\b(?:can|could|may|should|shall) i\b|\bi (?:can|may|should)\b"
    r"|\b(?:do|should) i (?:need to |have to )?(?:warn|tell|mention|let)\b"
    r"|\b(?:can|could|may|should) (?:they|he|she|(?:the|my) \w+) (?:use|give|put)\b"
    r"|\bany (?:problem|issue|trouble)s? with (?:that|it|this)\b"
    r"|\b(?:about|going|want|planning) to\b|\bthinking (?:of|about)\b|\bcold turkey\b"
    r"|\b(?:ok|okay|fine|cool|safe|alright|all right|bad|dangerous) (?:if|for me|with|to)\b"
    r"|\b(?:ok|okay|fine|safe|alright|all right) for (?:an?|my|the) "
    rf"|(?:^(?:is|are|would) .*|\b(?:is|are|be)) {_FINE}(?: (?:instead|too|then|now|today|tonight))?$"
    r"|^(?:is|are|would) .* (?:a problem|a bad idea|an issue|trouble)(?: for me)?$"
    r"|\b(?:mix|interact|clash)(?:es)?(?: (?:ok|okay|well|badly))? with\b"
    r"|\b(?:hurt|harm|kill|bother) (?:me|anything)\b"
)
# What is asked there is another thing.
_OTHER = re.compile(
    r"^(?:when|what|which|who|where|how)\b|\b(?:refill\w*|renew\w*|cost\w*|price\w*|pay|paid|spen[dt]\w*|buy|bought"
    r"|appointment\w*|remind\w*|pick up)\b"
)
_MEDICINE = re.compile(
    rf"\b(?:medic(?:ation|ine)s?|meds|pills?|antibiotics?|painkillers?|{ENDINGS}|\w+cillin|{BRANDS}|aspirin"
    r"|bactrim|septra|augmentin|prednisone|melatonin|adderall|wort|ginkgo|ginseng|turmeric"
    r"|echinacea|cbd|fish oil|red yeast|herbal\w*|potassium|calcium|iron|zinc|magnesium)\b"
    r"|\bwith (?:what|everything|anything|all|the (?:things|stuff)) (?:that )?i (?:am )?(?:take|taking|on)\b"
)
_BARE = 2  # words that name nothing but what may be touched or eaten: "crab cake"


def asked_of(question: Question) -> Question | None:
    """Return a question that was not understood as one whether something may be; None: it is none."""
    text = question.text
    bare = question.named("allergens") and len(text.split()) <= _BARE
    bare = bare and not rules.GENERAL_KNOWLEDGE.search(text)
    if not (bare or _LEAVE.search(text)) or _OTHER.search(text):
        return None
    alone = replace(question, leftover=(), conditions=Conditions(), periods=(), continued=False)
    if question.named("allergens"):
        return replace(alone, intent=Intent.ALLERGY, action="ALLERGY_CHECK")
    if question.named("medications") or _MEDICINE.search(text) or CLASS.search(text):
        return replace(alone, intent=Intent.MEDICATION, action="MEDICATION_ADVICE")
    return None
