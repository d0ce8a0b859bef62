"""Words and phrases of one meaning about money, as in `synonyms`: what stands for them, then what says it."""

from __future__ import annotations

from hal.engine.periods import MONTH

_GREATEST = r"(?:biggest|largest|highest|most expensive|priciest|costliest|greatest)"
_MEASURED = r"(?:blood|pressure|sugars?|glucose|weight|pulse|heart|scale)"
_HOW_MANY = r"(two|three|four|five|six|seven|eight|nine|ten|\d)"
_RANKED = (
    r"((?:spending |expense )?(?:purchases|things|items|expenses|charges|transactions|bills|payments|places"
    r"|stores|shops|merchants|restaurants|categories))"
)

# After which words an amount of money is said by its numbers alone, and what after them says another thing.
_BEFORE_AMOUNT = "|".join(
    f"(?<={words} )"
    for words in (
        *(f"{thing} {word}" for thing in ("charge", "payment", "purchase", "bill") for word in ("of", "for")),
        *(f"{word} for" for word in ("buy", "bought", "pay", "paid", "spent", "got", "get", "something")),
        *(f"who {word}" for word in ("got", "gets", "took", "takes", "received")),
        *(f"{word} me" for word in ("charged", "charge", "charges", "charging", "cost", "costs")),
        *(f"{word} {that}" for word in ("is", "was", "were") for that in ("the", "that", "this")),
        *("paid", "pay", "pays", "spend", "spent", "cost", "costs", "charged", "charge", "took out"),
    )
)
_AMOUNT = rf"\b(?=\d)(?:{_BEFORE_AMOUNT})"
_NO_AMOUNT = (
    r"(?! (?:dollars?|cents?|over|mg|mcg|milligrams?|pounds?|points?|percent|times?|am|pm|o|oclock|purchases?"
    r"|days?|weeks?|months?|years?|in the|at night|to|through|and|\d))"
)
_FOR_WHAT = r"(?= (?:for|charge|payment|purchase|bill|one|from|at|about|debit)\b|$)"

MONEY: tuple[tuple[str, str], ...] = (
    (
        r"\1 \2 december 31",
        rf"\b((?:{MONTH}) \d{{1,2}}) (through|until|till|to) the end of (?:the|that) year\b",
    ),
    ("fourth quarter of ", r"\b(?:the )?(?:last|final) three months of (?=20\d\d\b|last year\b)"),
    ("first quarter of ", r"\b(?:the )?first three months of (?=20\d\d\b|(?:this|last) year\b)"),
    (r"\2 leaving out \1", r"^leaving (?:the |my |our )?(\w+) aside (.+)$"),
    (
        r"when was my \1 \2",
        rf"^(?:in )?(?:which|what) month (?:had|saw|was) (?:my|the|our) "
        rf"({_GREATEST}|lowest|smallest|cheapest) ((?:\w+ ){{1,2}}bill)$",
    ),
    (
        r"how much did i spend at \1 in all",
        r"^(?!(?:grand|monthly|weekly|the|my|a|in|total|weight|glucose|pressure)\b)"
        r"(\w+(?: (?!in\b)\w+)?) total$",
    ),
    (
        "how many times did i buy gas",
        r"^how (?:often|many times) (?:have|did)"
        r" i fill(?:ed)? up\b(?! (?:my|the|on))",
    ),
    (
        r"which store do \1 go to most often for dining",
        r"^which restaurant (?:do|did|have) (i|we) (?:go|gone|been|eat|eaten)(?: to| at)? (?:the )?most"
        r"(?: often)?$",
    ),
    (
        r"list my purchases \1 \2",
        r"^(?:list |show me |tell me |read |what is )?(?:everything|anything|all)(?: that)? i (?:have )?"
        r"(?:spent|paid|bought)(?: for)? (over|above|under|below) (\d+(?:\.\d+)?(?: dollars)?)"
        r"(?: (?:on|for))?\b",
    ),
    (r"how much did i spend at \1 in all", r"^(?:the |my )?total at (\w+(?: \w+)?)$"),
    (r"\1 a \2", r"^(.*\b(?:spend|pay|costs?|make|earn)\b.*?) in an? (month|week|year)\b"),
    (
        r"which \1 did i go to",
        r"^(?:name|list|tell me|what are)(?: all)?(?: of)? the"
        r" (restaurants|stores|shops|places) (?:that )?(?:i|we)"
        r" (?:have )?(?:been to|gone to|went to|visited|shopped at|ate at|eaten at)$",
    ),
    (
        "which one was the largest",
        r"^which (?:one|of them|of those) (?:was|is|cost)(?: me)? (?:the )?most(?: expensive)?$",
    ),
    (
        r"what is my average \1",
        r"^how much is (?:the|my) ((?:electric|water|phone|internet|cable|power|gas) bill) usually$",
    ),
    (
        r"how much \1 have i received",
        r"^how much have (?:i|we) gotten from"
        r" (social security|the pension|my pension)\b",
    ),
    (
        r"\1 \3 in \2",
        rf"\b(my|the|our) ({MONTH}) (rent|payment|statement|groceries|spending|(?:(?!\d)\w+ )?bills?)\b"
        r"(?! \d)",
    ),
    (
        r"how much did \1 pay for ",
        r"^what did (i|we) pay (?:for|on) (?!(?:last|this|in|on|since|yesterday|today)\b)(?=\w)",
    ),
    (
        r"how much did \1 earn",
        r"^how much (?:money )?(?:have|did) (i|we) (?:made|make)(?= (?:since|in|this|last|so far)\b|$)",
    ),
    (
        r"what is my average \1 purchase",
        r"^what do i average (?:per|a|each) (\w+(?: \w+)?) (?:trip|run|visit)$",
    ),
    (
        r"how much is my \1",
        r"^(?:what|how much) is the (rent|(?:electric|water|phone|internet|cable|power|car|gas) "
        r"(?:bill|insurance))$",
    ),
    (
        "",
        r" (?:the )?(?:biggest|largest|highest|most expensive) first$"
        r"| from (?:biggest|largest|highest|most) to (?:smallest|lowest|least)$",
    ),
    (r"how much is my \1 bill", r"^what (?:is|has) my (\w+) bill been(?: running)?(?: lately)?$"),
    ("how much did i spend at ", r"^(?:the |my )?total at "),
    (r"which store did \1 spend the most at", r"^where did (i|we) spend the most(?: money)?\b"),
    (r"how much did \1 earn", r"^how much(?: money)? did (i|we) (?:take|bring) in\b"),
    (
        r"what was my largest purchase at \1",
        r"^which (?:trip|visit) to (?:the )?(.+?) cost (?:me )?(?:the )?most$",
    ),
    (
        r"\1 purchase",
        r"\b(biggest|largest|highest|smallest|priciest|most expensive|cheapest) (?:bill|run|trip)\b"
        r"(?=.* (?:at|apart from|except|besides|other than) )",
    ),
    (
        r"\1 purchase at \2",
        r"\b(biggest|largest|priciest|most expensive|cheapest)"
        r" ((?!grocery|shopping|electric|power|water|phone)\w+) run$",
    ),
    (
        "any charges ",
        r"\bany charges (?:come|came|gone|go|went) (?:through|in) (?=(?:today|yesterday|this|last)\b)",
    ),
    (r"how much did \1 spend", r"^what did (i|we) go through(?= (?:last|this|in)\b)"),
    ("", r" (?:money|weight) wise$"),
    (
        r"how much do i pay for \1 a month",
        r"^how much does (?:the |my )?(\w+(?: \w+)?) (?:take|cost|charge)(?: me)? (?:every|each|a) month$",
    ),
    (r"when did i last pay \1", r"^when did (\w+) last (?:hit|come out of|charge) my (?:account|card|bank)$"),
    (r"how much did \1 spend on gas", r"^how much (?:have|did) (i|we) put in the (?:gas )?tank\b"),
    (r"when was \1 last at", r"^when did (i|we) last (?:stop|stop in|pop in|go in|drop in) (?:at|by)\b"),
    (r"did \1 go to", r"^did (i|we) (?:stop|pop|drop) (?:in at|by|in)\b"),
    (
        "what did i spend in total ",
        r"^what was my (?:total )?(?:expenditure|outlay|outgoings) (?=(?:for|in|this|last)\b)",
    ),
    ("how much did i pay for a flight", r"^what was the price of the (?:air ?plane|plane|flight) tickets?$"),
    (r"did i pay \1", r"^i paid (?:something|anything) to (\w+)$"),
    (
        r"how much did i spend at \1",
        r"^(?:the )?(\w+(?: \w+)?) how much have (?:i|we) (?:dropped|spent|left) there$",
    ),
    (
        r"how much have i spent at \1",
        r"^how much (?:have|did) (?:i|we) (?:given|give|handed)(?: to)? (?!(?:me|my|the|her|him|them|a)\b)"
        r"(\w+(?: \w+)?)(?: over all the months)?(?= (?:this|last|in|since|so far)\b|$)",
    ),
    ("most expensive purchase", rf"\b{_GREATEST} (?:thing|item)(?= (?:in|last|this|since|i bought)\b)"),
    (
        r"what is my average \1 purchase",
        r"^(?:on average )?what is (?:a|an|the average) (\w+(?: \w+)?) (?:trip|run|bill)(?: on average)?$",
    ),
    (r"did i spend less in \1 than in \2", rf"^was ({MONTH}) cheaper than ({MONTH})(?: for (?:me|us))?$"),
    (
        r"did i spend more in \1 than in \2",
        rf"^was ({MONTH}) more expensive than ({MONTH})(?: for (?:me|us))?$",
    ),
    (r"so far this \1", r"\b(?:for|in) the (year|month|week) so far\b"),
    (r"this \1", r"\bfor the (year|month|week)$"),
    ("", r" and (?:such|the like|(?:stuff|things) like that|so on|so forth)\b"),
    (
        r"where did \1 spend more \2",
        rf"^(?:did|have|do) (i|we) (?:spend|spent|pay|paid) more (?:money )?(?:at|on|for)"
        rf" (?!.*(?:{MONTH}|week|month|year) or )((?!.*\bthan\b).+ or .+)$",
    ),
    (
        r"which category did i spend the most on\1",
        r"^(?:which|what) category did most of (?:my|our|the) money go (?:to|into|on)(.*)$",
    ),
    (r"\1", r"\b(gas|fuel|gasoline) for (?:the|my|our) car\b"),
    (
        r"how much did \1 spend at \2 \3",
        r"^what did (i|we) pay (?:to )?((?!for|in|on|the|my|this|last|by)\w+"
        r"(?: (?!for|in|on|this|last|since)\w+)?) ((?:this|last) (?:year|month|quarter)|since \w+)$",
    ),
    (
        r"how much have i spent at \1",
        r"^how much (?:has|have|did) (?!(?:i|we|he|she|it|that|they)\b)((?:the )?\w+(?: \w+)?) "
        r"(?:had off|had from|taken? (?:off|from)|got(?:ten)? (?:off|from|out of)|get "
        r"(?:off|from|out of)) (?:me|us)\b",
    ),
    (
        r"when was \1 last paid",
        r"^when did ((?:the|my) \w+(?: \w+)?) last (?:go out|come out|go through|go off|get paid)\b",
    ),
    (
        "how much have i paid ",
        rf"^what (?:have|did) (?:i|we) (?:paid|pay) (?=in (?!(?:{MONTH})\b|the|this|last|20))",
    ),
    (r"what do \1 pay for", r"^what (?:am|are) (i|we) paying for\b"),
    (r"how much did \1 spend at", r"^how much did (i|we) leave at\b"),
    (r"than \1 earn", r"\bthan (i|we) (?:am|are) (?:taking|bringing) in\b"),
    (
        "did i spend more than i earned",
        r"^(?:am|are) (?:i|we) spending more than (?:i|we) (?:earn|make|get)\b",
    ),
    (
        r"how much \1 have i received",
        r"^how much ((?!money|do|did|have)\w+(?: \w+)?) have (?:i|we) (?:gotten|got|collected|drawn)"
        r"(?= (?:this|last|so far|from|in|since)\b)",
    ),
    ("when did ", rf"^(?:in )?(?:which|what) month did (?=.* (?:{MONTH}) or (?:in )?(?:{MONTH})$)"),
    # Amounts that are said by their numbers: "six forty nine ninety nine", "fourteen twenty five".
    (r"\1.\2_\1\2 dollars", rf"{_AMOUNT}(\d\d) (\d\d)\b{_NO_AMOUNT}"),
    (r"\1.\2 dollars", rf"{_AMOUNT}(\d\d?\d?\d?) (\d\d)\b{_NO_AMOUNT}"),
    (
        r"\1\2_\1.\2 dollars",
        rf"{_AMOUNT}(?!20\d\d\b)(\d\d?)(\d\d)\b{_NO_AMOUNT}{_FOR_WHAT}",
    ),
    (r"\1 dollars", r"\b(\d+\.\d\d)(?= |$)(?! dollars)"),
    (r"top_\1 \2", rf"\b(?:top|{_GREATEST}) {_HOW_MANY} {_RANKED}\b"),
    (r"top_\1 \2", rf"\b{_HOW_MANY} (?:top|{_GREATEST}) {_RANKED}\b"),
    (
        r"on which \2 did \1 spend the most",
        r"^(?:what|how much) (?:is|was) the most (?:that )?(i|we) (?:have )?(?:ever )?(?:spent|spend)"
        r" in (?:an?|one|any|a single) (day|week|month)\b",
    ),
    *(
        (
            rf"{name}_\1 ",
            r"\b(?:(?:in|on|during) )?(?:which|what) (?:was the |is the )?(month|week|day)"
            rf"(?: of the month)? (?=.*\b(?:spen[dt]|spending|paid|pay|costs?|bills?|buy|bought|expensive)\b)"
            rf"(?=.*\b(?:{words})\b(?! (?:\d|expensive)))",
        )
        for name, words in (
            ("peak", "most|highest|biggest|largest|higher|bigger"),
            ("low", "least|lowest|smallest|cheapest"),
        )
    ),
    (r"\1", r"^(.*\blow_\w+ .*?) (?:the )?least(?: money)?\b"),
    (
        r"my peak_\1",
        r"\b(?:my|our|the) (?:most expensive|costliest|priciest|biggest spending|highest spending"
        r"|top spending) (month|week|day)\b",
    ),
    (
        r"my low_\1",
        r"\b(?:my|our|the) (?:least expensive|cheapest|lowest spending|smallest spending)"
        r" (month|week|day)\b",
    ),
    (
        r"how much came in",
        r"^(?:(?:did|has|have|does) (?:anybody|anyone|somebody|someone)|who)"
        r" (?:pay|pays|paid|sends?|sent) (?:me|us)"
        r"(?: any)?(?: money)?\b(?! back)|^where (?:does|did|is) (?:all )?(?:my|our|the) (?:money|income)"
        r" (?:come|coming) from\b",
    ),
    (
        r"when did \1 last pay \2",
        r"^(?:who|whom) (?:do|did) (i|we) pay (?!.*\b(?:most|least|\d+)\b)(?:the |my |our )?"
        r"(\w+(?: \w+)?) to$",
    ),
    # Two months that are compared without a word of spending.
    *(
        (r"did i spend more in \1 than in \2", rf"^{asks} (?:in |of )?({MONTH}) {joint} (?:in )?({MONTH})$")
        for asks, joint in (
            (r"how (?:does|did|do)(?: (?:my |our )?spending)?", r"(?:spending )?compare (?:to|with)"),
            (r"(?:was|is)", r"(?:cheaper|more expensive|costlier) than"),
            (r"what (?:was|is) (?:more|more expensive|cheaper)", r"or"),
            (r"which (?:month )?(?:was|is) (?:more expensive|cheaper|costlier)", r"or"),
        )
    ),
    (
        r"when did \1 last buy gas",
        r"^(?:where|what gas station|which gas station) do (i|we) (?:get|buy|use for) gas$",
    ),
    (r"\1", r"^(how much (?:have|did) (?:i|we) spen[dt]\b.*) so far$"),
    (
        r"how many times did \1 go to \2\3",
        r"^(?:did|have) (i|we) (?:go|gone|been) to (\w+(?: \w+)?) (?:twice|(?:two|three|four|five|\d) times)"
        r"( (?:this|last|in) .+)?$",
    ),
    (
        r"which \1 do i go to most often",
        r"^what is (?:my|our) most (?:frequent|visited|common) (store|shop|place)$",
    ),
    # What is paid without saying by whom.
    (
        r"did i pay the \1",
        r"^(?:and )?(?:did|has|have) (?:the |my |our )?(?!(?:i|we|she|he|they|anybody|anyone|somebody)\b)"
        r"(\w+(?: \w+){0,2}?) (?:get|gets|got|gotten|been) paid\b(?: (?:yet|already|off))?",
    ),
    # A bound of what is spent in all, told by what the spending does.
    (
        r"\1 \2spent \3 ",
        r"\b(i|we) ((?:have |had |ever |already )*)(?:gone|went|go|been|gotten|got|stayed|stay|come|came) "
        r"(over|above|past|under|below) (?=\d+(?: dollars)? (?:on|at|for) (?!my |(?:the )?"
        rf"{_MEASURED}\b)\w)",
    ),
    (
        r"have \1 spent \2 ",
        r"^(?:are|am|is|were|was) (i|we) (?:still |already )?(over|above|past|under|below) "
        r"(?=\d+(?: dollars)? (?:on|at|for) (?!my |(?:the )?"
        rf"{_MEASURED}\b)\w)",
    ),
    (
        r"did \1 spend \3 \4 on \2",
        r"^did (i|we) (?:keep|hold|get) (?:the |our |my )?(\w+(?: out)?)(?: spending| bills?| costs?)? "
        r"(?:to )?(under|below) (\d+(?: dollars)?)\b",
    ),
    (
        r"what did \1 buy",
        r"^what(?: all| else)? (?:did|have) (i|we) (?:been )?(?:spend|spent|spending|use|used|using) "
        r"(?:all )?(?:my |our |the |any )?(?:money|cash)(?: (?:on|for))?(?= (?:in|this|last|since|during|on"
        r"|at|the|over|today|yesterday|lately|recently)\b|$)",
    ),
    (
        r"\1 this \2 than last \2",
        r"^((?:did|have|am|are) (?:i|we) (?:been )?spen\w+ (?!.*\b(?:than|versus|vs|compared)\b)"
        r".*\b(?:more|less)\b.*) this (week|month|year)$",
    ),
    (
        r"\1",
        r"^(.*\b(?:average|usually|typically)\b.*?) (?:per|a|each|every) (?:visit|trip|purchase|time)\b",
    ),
    (r"\1\2", r"^(.*\busually\b.*?) on average\b(.*)$"),
    ("dollars", r"\b(?:bucks|dollar|usd)\b|(?<=\d )clams\b"),
    (
        r"how much did i spend on \1",
        rf"^what (?:did|has|have) (?!(?:{MONTH}|christmas|this|last|it|that|he|she|they)\b)(.+?)"
        r" (?:cost|costs|run|ran|set)(?: me| us)(?: back)?\b(?! through)",
    ),
    ("buy gas", r"\bfill(?:ed)? (?:my|the|our) (?:gas )?(?:tank|car|truck|van)(?: up)?\b"),
    (
        r"when was my largest purchase",
        r"^when (?:did|have) (?:i|we) (?:spend|pay|spent|paid) (?:the )?most\b",
    ),
    (
        r"when was my smallest purchase",
        r"^when (?:did|have) (?:i|we) (?:spend|pay|spent|paid) (?:the )?least\b",
    ),
    ("how much did i spend ", r"^what (?:was|is) the damage "),
    ("how much did i spend at ", r"^what (?:went|goes) to (?=\w)"),
    ("how much came in", r"^what (?:is|has) (?:come|came) in\b"),
    ("how much did i spend", r"^what (?:is|has) gone out\b"),
    (
        "when did i last buy dining",
        r"^where (?:did|would) (?:i|we) (?:last )?eat(?: out)? last$|^where did (?:i|we) last eat(?: out)?$",
    ),
    (
        "where did i spend the most money",
        r"^where (?:did|does|has) (?:all )?(?:the|my|our) money (?:go|gone|went)\b",
    ),
    (
        "what did i spend the most on",
        r"^what (?:took|cost|ate|ate up) (?:me )?(?:the )?most(?: money)?\b",
    ),
    ("pay to", r"\bhand(?:ed)? over to\b"),
    (r"\1 out", r"\b(go|gone|goes|went|come|came) through(?= (?:this|last|on|in|yet|already)\b|$)"),
    (
        "which restaurants did i go to ",
        r"^where did (?:i|we) (?:go out to eat|go to eat|eat out|eat|have (?:dinner|lunch)) "
        r"(?=(?:in|on|last|this|since|during)\b)",
    ),
    (r"when did \1 last buy a haircut", r"^when did (i|we) (?:last )?(?:get|have) (?:a|my) hair ?cut$"),
    (r"did \1 go to ", r"\bdid (i|we) (?:hit(?: up)?|(?:stop|swing)(?: by)? at) (?=\w)"),
    (
        r"what was my largest \1",
        r"^what (?:was|is) (?:that|the) (?:big|huge|large) (charge|payment|purchase|bill|expense)\b",
    ),
    (r"how much did \1 spend on ", r"^how much (?:did|do|have) (i|we) put (?:on|in|into|toward) "),
    (
        r"how much did i spend on \1",
        r"^how much (?:did|do|does) (?:the |my |our )?(.+?) run(?: me| us)?(?= (?:in|last|this|on)\b|$)",
    ),
    (
        r"how much did i spend on \1 ",
        r"^what (?:would|did) (?:the |my |our )(\w+(?: \w+)?) (?:run|cost)(?: me| us)?"
        r" (?=(?:last|in|this)\b)",
    ),
    (
        "what did i buy ",
        r"^what (?:was|were) (?:the|that|those) (?:charges?|purchases?|payments?|transactions?)"
        r" (?=(?:on|from|in)\b)",
    ),
    (r"when did \1 buy a flight", r"^when did (i|we) (?:last )?fly\b"),
    (
        r"which store do i spend the most at",
        r"^(?:which|what) (?:store|shop|place|merchant) gets (?:the )?most(?: of)?(?: my| our)? money\b",
    ),
    (
        r"which store do \1 spend the most at",
        r"^(?:who|whom) (?:do|did|have) (i|we) (?:pay|paid|give|given) (?:the )?most(?: money)?(?: to)?\b",
    ),
    ("for a haircut", r"\bto (?:have|get) (?:my|our) hair (?:cut|done)\b"),
    ("cost me", r"\b(?:(?:run|ran) me(?: back)?|set me back)(?= |$)(?! through)"),
    (
        r"how much did \1 pay to ",
        r"^how much (?:money )?(?:did|have) (i|we) (?:give|given|donate|donated) to ",
    ),
    (
        "spend ",
        r"\b(?:part with|get rid of|burn through|burn|splurge|cough up|plunk down)(?: (?=at|on"
        r"|for)| ?$)",
    ),
    ("spend on ", r"\b(?:put|sink|pour|sunk|poured) (?:money )?into "),
    ("spending ", r"\b(?:money|cash) (?=(?:in|this|last|for)\b)"),
    (
        "eating out",
        r"\b(?:eaten out|ate out|dined out|dine out|go out to eat|gone out to eat"
        r"|went out to eat"
        r"|restaurant meals)\b",
    ),
    ("cheapest", r"\bleast expensive\b"),
    ("without", r"\bbut without\b"),
    ("cost me", r"\b(?:take|takes|took) from me\b"),
)
