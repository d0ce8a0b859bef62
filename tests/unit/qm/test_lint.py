"""The lint of QM BASIC finds each thing that the dialects disagree on, and lets good programs be."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("qm_lint", ROOT / "tests" / "qm" / "lint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LINT = _load()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("X = 'don\\'t'", "not closed"),
        ("X = \\text\\", "backslash encloses"),
        ("LOCATE X IN LIST SETTING P ELSE NULL", "needs <1>"),
        ("OPEN 'F' TO F", "OPEN without"),
        ("X = JPARSE(Y)", "HAL.JSON.READ"),
        ("X = EREPLACE(Y, 'a', 'b')", "use CHANGE"),
        ("OSREAD X FROM 'f' ELSE X = ''", "OPENSEQ"),
        ("TRY", "HAL.WATCH"),
        ("X = SELECT.SOCKET(S)", "without blocking"),
        ("SELECT F WITH NAME = 'x'", "EXECUTE it"),
        ("$INCLUDE HAL.BP/KEYS.H", "without a slash"),
        ("S = CREATE.SERVER.SOCKET('', 8767, 0)", "needs an address"),
        ("D = READ.SOCKET(S, 100, 2, 0)", "SYSCOM KEYS.H"),
        ("N = WRITE.SOCKET(S, FOO(A, B), 1, 500)", "SYSCOM KEYS.H"),
        ("C = ACCEPT.SOCKET.CONNECTION(S, 0)", "for ever"),
        ("SLEEP 0.5", "use NAP"),
        ("P = INDEX(TEXT, 'x')", "third argument"),
        ("GOSUB NOWHERE", "no such label"),
    ],
)
def test_a_fault_is_found_where_it_is(line: str, said: str) -> None:
    found = LINT.lint(f"* A program.\n   {line}\nEND\n")
    assert [number for number, _ in found] == [2]
    assert said in found[0][1]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("IF X THEN\n   Y = 1\n", "not closed"),
        ("LOOP\nWHILE X DO\n   FOR I = 1 TO 2\nREPEAT\n", "REPEAT closes FOR of line 3"),
        ("BEGIN CASE\n   CASE X\nEND\n", "END closes BEGIN CASE of line 1"),
        ("NEXT I\n", "NEXT closes nothing"),
    ],
)
def test_blocks_that_do_not_match_are_found(program: str, said: str) -> None:
    assert any(said in fault for _, fault in LINT.lint(program))


@pytest.mark.parametrize(
    "line",
    [
        'X = "don\'t"',
        "LOCATE X IN LIST<1> BY 'AL' SETTING P ELSE NULL",
        "OPEN 'F' TO F ELSE STOP",
        "OPEN.IT = 1",
        "* JPARSE is not there; OPEN 'F' TO F neither",
        "HELP: * Nobody's remark",
        "X = 1 ;* SELECT F WITH, EREPLACE(",
        "X = 'JPARSE( SELECT WITH'",
        "D = READ.SOCKET(S, 100, SKT$NON.BLOCKING, 0)",
        "C = ACCEPT.SOCKET.CONNECTION(S, 1)",
        "P = INDEX(FIELD(A, ',', 1), 'x', 1)",
        "END.DAY = NEXT.DAY",
        "NAP 500",
    ],
)
def test_what_both_take_is_let_be(line: str) -> None:
    assert LINT.lint(f"   {line}\nEND\n") == []


def test_a_program_with_everything_in_its_place() -> None:
    program = (
        "FOR I = 1 TO 3\n   IF X THEN\n      GOSUB HELP\n   END ELSE\n      NULL\n   END\nNEXT I\n"
        "LOOP\nUNTIL X DO\nREPEAT\nBEGIN CASE\n   CASE 1 ; X = 1\nEND CASE\nRETURN\n\nHELP:\n   RETURN\nEND\n"
    )
    assert LINT.lint(program) == []


def test_the_projects_own_programs_are_clean() -> None:
    programs = sorted((ROOT / "qm" / "HAL.BP").iterdir())
    found = {path.name: LINT.lint(path.read_text(encoding="ascii")) for path in programs}
    assert {name: faults for name, faults in found.items() if faults} == {}
    assert len(programs) > 50
