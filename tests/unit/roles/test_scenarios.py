"""Every role has a Molecule scenario that asserts something, and that breaks what the role set up."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
MOLECULE = ROOT / "molecule"
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
SCENARIOS = sorted(path.parent.name for path in MOLECULE.glob("*/molecule.yml"))
SEQUENCE = "prepare check converge idempotence side_effect converge verify"

scenarios = pytest.mark.parametrize("scenario", SCENARIOS)


def modules(scenario: str) -> list[ast.Module]:
    """Return the scenario's test modules, parsed."""
    return [ast.parse(path.read_text()) for path in sorted((MOLECULE / scenario / "tests").glob("test_*.py"))]


def called(node: ast.AST) -> set[str]:
    """Return the functions and methods that are called in a node, as they are written."""
    return {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}


def asserts(node: ast.AST) -> bool:
    """Return whether there is an assertion in a node."""
    return any(isinstance(inner, ast.Assert) for inner in ast.walk(node))


def test_each_role_has_a_scenario_and_each_scenario_a_role():
    applied = {name: yaml.safe_load((MOLECULE / name / "vars.yml").read_text()) for name in SCENARIOS}
    assert set(ROLES) <= set(SCENARIOS)
    assert [name for name in SCENARIOS if applied[name].get("scenario_role", name) not in ROLES] == []


def test_the_sequence_checks_breaks_and_repairs():
    base = yaml.safe_load((ROOT / ".config/molecule/config.yml").read_text())
    assert base["scenario"]["test_sequence"] == SEQUENCE.split()


@scenarios
def test_no_scenario_leaves_anything_out(scenario):
    own = yaml.safe_load((MOLECULE / scenario / "molecule.yml").read_text()) or {}
    assert own.keys() & {"scenario", "verifier"} == set()
    assert yaml.safe_load((MOLECULE / scenario / "vars.yml").read_text())


@scenarios
def test_something_is_broken_refused_or_switched_off(scenario):
    tasks = yaml.safe_load((MOLECULE / scenario / "side_effect.yml").read_text())
    assert [task for task in tasks if "hosts" not in task] == tasks != []


@scenarios
def test_each_test_asserts_something(scenario):
    tests, idle = 0, []
    for module in modules(scenario):
        functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
        asserting = {name for name, node in functions.items() if asserts(node)}
        for name, node in functions.items():
            if name.startswith("test_"):
                tests += 1
                idle += [] if name in asserting or called(node) & asserting else [name]
    assert tests, f"molecule/{scenario}/tests has no test"
    assert idle == []


@scenarios
def test_who_asks_for_a_service_names_the_units_whose_journal_a_failure_shows(scenario):
    for module in modules(scenario):
        if "host.service" in called(module):
            assert "pytest.mark.units" in called(module)
