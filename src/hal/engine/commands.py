"""What HAL is told to do and can't: it says so, and what it can do."""

from __future__ import annotations

import re

from hal.engine import rules
from hal.engine.answers import SpokenAnswer

_POLITE = re.compile(
    r"^(?:(?:please|can you|could you|will you|would you|i want you to|i need you to|go ahead and|just"
    r"|i would like (?:you )?to|i want to|i need to|help me|kindly|maybe|be a dear and"
    r"|be so kind (?:as to|and)"
    r"|be an angel and|do me a favor and|be good enough to|be kind enough to|you|to|tell me) )*"
)
# One rule a line, as in rules.named: what would be done, and the words that a command for it begins with.
COMMANDS = rules.named(
    r"""
    records (?:add|enter|put|log|insert|save|store|note|write down|remember)(?! up) \w+
    records record (?:my|that|an?|this|the)
    records (?:delete|remove|erase|update|correct|edit|mark|change) (?:my|the|an?|that|this|it|all)
    book (?:book|reserve|get|make|schedule)(?: me| us)? (?:an? |my )(?:\w+ ){0,2}(?:hair ?cut|reservation)\b
    book (?:book|reserve|get|find)(?: me| us)? (?:an? |my )(?:\w+ ){0,2}(?:table|flight|hotel|ride|cab|taxi)\b
    book (?:book|reserve) (?:me|us|an?) \w+
    refill (?:order|refill|renew|request|reorder|get me|get) (?:(?:an?|my|the|me|more) )+\w+
    remind remind (?:me|us)(?! what| when| who| which| where| how)
    remind set (?:up )?(?:an?|my|the) (?:\w+ )?(?:reminder|alarm|timer)|wake me|start a timer|alert me
    contact (?:call|phone|dial|text|message|email|e mail|contact|ring|notify|page) \w+
    contact send (?:an?|my|the|it|this|him|her|them|\w+) \w+
    money (?:pay|transfer|send money|wire|buy|purchase)\b
    home (?:turn|switch) (?:\w+ ){0,3}(?:on|off|up|down)|dim \w+|play \w+|unlock \w+|set the \w+|start the \w+
    home (?:kill|cut|put out|put on|flip) (?:the|my|all the) (?:lights?|lamps?|heat|tv|power|fan)\b
    home (?:lock|open|close|pause|shut|shut off) (?:the|my) \w+|order (?:an?|me|some) \w+
    """
)
SAID = {
    "records": "I can't add, change or delete records; I can only read them to you.",
    "taken": "I can't note what you take. If it was too much or the wrong one, please ask your"
    " pharmacist or doctor now.",
    "refill": "I can't order refills. Please call your pharmacy. I can tell you when a refill is due.",
    "remind": "I can't set reminders, alarms or timers. I can tell you your schedule when you ask.",
    "contact": "I can't call or send messages. I can tell you about your appointments and medications.",
    "money": "I can't pay or move money. I can tell you what you spent.",
    "book": "I can't book anything. I can tell you what is on record.",
    "home": "I can't control things in the house. I can answer from your records and pass on other"
    " questions.",
}
# A person who tells what is to be known, as if it were written down.
_STATED = re.compile(
    r"^(?!.*\bis (?:that|it|this) )(?:my|the)"
    r" (?:blood ?pressure|blood ?sugar|glucose|sugar|weight|heart ?rate|pulse|temperature)"
    r" (?:is|was|reads|reading is) (?:now |just |currently |about )?\d"
    r"|^i (?:just |have |already )*(?:started|stopped|weigh) (?:taking )?(?:my |the |a "
    r"|an |some |\d)"
    r"|^i am (?:also )?allergic to (?!.*\b(?:right|am i|correct)$)"
)


_TAKEN = re.compile(
    r"^i (?:just |have |already )*(?:took|taken|ate) (?:my |the |a |an |some |\d)"
    r"(?!(?:\w+ ){0,1}(?:daughter|son|kids?|wife|husband|mother|mom|dad|father|dog|cat|car|bus|train"
    r"|walk|nap)\b)"
)


def find(text: str) -> SpokenAnswer | None:
    """Return that something can't be done if a normalised question tells HAL to do it, else None."""
    if _TAKEN.search(text):
        return SpokenAnswer(SAID["taken"], "CANNOT")
    if _STATED.search(text):
        return SpokenAnswer(SAID["records"], "CANNOT")
    order = _POLITE.sub("", text)
    kind = next((kind for kind, pattern in COMMANDS if pattern.match(order)), None)
    return SpokenAnswer(SAID[kind], "CANNOT") if kind else None
