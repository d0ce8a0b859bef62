"""How much the words of a question speak for each subject.

One rule a line: what it is worth, and the words, as a regular expression over whole words of the
normalised question. The evidence adds up, a rule counts once.
"""

from __future__ import annotations

from hal.engine.medicine_classes import BRANDS, CLASS, ENDINGS
from hal.engine.rules import weighed
from hal.protocol import Intent

# What is taken may be the rubbish, a picture or the bus.
_TAKE_MEDICINE = (
    r"(?! (?:out|off|an?|place|care|over|part|the (?!medic|pill|tablet|vitamin)|\w+ (?:out|off))\b)"
)

EVIDENCE = {
    Intent.PASSWORD: weighed(
        r"""
        10 pass ?words?|pass ?codes?|pass ?phrases?|credentials?|log ?ins?|log ?on|pin(?: number| code)?|pins
        10 (?:wi ?fi|wireless|door|gate|alarm|safe|garage|security|bank|access|lock) ?(?:code|key|pin)s?
        10 (?:combination|code|key) (?:to|for|of) (?:the|my|our) \w+|social security number|card number|cvv
        """
    ),
    Intent.MEDICATION: weighed(
        r"""
        4 medic(?:ation|ine|ament)s?|pills?|tablets?|prescriptions?|drugs?|vitamins?|supplements?|inhalers?
        3 pepto|imodium|keflex|cipro|cephalexin|ceftin|cefdinir|naproxen|ibuprofen
        3 acetaminophen|antihistamines?|decongestants?|antacids?
        4 how much (?!money|cash|time|weight|of|longer|more|gas)\w+ (?:do|does|did|should) (?:i|she|he) take
        4 what (?:i|she|he|we) (?:must|should|have to|need to) (?:\w+ )?take
        4 refill\w*|re fill|dos(?:e|es|age|ages|ing)|prescri\w+|pharmac(?:y|ist)
        4 (?:allergy|blood pressure|heart|diabetes|cholesterol|thyroid) (?:medic\w+|pills?|tablets?|drugs?)
        2 on an empty stomach|with food|with meals?|without food|as needed|(?:once|twice|times) (?:a|per) day
        2 (?:have|got) (?:anything|something) for (?:my|the|her)
        7 (?:have|got|take|on) (?:anything|something) for (?:my |the |her |his )?allerg\w+
        3 how (?:many|much) (?:milligrams?|micrograms?|mg|mcg|puffs?)|(?:was|were|been) (?:\w+ )?given
        4 running (?:low|out)(?: on| of)? (?:anything|something|any)|run out of (?:anything|something|any)
        4 (?:anything|something) (?:is )?running (?:low|out)
        3 prescribed?|prescribes
        3 taking|interact\w*
        """
        rf"""
        3 {ENDINGS}|\w+(?:oxacin|cetamol)
        3 {BRANDS}|mucinex|robitussin
        4 {CLASS.pattern[2:]}
        2 (?:take|taken|took){_TAKE_MEDICINE}|side effects?|renew\w*|running (?:low|out)|run out
        2 (?:can|could|may|should|what do|when do|what did|did|have) i (?:\w+ )?(?:take|taken){_TAKE_MEDICINE}
        """
        r"""
        2 (?:can|could|may|should) i (?:\w+ )?(?:stop|skip|double)|what (?:else )?to take|take too much
        4 (?:start|started) (?:taking )?(?:anything|something|any) (?:new|in|last|this|since)
        3 how (?:do|should|must|am) i (?:supposed to )?(?:take|use) (?:it|them|this|that|my \w+)$
        2 (?:do|should|must) i (?:need to |have to )?take (?:anything|something|at|in the|before|with)
        """
    ),
    Intent.APPOINTMENT: weighed(
        r"""
        5 appoint\w*|calendar|agenda
        4 check ?ups?|follow ?ups?|(?:doctor|hospital|clinic)s? visits?|next visit|visits?
        3 (?:see|seeing|saw|visit|visiting|meet|meeting)(?: with)?(?: \w+){0,2} (?:doctor|dentist|specialist)
        3 who (?:am i|are we) (?:seeing|meeting)|(?:what|which|how many) doctors?
        3 anything (?:this|today|tomorrow|tonight)
        3 schedule(?:$| (?:for|this|next|on)\b)
        3 (?:anything|something|nothing) (?:is |i have )?(?:booked|scheduled|planned)|booked with
        3 am i (?:free|busy|booked)|do (?:i|we) have (?:anything|something|plans)
        3 (?:anything|what is) (?:planned|scheduled|on)|(?:my|our|the) (?:schedule|plans)|scheduled
        2 doctors?|see (?:my|the)|go to
        """
    ),
    Intent.ALLERGY: weighed(
        r"""
        6 allerg\w*|alerg\w*
        3 (?:can|could|may|should) (?:i|she|he) (?:eat|have|touch|wear|drink)
        3 safe (?:for me )?to eat|anaphyla\w+|hives
        4 can not i eat|i can not eat|(?:can i|should i|must i) not eat|(?:foods?|should i) (?:\w+ ){0,2}avoid
        4 avoid\w*
        2 sever\w+|serious\w*
        2 react\w*|sensitiv\w+|intoleran\w+|eat|contains?
        2 (?:gives?|causes?|makes?|triggers?) (?:me|my)
        """
        rf"""
        4 allerg\w+ to (?:\w+ ){{0,2}}{CLASS.pattern[2:]}|{CLASS.pattern[2:]} (?:\w+ ){{0,3}}allergic
        """
    ),
    Intent.HEALTH_DATA: weighed(
        r"""
        5 vitals?|vital signs|my health|health (?:data|readings?|numbers|stats|measurements)|measurements
        3 my (?:last |latest |recent )?(?:readings?|numbers)
        2 readings?|measured|trend\w*|numbers|level|over time
        """
    ),
    Intent.TRANSACTION: weighed(
        r"""
        6 spend\w*|spent|transactions?|purchas\w*|expens\w+|payments?
        4 bought|buy|paid|pay|paycheck|salary|pension|income|earn\w*|deposit\w*|charge[ds]?|bills?
        4 balance|withdraw\w*|cash|(?:top|peak|low|net)_\w+|owe|owed
        3 costs?|costing|money|bank|account|credit card|debit|shop\w*|stores?|restaurants|budget
        4 how much (?:money )?(?:this|last|so far|since) (?:week|month|year|\w+)
        3 \d+(?:\.\d+)?(?:_\d+(?:\.\d+)?)? dollars|totals?(?:$| (?:for|in|this|last|since|of|minus|leaving)\b)
        4 how much (?:did|do|have) (?:i|we) (?:make|made|bring in)
        4 average (?:amount|purchase|bill)|(?:come|came|comes) in(?: yet)?(?:$| (?:this|in|on|yet)\b)
        4 charging me|copay\w*
        5 pharmacy (?:totals?|bills?|spending|costs?|charges?)|at (?:the )?pharmacy (?:in|for|this|last)
        4 how much (?:came|comes|is coming|has come) in
        4 how much (?:went|goes) on|how much (?:at|on)|money (?:came|comes|come|coming) in
        3 when (?:was|were) (?:i|we|she|he) last at(?! (?:the |my )?(?:doctor|hospital|clinic|lab|\w+ist)\b)
        2 how many times|(?:did|have) (?:i|we) (?:\w+ )?(?:go|gone|been|visit|visited|order|ordered)|trips?
        """
    ),
}
