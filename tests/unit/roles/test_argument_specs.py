"""The roles' specifications say what their defaults and tasks do."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).parents[3]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
STAGES = {"main", "preflight", "install", "configure", "service"}
# What a role does besides: downloads on the controller, models, a machine instead of a host, removal.
FURTHER_STAGES = {
    "artifacts": {"downloads", "fetch"},
    "backup": {"restore"},
    "base": {"reconnect"},
    "backup_server": {"release"},
    "client": {"launch_agent"},
    "gpu_driver": {"choose"},
    "internal_tls": {"absent"},
    "keepalived": {"absent"},
    "ollama": {"models"},
    "proxmox_host": {"api", "backup", "firewall", "passthrough", "secret", "templates"},
    "proxmox_vm": {"plan", "forget", "provision", "reach"},
    "python_service": {"absent"},
}

_spec = importlib.util.spec_from_file_location("role_readme", ROOT / "docs" / "role_readme.py")
assert _spec is not None and _spec.loader is not None
role_readme = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(role_readme)


@pytest.fixture(params=ROLES, ids=lambda role: role.name)
def role(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def options(role: Path) -> dict[str, Any]:
    return role_readme.specification(role)["options"]


@pytest.fixture
def defaults(role: Path) -> dict[str, Any]:
    return yaml.safe_load((role / "defaults" / "main.yml").read_text())


def nested(options: dict[str, Any], parent: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Return every option by its path, with the options inside it."""
    found = []
    for name, option in options.items():
        found.append((parent + name, option))
        found += nested(option.get("options", {}), f"{parent}{name}.")
    return found


def errors(options: dict[str, Any], variables: dict[str, Any]) -> list[str]:
    """Return what Ansible says of variables when a role begins."""
    validator = ArgumentSpecValidator(options)
    return validator.validate(variables, validate_role_argument_spec=True).error_messages


def test_variables_are_described_in_the_specification_alone(role):
    lines = (role / "defaults" / "main.yml").read_text().splitlines()
    assert [line for line in lines if re.search(r"(^|\s)#", line)] == []


@pytest.mark.parametrize(
    ("marked", "markdown"),
    [
        ("C(/etc/hosts) and V(absent)", "`/etc/hosts` and `absent`"),
        ("C([Service]), C(date(1)) and C(a|b)", r"`[Service]`, `date(1)` and `a\|b`"),
        ("O(base_hosts) of M(ansible.builtin.copy)", "`base_hosts` of `ansible.builtin.copy`"),
        ("I(slanted) and B(strong)", "*slanted* and **strong**"),
        (
            "L(restic, https://restic.net) at U(https://restic.net)",
            "[restic](https://restic.net) at <https://restic.net>",
        ),
        ("Networks (CIDR) of GPU(s)", "Networks (CIDR) of GPU(s)"),
    ],
)
def test_a_readme_has_the_markup_of_the_specification(marked, markdown):
    assert role_readme.prose(marked) == markdown


def test_specification_and_defaults_have_the_same_variables(options, defaults):
    assert list(options) == list(defaults)


def test_specification_and_defaults_have_the_same_values(options, defaults):
    specified = {name: option["default"] for name, option in options.items() if not option.get("required")}
    assert specified == {name: defaults[name] for name in specified}


def test_a_required_variable_has_no_value_of_its_own(options, defaults):
    given = [name for name, option in options.items() if option.get("required") and defaults[name]]
    assert given == []
    assert [name for name, option in nested(options) if option.get("required") and "default" in option] == []


def test_variables_begin_with_the_name_of_the_role(role, options):
    assert [name for name in options if not name.startswith(f"{role.name}_")] == []


def test_everything_is_described_and_typed(role, options):
    main = role_readme.specification(role)
    assert main["short_description"].strip() and all(line.strip() for line in main["description"])
    assert [name for name, option in nested(options) if not option.get("description", "").strip()] == []
    assert [name for name, option in nested(options) if "type" not in option] == []
    lists = [(name, option) for name, option in nested(options) if option["type"] == "list"]
    assert [name for name, option in lists if "elements" not in option] == []


def test_defaults_satisfy_the_specification(options, defaults):
    """What only a person can fill in is left out; all else must be of its type."""
    optional = {name: option for name, option in options.items() if not option.get("required")}
    assert errors(optional, {name: defaults[name] for name in optional}) == []


def test_the_example_is_complete_and_valid(role, options):
    example = yaml.safe_load(role_readme.specification(role)["examples"])
    assert errors(options, example) == []


def test_the_specification_refuses_an_unknown_variable(role, options):
    example = yaml.safe_load(role_readme.specification(role)["examples"])
    assert errors(options, example | {f"{role.name}_unknown": 1}) != []


def stages(role: Path) -> set[str]:
    """Return the task files of a role; those for Windows have a folder of their own."""
    return {path.stem for path in (role / "tasks").iterdir() if path.is_file()}


def test_tasks_are_split_into_the_known_stages(role):
    files = stages(role)
    assert {"main", "preflight"} <= files
    assert files <= STAGES | FURTHER_STAGES.get(role.name, set())


def test_main_includes_every_stage(role):
    main = yaml.safe_load((role / "tasks" / "main.yml").read_text())
    tasks = [inner for task in main for inner in task.get("block", [task])]
    kinds = ("ansible.builtin.include_tasks", "ansible.builtin.import_tasks")
    included = {Path(task[kind]).stem for task in tasks for kind in kinds if kind in task}
    assert included | {"main"} == stages(role)


def test_metadata_names_the_supported_systems(role):
    meta = yaml.safe_load((role / "meta" / "main.yml").read_text())
    assert meta["dependencies"] == []
    systems = {platform["name"] for platform in meta["galaxy_info"]["platforms"]}
    assert "Debian" in systems
    assert systems <= {"Debian", "Ubuntu", "MacOSX", "Windows"}
    assert meta["galaxy_info"]["description"] == role_readme.specification(role)["short_description"]


def test_readme_is_what_the_generator_makes(role):
    assert (role / "README.md").read_text() == role_readme.readme(role)
