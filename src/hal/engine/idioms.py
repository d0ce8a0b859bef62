"""Idioms about what is measured and what is spent, in the plain words that the rows of `synonyms` go on from.

One row an idiom, as in `synonyms`: what stands for it, then what says it. They are read first, since the
rows of single words would take them apart: the "top number" of a pressure is not the highest one.
"""

from __future__ import annotations

from hal.engine.periods import MONTH

_PERIOD = rf"(?:(?:this|last) (?:week|month|year)|{MONTH}|20\d\d)"
_WITHIN = rf"((?:in |for |during )?{_PERIOD})"
_OWN = r"(?:(?:my|the|our) )?"
_SIDE = r"(?:under|below|over|above)"
_METRIC = r"(?:(?:blood )?(?:pressure|sugars?|glucose)|weight|pulse|heart ?rate|heart ?beat)"
_SUPERLATIVE = (
    r"(?:highest|lowest|worst|best|biggest|largest|smallest|cheapest|most|least|average|how many|how often"
    r"|fastest|slowest|heaviest|lightest|priciest|peak|max\w*|min\w*)"
)
_GOING = (
    r"(?:headed|heading|going|moving|trending|creeping|inching|drifting|edging|pointed|pointing|tending"
    r"|sliding)"
)
_RECEIVED = (
    r"(?:(?:my |the |our |her |his )?(?:social security|pension|pay ?check|salary|income|direct deposit"
    r"|deposit"
    r"|money|check)(?: (?:check|payment|deposit|money))?)"
)
_STAYS_THE_SAME = (
    r"(?:rent|(?:car |health |home )?insurance|internet|cable|netflix|comcast|water|electric\w*|power|phone"
    r"|utilities|premiums?)"
)
_IN_ACCOUNT = (
    r"(?:(?:my|the|our) (?:\w+ )?(?:account|bank|checking|savings)(?: account)?|(?:checking|savings)"
    r"(?: account)?|the bank)"
)
_NOT_OF_MEDICINES = r"(?!.*\b(?:pills?|tablets?|medic\w+|refills?|doses?|prescri\w+|insulin|inhalers?)\b)"

# Of what is measured.
_READINGS: tuple[tuple[str, str], ...] = (
    ("", r" (?:just )?be (?:honest|straight|frank|truthful)(?: with me)?$"),
    (
        "read ",
        r"^(?:read|rattle|list|call|reel|tick|say)(?: (?:me|us|them|it))? (?:back|off|out|aloud)(?:"
        r" (?:to|for) me)?"
        r" (?=(?:my|the|all|last|every)\b)",
    ),
    ("systolic", r"\b(?:top|upper) (?:number|figure)s?\b"),
    ("diastolic", r"\b(?:bottom|lower) (?:number|figure)s?\b"),
    (r"did \1 weigh", r"\bdid (i|we|she|he) weigh in(?: at)?\b"),
    ("weighed", r"\bweighed in(?: at)?\b"),
    (r"weight reading\1", r"\bweigh ?in(s?)\b"),
    (
        r"\1 ever",
        rf"^((?=.*\b{_SUPERLATIVE}\b).*?)(?: ever)? since (?:(?:we|i|you|they)(?: have)? (?:first )?"
        r"(?:start\w*|began|begun|been)(?: (?:keeping|to keep|tracking|to track|recording|checking|doing"
        r"|writing|measuring|logging|watching|to record|to measure)(?: (?:a |any )?(?:track|records?|tabs"
        r"|log))?(?: of)?(?: (?:it|this|them|that|these|things))?(?: down)?)?"
        r"|(?:the )?(?:very )?(?:beginning|start|records began)(?: of (?:the|my|these) records)?)$",
    ),
    ("highest ", rf"\bworst (?={_OWN}(?:(?:blood )?(?:pressure|sugars?|glucose)|systolic|diastolic)\b)"),
    (r"\1\2 the highest", r"^(.*\b(?:blood )?(?:pressure|sugars?|glucose)\b)(.*?) (?:the|at its) worst\b"),
    ("highest ", rf"\b(?:fastest|quickest) (?={_OWN}(?:heart|pulse)\b)"),
    ("lowest ", rf"\bslowest (?={_OWN}(?:heart|pulse)\b)"),
    (r"\1heart rate ", rf"\b((?:highest|lowest) {_OWN})heart (?!rate|beat)"),
    (
        "what is my heart rate",
        r"^how (?:fast|slow|quick) (?:is|has) (?:my|the) (?:heart|pulse)(?: been)?"
        r"(?: (?:beating|going|running))?(?: (?:now|right now|currently))?$",
    ),
    (
        r"has \1\2 gone up or down",
        rf"^(?:in )?(?:which|what) (?:way|direction) (?:is|are|was|has) ({_OWN})({_METRIC})(?:"
        rf" been)? {_GOING}"
        r"(?: in)?\b",
    ),
    (
        r"has the \1 gone up or down\2",
        rf"^{_OWN}({_METRIC})\b(.*?) (?:(?:is |has been )?{_GOING} (?:in )?(?:which|what) (?:way|direction)"
        rf"|(?:which|what) (?:way|direction) (?:is it|has it been|is that) {_GOING}(?: in)?)$",
    ),
    (
        r"has \1 gone up or down",
        rf"^(?:is|are|has) ({_OWN}{_METRIC})(?: (?:still|been))* {_GOING} (?:in )?the (?:right|wrong) "
        r"(?:way|direction)\b",
    ),
    (r"\1gone \2", rf"^(.*\b{_METRIC}\b.*?)\b{_GOING} (up|down)\b(?! to \d)"),
    (
        r"\1",
        r"^(.*\b(?:highest|lowest) (?:my|the) .+?) (?:ever )?(?:dropped|gotten|got|gone|climbed|went"
        r"|fallen|fell"
        r"|risen|been)(?: (?:up|down))?(?: to)?$",
    ),
    ("higher ", rf"\b(?:better|worse) (?=(?:in )?{_PERIOD} or (?:in )?{_PERIOD}\b)"),
    ("how many times ", rf"^how many days (?=(?:was|has|have|did|is) {_OWN}{_METRIC}\b)"),
    ("weigh myself", r"\b(?:step|stepped|get|got|hop|hopped) on the scale\b"),
    (
        r"highest and lowest \1",
        rf"\brange (?:on|of|for|in) {_OWN}({_METRIC})\b(?= (?:in|this|last"
        rf"|since)\b|$)",
    ),
    *(
        (
            rf"has \1 been {other} \2",
            rf"^(?:did|has|have|does) ({_OWN}{_METRIC}) (?:always )?(?:stay|stayed|stays|remain|remained"
            rf"|keep|kept)"
            rf" (?:{side}) (\d+)\b",
        )
        for side, other in (("under|below", "over"), ("over|above", "under"))
    ),
    (r"\1 this \2", rf"^(.*\b(?:{_METRIC}|spen[dt]|spending|totals?)\b.*) for the (week|month|year)$"),
    # What is gained or lost.
    (
        r"\1 gained",
        r"\b(weight (?:have|has|did) (?:i|we|she|he)) (?:put|putting|packed|piled) (?:back )?on\b",
    ),
    (
        "gained weight",
        r"\b(?:put|putting|pack|packed|packing|pile|piled|piling)(?: (?:on|any|some|more|back))*"
        r" (?:weight|pounds)(?: (?:back|on))*(?= |$)",
    ),
    (
        "lost weight",
        r"\b(?:drop|dropped|dropping|shed|shedding|taken off|took off|take off)(?: (?:any|some|more))*"
        r" (?:weight|pounds)\b",
    ),
    (r"\1 lost", r"\b((?:weight|pounds) (?:have|has|did) (?:i|we|she|he)) (?:drop|dropped|shed|taken off)\b"),
    # Which day, how many, and which of two times.
    (r"when did \1 weigh", r"^(?:on )?(?:which|what) (?:day|date) did (i|we|she|he) weigh\b"),
    (
        r"how many \1 readings ",
        r"^(?:how many|(?:the )?(?:count|number) of) ((?:blood )?(?:pressure|sugar|glucose|weight|pulse))s? "
        r"(?=(?:did|do|have|were|are|was|is|got|logged|recorded|noted|taken|entered|in|on|since|this|last|we"
        r"|i)\b)",
    ),
    *(
        (rf"what was my {which} \{metric} reading \{bound}", pattern)
        for which in ("first", "last")
        for metric, bound, pattern in (
            (1, 2, rf"^when (?:did|was|has) {_OWN}({_METRIC}) {which} (?:\w+ ){{0,2}}({_SIDE} \d+)\b"),
            (
                2,
                1,
                rf"^when (?:did|was|have) (?:i|we) {which} (?:\w+ ){{0,2}}({_SIDE} \d+)"
                rf" on {_OWN}({_METRIC})\b",
            ),
            (1, 2, rf"^when (?:is|was) the {which} time {_OWN}({_METRIC}) (?:\w+ ){{1,2}}({_SIDE} \d+)\b"),
        )
    ),
    (
        "compared to",
        r"\b(?:stack|stacks|stacked|stacking|measure|measures|measured|hold|holds|held|line|lines|match"
        r"|matches)"
        r" up (?:against|to|with|next to|alongside)\b",
    ),
    (r"\1\2 compared to ", rf"\b({_PERIOD})((?: \w+)?) against (?={_PERIOD}\b)"),
    (
        r"\1last time",
        rf"^((?=.*\b(?:how much|charged?|pay|paid|spen[dt]|costs?|bought|buy|bill|come to|{_METRIC})\b).*?)"
        r"\bthe other (?:day|night|evening|morning)\b",
    ),
)

# Of what is spent and received.
_MONEY: tuple[tuple[str, str], ...] = (
    ("what did i buy", r"^what (?:all )?(?:money )?went out(?= (?:on|in|this|last|yesterday|today)\b)"),
    (
        r"how much did i spend on \1",
        r"^(?:what|how much) (?:did|do|does|have|has) (?:all )?(?:the |my |our )?"
        r"(?!(?:i|we|it|that|they|this|weight|sugar|glucose|pressure|pulse|blood|heart|my|the)\b)"
        r"(\w+(?: \w+)?) (?:come|came|add up|amount|total)(?: up)? to\b",
    ),
    (
        r"how much did i spend on \1 \2",
        r"^(?:what|how much) (?:did|do|does|have|has) (?:all )?(?:the |my |our )?(\w+(?: \w+)?)"
        r" ((?:in|on|since|last|this) (?:\w+ ){0,2}?\w+) (?:come|came|add up|amount)(?: up)? to$",
    ),
    (
        r"what are my top three \1",
        r"^(?:which|what) (stores|shops|places|merchants) (?:get|got|take|took|eat|receive)(?: the)? most"
        r"(?: of)? (?:my|our) money",
    ),
    (
        r"compare \1 \2 and \3",
        rf"^compare (.+?) (?:from |of |in )?({MONTH}) (?:to|with|against|versus|vs) ({MONTH})$",
    ),
    ("", r"^far (?=(?:in|this|since)\b)"),  # "so" is taken out at the beginning as a word of address
    (r"in \1", rf"\bso far (?:in|for) ({MONTH}|20\d\d)\b"),
    (
        "altogether",
        r"\b(?:all told|added (?:up|together)|(?:all )?put together|all (?:in )?all|the whole lot)\b",
    ),
    ("total", r"\bgrand total\b"),
    ("last two times", r"\bboth times\b"),
    (r"last \1 times", r"\ball (two|three|four|five|six) times\b"),
    (r"\1 ever", rf"^((?=.*\b{_SUPERLATIVE}\b).*?) (?:out )?of (?:all (?:of )?)?them(?: all)?$"),
    (
        "highest ",
        r"\b(?:worst|steepest|stiffest|heftiest|fattest) (?=(?:\w+ ){0,2}(?:bills?|charges?|purchases?"
        r"|expenses?|payments?)\b)",
    ),
    (r"\1\2 the highest", r"^(.*\b(?:bill|charge|payment|purchase)s?\b)(.*?) the worst\b"),
    # What comes in, and what goes out.
    (
        r"\1 \2 come in",
        rf"^(has|have|did|does|do|will) ({_RECEIVED}) (?:\w+ )?(?:hit|hits|land|landed|post|posted|clear"
        r"|cleared|arrive|arrived|go in|gone in|went in|show up|shown up|showed up|get in|gotten in|got in)"
        rf"(?: (?:in )?{_IN_ACCOUNT})?(?= (?:yet|this|last|in|on|already|today)\b|$)",
    ),
    (
        r"when did \1 last come in",
        rf"^when (?:does|do|did) ({_RECEIVED}) (?:usually |normally |last )?(?:hit|land|post|clear"
        rf"|arrive|go in"
        rf"|get in|show up)(?: (?:in )?{_IN_ACCOUNT})?$",
    ),
    (
        r"has \1 gone out",
        r"^(?:has|have|did) ((?:my |the |our )?(?:\w+ ){0,2}(?:bill|payment|rent|insurance))"
        r" (?:hit|post|posted|clear|cleared)(?= (?:yet|this|last|in|on|already|today)\b|$)",
    ),
    (
        r"how many times did \1 charge \2\3",
        r"^did ((?:the |my )?\w+(?: \w+){0,2}) (?:hit|charge|charged|bill|billed|ding|dinged|take from)"
        r" (me|us)"
        r" (?:twice|two times|double|three times|more than once|again)\b(.*)$",
    ),
    (
        r"how many times did \1 charge me\2",
        r"^(?:was|were|have|did) (?:i|we) (?:been |get |gotten )?(?:charged|billed|hit) (?:twice|two times"
        r"|double|three times|more than once) (?:by|from|at|for) ((?:the |my )?\w+(?: \w+)?)"
        r"((?: (?:in|on|this|last|since|yesterday|today).*)?)$",
    ),
    (
        r"charge \1 for",
        r"\b(?:hit|ding|dinged|nick|nicked|soak|soaked|sting|stung|get|got|take|took) (me|us) for(?= |$)"
        r"(?! (?:the |my |an? )?(?:pain|test|shot))",
    ),
    (
        r"how much does \1 charge me",
        r"^what (?:does |is |did |do )?((?:the |my |our )?\w+(?: \w+){0,2}?) (?:takes?|taking|took|pulls?"
        rf"|pulling|draws?) (?:out of {_IN_ACCOUNT}|out|from me|from us)(?: (?:each|every|a|per) month)?$",
    ),
    (
        r"how much does \1 charge me",
        r"^what (?:does|do) ((?:the |my |our )?\w+(?: \w+){0,2}?) (?:run|set)(?: (?:me|us)(?: back)?)?"
        r"(?: (?:each|every|a|per) month)?$",
    ),
    (
        r"how much did i spend in \1",
        rf"^(?:what|how much) (?:did|has) ({MONTH}) (?:run|cost|set)(?: (?:me|us))?"
        r"(?: back)?$",
    ),
    (
        "what did i buy",
        rf"^what (?:all )?(?:(?:is|has|was|got) )?(?:came|come|comes|went|gone|taken|paid) out"
        rf" of {_IN_ACCOUNT}",
    ),
    (
        "how much did i spend",
        rf"^how much (?:money )?(?:(?:is|has|was|got) )?(?:came|come|comes|went|gone|taken) out"
        rf" of {_IN_ACCOUNT}",
    ),
    (
        "how much money do i have in my account",
        rf"^(?:what|how much) (?:is|do i have|have i got)(?: left)? in {_IN_ACCOUNT}",
    ),
    (
        r"how much did \1 pay ",
        rf"^what (?:did|have) (i|we) (?:pay|paid) (?=(?:at|to)\b.* (?:in|on|since|{_PERIOD})\b)",
    ),
    # What is bought, and where.
    (
        r"\1\2 from ",
        r"\b(order|ordered|ordering|buy|bought|buying|purchase|purchased)((?: \w+)?) off(?: of)? (?=\w)",
    ),
    (
        r"what did \1 buy",
        r"^what (?:all )?(?:did|have) (i|we) (?:pick|picked|order|ordered|grab|grabbed)(?: up)?(?= (?:at"
        r"|from)\b)",
    ),
    (
        r"\1 went to ",
        r"^(i|we) (?:stopped|swung|popped|ducked|pulled)(?: off)? (?:over at|in at|by|in|into|at) ",
    ),
    (
        r"how much did \1 spend at \2",
        r"^(i|we) (?:was (?:at|in)|were (?:at|in)|went to|went by) (.+?) (?:and )?(?:what|how much)"
        r" (?:was|is|did|were) (?:it|that"
        r"|they|i|we)(?: (?:come to|cost|run|charge|drop|get|spend))?(?: (?:me|us))?(?: for)?(?: in"
        r" (?:all|total))?$",
    ),
    (
        "gas purchases",
        r"\b(?<!i )(?<!we )(?<!to )(?<!last )(?:gas |fuel )?(?:fill ?ups?|tanks? of gas|tank ?fulls? of"
        r" gas)\b",
    ),
    (
        r"\1 \2 spent",
        rf"^{_NOT_OF_MEDICINES}((?:.* )?(?:have|has|did)) (i|we)(?: (?:already|all))? (?:gone|go|went"
        rf"|run|been"
        r"|burned|burnt|blown) through\b",
    ),
    (
        "who got ",
        r"^who (?:has |had )?(?:took|taken|takes|gets) (?=(?:\d|a hundred).* (?:from|off) (?:me|us)$)",
    ),
    # What is left of what came in.
    *(
        (r"what was my net_income \1", rf"{asked} {_WITHIN}{ended}$")
        for asked, ended in (
            (
                r"^(?:what|how much) (?:was|is|were|did|do|money was)(?: (?:i|we))?(?: (?:have|end up"
                r" with))? left"
                r"(?: over| with)",
                r"(?: after .*)?",
            ),
            (r"^how much (?:money )?(?:did|have) (?:i|we) (?:save|saved|put away|pocket|clear|net)", ""),
            (
                r"^did (?:i|we) (?:come out ahead|end up ahead|save (?:any ?thing|any(?: money)?)|break"
                r" even)",
                "",
            ),
            (
                r"^did (?:i|we) spend more than (?:i|we) (?:got|made|earned|took in|brought in|received"
                r"|had coming in)",
                "",
            ),
            (r"^did (?:i|we) (?:live|stay) within (?:my|our) means", ""),
            (r"^did (?:i|we) (?:overspend|have (?:any )?(?:money|anything) left(?: over)?)", ""),
        )
    ),
    ("what was my net_income this month", r"^did (?:i|we) spend more than (?:i|we) earned$"),
    # What is left out of it.
    (
        r"\1 leaving out \2",
        r"^(.*\b(?:spen[dt]|spending|totals?|bills?|purchases|expenses|cost)\b.*?) (?:and |but |just "
        r"|please )*"
        r"(?:leave|leaving|take|taking|keep|keeping|count|counting|pull) (?:the |my |our )?(\w+(?: \w+)?)"
        r" out(?: of it)?$",
    ),
    (
        r"\1 leaving out \2",
        r"^(.*\b(?:spen[dt]|spending|totals?|bills?|purchases|expenses|cost)\b.*?) (?:and |but |just "
        r"|please )*"
        r"(?:leave out|ignore|ignoring|skip|skipping|forget(?: about)?|never mind|minus|subtract"
        r"|(?:do not|not) (?:count|include|counting|including)) (?:the |my |our )?(\w+(?: \w+)?)$",
    ),
    # Whether a bill that is the same each time has changed: its latest payments tell.
    (
        r"what were my last three \1 payments",
        rf"^(?:did|have|has) (?:they|it|(?:my |the |our )?\w+(?: \w+)?) (?:raised?|hiked?|upped|put up"
        rf"|jacked up"
        rf"|increased?|bumped(?: up)?|raise|hike|jack up|bump up) {_OWN}({_STAYS_THE_SAME})"
        r"(?: (?:bill|rates?|prices?|payments?))?(?: on (?:me|us))?(?: again)?$",
    ),
    (
        r"what were my last three \1 payments",
        rf"^(?:did|has|is) {_OWN}({_STAYS_THE_SAME})(?: (?:bill|rates?|prices?|payments?))?"
        r" (?:go up|gone up|went up|going up|increased?|get raised|been raised|change|changed)(?: on"
        r" (?:me|us))?$",
    ),
    (
        r"what was my smallest purchase \1 ",
        r"^(?:what|how much) (?:is|was) the least (?:that )?(?:i|we)(?: have)?(?: ever)? (?:paid|spent"
        r"|pay|spend)"
        r" (for|on|at) (?=\w)",
    ),
    (
        r"when was my \2 \1 bill",
        r"^(?:in )?(?:which|what) (?:month|week|day) (?:was|were) (?:my|the|our) (water|electric\w*"
        r"|power|grocery)"
        r"(?: bills?)? (?:the )?(highest|lowest|biggest|smallest|largest)$",
    ),
)

# Of either, and of visits.
_ANY: tuple[tuple[str, str], ...] = (
    ("", r" so far$"),
    (r"\1", r"^(how many .*\ballergic to) altogether$"),
    (r"this \1", r"\bthis (?:whole|entire) (year|month|week)\b"),
    ("lately", r"\bthese (?:last |past )?(?:few )?(?:months|weeks|days)\b"),
    (r"compare \1", r"^(.*\b(?:and|with|versus)\b.*) side by side$"),
    (r"\1 in \2", r"\b(average|total|costs?|spending|spent|bills?) (20\d\d)$"),
    (
        r"\1",
        r"^(.*\b(?:highest|heaviest|lowest|lightest|largest|biggest|smallest|cheapest)\b.*)"
        r" and (?:the|what|on what|on which) (?:date|day)(?: was (?:it|that))?$",
    ),
    ("checking ", r"\btesting (?=(?:the|my) (?:glucose|sugar|blood)\b)"),
    ("spent ", r"\b(?:wasted|blown|blew|burned|thrown away) (?=(?:on|at)\b)"),
    (
        r"what did i pay \1",
        r"^how much (?:has|did|have) (.+?) (?:had|gotten|got|taken|get|take) (?:off|from|out of) me\b",
    ),
    ("gone up", r"\b(?:crept|inched|edged) up\b"),
    ("did i buy anything", r"^anything bought\b"),
    (
        r"when is \1",
        r"^what (?:day|date|weekday|day of the week) (?:does|do|will|is) (.+?) (?:fall|land)(?: on)?$",
    ),
    (
        "and ",
        r"^(?:and )?(?:the )?same (?:question|thing)(?: again)?(?: but)? (?=(?:for|in|with|at|about)\b)",
    ),
)

IDIOMS = (*_READINGS, *_MONEY, *_ANY)
