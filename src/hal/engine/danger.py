"""What is said before anything else when a person may be in danger: fixed sentences, never looked up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hal.engine import danger_words, rules, spoken
from hal.engine.records import Household
from hal.protocol import Intent

# What may be doubled, or had twice, and is no medicine.
_NO_MEDICINE = (
    r"insurance|policy|bookings?|orders?|rent|payments?|bills?|groceries|laundry|shopping|laugh\w*|laughter"
    r"|shifts?|socks|recipe|batter|flour|price|spending|savings|trips?|purchases?|budget"
)
# One rule a line, as in rules.named: the kind of danger, and the words that tell of it.
DANGERS = rules.named(
    r"""
    despair suicid\w*|(?:kill|killing|hurt|hurting|harm|harming|cut|cutting) myself
    despair (?:nobody|no one) would (?:miss me|care(?! (?:but|about|for|which|what)))
    despair can not (?:go on|take it)(?: any ?more| like this)?$
    despair end(?:ing)? (?:my life|it all)|better off without me
    despair do not (?:really )?want to (?:be (?:here|around|alive)|live|go on|wake up) any ?more
    despair (?:want|wish|going|ready|rather|like|better off) (?:to |be |i was |i were )?(?:die|dead)
    despair thinking (?:of|about) dying|no reason to live|life is not worth|tired of living
    despair (?:not|no longer) (?:want to |wanna )?(?:live|be alive|be here)(?: any ?more)?$
    despair not want to (?:\w+ )?wake up|wish i (?:would|did|could) (?:not|never) wake up
    emergency chest (?:pains?|hurts|tight\w*|is tight|pressure|feels)|pains? in my (?:chest|left arm)
    emergency (?:tight\w*|pressure|pains?|squeezing|heaviness) (?:\w+ )?(?:in|on|across|around) (?:\w+ )?chest
    emergency heart attack|(?:having|had|have) a (?:stroke|seizure)|seizures?
    emergency (?:can not|cannot|hardly|barely|trouble|difficulty|hard to|struggling to) (?:breathe|breathing)
    emergency can not really breathe|can not seem to catch my breath
    emergency (?:CANNOT) (?:\w+ )?(?:breath|(?:get|catch)(?:ing)? (?:\w+ )?(?:air|breath)\b)
    emergency (?:gasping|fighting|struggling) for (?:air|breath)|suffocat\w+|not getting (?:any |enough )?air
    emergency (?:can not stop|am|is|are|keeps?|started|been|badly) (?:\w+ )?wheez\w+|wheez\w+ (?:badly|so bad)
    emergency (?:inhaler|puffer) (?:is |does |did )?not (?:\w+ )?(?:help\w*|work\w*|do\w* anything)
    emergency (?:lips?|face|nails?|fingers?) (?:\w+ ){0,4}(?:blue|grey|gray|purple)
    emergency breathing (?:is|has|got|gone|feels|sounds) (?:\w+ ){0,2}(?:BADLY)
    emergency (?:throat|tongue|lips?|face|mouth) (?:VERB) (?:\w+ ){0,3}?(?:SWOLLEN)
    emergency (?:tongue|lips?) (?:VERB) (?:\w+ ){0,2}?(?:tingl\w+|itch\w*|numb)
    emergency (?<!makes )(?<!make )(?:my|his|her) (?:throat|tongue|lips?|face|mouth) (?:\w+ )?(?:SWELLING)
    emergency (?:eyes?|neck) (?:VERB) (?:\w+ ){0,2}?(?:swelling|swollen|swole|swelled) (?:up|shut)
    emergency ^(?=.*\b(?:sugar|diabet\w+|insulin|metformin|glucose)\b).*\b(?:FEEL) (?:\w+ ){0,3}?(?:SHAKY)
    emergency (?:PERSON|he|she|baby|friend) (?:will|can|does|did|is) not (?:wak(?:e|ing) up|respond\w*|mov\w+)
    emergency can not wake (?:him|her|my \w+)|smoke in (?:the|my)|can not see (?:out of|from)
    emergency carbon monoxide|chest is killing
    emergency (?:sitting|standing|pressing|lying|sits|stands|stepping) on (?:top of )?(?:my|his|her) chest
    emergency (?:weight|brick|bricks|ton|elephant|rock|vise|anvil|load) (?:\w+ ){0,2}on (?:my|his|her) chest
    emergency (?:mouth|face) (?:has |is )?(?:gone )?(?:all )?droop\w*
    emergency (?:mouth|face) (?:is |has |looks )?(?:\w+ )?(?:hang|sagg|crook|pulled)\w* (?:down )?(?:on|to)
    emergency (?:not|can not) (?:talk|speak)\w* (?:properly|clearly|straight|right(?! now))
    emergency slurr?(?:s|ed|ing) (?:(?:his|her|my|the) )?(?:words|speech)
    emergency tongue (?:has |is )?(?:gone )?(?:all )?(?:thick|puffy|swollen)
    emergency can not feel (?:my |the )?(?:left |right )?(?:arm|leg|face|hand|side)
    emergency bleeding (?:will|does) not stop|a(?:n awful)? lot of blood on|elephant sitting on
    emergency sugar (?:really|very|too|so|dangerously|extremely|super) (?:low|high)
    emergency sugar is super (?:low|high)
    despair i would like to end it|as soon not wake up
    despair (?:take|takes|took|needed|enough) to kill (?:me|myself|someone|somebody|a person|you)
    despair (?:lethal|fatal|deadly) dose|how many (?:\w+ ){1,5}(?:to|before i|until i) die
    overdose (?:used|puffed) (?:\w+ ){0,3}inhaler (?:\w+ )?\d\d times|medicine of (?:an)?other patient
    overdose drank (?:\w+ ){0,5}(?:dishwasher|pod|antifreeze)
    emergency (?:can not|cannot) (?:catch my breath|get up|swallow|move my \w+|feel my \w+|stop the bleeding)
    emergency (?:short|shortness|out) of breath|breathless\w*|chok(?:e|ing)|slurr\w+
    emergency (?:face|mouth|arm|leg|side) (?:is|are|went|feels) (?:drooping|numb|weak)
    emergency (?:passed|passing|black\w*) out|fainted|unconscious|unresponsive
    emergency not (?:breathing|responding|waking up)
    emergency (?:throat|tongue|lips?|face) (?:is|are|feels?) (?:\w+ )?(?:swell\w*|swollen|clos\w+|tight\w*)
    emergency bleeding (?:badly|heavily|a lot)|(?:coughing|throwing|vomiting) (?:up )?blood
    emergency (?<!send me into )(?<!put me into )(?<!throw me into )(?<!gives me )(?<!give me )anaphyla\w+
    emergency worst headache|pass out|heart is (?:racing|pounding)|hurts (?:when i|to) breathe|hives all over
    emergency i (?:just |have )*(?:fell|fallen) (?:down )?(?:in|on|off|from) (?:the|my) (?:FELL)(?!.* ago)
    emergency chest (?:has been|is) hurting|(?:having|have) an allergic reaction|i am bleeding|faint(?:ing)?$
    emergency (?:there is|house is on) (?:a )?fire|smell (?:of )?gas|breaking in(?:to)?|intruder
    emergency (?:blood ?)?sugar is (?:really|very|too|so|dangerously|extremely) (?:low|high)
    emergency blood ?pressure is (?:really|very|too|so|dangerously|extremely) (?:low|high)|through the roof
    emergency (?:call|need) (?:911|112|999|an ambulance|the paramedics)|i fell(?: down)?$|send help
    overdose (?:took|taken|swallowed|gave) (?:\w+ ){0,3}(?:wrong|husband|wife|someone elses?|somebody elses?)
    overdose doubled (?:up|my|the|it)(?! (?:on )?(?:\w+ ){0,2}(?:NO MEDICINE)\b)|double dosed?|overdos\w+
    overdose (?:took|taken|swallowed) (?:\w+ ){0,4}?(?:PERSON)s? (?!his|her)(?:\w+ ){0,2}(?:PILLS)
    overdose (?:swallowed|ate|eaten|drank|got into) (?:\w+ ){0,5}(?:bottle|pills?|tablets?|medic\w+|battery)
    overdose (?:swallowed|ate|drank) (?:\w+ ){0,3}(?:bleach|detergent|cleaner|poison|antifreeze|gasoline)
    """.replace("FELL", r"bath\w*|tub|shower|floor|stairs?|steps|kitchen|bed|chair|ladder|driveway|ice|porch")
    .replace("SWELLING", "swelling|swollen|swole|closing")
    .replace("NO MEDICINE", _NO_MEDICINE)
    .replace("PILLS", r"pills?|tablets?|medic\w+|capsules?")
    .replace("PERSON", "husband|wife|dad|father|mom|mother|mum|son|daughter|sister|brother|neighbou?r")
    .replace("CANNOT", "can not|cannot|hardly|barely|unable to|not able to|trouble|struggling to")
    .replace("VERB", "has|have|is|are|feels?|gone|got|went|keeps?|started|starting|getting|just|all|looks?")
    .replace(
        "SWOLLEN", r"swell\w*|swollen|swole|swelled|clos(?:ing|ed)(?: up)?|tight\w*|puff\w+|fat|thick|huge"
    )
    .replace("BADLY", r"bad|funny|hard|heavy|fast|shallow|difficult|tight|noisy|worse|rapid|labou?red")
    .replace("FEEL", "i am|feel(?:s|ing)?|she is|he is|hands are|gone|gone all|started|getting|went|got")
    .replace("SHAKY", r"trembl\w+|shak(?:y|ing)|sweat\w*|clammy|foggy|blurr\w+|faint|woozy|confused")
    +
    # "twice a day" and "two puffs as prescribed" are how a medicine is meant to be taken.
    r"""
    overdose TOOK(?:twice|double|too many|too much)(?! (?:a|per|each) day)
    overdose TOOK(?:(?:the |a )?(?:whole|entire) \w+|all (?:of )?(?:my|the)|a handful|an overdose)
    overdose TOOK(?:two|three|2|3) times (?:the|my|a|her|his)\b
    overdose (?!NO MEASURE)TOOK(?<! at )(?:ABOUT)(?:COUNT|extra|another|again)(?! (?:UNITS)\b)
    overdose SWALLOWED(?:ABOUT)(?:MANY) times(?! (?:\w+ ){0,2}?(?:NO DAY)\b)
    overdose (?:popped|downed|gulped) (?:ABOUT)(?:COUNT)(?! (?:UNITS)\b)
    overdose SWALLOWED(?:over . over|back to back)(?! (?:\w+ ){0,2}?(?:NO DAY)\b)
    overdose (?:had|gave|given) (?:NO DOSES){0,6}?(?:ABOUT)(?:MANY) times (?:\w+ )?(?:TODAY)
    overdose SWALLOWED(?:ABOUT)(?:LOTS) (?!(?:of )?(?:(?:my|the|his|her|those) )?(?:THINGS)\b)\w+
    overdose SWALLOWED(?:\w+ )?more (?!time|money)(?:\w+ ){0,4}?than (?:\w+ ){0,2}(?:MEANT)
    """.replace(
        "NO MEASURE",
        r"(?:took|taken) (?:my |the |his |her )?(?:MEASURES)\b(?! (?:\w+ )?(?:PILLS)\b)",
    )
    .replace(
        # Between the verb and the number, and no part of what is taken.
        "ABOUT",
        r"(?:(?:like|about|maybe|around|almost|nearly|roughly|probably|perhaps|at least|over|more than|up to"
        r"|just|already) ){0,3}",
    )
    .replace(
        "SWALLOWED",
        r"(?:took|(?<!pressure )(?<!sugar )(?<!temperature )taken|swallowed|popped|downed|gulped)"
        r" (?:NO DOSES){0,6}?",
    )
    # Not "took my kids to the doctor five times": what is taken somewhere, or is a measure or no medicine.
    .replace("NO DOSES", r"(?!(?:to|out|from|off|for|at|THINGS)\b(?! (?:\w+ )?(?:PILLS)\b))\w+ ")
    .replace("PILLS", r"medic\w+|pills?|tablets?")
    .replace(
        "LOTS",
        r"(?:a|an) (?:\w+ )?(?:bunch|ton|load|lot|heap|pile|fistful|few|handful)|tons|loads|lots|heaps"
        r"|several|too many|way too many",
    )
    .replace("MANY", r"(?:two or |three or |four or )?(?:COUNT|several|multiple|many|a (?:few|bunch of))")
    .replace("COUNT", r"two|three|four|five|six|seven|eight|nine|ten|\d+")
    # How often it was in a week or since last year is no matter of one day.
    .replace("NO DAY", r"a|per|each|every|daily|week|month|year|years|months|weeks|life|since|ever")
    .replace("TODAY", r"today|tonight|already|this (?:morning|afternoon|evening)|in a row|by mistake|now")
    .replace("MEANT", r"should|supposed|meant|allowed|prescribed|needed|told|usual|ought|label|dose|normal")
    .replace(
        # What is taken, or had, and is no medicine.
        "THINGS",
        r"blood|pressure|temp\w*|pulse|heart|sugar|glucose|weight|readings?|measurements?|pictures?|photos?"
        r"|videos?|selfies?|notes?|books?|class\w*|courses?|tests?|exams?|naps?|walks?|trips?|breaks?|bus\w*"
        r"|trains?|taxis?|cabs?|cars?|flights?|stairs|dogs?|trash|shower\w*|baths?|time|work|effort|money"
        r"|cash|days?|hours?|minutes?|weeks?|months?|years?|people|coffees?|tea|water|snacks?|food|lunch"
        r"|breakfast|dinner|beers?|drinks?|stuff|things?|clothes|leftovers|appointments?|steps|bags?|boxes"
        r"|_NO_MEDICINE_",
    )
    .replace("_NO_MEDICINE_", _NO_MEDICINE)
    .replace("TOOK", r"(?:took|taken|swallowed|had|drank|given|gave) (?:\w+ ){0,4}?")
    .replace("MEASURES", r"blood|pressure|pulse|temp\w*|sugar|glucose|weight|heart|reading")
    .replace(
        "UNITS",
        r"a|per|times|am|pm|o|puffs?|days?|weeks?|hours?|minutes?|months?|years?|readings?|appointments?"
        r"|cups?|slices?|glass\w*|pieces?|bites?|eggs?|kids?|child\w*|visits?|charges?|questions?|allerg\w+"
        r"|doctors?|steps|walks?|calls?|meals?|things?"
        r"|dollars?|bucks|hundred|refills?|bus\w*|trains?|cabs?|taxis?|naps?|pictures?|photos?|"
        + _NO_MEDICINE,
    )
    + danger_words.rows()
)
# Questions of the records or of the world: "when did I have chest pains", "what are the signs of a stroke".
_ASKS_ABOUT = re.compile(
    r"^(?:when(?! i (?:breathe|take a breath|cough|swallow|stand)\b)|how (?:many|often|much|do|long (?:do"
    r"|does) (?:an?|the))|which|who|where"
    r"|did|was|were|list|show|tell me (?:about|all the|all my|my)"
    r"|what (?:was|were|is the|is an?|are the|are|causes|did|happens)"
    r"|(?:is|was) (?:not )?(?:my|the) (?=(?:\w+ ){1,4}(?:too|very|really|so) (?:high|low)$)\w+"
    r"|(?:has|have) (?:my|i)\b(?!.*\b(?:now|just|today|is|it)\b)(?=.*\bever\b)"
    # When a medicine is taken: "is the inhaler only for when I am wheezing". What hurts now is told.
    r"|(?:is|are|do|does|which|what|how|am)\b(?=.*\b(?:inhaler|puffs?|use|using|take|taking|for)\b"
    r".*\b(?:(?:when|whenever) (?:i|you|she|he)\b|if (?:i|she|he) (?:am|is|gets?) (?:wheez\w*"
    r"|short of breath)))(?!.*\b(?:chest|heart|arm|face|now|still|help\w*|worry"
    r"|took|taken|swallowed|stroke|seizure|reaction|bleed\w*|turning|chok\w*|gasp\w*|faint\w*|bad|serious|call|hospital|emergency|doctor|nothing|not|badly|more|working|ran)\b).*"
    r"|(?:do|does|can|could|will|would) (?!(?:i|you|we)\b)(?:\w+ ){1,4}(?:make|makes|cause|causes|give"
    r"|gives) (?:you|people|a person|someone)\b(?!.*\b(?:i|he|she|my|took|taken)\b).*"
    r"|what does it mean (?:when|if) (?:an?|the|your|you)\b.*)\b"
)
_BETWEEN_CLAUSES = re.compile(r" (?:and|but|because|so|then) ")
_ASKS_BEFORE_TAKING = re.compile(
    r"^(?:have|has|do(?! not (?:know|remember))|does|can|could|should|may|am|are|what)\b"
)
# Somebody was given it, or took it: "we had", but not "do I have".
_EXPOSED = re.compile(
    r"^(?:i|we|they|he|she|oh no i|help i)\b.*\b(?:ate|eaten|eating|drank|swallowed|took|taken|touched"
    r"|had|have"
    r"|inhaled|got|tasted)\b"
    r"|\b(?:ate|eaten|drank|swallowed|inhaled|tasted)\b|\b(?:gave|given) (?:to )?(?:me|her|him)\b"
    r"|(?:^|\b(?:i|we|she|he|and|just|have|has|already) )(?:took|taken|touched)\b"
    r"|^(?:oh )?(?:no )?(?:that|it|this|(?:the|my) \w+) had (?:\w+ ){1,3}in (?:it|there)\b"
    r"|\b(?:i|we|she|he) (?:just )?had (?:\w+ ){0,2}(?:bites?|sips?|tastes?|spoon\w*|slices?|pieces?"
    r"|some of)\b"
)
# Asked, or told of an allergy by itself: "took it, forgot I am allergic" tells of more.
_NOT_EXPOSED = re.compile(
    r"^(?:can|could|may|should|would|is(?! it true)|are|am|do|does|did|have|has|had|was|were|what|which"
    r"|who|when|where|how"
    r"|list|show|tell)\b(?! i (?:just|already) )"
    r"|(?<!with my )(?<!forgot i am )(?<!forgot i was )(?<!forgetting i am )(?<!though i am )(?<!know i was )"
    r"(?<!remembered the )(?<!but i am )(?<!say i am )(?<!mention i am )(?<!tell them i am )"
    r"(?<!forgot my )(?<!forgot about my )(?<!forgot about the )(?<!and i am )\ballerg\w*"
    r"|\b(?:appointment|spent|bought|paid|never|used to|prescri\w+|refill\w*)\b"
    r"|\b(?:did|have|had|has|do|does|was|were) not (?:\w+ )?(?:eat|eaten|drink|drunk|had|have|take|taken"
    r"|touch\w*"
    r"|swallow\w*|get|taste\w*|any)\b|\bhad no\b|\bwithout\b"
    # What is there to be had, and whether it may be, is asked: "they are doing shrimp, can I have some".
    r"|^(?!.*\b(?:ate|eat(?:en|ing)|drank|swallowed|took|taken|inhaled|touch\w*|tasted?|tasting|gave"
    r"|given|bites?"
    r"|had|now|itch\w*|feel\w*|rash|swell\w*|swollen|hives?|sick|mistake|accident\w*|(?:on|in) (?:me|my)"
    r"|at the (?:hospital|clinic|doctors?|dentist|er|urgent care))\b).*"
    r" (?:can|could|may|should|am|is|are|would)(?: not)? (?:i|we|it|that|this|they|she|he)\b"
)
_SUGAR = (
    r"glucose|blood ?sugars?|sugars?|bg|libre|dexcom|glucometer|(?<!electric )(?<!electricity )(?<!water )"
    r"(?<!gas )(?<!parking )(?<!taxi )(?<!power )(?<!light )(?<!smart )meter"
)
_TEMPERATURE = r"(?<!oven )(?<!meat )(?<!water )temp(?:erature)?|fever|thermometer"
# A second value, of a blood pressure, and no measure of time.
_REST = (
    r"(?: (?:over|by) (\d{2,3}))?\b(?! (?:days?|times|weeks?|months?|years?|minutes?|dollars?|bucks|cents))"
)
# The value may be told in a clause of its own: "I measured my sugar and it says 45".
_BETWEEN = (
    r"(?:(?:. (?=(?:it|its|that|the (?:reading|meter|machine)) ))?(?!(?:pill"
    r"|medic|tablet|check|appoint|visit|dose|refill)\w*|rate \w+ at)\w+ ){0,7}?"
)
_NO_DATE = "(?<!uary )(?<!march )(?<!april )(?<!may )(?<!june )(?<!july )(?<!august )(?<!ember )(?<!ober )"
# What is told of a reading, below and from which values it is dangerous. A value tells its unit: a
# temperature below 50 is in degrees Celsius, sugar below 36 in mmol/l, with a decimal if it has one digit.
RANGES = tuple(
    (name, re.compile(rf"\b(?:{words}) {_BETWEEN}{_NO_DATE}({value}){_REST}"), low, high)
    for name, words, value, low, high in (
        (
            "blood pressure",
            r"blood ?pressures?|pressures?(?! (?:cooker|washer))|systolic|cuff|top number",
            r"\d{2,3}(?:\.\d)?",
            90,
            180,
        ),
        ("blood sugar", _SUGAR, r"\d{3}(?:\.\d)?|[4-9]\d(?:\.\d)?|3[6-9](?:\.\d)?", 70, 300),
        ("blood sugar", _SUGAR, r"[12]?\d\.\d|3[0-5]\.\d|[12]\d|3[0-5]", 3.9, 16.7),
        ("heart rate", r"heart ?rates?|pulse|heart ?beats?|heart|bpm", r"\d{2,3}(?:\.\d)?", 40, 130),
        ("oxygen level", r"oxygen|o2|spo2|pulse ox|oximeter|saturation|sats", r"\d{2,3}(?:\.\d)?", 92, 101),
        ("temperature", _TEMPERATURE, r"\d{3}(?:\.\d)?|[5-9]\d(?:\.\d)?", 95, 103),
        ("temperature", _TEMPERATURE, r"[34]\d(?:\.\d)?", 35, 39.4),
    )
)
_BARE_PRESSURE = re.compile(r"\b(\d{2,3}) over (\d{2,3})\b")
_DIASTOLIC = 120
_TOLD = re.compile(
    r"\b(?:is|was|reads|says?|at|of|just|now|it|says|reading|measured|got|hit|went|dropped|high|low|over"
    r"|rn|today|down|up|shows?|showing|showed|came|about|around|only|like|currently|still|this morning"
    r"|has|gone)\b"
    r"|^(?:my |her |his |the )?\w+(?: \w+)? \d+(?:\.\d)?$"
)
# What a value is told of when it is told by itself after a question of a reading: "it is 45 now".
_MEASURE = re.compile(
    r"\b(blood ?pressure|blood ?sugar|sugar|glucose|heart ?rate|pulse|oxygen|o2|temperature|fever)\b"
)
_IT = re.compile(r"\b(?:it is|its|it|this|that|mine|(?:the )?reading)\b")
_VALUE_TOLD = re.compile(
    r"\b(?:it|its|that|this|mine|hers|his|he|she|reading|meter|machine|cuff) (?:\w+ ){0,2}?(?:is|was"
    r"|says?|reads?|went"
    r"|dropped|showed|shows?|at|just|now|only|like|\d+(?:\.\d)?)\b.*"
    r"|^(?:now|just|currently|only|at|up|down|well|because|and|so|about|around|says|says it is)\b.*\d"
    r"|^\d+(?:\.\d)?(?: over \d+)?(?: \w+){0,2}$"
)
_ASKS = re.compile(r"^(?:was|is|did|does|what|when|how|which)\b|\b(?:in the|last|past) \d")
# "At one forty" is no time of day there.
_HUNDREDS = re.compile(r"(?<= 1) (?=\d\d\b(?! (?:am|pm|in the)\b))|(?<= 2) (?=\d\d\b(?! (?:am|pm|in the)\b))")


SAID = {
    "despair": "I am worried about you. You are not alone: please call someone you trust now, or call or"
    " text 988 where there is a crisis line, and if you may act on it, call {number} at once.",
    "emergency": "This may be an emergency. Call {number} now, and do not wait or drive yourself.",
    "overdose": "Take no more of it. Call poison control, or please ask your pharmacist or doctor now. With"
    " trouble breathing, fainting, confusion or chest pain, call {number} at once. I can't say whether it"
    " is"
    " safe.",
    "exposure": "Your records show {known}. With trouble breathing, swelling, hives or dizziness, call"
    " {number} at once and use an epinephrine injector if you have one. Even without them, ask your doctor"
    " or pharmacist now.",
    "reading": "{known} like that can be dangerous. Measure it again now. If it is right, call your doctor"
    " at once, and call {number} if you have chest pain, trouble breathing, weakness, confusion, or feel"
    " faint.",
}


@dataclass(frozen=True, slots=True)
class Warning:
    """A fixed sentence, with the subject and action it is told under."""

    text: str
    intent: Intent
    action: str = "DANGER"


def find(
    text: str, household: Household, allergens: tuple[str, ...], number: str, before: str = ""
) -> Warning | None:
    """Return what to say first about a normalised question, or None if it speaks of no danger.

    Arguments:
        text: the question.
        household: whose allergies are told.
        allergens: those on record that the question names, by themselves or by a member of theirs.
        number: the emergency number.
        before: the question before it, of whose reading a bare value is told.
    """
    clauses = _BETWEEN_CLAUSES.split(text)
    told = " | ".join(clause for clause in clauses if not _ASKS_ABOUT.search(clause))
    kinds = {kind for kind, pattern in DANGERS if pattern.search(text if kind == "despair" else told)}
    for kind in ("despair", "emergency"):
        if kind in kinds:
            return Warning(SAID[kind].format(number=number), Intent.GENERAL)
    measured = _of_the_measure(told, before)
    if measured:
        warning = _reading(measured, number)
        if warning is not None:
            return warning
    if "overdose" in kinds and not _ASKS_BEFORE_TAKING.search(text):
        return Warning(SAID["overdose"].format(number=number), Intent.MEDICATION, "MEDICATION_ADVICE")
    if allergens and told and _EXPOSED.search(text) and not _NOT_EXPOSED.search(text):
        return _exposure(household, allergens, number)
    return _reading(text if "dangerous" in text else told, number)


def _of_the_measure(told: str, before: str) -> str:
    """Return a value that is told by itself with the measure that the question before was for, or ""."""
    measure = _MEASURE.search(before)
    if measure is None or not _VALUE_TOLD.search(told) or _ASKS.search(told):
        return ""
    named = _IT.sub(f"{measure[1]} is", told)
    return named if named != told else f"{measure[1]} is {told}"


def _exposure(household: Household, allergens: tuple[str, ...], number: str) -> Warning:
    known = spoken.join(
        [
            f"{spoken.article(item.severity)} {item.severity} allergy to {item.allergen}"
            + (f" with {item.reaction}" if item.reaction else "")
            for item in household.allergies()
            if item.allergen in allergens
        ]
    )
    return Warning(SAID["exposure"].format(known=known, number=number), Intent.ALLERGY)


def _reading(text: str, number: str) -> Warning | None:
    """Warn of a value that is told, if it is in a dangerous range."""
    text = _HUNDREDS.sub("", text)
    for name, pattern, low, high in RANGES:
        match = pattern.search(text)
        if match is None or not (_TOLD.search(text) or match[2]):
            continue
        if not low <= float(match[1]) < high or float(match[2] or 0) >= _DIASTOLIC:
            return _out_of_range(name, number)
    bare = _BARE_PRESSURE.search(text)
    if bare and (not 90 <= float(bare[1]) < 180 or float(bare[2]) >= _DIASTOLIC):
        return _out_of_range("blood pressure", number)
    return None


def _out_of_range(name: str, number: str) -> Warning:
    known = f"{spoken.article(name).capitalize()} {name}"
    return Warning(SAID["reading"].format(known=known, number=number), Intent.HEALTH_DATA)
