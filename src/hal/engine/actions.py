"""What a question asks within its subject.

One rule a line: the action, which is told with the intent before it (MEDICATION_LIST), and the
words, as a regular expression over whole words of the normalised question. The first rule that
matches says it, so the careful answers come first.
"""

from __future__ import annotations

from hal.engine.rules import Rules, named
from hal.protocol import Intent


def _actions(intent: Intent, table: str) -> Rules[str]:
    return tuple((f"{intent}_{name}", pattern) for name, pattern in named(table))


ACTIONS = {
    Intent.MEDICATION: _actions(
        Intent.MEDICATION,
        r"""
        INTERACTIONS interact\w*|mix\w*|combin\w+|together|at the same time|conflict\w*|react with
        INTERACTIONS alcohol|wine|beer|grapefruit|salt substitute|st johns? wort|licorice|alongside
        DETAILS (?:with|without|before|after|on) (?:an? )?(?:food|meals?|breakfast|dinner|water|eating)
        DETAILS empty stomach
        INTERACTIONS (?:can|could|may|should|safe|ok)\b.*\b(?:take|have|drink|use)\b.*\b(?:with|and|while)
        REFILLS refill\w*|re fill\w*|renew\w*|running (?:low|out)|run out|low on|pick(?:ed)? up|ran out
        REFILLS due (?:this|next) (?:week|month)|due by
        REFILLS reorder|runs out
        HISTORY (?:did|have|has) (?:i|we|he|she|doctor \w+) (?:ever |already )?(?:stop|quit|stopped)
        HISTORY (?:what|which) (?:medic\w+|pills?|drugs?|ones?) (?:\w+ ){1,2}stop(?:ped)?(?! taking)
        HISTORY (?:was|were) (?:i|it i was|she) given
        HISTORY (?:take|taking|on) before$
        HISTORY was i (?:ever )?taking(?! .*\b(?:now|today)\b)
        ADVICE (?:stop|skip|quit|double) taking|(?:ok|okay|alright|fine|bad|good|harmful) (?:to|for|if)
        ADVICE if i (?:stop|quit|skip|forget|double|do not take)
        ADVICE by accident|accidentally|by mistake|took (?:two|three|double|another|extra)|forget
        ADVICE side effects?|overdose\w*|too (?:much|many)|instead of|if i miss|missed|forgot|forgotten|safe
        ADVICE dangerous|(?:can|could|may) (?:i|he|she) (?:\w+ )?(?:take|stop|skip|quit|have|use|double|halve)
        ADVICE (?:can|could|may) (?:i|he|she) (?:\w+ )?(?:cut|crush|try|add)
        ADVICE (?:safe|alright|all right|allowed) for me
        ADVICE should i (?:\w+ )?(?:stop|skip|quit|double|halve|increase|decrease|reduce|change|lower|raise)
        ADVICE (?<!what )should i (?:switch|be (?:taking|on))
        ADVICE should i (?:just |still )?take (?:\w+ )*(?:more|less|extra|half|double|two|three|another)
        ADVICE should i (?:just |still )?take (?:it|them|one|my \w+|the \w+) (?:again|anyway|after all)
        ADVICE should i (?:just |still )?take (?:it|them|one) now
        ADVICE do i (?:just |still )?take (?:another|an extra|one more) (?:one|dose|pill|tablet)$
        ADVICE (?:stop|quit|skip|double|halve|increase|reduce|lower|raise|adjust|change) (?:my|the|this|it)
        TAKEN (?:did|have|has) (?:i|she|he) (?:already )?(?:take|taken|had)(?! (?:last|in|before))
        HISTORY used to|stopped|past|previous(?:ly)?|old|former(?:ly)?|inactive|no longer|discontinued
        HISTORY not taking|anymore
        SCHEDULE (?:left|remaining|still|else) (?:\w+ )?to take|still any
        SCHEDULE (?:left|remaining|still) for (?:the|today|tonight)
        SCHEDULE still (?:have|need|got|must|should) (?:\w+ )?(?:to )?take
        DETAILS when (?:\w+ ){1,4}prescri\w+
        DETAILS ^who is (?:the|my) (?:doctor|prescriber)|^(?:which|what) doctor
        TAKEN last time (?:i|she|he|we) (?:took|had|used)|did (?:i|she|he|we) last (?:take|use|have)
        SCHEDULE next (?:\w+ )?dose|is it time
        SCHEDULE (?:dose|dosage|strength|how much) and (?:the |at )?(?:time|when)
        SCHEDULE (?:time|when) and (?:the )?(?:dose|dosage|how much)
        DETAILS start|started|begin|began|how long|since when|still|dosage|dose of|(?:what|the) dose
        DETAILS how much|how strong|strength|how many (?:milligrams|mg|micrograms|units)|generic|called
        DETAILS (?:other|another|brand) names?
        SCHEDULE when|what time|how often|schedule|next (?:dose|pill|med\w*|tablet|thing|one)
        SCHEDULE (?:take|taking|taken|comes?) (?:\w+ )?next|next to take|morning|afternoon|evening
        SCHEDULE how many (?:pills|doses)\b.* (?<!once )(?<!twice )(?<!times )(?:a|per|each|every) day
        COUNT how many (?:\w+ ){1,2}(?:am|is|are) (?:i|she|he|we) (?:on|taking)
        SCHEDULE tonight|supper|night|bedtime|bed|noon|midday|lunch|breakfast|dinner|today|tomorrow|right now
        SCHEDULE times? (?:a|per) day|how many times|due|daily|now
        DETAILS why|what is \w+(?: \w+)? for|what for|purpose|prescribed|prescribes?|details?
        DETAILS instructions|about|brand|how (?:do|should|must) i (?:take|use)
        COUNT how many|number of
        LIST list|all|what|which|read|name|show
        """,
    ),
    Intent.APPOINTMENT: _actions(
        Intent.APPOINTMENT,
        r"""
        CHANGE (?:cancel|reschedule|move|book|postpone|change|arrange) (?:\w+ ){0,4}(?:appoint\w*|visit)
        CHANGE ^(?:please )?(?:cancel|reschedule|postpone)
        CHANGE make (?!it)(?:\w+ ){0,4}(?:appoint\w*|visit)
        CHANGE (?:cancel|reschedule|move|book|postpone|change) (?:\w+ ){0,4}(?:check ?up|it|that)
        CHANGE (?:cancel|reschedule|move|postpone) (?:my|the|our)
        CHANGE (?:write|put|enter|note)(?: down| in)? (?:\w+ ){0,3}(?:appointment|visit)
        CHANGE (?:schedule|set up|need) (?:an?|another) (?:\w+ ){0,2}(?:appoint\w*|visit|check ?up)
        NEXT how (?:many (?:days|weeks|hours)|long|soon) (?:\w+ )*(?:until|till|before)
        NEXT how many (?:days|weeks)(?: away)? is (?:that|it)(?: away)?|how far (?:away|off) is
        COUNT how many
        LIST (?:past|previous|earlier) (?:appointments|visits)
        LAST last|previous|most recent|did i (?:\w+ )?(?:see|visit|go)|saw
        LAST when was (?!.*\bnext\b)|when did i|past
        LAST have i (?:ever )?(?:been|seen|visited)|(?:was|were|did) (?:\w+ ){1,4}first
        LOCATION where|location|address|(?:which|what) (?:clinic|office|building)
        NEXT (?:appointment|one|who|what) (?:comes|is) (?:right |directly |just )?(?:after|following)
        NEXT final
        NEXT the (?:appointment|one|visit) (?:right )?(?:after|following)
        NEXT next|first|soonest|when|what time|how soon|earliest|who|why|what for|for
        LIST list|all|what|which|any|anything|upcoming|coming|free|busy|calendar|schedule|appointments
        """,
    ),
    Intent.ALLERGY: _actions(
        Intent.ALLERGY,
        r"""
        COUNT how many
        REACTION what happens|react\w*|symptoms?|if i (?:eat|take|touch)
        SEVERE severe|serious|worst|dangerous|life threatening|deadly|bad
        LIST list|what|which|all|any|anything|read|name|show|allergies
        """,
    ),
    Intent.HEALTH_DATA: _actions(
        Intent.HEALTH_DATA,
        r"""
        AVERAGE average|mean|typical(?:ly)?
        HIGHEST highest|maximum|max|peak|most(?! recent)
        LOWEST lowest|minimum|min|least
        TREND trend\w*|chang\w+|over time|over the|going|improv\w+|history|progress\w*|lost|gained
        TREND losing|gaining|lose|gain|been|compare\w*|better|worse|track\w*|rising|falling|went|gone
        TREND (?:go|come|came|coming) (?:up|down)
        FIRST first|earliest|starting|when (?:i|we) (?:first )?(?:started|began)
        FIRST (?:at|in|from) the (?:very )?(?:start|beginning)$
        ASSESSMENT normal|high|low|healthy|good|bad|ok|okay|dangerous|worr\w+|fine|concern\w*
        LATEST latest|last|current\w*|recent|what|now|when|how much|how high|check\w*|read|reading
        """,
    ),
    Intent.TRANSACTION: _actions(
        Intent.TRANSACTION,
        r"""
        LEFT net_income
        BALANCE balance|how much money (?:do|have) (?:i|we)(?! (?:\w+ )?(?:spen[dt]|pa(?:y|id)|earn|receive))
        BALANCE left to spend|left over$|have left$
        BALANCE in (?:my|the) (?:bank|account)|left of (?:my|our|the)|(?:my|our|the) budget
        LARGEST (?:any|some)thing (?:really |very )?(?:expensive|big|large|pricey)
        LARGEST largest|biggest|most expensive|highest|priciest|most (?:i|we) (?:have )?(?:spent|paid)
        BREAKDOWN where (?:does|did|is|has) (?:most of )?(?:my|our|the|all)|by category|categories|break ?down
        BREAKDOWN most (?:money )?on|spend\w* (?:the )?most
        SMALLEST smallest|cheapest|lowest|least expensive
        INCOME income|earn\w*|salary|paycheck|pension|deposit\w*|receive\w*|paid me|(?:get|got) paid
        INCOME how much (?:money )?(?:came|comes|is coming|has come)|c[oa]mes? in|coming in
        FIRST first
        COUNT how many|how often
        FREQUENT shop (?:the )?most$|most (?:often|frequently)|(?:visit|go to|shop at) (?:the )?most
        RECENT (?:last|latest|recent|past) (?:\d+|two|three|four|five|six|seven|eight|nine|ten) \w+s
        LAST ^(?:and )?where (?:was|is) (?:that|it|this)$
        RECENT where (?:did|have) (?:i|we) (?:go|gone|shop|shopped|eat|eaten)
        RECENT (?:what|which) (?:restaurants|stores|shops|places) (?:did|have) (?:i|we)
        RECENT what (?:did|have|else did) (?:i|we) (?:buy|bought|purchase\w*)
        LAST last|most recent|latest|when|(?<!much )did i (?:pay|buy)|have i paid
        SUM how much|total|sum|add up|spend\w*|spent|cost
        RECENT list|show|recent|what did|what have|transactions|purchases|read|any|which
        """,
    ),
}
