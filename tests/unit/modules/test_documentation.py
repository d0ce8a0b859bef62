"""What each module says about itself holds: documentation, argument specification, examples, results."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring
from tests.conftest import load_module

ROOT = Path(__file__).parents[3]
MODULES = sorted((ROOT / "library").glob("*.py"))
TASK_KEYWORDS = {"name", "register", "delegate_to", "loop", "loop_control", "when", "become", "no_log"}
TASK_KEYWORDS |= {"until", "retries", "delay"}
TYPES = {"str", "int", "float", "bool", "list", "dict", "path", "raw"}


@pytest.fixture(scope="module", params=MODULES, ids=lambda path: path.stem)
def module(request: pytest.FixtureRequest) -> ModuleType:
    """A module of the project, imported."""
    spec = importlib.util.spec_from_file_location(f"documented_{request.param.stem}", request.param)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def documented(module: ModuleType) -> tuple[dict[str, Any], dict[str, Any]]:
    """Documentation and results as `ansible-doc` has them, with what several modules share."""
    fragment_loader.add_directory(str(ROOT / "doc_fragments"))
    documentation, _, results, _ = get_docstring(module.__file__, fragment_loader, is_module=True)
    assert isinstance(documentation, dict) and isinstance(results, dict)
    return documentation, results


@pytest.fixture(scope="module")
def documentation(documented: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return documented[0]


@pytest.fixture(scope="module")
def specification(module: ModuleType) -> dict[str, Any]:
    """The options as they are enforced: by the module, or by the action of its name."""
    name = module.__name__.removeprefix("documented_")
    enforcing = module if hasattr(module, "ARGUMENT_SPEC") else load_module(name, "action_plugins")
    specified: dict[str, Any] = enforcing.ARGUMENT_SPEC
    return specified


def normal(value: Any) -> Any:
    """Make numbers and their texts, as YAML may write them, comparable."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def options_of(options: dict[str, Any], suboptions: str) -> dict[str, Any]:
    """Reduce documented or specified options to what both must agree on."""
    return {
        name: {
            "type": option.get("type", "str"),
            "elements": option.get("elements"),
            "required": option.get("required", False),
            "default": normal(option.get("default")),
            "choices": option.get("choices"),
            "aliases": option.get("aliases", []),
            "options": options_of(option.get(suboptions) or {}, suboptions),
        }
        for name, option in options.items()
    }


def unknown_options(given: Any, options: dict[str, Any], where: str) -> list[str]:
    """Name the keys of an example that the module does not have, and the required ones that it misses."""
    faults = [f"{where}{name} is unknown" for name in given.keys() - options.keys()]
    for name, option in options.items():
        if name not in given:
            faults += [f"{where}{name} is missing"] if option.get("required") else []
            continue
        values = given[name] if isinstance(given[name], list) else [given[name]]
        for value in values:
            if option.get("options") and isinstance(value, dict):
                faults += unknown_options(value, option["options"], f"{where}{name}.")
    return faults


def test_documentation_has_every_part(module: ModuleType, documentation: dict[str, Any]) -> None:
    assert documentation["module"] == module.__name__.removeprefix("documented_")
    assert documentation["short_description"]
    assert documentation["description"]
    assert documentation["attributes"]["check_mode"]["support"] in ("full", "partial", "none")
    assert documentation["attributes"]["diff_mode"]["support"] in ("full", "partial", "none")


def test_options_match_the_argument_specification(
    specification: dict[str, Any], documentation: dict[str, Any]
) -> None:
    documented = options_of(documentation["options"], "suboptions")
    assert documented == options_of(specification, "options")


def test_every_option_is_described(documentation: dict[str, Any]) -> None:
    def undescribed(options: dict[str, Any]) -> list[str]:
        nested = [name for option in options.values() for name in undescribed(option.get("suboptions") or {})]
        return nested + [name for name, option in options.items() if not option.get("description")]

    assert undescribed(documentation["options"]) == []


def test_examples_use_options_that_exist(
    module: ModuleType, specification: dict[str, Any], documentation: dict[str, Any]
) -> None:
    examples = yaml.safe_load(module.EXAMPLES)
    assert examples
    for task in examples:
        assert task["name"]
        assert task.keys() - TASK_KEYWORDS == {documentation["module"]}
        given = task[documentation["module"]]
        assert unknown_options(given, specification, "") == []


def test_results_are_described(documented: tuple[dict[str, Any], dict[str, Any]]) -> None:
    results = documented[1]
    assert results
    for name, result in results.items():
        assert result["description"], name
        assert result["returned"], name
        assert result["type"] in TYPES, name
