"""What people say around a question and what changes nothing in it: greetings, courtesies, hedges, tags.

One class of phrases a row. They are taken out before a question is read, so that a reading must explain
only words that could change the answer; none of them names a record, a time, an amount or a negation.
"""

from __future__ import annotations

import re

from hal.engine.comments import COMMENTS
from hal.engine.preamble import (
    PREAMBLES,
    SOMEBODY_ASKS,
    SOMEBODY_CALLS,
    SOMEBODY_CLAIMS,
    SOMEBODY_SENDS,
    SOMEBODY_SPEAKS,
)
from hal.engine.shorthand import SHORTHAND
from hal.engine.topics import TOPICS

_ASKING = (
    r"(?:what|when|where|who|whose|which|how|why|if|whether|at (?:what|which)|for (?:what|which)|do|does"
    r"|did|am"
    r"|is|are|was|were|have|has|can|could|should|my|the|i|we|she|he|any)\b"
)
# A greeting, an exclamation or a form of address, with which a question begins.
_OPENERS = (
    r"good (?:morning|afternoon|evening|day)|hello|hi|hey|hiya|yo"
    r"|sorry to (?:bother|trouble) you(?: again)?|sorry|excuse me|pardon me|pardon|wait"
    r"|hang on"
    r"|hold (?:on|up|it)|silly me|bear with me|my memory is not what it (?:was|used to be)|listen|okay|ok"
    r"|alright|oh|ah|aha|lol|haha|cool|great|perfect|nice|wonderful|lovely|thanks"
    r"|thank you|mm hm|mmhm|mm|hmm|yeah|yes|yep|yup|gosh|geez|ugh|man|dude|buddy|hon|honey|sweetie"
    r"|sweetheart"
    r"|darling|dear|my dear|my friend|(?:hi|hello|hey) there|well|so(?! far)|like|quick question"
    r"|i have a (?:quick )?question"
    r"|(?:just )?(?:one|another|a) (?:more |last |quick |other )?(?:question|thing)|by the way|btw|say"
    r"|never mind(?: that| it)?|no wait(?: i mean(?:t)?)?|tell me straight|once more|one more time"
    r"|(?:and )?one more thing|oh and|while i (?:think|am thinking) of it|for \w+ sake"
    r"|let me ask you (?:something|a question|this)|i have to ask(?: you)?(?: something)?"
    r"|now (?:let me (?:see|think)|then)|now(?= (?:i|what|when|where|who|which|how|do|is|did|my)\b)"
    r"|let me (?:get|find|grab|fetch|put on) my (?:glasses|reading glasses|pen|pencil|paper|list|calendar)"
    r"|(?:just |i am (?:just )?)?curious|first of all|if you please|if you would|let me (?:see|think)"
    r"|forgive me|i beg your pardon|i am sorry(?: to (?:bother|trouble) you(?: again)?)?|do tell me"
    r"|i apologi[sz]e"
    r"|i do apologi[sz]e for asking again|but(?= (?:what|when|where|who|which|how)\b)"
    r"|(?:speaking|talking) of (?:food|money|pills|doctors|which)|(?:just )?so i know|just so i have it"
    r"|while (?:i (?:think|am thinking) (?:of|about) it|i am at it|i remember|we are at it|i have you)"
    r"|if i (?:remember|recall) (?:right|correctly|it right)"
    r"|let us see|anyway|basically|actually|honestly|just checking|checking|you know"
)
# What asks to be told, so that the question itself follows.
_TELL = (
    r"(?:tell|remind|say|show|give|inform|let|ask|know|read|check|look up|look|find out|find|see|work out"
    r"|figure out|confirm|hear|learn|remember|recall|verify|double check)"
)
_KINDLY = (
    r"(?:please |kindly |possibly |maybe |perhaps |just |quickly |be so (?:kind|good) as to "
    r"|be (?:good|kind) enough to |be (?:a dear|an angel|a sweetheart) and |do me a favor and "
    r"|help me (?:to )?|try to |go ahead and |happen to |by any chance |again )*"
)
_TOLD = r"(?: (?:me|us|for me|know|again|about it|real quick|quickly|please|once more|one more time))*"
_REQUESTS = (
    rf"(?:can|could|would|will|may|might|shall) (?:you|i|we) {_KINDLY}{_TELL}{_TOLD}"
    rf"|i (?:just |only |really |was |am |have been |had been |still )*(?:wonder(?:ing|ed)?|curious|asking)"
    rf"(?: about)?(?: (?:if|whether) (?:you|i) (?:could|can|might|would) {_KINDLY}{_TELL}{_TOLD})?"
    rf"|i (?:just |only |really |also |still |was |am |do )*(?:want|wants|need|would like|should like"
    rf"|would love"
    rf"|hoping|trying|wanted|have|like)(?: you)? to {_KINDLY}{_TELL}{_TOLD}"
    rf"|do (?:you|we) {_KINDLY}(?:know|remember|recall|have any idea|have it written down|see)"
    r"|(?:do you have |have you got |you got |is there )?any (?:idea|chance|clue)(?: you (?:know"
    r"|can tell me))?"
    rf"|i would (?:really |sure )?appreciate it if you (?:would|could|can) {_KINDLY}{_TELL}{_TOLD}"
    rf"|(?:please )?do me a favou?r and {_KINDLY}{_TELL}{_TOLD}"
    r"|(?:how|what) about (?:telling|reminding|giving|showing) me"
    rf"|(?:would|do) you mind (?:telling|reminding|giving|showing|reading|checking|saying){_TOLD}"
    rf"|(?:can|could|may|might) i (?:trouble|bother|ask) you (?:for|about|to {_TELL}){_TOLD}"
    r"|(?:please )?(?:tell|remind) me(?: please| again| once more)*"
    r"|let (?:me|us) (?:know|hear|see)|what i (?:want|need) to know is"
)
# "I forgot when I take it" asks; "I forgot my pills" does not.
_FORGOTTEN = (
    r"(?:i (?:have |had )?(?:quite |completely |totally |just |kind of |sort of )*(?:forgot|forgotten"
    r"|forget|keep forgetting|lost track of|can (?:not|never) (?:quite |seem to )?(?:remember|recall|think)"
    r"|(?:do|could) not (?:quite |seem to )?(?:remember|recall"
    r"|know)|am not (?:quite )?(?:sure|certain))|can not (?:remember|recall)|not sure)"
    r"(?= (?:what|when|where|who|which|how|why|if|whether|do|did|am|is)\b)"
)
_COURTESIES = (
    r"if (?:it is not|that is not|it would not be) too much (?:trouble|bother|to ask)|if you do not mind"
    r"(?: me asking)?|if you (?:would|could) be so kind(?: as to)?|if you would please|if you (?:can|could)"
    r"(?: tell me)?(?=$)|if possible|if i may(?: ask)?|if i might ask|may i ask|might i ask|if you please"
    r"|if you happen to (?:know|have (?:it|that)(?: written down)?)|if you know|if you have (?:it|that)"
    r"(?: written down)?|would you say|do you reckon|do you think(?! (?:i|we) should)|i (?:should"
    r"|would) like to know|pray tell"
    r"|if it is not too \w+(?: an? \w+)?|for my (?:own )?(?:records|information)|for the life of me"
    r"|if memory serves|do (?:tell|remind) me|please tell me|please say(?=$)"
    r"|say please(?=$)|please say so|do you recall|off the top of your head|by any chance|(?:my"
    r"|oh) dear(?=$| )"
    r"|dear(?=$)|love(?=$)|honey(?=$)|hon(?=$)|sweetie(?=$)|darling(?=$)|for goodness sake|for the record"
)
_HEDGES = (
    r"(?<!while )i (?:believe|think|guess|suppose|reckon|mean|hope)(?! (?:it|my|that|about)\b)"
    r"|(?<!did )(?<!do )i (?:wonder|forget|recall)"
    r"(?! (?:it|my|that|about|if|whether|what|when|where|who|which|how|why)\b)"
    r"|roughly speaking|(?:more or less)|so to speak|precisely|roughly|approximately|basically|honestly"
    r"|literally|totally|even|quite|very(?= (?:dangerous|severe|bad|serious|last|first|next|latest|much"
    r"|\w+est"
    r"|own)\b)|sort of|kind of|kinda|sorta|or something(?: like that)?|or whatever|or so(?=$)"
    r"|and (?:stuff|things)(?: like that)?(?=$)|and all that(?=$)|(?:at all)(?=$)|real quick|really quick"
    r"|right quick|on earth|in the world|handy|offhand|to hand|in front of you|quickly|out of curiosity"
    r"|just out of interest|ugh|lol|haha|geez|gosh|huh|eh|mm hm"
    r"|as it were|in fact|of course|obviously|supposedly|apparently|oh"
)
_ASKED = (
    r"(?:what|when|where|who|whose|which|how|why|do|does|did|am|is|are|was|were|have|has|had|can|could"
    r"|should|will"
    r"|would|may|tell)"
)
# Said of the present, which is what is asked of anyway.
_NOW = (
    r"these days|at (?:present|the present time|this (?:point|time|moment))|nowadays|presently"
    r"|as of (?:now|today)"
)
# With what a person asks to be confirmed in what they believe.
_CONFIRM = (
    r"(?:is (?:that|this|it|she|he) (?:right|correct|true|so)|are they right|am i (?:right|correct|wrong)"
    r"|right"
    r"|correct|yes|are not i|are not we|is not she|is not he|does not she|does not he|do not we|was not i"
    r"|(?:are|is|do|does|did|was|were|have|has|had|will|can|should) not (?:we|she|he|it|they|there)"
    r"|was not it|did not she|is not it|is not that right|is it not|do not i|did not i|am i not|have i not"
    r"|have not i"
    r"|do i not|did i not|has not she|has she not)"
)
_REPORTED = (
    r"(?:(?:my|the|our) \w+|somebody|someone|people|he|she|they)(?: \w+)? (?:says?|said|thinks?|claims?"
    r"|told me|insists|swears|believes?)(?: that)? "
)
_TAGS = (
    r"(?:(?:the|his|her) )?(?:name|it) (?:has |is )?(?:just )?(?:gone|slipped|escape[sd]?)"
    r"(?: (?:right|clean))?(?: out of)?(?: my (?:head|mind)| me)|is that a thing|any idea|or am i wrong"
    r"|(?:they|he|she|the \w+|my \w+|somebody|someone) (?:is|are|was|were|keeps?) (?:asking|wondering)"
    r"(?: me| about it| for it)?|(?:they|he|she|the \w+|my \w+) (?:wants?|needs?) to know"
    r"|or what|you know|you think|do you know|can you tell me"
    r"|please tell me|remind me|i (?:forgot|forget)|i can not remember|i (?:would|should) like to know"
    r"|i (?:want|need) to know|for me please"
)

_TIME = (
    r"(?:\w+day|weeks?|months?|years?|days?|ago|january|february|march|april|may|june|july|august|september"
    r"|october|november|december|christmas|\d+(?:st|nd|rd|th)|\w+(?:ieth|enth|fifth|first))\b"
)

DISCOURSE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        *((pattern, put) for put, pattern in (*SHORTHAND, *COMMENTS)),
        (r"^say me\b", "tell me"),
        (
            r"^(?:so )?(?:what (?:you are|he is|she is) saying is|you are saying|you are telling me|you mean"
            r"|so you say)(?: that)? (?=i (?:see|take|have|go|am|need|spent|paid|weigh)\b)",
            "is it true that ",
        ),
        (r"^there is not (?:any |a |an )?(.+) is there$", r"is there any \1"),
        # Of two times of which one takes back the other, none is left.
        (
            rf"^(.*\b{_TIME}.*) (?:i mean|i meant|or rather|no wait|wait no|no sorry|make that|scratch that)"
            rf"(?= (?:\w+ ){{0,5}}{_TIME})",
            r"\1 i_mean",
        ),
        # Of two names of which one takes back the other, the second stands.
        (
            r"^((?!.*\b(?:but|and|or|not)\b).+ (?:at|with|on|see|to|of|for|take|from|about|is))"
            r" (?:the |my |doctor )*\w+(?: doctor)?(?: (?:no|wait|sorry|oops|rather|actually))+"
            r"(?: (?:i mean|i meant|make that|not that one|i said))?"
            r" ((?:at |with |on |the |my |doctor )*\w+(?: doctor)?(?: (?:this|last|in|next"
            r"|since) \w+(?: \w+)?)?)$",
            r"\1 \2",
        ),
        (
            r"^(?:no|no wait|wait|sorry|oops|no sorry|actually) (?:i mean|i meant|make that"
            r"|i said) ",
            "what about ",
        ),
        (r"^(?:read|say) back ", "read "),
        (r"\bgimme\b", "give me"),
        (r"\blemme\b", "let me"),
        (r"\bgotta\b", "have to"),
        (r"\bgonna\b", "going to"),
        (r"\bwanna\b", "want to"),
        (r"\bgot to (?=\w)", "have to "),
        (
            r"\blike"
            r"(?<!would like)(?<!should like)(?<!feel like)(?<!feels like)(?<!feeling like)(?<!felt like)"
            r"(?<!look like)(?<!looks like)(?<!looking like)(?<!more like)(?<!rather like)"
            r"\b(?! (?:that|this|to|me)\b)",
            "",
        ),
        (rf"\b(?:{_COURTESIES})\b", ""),
        (rf"\b(?:{_HEDGES})\b", ""),
        (rf"\b(?:{_NOW})\b", "currently"),
        (
            rf"^(?:(?:{_OPENERS}) )+(?=\w)",
            "",
        ),
        # What is not so and is to be confirmed: "I did not buy gas, did I".
        (
            r"^(?!.*allerg)(?:and |but |so )?(i|we|she|he) (do|did|have|has|had|am|was|are|were)"
            r" (?:not|never) (.+?) (?:do|did|have|has|had|am|was|are|were) (?:i|we|she|he)$",
            r"\2 \1 \3",
        ),
        (
            r"^(?:and |but |so )?((?:my|the|our) .+?) (is|was|has|are|were|have|did|does|do)"
            r" (?:not|never) (.+?) (?:is|was|has|are|were|have|did|does|do) (?:it|they|that|there)$",
            r"\2 \1 ever \3",
        ),
        (
            r"^(?!.*allerg)(am|do|did|have|has|is|was) (i|we|she|he|(?:my|the) \w+(?: \w+)?)"
            r" (?:not|never) (?=\w)",
            r"\1 \2 ",
        ),
        (r"^(is|are|was|does|do) ((?:my|the|our) .+) ever (?!been\b)(.+)$", r"\1 \2 \3"),
        (rf"^{SOMEBODY_SPEAKS}", ""),
        (rf"^{SOMEBODY_CALLS}", ""),
        (rf"^{SOMEBODY_CLAIMS}", ""),
        (
            r" (?:can|could|will|would) you (?:read|tell|give|show|say|list) (?:it|them|that|those)"
            r"(?: (?:to|for|out|loud|aloud|back|me|us))*$",
            "",
        ),
        # "She told me to ask about my next appointment, when is it".
        (
            rf"^(?:{SOMEBODY_SENDS}|{SOMEBODY_ASKS}(?:about |for )?)((?:my|the) (?:\w+ ){{0,5}}?\w+)"
            r" (what|when|where|who|how much|how) (is|was|are|were) (?:it|that|this|they|he|she)\b",
            r"\2 \3 \1",
        ),
        (rf"^(?:{SOMEBODY_SENDS})(?=(?:{_ASKED})\b)", ""),
        (rf"^(?:{SOMEBODY_SENDS})(?=(?:all |a list of )?(?:of )?my\b)", "list "),
        *(
            (rf"^((?:and )?{word} .+) {word} (?:is|was|are) (?:it|that|this|they)(?: again)?$", r"\1")
            for word in ("when", "where", "who", "how much", "what")
        ),
        (rf"^(?:{SOMEBODY_ASKS})(?:about |for )?(?=(?:all |a list of )?(?:of )?my\b)", "list "),
        (rf"^(?:{PREAMBLES})(?=(?:{_ASKED}|please|i (?:need|want|was|would|wonder|forgot))\b)", ""),
        (
            rf"^(?:(?:{_REQUESTS}) )+(?=(?:{_ASKING}))(?!the (?:time|date)$|the (?:day|night|evening|week"
            rf"|morning) before)",
            "tell me ",
        ),
        (rf"^{_FORGOTTEN}", "tell me"),
        (rf" (?:{_TAGS})$", ""),
        # What they ask it for is no part of it either.
        (
            r" (?:or )?(?:i was|i am|am i) (?:just |only )?(?:trying to remember|thinking of|asking"
            r"|curious)\b.*$",
            "",
        ),
        (rf"^(?:{_REPORTED})?(?!{_ASKED}\b)(.+) {_CONFIRM}$", r"is it true that \1"),
        *((pattern, put) for put, pattern in TOPICS),
    )
)


def strip(text: str) -> str:
    """Return a normalised question without what is only said around it."""
    for pattern, put in DISCOURSE:
        text = " ".join(pattern.sub(put, text).split())
    return text
