"""Words and phrases of one meaning about what is measured and about days, as in `synonyms`."""

from __future__ import annotations

_METRIC = r"(?:(?:blood |heart )?(?:pressure|sugar|glucose|weight|pulse|rate|heart ?beat)|sugars)"
_SIDE = r"(?:over|above|past|under|below)"

# What stands for it, then what says it.
READINGS: tuple[tuple[str, str], ...] = (
    (r"is my \1 lower than \2", rf"^is my ({_METRIC}) down from (last (?:week|month|year))$"),
    (r"is my \1 higher than \2", rf"^is my ({_METRIC}) up from (last (?:week|month|year))$"),
    ("", r" at the moment$"),
    (r"is my weight \1 ", r"^am i (below|under|above|over) (?=\d{3}\b(?! (?:days|dollars)))"),
    (
        r"last two \1 readings",
        rf"\breading before last (?:on|of|for) my ({_METRIC})\b",
    ),
    (
        r"highest and lowest \1",
        r"^what is the (?:difference|gap|range|spread) between my highest and (?:my )?lowest"
        rf" ({_METRIC})(?: ever)?$",
    ),
    (
        r"what were my \1 readings \2 ",
        rf"^(?:all )?(?:my |the )?({_METRIC}) readings (between|from|in|during|since|for) (?=\w)",
    ),
    (
        r"how has my \1 changed since january",
        rf"^(?:could you |can you )?compare my ({_METRIC}) (?:now|today) (?:to|with|against)"
        r" the (?:start|beginning) of the year$",
    ),
    (
        r"compare my \1 with \2",
        rf"^is my ({_METRIC}) (?:up or down|higher or lower|better or worse) (?:from|than|since)"
        r" (last week|last month|yesterday)$",
    ),
    (
        r"when was my weight first under \1",
        r"^when did i (?:first |finally )?(?:get|go|drop|fall) (?:under|below) (\d+)(?: pounds?)?$",
    ),
    (r"is my weight going down", r"^is my weight dropping(?: or what| or not)?$"),
    ("how much weight have i lost ", r"^how much have i (?:dropped|lost) (?=since\b)"),
    (r"what is my lowest weight", r"^what is the lowest the scale (?:is|has) ever (?:shown|said|read)$"),
    ("what was my average glucose ", r"^how was my (?:blood )?(?:sugar|glucose) on the whole (?=in\b)"),
    ("what is my height", r"^how tall am i$"),
    ("what is my temperature", r"^(?:was i|did i|am i) (?:running|run|have|having) a (?:temperature|fever)$"),
    ("what is my latest heart rate", r"^what is my ticker (?:running|going|doing)(?: at)?$"),
    ("what is my latest blood pressure", r"^how is my tension\b.*$"),
    (r"give me my \1", r"^kindly (?:give|tell) me my (.+)$"),
    (
        r"what were my \1 readings in ",
        rf"^(?:read|list|give|show|tell)(?: me)?(?: all(?: of)?)? my ({_METRIC})(?:s| readings| numbers)?"
        r" (?:for|in|from|of) (?=\w)",
    ),
    (
        r"how many readings of my \1 are there\2",
        rf"^how many ({_METRIC}) (?:readings|measurements|values|entries)"
        rf"(?: (?:do we have|have we got|do i have|have you got|are there|have i got|do you have|did "
        rf"(?:i|we) (?:take|do|make|log|get)))?(?: for me| on record| stored| in all| altogether| in"
        rf" total)?((?: (?:in|since|this|last|during) .+)?)$",
    ),
    (
        r"what were my last two \1 readings",
        rf"^what was (?:my|the) ({_METRIC})(?: reading)? the time before last$",
    ),
    (r"\1 ago", r"\b((?:a|one|two|three|four|\d+) (?:days?|weeks?|months?|years?)) back\b"),
    ("how much has ", r"^how far has (?=(?:my|the) )"),
    ("what were my readings", r"^what (?:readings did (?:i|we) take|did (?:i|we) measure)\b"),
    ("improved", r"\b(?:gotten|got|getting) (?:any |much |a lot )?better\b"),
    ("changed", r"\b(?:gotten|got|getting) (?:any |much |a lot )?worse\b"),
    (
        "what is my step count",
        r"^how many steps (?:did|have|do|had) (?:i|we) "
        r"(?:walk|walked|take|taken|get|got|do|done|make|made)\b",
    ),
    (
        "been ",
        r"\b(?:drop|dropped|dip|dipped|fall|fell|fallen|sink|sunk|climb|climbed|rise|rose|risen|jump|jumped"
        rf"|spike|spiked|creep|crept|shoot|shot|go|gone|went|get|got|gotten)(?: (?:down|up))? (?={_SIDE} \d)",
    ),
    # That it went one way, of what is measured: "did my pressure drop".
    (
        r"\1 gone down",
        rf"^((?:how (?:much|far) )?(?:did|has|have|does) (?:my|the) {_METRIC}) "
        r"(?:drop|dropped|fall|fallen|fell|dip|dipped|decrease|decreased)(?: (?:off|down))?\b(?! of\b)",
    ),
    (
        r"\1 gone up",
        rf"^((?:how (?:much|far) )?(?:did|has|have|does) (?:my|the) {_METRIC}) "
        r"(?:climb|climbed|rise|risen|rose|jump|jumped|spike|spiked|creep|crept|shoot|shot|increase"
        r"|increased)"
        r"(?: up)?\b",
    ),
    (
        r"\1 \2 higher this \3 than last \3",
        rf"^((?:is|was) (?:my|the)) (?:average )?({_METRIC}) (?:average )?(?:better|worse|higher|lower)"
        r" this (week|month|year)$",
    ),
    (
        r"\1 higher \2",
        rf"^((?:is|was) (?:my|the) (?:average )?{_METRIC}) (?:better|worse) (?!than)(.*\bthan\b)",
    ),
    (r"compare \1 with \2", r"^how (?:does|did|do|is|are) (.+) compared? (?:to|with|against) (.+)$"),
    (r"over \1", r"\b(?:past|north of) (\d+)\b(?! (?:days?|weeks?|months?|years?|am|pm)\b)"),
    (
        r"what is my latest \1",
        rf"^is (?:my|the) ({_METRIC})(?: (?:still|now|currently|back|already|ever))* "
        rf"{_SIDE} \d+(?: over \d+)?(?: (?:pounds?|lbs?|points?|yet|still|now|currently|right now|today"
        r"|again))*$",
    ),
    (r"last two \1 readings", rf"\b(?:second|next) to (?:the )?last ({_METRIC})(?: readings?)?\b"),
    ("what day ", r"\b(?:what|which) weekday "),
    (r"what do i have this \1", r"^what (?:is|does) (?:my |the )?(week|month) (?:look|looking)(?: like)?$"),
    ("what do i have today", r"^what (?:is|does) (?:my |the )?day (?:look|looking)(?: like)?$"),
    (
        r"what do i have \1",
        r"^what (?:is|does) (today|tomorrow|this \w+|next \w+|\w+day) (?:look|looking)(?: like)?"
        r"(?: for me)?$",
    ),
    (r"do i have ", r"\bdo you have me (?:(?:down|booked|scheduled|in) )?(?:for |on |with )?"),
    (r"do \1 have to \2", r"\bhave (i|we) got to (be|go)\b"),
    (r"\1 doctor", r"\b(heart|eye|teeth|foot|skin) (?:man|guy|fella|fellow|lady|doc|person)\b"),
    ("where", r"\bwhereabouts\b"),
    ("to be anywhere", r"\bto (?:be|go) (?:some ?where|some ?place|any ?place)\b"),
    (
        "where do i go",
        r"^(?:which|what) (?:clinic|hospital|office|building|address)"
        r" (?:am i going|do i (?:have to |need to )?go)(?: to)?\b",
    ),
    (
        "do i have anything",
        r"^is (?:there )?(?:anything|something) (?:happening|going on|scheduled|planned|booked)\b",
    ),
    ("when is ", r"^(?:in )?(?:what|which) (?:month|week) is (?=(?:my|the) )"),
    ("my average ", rf"\bmy (?:usual|typical|normal) (?={_METRIC})"),
    (r"check up\1", r"\bcheckup(s?)\b"),  # as records write it
    ("can i ", r"^(?:am i|is she|is he) allowed to "),
    # Who is offered a medicine asks whether it may be taken.
    (
        r"can i take \1",
        r"^(?:(?:the|my) (?:\w+ )?\w+|doctor \w+|they|he|she|somebody|someone) (?:just )?"
        r"(?:wants?|wanted|is going|are going|plans?|would like|is about|said)"
        r"(?: me to (?:take|try|start)| to (?:give|prescribe|put|start)(?: me| her| him)?(?: on)?) (.+?) "
        r"(?:(?:is|will|would) (?:that|it|this)(?: be)? (?:ok|okay|safe|alright|all right|fine|a problem"
        r"|dangerous|allowed|good)(?: for me| with me)?|am i allergic(?: to (?:it|that))?"
        r"|can i(?: (?:take|have) (?:it|that))?|should i be worried)$",
    ),
)
