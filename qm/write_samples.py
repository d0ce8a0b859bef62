"""Write the sample records and the layout of the QM files: `python qm/write_samples.py`.

The records are those of the engine's sample household, one a line: key, then fields 2, 3, …, separated by
tabs. "@-3" is a day, counted from the day they are loaded on; "#08:00,18:00" are times. HAL.SAMPLE reads
them. The layout is one dictionary item a line: name, field, conversion, heading, format, and S (single) or
M (multivalued). HAL.SETUP reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOUSEHOLD = HERE.parent / "src/hal/engine/household.json"
DATE, TIME, MONEY = "D4-YMD", "MTS", "MD2"

# Field by field from 2 on: the dictionary item, its column in the sample household, conversion, format.
FIELDS: dict[str, list[tuple[str, str, str, str]]] = {
    "MEDICATION": [
        ("NAME", "name", "", "20L"),
        ("BRAND", "brand", "", "15L"),
        ("FORM", "form", "", "10L"),
        ("DOSAGE", "dosage", "", "10L"),
        ("INSTRUCTIONS", "instructions", "", "30T"),
        ("FREQUENCY", "frequency", "", "15L"),
        ("TIMES", "times", "MT", "6R"),
        ("PURPOSE", "purpose", "", "20T"),
        ("PRESCRIBER", "prescriber", "", "20T"),
        ("STATUS", "status", "", "8L"),
        ("START.DATE", "start_date", DATE, "10R"),
        ("END.DATE", "end_date", DATE, "10R"),
        ("REFILL.DATE", "refill_date", DATE, "10R"),
        ("REFILLS.LEFT", "refills_left", "", "3R"),
    ],
    "APPOINTMENT": [
        ("PROVIDER", "provider", "", "20T"),
        ("SPECIALTY", "specialty", "", "15T"),
        ("DATE", "date", DATE, "10R"),
        ("TIME", "time", "MT", "6R"),
        ("LOCATION", "location", "", "20T"),
        ("REASON", "reason", "", "20T"),
        ("STATUS", "status", "", "10L"),
    ],
    "ALLERGY": [
        ("ALLERGEN", "allergen", "", "15L"),
        ("CATEGORY", "category", "", "12L"),
        ("SEVERITY", "severity", "", "10L"),
        ("REACTION", "reaction", "", "25T"),
    ],
    "HEALTH_DATA": [
        ("METRIC", "metric", "", "15L"),
        ("VALUE", "value", "", "8R"),
        ("SECOND.VALUE", "second_value", "", "8R"),
        ("UNIT", "unit", "", "8L"),
        ("DATE", "date", DATE, "10R"),
        ("TIME", "time", "MT", "6R"),
    ],
    "TRANSACTION": [
        ("DATE", "date", DATE, "10R"),
        ("MERCHANT", "merchant", "", "25T"),
        ("CATEGORY", "category", "", "15L"),
        ("AMOUNT", "cents", MONEY, "12R"),
    ],
    "CONVERSATION": [
        ("DATE", "", DATE, "10R"),
        ("TIME", "", TIME, "8R"),
        ("SESSION", "", "", "12L"),
        ("CLIENT", "", "", "15L"),
        ("QUESTION", "", "", "40T"),
        ("INTENT", "", "", "12L"),
        ("ACTION", "", "", "25L"),
        ("STATUS", "", "", "8L"),
    ],
}
# The events' log begins with field 1.
EVENTS = [
    ("DATE", 1, DATE, "10R"),
    ("TIME", 2, TIME, "8R"),
    ("PROGRAM", 3, "", "18L"),
    ("EVENT", 4, "", "50T"),
]
TABLES = {"TRANSACTION": "transactions"}


def layouts() -> dict[str, str]:
    """Return the layout of every file by its name."""
    items = {
        name: [
            (field, number, conversion, form) for number, (field, _, conversion, form) in enumerate(fields, 2)
        ]
        for name, fields in FIELDS.items()
    }
    items["HAL.EVENTS"] = EVENTS
    return {
        name: "".join(
            "\t".join([field, str(number), conversion, field.replace(".", " "), form, _association(field)])
            + "\n"
            for field, number, conversion, form in fields
        )
        for name, fields in items.items()
    }


def _association(field: str) -> str:
    return "M" if field == "TIMES" else "S"


def samples() -> dict[str, str]:
    """Return the records of every file by its name."""
    household: dict[str, dict[str, Any]] = json.loads(HOUSEHOLD.read_text(encoding="utf-8"))
    written = {}
    for name, fields in FIELDS.items():
        table = household.get(TABLES.get(name, name.lower()))
        if table is not None:
            rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
            lines = [
                "\t".join(
                    [str(key), *(_field(row[column], conversion) for _, column, conversion, _ in fields)]
                )
                for key, row in enumerate(rows, 1)
            ]
            written[name] = "\n".join(lines) + "\n"
    return written


def _field(value: object, conversion: str) -> str:
    if value is None or value == "":
        return ""
    return {DATE: "@", "MT": "#"}.get(conversion, "") + str(value)


def main() -> None:
    """Write the items."""
    for directory, items in (("HAL.SAMPLES", samples()), ("HAL.LAYOUT", layouts())):
        for name, content in items.items():
            (HERE / directory / name).write_text(content, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
