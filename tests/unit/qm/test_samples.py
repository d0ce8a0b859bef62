"""The sample records and the layout of the QM files are those of the engine's sample household."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
QM = ROOT / "qm"


def _writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_samples", QM / "write_samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WRITER = _writer()
WRITTEN = {"HAL.SAMPLES": WRITER.samples(), "HAL.LAYOUT": WRITER.layouts()}


@pytest.mark.parametrize("directory", sorted(WRITTEN))
def test_the_items_are_what_the_engine_says(directory: str) -> None:
    present = {path.name: path.read_text(encoding="ascii") for path in (QM / directory).iterdir()}
    assert present == WRITTEN[directory], "run: python qm/write_samples.py"


def test_every_record_and_column_is_there() -> None:
    household = json.loads((ROOT / "src/hal/engine/household.json").read_text(encoding="utf-8"))
    for name, records in WRITTEN["HAL.SAMPLES"].items():
        table = household[WRITER.TABLES.get(name, name.lower())]
        lines = [line.split("\t") for line in records.splitlines()]
        assert len(lines) == len(table["rows"])
        assert {len(line) for line in lines} == {1 + len(table["columns"])}


def test_the_households_own_fields_keep_their_numbers() -> None:
    """Fields that the programs in use have always had."""
    wanted = {
        "MEDICATION": {"NAME": "2", "DOSAGE": "5", "FREQUENCY": "7", "STATUS": "11"},
        "APPOINTMENT": {"DATE": "4", "TIME": "5"},
        "ALLERGY": {"ALLERGEN": "2", "SEVERITY": "4"},
    }
    for name, fields in wanted.items():
        numbers = dict(line.split("\t")[:2] for line in WRITTEN["HAL.LAYOUT"][name].splitlines())
        assert fields.items() <= numbers.items()
