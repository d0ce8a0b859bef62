"""Unusual wordings and the usual ones that stand for them: "ytd", "mar 3", "the week before last"."""

from __future__ import annotations

import re

from hal.engine.periods import MONTH, MONTHS, WEEKDAYS

DAY_ORDINALS = [
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
    *("eighteenth", "nineteenth", "twentieth", "twenty first", "twenty second", "twenty third"),
    *("twenty fourth", "twenty fifth", "twenty sixth", "twenty seventh", "twenty eighth", "twenty ninth"),
    *("thirtieth", "thirty first"),
]
ABBREVIATED = {
    **{name[:3]: name for name in MONTHS if name != "may"},
    "sept": "september",
    "mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday", "thu": "thursday",
    "thur": "thursday", "thurs": "thursday", "fri": "friday",
}  # fmt: skip
NUMBER = r"(\d{1,4}|an?|couple of|few|several|twelve|eleven|ten|nine|eight|seven|six|five|four|three|two|one)"
_PART = "(?:noon|midday|lunch|afternoon|evening|night)"
_DOSES = r"(?:pills?|tablets?|medic\w+|doses?)"
_SPELT_DAY = "|".join(reversed(DAY_ORDINALS))  # "twenty first" before "first"
_NUMBERED_DAY = r"\d{1,2}(?:st|nd|rd|th)"
# Days of a month that is told once: "from the first to the fifteenth of February", "of last month".
_DAYS_OF_MONTH = re.compile(
    rf"\b(?P<before>from|between|the) (?:the )?(?P<first>{_SPELT_DAY}|{_NUMBERED_DAY}) (?:up )?"
    rf"(?P<to>to|through|until|till|thru|and) "
    rf"(?:(?P<leading>{MONTH}) (?P<number>\d{{1,2}})(?:st|nd|rd|th)?|(?:the )?"
    rf"(?P<last>{_SPELT_DAY}|{_NUMBERED_DAY}|\d{{1,2}}) "
    rf"(?:(?:(?:of|in) )?(?P<month>{MONTH})|of (?P<other>(?:this|last|the|next) month)))\b"
)


def spell_out(text: str) -> str:
    """Return a normalised question with its short and unusual wordings in their usual ones."""
    text = re.sub(rf"\b({'|'.join(ABBREVIATED)})\b", lambda match: ABBREVIATED[match[1]], text)
    text = _DAYS_OF_MONTH.sub(_each_with_its_month, text)
    text = re.sub(
        rf"\b({MONTH}) (?:the )?({_SPELT_DAY})\b(?! (?:week|half))",
        lambda match: f"{match[1]} {DAY_ORDINALS.index(match[2]) + 1}",
        text,
    )
    text = re.sub(
        rf"\bthe ({_SPELT_DAY}) of (?=(?:{MONTH})\b)(?!july\b)",
        lambda match: f"the {DAY_ORDINALS.index(match[1]) + 1} of ",
        text,
    )
    for pattern, replacement in USUAL_FORMS:
        text = pattern.sub(replacement, text)
    return text


def _each_with_its_month(match: re.Match[str]) -> str:
    month = match["leading"] or match["month"]
    first, last = [
        f"{month} {day}" if month else f"the {day} of {match['other']}"
        for day in (_day_number(match["first"]), _day_number(match["number"] or match["last"]))
    ]
    before = "" if match["before"] == "the" else f"{match['before']} "
    return f"{before}{first} {match['to']} {last}"


def _day_number(said: str) -> int:
    return DAY_ORDINALS.index(said) + 1 if said in DAY_ORDINALS else int(said.rstrip("stndrh"))


USUAL_FORMS = (
    (re.compile(r"\bcouple (?=day|week|month|year)"), "couple of "),
    (re.compile(r"\ba (?=couple of|few)"), ""),
    (re.compile(r"\b(last|past|next) half (?:an? |of an? )?year\b"), r"\1 6 months"),
    (re.compile(r"\b(?:half an? year|six months)\b"), "6 months"),
    (re.compile(r"\ba year and a half\b"), "18 months"),
    (re.compile(r"\b(last|past|next) fortnight\b"), r"\1 2 weeks"),
    (re.compile(r"\ba fortnight\b"), "2 weeks"),
    (re.compile(r"\bq([1-4])\b"), r"quarter \1"),
    (re.compile(r"\bytd\b"), "year to date"),
    # "Don't I take it" asks whether I take it.
    (re.compile(r"^(do|did|have|has|is|are|am|was|were) not (?=(?:i|we|my|our|the|there|it)\b)"), r"\1 "),
    (re.compile(rf"\blast (?=(?:(?:{NUMBER[1:-1]}) )?(?:week|day|half|month)s? (?:of|in)\b)"), "final "),
    (re.compile(r"\bthis time last (?:year|month|week)\b"), "same_time"),
    # What stands for no day here, joined so that no part of it is read by itself.
    (re.compile(r"\b(black|good) friday\b"), r"\1_friday"),
    (re.compile(r"\b(easter|palm) sunday\b"), r"\1_sunday"),
    (re.compile(r"\b(cyber|easter) monday\b"), r"\1_monday"),
    (
        re.compile(
            r"\b(memorial|labor|mothers?|fathers?|presidents?|columbus|fools?|groundhog|thanksgiving"
            r"|king|earth"
            r"|boxing|arbor|flag) day\b"
        ),
        r"\1_day",
    ),
    (re.compile(r"\b(week|month|year) before last\b"), r"2 \1s ago"),
    (re.compile(r"\b(?:the )?first of (?:the|this) month\b"), "the 1st"),
    (
        re.compile(r"\b(?:last|final) quarter (?:of|in) (?=20\d\d\b|(?:last|this|next) year\b)"),
        "fourth quarter of ",
    ),
    (re.compile(rf"\bthe (\d{{1,2}}) of ({MONTH})\b(?! \d)"), r"\2 \1"),
    # The month of a range that is told once: "from the 10th to the 20th of January".
    (
        re.compile(
            r"\bthe (\d{1,2})(?:st|nd|rd|th) (to|through|until|till|thru|and) (?:the )?"
            rf"(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({MONTH})\b(?! \d)"
        ),
        r"\4 \1 \2 \4 \3",
    ),
    (
        re.compile(
            rf"\bthe (\d{{1,2}})(?:st|nd|rd|th) (to|through|until|till|thru|and) ({MONTH}) (\d{{1,2}})\b"
        ),
        r"\3 \1 \2 \3 \4",
    ),
    # The weekday of a date that is told: "Monday the 23rd".
    (
        re.compile(
            rf"\b(?:{'|'.join(WEEKDAYS)})"
            rf" (?=the \d{{1,2}}(?:st|nd|rd|th)\b|(?:{MONTH}) (?:the )?\d{{1,2}}\b)"
        ),
        "",
    ),
    (re.compile(r"^how long ago did (i|we) (?:last )?"), r"when did \1 last "),
    (
        re.compile(
            r"^how (?:long|many (?:days|weeks|months|years)) (?:has it been |is it )?since (i|we) (?:last )?"
        ),
        r"when did \1 last ",
    ),
    # Parts of a day: "until tonight" is no day, and "am I free until noon" asks about today.
    (re.compile(r"\b(before|until|till|by) (?:tonight|this evening)\b"), r"\1 the evening today"),
    (re.compile(r"\b(before|until|till|by|after) this afternoon\b"), r"\1 the afternoon today"),
    (
        re.compile(
            r"^(am i (?:free|busy)|(?:do|what do) i have(?: anything| something)?)"
            rf" (?=(?:until|till) (?:the )?{_PART}$)"
        ),
        r"\1 today ",
    ),
    (
        re.compile(r"\b(morning|noon|afternoon|evening|night|bedtime|daily) (?:tablet|capsule)s?\b"),
        r"\1 pills",
    ),
    (re.compile(r"\btablets? (?=(?:(?:are|is|have|do|i|still) )*(?:left|remaining|to take)\b)"), "pills "),
    (re.compile(rf"\bany ?more (?={_DOSES} (?:to take|left|(?:for )?(?:today|tonight))\b)"), "still any "),
    # What is done to a person instead of what a person does.
    (
        re.compile(
            r"\bwhat (?:has|does|did|is) ((?:my |the |doctor )?\w+) (?:(?:got|get|have|had|having|put"
            r"|start|started)"
            r" me on|(?:got|have|want) me (?:to take|taking))\b"
        ),
        r"what did \1 prescribe",
    ),
    (
        re.compile(
            r"^(?:has|does|did) (doctor \w+|my (?:\w+ )?doctor) (?:got|have|put|give|given|start|started)"
            r"(?: me)?(?: on)? (?:anything|something) for "
        ),
        r"what did \1 prescribe for ",
    ),
    (re.compile(r"\bwhich doctor (?=(?:has |is )?(?:gave|prescribed|put|started|got)\b)"), "who "),
    (re.compile(r"\bwho (?:has |is )?(?:put|puts|putting|started|has|got) me on\b"), "who prescribed"),
    (re.compile(r"\bdid ((?:doctor )?\w+) (?:put|start) me on\b"), r"did \1 prescribe"),
    (re.compile(r"\b(?:was|were|been) (i|we) (?:first )?(?:put|started) on\b"), r"did \1 start"),
    (re.compile(r"\bfrom when (?=do|have|am|was|did)"), "since when "),
    (
        re.compile(r"\bwhat (?:has|did) ((?:doctor )?\w+) (?:take|taken) me off(?: of)?\b"),
        r"which medications did \1 stop",
    ),
    (re.compile(r"\bonly take\b"), "take only"),
    (re.compile(r"\bhow many puffs (?=do|does|should|am)"), "how much of the inhaler "),
    (re.compile(r"\bstay away from\b"), "avoid"),
    (re.compile(r"\bdid (?:i|we) cancel\b"), "was cancelled"),
    (re.compile(r"\bmy teeth (?:cleaned|done|checked|looked at)\b"), "a teeth cleaning"),
    (re.compile(r"\bmy eyes (?:checked|examined|tested|done|looked at)\b"), "an eye exam"),
    (re.compile(r"\bmy blood (?:drawn|taken|tested)\b"), "a blood draw"),
    # The last of those to come is not the last that was.
    (
        re.compile(
            r"\b(?:last|latest) (?=(?:appointment|visit) (?:that )?i have(?: (?:scheduled|booked|coming "
            r"up)|$))"
        ),
        "final ",
    ),
    (re.compile(r"\bis (?:my|the) last (appointment|visit) (?=(?:in|of|next|this)\b)"), r"is my final \1 "),
    (re.compile(r"\blast names?\b"), "surname"),
    # What one is to do is what one does.
    (re.compile(r"\b(?:am i|are we) (?:supposed|meant|expected|due|scheduled|going) to\b"), "do i"),
    (
        re.compile(r"\b(?:am i|are we) (?:due|scheduled|expected) (at|with) (?=the |my |doctor )"),
        r"do i go \1 ",
    ),
    (re.compile(r"\bhow many different (?=medic|pills|prescri|drugs|vitamins|doctors)"), "how many "),
    (re.compile(r"\b(?:stomach|heartburn) (?=medic|pill|tablet|prescription|drug)"), "acid reflux "),
    (re.compile(r"^(?:give me|show me) (?:a |an |the )?(?:rundown|summary|overview) (?:of|on) "), "list "),
    (re.compile(r"^how old is (?:my|the) (\w+) prescription$"), r"how long have i been taking \1"),
    (re.compile(r"\bhow many more (?=appointments|visits|refills|pills|doses)"), "how many "),
    (re.compile(r"\b(once|twice|three times) daily\b"), r"\1 a day"),
    (re.compile(r"\bleft for (?:me|us) to take\b"), "left to take"),
    (re.compile(r"\bwithin (?:an?|one) (?=week|month)"), "in the next one "),
    (re.compile(r"\b(?:in|within|over|during) the next (?=(?:week|month|year)\b)"), "in the next one "),
    (re.compile(r"^how much (?:did|do) (.*) (?:come|add up|amount) to\b"), r"how much did i spend at \1"),
    (re.compile(r"\bstart(?:ed)? any new (?=medic|pill|prescri|drug)"), "start any "),
    (re.compile(r"\bmost (?:severe|serious|dangerous) (?=allerg|reaction)"), "worst "),
    (re.compile(r"^what (?:will|is going to) run out\b"), "which medications run out"),
    (
        re.compile(
            r"^how many (?:years|months|weeks|days) (?=have (?:i|we) (?:been (?:on|taking)|taken|used)\b)"
        ),
        "how long ",
    ),
    (
        re.compile(
            r"^what (?:did|has|does) (?:my|the) doctor (?:give|given|prescribe|prescribed)(?: me)? for "
        ),
        "what do i take for ",
    ),
    (
        re.compile(r"^who (?:wrote|writes|ordered|gave me) (?:me )?(?:my|the|a) prescription for "),
        "who prescribed ",
    ),
    (
        re.compile(r"\b(what|which) foods? (?:can|could|may|should|must) (?:not i|i not) (?:eat|have)\b"),
        "what foods must i avoid",
    ),
    (re.compile(r"^what else (?:is|are) (.*) (?:called|known as)$"), r"what is the brand name of \1"),
    (
        re.compile(
            r"\b(?:did|have) (?:they|you) (?:take|taken) me off(?: of)?\b|\bhave (?:i|we) come off(?: of)?\b"
        ),
        "did i stop taking",
    ),
    (re.compile(r"\b(?:was|were) (?:i|we) taken off(?: of)?\b"), "did i stop taking"),
    (re.compile(r"\bblood sugar (?=medic|pill|tablet|prescription|drug)"), "diabetes "),
    (
        re.compile(r"^what (?:was|did|has) (\w+) (?:get |got |been )?replaced (?:by|with)$"),
        r"what did i take after \1",
    ),
    (re.compile(r"^what (?:replaced|came after) (?=\w+$)"), "what did i take after "),
    (re.compile(r"^what did (\w+) replace$"), r"what did i take before \1"),
    (
        re.compile(
            r"^how (many (?:days|weeks)|long) (?:is it |do i have )?before (?=the |my |doctor |i see)"
        ),
        r"how \1 until ",
    ),
    (
        re.compile(
            r"^(?:will|does|do) (?:my |the )?(\w+(?: \w+)?) last (?:me )?(?:till|until|through|to)\b.*$"
        ),
        r"when does \1 run out",
    ),
    (re.compile(r"\bneed (?:my |the )?(\w+) (?:re)?filled\b"), r"need a refill of \1"),
    (
        re.compile(
            r"\b(?:take|took|taken) (?=(?:my |the )?(?:blood pressure|pulse|blood sugar|sugar|heart rate)\b"
            r"(?! (?:medic|pill|tablet|med|prescri|drug|one|stuff)))"
        ),
        "measured ",
    ),
    (re.compile(r"^is ((?:my |the )?(?:\w+ ){1,4})an? (?:tablet|capsule|inhaler)$"), r"tell me about \1"),
    (
        re.compile(
            r"^how many (?:of )?(?:my |the )?(medic\w+|pills|prescriptions) (?:still )?(?:have|has|with)"
            r" refills\b"
        ),
        r"which \1 have refills",
    ),
    (re.compile(r"^what helps (?:with )?my "), "what do i take for my "),
    (
        re.compile(
            r"^how (?:long|much longer) (?:will|does|do|is) (?:my|the) (\w+(?: \w+){0,2})"
            r" (?:last|going to last)$"
        ),
        r"when does \1 run out",
    ),
    (
        re.compile(r"^(?:am|are) (i|we) (?:good|okay|ok|all set|covered) (?:on|for) refills\b"),
        r"what refills do \1 need",
    ),
    (re.compile(r"^(?:run|walk|take) me through\b"), "tell me"),
    (
        re.compile(r"^what (?:are|do) you (?:showing|show|have)(?: (?:down|listed|on file))? for "),
        "what are my ",
    ),
    (re.compile(r"\bneeds? (?:any |some )?food\b"), "need to be taken with food"),
    (
        re.compile(
            r"\ballergies (?:are|is) not (?=(?:to )?(?:an? )?(?:foods?|drugs?|medic\w+|environment\w*)\b)"
        ),
        "allergies other than ",
    ),
    (re.compile(r"\bmy (\w+) (?:swells?|to swell|swell up)\b"), r"my \1 swelling"),
    (re.compile(r"\bmakes? me sneeze\b"), "gives me sneezing"),
    (
        re.compile(
            r"^how long (?:does|will|did)"
            r" (.*(?:appointment|visit|check ?up|cleaning|exam|dentist|doctor|therapy).*) (?:take|last)$"
        ),
        r"how long is \1",
    ),
    (re.compile(r"^how long will i be (?:at|with|in) "), "how long is "),
    (
        re.compile(r"\b(spending|expenses|costs?) (?:been )?(?:going|gone) (?:up|down)\b"),
        r"\1 more than last month",
    ),
    # What was bought, told by what was done.
    (
        re.compile(
            r"\b(?:drop|dropped|blow|blown|blew|lay out|laid out|shell out|shelled out|fork over|forked over"
            r"|fork out|forked out|put toward|throw away|go through)(?: (?=at |on |for )|$)"
        ),
        "spend ",
    ),
    (re.compile(r"^how much (?:money )?(?:went|goes|has gone) (?:out|away)\b"), "how much did i spend"),
    (
        re.compile(r"^how much (?:money )?(?:went|goes|has gone) (?:to|on|for|toward|towards|into) "),
        "how much did i spend on ",
    ),
    (
        re.compile(r"^(?:(?:give|tell|show) me |what (?:is|was|were) )?(?:my|the|our) totals? (on|for|at) "),
        r"how much did i spend \1 ",
    ),
    (
        re.compile(
            r"^(?:give me |show me )?(?:a |the )?break ?down (?:of|for) (?=(?:this|last) (?:week|month"
            r"|year)|january|february"
            r"|march|april|may|june|july|august|september|october|november|december)"
        ),
        "break down my spending in ",
    ),
    (
        re.compile(
            r"^(how much (?:do|does|is|are)\b.*) in (?:an?|the average|a typical)"
            r" (?=(?:day|week|month|year)\b)"
        ),
        r"\1 a ",
    ),
    (
        re.compile(r"\b(?:is|are) (?:my|our) (spending|expenses|bills) (?:up|down)\b"),
        r"\1 more than last month",
    ),
    (re.compile(r"\b(my|our|the) monthly bills\b"), r"\1 bills a month"),
    (re.compile(r"\bfill(?:ed)? up(?: (?:the|my) (?:car|tank))?(?=$| (?:last|this|in|on|at)\b)"), "buy gas"),
    (
        re.compile(r"\blast (?:fly|flown|flew|take a (?:plane|flight)|took a (?:plane|flight))\b"),
        "last buy a flight",
    ),
    (re.compile(r"\blast time (i|we) (?:flew|took a (?:plane|flight))\b"), r"last time \1 bought a flight"),
    (
        re.compile(r"\blast (?:get|got|gotten|have|had|go for|went for) (?:a|my) hair ?cut\b"),
        "last buy a haircut",
    ),
    (re.compile(r"\blast time (i|we) (?:got|had) (?:a|my) hair ?cut\b"), r"last time \1 bought a haircut"),
    (
        re.compile(
            r"\blast (?:eat|eaten|ate|go|gone|went) out(?: to eat| for (?:dinner|lunch|a meal))?\b"
            r"(?! (?:for|with|to)\b)"
        ),
        "last buy dining",
    ),
    (re.compile(r"\blast time (i|we) ate out\b"), r"last time \1 bought dining"),
)
