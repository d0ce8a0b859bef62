"""What a person remarks after or before a question, of themselves or of how it is to be answered.

"I keep forgetting", "it feels like forever", "be honest": rows as in `discourse`. None of them names a
record, a time or an amount, or turns what is asked; what is listed whole may hold a "not".
"""

from __future__ import annotations

_ADVERBS = (
    r"(?:(?:just|honestly|really|always|still|simply|truly|kind of|sort of|never|also|even|already|now|quite"
    r"|probably|clearly|swear i|all|so|a bit|a little) )*"
)
_THEM = r"(?: (?:it|them|that|this|these|all of them|everything|track|count))?"
_MEMORY = (
    rf"i {_ADVERBS}(?:"
    rf"keep(?:s)? (?:on )?(?:forgetting|losing|mixing|confusing|getting (?:confused|mixed up)){_THEM}(?: up)?"
    rf"|(?:am |was )?(?:forgetting|losing|mixing){_THEM}(?: up)?(?: again)?"
    rf"|(?:have |had )?(?:lost track|lost count|forgotten|forgot)(?: again| completely| already| of it)?"
    rf"|(?:am|get|got|was) {_ADVERBS}(?:confused|mixed up|forgetful|unsure|not sure|not certain|lost|curious"
    r"|worried|nervous|in a hurry|kidding|joking|serious|asking|terrible with (?:names|dates|numbers)"
    r"|bad with (?:names|dates|numbers))"
    rf"|can (?:not|never|hardly|barely) {_ADVERBS}(?:for the life of me )?(?:keep|remember|recall|tell|think"
    rf"|find|make out|figure out|place){_THEM}(?: (?:straight|anymore|any more|now|apart|out|anywhere))?"
    r"|(?:do|did|could) not (?:quite |even )?(?:know|remember|recall|catch it|write it down)"
    r"(?: (?:anymore|any more|it|that|now|offhand))?"
    r"|(?:have|had) no (?:idea|clue)|have a (?:bad|terrible|lousy|poor) memory"
    r"|am not (?:an? )?(?:early bird|morning person|night owl|spring chicken)|forget|should (?:really"
    r" )?know (?:this|that|it)|ought to know(?: this| that)?"
    rf"|(?:never|hardly ever) (?:remember|know|can remember){_THEM}"
    rf"|mix{_THEM} up|get (?:it|them|everything) (?:confused|mixed up)"
    r"|hate (?:to ask|asking|to bother you)(?: again)?"
    r"|wrote it down somewhere|wonder sometimes|worry sometimes|swear|promise)"
)
_SEEMS = (
    r"(?:it|that|this) (?:just |really |sure |kind of )*(?:feels|seems|felt|seemed|looks|looked|sounds"
    r"|sounded|has been|must be|must have been|is|was)(?: like)? "
    r"(?:forever|ages|a while|quite a while|a long time|so long|too long|a lifetime|a long while|years|an age"
    r"|a lot|so much|confusing|silly|crazy|strange|odd|funny|important|urgent|driving me (?:crazy|nuts))"
    r"(?: ago| now| to me)?|it (?:drives|is driving) me (?:crazy|nuts|up the wall)"
)
_MANNER = (
    r"(?:please )?be (?:honest|straight|frank|truthful|quick|brief|gentle)(?: with me| about it| now)?"
    r"|do not (?:sugar ?coat it|laugh(?: at me)?|rush|hurry|judge(?: me)?|lie(?: to me)?|spare me|be shy"
    r"|ask(?: me)? why)|(?:tell me )?the truth(?: please| now)?|(?:tell me )?honest answer"
    r"|give it to me straight|no rush|no hurry|take your time|when you get a (?:chance|minute|second)"
    r"|(?:just )?(?:a )?(?:simple |quick |straight )?yes or no(?: answer| will do| please)?"
    r"|(?:just )?the short (?:version|answer)|in plain english|quick and simple|according to you"
    r"|(?:if )?you tell me|believe it or not|as far as you know|as far as you can tell|that you know of"
    r"|or am i (?:just )?(?:kidding|fooling) myself|or am i (?:just )?(?:crazy|imagining (?:it|things)"
    r"|dreaming|mistaken|confused|mixed up|losing (?:it|my mind)|remembering (?:it )?wrong|misremembering)"
    r"|to the penny|nice and (?:slow(?:ly)?|loud|clear(?:ly)?|easy)"
    r"|(?:and )?(?:all that jazz|what have you|what not)|just that (?:week|day|month|one)|quick(?:ly)?"
)
_PERSON = (
    r"(?:they|he|she|somebody|someone|(?:my|the|our|this|a|some) (?:(?!allerg|medic|drug|food)\w+ ){0,3}?"
    r"(?:wife|husband|sons?|daughters?|mother|father|brother|sister|friend|neighbou?r|niece|nephew|aide|nurse"
    r"|caregiver|dentist|pharmacist|receptionist|pharmacy|insurance|accountant|grand\w+|kids?|children"
    r"|people|company|office|clinic|hospital|lady|man|guy|woman|girl|school|agency|ride|driver|form))"
)
_WANTED = (
    rf"{_PERSON} (?:is |are |was |were |keeps? |just )*(?:asking|wondering|waiting|asked|wants? to know"
    r"|wants? it|needs? it|needs? to know|wanted to know)(?: (?:me|about it|about that|for it|on the phone"
    r"|on the line|again|right now|today|for (?:it|that)|to know))*"
)
_DOING = (
    r"i (?:just )?(?:need|have|want|am going|am about|am trying|would like) to "
    r"(?:call|phone|ring|write it|fill out|let (?:them|him|her)|plan|know|tell|get ready|pack|arrange"
    r"|make sure|double check|put it|leave a|call (?:over|up)|be sure|be ready|jot)"
    r"(?: (?:it|them|him|her|over|up|there|down|back|out|a|the|ride|form|forms|note|message|today|first|in"
    r"|my|ahead|for|know|office|clinic|pharmacy|on))*"
)
# "The pill I keep forgetting", "did I forget": what they begin with is of the question.
_NOT_OF_WHICH = "".join(
    f"(?<!{word} )"
    for word in (
        *("do", "did", "have", "am", "was", "can", "should", "that", "which", "what", "who", "where", "when"),
        *("how", "why", "if", "whether", "one", "ones", "pill", "pills", "medication", "medications"),
        *("medicine", "medicines", "thing", "things", "is", "and", "tell", "something"),
        *("anything", "much", "many", "often", "long", "name"),
    )
)
_REMARK = rf"(?:and |but |because |since |though |so )?(?:{_MEMORY}|{_SEEMS}|{_MANNER}|{_WANTED}|{_DOING})"
_ASKED = (
    r"(?:what|when|where|who|whose|which|how|do|does|did|am|is|are|was|were|have|has|had|can|could|should"
    r"|will|tell|list|show|give|read|any|anything|my|the)\b"
)
_JOINED = r"(?: (?:and|so|but|anyway|anyhow|because))*"

# What stands for it, then what says it.
COMMENTS: tuple[tuple[str, str], ...] = (
    ("", rf" {_NOT_OF_WHICH}(?:{_REMARK})$"),
    (
        "",
        rf"^(?:now |oh |well |so )*(?:(?:{_MANNER}|{_MEMORY}){_JOINED} )+(?={_ASKED})"
        r"(?!(?:my|the|any|anything)\b)",
    ),
    (
        r"\1",
        r"^((?:do|did|does|am|is|are|can|could|should|have|has|was|were|will|must|may)\b.*) or not$",
    ),
    # Between two questions: "what day is it i have lost track and who is next".
    (" ", rf" {_NOT_OF_WHICH}(?:{_MEMORY}|{_SEEMS}) (?=(?:and|but|so) {_ASKED})"),
    # What is taken back for what follows: "the metformin no hang on i mean the cholesterol tablet".
    (
        r"\1 \2",
        r"^((?:and )?(?:when|what time|how (?:often|much|many|long)|why|who|where|what|which)\b(?: \w+){1,3}?"
        r" (?:take|see|spend at|spend on|pay|at|with|on|for|is|of)) (?:(?:the|my) )?(?:\w+ ){1,3}?"
        r"(?:(?:no|oh|wait|sorry|oops|hang on|hold on|scratch that|strike that|rather|well|actually) )+"
        r"(?:i (?:mean|meant) |make that |not that (?:one )?(?:but )?)?((?:the |my )?\w+(?: \w+){0,3})$",
    ),
)
