"""Turns of phrase about medicines and allergies that name what is asked first, or say it in a roundabout way.

As in `synonyms`: what stands for it, then what says it.
"""

from __future__ import annotations

_PILL = r"(?:pills?|tablets?|medic\w+|prescriptions?|drugs?|capsules?|ones?|stuff)"
# Who gives a medicine, and how that is said.
_GIVER = r"(?:(?:doctor |the |my )?(?!i\b|we\b|it\b|that\b|this\b)\w+)"
_HAS_ME = r"(?:has|have|had|got|put|puts|started|keeps|kept) me (?:on|taking|take)"
# What a name is that is told before the question; no word of a sentence stands in it.
_WORD = (
    r"(?!(?:i|we|he|she|they|it|that|this|you|is|are|was|were|am|do|does|did|have|has|had|can|could"
    r"|should|will"
    r"|would|may|must|and|or|but|not|no|what|when|where|who|which|how|why|if|for|at|in|on|of|to|from|with"
    r"|about"
    r"|tell|show|list|give|read|any|anything|everything|please|doctor|remind|wife|husband|son|daughter)\b)\w+"
)
_NAME = rf"(?:the |my |that )?({_WORD}(?: {_WORD}){{0,2}})"
_EATEN = r"(?:eat|have|try|drink|taste|be around|touch|wear)"

TURNS: tuple[tuple[str, str], ...] = (
    (
        r"\1for allergies",
        r"\b((?:pills?|tablets?|medic\w+|take|taking|anything|something|one) (?:\w+ ){0,3}?)for (?:my |the )?"
        r"(?:hay ?fever|pollen(?: allergy)?)$",
    ),
    (
        r"do i take \1 with food",
        r"^(?:is|are) (?:the |my )?(.+?) (?:supposed|meant) to be taken before i eat(?: anything)?$",
    ),
    (
        r"what did i take before \1",
        r"^(?:what|which) (?:was|were) i (?:on|taking) for"
        r" (?:my |the )?(?:\w+ ){1,3}before (?:the |my )?(\w+)$",
    ),
    ("do i take anything ", r"^do i have anything to take (?=at|in|with|before|after)"),
    (
        r"what did \1 prescribe",
        r"^(?:tell me )?(?:what(?: all)?|everything(?: that)?|(?:which|what) (?:tablets|pills|medic\w+|meds))"
        r" (doctor \w+) (?:has|have|got|had) me (?:on|taking)(?: now| right now| currently)?$",
    ),
    (
        r"tell me about my \1",
        r"^if (?:an?|the|my) \w+ asks what (?:do|should) i tell (?:them|him|her) about (?:my )?(.+)$",
    ),
    (r"drug allerg\1", r"\b(?:medicine|medication|medications) allerg(y|ies)\b"),
    (
        r"how often do i take \1",
        r"^do i take (?:my |the )?(\w+) (?:once|twice)"
        r" or (?:once|twice|three times)(?: a day)?$",
    ),
    (r"which medications are \1s", r"^are any of mine (tablet|capsule|inhaler)s$"),
    (
        "newest medication",
        r"\bnewest (?:thing|one) (?:that )?(?:they|the doctors?|doctor \w+) (?:have )?put me on\b",
    ),
    (r"what is the dose of \1", r"^is (?:my |the )?(\w+) dose \d+(?: \w+)?$"),
    (
        r"what is the dose of \1",
        r"^what was (?:my |the )?(\w+) dose(?: back)?"
        r" when i (?:took|was on|was taking) (?:it|that)$",
    ),
    (r"what is the dose of \1", r"^how much do i take of (?:the |my )?(\w+)$"),
    ("gives me ", r"\b(?:could|can|would|might) (?:send|put|throw) me into "),
    ("pills", r"\b(?:tablets (?:and|or) capsules|capsules (?:and|or) tablets)\b"),
    (
        r"\1 and what is \2 for",
        rf"^((?:who (?:prescribed|{_HAS_ME[3:-1]}|gave me)|when did i start(?: taking)?) (.+?)) and why$",
    ),
    ("the allergy medication", r"\bthe (?:one|pill|tablet|medicine) for (?:my |the )?allergies$"),
    (
        "what am i allergic to",
        r"^what (?:should|do|must) i (?:need to |have to )?tell (?:an?|the|my) (?:new )?\w+ (?:that )?"
        r"i am allergic to$",
    ),
    ("how often do i take ", r"^how often (?:can|may|should) i (?:use|take) "),
    (
        r"what is \2 also called",
        r"^is (?:not )?(?:my |the )?(\w+) (?:not )?the same (?:\w+ )?as (?:my |the )?(\w+)$",
    ),
    (
        r"was i ever prescribed \1",
        r"^(?:have|had) i ever been on (?!(?:an?|the|tv|time|hold|fire|stage|vacation|holiday|leave)\b)"
        r"(\w+)$",
    ),
    (
        r"when is the refill of my \1 due",
        r"^when can i (?:pick up|get) (?:more|some more) (?:of )?(?:my |the )?(\w+)$",
    ),
    ("what ", r"^what all (?=(?:do|does|did|am|is|are|has|have|was|were|needs?)\b)"),
    (r"\1", r"\bback (before|in|around|last|during)\b(?<!come back in)(?<!go back in)(?<!get back in)"),
    # Who put somebody on it.
    (
        r"what did \1 prescribe",
        rf"^(?:what|which {_PILL}) (?:do|does|did|has|is) ({_GIVER}) (?:have|had|got|put|has|having) me"
        r" (?:on|taking|take)(?: currently| now)?$",
    ),
    (
        r"what did \1 prescribe",
        rf"^(?:list |read |name |tell me )?(?:everything|all(?: the| of the| my)?(?: {_PILL})?"
        rf"|(?:the )?{_PILL})(?: that)? (doctor \w+) {_HAS_ME}(?: currently| now)?$",
    ),
    (
        "who prescribed ",
        rf"^(?:and )?who (?:was it |is it |was the one |is the one )?(?:that |who )?{_HAS_ME} ",
    ),
    ("i was on", r"\b(?:they|you) (?:had|put) me on\b"),
    ("did i stop taking", r"\bdid (?:we|they) drop(?= (?:the |my )?\w+$)"),
    (
        "",
        r"(?<=\w) or (?:did|have|has) (?:i|we|they|he|she|doctor \w+) (?:\w+ )?(?:drop|dropped|stop"
        r"|stopped|stop taking|quit"
        r"|taken me off|take me off|come off|got off|finished|finish)(?: it| that| of it| of that)?$",
    ),
    (r"", r"(?<=\w) (?:now )?it (?:feels|seems)(?: like)? (?:forever|ages|years|a long time|a while)$"),
    # Refills.
    (
        r"how many refills are left on \1",
        r"^how many (?:more )?times can (?:they|you|it|he|she|cvs|walgreens|the (?:pharmacy"
        r"|drug ?store)) (?:still )?"
        r"(?:refill|fill) (?:my |the )?(.+)$",
    ),
    (
        r"how many refills are left on \1",
        r"^(?:(?:i |we )?(?:have|need|want|going|am going) to call (?:\w+ ){1,3}?about (?:my "
        r"|the )?(\w+(?: \w+)?)"
        r" )(?:can|could) (?:it|that|they) (?:still |be |get )+(?:re)?fill(?:ed)?$",
    ),
    (
        "which refill is due first",
        rf"^(?:what|which)(?: one)?(?: of my {_PILL})? (?:is|will be) (?:the )?(?:first|next)(?: {_PILL})?"
        r" (?:that (?:is|will)|to|i will|i am)(?: going to)?(?: be)? ?(?:run|running) out(?: on me| of)?$",
    ),
    (
        "which refill is due first",
        r"^what (?:will|do|am) i (?:going to )?run(?:ning)? out of (?:first|next|soonest)$",
    ),
    (
        r"when does \1 run out",
        r"^(?:do i|have i|will i|is there)(?: got| have| still have)? enough (?:of )?(?:my |the )?(\w+)"
        r" (?:left )?(?:to|for|until|till|through)\b.*$",
    ),
    # When, how often, with what, what for.
    (
        r"when do i take \1",
        r"^(?:when|what time) (?:(?:is|does|do) )?(?:that |the |my )?(.+?) (?:supposed to )?go down$",
    ),
    (
        r"how often do i take the \1",
        r"^(?:is|are) (?:the |my )?(\w+) (?:an? )?(?:every ?day|daily|every single day|regular|as needed)"
        rf"(?: (?:thing|{_PILL}))?(?: or .*)?$",
    ),
    (
        r"how often do i take the \1",
        r"^(?:do|should|must) i (?:take|use) (?:the |my )?(\w+) (?:every ?day|daily|every single day) or "
        r"(?:only|just|when).*$",
    ),
    (
        r"do i take \1 with food",
        r"^(?:do|should|must) i (?:need|have to have|want|need to have|have) (?:a meal|food"
        r"|something to eat|a snack|to eat)"
        r" (?:with|before|for) (?:my |the )?(\w+(?: \w+)?)$",
    ),
    (
        r"do i take \1 with food",
        rf"^{_NAME} do i (?:(?:need to |have to )?eat) (?:before|with|when i take) (?:it|that)(?: or not)?$",
    ),
    (
        r"do i take \1 with food",
        r"^(?:can|may|should|could|must) i (?:have|take|swallow) (?:my |the )?(\w+)"
        r" (?:together |along |right )?(?:with|at|after|during) (?:my |a |the )?"
        r"(?:breakfast|lunch|dinner|supper|meals?|food|oatmeal|cereal|toast|eggs|snack)$",
    ),
    (
        r"do i take \1 with food",
        r"^do i (?:need to |have to )?eat (?:before|with) (?:the |my )?"
        r"(\w+ (?:pill|tablet|capsule|medication))$",
    ),
    (
        r"what is \1 for",
        rf"^{_NAME} what (?:does|is) it (?:do|for|good for)(?: for me)?(?: i keep forgetting| again)?$",
    ),
    (r"what is \1 for", r"^what (?:does|do) (?:my |the )?(\w+) do for me$"),
    (r"\1", r"\b(?:fancy|fancier|proper|official|technical|actual) ((?:brand |generic )?name)\b"),
    (
        r"tell me about \1",
        r"^(?:my )?(\w+) (?:(?:dose|dosage|strength|frequency|indication|purpose|instructions|prescriber"
        r"|schedule"
        r"|timing|and) ?){2,}$",
    ),
    (
        r"",
        r"(?<!not)(?<!without) (?:counting|including) (?:the |my |all my |all the )?(?:vitamins"
        r"|supplements|inhalers?)(?: too)?$",
    ),
    (r"what is \1 called", r"^what is the (?:full |real )?name (?:for|of) (?:my |the )?(\w+)$"),
    ("without ", r"\bwith o (?=\w)"),
    ("", r"\b(?:little|tiny|small|big) (?=\w+ (?:pill|tablet|one|capsule|medic))"),
    ("azithromycin", r"\bz ?pac?ks?\b"),
    ("are severe", r"\b(?:could|can|would|might|will) (?:actually |really )?kill me\b"),
    (
        r"how much \1 do i take",
        r"^how much (?:of )?(?:my |the )?(\w+) (?:does|do|did) (?:she|he|i) (?:get|take)$",
    ),
    (
        r"what is the dose of \1",
        r"^(\w+) (?:is (?:that|it) (?:the )?|that is (?:the )?)?(?:\d+|fifty|hundred) (?:milligrams? "
        r"|mg )?or (?:the )?"
        r"(?:\d+|fifty|(?:a )?hundred)(?: milligrams?| mg)?$",
    ),
    (
        r"what is the dose of \1",
        r"^is (?:the |my )?(\w+) (?:the |a )?\d+ or (?:the |a )?\d+(?: milligrams?| mg)?$",
    ),
    ("list the ", r"^(?:just|only) the (?=\w+ allergies)"),
    (r"\1", r"^(.*\ballergies\b.*?) (?:please )?the (?:\w+ ){1,3}(?:is|are) asking$"),
    (
        r"\1",
        r"^(when is (?:my |the )?next .*) it is (?:currently )?(?:about )?\w+(?: \w+)? in the (?:morning"
        r"|afternoon|evening)$",
    ),
    (
        r"which medications do i take at \1",
        rf"^.*\b(?:my|the) (\w+(?: oclock| o clock)?) {_PILL} which (?:ones )?"
        r"(?:would|are) (?:those|they|these)(?: be)?$",
    ),
    (
        r"am i allergic to \1",
        r"^(?:is )?(\w+)\b(?: \w+){0,4} anything (?:\w+ ){1,4}against (?:it|that|me taking it)$",
    ),
    ("before stopping", r"\b(?:prior to|before) (?:discontinuation|discontinuing|stopping)\b"),
    # Who wants a list.
    (
        r"list ",
        r"^(?:the|my|a|this|new) (?:\w+ ){0,4}?(?:nurse|doctor|pharmacist|hospital|clinic|office|lady|man"
        r"|paramedic|form"
        r"|dentist|people)(?: (?:on|at|from|in) the \w+)? (?:wants?|needs?|is asking for|asked for"
        r"|asks for) (?:to (?:see|have) )?"
        r"(?=(?:every|all|my|a list|the list)\b)",
    ),
    # Allergies.
    ("what is my reaction to ", r"^how (?:do|does|will|would|did|bad do|badly do) (?:i|she|he) react to "),
    (r"what is my reaction to \1", r"^what (?:is it|is it that) (\w+(?: \w+)?) (?:do|does) to me$"),
    (
        r"what is my reaction to \1",
        r"^if i (?:got|get|had|have|ate|eat|took|take|touch|touched|was given|am given) (?:some |an? "
        r"|any |the )?(\w+)"
        r"(?: (?:by (?:mistake|accident)|accidentally|again))? what (?:would|will|does|could) (?:it|that"
        r"|they|happen)"
        r"(?: do)?(?: to me)?$",
    ),
    (
        "can i eat ",
        r"^(?:is it|would it be|will it be) (?:ok|okay|all ?right|alright|safe|fine) (?:for me "
        r"|if i )(?:to )?"
        r"(?:eat|ate|have|try|drink) (?!it\b|that\b|this\b|them\b|the\b|my\b)(?=\w+$|\w+ \w+$)",
    ),
    (r"can i eat \1", r"^(?:is|are) (\w+(?: \w+)?) (?:ok|okay|safe|fine|all ?right|alright) for me to eat$"),
    (
        r"am i allergic to \1",
        rf"^{_NAME} am i allergic(?: to (?:it|that|them|those))?(?: yes or no| or not)?$",
    ),
    (r"am i allergic to \1", rf"^am i ({_WORD}) (?:intolerant|sensitive)(?: according to \w+(?: \w+)?)?$"),
    (
        r"am i allergic to \1",
        rf"^(?:(?:is|are) )?{_NAME} (?:(?:is|are) (?:it|they|that|those) )?(?:on|in|among) my"
        r" (?:allergy list|allergies|list of allergies)$",
    ),
    (
        r"am i allergic to \1",
        r"^.* (?:of|some|the|with|in|bringing|have|having|got|wearing) (\w+) (?:would|will|do|could) "
        r"(?:those|that|they|it) (?:bother|affect|hurt) me$",
    ),
    (
        r"can i take \1",
        r"^(?:\w+ ){1,9}?(?:wants? to|going to|would like to|is about to|tried to) (?:give|put|start"
        r"|prescribe) (?:me )?"
        r"(?:on )?(?:an? |some |the )?(\w+)(?: for (?:\w+ ){0,2}?\w+)? (?:is that|is it|can i|should i"
        r"|am i|would that)"
        r"(?: \w+){1,6}$",
    ),
    (
        r"can i eat \1",
        r"^(\w+(?: \w+)?) (?:just )?(?:one|an?) (?:\w+ )?(?:one|bite|bit|piece|taste|sip) (?:would|will"
        r"|could) not"
        r" (?:hurt|matter|kill me|be bad)(?: (?:would|will|could) it)?$",
    ),
)
