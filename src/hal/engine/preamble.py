"""What a person tells before a question: who asks, what is being done, who drives.

Every word is listed, so that nothing that names a record or could narrow the question is taken out with it.
"""

from __future__ import annotations

_PEOPLE = (
    r"(?:they|he|she|somebody|someone|(?:my|the|our|this) (?:\w+ )?(?:wife|husband|sons?|daughters?|mother"
    r"|mom|father|dad|brother|sister|friend|neighbou?r|niece|nephew|aide|caregiver|caretaker|girl|lady|man"
    r"|fellow|woman|nurse|doctor|dentist|pharmacist|receptionist|hospital|clinic|office|pharmacy"
    r"|drug ?store|insurance|accountant|grand\w+|kids?|children|paramedics?|form|ride|driver"
    r"|taxi|carpool|social worker))"
)
_THINGS = (
    r"(?:calendar|schedule|week|day|month|tax(?:es| return| forms?)?|bills|budget|check ?book"
    r"|pill ?box(?:es)?|pill (?:organi[sz]er|case)|lists?|paperwork|forms?|desk|table|counter"
    r"|pharmacy(?: counter)?|drug ?store|phone|store|clinic|hospital|office|waiting room|line|kitchen|books"
    r"|accounts|finances|notes?|planner|ledger|bank statement)"
)
# Where that is, and how a person goes over to the question.
_THEN = (
    r"(?: (?:here|now|today|right now|right here|again|out|together))*"
    r"(?: (?:with|to|for|at|in) (?:the|my|a|them) (?:\w+)(?: (?:office|clinic|box|counter))?)?"
    r"(?: (?:and|so|but|because))*"
    r"(?: i (?:just )?(?:forgot|need to know|was wondering|wonder|want to know|have to know|have forgotten"
    r"|do not know|do not remember|can not remember))? "
)
_CALLED = (
    r"(?: (?:called|phoned|came by|stopped by|is here|is on the phone)(?: me)?(?: and(?: he| she| they)?)?)?"
)
SOMEBODY_ASKS = (
    rf"{_PEOPLE}(?: (?:at|from|in) (?:the|my) \w+(?: \w+)?)?(?: (?:just|always|here|really|also))*{_CALLED}"
    r" (?:(?:is|are|was|were|keeps?|kept|has been|have been) (?:on )?(?:asking|wondering|bugging|after)"
    r"|asked|asks?|(?:wants?|wanted|needs?|needed|would like|has|have) to (?:know|hear|find out))"
    rf"(?: (?:me|us))?(?: (?:about|again|today|to (?:tell|remind) (?:them|him|her)))*{_THEN}"
)
# Who speaks: "this is the nurse", "this is Ann from the clinic".
_RELATED = (
    r"(?:the|a|his|her|your|my|our) (?:home |visiting |new )?(?:nurse|aide|caregiver|caretaker|doctor"
    r"|pharmacist|daughter|son|wife|husband|sister|brother|neighbou?r|niece|nephew|grand\w+|paramedic"
    r"|social worker)"
)
SOMEBODY_SPEAKS = (
    r"this is(?: (?!(?:my|the|what|when|where|who|why|how|it|not|all|a|his|her|your|our|for|about|in)\b)\w+"
    rf"(?: {_RELATED})?| {_RELATED})(?: (?:calling|speaking|here))?(?: (?:from|at|with) (?:the|his|her) \w+)?"
    r"(?: (?:and|again))* (?=(?:what|when|where|who|which|how|do|does|did|is|are|can|could|i (?:need|want|was"
    r"|would))\b)"
)
# Who calls or is spoken to, before what they said.
SOMEBODY_CALLS = (
    rf"(?:{_PEOPLE} (?:just )?(?:called|phoned|rang|texted|came by|came over|stopped by|dropped by|is here"
    rf"|was here"
    r"|is on the (?:phone|line)|is calling)(?: (?:me|up|earlier|today|just now|now|again|yesterday|and))*"
    r"|(?:i|we) (?:was |were |have |just )*(?:talked|talking|spoke|speaking|called|saw|met)(?: (?:to|with"
    r"|on the phone"
    rf" with))? {_PEOPLE}(?: (?:today|earlier|yesterday|just now|and))*) (?={_PEOPLE}|(?:what|when|where"
    rf"|who|how)\b)"
)
# What a person claims before a question that is whole by itself: "my wife says it is on the 23rd, when is
# ...".
SOMEBODY_CLAIMS = (
    rf"(?:{_PEOPLE}|i|doctor \w+) (?:always |just )?(?:says?|said|thinks?|thought|told (?:me|us)|believes?"
    rf"|swears?"
    r"|insists?|heard|am (?:sure|certain)|was (?:sure|certain))(?: that)?"
    r" (?:it|that|this|they|he|she|there|to|not to|my \w+|the \w+)(?: (?!(?:took|taken|swallowed|pains?"
    r"|chest|breath\w*|swell\w*|swollen|kill|die|dying|dead|blood|hurts?|fell|faint\w*|dizzy|sick|allerg\w*"
    r"|not|no|never)\b)\w+){1,8}? "
    r"(?=(?:when|what day|what time|where) (?:is|do|does|am) (?:my|the|i) \w+)"
)
# Whom a person is to ask for: "she told me to ask when I see the dentist".
SOMEBODY_SENDS = (
    rf"(?:{_PEOPLE}|doctor \w+)(?: (?:at|from|in) (?:the|my) \w+(?: \w+)?)?(?: (?:just|always|here|really"
    rf"|also))*"
    rf"{_CALLED} (?:told|tells|asked|asks|reminded|wants?|wanted|said|says|needs?|needed|is having|has|got)"
    r"(?: (?:me|us))?(?: i (?:should|must|ought to|need to|have to)| to)"
    r" (?:ask|check|find out|look up|look|see|make sure|confirm|verify|double check|call and ask|tell"
    r" (?:him|her|them)|let (?:him|her|them) know|bring|write down|know)"
    r"(?: (?:you|with you|it|and see))?(?: (?:about|for|on|of))? "
)
_SOMETHING_IS_DONE = (
    r"(?:i|we)(?: (?:am|are|was|have|got|need|want|had|will|would|like|to|just|trying|been|here|now"
    r"|with|sitting|standing|waiting|talking|working|making|planning|filling|filing|doing|writing|looking"
    r"|going|over|through|at|in|on|up|out|plan|make|fill|do|write|sort|sorting|set|setting|balance"
    r"|balancing|update|updating|pay|paying|get|getting|ready|down|off|by))* (?:my|the|our|a|this|some)"
    rf" (?:\w+ )?{_THINGS}{_THEN}"
)
_SOMETHING_IS_LOST = (
    r"i (?:can not find|lost|have lost|misplaced|do not have|left|forgot|can not read)"
    rf" (?:my|the|our) (?:\w+ )?(?:glasses|{_THINGS}){_THEN}"
)
_SOMEBODY_DRIVES = (
    r"(?:my|our) \w+(?: (?:is|will|can|has|wants|offered|to|be|going))*"
    r" (?:taking|driving|picking|take|drive|pick|bring|bringing|give|giving) (?:me|us)"
    rf"(?: (?:up|over|a ride|there|to it|tomorrow|today|so))*{_THEN}"
)
PREAMBLES = "|".join((SOMEBODY_ASKS, _SOMETHING_IS_DONE, _SOMETHING_IS_LOST, _SOMEBODY_DRIVES))
