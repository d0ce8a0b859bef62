"""Variables that had another name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hal.network.renamed import RENAMED, renamed_variables

ROOT = Path(__file__).resolve().parents[3]
READ = [
    file
    for place in ("playbooks", "roles", "inventories", "molecule", "tests/windows/inventory")
    for file in (ROOT / place).rglob("*")
    if file.suffix in {".yml", ".j2"} and file.is_file()
]
PLAYBOOKS = [ROOT / "site.yml", *sorted((ROOT / "playbooks").glob("*.yml"))]


def plays_before_the_names_are_checked(playbook: Path) -> tuple[list[str], bool]:
    """Return the hosts of a playbook's first plays, and whether the check of the names follows them."""
    hosts: list[str] = []
    for play in yaml.safe_load(playbook.read_text()):
        if "import_playbook" in play:
            imported = playbook.parent / play["import_playbook"]
            if imported.name == "names.yml":
                return hosts, True
            before, checked = plays_before_the_names_are_checked(imported)
            hosts += before
            if checked:
                return hosts, True
        else:
            hosts.append(play["hosts"])
    return hosts, False


@pytest.mark.parametrize(
    "playbook", [file for file in PLAYBOOKS if file.name != "names.yml"], ids=lambda file: file.name
)
def test_every_playbook_checks_the_names_before_it_contacts_a_host(playbook):
    hosts, _ = plays_before_the_names_are_checked(playbook)
    assert set(hosts) <= {"localhost"}


def test_each_old_name_is_listed_once_with_its_new_one():
    set_for_all = {"address", "network_gateway", "network_administrator"}
    assert renamed_variables({"qm1": set_for_all, "nas": set_for_all}) == [
        "network_administrator → network_administrator_user",
        "network_gateway → network_router",
    ]


def test_what_is_set_for_some_hosts_alone_is_listed_with_them():
    variables = {"qm1": {"network_gateway"}, "ubuai": {"network_gateway"}, "nas": {"network_router"}}
    assert renamed_variables(variables) == ["network_gateway → network_router (set for qm1, ubuai)"]
    assert renamed_variables(variables, "in") == ["network_gateway → network_router (set in qm1, ubuai)"]


def test_a_variable_that_is_gone_is_listed_with_what_to_do():
    (line,) = renamed_variables({"ubuai": {"gpu_driver_repository"}})
    assert line.startswith("gpu_driver_repository → delete it: NVIDIA's own repository is no longer added.")
    assert "install it by hand" in line


def test_new_names_are_no_fault():
    assert renamed_variables({"qm1": {"network_router", "network_administrator_user"}}) == []


@pytest.mark.parametrize("old", sorted(RENAMED))
def test_nothing_reads_an_old_name_any_more(old):
    word = re.compile(rf"\b{old}\b(?!\()")  # a filter may have the name
    assert [str(file) for file in READ if word.search(file.read_text())] == []


@pytest.mark.parametrize("new", sorted(new for new in RENAMED.values() if " " not in new))
def test_every_new_name_is_read(new):
    assert any(re.search(rf"\b{new}\b", file.read_text()) for file in READ)
