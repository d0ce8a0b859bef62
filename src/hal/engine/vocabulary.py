"""Which words of a question are understood within a subject; every other word is left over.

A word that could narrow or turn a question (over, except, not, average, before) is in no list here: it is
understood as a condition, a period or an exclusion, or not at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hal.engine.period_grammar import CONSUMED
from hal.protocol import Intent

_FUNCTION = """
    i me my mine myself herself himself we us our you your he she him her his they them their it its one ones
    am is are was were be been being do does did done doing has have had having can could will would
    shall should may might must a an the this that these those there here
    of to at in on for with by from as into about and or also too but then if so out up
    what which who whom whose when where why how any anything some something all every each both everything
    please just really actually currently now again still yet already ever right much many long
    tell show give list read name know see let find look check want like get got go gone went going
    remind think believe sure exactly total totals altogether thing things kind sort called
    record records recorded file hal yes well happen happens happened need needs needed make made
    come comes coming today recently lately correct true
    stuff overall company dear say says called
"""
_WORDS = {
    Intent.MEDICATION: r"""
        medic\w+ pills? tablets? capsules? prescri\w+ drugs? vitamins? supplements? inhalers? refill\w*
        refilled dos\w+ tak\w+ taken took interact\w* mix\w* combin\w+ together time times
        schedule\w* daily next due last due dates? day start\w* begin began since strength strong side
        effects? purpose for instructions? brand generic active old former\w* past previous\w*
        inactive longer anymore discontinued stop\w* used use using skip\w* double\w* renew\w* reorder
        running run runs low ran morning afternoon evening night bed bedtime breakfast lunch dinner supper
        noon tonight count number details? describe treat\w* left remaining supply number amount safe okay
        ok alright forget forgot forgotten missed another extra two too accident\w* mistake milligrams?
        instead current quit half work works doctor often first am on daily
        regular\w* wake eat\w* drink\w* with before after always upcoming soon
        symptom\w* condition help helps month moment gave newest longest mg mcg puffs? big
        total goes recently only called names?
        generic runs
        swallow\w* pop popping given hours? body problem illness disease supposed pick remain remains stay
        stays else same different new newer meant fetch quit sooner comes puff old paper list milligram write
        wrote micrograms? units allowed frequency indication
    """,
    Intent.APPOINTMENT: r"""
        appoint\w* calendar agenda visit\w* seeing see saw seen meet\w* doctors? dr check ups? checkups?
        next last previous upcoming soonest earliest latest time dates? day days weeks hours until till soon
        schedul\w* plan\w* booked free busy office building location located address place
        reason most recent past reschedule move book postpone morning afternoon evening
        supposed got number other left first follow exam\w* upcoming back visited happening times
        fast fasting details? clinic due final anywhere anyone anybody cancell?ed canceled single
        hours? begins? starts? place gone further often sees ahead away completed done finished attend
        attended new lady man woman person surname someone somebody
    """,
    Intent.ALLERGY: r"""
        allerg\w+ alerg\w+ react\w* reaction sensitiv\w+ intoleran\w+ eat eating drink touch foods? drugs?
        medic\w+ antibiotics? pills? avoid safe severity severe worst symptoms? hives anaphyla\w+
        environment\w* outdoor seasonal contain\w* wear ok okay take taking took happen
        number dangerous deadly bad
        serious life threatening allergens? use cause\w* gives makes trigger\w* swell\w*
        considered written strong things light body only number other others down
    """,
    Intent.HEALTH_DATA: r"""
        vitals? vital signs? health data readings? numbers? stats measur\w* level levels latest last
        current\w* recent highest lowest maximum max minimum min peak most least trend\w* chang\w+
        improv\w+ history progress\w* lost gained losing gaining lose gain track\w* rising falling gone
        went normal high low healthy good bad ok okay dangerous worr\w+ fine concern\w* time over better
        worse resting start\w* weigh\w* yesterday mean pounds? up down number doctor fasting rate
        first earliest starting beginning began start taken took checked
        rates looking look doing running getting been hit behaving itself
        down logged noted anybody anyone somebody someone
    """,
    Intent.TRANSACTION: r"""
        spend\w* spent transactions? purchas\w* expens\w+ payments? paid pay pays paying bought buy buying
        costing
        cost costs charg\w+ bills? money shop\w* stores? budget order\w* visit\w* trips? largest biggest
        expensive highest priciest smallest cheapest lowest last latest most recent balance account
        bank income earn\w* salary paycheck pension deposit\w* receive\w* where category categories break high
        down breakdown number times amount amounts often sum add dollars? cents? stuff items? down into
        anywhere tickets?
        cash withdraw\w* time checking savings left owe combined subscription price prices
        arrive\w* came went been gone single breakdown first much together
        eat ate eaten else people station whole entire company
        new anybody anyone somebody someone owed debts places shops merchants restaurants
        copay\w* top_\w+ peak_\w+ low_\w+ net_income
    """,
    Intent.PASSWORD: "",
    Intent.GENERAL: "",
}


def understood_words() -> dict[Intent, list[str]]:
    """Return the words that are understood within each subject, as regular expressions over whole words."""
    return {intent: [*_FUNCTION.split(), *words.split()] for intent, words in _WORDS.items()}


_UNDERSTOOD = {intent: re.compile("|".join(words)) for intent, words in understood_words().items()}
TIME_WORDS = re.compile(
    r"\b(?:mid|middle|end|beginning|\w+_\w+|\w+days|before|after|since|until|till|during|around|between"
    r"|while|weeks?|months?|years?|days?|weekends?"
    r"|hours?|quarters?|birthdays?|holidays?|easter|thanksgiving|ramadan|hanukkah|passover|lent|summer|winter"
    r"|spring|fall|autumn|anniversary|semester|century|decade|season|later|earlier|ago|vacation"
    r"|labor day|memorial day|mothers? day|fathers? day|lunchtime|whenever|eve|jan\w*|feb\w*)\b"
)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Neighbouring words of a question that nothing explains.

    Attributes:
        words: as they stand there.
        before: the last word before them that is no article or possessive, or "".
        owned: whether "my" or "our" stands before them.
    """

    words: str
    before: str
    owned: bool

    @property
    def is_time(self) -> bool:
        """Tell whether it says something about time."""
        return bool(TIME_WORDS.search(self.words))


def leftovers(rest: str, intent: Intent) -> list[Leftover]:
    """Return what is left over of a question.

    Arguments:
        rest: the question with `CONSUMED` where names, periods and conditions stood.
        intent: its subject.
    """
    understood = _UNDERSTOOD[intent]
    found: list[Leftover] = []
    words = rest.split()
    run: list[str] = []
    for index, word in enumerate([*words, CONSUMED]):
        if word != CONSUMED and not understood.fullmatch(word):
            run.append(word)
        elif run:
            earlier = words[: index - len(run)]
            owned = bool(earlier) and earlier[-1] in ("my", "our")
            while earlier and earlier[-1] in ("my", "our", "the", "a", "an", "any", "some", "this", "that"):
                earlier.pop()
            found.append(Leftover(" ".join(run), earlier[-1] if earlier else "", owned))
            run = []
    return found
