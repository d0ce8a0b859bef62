"""Questions cut short, as in a note, and the words of offices: "total rent paid to date", "last CVS run".

Rows as in `synonyms`, of which they are the first: what stands for it, then what says it.
"""

from __future__ import annotations

from hal.engine.periods import MONTH

_TIME = rf"(?:(?:{MONTH}|this|last|the|yesterday|today|20\d\d)\b)"
_METRIC = r"(?:(?:blood )?(?:pressure|sugar|glucose)|weight|pulse|heart ?rate)"
_COUNTED = r"(?:spen\w+|paid|pay|purchases?|bills?|rent|fuel|gas|total|charges?)"
_BOOKS = r"(?:books?|files?|ledgers?|logs?|charts?|system|database)"
_MEAL = r"(breakfast|lunch|dinner|supper)"

CLIPPED: tuple[tuple[str, str], ...] = (
    ("", r"\b(?:mr|mrs|ms|mister) (?=\w)"),
    # Where records are kept.
    (
        r"\1 on record",
        rf"^(?!.*\b(?:appointments?|visits?|doctors?)\b)(.*\b(?:{_COUNTED}|{_METRIC})\b.*?)"
        rf" (?:(?:on|in) (?:the|my|your|our) {_BOOKS}|on file)\b",
    ),
    (
        r"do i have any \1allergies",
        r"^any ((?:drug|food|medic\w+) )?allergies (?:charted|documented|listed|noted|recorded|on record)$",
    ),
    ("list ", r"^(?:pull up|bring up|run down|go over|look up) (?=(?:my|the|all)\b)"),
    ("list my purchases in ", rf"^itemi[sz]e (?={_TIME})"),
    (r"list my purchases \1", r"^everything (?:i )?spent (.+?)(?: itemi[sz]ed)?$"),
    (r"list my last \1 \2 readings", rf"^list (?:my |the )?last (\w+) (?:fasting |resting )?({_METRIC})s?$"),
    ("latest ", r"\b(?:latest|last|current) (?:full |complete |whole )?set of (?=vitals?\b)"),
    (r"\1 readings", rf"\b({_METRIC}) values\b"),
    (
        r"what were my \1 readings \2",
        rf"^(?:show|give|tell|read|list)(?: (?:me|us))? (?:the |my |all )?({_METRIC}) (?:numbers|figures)"
        r" (?:for|in|from|of) (.+)$",
    ),
    (
        r"my latest \1 reading \2",
        rf"^what was my ({_METRIC}) (?:right|just|shortly|immediately) (before .+)$",
    ),
    (
        r"my last \1 reading in \2",
        rf"^what was my ({_METRIC}) (?:on|at|for) (?:the|my) (?:last|final) reading (?:of|in) (.+)$",
    ),
    (
        r"what were my \2 readings in \1",
        rf"^(?:give|show|tell|read|list)(?: me)? all (?:of )?(?:the|my) ({MONTH}) ({_METRIC})s?$",
    ),
    ("how much has my ", rf"^how far has my (?={_METRIC} (?:come|gone|dropped|fallen|risen)\b)"),
    (r"did i have any \1 readings", rf"^(?:were|are|was) (?:there )?any ({_METRIC}) (?:readings|numbers)\b"),
    (r"my temperature \1", r"^(?:the )?temp(?:erature)? ((?:on|yesterday|today|this|last)\b.*)$"),
    # Times.
    ("", r" back then$"),
    (r"since the \1", r"\bsince (fall|autumn|summer|spring|winter)\b"),
    (r"in the week of \1", r"\b(?:on|in|during|over) (christmas|thanksgiving|easter) week\b"),
    ("", r"\b(?:doctor|dentist|medicine|medication|medical|money|allergy|appointment|health)s? wise$"),
    (
        r"\1 ever",
        r"^(.*\b(?:over|under|above|below|more than|less than|higher than|lower than) \d+)"
        r" at any (?:time|point)\b",
    ),
    (" on record", r" (?:that )?(?:i|we) (?:have |ever )?(?:written down|recorded|logged|noted)$"),
    (
        r"\1 \2 \3 the end of \1",
        rf"\b({MONTH}) (\d{{1,2}}) (through|until|till|to) the end of (?:that|the) month\b",
    ),
    ("", r"\bcalendar (?:year )?(?=20\d\d\b)"),
    ("from 2 days ago to yesterday", r"\byesterday and the day before(?: that| yesterday)?\b"),
    (
        r"what were my readings \1",
        r"^is there (?:a|any) readings? (?:from|for|of) (today|yesterday|this morning)$",
    ),
    # What is spent and received.
    (r"how much have \1 paid", r"^what have (i|we) paid\b"),
    ("did i buy anything", r"^(?:did|has|was) (?:anything|something) (?:get |got |been )?charged\b"),
    (
        r"what is my highest \1 bill in all",
        r"^which (utility|bill) (?:costs|is|was)(?: me| us)? the (?:most|highest)$",
    ),
    (r"how much did \2 pay for \1", r"^how much ((?:\w+ )?tax(?:es)?) (?:did|do|have) (i|we) (?:pay|paid)\b"),
    (
        r"did i spend more than \2 in \1",
        rf"^(?:did|has|have|was|is) (?:my|our) ({MONTH}) spending (?:(?:go|gone|come|get|been|be|run) )?"
        r"(?:over|above|past|beyond|exceed|exceeded|top|topped) (.+)$",
    ),
    (
        r"\1 healthcare",
        r"^(.*\b(?:spen[dt]|spending|paid|pay)\b.* (?:on|for)) (?:the |my |our )?"
        r"(?:(?:medical|doctor|doctors|health|clinic) "
        r"(?:visits?|appointments?|bills?|care|expenses?|costs?|stuff|things)|visits)\b",
    ),
    (
        r"which \1 did i spend the most at in all",
        r"^(?:which|what) (restaurant|store|shop|merchant) (?:have|did) (?:i|we) (?:spent|spend) the most"
        r"(?: money)? (?:at|in)$",
    ),
    (
        r"what is the average purchase at \1",
        r"^(?:what is )?(?:the |my |our |an )?average"
        r" (?:(?:spending|spent|cost) (?:per|for each|each|a) )?(\w+) (?:run|trip|stop)\b",
    ),
    (r"how much did \2 pay \3", r"^(what|how much) did (i|we) donate to (.+)$"),
    (
        r"\1 and when",
        r"^(.*\b(?:spen[dt]|paid|pay|charged?)\b.*) and (?:on )?what (?:was the |is the )?(?:date|day)"
        r"(?: (?:was|is) (?:it|that))?$",
    ),
    ("what bills did i pay ", r"^(?:what|which) bills (?:went out|came out|cleared|were paid|got paid) "),
    (
        r"how much did i pay the \1 doctor",
        r"^(?:what|how much) did the (eye|heart) place (?:charge|cost) (?:me|us)$",
    ),
    (
        r"how much did \1 spend at \2 in all",
        r"^(?:what|how much) (?:did|have) (i|we) (?:spend|spent) (?:at|on) (\w+(?: \w+)?) so far$",
    ),
    (
        "did i spend more than i earned",
        r"^did (?:i|we) (?:make|earn|get|receive|take in|bring in) more than (?:i|we) (?:spent|paid out)\b"
        r"|^do (?:i|we) spend more than (?:i|we) (?:bring in|earn|make|get|take in|receive)\b",
    ),
    ("spending", r"\b(?:expenditures?|outlays?|outgoings)\b"),
    ("what was my total spending", r"^what (?:were|was|are|is) (?:the |my )?total spending\b"),
    (
        r"\1 spending ",
        r"^(?:my |the |total )?((?!i |we |did |do |to |and )\w+) spend (?=(?:by|in|for|this|last|since)\b)",
    ),
    ("income", r"\b(?<=security )receipts\b|\b(?<=pension )receipts\b"),
    ("highest ", r"\bheaviest (?=spend)"),
    ("average ", r"\b(?:mean|average|typical) (?:monthly )?(?=(?:\w+ ){1,3}bill$)"),
    (r"how much have i paid for \1 in all", r"^total (\w+) paid(?: to date)?(?: on record)?$"),
    (
        r"\1 in all",
        r"^(.*\b(?:spent|spend|paid|pay)\b.*) since (?:we|i|you) (?:first )?(?:started|began)"
        r" (?:tracking|recording|keeping (?:track|records))$",
    ),
    (r"total \1 \2and ", r"\btotals? (for|of|on) ((?:\w+ ){1,3})plus "),
    (r"how much do i receive from \1", r"^how much (?:does|do) ((?:the |my )?\w+(?: \w+)?) (?:send|pay) me$"),
    (r"how much \1", r"^money (?:comes?|came|coming) (in\b.*?)(?: from (?:who|whom|where))?$"),
    (r"when was my \1 purchase at \2", r"^(?:my |the )?(last|latest) (\w+(?: \w+)?) (?:run|trip)$"),
    (r"did \1 buy a flight", r"^did (i|we) fly (?:anywhere|somewhere|any place)\b"),
    ("flight", r"\bairplane\b(?! tickets?)"),
    ("go to ", r"\btreat(?:ed)? (?:myself|ourselves) (?:at|to) (?:the )?"),
    (
        r"where did i spend more \1 or \2",
        r"^(\w+(?: \w+){0,2}) (?:vs|versus|or) (\w+(?: \w+){0,3}) (?:which|what)(?: one)? costs? (?:me )?more"
        r"(?: (?:a|per|every|each) month)?$",
    ),
    (r"did i \1 \2 ", r"^i (spend|pay) (more|less) (?=.* or )"),
    # What is taken.
    (
        "list my medications",
        r"^(?:give me |list )?(?:the |my )?(?:full|complete|whole) list of what i am on(?: (?:right )?now)?$",
    ),
    (
        r"when did i start \1",
        r"^since when (?:have|did) i (?:had|been on|been taking|taken|take|have) (?:the |my )?(.+)$",
    ),
    (r"how long was i on \1", r"^for how many days was i on (.+)$"),
    ("what do i take ", r"^what is to be taken "),
    ("which refills are due in ", r"^which refills (?:fall|come up|land) in "),
    (r"what was \1 for", r"^why was i (?:given|prescribed|put on) (.+)$"),
    (r"\1 seasonal allergies", r"^(.*\btake\b.* for) (?:my )?hay fever\b"),
    (
        r"how many milligrams of \1 do i take a day",
        r"^(?:in total )?how much (\w+) do i (?:get|take|have) (?:per|each|every|a) day"
        r"(?: in (?:total|all))?$",
    ),
    (
        "which refills are due ",
        r"^(?:is there |have i got |do i have )?(?:anything|something) to (?:pick up|collect|get) "
        r"(?:at|from) the pharmacy ",
    ),
    (
        r"am i on \1",
        r"^(?:do i have|is there|have i got) (?:any )?(\w+) on (?:my|the) (?:medic\w+ |pill )?list$",
    ),
    (r"what did i take for \1", r"^(?:was|have) i (?:ever )?(?:been )?on (?:something|anything) for (.+)$"),
    (r"when did i stop taking \1", r"^did i (?:ever )?(?:finish|complete) (?:taking )?(the \w+|my \w+)$"),
    ("as needed medication", r"\bprns?\b"),
    ("", r"\bhome (?=med|pill|prescription)"),
    ("azithromycin", r"\bz ?pac?ks?\b"),
    (r"how long did i take \1", r"^how long was (?:the|my) (\w+) course$"),
    (
        r"which medications do i take with\1",
        r"^which (?:ones|of them|pills|of those) (?:do i|am i supposed to|should i|must i) (?:have|take)"
        r" with((?:out)? (?:food|a meal|meals))(?: again)?$",
    ),
    (r"which \1 are due", r"^which (prescriptions|refills|medic\w+|pills|meds) (?:fall|come) due\b"),
    (
        "a day",
        r"\b(?:on|in) (?:an?|one) (?:ordinary|normal|typical|average|usual|regular|whole|single) day\b",
    ),
    (r"\1", r"^(what .*\btake\b.*) all of (?:it|them)$"),
    (
        r"which of my prescriptions is \1",
        r"^one of my (?:prescriptions|pills|medic\w+) is (running out.*?|due.*?) which(?: one)? is it$",
    ),
    ("at bedtime", r"\b(?<=medicine )before i (?:go to )?sleep\b|\b(?<=take )before i (?:go to )?sleep\b"),
    (
        r"which pills do i take at \1",
        rf"^when i (?:eat|have) {_MEAL} (?:which|what) (?:pills?|medic\w+)(?: do i take)?"
        r"(?: with (?:it|that))?$",
    ),
    ("used to take", rf"\bused to take (?:before|at|with|after) {_MEAL}\b"),
    (
        r"what is the dose of \1",
        r"^is (?:the |my )?(\w+(?: \w+)?) (?:measured )?in (?:milligrams|micrograms|mg|mcg|units)\b.*$",
    ),
    (
        r"who prescribed \1",
        r"^(?:is|are) (?:the |my )?(\w+) (?:a |on |by )?prescription"
        r" (?:or (?:something|over|just|one)|i just)\b.*$",
    ),
    ("did i take", r"\bdid i took\b"),
    # What one is allergic to.
    (
        r"what \1 am i allergic to",
        r"^(?:which|what) (drugs|medic\w+|foods)\b(?:(?: \w+){1,4})? i (?:can ?not|should not|must not)"
        r" (?:have|take|get|eat|be given)$",
    ),
    (
        r"what \1 am i allergic to",
        r"^(?:which|what) (drugs|medic\w+) (?:must|should|can) (?:never|not) be given\b.*$",
    ),
    (
        r"what \1 am i allergic to",
        r"^(?:and|what about|how about)(?: what)?(?: about)? to (drugs|medic\w+|foods?)$",
    ),
    (
        "how many allergies are on record",
        r"^how many allergies are (?:(?:on|in) (?:my|the) (?:chart|file|list|records)|listed(?: for me)?)$",
    ),
    (
        r"how severe is my \1 allergy",
        r"^is (?:the|my) (\w+) (?:one|allergy) (?:serious|severe|bad|dangerous|mild)$",
    ),
    (
        r"how severe are my \1 and \2 allergies",
        r"^is (?:the|my) (\w+) allergy (?:worse|more \w+|less \w+|better) than (?:the|my) (\w+)"
        r"(?: (?:one|allergy))?$",
    ),
    (
        "which is my worst allergy",
        r"^which (?:one )?of (?:them|those|my allergies) is (?:the )?(?:most \w+|worst)$",
    ),
    (
        r"\1",
        r"^((?:can|may|could|should|is it (?:ok|okay|safe|fine|all ?right) (?:for me )?to) (?:i )?"
        r"(?:eat|have|drink) .+?) (?:for (?:my )?(?:breakfast|lunch|dinner|supper|dessert|a snack)"
        r"|beforehand)$",
    ),
    (r"can i \2 \1", r"^((?:\w+ ){0,2}\w+) i can (eat|drink|touch)$"),
    (r"am i allergic to \1", r"^((?:(?!am|why|that|what|which)\w+ ){0,2}\w+) i am allergic$"),
    (r"what does \1 do to me", r"^what (?!(?:i|you|we|they|it)\b)(\w+) do to me$"),
    (
        r"am i allergic to \1",
        r"^(?:is|are) ((?!it|that|this|they)\w+(?: \w+)?) (?:going to be )?(?:an issue|a problem|trouble)"
        r"(?: for me)?(?: allerg\w+ wise)?$",
    ),
    (
        "",
        r" (?:that )?(?:the|a|my) (?:restaurant|hospital|waiter|chef|surgeon|nurse)"
        r" should know(?: about)?$",
    ),
    (r"what happens if i take \1", r"^what happens if i gets? (\w+)$"),
    # Visits.
    ("which appointments are ", r"^which appointments (?:take place|happen) "),
    (
        r"what appointments have i had \1",
        r"^who (?:all )?have (?:i|we) seen(?: so far)? ((?:in|this|since) .+)$",
    ),
    ("what was that for", r"^what was (?:the|that) (?:visit|appointment) (?:about|for)$"),
    ("when is it", r"^what time (?:should|must|do) (?:i|we) (?:have to )?be there$"),
    (
        "when is my lab appointment",
        r"^(?:do|must|should) i (?:have to |need to )?"
        r"(?:skip (?:breakfast|food|eating)|not eat|go without (?:food|breakfast)|fast) (?:before|for) "
        r"(?:the|my) (?:blood (?:test|draw|work)|labs?(?: \w+)?)\b",
    ),
    (
        r"\1 another appointment",
        r"^((?:ok |okay |then |so )*(?:book|schedule|make|get) (?:me |us )?)another(?: one)?\b",
    ),
    ("do i have anything ", r"^(?:is there|have i got|do i have) anything else (?=(?:this|next|on|in)\b)"),
    ("", r"\b(?:early )(?=morning (?:appointments?|visits?)\b)"),
    (r"do i have ", r"^got (?=(?:anything|something) (?:in|on|this|next|today|tomorrow)\b)"),
    (
        "which appointments were cancelled",
        r"^(?:did|has|have|was|is) (?:something|anything) (?:get |got |been |gotten )?cancell?ed$",
    ),
    (
        r"when is my \1 appointment",
        r"^when is (?:that|the|my) (shoulder|eye|heart|teeth|tooth|blood|lab|knee|foot) thing$",
    ),
    (r"\1 appointment", r"\b(?<=my )(shoulder|eye|heart|teeth|blood) thing$"),
    (
        r"what appointments do i have \1",
        r"^(?:what time|when|where)(?: and (?:what time|when|where))? (today|tomorrow)"
        r"(?: and (?:where|when|what time|who with))?$",
    ),
    (r"what do i have \1 \2", r"^(next|this) (week|month) what (?:do )?i have$"),
    (r"do i have in \1", rf"\b(?:have|do) i (?:have|got) left in ({MONTH})$"),
    ("when is ", r"^what is the (?:time|date|day) (?:of|for) (?=(?:my|the)\b)"),
    ("blood draw", r"\blab draw\b"),
    ("lab ", r"\bfasting (?=(?:appointment|visit|test|one)s?\b)"),
    (
        "when is my lab appointment",
        r"^(?:do|must|should|will) i (?:need to |have to )?(?:be )?fast(?:ing)? (?:for|before) (?:any|one)"
        r"(?: of)?(?: my)?(?: upcoming)? (?:appointments?|visits?|tests?)$",
    ),
    (r"what do i see \1 for", r"^what is ((?:doctor )?\w+) (?:going to be )?working on(?: with me)?$"),
    # What is measured.
    (
        r"how much has my \1 changed since \2",
        rf"^how much (?:lower|higher|better) is my ({_METRIC})(?: now| today)? than (?:it was )?"
        rf"(?:in |on |at )?(.+)$",
    ),
)
