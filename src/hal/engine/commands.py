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
    records (?:add|enter|log|insert|save|store|note|write down|jot down)(?! (?:up|together|says?)) \w+
    home put on (?:some|the (?:tv|radio|music|news|lights?|heat|game)|music|a (?:song|movie|show))
    records put (?!(?:up|says?)\b|.*\btogether\b)\w+
    records remember(?! (?:up|what|when|where|who|which|how)) \w+|make a note (?:that|of|to|for)
    records record (?:my|that|an?|this|the)
    records (?:update|correct|edit|mark|change|fix) (?:my|the|an?|that|this|it|all)
    records (?:delete|remove|erase|wipe(?: out)?|get rid of) \w+(?!.*\b(?:from the total|how|what)\b)
    records chart (?:my|the|that)|(?:export|download|back up) (?:my|the|all|everything)
    records clear (?:out )?(?:my|the|all|this|that)|print (?:out )?(?:my|the|this|that|me|an?)
    records (?:take|scratch|cross|strike|knock) (?:\w+ ){1,5}?off (?:of )?(?:my|the) (?:\w+ )?(?:LISTS)
    records (?:the|my|that) (?:\w+ ){1,5}?(?:wrong|incorrect) (?:please )?(?:change|fix|correct) (?:it|that)
    change (?:move|push|bump|shift|switch|cancel|postpone|reschedule) (?:back )?(?:\w+ ){1,5}?(?:TO_WHEN)
    book (?:book|reserve|get|make|schedule)(?: me| us)? (?:an? |my )(?:\w+ ){0,2}(?:hair ?cut|reservation)\b
    book (?:book|reserve|get|find)(?: me| us)? (?:an? |my )(?:\w+ ){0,2}(?:table|flight|hotel|ride|cab|taxi)\b
    book (?:book|reserve) (?:me|us|an?) \w+
    order (?:order|get|bring)(?: (?:me|us|some|an?|the|more))* (?:FOOD)\b
    refill (?:order|refill|renew|request|reorder) (?:(?:an?|my|the|me|more) )+\w+
    refill (?:get me|get) (?:(?:an?|my|the|me|more) )+(?!(?:\w+ ){0,3}?(?:READ)\b)\w+
    remind remind (?:me|us)(?! what| when| who| which| where| how)
    remind set (?:up )?(?:me )?(?:an?|my|the) (?:\w+ )?(?:reminder|alarm|timer)|wake me|start a timer
    remind give me an? (?:\w+ )?(?:reminder|alarm|nudge|heads up|call)
    remind (?:alert|nudge|ping|buzz|warn|notify) (?:me|us)(?!.* (?:what|which|who|how)\b)
    remind do not let (?:me|us) forget(?! (?:what|when|who)\b)
    remind when it is (?:time (?:for|to)|\d+|\w+ oclock|noon|midnight)(?!.* (?:what|which|who|how)\b)
    contact (?:call|phone|dial|text|message|email|e mail|contact|ring|notify|page)(?! up (?:my|the)) \w+
    contact fax (?!number)\w+
    contact (?:call|ring|phone) up (?:my|the) (?!(?:READ)\b|most|next|blood)\w+
    contact give (?:SOMEBODY) (?:an? )(?:\w+ )?(?:call|ring|buzz|message|text)
    contact get (?:me )?(?:SOMEBODY|\w+) on the (?:phone|line)
    contact (?:tell|let) (?:SOMEBODY) (?:know )?(?:that )?(?:i|we) (?:am|are|will|would|can|have|need)
    contact (?:tell|text|call) (?:mom|mum|dad|daughter|son|wife|husband|sister|brother) (?:that )?(?:i|we)\b
    contact send (?:an?|my|the|it|this|him|her|them|\w+) \w+
    money (?:pay|transfer|send money|wire|buy|purchase)\b
    home (?:turn|switch) (?:\w+ ){0,3}(?:on|off|up|down)|dim \w+|play \w+|unlock \w+|set the \w+|start the \w+
    home (?:turn|make|set|change) (?:\w+ ){0,2}(?:lights?|lamps?) \w+
    home (?:lights?|lamps?|tv|heat) (?:on|off|up|down)$
    home make (?:it|the \w+) (?:\w+ ){0,2}(?:warm|cool|hott?|cold|bright|quiet|loud|dim)er
    home (?:kill|cut|put out|put on|flip) (?:the|my|all the) (?:lights?|lamps?|heat|tv|power|fan)\b
    home (?:lock|open|close|pause|shut|shut off) (?:the|my) \w+|order (?:an?|me|some) \w+
    """.replace(
        "FOOD",
        r"pizzas?|food|take ?out|take out|dinner|lunch|breakfast|groceries|flowers|taxi|cab|uber|lyft|sushi"
        r"|burgers?|coffee",
    )
    .replace("SOMEBODY", r"(?:my|the|our) \w+|him|her|them|doctor \w+")
    .replace("LISTS", "list|calendar|schedule|records?|file|chart|books|agenda")
    .replace("TO_WHEN", r"(?:to|back|up|ahead|until|till|forward)\b(?! what| when| which| where| how)")
    .replace(
        "READ",
        r"readings?|lists?|last|latest|numbers?|totals?|appointments?|allerg\w+|weight|pressure|sugar|schedule"
        r"|history|records?|results?|average|date|time",
    )
)
SAID = {
    "records": "I can't add, change or delete records; I can only read them to you.",
    "taken": "I can't note what you take. If it was too much or the wrong one, please ask your"
    " pharmacist or doctor now.",
    "refill": "I can't order refills. Please call your pharmacy. I can tell you when a refill is due.",
    "remind": "I can't set reminders, alarms or timers. I can tell you your schedule when you ask.",
    "contact": "I can't call or send messages. I can tell you about your appointments and medications.",
    "money": "I can't pay or move money. I can tell you what you spent.",
    "change": "I can't book or change appointments. Please call the office.",
    "order": "I can't order anything. I can tell you what you spent.",
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
    r"|\b(?:write|note|jot|mark|put) (?:that|it|this) down$"
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
