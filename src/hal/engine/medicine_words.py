"""Words and phrases of one meaning about medicines and allergies, as in `synonyms`."""

from __future__ import annotations

from hal.engine.medicine_turns import TURNS

# What stands for it, then what says it.
_PILL = r"(?:pill|tablet|medic\w+|prescription|drug|capsule)"

# What something is taken for, which is no visit.
_AILMENT = (
    r"(?:asthma|migraines?|headaches?|aches?|pains?|heartburn|(?:acid )?reflux|nausea|fever|colds?"
    r"|coughs?|flu|cramps|itch\w*|insomnia|anxiety|depression|diarrhea|constipation|arthritis|gout"
    r"|diabetes|thyroid|cholesterol|blood pressure|infections?)"
)

_MEDICINES = r"(?:medic\w+|meds|prescriptions?|pills|tablets)"

MEDICINES: tuple[tuple[str, str], ...] = (
    *TURNS,
    (
        r"do i have to eat with \1",
        r"^(?:do|should|must) i (?:have to |need to )?eat (?:something|anything|food|a meal)"
        r" (?:with|before|when i take) (?:the |my )?(\w+(?: \w+)?)$",
    ),
    (r"which of my \1 do i take", r"^which (?:ones? )?of my (\w+) (?:go|goes|get|gets) (?:down|taken)\b"),
    (
        r"which medications \1",
        r"^(?:which|what) (?:of my |of the )?(?:tablets|pills|capsules|drugs|meds)"
        r" ((?:do|must|should|have) i (?:need to |have to )?take\b.*\bempty stomach)",
    ),
    (
        r"a medicine for \1 on my list",
        r"\b(?:something|anything) for (?:my |the )?(\w+(?: \w+)?) on (?:my|the) list$",
    ),
    (
        r"do i take \1",
        rf"^(?:is|are) (?:my |the )?(\w+(?: \w+)?) (?:on|among|in|one of|part of) (?:my|the) "
        rf"(?:list of )?{_MEDICINES}(?: list)?$",
    ),
    ("so far", r"\bby now\b"),
    (
        r"when does my \1 run out",
        r"^(?:by )?when (?:do|should|must|will) (?:i|we) (?:have to |need to )?(?:get|buy|order|pick up|need)"
        r" (?:a |some )?new (inhaler|pills|tablets|capsules|medicine|supply)$",
    ),
    (
        r"which medications are \1s",
        rf"^(?:is|are) any(?: of)?(?: my)? (?:{_MEDICINES}|ones|of them) (?:an? )?"
        rf"(tablet|capsule|inhaler)s?$",
    ),
    (
        r"which medications are \1",
        r"^(?:which|what) (?:ones|of them|of those) are (tablets|capsules|inhalers)$",
    ),
    (
        r"\1 for sleep",
        r"^((?:do|should|can) i (?:take|have|use) (?:anything|something)) to (?:help me )?(?:to )?sleep\b",
    ),
    *(
        (rf"{number} \1", rf"(?<!\d )(?<!point )\b{words} (?=\b)(milligrams?|mg|micrograms?|mcg|units?)\b")
        for words, number in (("five", 5), ("ten", 10), ("twenty", 20), ("fifty", 50))
    ),
    (
        r"how many \1 \2 and how many \1 \3",
        r"^how many (\w+) (.+) and how many ((?:for|on|of|in|at) .+)$",
    ),
    (
        "do i take anything for sleep",
        r"^(?:is there|do i have|have i got) (?:anything|something|a pill|a medicine)"
        r"(?: on (?:my|the) list)? to (?:help me )?(?:to )?sleep\b.*$",
    ),
    (
        r"was i ever prescribed \1",
        r"^(?:did|has) (?:anybody|anyone|somebody|someone|any doctor|a doctor) (?:ever )?"
        r"(?:prescribed?|given|give) (?:me )?(\w+(?: \w+)?)(?: to me| for me)?$",
    ),
    (
        "how many pills do i take",
        r"^how many (?:different )?(?:things|ones|items) do i (?:have to |need to )?(?:swallow|take)\b",
    ),
    (r"who prescribed \1", r"^who is (?:the )?doctor behind (?:my |the )?(\w+(?: \w+)?)$"),
    (
        "newest medication",
        r"\b(?:most recent|latest) (?:medic\w+|pill|drug|prescription)(?: that)? i (?:started|began|got)\b",
    ),
    ("allergy ", r"\bhay ?fever (?=(?:medic|pill|tablet|drug|capsule))"),
    ("at noon", r"\b(?:around|about|near) (?:lunch ?time|lunch|midday|noon)\b"),
    (
        r"do i take \1",
        r"^do (?:i|we) use (?:any )?((?:eye|ear|nose) drops|(?:nasal|nose) spray|cream|ointment|patches"
        r"|insulin|cough syrup)$",
    ),
    (
        r"what did i take before \1",
        r"^(?:(?:what|which medic\w+) did i (?:take|use|have) for (?:my |the )?(?:\w+ ){1,2}|was i "
        r"(?:ever )?on (?:a |any )?(?:\w+ ){0,2}(?:medic\w+|pills?|drug) )before (?:the |my )?(\w+)$",
    ),
    (r"can i \1", r"^i can (take|have|eat|drink|use) (?=the |my |some |an? )"),
    (r"can i take ", r"\bcan i (?:pop|swallow|down) "),
    (
        "take as needed",
        r"\b(?:only (?:use|take) (?:it |them )?|(?:use|take) (?:it |them )?only )when i need (?:it|them)\b",
    ),
    (
        r"how is \1 taken",
        r"^is (?:the |my )?(\w+(?: \w+)?) a (?:once a day|twice a day|daily|morning|evening"
        r"|night)\b.*\bthing$",
    ),
    (
        r"what do i take \1 for",
        r"^what am i (?:taking|using|on) (?:the |my )?(\w+(?: \w+)?) for(?: anyway| again| even)?$",
    ),
    (
        r"what do i take \1 for",
        r"^why (?:do i (?:even )?(?:bother with|take|use|need|have)|am i (?:on|taking)) (?:the |my )?"
        r"(\w+(?: \w+)?)(?: anyway| again)?$",
    ),
    (
        r"who prescribed \1",
        r"^(?:which|what) doctor (?:(?:told|had|has|made|got) me (?:to )?(?:take|taking|on)|"
        r"(?:did give|gave|did prescribe) me) (?:the |my )?(\w+(?: \w+)?)$",
    ),
    (
        "which medications have no refills left",
        r"^(?:is|are) (?:anything|any) (?:of mine |of my \w+ )?(?:completely |all )?out of refills$",
    ),
    (
        r"when is \1 due for refill",
        r"^(?:on (?:what|which) (?:date|day)|when) does (?:the |my )?(\w+(?: \w+)?) (?:fall|come up|come)"
        r" due(?: for (?:a )?refill)?$",
    ),
    (
        "what am i running out of",
        r"^(?:is there anything|what is it|anything) (?:that )?i am"
        r" (?:about to run|running|going to run|nearly|almost) out of$",
    ),
    ("twice a day", r"\bbid\b"),
    ("hypertension ", r"\bhypertensive "),
    ("high blood pressure", r"\bhypertension\b"),
    (r"who prescribed \1", r"^(?:oh |and |so )*who gave me (?:the |my )?(\w+)$"),
    (
        r"what do i take next",
        r"^(?:what|which) (?:pills|medic\w+|meds) (?:come|comes|is|are) next(?: today)?$",
    ),
    (r"this \1", r"\b(?:before|by the time) the (week|month|year) (?:is )?(?:out|over|up|done)\b"),
    ("", r" (?:for|at) (?:somebody|someone|a (?:man|woman|person)) (?:of )?my age$"),
    ("what do i have to take", r"^what have (?:i|we) got to take\b"),
    (r"do i take anything \1", r"^anything (?:i (?:need|have) )?to take (.+)$"),
    (r"at \1", r"\b(?:around|about) (breakfast|dinner|supper)(?: ?time)?\b"),
    (
        r"how often do i take \1",
        r"^is (?:my |the )?(\w+(?: \w+)?) (?:once|twice)(?: a day)? or (?:once|twice|three times)"
        r" (?:daily|a day)$",
    ),
    (r"what do i take \1 for", r"^is (?:the |my )?(\w+) for anything (?:in particular|special)$"),
    ("", r" (?:that )?i should (?:tell|warn) (?:the |a |my )?\w+ about$"),
    # What one reacts to.
    (
        "which drugs am i allergic to",
        r"^(?:which|what) (?:medic\w+|drugs|pills) "
        r"(?:can not i|can i not|should i not|should not i|must i not) (?:have|take|be given|get|use)"
        r" because of (?:my )?allerg\w+$",
    ),
    ("any", r"\banother\b(?= (?:drug|food|thing|medic\w+) (?:that )?i am allergic to)"),
    (
        r"am i allergic to \1",
        r"^(?:is there|do i have) (?:a |an |any )?(\w+(?: \w+)?) allergy (?:in|on) (?:my|the) "
        r"(?:file|records?|list|chart)$",
    ),
    (
        r"am i allergic to \1",
        r"^(?:do|will|would) i (?:react|have a reaction|get a reaction) to (?:the )?(\w+)$",
    ),
    (r"am i allergic to \1", r"^am i (\w+) intolerant$"),
    (
        "that i am allergic to",
        r"\bthat i (?:should|must|need to|have to) (?:tell|warn|let) (?:the |a |my )?\w+(?: know)? i am"
        r" allergic to\b",
    ),
    (
        r"what \1",
        r"^what else (am i allergic to (?:besides|apart from|other than|except|aside from)\b)",
    ),
    (
        r"which of those are \1 allergies",
        r"^which (?:of those|of them|of these|ones) are (?:for|to) (drug|food)s?$",
    ),
    (
        r"what do i take for \1",
        rf"^(?:do (?:i|we) (?:have|own)|have (?:i|we) got|is there|am i on) (?:anything|something|a medicine)"
        rf" for (?:my |the |a |an )?((?:\w+ )?{_AILMENT})$",
    ),
    (
        r"what do i take for \1",
        rf"^what (?:do|should|can|am) (?:i|we) (?:use|using|have) for (?:my |the |a |an )?"
        rf"((?:\w+ )?{_AILMENT})$",
    ),
    (
        r"what is \1 for",
        r"^what (?:do|does|did) (?:i|she|he) (?:take|use|need|have) (?:the |my )?(\w+(?: \w+)?) for$",
    ),
    (
        r"tell me about \1",
        r"^if (?:the |a |my )?\w+ asks(?: me)? about (?:my |the )?(.+?) what (?:do|should|can) i (?:tell|say)"
        r"(?: to)?(?: her| him| them)?$",
    ),
    (
        r"tell me about \1",
        r"^what (?:do|should|can) i (?:tell|say to) (?:the |a |my )?\w+ about (?:my |the )?(.+)$",
    ),
    # What a class of medicines is called by what it does, in one word of `medicine_classes`.
    (r"diuretic\1", rf"\bwater {_PILL}(s?)\b"),
    (r"sleep aid\1", rf"\bsleep(?:ing)? {_PILL}(s?)\b"),
    (r"painkiller\1", rf"\bpain (?:reliever|{_PILL[3:-1]})(s?)\b"),
    (r"bronchodilator\1", r"\brescue inhaler(s?)\b"),
    (r"\1 first thing in the morning", r"^(.*\btake\b.*) first thing$"),
    (
        "which medications do i take on an empty stomach",
        r"^(?:which|what) (?:of my )?(?:medic\w+|pills?|ones?|tablets?|prescriptions?|drugs?|vitamins?)"
        r" (?:can|should|must|may) (?:not i|i not|not be|i never) (?:take|taken|have|use|used) with"
        r" (?:food|meals?|a meal|breakfast)$",
    ),
    (
        "who prescribed ",
        r"^who gave me (?=(?:my |the )?(?:\w+ ){1,2}(?:medic\w+|pills?|prescriptions?|tablets?|inhaler)$)",
    ),
    (r"what is \1 for", r"^what (?:is|are) (?:my |the )?(\w+(?: \w+)?) (?:good|used|meant|taken) for$"),
    (
        r"when does \1 run out",
        r"^how (?:long|many days|many weeks)(?: (?:is it|do i have|will it be))? (?:till|until|before)"
        r" (?:i|we) (?:run out|am out|are out) of (?:my |the )?(\w+(?: \w+)?)$",
    ),
    ("are severe", r"\b(?:could|can|might|would) kill me\b"),
    (
        r"which medications are \1",
        r"^(?:do i have|do i take|are there|have i got) any (tablets|capsules|inhalers)$",
    ),
    ("need a refill of ", r"\bneed (?:a |any )?new prescriptions? (?:for|of|on) "),
    (
        "",
        r"\b(?:whole|entire|complete|full) (?=(?:medic|list|schedule|allerg|appoint|calendar|prescri))",
    ),
    # What a medicine is called by what it is for.
    ("anxiety ", rf"\bnerve (?={_PILL})"),
    ("diabetes ", rf"\b(?:blood )?sugar (?={_PILL})"),
    ("blood pressure ", rf"\b(?<!blood )pressure (?={_PILL})"),
    ("asthma ", rf"\bbreathing (?={_PILL}|inhaler)"),
    ("bone health ", rf"\bbones? (?={_PILL}|vitamin)"),
    (
        r"\1 my diabetes",
        r"\b((?:take|taking|prescribed?|pills?|medic\w+|anything|something|tablets?) (?:\w+ ){0,2}?for)"
        r" (?:my |the |high )?(?:blood )?sugars?\b",
    ),
    (r"\1", r"\b(night) ?times?\b"),
    (
        "who prescribed ",
        r"^(?:who is (?:the|my) (?:doctor|one)"
        r" (?:for|of|behind|on|with|that (?:gave|wrote|handles|prescribed)(?: me)?)"
        r"|who (?:handles|manages|is in charge of|looks after|takes care of|is responsible for|is behind"
        r"|wrote|writes)) "
        r"(?=.*\b(?:medic\w+|pills?|prescriptions?|tablets?|inhaler|drugs?)$)",
    ),
    (r"with food", r"\bwith food or (?:without|not)(?: (?:food|it))?\b|\bwith or without food\b"),
    (
        "who prescribed ",
        r"^(?:which|what) doctor (?:handles|manages|is in charge of|looks after|takes care of)"
        r" (?=.*\b(?:medic\w+|pills?|prescriptions?|tablets?)$)",
    ),
    (
        "need ",
        r"\bneed to (?:call|phone|order|put|send|ask)(?: in| for)? (?=(?:any |a |my |the )?refills?\b)",
    ),
    ("which refills are due", r"^what (?:is|comes|will be) due at (?:the|my) (?:pharmacy|drug ?store)\b"),
    (
        "who prescribed ",
        r"^(?:did|does|has) (?:anybody|anyone|somebody|someone|a doctor|any doctor|one of my doctors)"
        r" prescribed? ",
    ),
    (
        r"who prescribed \1",
        r"^(?:is|was|are|were) (.+) prescribed(?: to me)?(?: by (?:anybody|anyone|somebody|someone|a doctor"
        r"|any doctor))?$",
    ),
    (r"\1 vitamins", r"\b(what|which|any|my|the|list|of) supplements?\b(?! or | and )"),
    (
        "which refills are due ",
        r"^what (?:do|must|should) i (?:need to |have to )?(?:pick up|get)(?: at| from) (?:the |my )?"
        r"(?:pharmacy|drug ?store|pharmacist) ?(?=$|(?:this|next|today|tomorrow|before|by) ?)",
    ),
    (
        "which refill is due first",
        r"^what (?:runs|will run|is going to run|is running) out (?:first|next|soonest)$",
    ),
    (
        r"do i take \1 with food",
        r"^(?:do|should|must) i (?:need to |have to )?eat (?:something )?(?:before|with|when) (?:i take "
        r"|taking )?"
        r"(?:my |the )?(\w+)$",
    ),
    ("with", r"\balong with\b"),
    (
        "what do i take for ",
        r"^(?:what|which) (?:one )?is the (?:one|pill|medicine) (?:that is |i take )?for (?:my )?",
    ),
    (r"what is \1 called", r"^what (?:do|would) (?:they|you) call (\w+)$"),
    ("gives me", r"\bmakes? me break out(?: in)?\b"),
    ("am i allergic to hay fever", r"^do i (?:have|get) hay fever$"),
    (
        r"am i allergic to \1",
        r"^(?:is|are) (?!my\b|it\b|that\b|this\b)(\w+(?: \w+)?) (?:a problem|trouble) for me$",
    ),
    (
        r"when is the refill of my \1 due",
        r"^when (?:do|should|must|will) (?:i|we) (?:have to |need to )?(?:get|order|need|pick up) more"
        r" (?:of )?(?:my |the )?(\w+)(?=$| and\b)",
    ),
    (
        r"how many refills are left on \1",
        r"^how many (?:more )?times can (?:i|we) (?:still )?refill (?:my |the )?(.+)$",
    ),
    ("due for refill", r"\bready (?:to be refilled|(?:to|for(?: an?)?) refill)\b"),
    (
        "what do i take in the ",
        r"^what (?:goes|do i put|should i put)(?: in| into)?(?: it| there| the box)?(?: for| at| in)?"
        r" (?:the |my )?(?=(?:morning|noon|afternoon|evening|night|bedtime)\b)",
    ),
    ("acid reflux", r"\b(?:heartburn|indigestion|gerd|stomach acid)\b"),
    ("diabetes", r"\b(?:diabetic|sugar (?:sickness|disease|illness|problem|trouble))\b"),
    (
        r"what did \1 prescribe\2",
        r"^what (?:medicine |pills |medication )?did (doctor \w+) (?:give|prescribe|order) (?:for )?me"
        r"((?: for| in| last| on)?.*)$",
    ),
    (r"exam\1", r"\bexamination(s?)\b"),
    ("inhaler", r"\bpuffer\b"),
    ("prescription", r"\bscript\b"),
    ("prescriptions", r"\bscripts\b"),
    ("longest", r"\boldest\b(?= (?:medic|prescription|pill|drug|one))"),
    (
        r"\1 medication",
        r"\b(thyroid|cholesterol|anxiety|asthma|diabetes|blood pressure|allergy"
        r"|reflux) (?:stuff"
        r"|thing|one)\b",
    ),
    ("empty stomach", r"\bstomach (?:is )?empty\b"),
    (
        "on an empty stomach",
        r"\bbefore (?:all|any) (?:food"
        r"|meals)(?: with)?\b(?: (?:an? )?empty stomach)?",
    ),
    (r"\1", r"\b(breakfast|lunch|dinner|supper) ?times?\b"),
    (r"\1", r"\b(morning|afternoon|evening|night)s\b"),
    ("one refill", r"\bone refill more\b"),
    ("prescribed", r"\bprescribing\b"),
    (
        r"which medications did \1 prescribe",
        r"^(?:which|what) (?:of my )?(?:medic\w+|pills?|prescriptions?|drugs?)"
        r" (?:came|come|comes|are|were) from (doctor \w+)$",
    ),
    (r"what is \2 called", r"^(\w+) is (?:that|it) (?:the )?same(?: thing)? as (\w+)$"),
    (
        r"when did \1 start ",
        r"^when did (i|we) (?:first )?(?:go|get) on"
        r" (?!(?:an?|the|my|vacation|medicare|hold|diet)\b)(?=\w+$)",
    ),
    (
        "when did i stop taking",
        r"\bwhen did i (?:come to the end of|finish|get done with"
        r"|run through)\b",
    ),
    (
        "which refill is due first ",
        r"\bwhich (?:one )?(?:comes|is|are) due (?:sooner|first|earlier"
        r"|soonest)\b ?",
    ),
    (
        "who prescribed",
        r"\bwho wrote\b(?!.*\bof\b)(?= (?:it|that|my (?:\w+ ){0,2}\w+$"
        r"|the (?:\w+ ){0,2}(?:prescriptions?|scripts?|orders?|refills?|medic\w+|pills?)\b))",
    ),
    ("anxiety", r"\b(?:nerves|anxious)\b"),
    ("are as needed", r"\b(?:are|is) not (?:taken )?(?:every ?day|daily)(?: on a schedule)?\b"),
    ("are not", r"\bai not\b"),
    ("not taking anymore", r"\bnot tak(?:e|ing) (?:any ?)?more\b"),
    ("how much of the inhaler", r"\bhow many puffs?\b"),
    ("altogether", r"\ball together\b"),
    ("refill", r"\bfetch(?: new)?\b"),
    (
        r"refills_most",
        r"\b(?:the )?(?:most|highest number of|largest number of) refills?(?: left"
        r"| remaining)?\b",
    ),
    (
        r"refills_fewest",
        r"\b(?:the )?(?:fewest|least|lowest number of"
        r"|smallest number of) refills?(?: left| remaining)?\b",
    ),
    (
        "when is ",
        r"^how (?:many days|many weeks|long|soon) (?:is it |do i have )?(?:until|till"
        r"|before) (?=.*\brefill)",
    ),
    (
        r"what is \2 called",
        r"^is (\w+) (?:the same(?: thing| medication| medicine| pill)? as"
        r"|another name for|also called) (\w+)$",
    ),
    (r"what is \2 called", r"^what is (\w+) is (?:that|it) the (\w+) one$"),
    (
        "which medications am i allergic to",
        r"^(?:which|what|any) (?:medic\w+|drugs?|pills?|antibiotics?) (?:(?:can|may|should) (?:i not|not i)"
        r"|i (?:can|may|should|must) not)(?: (?:take|have|get|be given))?$",
    ),
    (r"not \1", r"\b(?:that|which) (?:are|is) not (tablets?|capsules?|inhalers?)\b"),
    ("", r"\bin (?:the )?past\b(?! (?:week|month|year|\d|\w+ (?:days|weeks|months|years)))"),
    ("who prescribed", r"\b(?:was|is|were|are|comes|came) (?:from|by) (?:which|what) doctor\b"),
    # Allergies.
    (
        "what foods must i avoid",
        r"^(?:is|are) there (?:anything|something|any foods?) (?:that )?i (?:should|can|must|may)"
        r" not eat$|^what is not safe (?:for me )?to eat$",
    ),
    (r"am i allergic to \1", r"^(?:does|do|will|would) (?!my\b|it\b|the\b)(\w+(?: \w+)?) bother me$"),
    (
        "what are my allergies",
        r"^what (?:can|should|must) not i (?:be around|be near|touch|have|be exposed to)"
        r" because of (?:my )?allerg(?:y|ies)$",
    ),
    (
        "what are my allergies",
        r"^what (?:should|must|do|can) i (?:have to |need to )?(?:avoid|stay away from|not have)"
        r" because of my allerg(?:y|ies)$",
    ),
    ("", r" because of (?:my |an? |the )?allerg(?:y|ies)$"),
    (
        r"what is my reaction to \1",
        r"\bwhat (?:does|do|would|will|can) (\w+(?: \w+)?) do to (?:me|her"
        r"|him|us)\b",
    ),
    ("severe", r"\b(?:strong|strongest|heavy)(?= allerg)"),
    ("mild", r"\b(?:light|slight|weak)(?= allerg)"),
)
