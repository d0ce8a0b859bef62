"""The one reader of inventory files reads what Ansible itself does."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from hal.network.inventory import hosts_of, members, read_inventory

ROOT = Path(__file__).resolve().parents[3]
INVENTORIES = {
    "lab": ["inventories/lab/hosts.yml"],
    "lab with twins": ["inventories/lab/hosts.yml", "inventories/profiles/ha.yml"],
    "production": ["inventories/production/hosts.yml"],
    "simulated Windows": ["tests/windows/inventory/hosts.yml"],
}


@pytest.mark.parametrize("files", INVENTORIES.values(), ids=INVENTORIES)
def test_groups_and_variables_are_those_that_ansible_reads(files):
    paths = [ROOT / file for file in files]
    read = read_inventory(*paths)
    theirs = InventoryManager(loader=DataLoader(), sources=[str(path) for path in paths])
    groups = {name: sorted(hosts) for name, hosts in theirs.get_groups_dict().items() if name != "ungrouped"}
    assert {name: sorted(hosts) for name, hosts in read.groups.items()} == groups
    for host, variables in read.hosts.items():
        known = theirs.get_host(host).get_vars()
        assert variables == {key: known[key] for key in variables}
        assert known.keys() - variables.keys() <= {"inventory_file", "inventory_dir", "inventory_hostname",
                                                   "inventory_hostname_short", "group_names"}  # fmt: skip
    assert read.variables.items() <= theirs.groups["all"].get_vars().items()


def test_a_groups_own_hosts_come_before_those_of_its_children(tmp_path):
    first, second = tmp_path / "first.yml", tmp_path / "second.yml"
    first.write_text(
        "all: {children: {servers: {children: {old: {children: {older: {hosts: {c: {}}}}, hosts: {b: }}}}}}"
    )
    second.write_text("all: {vars: {colour: blue}, children: {servers: {hosts: {a: {address: 192.0.2.1}}}}}")
    read = read_inventory(first, second)
    assert read.groups["servers"] == read.groups["all"] == ["a", "b", "c"]
    assert read.addresses == {"a": "192.0.2.1"} and read.variables == {"colour": "blue"}


def test_hosts_are_left_out_by_group():
    groups = {"all": ["b", "a", "c"], "old": ["a"], "new": ["c"]}
    assert hosts_of(groups, "all", ["old", "gone"]) == ["b", "c"]
    assert hosts_of(groups, "gone") == []
    assert members(groups, "old", "new", "gone") == {"a", "c"}
