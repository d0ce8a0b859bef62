"""Words that belong to a subject although an answer of it would not heed them."""

from __future__ import annotations

from hal.engine import rules

# Words that an answer would not heed, though they belong to its subject: "which month" of a sum.
UNHEEDED = rules.named(
    r"""
    MEDICATION_LIST (?:first|last|final|earliest|latest) (?:\w+ )?(?:pills?|doses?|medic\w*|tablets?)
    TRANSACTION_LARGEST deposits?|income|paychecks?|received?|social security|pensions?
    TRANSACTION_SMALLEST deposits?|income|paychecks?|received?|social security|pensions?
    MEDICATION_LIST (?:drug|food) ones
    APPOINTMENT which (?:one )?of (?:them|these|those)
    TRANSACTION (?:go|went|gone|been) to (?:the |my )?bank
    TRANSACTION ^(?:what|how much)(?: money)? (?:is|do (?:i|we) have|have i got) in (?:my|our) (?!account$)
    TRANSACTION ^(?:and )?(?:in dollars )?how much (?:more|less) (?:is|was) (?:that|it)
    TRANSACTION (?:money|spending) in (?:versus|vs|against|and|minus) (?:money|spending) out
    APPOINTMENT (?:on|in) (?:the|my) (?:\w+ ){1,4}list
    MEDICATION_LIST ^(?:what|which)\b.* (?:first|last)$
    TRANSACTION_INCOME left (?:from|of|over)|(?:more|less|higher|lower) than|compared? (?:to|with)|versus|vs
    APPOINTMENT (?:earliest|latest|first|last) in the day|longest|shortest|farthest|furthest|nearest|busiest
    APPOINTMENT_NEXT (?:the )?most(?! recent\w*)(?: often)?|least|how often (?:do|did|have|am) (?:i|we|she|he)
    APPOINTMENT_LI (?:the )?most(?! recent\w*)(?: often)?|least|how often (?:do|did|have|am) (?:i|we|she|he)
    APPOINTMENT_LAST how often (?:do|did|have) (?:i|we)|(?:the )?most(?! recent\w*)(?: often)?
    APPOINTMENT_COUNT (?:left|remaining) (?:this|in|for)(?: the)?|most|least
    APPOINTMENT next \d+ hours
    HEALTH_DATA (?:last|past) \d+ hours
    TRANSACTION (?:last|past) \d+ hours
    ALLERGY_LIST what (?:do|does|would) (?:they|it|each) do|what each|and (?:my |the |their )?reactions?
    MEDICATION_HISTORY ^why
    MEDICATION_HISTORY (?:last|latest|most recent|first) (?:medic\w+|pills?|drugs?|ones?|things?)
    MEDICATION_HISTORY (?:what|which|anything|something)\b.* (?:stop|stopped|quit)\b.* (?:in|since|last|this)
    MEDICATION_HISTORY (?:stop|stopped|quit) (?:taking )?(?:anything|something|any)\b.* (?:in|since|last|this)
    MEDICATION_COUNT left|remaining
    MEDICATION_DETAILS how many\b.* (?:left|remaining)
    TRANSACTION ^(?:at )?what time
    TRANSACTION_SUM (?:will (?:i|we|my|the|our)|going to be|next (?:month|week|year))
    TRANSACTION (?:went|gone|go|going) (?:up|down)
    APPOINTMENT fast(?:ing)? (?:for|before) (?:any|which|some)\w*|(?:which|what) (?:\w+ ){0,6}fast(?:ing)?
    HEALTH_DATA_AVERAGE compared? (?:to|with)|versus|vs|highest|lowest|most|least|maximum|minimum|peak
    MEDICATION (?:not|never) (?:\w+ )*(?:what|which|when|how) (?:\w+ ){0,2}(?:do|am|should|must) i
    APPOINTMENT (?:not|never) (?:\w+ )*(?:what|which|when|who|where) (?:\w+ ){0,2}(?:do|am|is|should|must)
    HEALTH_DATA diastolic\b.* (?:compared?|versus|vs|than)|(?:compare|higher|lower)\b.* diastolic
    HEALTH_DATA systolic\b.* diastolic|diastolic\b.* systolic
    HEALTH_DATA how often (?:do|should) (?:i|we) (?:check|measure|take|test|weigh)
    HEALTH_DATA how often (?:does|is|do|are) (?:my|our) (?:\w+ ){1,4}(?:checked|measured|taken|tested)
    MEDICATION not prescribed
    MEDICATION_SCHEDULE (?:from|of|by) (?:the|my) (?:\w+ )?doctor|(?:from|by) doctor \w+
    HEALTH_DATA how much (?:is|was) that (?:up|down|lower|higher|more|less)
    HEALTH_DATA_TREND (?:at )?any (?:time|point)
    HEALTH_DATA (?:yesterday|today|this \w+|last \w+)\b.* ever$
    HEALTH_DATA (?:and|or) (?:now|currently|today)
    HEALTH_DATA_TREND (?:since|when) (?:i|we) (?:first )?(?:start\w*|began)
    HEALTH_DATA_TREND highest|lowest|average|least|maximum|minimum
    HEALTH_DATA when (?:my|the) (?:\w+ ){1,3}(?:was|is|were)
    APPOINTMENT_COUNT how many (?:\w+ )?doctors (?:do|have)
    HEALTH_DATA (?:which|what) (?:months?|weeks?|weekday|day of the week|time of (?:the )?day)
    MEDICATION ^(?:and )?who\b(?!.*\b(?:prescri\w+|doctor|gave me)\b)|^(?:and )?where|(?:which|what) pharmacy
    MEDICATION_SCHEDULE (?:take|swallow) (?:\w+ ){0,2}?(?:first|last)(?! (?:thing|time|week|month|year|night))
    HEALTH_DATA ^(?:and )?(?:who|why|where)|(?:at|in) (?:the |my )?(?:doctors?|hospital|clinic|office)
    HEALTH_DATA_AVERAGE ^(?:and )?when|^(?:at )?what time
    HEALTH_DATA_TREND ^(?:and )?(?:when|how long)
    TRANSACTION ^(?:and )?(?:why|how long)
    ALLERGY ^(?:and )?(?:when(?! i\b)|who|where|how (?:long|often|many times))|last (?:allerg\w+|reaction)
    APPOINTMENT ^(?:and )?(?:why|who)\b.*\bcancell?ed|(?:earliest|latest) (?:in|of) the (?:morning|afternoon)
    APPOINTMENT (?:do|did) (?:i|we|she|he) like
    APPOINTMENT number (?:for|to|at|is)|number$|^(?:and )?how much(?! (?:time|longer))
    APPOINTMENT ^(?:do|must|should) (?:i|we) (?:\w+ ){0,3}fast|(?:to|must|should) do (?:before|for|to prepare)
    MEDICATION_DETAILS ^(?:what|which) did (?:doctor|the|my)\b.* (?:first|last)$
    MEDICATION_DETAILS how much\b.* (?:left|remaining)
    MEDICATION_HISTORY (?:old|previous|former|past) (?:dose|dosage|strength)
    TRANSACTION_INCOME orders?|packages?|mail|deliver\w+|minus|less (?:my|the)|after (?:my|the|our) \w+
    TRANSACTION when\b.* (?:usually|typically|normally|generally)\b
    TRANSACTION_COUNT how (?:many times|often) (?:a|per|each|every) (?:week|month|year)
    TRANSACTION_COUNT how many (?:different )?(?:restaurants|stores|shops|places|merchants)
    TRANSACTION_SUM ^(?:what|which) (?:\w+ )?(?:utilities|bills|stores|subscriptions|insurance) (?:do|did)
    TRANSACTION_SUM ^(?:what|which) (?:restaurant|store|shop|place|bill|subscription) (?:do|did|was|is)
    MEDICATION (?:prescription|pharmacy|bottle|label) numbers?
    MEDICATION_LIST coming up|up next|(?:can|should|must|may) (?:not i|i not|not be)
    HEALTH_DATA_AVERAGE (?:better|worse|higher|lower)(?!.*\b(?:than|or|from|compared)\b)
    HEALTH_DATA (?:have|need|supposed|want|must|should i)(?: to)? (?:lose|gain)|if (?:my|it|the)
    HEALTH_DATA what (?:do|should|can|must) (?:i|we) (?:do|take|eat)
    TRANSACTION too (?:much|many|often)|how much (?:over|under|above|below)|going to cost
    TRANSACTION than (?:i|we) (?:got|get|ma[dk]e|earn\w*|receive\w*|took|take|bring|brought|have|had)
    TRANSACTION (?:this|yesterday|in the|\w+day) (?:morning|afternoon|evening)
    TRANSACTION (?:other than|except|besides|apart from) (?!what|money|on\b)(?:\w+ ){1,3}on (?!\w+day)\w+
    TRANSACTION by (?:store|shop|vendor|merchant|payee|place|week|month|day)
    TRANSACTION (?:more|less|most|least|higher|cheaper)\b.* (?:per|each|every) (?:visit|trip|time|purchase)
    TRANSACTION_SUM ^(?:and )?who\b(?!.*\bdollars?)
    TRANSACTION (?:gas|heating) (?:bill|company)|natural gas
    MEDICATION_DETAILS how long (?:before|after|between)
    TRANSACTION (?:see|seen|saw) (?:\w+ )?(?:doctors?|dentist)
    APPOINTMENT (?:did|does|do) (?:\w+ ){1,3}(?:say|tell|find|think|recommend)
    APPOINTMENT ^(?:can|could|would) (?!(?:i|we|you|she|he)\b)(?:\w+ ){1,3}(?:come|see me|do|call|give)
    HEALTH_DATA ^(?:and )?how long
    HEALTH_DATA (?:did|does|has) (?:the |my )?(?:doctor|nurse)(?: \w+){0,2} (?:say|said|tell|told|think)
    MEDICATION (?:started|began)\b.* still (?:on|taking|take)
    TRANSACTION_INCOME how much (?:more|less)
    MEDICATION_DETAILS ^(?:(?:are|do|which|what) )?(?:any|all|some|of|pills|medic\w+|ones?)\b.* generics?
    APPOINTMENT (?:man|woman) or|with (?:a )?(?:man|woman|male|female)|or (?:a )?(?:wo)?man|how old
    """
)
