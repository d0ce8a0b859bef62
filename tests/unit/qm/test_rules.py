"""The rules of the QM programs are those of the engine, and the programs can read them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from hal.protocol import MAX_QUESTION_CHARACTERS

QM = Path(__file__).parents[3] / "qm"
# What HAL.COMPILE reads; lookbehind only of letters, each by itself.
_READABLE = re.compile(
    r"(?:\\[wdb. &-]|\(\?:|\(\?!|\(\?=|\(\?<[!=](?:\\[wd]|[a-z0-9 ])+\)|\[[a-z0-9-]+\]|\{\d*,?\d*\}\??"
    r"|[a-z0-9_&\- ()|?*+.^$])*"
)


def _writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_rules", QM / "write_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ITEMS: dict[str, str] = _writer().items()
WORDS = {
    "WORDS",
    "UNSPACED",
    "SPECIALISTS",
    "UNITS",
    "SENTENCES",
    "UNDERSTOOD",
    "LETTERS",
    "ABBREVIATED",
    "ORDINALS",
}


def test_no_item_is_left_over() -> None:
    assert {path.name for path in (QM / "HAL.RULES").iterdir()} == set(ITEMS)


@pytest.mark.parametrize("name", sorted(ITEMS))
def test_an_item_is_what_the_engine_says(name: str) -> None:
    written = (QM / "HAL.RULES" / name).read_text(encoding="ascii")
    assert written == ITEMS[name], "run: python qm/write_rules.py"


@pytest.mark.parametrize("name", sorted(set(ITEMS) - WORDS))
def test_patterns_are_of_the_kind_that_the_programs_read(name: str) -> None:
    for line in ITEMS[name].splitlines():
        pattern = line.split(" = ", 1)[1]
        assert _READABLE.fullmatch(pattern), line


def test_a_question_may_be_as_long_as_the_protocol_says() -> None:
    included = (QM / "HAL.BP/HAL.QUESTION.H").read_text(encoding="ascii")
    assert f"EQU MAX.ASKED TO {MAX_QUESTION_CHARACTERS} " in included


def test_the_patterns_that_the_programs_name_are_among_the_rules() -> None:
    written = {line.split(" = ", 1)[0] for line in ITEMS["PATTERNS"].splitlines()}
    called = re.compile(r"HAL\.(?:HAS\([^')]*(?:\([^)]*\))?, |MATCH\(|REPLACE\()'([A-Z.]+)'")
    named = {
        name
        for path in (QM / "HAL.BP").iterdir()
        for name in called.findall(path.read_text(encoding="ascii"))
    }
    assert named
    assert named <= written


def test_no_program_has_the_name_of_a_file() -> None:
    assert not (QM / "HAL.BP" / "HAL.RULES").exists()
