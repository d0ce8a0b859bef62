"""Words and phrases of one meaning about visits, as in `synonyms`."""

from __future__ import annotations

from hal.engine.periods import MONTH

_WHEN = r"(?:when|what time|what day|where)"
_AUXILIARY = r"(?:do|am|are|must|should|will|can)"
_LOOK = (
    r"(?:look at|look over|check|check on|check out|work on|examine|treat|test|see to|do|x ray|scan|fix"
    r"|take a look at|go over)"
)

# What may be done at a visit, beside those on record.
_TEST = (
    r"(?:surgery|operation|procedure|biopsy|colonoscopy|mri|(?:ct |cat |bone )?scan|x ray|ultrasound|"
    r"(?:hearing|vision|stress|blood|allergy) test|sleep study|flu shot)"
)

# What stands for it, then what says it.
VISITS: tuple[tuple[str, str], ...] = (
    (r"\1s", r"\bdoctor (?:or|and) dentist (visit|appointment)s\b"),
    (r"am i free on \1", rf"^is ((?:{MONTH}) \d{{1,2}}|\w+day) (?:open|free|clear)$"),
    (r"am i free tomorrow", r"^is tomorrow (?:open|free|clear)$"),
    (r"how many \1 do i have", r"^do i have two ((?:\w+ ){0,2}(?:appointments|visits))$"),
    (r"what appointments do i have \1", r"^is (today|tomorrow) appointment at .+$"),
    ("", r"\bmedical (?=(?:appointment|visit)s?\b)"),
    (
        "final appointment",
        r"\blast (?:appointment|visit) (?:that (?:is|i have) )?"
        r"(?:booked|scheduled|on the calendar|coming up)\b",
    ),
    (r"when was my last appointment for \1", r"^how long ago was (?:my|the) (\w+) (?:visit|appointment)$"),
    (r"have i seen \1", r"^have i ever been to (?:see )?((?:doctor )?(?!the\b|a\b)\w+(?: \w+)?) before$"),
    (r"do i have anything this weekend", r"^do i have anything (?:at|over) the weekend$"),
    (
        "how long until ",
        r"^how many hours (?:(?:have i got|do i have|is it|are there)(?: left)? )?(?:until|till|before) ",
    ),
    (r"when do i see \1", r"^when does (doctor \w+|the \w+) (?:want|need) (?:to see me|me to come(?: in)?)$"),
    (r"what appointments do i have \1", r"^what (?:is|have i got) coming up ((?:in|on|this|next) .+)$"),
    (
        "how many appointments did i have",
        r"^how (?:often|many times) did (?:i|we) (?:see|go to|visit) (?:a|the|any) doctor\b",
    ),
    ("", r" now that (?:it|that|this) (?:got|was|has been|is) (?:moved|changed|rescheduled)$"),
    ("the dentist", r"\bthe (?:one|appointment|visit) for my teeth\b"),
    ("the eye doctor", r"\bthe (?:one|appointment|visit) for my eyes\b"),
    (
        r"when was i last at \1",
        r"^how long (?:is it|has it been|is it been) since i (?:was|went|have been|saw) (?:at |to )?"
        r"(?=the |my |doctor)(.+)$",
    ),
    (
        r"did any of my appointments get cancelled",
        r"^did any of my (?:appointments|visits) (?:fall through|get called off)$",
    ),
    (
        "what appointments have i had",
        r"^(?:give me |show me |tell me |list )?(?:a list of )?(?:the |all the |all my |my )?"
        r"(?:visits|appointments)(?: that)? i have (?:already )?had(?: already)?$",
    ),
    (
        r"what was my first appointment",
        r"^what is the oldest (?:appointment|visit)(?: that)?(?: you have(?: got)?| i have)?"
        r"(?: for me| on record)?$",
    ),
    (r"\1", r"^(what time|what day) (?:though|then|again)$"),
    (r"is there anything on \1", r"^is there anything down (?:for|on) (.+)$"),
    (
        r"when is my appointment with \1",
        r"^(?:on (?:what|which) day|at (?:what|which) hour|when|what time) (?:is|does) (?:the |my )?"
        r"(dentist|cardiologist|eye doctor|heart doctor|doctor \w+) "
        r"(?:expecting|expect|want|wanting|having|have|seeing) me(?: in)?$",
    ),
    (
        r"what was my appointment \1 for",
        r"^what did i go in(?: to the (?:clinic|doctor|doctors))?(?: for)?(?: back)? (in \w+|last \w+)$",
    ),
    (
        r"when is my \1 appointment",
        rf"^(?:when is (?:my|the)(?: next)?|(?:is there|do i have|(?:have )?i got|got) (?:a |an |any )?)"
        rf" ?({_TEST})"
        r"(?: (?:scheduled|booked|planned|coming up))?(?: for me)?$",
    ),
    (r"what appointments do i have \1", r"^what is (?:there )?((?:after|before|on) the \d+(?:st|nd|rd|th))$"),
    (
        r"what was my appointment \1 for",
        r"^why (?:was i at|did i (?:have to )?go to) (?:the |a |my )?doctors? ((?:in|last) \w+)$",
    ),
    (
        r"what appointments do i have at \1",
        r"^what (?:is|do i have)(?: there)? at (?:the )?((?!(?:home|work|noon|\d)\b).+?)(?: for me)?"
        r" coming up$",
    ),
    (
        "final appointment",
        r"\blast (?:thing|one|entry|item) (?:on|in) (?:my|the|our) appointments? (?:list|book|calendar)\b",
    ),
    (r"\1", r"^(?:at|on) (what (?:time|day))$"),
    ("appointment with ", r"\b(?:session|slot|booking|consultation|sitting) with "),
    (
        "final appointment",
        r"\b(?:very )?(?:last|furthest|farthest|latest) (?:appointment|visit)(?: that)? i have (?:got )?"
        r"(?:booked|scheduled|planned|lined up|coming up)\b",
    ),
    (
        "what appointments did i have",
        r"^(?:did (?:i|we) see any (?:doctors?|specialists?)|(?:which|what) (?:doctors|specialists) "
        r"(?:did|have) (?:i|we) (?:see|seen|go to|gone to|visit|visited|been to))"
        r"(?= (?:this|last|in|since|so far|during|between|from|over)\b)",
    ),
    (
        r"how many times have i seen \1",
        r"^how (?:often|many times) (?:have|did) i (?:been|be|go|gone) (?:to|at) (doctor \w+|the \w+)\b",
    ),
    (r"\1 do i go to", r"^(when|where|what day|what time) (?:am|are) (?:i|we) going to(?= (?:the|my) )"),
    (
        r"appointments do i have for the rest of this \1",
        r"\b(?:appointment|visit|checkup|check up)s "
        r"(?:(?:do|have) (?:i|we) (?:(?:have|got) (?:still )?)?|are (?:there )?)"
        r"(?:left|remaining|still to come)(?: for| in)? (?:this|the) (week|month|year)$",
    ),
    (
        r"appointments do i have for the rest of this \1",
        r"\b(?:appointment|visit|checkup|check up)s do (?:i|we) still have this (week|month|year)$",
    ),
    (
        r"\1appointments do i have for the rest of this \2",
        r"^((?:how many|what|which) )(?:upcoming|remaining) (?:appointments|visits) (?:do|have) (?:i|we)"
        r" (?:have|got) this (week|month|year)$",
    ),
    (
        "appointments do i have",
        r"\b(?:appointment|visit|checkup|check up)s (?:do (?:i|we) have|are(?: there)?) (?:left|remaining)$",
    ),
    (
        r"what is \1 for",
        r"^(?:do|should|must) (?:i|we) (?:need to |have to )?(?:be )?fast(?:ing)? (?:for|before) "
        r"((?:my |the )?(?:lab|blood)(?: \w+){0,2})$",
    ),
    (
        "final appointment",
        r"\b(?:very )?last (?:thing|one|entry|item|appointment) (?=(?:on|in) (?:my|the|our) calendar)",
    ),
    (
        r"how many days until \1",
        r"^how (?:many days|many weeks|long)(?: is it)? (?:from (?:now|today)|away|off) (?:is|are) (.+)$",
    ),
    (
        r"how many days until \1",
        r"^(?:and )?how (?:many days|many weeks|far|long) (?:is|are) (that|it|those|they)"
        r" (?:from (?:now|today)|away|off)$",
    ),
    # What somebody else has called off is asked, not to be called off.
    (
        r"is \1 cancelled",
        r"^(?:did|have|has) (?:they|he|she|somebody|someone|(?:the|my|doctor)(?: \w+){1,2}?)"
        r" (?:just |already )?"
        r"(?:cancell?(?:ed)?|call(?:ed)? off) (?!all\b|any)((?:my|the|our|that) .+?)(?: on me)?$",
    ),
    (
        r"is \1 cancelled",
        r"^(?:is|are) ((?:my|the|our|that|those) (?:\w+ ){0,4}(?:appointments?|visits?|thing|check ?up|exam"
        r"|cleaning|therapy|dentist|doctor(?: \w+)?)(?: (?:on|with|at|for) .+)?) still (?:on|happening|a go"
        r"|going ahead|good|scheduled)$",
    ),
    (
        r"\1 i seen ",
        r"\b(have|had) i (?:been|gone|come) (?:in |over |back |up |down )*(?:to|and) see(?:n)? ",
    ),
    (r"\1 appointment", r"\b(pt|lab|dental|eye|therapy|rehab) (?:sessions?|slot)\b"),
    (
        r"\1 i see ",
        r"\b(did|do) i (?:been|gone|go|went|come|came) (?:in |over |back |up |down )*(?:to|and) see ",
    ),
    (
        r"until the end of this \1",
        r"\b(?:before|till|until) (?:the |this )?(month|week|year) (?:is (?:out|over|up|done|through"
        r"|gone)|ends"
        r"|runs out|finishes)\b",
    ),
    (r"until the end of this \1", r"\b(?:by|before) (?:the )?(month|week|year) end\b"),
    (
        r"do i go",
        r"\bdo they (?:stick|poke|jab|want|need|expect|see|have) me"
        r"(?: (?:in|there|to be there|to come(?: in)?))?\b(?! (?:to|on|off|take|taking|try)\b)",
    ),
    (r"do i go", r"\b(?:am i|do i have to be|do i need to be|should i be|must i be) there\b"),
    (
        r"\1 do i see for my \2",
        rf"\b({_WHEN}) (?:do|will|are|is|does) (?:they|he|she|somebody|someone) (?:going to )?{_LOOK} my"
        rf" (\w+)\b",
    ),
    (
        r"what appointments do i have\1",
        rf"^{_WHEN}(?: and {_WHEN})+ (?:{_AUXILIARY} (?:i|we)|(?:i|we) {_AUXILIARY}) (?:have to |need to "
        rf"|supposed to )?"
        r"(?:going|go|be|due|expected|headed|off to)(?: to)?(?= |$)(.*)$",
    ),
    (
        r"any appointments \1",
        r"^(?:is there |are there |have i got |do i have )?(?:anything|something) (.*) coming up$",
    ),
    (
        r"any appointments coming up",
        r"^(?:is there |have i got |do i have )?(?:anything|something) coming up$",
    ),
    ("who do i see next", r"^who is (?:my|the) next (?:doctor|visit|appointment|one)(?: with)?$"),
    (
        r"do i see her\1",
        r"^is (?:she|he|that|it) (?:the |who |whom |the same )?(?:one|doctor|person|lady|man|woman)?"
        r" ?(?:that |who |whom )?"
        r"i (?:am |will be )?(?:seeing|see|meeting|meet|going to|going to see|visiting)\b(?! (?:a|the"
        r"|my)\b)(.*)$",
    ),
)
