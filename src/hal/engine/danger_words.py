"""What is told of a danger without its usual words: of others, of what was found, of not wanting to live.

One rule a line, as in `danger.DANGERS`, or more lines where one ends with a backslash; a word in capitals
stands for the words that `_STANDS_FOR` has for it.
"""

from __future__ import annotations

import re

_STANDS_FOR = {
    # Who it is told of: "Mom" is "she" by now, and "he's" may be "he". `qm/write_rules.py` leaves a group
    # that is repeated once whole, where one by one its alternatives would be five times as much for QM.
    "CHILD": (
        r"(?:toddlers?|bab(?:y|ies)|infant|grand(?:son|daughter|child|children|kids?|bab(?:y|ies))|kids?"
        r"|child"
        r"|children|sons?|daughters?|nephew|niece|little (?:one|boy|girl|guy)|boy|girl|year old|month old"
        r"|pupp(?:y|ies)"
        r"|dogs?|cats?){1}"
    ),
    "OTHER": (
        r"(?:he|she|hes|shes|they|him|her|wife|husband|mother|mom|father|dad|brother|sister|sons?"
        r"|daughters?|friend"
        r"|neighbou?r|patient|grand\w+|roommate|partner|uncle|aunt|baby|toddler|child|kid|resident|client){1}"
    ),
    # What may stand between the person and what is told of them.
    "NOW": (
        r"(?:(?:is|are|was|were|has|have|had|just|now|been|keeps?|kept|being|started|starting|starts"
        r"|suddenly|all of"
        r" a sudden|all|really|very|so|acting|seems?|sounds?|looks?|getting|gone|got|went|completely"
        r"|totally|still"
        r"|still not|also|both|might|may|must|could|already) )"
    ),
    "GONE": (
        r"(?:(?:was|were|am|is|are) (?:just |only |simply )?"
        r"(?:not (?:here|around|alive|in (?:it|this world))|gone|dead)(?! (?:HERE)))"
    ),
    # What tells that it is only of some time or place.
    "HERE": (
        r"(?:on|for|next|this (?:week|month|\w+day|morning|afternoon|summer|winter)|last|to (?!see them"
        r"|wake)\w+|when|in (?!this)"
        r"|at|that|until|till|yesterday|tomorrow|\w+day|during|after|before)\b"
    ),
    "PILLS": (
        r"(?:pills?|tablets?|medic\w+|capsules?|vitamins?|gumm(?:y|ies)|inhaler|ibuprofen|tylenol|aspirin"
        r"|insulin|poison"
        r"|prescriptions?|supplements?)"
    ),
    "SWALLOWED": r"(?:swallowed|ate|eaten|took|taken|ingested|gulped|chewed|popped)",
    "CLEANERS": r"(?:cleaner|detergent|bleach|nyquil|mouthwash|perfume|lighter fluid|antifreeze|alcohol)",
    "FALLEN": r"(?:stairs?|steps|ladder|roof|bed|tub|bath\w*|shower|floor|porch|curb)",
    "SHOWS": r"(?:says?|said|reads?|reading|shows?|showing|showed|saying)",
    "DRINKS": r"(?:wine|beer|water|soda|milk|juice|champagne|shampoo|soap|lotion|ketchup|milk|formula)",
    # What a child or an animal gets into, or eats, without harm of this kind.
    "ROOMS": (
        r"(?:car|truck|van|bed|house|room|bedroom|closet|garage|attic|bath\w*|trouble|school|college"
        r"|colleges|fight|fights"
        r"|accident|crash|hospital|game|games|office|money|wallet|purse|shower|tub|store|pool|water"
        r"|program|team|band|garden"
        r"|yard|trash|garbage|finals?|army|navy|habit|finish|door|phone|computer|account|accounts"
        r"|records?|files?|mail|point"
        r"|home|park|age|first|second|third|next|other|\d\w*|top|bottom|bus|same|clinic|doctors?|dentist"
        r"|airport"
        r"|flowers?|books?|papers?|lunch|dinner|breakfast|cookies?|snacks?|cake|food|fridge|refrigerator"
        r"|pantry)\b"
    ),
}

_ROWS = r"""
    despair (?:better(?: off)?|happier|easier|relieved)(?: \w+){0,3}? (?:if|when|once) (?:i\
        |me) (?:just )?GONE
    despair (?:better(?: off)?|happier|easier|relieved)(?: \w+){0,3}? if i (?:just )?(?:took|take\
        |swallow\w*) (?:all|the whole|every)
    despair (?:better(?: off)?|happier) without me(?: here| around)?$
    despair wish i (?:just )?(?:was|were) (?:just )?(?:not (?:here|around|alive)|dead)(?! HERE)
    despair wish i (?:had |was |were |would )?(?:just )?(?:never|not) (?:been )?born\
        |wish i (?:could )?(?:just )?(?:disappear|vanish)
    despair want to (?:just )?(?:disappear|vanish)$|i am (?:\w+ ){0,3}?a burden
    despair (?:go to sleep|fall asleep|drift off)(?: \w+){0,2} and (?:not|never) wake
    despair (?:no|any|much|little|see the|what is the|see a|not a) (?:point|sense|reason) (?:\w+ )?(?:living\
        |being (?:alive|here)|to live)
    despair (?:no|any|much|little|see the|what is the|see a|not a) (?:point|sense|reason|use) (?:\w+ )?\
        (?:going on|keep going|keeping going|go on|carrying on)(?: any ?more| any ?longer)?$
    despair i (?:just |only )?want (?:it|this|everything) (?:all )?to (?:be over|stop|end)$
    despair (?:think\w*|thought\w*|plan\w*|dream\w*) (?:of|about|on) (?:just )?(?:taking\
        |swallowing) (?:all|the whole|every|a bunch)
    despair (?:think\w*|thought\w*|plan\w*) (?:of|about|on) (?:just )?ending (?:it|things|everything\
        |my life)
    despair (?:saving|stockpil\w+|hoard\w+|hiding)(?: up)? (?:all )?(?:my|the|these) (?:\w+ ){0,2}(?:pills\
        |tablets|medic\w+)
    despair (?:nobody|no one) would (?:even )?(?:notice|mind|care|be sad|cry|miss me) if i (?:GONE|died\
        |die|left|disappear\w*)
    despair rather (?:not (?:be (?:alive|here)(?! HERE)|exist|wake up)|be dead|die)\
        |nothing (?:left )?(?:\w+ )?to live for
    despair i can not (?:do|take|keep doing) (?:this|it|life) any ?(?:more|longer)$\
        |can not keep going(?: like this)?$
    despair giv(?:e|ing|en) up on (?:life|living|myself)|(?:hang|shoot|drown|poison) myself|(?:slit\
        |cut) my wrists
    despair jump(?:ing)? off (?:a|the) (?:bridge|roof|building)|OTHER (?:\w+ ){0,3}?wants? to (?:die\
        |be dead)
    despair OTHER (?:\w+ ){0,3}?(?:talk\w*|spoke) (?:about|of) (?:dying|suicide|ending|killing)
    emergency OTHER NOW{0,4}(?:not mak(?:e|ing)|mak(?:es|ing) no) (?:\w+ ){0,2}?sense
    emergency OTHER NOW{0,4}(?:talking|speaking) (?:\w+ )?(?:nonsense|gibberish|crazy|funny|strange\w*\
        |weird\w*)
    emergency OTHER NOW{0,4}not (?:acting|talking|speaking|moving|responding|answering) (?:right|normal\w*\
        |properly)
    emergency OTHER NOW{0,4}(?:confused|disoriented|incoherent|delirious|babbling)(?! (?:about|by|on|with\
        |over|wh\w+|how|as|if))
    emergency OTHER NOW{0,4}(?:wheez\w+|turning (?:blue|grey|gray|purple)|(?:gone )?limp|not waking)
    emergency OTHER (?:do |does |is |can |could |will |would )*not (?:\w+ )?(?:recogni[sz]e|know) (?:me|us\
        |anybody|anyone|who i am)
    emergency (?:do|does) not know (?:where (?:he|she) is|(?:his|her) own name|what (?:day\
        |year) it is)(?! .*appointment)
    emergency can not (?:get|find|form) (?:his|her|my|the|any) words(?: out)?|speech NOW{0,3}(?:garbled\
        |jumbled)
    emergency OTHER can not (?:speak|talk|walk|stand|hold)(?! (?:right|now|at|to|with|about|on|off|long\
        |far|that))
    emergency (?:my|his|her|OTHER) (?:\w+ ){0,2}?(?:meter|glucometer|dexcom|libre\
        |sensor) NOW{0,2}SHOWS (?:low|lo|hi|high)
    emergency ^(?:the )?(?:meter|glucometer|dexcom|libre|sensor) NOW{0,2}SHOWS (?:low|lo|hi|high)
    emergency when i (?:breathe|take a breath) (?:\w+ )?(?:chest|side|back|heart) hurts
    emergency (?:lie|lying|lay|sit|sitting) down (?:\w+ ){0,2}can not breathe
    overdose found (?:with |next to |beside |by |near )?(?:\w+ ){0,4}?empty (?:\w+ ){0,2}?(?:bottle\
        |packet)(?!.* (?:refill\w*|am i|do i|did i|is that|was that|when|which|what|how))
    overdose empty (?:\w+ ){0,2}?bottles? (?:of \w+ )?(?:\w+ )?(?:next to|beside|by|near) (?:him|her|them\
        |me|the bed|OTHER)
    overdose (?:whole|entire|full) (?:\w+ )?bottle (?:of \w+ )?is (?:all )?(?:gone|empty\
        |missing)(?!.* refill)
    overdose (?:his|her|OTHER) (?:\w+ ){0,2}?bottle (?:of \w+ )?is (?:all )?(?:gone|empty)(?!.* refill)
    overdose OTHER (?:\w+ )?(?:emptied|drained|finished off|downed|polished off) (?:the|a|my|his\
        |her) (?:\w+ )?bottle(?! of DRINKS)
    overdose (?:emptied|drained|finished|finished off|downed) (?:the|a|my|his|her) (?:whole\
        |entire) (?:\w+ )?bottle(?! of DRINKS)
    overdose (?:unknown|unspecified|unclear) (?:number|amount|quantity|dose)(?: \w+){0,4} (?:SWALLOWED\
        |consumed)
    overdose (?:SWALLOWED|consumed) (?:an? |some )?(?:unknown|unspecified)|ingested (?:\w+ ){0,4}?(?:\d+\
        |PILLS|bottle|batter\w+)
    overdose (?:not (?:know|sure|tell)|no idea|unsure|lost count)(?: of)? how (?:many\
        |much) (?:\w+ ){0,4}?SWALLOWED(?! (?:in|last|by))
    overdose (?:not (?:know|sure|tell)|no idea|unsure|lost count)(?: of)? how (?:many\
        |much) (?:PILLS )?(?:he|she|they) (?:\w+ )?had
    overdose ^tell me how (?:many|much) (?:\w+ ){0,2}?(?:he|she|they) (?:\w+ )?SWALLOWED
    overdose ^(?=.*\btook (?:something|stuff|some)\b).*(?:not know what|no idea what)
    overdose CHILD NOW{0,2}(?:got|gotten|gets|broke|getting) (?:in ?to|a?(?: )?hold of) (?:some of \
        |all )?(?:my|his|her|our) (?!ROOMS)\w+
    overdose OTHER NOW{0,2}(?:got|gotten|gets|broke|getting) (?:in ?to|hold of) (?:\w+ ){0,4}?(?:PILLS\
        |medicine cabinet|bleach)
    overdose CHILD NOW{0,3}(?:chew\w*|eating|ate|eaten|swallow\w*|lick\w*|suck\w*)(?: on\
        | up)? (?:\w+ ){0,5}?PILLS
    overdose CHILD NOW{0,3}(?:chew\w*|suck\w*)(?: on)? (?:one |some |\d )?(?:of )?my (?!ROOMS)\w+
    overdose ^(?=.*\bCHILD\b)(?=.*\b(?:PILLS|my)\b).*\bin (?:his|her|its|their) mouth
    overdose ^(?=.*\bCHILD\b)(?!.*\b(?:refill\w*|order|says?|thinks?|asks?|asked\
        |wants?)\b).*PILLS NOW{0,3}(?:missing|gone)
    overdose ^(?=.*\bCHILD\b)(?=.*\bPILLS\b).*\b(?:sleepy|drowsy|limp|groggy|woozy|chewing|choking|foaming)
    overdose CHILD NOW{0,3}in ?to (?:my|the|his|her|our) (?:\w+ ){0,2}?PILLS\
        |CHILD (?:\w+ ){0,5}PILLS (?:was|were|are) candy
    overdose CHILD NOW{0,3}(?:drank|drunk|drinking|sipped) (?:\w+ ){0,5}?(?:PILLS|(?:cough )?syrup|CLEANERS)
    overdose SWALLOWED (?:\w+ ){1,6}(?:pills|tablets|medic\w+|doses) (?:all )?(?:together|at once\
        |at one time)(?! with)
    overdose SWALLOWED (?:them|it) all at (?:once|one time)|overdid (?:it|things) (?:on|with) (?:the\
        |my) PILLS
    overdose i (?:\w+ )?gave (?:him|her|my \w+|mom|dad) (?:my|dads?|moms?|husbands?|wifes?\
        |the wrong) (?:\w+ )?PILLS
    despair if i (?:took|take|swallow\w*) (?:the (?:whole|entire) \w+|all of (?:these|them)(?! (?:at|in\
        |with|together))|every pill)
    despair if i (?:took|take|swallow\w*) (?:\w+ ){0,6}?(?:would|will) (?:i die|it kill|that kill)
    despair how (?:many|much) (?:\w+ ){1,7}?(?:not|never) wake|do not see (?:the|a\
        |any) point (?:in anything|any ?more)$
    despair a bother to (?:anybody|anyone|everybody|everyone|people)|can not live without (?:her|him\
        |my (?:wife|husband))
    despair ready to (?:die|go be with|be with (?:my|him|her|god)|meet my maker)\
        |nothing left for me(?: here)?(?: any ?more)?$
    emergency out cold|(?:OTHER|i) NOW{0,3}(?:collapsed|keeled over|dropped to the (?:floor|ground))
    emergency hit (?:(?:his|her|my|their) )?head(?! of)(?!.* (?:ago|last|back in))
    emergency (?:see|seeing|vision is|have) double(?:d| vision)?(?! (?:the|of|what|that|dose))
    emergency (?:OTHER|i) NOW{0,2}(?:fell|fallen) (?:down |off |out of |from |in )(?:the|his|her\
        |my) FALLEN(?!.* (?:ago|last|when))
    emergency blood (?:everywhere|all over)|(?:peeing|pooping|passing|spitting(?: up)?) blood
    emergency blood in (?:my|his|her|the) (?:stool|poop|urine|pee|vomit)
    emergency half (?:of )?my (?:body|face) (?:is|feels|went|has)|words are (?:coming out\
        |all) (?:\w+ )?(?:wrong|slurred|jumbled)
    emergency heart (?:is |feels |keeps? )?(?:beating out of|skipping|fluttering|going crazy)|jaw hurts
    emergency (?:crushing|squeezing|burning|stabbing|sharp) (?:\w+ ){0,2}in (?:my|his|her) chest\
        |chest (?:feels|is) heavy
    emergency pain (?:\w+ ){0,3}down (?:my|his|her) (?:left |right )?arm|(?:throat|tongue) (?:feels?\
        |is) (?:\w+ )?(?:funny|weird|big)
    emergency (?:someone|somebody|man|guy|people) (?:is |are )?(?:trying|tried) to (?:break\
        |get) in(?:to my (?:house|home))?
    emergency sugar (?:will|can) not (?:go|been|come|get|stay) (?:up|above|over|down)|(?:am\
        |is) (?:\w+ )?breaking out in
    """


def rows() -> str:
    """Return the rules, every word in capitals replaced by what it stands for."""
    said = re.sub(r"\\\n *", "", _ROWS)
    for _ in range(2):  # one may hold another
        for word, pattern in _STANDS_FOR.items():
            said = said.replace(word, pattern)
    return said
