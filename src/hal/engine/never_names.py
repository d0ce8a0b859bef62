"""Words of the general vocabulary, which are never the name of a record.

A question with one of them left over is asked back rather than told that such a thing is not on record.
"""

from __future__ import annotations

_FUNCTION_WORDS = """
    em them they themselves him himself her hers herself she he it its itself i me myself you your yours
    yourself we us our ours ourselves this that these those there here who whom whose which what when
    where why how a an the of to at in on for with by from into onto upon about above across after
    against along among around before behind below beneath beside besides between beyond despite down
    during except inside like near off out outside past per since through throughout till toward towards
    under until up via within without amid versus ahead apart aside away forth forward forwards
    backward backwards together alone and or nor but so yet as than then if unless whether because
    although though while whereas either neither both all any some none each every much many few several
    most more less least enough such same other another else own only just even also too very quite
    rather almost nearly hardly barely not never no ever always often sometimes usually rarely seldom
    again altogether once twice already still soon now later today tomorrow yesterday anymore whatever
    whichever
    whoever whenever wherever however somehow anyhow anyway somewhere anywhere everywhere nowhere
    something anything nothing everything someone anyone everyone nobody somebody anybody everybody is
    am are was were be been being isnt arent do does did done has have had having can could will would
    shall should may might must ought okay ok yes yeah nope hey oh um uh well please thanks bye hello hi
    maybe perhaps probably possibly instead otherwise therefore thus hence meanwhile moreover
"""
_VERBS = """
    accept accepted add added agree agreed allow allowed allows answer answered appear appeared argue
    arrive arrived ask asked assume beat become became begin began begun believe believed belong blame
    bother bothered break broke broken bring brought brings bugs build built burned call called calls
    care cares carry carried catch caught change changed check checked choose chose chosen claim claimed
    clean cleaned clear climb climbed close closed collect come came compare compared complain confuse
    confused consider contain continue cook cooked count counted cover covered cross cut deal dealt
    decide decided deliver delivered depend describe deserve die died disappear discuss do draw drew
    drawn dream dreamed drink drank drive drove driven drop dropped eat ate eaten end ended enjoy
    enjoyed expect expected explain fail failed fall fell fallen feel feels felt fight figure figured
    fill filled find found finish finished fit fix fixed flew flown follow followed forget forgot
    forgotten gain gained get gets got gotten give gave given go goes gone went grab grabbed grow grew
    grown guess handle hang happen happened hate hated hear heard help helped hide hit hits hold held
    hope hoped hurt imagine improve improved include included increase join joined jump jumped keep kept
    keeps kick kill knock knocked know knew known land last lasted laugh laughed lay lead learn learned
    leave left lend lent let lie lift light like liked list listed listen live lived log logged look
    looked looks lose lost love loved lower lowered make made makes manage managed mark matter mean
    means meant measure meet met mention mind miss missed mow move moved need needed needs notice
    noticed offer offered open opened order ordered owe owed own owned pass passed pay paid pick picked
    plan planned play played point pop popped prefer prepare promise prove pull pulled push put puts
    quit raise raised ran reach reached react read realize recall receive received recommend reduce
    refuse remain remember remind reminded remove removed repeat replace replied report require rest
    return returned ring rise rose risen run runs rush save saved say says said schedule see saw seen
    seem seemed seems sell sold send sent serve set settle shake share shoot show showed shown shut sit
    sat skip skipped slow smile sound speak spoke spoken spend spent stack stand stood start started
    stay stayed steal stick stole stop stopped stuck study suffer suggest suppose supposed swallow
    swallowed swear switch take takes taken took talk talked teach tell tells told tested thank thought
    think thinks throw threw thrown tie touch touched track treat tried try tries trust turn turned
    understand understood use used visit visited wait waited wake walked want wanted wants warn watched
    wear wore weigh weighed win won wish wonder wondered work worked worry worried write wrote written
    yell drops dropping headed charged owing stands
"""
_OTHERS = """
    back able afraid alive alright angry available aware awful awfully bad badly beautiful best better big
    bigger biggest bottom brief bright busy certain cheap clear close cold common complete confused
    correct crazy curious dangerous dark dead deep different difficult easy empty entire exact exactly
    extra fair familiar fancy far fast favorite fine first final free fresh full funny general glad good
    great happy hard healthy heavy high higher highest honest honestly huge hungry important impossible
    kind large largest last late lately latest little long longer lousy low lower lowest lucky mad main
    major middle mild mildly moderate near necessary nervous new newest nice normal obvious odd old
    older oldest outright perfect plain poor possible pretty previous proper quick quickly quiet ready
    real really recent recently regular rich right safe scared separate serious severe sharp short shy
    sick silly similar simple single slow slower slowly small smaller smallest smart soft sorry special
    strange strong stupid sudden suddenly sure terrible tiny tired top total tough typical unknown upset
    usual usually weak weird whole wide wild wonderful worse worst wrong young actually basically
    currently definitely entirely especially eventually finally frankly generally hopefully immediately
    literally mainly mostly obviously overall particularly practically previously properly seriously
    simply specifically supposedly totally truly idea ideas thing things stuff way ways kinds sort sorts
    lot lots bit bunch bunches couple pair rest part parts piece pieces side sides end ends reason
    reasons fact facts case cases point points sense trouble problem problems question questions answer
    answers word words name names number numbers person people guy guys lady man woman men women folks
    everyone kid kids family place places spot spots area areas time times moment while week weeks month
    months year years day days hour hours minute minutes second seconds date dates frequency indication
    comparison account accounts discontinuation intolerant bill bills check checks receipt statement
    paper papers form forms list lists chart charts file files phone address email street town city
    state country world house home office job fault hand hands head wonder feeling feelings sake luck
    truth matter mistake accident surprise
"""
# What says how much, in which order, when, whose or of which colour, and what belongs to any record.
_NARROWING = """
    two three four five six seven eight nine ten first second third fourth fifth half double next lot
    best worst better worse common typical main different extra new over average maximum minimum max min
    usual regular normal current final little big small weekly monthly overdue online early late exactly
    afternoon night white blue pink yellow red green round shape network sore ride park parking mom mum dad
    mother father wife husband sister brother orders prescribed asks sends recommended suggested advised
    mentioned promised card food water pharmacy cost price
"""
_FORMS = (
    r"some(?:one|body)|any(?:one|body)|every(?:one|body)|[a-z]|colou?rs?|owes?|copays?|hurts?|aches?|gives?"
    r"|sons?|daughters?|grand\w+|letters?|receipts?|notices?|\d+(?:st|nd|rd|th)?|others?|meals?"
    r"|specialists?|\w+est"
)
# Doing something is no name, but for what is taken or paid for: "for itching", "on plumbing".
_ING = (
    r"\w+ing(?<!clothing)(?<!plumbing)(?<!parking)(?<!bowling)(?<!fishing)(?<!itching)(?<!wheezing)"
    r"(?<!swelling)(?<!sneezing)(?<!coughing)(?<!building)(?<!painting)(?<!gardening)(?<!cleaning)"
    r"(?<!training)(?<!counseling)(?<!camping)(?<!housing)(?<!heating)(?<!catering)(?<!dry cleaning)"
    r"(?<!bedding)(?<!roofing)(?<!wedding)(?<!ring)(?<!landscaping)(?<!gambling)(?<!flooring)(?<!knitting)"
    r"(?<!sewing)(?<!golfing)(?<!skiing)(?<!hearing)"
)
_COMMON = "|".join(sorted(set(_OTHERS.split())))
# None of these stands in a name, and a name is not made of common words alone: "Old Navy" may be one.
_NEVER = "|".join(sorted({*_FUNCTION_WORDS.split(), *_VERBS.split(), *_NARROWING.split()}))
NEVER = rf"\b(?:{_NEVER}|{_FORMS}|{_ING})\b"
ALONE = rf"^(?!$)(?:{_COMMON})(?: (?:{_COMMON}))*$"
