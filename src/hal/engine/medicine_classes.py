"""Classes of medicines by the names that people give them, and which medicines belong to each.

The members are the common ones by their generic names, as the lists of MedlinePlus (National Library of
Medicine) group them. A class without a member on record is not proof that none is taken: see `settle`.
"""

from __future__ import annotations

import re

# How names of medicines end, and brands that people take without a prescription.
ENDINGS = r"\w+(?:mycin|cycline|floxacin|prazole|sartan|statin|olol|azepam|profen|phrine)"
BRANDS = r"tylenol|advil|aleve|motrin|sudafed|benadryl|nyquil|dayquil"

# How a class is called, as a regular expression over a normalised question, and its members' names.
CLASSES = {
    r"statins?": r"(?:atorva|fluva|lova|pitava|prava|rosuva|simva)statin",
    r"anti ?depressants?|ssris?|snris?": (
        r"sertraline|fluoxetine|citalopram|paroxetine|venlafaxine|duloxetine|bupropion|mirtazapine"
        r"|trazodone|amitriptyline|nortriptyline"
    ),
    r"anti ?histamines?": r"cetirizine|loratadine|fexofenadine|diphenhydramine|chlorpheniramine|hydroxyzine",
    r"ace inhibitors?": r"(?:lisino|enala|rami|benaze|capto|quina|fosino|perindo|trandola)pril",
    r"arbs?|angiotensin receptor blockers?": r"(?:lo|val|olme|irbe|cande|telmi|azil)sartan",
    r"beta ?blockers?": r"(?:metopro|ateno|bisopro|propra?no|nebivo|nado)lol|carvedilol|labetalol",
    r"calcium channel blockers?": r"amlodipine|nifedipine|felodipine|diltiazem|verapamil",
    r"blood thinners?|anti ?coagulants?": (
        r"warfarin|apixaban|rivaroxaban|dabigatran|edoxaban|heparin|enoxaparin|clopidogrel|prasugrel"
        r"|ticagrelor"
    ),
    r"diuretics?": (
        r"furosemide|hydrochlorothiazide|chlorthalidone|spironolactone|torsemide|bumetanide|indapamide"
        r"|triamterene|metolazone"
    ),
    r"antibiotics?": (
        r"\w+mycin|\w+cillin|\w+cycline|\w+floxacin|\bcef\w+|cephalexin|nitrofurantoin|metronidazole"
        r"|sulfamethoxazole|amoxicillin\w*"
    ),
    r"bronchodilators?": r"(?:albute|levalbute|salmete|formote)rol|tiotropium|ipratropium",
    r"proton pump inhibitors?|ppis?": r"(?:ome|esome|panto|lanso|rabe|dexlanso)prazole",
    r"steroids?|cortico ?steroids?": (
        r"\w*prednis\w+|\w*cortisone|fluticasone|budesonide|dexamethasone|mometasone|triamcinolone"
    ),
    r"opioids?|opiates?|narcotics?": r"\w*codone|\w*codeine|\w*morphine|\w*morphone|fentanyl|tramadol"
    r"|methadone",
    r"benzodiazepines?|benzos?|tranquili[sz]ers?": r"\w+azepam|\w+azolam|chlordiazepoxide",
    r"sleep aids?": r"zolpidem|eszopiclone|zaleplon|melatonin|doxylamine|temazepam|ramelteon|suvorexant",
    r"pain ?killers?|nsaids?|anti ?inflammator(?:y|ies)": (
        r"ibuprofen|naproxen|acetaminophen|paracetamol|aspirin|diclofenac|meloxicam|celecoxib|ketorolac"
        r"|tramadol|\w*codone|\w*codeine|\w*morphine"
    ),
    r"anti ?psychotics?": r"quetiapine|olanzapine|risperidone|aripiprazole|haloperidol|ziprasidone",
    r"muscle relax(?:er|ant)s?": r"cyclobenzaprine|methocarbamol|tizanidine|baclofen|carisoprodol",
    r"insulins?": r"insulin\w*",
    r"anti ?virals?": r"\w+ciclovir|oseltamivir",
}
MEMBERS_OF = tuple(
    (re.compile(rf"\b(?:{said})\b"), re.compile(rf"\b(?:{who})\b")) for said, who in CLASSES.items()
)
CLASS = re.compile(rf"\b(?:{'|'.join(CLASSES)})\b")
# "What is a statin" asks about the class, not about what is taken.
OF_THE_CLASS = (
    rf"^(?:what (?:is|are|do|does) (?:an? )?|(?:are|is an?) )(?:{'|'.join(CLASSES)})(?! (?:am|that|i)\b)"
)
