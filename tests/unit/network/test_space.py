"""Disks that are described too small are named before a host is contacted."""

from __future__ import annotations

from typing import Any

import pytest

from hal.network.space import space_faults

GROUPS = {
    "ai_servers": ["ubuai"],
    "backup_servers": ["nas"],
    "proxies": ["haproxy"],
    "monitoring_servers": ["nas"],
    "windows_hosts": ["qm1"],
}
MODELS = [{"name": "deepseek-r1:32b", "gib": 18.5}, {"name": "llama3:latest", "gib": 4.4}, {"name": "other"}]
ENOUGH = {"disk_gib": 48, "data_disks": [{"name": "models", "gib": 64, "path": "/var/lib/ollama"}]}


def faults(models: list[dict[str, Any]] = MODELS, **machines: Any) -> list[str]:
    return space_faults({"machines": machines, "groups": GROUPS, "models": models, "backups_gib": 10})


def test_disks_that_hold_it_all_are_no_fault() -> None:
    nas = {"disk_gib": 48, "data_disks": [{"name": "store", "gib": 128, "path": "/srv"}]}
    assert faults(ubuai=ENOUGH, nas=nas, haproxy={"disk_gib": 16}, qm1={"cores": 4}) == []


def test_a_system_disk_that_is_too_small_is_named_with_what_it_must_hold() -> None:
    (fault,) = faults(ubuai={"disk_gib": 32})
    assert fault.startswith("hosts.yml: the system disk of ubuai has 32 GiB and must hold 50 (the system 6, ")
    assert "language models 22.9" in fault and "raise machine.disk_gib, or put some of it" in fault


def test_a_model_that_is_added_makes_a_data_disk_too_small() -> None:
    (fault,) = faults([*MODELS, {"name": "large", "gib": 40}], ubuai=ENOUGH)
    assert fault.startswith(
        "hosts.yml: the data disk models of ubuai has 64 GiB and must hold 70 (language models 62.9"
    )
    assert fault.endswith("raise gib in machine.data_disks")


def test_each_thing_counts_on_the_disk_that_it_stands_on() -> None:
    backups = {"name": "backups", "gib": 4, "path": "/srv/backups"}
    store = {"name": "store", "gib": 128, "path": "/srv"}
    (fault,) = faults(nas={"disk_gib": 48, "data_disks": [store, backups]})
    assert "the data disk backups of nas has 4 GiB and must hold 11 (backups 10" in fault


def test_a_machine_whose_disk_is_not_described_is_not_judged() -> None:
    assert faults(ubuai={"cores": 8}) == []


@pytest.mark.parametrize("path", ["", "srv", "/"])
def test_a_data_disk_without_a_directory_of_its_own_is_a_fault(path: str) -> None:
    (fault,) = faults(ubuai={"data_disks": [{"name": "models", "gib": 64, "path": path}]})
    assert "name the directory it is mounted at" in fault


def test_two_data_disks_at_one_path_are_a_fault() -> None:
    disks = [{"name": name, "gib": 64, "path": "/srv"} for name in ("a", "b")]
    assert faults(ubuai={"data_disks": disks}) == [
        "hosts.yml: /srv of ubuai is the path of the data disks a and b"
    ]


def test_a_windows_host_is_told_that_its_disks_are_formatted_by_hand() -> None:
    assert "formatted by hand" in faults(qm1=ENOUGH)[0]


def test_quotas_that_share_out_more_than_there_is_are_a_fault_of_a_backup_server_alone() -> None:
    description = {"machines": {}, "groups": GROUPS, "models": [], "backups_gib": 10}
    description |= {"backup_hosts": ["haproxy", "qm1"], "quotas_gib": {"qm1": 10}}
    (fault,) = space_faults(description)
    assert "network_backup_quotas_gib shares out 10 GiB" in fault
    assert space_faults(description | {"groups": {}}) == []
