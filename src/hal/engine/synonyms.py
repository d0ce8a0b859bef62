"""Words and phrases of one meaning, and the usual one that the rest of the reading knows.

One row a class: what stands for it, then what says it. A class holds only what means the same in every
question: what means it in one subject alone is a word understood there (`vocabulary`).
"""

from __future__ import annotations

import re

from hal.engine.clipped import CLIPPED
from hal.engine.count_words import COUNTS
from hal.engine.idioms import IDIOMS
from hal.engine.medicine_words import MEDICINES
from hal.engine.money_words import MONEY
from hal.engine.periods import MONTH
from hal.engine.reading_words import READINGS
from hal.engine.visit_words import VISITS
from hal.engine.wordings import DAY_ORDINALS, NUMBER

_AMBIGUOUS_DAYS = 3  # "the first" may be an appointment
_LEFT_OUT = r"(?:besides|except(?: for)?|apart from|other than|aside from|not counting|excluding|leaving out)"
_BEFORE_DAY = ("on ", "by ", "before ", "after ", "since ", "until ")
_DAY_ENDS = (
    r"(?=$| (?:still|already|as well|too|also|i|we|she|do|does|am|is|are|was|and|or|to|until|till"
    r"|through|at|what|who|when|where|which|that|how|of (?:this|next|last|the) month|in the "
    r"(?:morning|afternoon|evening))\b)"
)


def _ordinal_days() -> list[tuple[str, str]]:
    """Return what says a day of the month by its number alone: "the twentieth"; "the first" may be no day."""
    ends = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
    rows = []
    for day, name in sorted(enumerate(DAY_ORDINALS, 1), key=lambda each: -len(each[1].split())):
        number = f"the {day}{ends.get(day, 'th')}"
        befores = _BEFORE_DAY if day <= _AMBIGUOUS_DAYS else ("",)
        rows += [(f"{before}{number}", rf"\b{before}the {name}{_DAY_ENDS}") for before in befores]
    return rows


# Who asks for the person whose records these are calls her "mom" or "the patient"; "my mom" is another.
_NOBODY_TOOK = r"(?!.*\b(?:took|taken|swallowed|gave|given|ate|drank|mothers?_day|fathers?_day)\b)"
_NOT_ONES = r"\b(?<!my )(?<!our )(?<!your )(?<!his )(?<!her )(?<!their )(?<!a )(?<!an )"
_RELATIVE = "mom|mum|mommy|momma|mama|mother|dad|daddy|papa|father|the patient"
_OF_HERS = (
    r"(?: (?=(?:next|last|latest|current|blood|sugar|weight|pulse|pressure|heart|glucose|pills?|medic\w+|dose"
    r"|dosage|refills?|prescri\w+|allerg\w+|appointments?|visits?|doctors?|dentist|eye|bills?|rent|spending"
    r"|metformin|lisinopril|schedule|vitals?)\b))"
)
_SHE = (
    (r"\1her ", _OF_HERS),
    (r"\1she", r"\b(?! day\b)(?<!for mom)(?<!for dad)(?<!for mother)(?<!for father)(?<!for the patient)"),
    (r"\1her", r"\b(?! day\b)"),
)


SYNONYMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), put)
    for put, pattern in (
        *CLIPPED,
        *IDIOMS,
        # The words of a sentence in their usual order.
        (
            r"\2 \1",
            rf"^({_LEFT_OUT} (?:\w+ ){{1,5}}?)(?=what|which|who|when|where|how|do|am|is|are|have"
            rf"|did)(\w+ .*)$",
        ),
        (
            r"\2 \1",
            r"^(.+) (how much|how many|how many times|which ones|how much in (?:all|total)"
            r"|in total how much)$",
        ),
        (r"\2 \1", r"^(.+) (when|where|how much|how) (?:is|was) (?:it|that|this)$"),
        (
            r"how much did i spend \1 ",
            r"^how much (at|on|in)(?= (?!this|last|the (?:last|past)|total|all"
            r"|january|february|march|april|may|june|july|august|september|october|november|december|20"
            r"|average)\w)",
        ),
        (r"\2 at \1", r"^in (\w+) (how much .*)$"),
        (r"\2 \3 \1", r"^(.+) (what|how|when|where) (was|is|were|are)$"),
        ("", r" not (?:the |my )?(?:old|stopped|former|previous) (?:ones?|medic\w+|pills?)\b.*$"),
        ("no_refills", r"\bno refills? (?:number|date)s?\b"),
        ("asthma", r"\b(?<=for my )(?:breathing|lungs)\b"),
        (r"\1 a \2", r"\b(how (?:many|much|often)\b.*)(?<!bring) in (?:a|one) (day|week|month)$"),
        (r"\1 1 days", r"\b(next|last|past) 24 hours\b"),
        (r"\1 2 days", r"\b(next|last|past) 48 hours\b"),
        (r"\1 3 days", r"\b(next|last|past) 72 hours\b"),
        (
            r"when \1 \2 \3",
            r"^(is|was) (my|the) (.*\b(?:appointment|visit)\b.*) on (?:an?|any)"
            r" (?:sunday|monday|tuesday|wednesday|thursday|friday|saturday)$",
        ),
        (r"on any_\1", r"\bon (?:an?|any) (sunday|monday|tuesday|wednesday|thursday|friday|saturday)s?\b"),
        (
            r"\1",
            r"^((?:tell me )?(?:where|when|who|which day|what time)\b.+) "
            r"is it (?:\w+ ){1,4}or \w+(?: \w+){0,2}$",
        ),
        (r"what is my \1", r"^what is the (.+) of me$"),
        (r"did \1 stop taking", r"\bdid (i|she|he|we) (?:come|go|get) off(?: of)?\b"),
        (
            r"who prescribed \1",
            r"\bwho (?:has |had )?(?:given|gave|ordered)(?: me| her| him)? (it|that|this)\b",
        ),
        (
            "when is it",
            r"^(?!what day is it$)(?:and )?what day (?:of the week )?"
            r"(?:does|is) (?:that|it|this)(?: fall| land)?(?: on)?$",
        ),
        (r"\1", r"^(.*\bpressures?\b.*) (?:on|at) (?:the )?top(?: number)?$"),
        ("bought", r"\bfilled (?:up )?(?:the |my |our )?(?:car|tank|truck|van)(?: up)?(?= at)"),
        ("when was my last ", r"^how (?:long|many days|many weeks) (?:has it been |is it )?since my last "),
        (r"which store do \1 go", r"^which (?:place|shop) do (i|we) go\b"),
        ("most expensive", r"\b(?:dearest|costliest)\b(?= (?:one|thing|bill|purchase|item)|$)"),
        (
            "higher",
            r"\b(?:higher or lower|lower or higher|heavier or lighter|lighter or heavier|better or worse"
            r"|worse or better|more or less|up or down)\b(?= than)",
        ),
        (
            r"when did \1 last \2 \3",
            r"^(?:and |so )?when did (i|we|she|he) (?:last )?(see|visit) (him|her|them|doctor \w+|the \w+)"
            r" before(?: that| then| this)?$",
        ),
        ("cheapest", r"\bmost cheap\b"),
        ("final", r"\b(?:furthest|farthest)(?: one)? (?:off|away|out)\b"),
        ("last month than 2 months ago", r"\blast month than the month before(?: that| last)?\b"),
        ("last week than 2 weeks ago", r"\blast week than the week before(?: that| last)?\b"),
        (r"this \1 than last \1", r"\bthis (week|month|year) than the (?:week|month|year) before\b"),
        ("in the last 30 days", r"\bsince (?:one|a|1) month\b(?! ago)"),
        ("in the last 7 days", r"\bsince (?:one|a|1) week\b(?! ago)"),
        ("year to date", r"\bin (?:the|this) year (?:until|till|to|up to) now\b"),
        (
            "year to date",
            r"\b(?:since|from) (?:the )?(?:first|1st|start|beginning) of (?:the|this) year\b"
            r"(?: (?:on|until now|till now|to now))?",
        ),
        # Days and months.
        (r"\1 20\2", r"\b(in|of|since|during|for|from|until|before|after|year) 20 (2\d)\b"),
        (r"\1 20\2", rf"\b({MONTH}) 20 (2\d)\b"),
        *_ordinal_days(),
        (
            r"\2 \1",
            rf"\b(?:the )?(?:day )?(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({MONTH})\b(?! \d{{1,2}}\b)",
        ),
        ("on ", rf"\bat (?=(?:{MONTH}) \d)"),
        ("", rf"\b(?:the )?(?:month|year) of (?=(?:{MONTH}|20\d\d)\b)"),
        ("", r"\byear (?=20\d\d\b)"),
        (r"\1 \2s ago", rf"^before {NUMBER} (day|week|month|year)s?\b(?! (?:of|after|before|from))"),
        (
            r"this \1 versus last \1",
            r"\bthis (week|month|year) (?:vs|versus|compared (?:to|with)|against"
            r"|than) last\b(?! \w)",
        ),
        (r"this \1 or last \1", r"\bthis (week|month|year) or last\b(?! \w)"),
        ("in the ", r"\bin (?=(?:morning|evening|afternoon)\b)"),
        ("what time", r"\b(?:at )?what o ?clock\b"),
        ("what day ", r"\bwhat day of the week "),
        (r"am i free in the \1", r"^is my (morning|afternoon|evening) (?:free|busy|open|clear|full)\b"),
        (
            "how much weight did i lose",
            r"^how much (?:have|did) i (?:lost|lose|gained|gain)(?= (?:this"
            r"|last|since|in|so)\b|$)",
        ),
        ("when was ", r"^(?:on |at )?(?:which|what) (?:day|date) (?:was|were) "),
        (
            "when did ",
            r"^(?:on )?(?:which|what) day did (?=(?:i|we) (?:last )?(?:buy|pay|get|go|see|visit)\b)",
        ),
        (r"when was \1 ", r"^(?:on )?(?:which|what) day did (?:i|we) have ((?:my|the) (?:highest|lowest)) "),
        ("when is ", r"^(?:on |at )?(?:which|what) day (?:is|are) (?!it\b|today\b)"),
        (
            r"at \1 \2",
            r"\b(?<!at )(?<!before )(?<!after )(?<!until )(?<!till )(?<!by )(?<!from )(?<!to"
            r" )(?<!around )(?<!about )(?<!and )"
            r"(?<!between )(?<!\d )(\d{1,2}(?: \d\d)?) (am|pm)\b(?! i\b)",
        ),
        ("until the end of", r"\bbefore (?:the )?end of\b"),
        (
            "when ",
            r"\bin (?:what|which) (?:year|month) (?=(?:did|was|have) i (?:begin|start|first|get|put"
            r"|been)\b)",
        ),
        ("can i take ", r"^to (?:take|pop|have|use) (?:an? |some |any )?"),
        ("can i eat ", r"^to eat (?:an? |some |any )?"),
        ("do i ", r"\b(?:am i|is she|is he|are we) to (?=(?:take|see|go|get|have|visit)\b)"),
        ("what ", r"^whatever (?=(?:is|are|was|does|do|did)\b)"),
        (r"\1 this weekend", r"\b(before|until|till|by|after) the weekend\b"),
        ("since last weekend", r"\bsince the weekend\b"),
        # Who asks for the person whose records these are, and what a doctor's "you" is.
        (
            r"\1 do i ",
            r"\b(when|what time|how often|how many times|how much) (?:do|should|must) (?:you"
            r"|one) "
            r"(?=(?:take|have to take|need to take|get|use)\b)",
        ),
        ("i must ", r"\bone must "),
        ("i should ", r"\bi (?:ought|am supposed|am meant) to "),
        (
            "she",
            r"\b(?:grand(?:ma|mother|pa|father)|granny"
            r"|nana)(?<!my grandma)(?<!my grandmother)(?<!my grandpa)"
            r"(?<!my grandfather)(?<!my granny)(?<!our grandma)(?<!our grandpa)\b",
        ),
        *((put, rf"^({_NOBODY_TOOK}.*?){_NOT_ONES}(?:{_RELATIVE}){after}") for put, after in _SHE),
        (
            r"\1 doctor",
            r"\b(?:lady|man|person|one|doctor|guy|woman|nurse) (?:who|that) (?:does"
            r"|looks(?: at| after)?|checks"
            r"|examines|cleans|treats|handles|takes care of) (?:my |the |our )?(eyes?|teeth|heart)\b",
        ),
        # Who is taken to a visit by another goes there.
        (
            r"\1 do i go to ",
            r"^(when|what time|what day|where) (?:(?:do|does|is|are|will|should|must|can) )?"
            r"(?:he|she|they|you|(?:my|our) \w+) (?:(?:has|have|need|needs|is|are|will|must|should|going"
            r"|supposed|to) )*(?:drive|take|bring|get|pick) me (?:up )?(?:to|for|at|from) ",
        ),
        (
            r"\1 do i go to ",
            r"^(when|what time|where) to (?:drive|take|bring|get|pick) me (?:up )?(?:to|for|from|at) ",
        ),
        # Asking words.
        ("what time ", r"\b(?:at |in |on )?(?:what|which) hours? (?=\w)"),
        ("when ", r"\b(?:at|on|by) (?:what|which) (?:time|date|day) "),
        ("when is ", r"\b(?:is|are) (?:at|on) (?:what|which) (?:date|day|time)\b ?"),
        ("where ", r"\b(?:to|at|in) (?:what|which) (?:place|location|address) "),
        ("how much money ", r"\bhow many (?:money|dollars)\b ?"),
        (
            "who ",
            r"^(?:which of (?:my|the) doctors (?:was it (?:who |that )?)?|who (?:is|was) (?:it"
            r"|the doctor|doctor)"
            r" (?:who |that ))",
        ),
        (
            r"\1 ",
            r"^(what|when|where|who|which|how much|how many) (?:is|was) it (?:that )?(?=(?:i|we"
            r"|my)\b)",
        ),
        (r"\1 am i \2", r"^(where|when|what|who) i am (going|seeing|taking)\b"),
        (r"\1 do i \2", r"^(who|when|where|what) i (see|take|meet|go|need)\b"),
        ("since when ", r"^from (?:which|what) (?:date|day|time) "),
        ("when did i stop taking ", r"^until when (?:was |did i take |did she take )?"),
        ("tell me about ", r"^what is (?:the deal|the story|up|going on) (?:with|on|about) "),
        ("tell me about ", r"^i (?:want|need|would like) to (?:know|hear|ask) (?:you )?about (?=my\b)"),
        ("", r"^(?:count|add|figure|total|tally)(?: up)? (?=how (?:many|much)\b)"),
        ("what is the total of ", r"^(?:figure|total|tally)(?: up)? (?=my\b)"),
        ("list ", r"^i would like (?=my\b)"),
        ("tell me ", r"^tell (?:the|my) (?:nurse|doctor|lady|man|girl|pharmacist|paramedics?|hospital) "),
        ("", r"\belse (?=(?:besides|except|other than|apart from)\b)"),
        (r"should \1 ", r"\bought (i|we|she|he) to "),
        (r"\2 \1 \3", r"^(i|she|he|we) (can|may|should|must|could) (.*) or not$"),
        (
            r"\2 \1 ",
            r"\b(two|three|four|five|six|seven|eight|nine|ten|\d) (last|latest"
            r"|most recent) (?=(?:\w+ )?\w+s\b|(?:blood )?pressure\b)",
        ),
        ("why ", r"\bfor (?:what|which) (?:illness|ailment|sickness|disease|condition|reason|purpose)\b ?"),
        ("how many times ", r"^times (?=\w)"),
        (
            "how many ",
            r"^(?:what is |what was )?(?:the )?number of (?!telephone|phone|(?:doctor|my"
            r"|the)\b)",
        ),
        # Visits.
        *VISITS,
        ("calendar", r"\b(?:diary|planner|day planner|date ?book)\b"),
        ("on the calendar", r"\bon (?:the|my) books\b"),
        (
            "what do i have ",
            r"^what is (?:on tap|on deck|up) (?:for |on )?"
            r"(?=(?:today|tonight|tomorrow|this|next|the|\w+day)\b)",
        ),
        ("who do i see", r"^who is (?:expecting|waiting for|seeing|going to see) me\b"),
        ("do i have anything", r"^am i (?:going|due|expected|supposed to be) anywhere\b"),
        (r"who do \1 \2", r"^who (?:do|must|should) (i|we) (?:have to|need to) (see|visit)\b"),
        (
            r"when do i see the \1 doctor",
            r"^when is (?:my|the) (\w+) (?:guy|fella|fellow|man|lady|gal|person)$",
        ),
        ("when do i get ", r"^when am i (?:getting|having) (?=my\b)"),
        (
            r"when is the \1",
            r"^(?:do|must|should) (?:i|we) (?:have to |need to )?(?:fast|be fasting) (?:before|for)"
            r" (?:my |the )?(lab|labs|lab work|blood work|blood draw|blood test|lab test)$",
        ),
        (
            "i have a teeth cleaning",
            r"\b(?:they|the dentist|she|he) (?:clean|cleans|check|checks"
            r"|look at) my teeth\b",
        ),
        (
            "i have an eye exam",
            r"\b(?:they|the eye doctor|she|he) (?:check|checks|examine|test"
            r"|look at) my eyes\b",
        ),
        ("i have a blood draw", r"\b(?:they|the lab) (?:draw|take|test) my blood\b"),
        (
            r"who do i see for my \1",
            r"^who (?:checks|takes care of|looks after|looks at|examines|cleans|does|treats) my (\w+)$",
        ),
        ("which doctors do i see", r"^(?:name|list|tell me|who are)(?: all)?(?: of)? my doctors$"),
        ("in ", rf"\b(?:for |in |during )?(?:the )?(?:rest|remainder) of (?=(?:{MONTH})\b)"),
        (
            r"how many appointments do \1 have",
            r"^how many times (?:do|will|must) (i|we) (?:have to |need to )?(?:go to|see|visit)"
            r" (?:the |a |my )?doctors?\b",
        ),
        (
            r"who do i see for my \1",
            r"^who is (?:my|the) (\w+) (?:guy|fella|fellow|man|lady|gal|person|woman)$",
        ),
        ("which appointments were cancelled", r"^(?:was|were|is|has|have) anything (?:been )?cancell?ed\b"),
        ("cancelled", r"\b(?:called off|scratched|scrapped|nixed)\b"),
        (
            "appointment ",
            r"\b(?<!eat )(?<!buy )(?<!bought )(?<!get )(?<!pay )(?<!spend )"
            r"(?:thing|stuff|something|session|booking|consultation|slot) (?=(?:with"
            r"|at) (?:the|my"
            r"|doctor)\b)",
        ),
        (
            r"\1 appointment",
            r"\b(therapy|dentist|doctor|eye|dental|lab) (?:thing|session|booking"
            r"|consultation|slot"
            r"|place)\b",
        ),
        ("final", r"\b(?:furthest|farthest|latest) (?:away|out|off)\b"),
        (r"when did \1 first see ", r"^how long have (i|we) been (?:seeing|going to|a patient of) "),
        ("appointments", r"\b(?:consultations|bookings)\b"),
        ("appointment", r"\b(?:consultation|booking)\b"),
        (r"final \1", r"\b(?:last|latest) (appointment|visit)(?= on (?:my|the) calendar)"),
        ("blood draw", r"\bblood (?:taking|drawing|sample)\b"),
        ("visited", r"\b(?:was|were) visiting\b"),
        # What is measured.
        (
            r"\1 on ",
            rf"^(.*\b(?:weigh\w*|sugar|glucose|pulse|pressure|heart rate)\b.*) (?:around|about|near) "
            rf"(?=(?:halloween|thanksgiving|christmas|xmas|new years?|valentines?|independence|veterans|"
            rf"(?:{MONTH}) \d)\b)",
        ),
        (
            r"\1 in ",
            r"^(.*\b(?:weigh\w*|sugar|glucose|pulse|pressure|heart rate)\b.*) (?:around|about)"
            rf" (?=(?:{MONTH})$)",
        ),
        (
            r"how much has my \1 gone down",
            r"^how much (?:has|have|did) my (.+?) (?:dropped|drop|fallen|fall|come down)\b",
        ),
        (
            "what was my highest ",
            r"^how high (?:did|has|have) (?:my |the )?(?=.+ (?:get|gotten|go|gone|been)\b)",
        ),
        (
            "what was my lowest ",
            r"^how low (?:did|has|have) (?:my |the )?(?=.+ (?:get|gotten|go|gone|been)\b)",
        ),
        (r"\1", r"^(what was my (?:highest|lowest) .+?) (?:get|gotten|go|gone|been)\b"),
        ("over ", r"\btop(?:ped|s)? (?=\d\d\d\b)"),
        ("before that", r"\bthe (?:time|one|reading) before(?: that| it)?$"),
        # A bill that is the highest is one bill, not the sum of a month.
        (
            r"when was my \2 \1",
            r"^(?:in |on )?(?:which|what) (?:month|week|day) (?:was|did|were) (?:my|the|our)"
            r" ((?:\w+ ){0,2}bills?) (?:the )?(highest|biggest|largest|lowest|smallest)$",
        ),
        (
            r"what is my latest \1",
            r"^what (?:was|is) my (.+?) (?:the )?last time (?:i|we|they|you) (?:took|checked|measured|tested"
            r"|did|had) (?:it|that|them)(?: checked| taken| measured)?$",
        ),
        (
            r"average ",
            r"\b(?:avg|average of|(?:mean|median|middle value)(?: of)?(?= (?:(?:my|the|of|fasting|resting"
            r"|daily) )?(?:blood|sugar|weight"
            r"|pulse|heart|glucose))) ?",
        ),
        ("on average", r"\bin (?:the )?(?:middle|average|mean)\b"),
        ("blood pressure", r"\b(?:pressure of (?:the |my )?blood|tension arterial)\b"),
        ("high blood pressure", r"\b(?:high pressure of (?:the |my )?blood|hypertension)\b"),
        (
            "highest weight ",
            r"\b(?:heaviest|fattest) (?:(?:that )?i have (?:ever )?been|i was|i ever was"
            r"|weight)\b ?",
        ),
        (
            "lowest weight ",
            r"\b(?:lightest|thinnest|skinniest) (?:(?:that )?i have (?:ever )?been|i was"
            r"|i ever was"
            r"|weight)\b ?",
        ),
        ("what is my weight", r"^how heavy am i$"),
        ("what was my weight", r"^how heavy was i\b"),
        ("is my weight higher than", r"^am i (?:heavier|fatter|higher) than"),
        ("is my weight lower than", r"^am i (?:lighter|thinner|skinnier) than"),
        ("was my weight higher ", r"^was i (?:heavier|fatter) "),
        ("was my weight lower ", r"^was i (?:lighter|thinner|skinnier) "),
        (
            "highest",
            r"\b(?:most high|most highest|top|biggest|largest|greatest)(?= (?:\w+ )?(?:blood"
            r"|sugar|glucose|pulse"
            r"|heart|weight|pressure|readings?|number)\b)",
        ),
        (
            "lowest",
            r"\b(?:most low|smallest|least)(?= (?:\w+ )?(?:blood|sugar|glucose|pulse|heart|weight"
            r"|pressure"
            r"|readings?|number)\b)",
        ),
        (
            "ever",
            r"\b(?:of|in) all (?:the |of the )?(?:times?|these records(?: of yours)?|my records"
            r"|the records)\b",
        ),
        ("gone down", r"\b(?:come|came|coming) down\b"),
        ("gone up", r"\b(?:come|came|coming) up(?= (?:since|in|over|this|last|from)\b)"),
        # Money.
        *MONEY,
        *MEDICINES,
        *COUNTS,
        *READINGS,
    )
)


def unify(text: str) -> str:
    """Return a normalised question with the words of each class in its usual one."""
    for pattern, put in SYNONYMS:
        text, times = pattern.subn(put, text)
        if times:
            text = " ".join(text.split())
    return text
