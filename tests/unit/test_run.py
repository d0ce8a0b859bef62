"""What tests/run.py says at the end, and of a QM that it cannot use."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[1] / "run.py"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, whose reports go to a folder of the test."""
    spec = importlib.util.spec_from_file_location("hal_tests_run", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "REPORTS", tmp_path)
    return module


def stage_qm(program: Path) -> list[str]:
    """Run the stage `qm` with this program as QM; return the lines that were printed."""
    done = subprocess.run(
        [sys.executable, PROGRAM, "qm"],
        env=os.environ | {"QM_COMMAND": str(program)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_qm_that_is_not_installed_is_a_fault_if_it_was_asked_for(tmp_path: Path) -> None:
    lines = stage_qm(tmp_path / "qm")
    assert "The stage qm was not run: install OpenQM or ScarletDME; tests/qm/README.md tells how" in lines
    assert lines[-1] == "0 passed, 1 failed"


def test_a_qm_that_is_not_started_is_named_with_how_to_start_it(tmp_path: Path) -> None:
    program = tmp_path / "qm"
    program.write_text("#!/bin/sh\necho 'ScarletDME has not been started' >&2\nexit 1\n")
    program.chmod(0o755)
    lines = stage_qm(program)
    assert any(f"(ScarletDME has not been started): `{program} -start` as root" in line for line in lines)
    assert lines[-1] == "0 passed, 1 failed"


def test_the_slowest_tests_and_every_result_stand_at_the_end(
    run: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_some.py").write_text(
        "import time, pytest\n"
        "def test_fails(): assert False\n"
        "def test_waits(): time.sleep(0.3)\n"
        "def test_is_left_out(): pytest.skip('as asked')\n"
    )
    count = run.Count()
    assert not count.pytest("unit", "-o", f"cache_dir={tmp_path}/cache", str(tmp_path / "test_some.py"))
    count.side_by_side((sys.executable, "-c", "print('said')"), (sys.executable, "-c", "raise SystemExit(1)"))
    capfd.readouterr()
    count.print_all()
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "The slowest tests:" and lines[1].endswith("test_some.py::test_waits")
    told = lines[lines.index("What failed:") + 1 : -1]
    assert len(told) == 2
    assert "test_some.py::test_fails: assert False" in told[0]
    assert told[1].endswith("raise SystemExit(1): exit code 1")
    assert lines[-1] == "2 passed, 2 failed, 1 skipped"


# A single one fails at its first attempt alone, several fail always.
UNSTEADY = """
import pathlib, pytest
MARK = pathlib.Path(__file__).with_suffix(".mark")
@pytest.mark.parametrize("number", range(NUMBER))
def test_depends_on_luck(number):
    was_there = MARK.exists()
    if NUMBER == 1:
        MARK.touch()
    assert was_there, "unlucky"
def test_is_steady(): pass
def test_always_fails(): assert not ALWAYS
"""


@pytest.mark.parametrize(
    ("number", "always", "last", "told"),
    [
        (1, False, "3 passed, 0 failed, 1 of the passed at the second attempt", 1),
        (1, True, "2 passed, 1 failed, 1 of the passed at the second attempt", 1),
        (4, False, "2 passed, 4 failed", 0),
    ],
)
def test_a_few_that_fail_are_run_once_more_and_named(
    run: Any,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    number: int,
    always: bool,
    last: str,
    told: int,
) -> None:
    module = tmp_path / "test_luck.py"
    module.write_text(UNSTEADY.replace("NUMBER", str(number)).replace("ALWAYS", str(always)))
    count = run.Count()
    passed = count.pytest("unit", "-n", "2", "-o", f"cache_dir={tmp_path}/cache", str(module))
    assert passed == (number == 1 and not always)
    capfd.readouterr()
    count.print_all()
    lines = capfd.readouterr().out.splitlines()
    assert lines[-1] == last
    unlucky = [line for line in lines if "test_depends_on_luck" in line and "unlucky assert False" in line]
    assert len(unlucky) == number
    assert ("What failed at first and passed when it was run once more:" in lines) == bool(told)


@pytest.mark.parametrize(("goes_on", "passed"), [(True, True), (False, False)])
def test_a_command_that_goes_on_where_it_stopped_is_run_once_more(
    run: Any, tmp_path: Path, goes_on: bool, passed: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    mark = tmp_path / "mark"
    command = ("sh", "-c", f"test -e {mark} || {{ touch {mark}; exit 3; }}")
    count = run.Count()
    assert count.command(*command, goes_on=goes_on) == passed
    assert (count.passed, count.failed) == (int(passed), int(not passed))
    count.print_all()
    assert ("exit code 3" in capfd.readouterr().out) and bool(count.unsteady) == passed


@pytest.mark.parametrize(("minutes", "left_out"), [(10, ["drills", "pairs"]), (600, []), (None, [])])
def test_drills_are_left_out_on_a_machine_that_is_too_slow_for_all(
    run: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    minutes: float | None,
    left_out: list[str],
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(run.os, "environ", dict(run.os.environ))
    run.os.environ.pop("HAL_TESTS_END", None)
    if minutes is not None:
        run.os.environ["HAL_TESTS_END"] = str(time.time() + 60 * minutes)
    monkeypatch.setattr(run.Count, "command", lambda *_, **__: True)
    monkeypatch.setattr(run.Count, "pytest", lambda _, name, *__: asked.append(name))
    count = run.Count()
    run.lab(count)
    assert asked == ["e2e", *(name for name in ("drills", "pairs") if name not in left_out)]
    assert count.skipped == len(left_out)
    said = capfd.readouterr().out
    assert all(f"The stage {name} was not run: 10 min are left; `pytest tests" in said for name in left_out)


RESULTS = """
import json, pathlib
told = {"passed": ["base", "client"], "failed": ["gateway"], "left_out": ["speech"]}
pathlib.Path("reports").mkdir(exist_ok=True)
pathlib.Path("reports/molecule.json").write_text(json.dumps(told))
raise SystemExit(1)
"""


def test_every_scenario_counts_and_those_that_failed_are_named(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PROJECT", tmp_path)
    monkeypatch.setattr(run, "REPORTS", tmp_path / "reports")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/molecule.py").write_text(RESULTS)
    count = run.Count()
    run.molecule(count)
    assert (count.passed, count.failed, count.skipped) == (2, 1, 1)
    assert count.failures == ["molecule gateway: see reports/molecule-gateway.log"]
    (tmp_path / "tests/molecule.py").write_text("raise SystemExit(3)")
    run.molecule(count)
    assert count.failed == 2 and count.failures[1] == "python -m tests.molecule: exit code 3"
    none = RESULTS.replace('["base", "client"]', "[]").replace('["gateway"]', "[]")
    (tmp_path / "tests/molecule.py").write_text(none)
    run.molecule(count)
    assert count.failed == 3 and count.failures[2].startswith("molecule: there was no time for any scenario")


def test_everything_is_every_stage_of_make_test(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(run.Count, "side_by_side", lambda _, *commands: asked.extend(commands))
    run.downloads(run.Count())
    assert asked[0] == ("ansible-playbook", "molecule/shared/wheels.yml") and ("mypy",) in asked
    assert sorted([*run.EVERYTHING, "lint"]) == sorted(run.STAGES.keys() - {"check", "vm", "household"})
