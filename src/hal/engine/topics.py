"""Questions that name first what they are about, and in the end what is asked: "eggs, are they on my list".

Rows as in `discourse`, of which they are the last: the words in the order that the reading knows.
"""

from __future__ import annotations

# What begins no topic and stands in none: whoever tells or asks something says more than a name.
_NONE = (
    r"(?:i|me|we|us|you|he|him|she|her|they|them|it|its|there|and|or|but|so|if|because|not|no|never|any"
    r"|anything|something|everything|nothing|what|when|where|who|whom|whose|which|why|how|whether|am|is|are"
    r"|was|were|be|been|do|does|did|have|has|had|can|could|will|would|shall|should|may|might|must|tell|list"
    r"|show|give|read|let|please|say|says|said|know|think|want|wants|need|needs|ask|asks|remind|take|took"
    r"|taken|taking|besides|except|than|about|since|until|before|after|while|like)"
)
_TOPIC = rf"((?:the |my |our |that |this )?(?!{_NONE}\b)\w+(?: (?!{_NONE}\b)\w+){{0,6}})"
_IT = r"(?:it|they|them|that|those|these|this|that one|this one|those ones)"
_ASKING = (
    r"(?:when|where|what(?: time| day| dose| strength| date)?|who|why|which|how(?: (?:much|many times|often"
    r"|many|long))?)"
)
_BE = r"(?:is|was|are|were)"
_DO = r"(?:do|does|did|can|could|should|must|may|have|has|had|will|am)"

# What stands for it, then what says it.
TOPICS: tuple[tuple[str, str], ...] = (
    (r"what does \1 do to me", r"^(\w+) does what(?: to me)?(?: again)?$"),
    (
        r"can i eat \1",
        r"^(?:is|are) ((?:\w+ ){0,2}\w+) (?:(?:ok|okay|safe|all right|alright|fine)"
        r" for me|off limits(?: for me)?)$",
    ),
    (r"am i allergic to \1", rf"^{_TOPIC} am i allergic(?: to {_IT})?$"),
    (r"am i allergic to \1", rf"^{_TOPIC} do i have an allergy(?: to {_IT})?$"),
    (
        r"when do i see \1",
        rf"^{_TOPIC} (?:when|what time|what day) (?:am i|do i|are we|do we) (?:in|there|up|due|on|going|go"
        r"|go in|going in|scheduled|booked|expected|supposed to be there|have to be there|need to be there"
        r"|have to go|need to go|see (?:him|her|them))(?: (?:next|again))?$",
    ),
    (
        r"\2 \3 \1 \4",
        rf"^{_TOPIC} ({_ASKING}) ({_BE}) {_IT} (?=(?:for|on|in|due|at|with|again|called)\b)(.+)$",
    ),
    (r"\2 \3 \1", rf"^{_TOPIC} ({_ASKING}) ({_BE}) {_IT}(?: again)?$"),
    (
        r"\2 \3 \1 \4",
        rf"^{_TOPIC} ({_ASKING}) (do|does|did) (?:it|they(?!.* me\b)|those|that) (\w+(?: \w+){{0,4}})$",
    ),
    (
        r"\2 \3 \1",
        rf"^{_TOPIC} ({_ASKING}) ({_DO} (?:i|we) (?:\w+ ){{0,2}}?\w+(?: (?:for|to|at|with|on|of))?) {_IT}$",
    ),
    (r"\2 \1", rf"^{_TOPIC} ({_DO} (?:i|we) (?:\w+ ){{0,3}}?\w+(?: (?:for|to|at|with|on|of))?) {_IT}$"),
    (
        r"\2 \1 \3",
        rf"^{_TOPIC} ({_BE}|do|does|did|can|has|have) (?:it|they|those|that) (\w+(?: \w+){{0,6}})$",
    ),
    (r"\3 \2 \1", rf"^{_TOPIC} ({_BE}) (what|how much|when|where|who with)$"),
)
