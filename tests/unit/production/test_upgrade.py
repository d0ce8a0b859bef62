"""`make upgrade` takes one host after the other, and back the one that is not well afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import production.upgrade
import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from production.upgrade import Upgrade, UpgradeError

from hal.network.upgrade import upgrade_order

from .conftest import ROOT

NAME = "hal-before-20261129T052046Z"
MACHINES = ["ubuai", "haproxy"]


class Plays:
    """Stands for ansible-playbook: remembers what is run, and fails where it is told to."""

    def __init__(self, **failing: str) -> None:
        self.failing = failing
        self.run: list[str] = []

    def __call__(self, playbook: str, **variables: str) -> str:
        host = variables.get("host") or variables.get("recover_host", "")
        step = next((key for key in ("back_to", "drop") if key in variables), playbook)
        self.run.append(f"{step} {host}".strip())
        return self.failing.get(f"{step}_{host}".strip("_"), "")


def upgraded(plays: Plays, hosts: list[str]) -> tuple[list[str], str]:
    """Return the hosts that were upgraded, and what was said in the end."""
    upgrade = Upgrade(MACHINES, plays, NAME)
    try:
        upgrade.run(hosts)
    except UpgradeError as error:
        return upgrade.done, str(error)
    return upgrade.done, ""


def test_each_host_is_made_safe_and_configured_before_the_next() -> None:
    plays = Plays()
    assert upgraded(plays, ["nas", "ubuai"]) == (["nas", "ubuai"], "")
    assert plays.run == [
        *("validate", "verify"),
        *("backup nas", "recover nas"),
        *("snapshot ubuai", "recover ubuai", "drop ubuai"),
    ]


@pytest.mark.parametrize("playbook", ["validate", "verify"])
def test_a_network_that_is_not_well_is_not_upgraded(playbook: str) -> None:
    plays = Plays(**{playbook: "qm1: the listener does not answer."})
    done, said = upgraded(plays, ["nas", "ubuai"])
    assert done == [] and plays.run[-1] == playbook
    assert "Nothing was upgraded" in said and "the listener does not answer" in said


def test_a_machine_that_is_not_well_afterwards_goes_back_and_the_ones_before_it_stay() -> None:
    plays = Plays(recover_ubuai="ubuai: no model answers.")
    done, said = upgraded(plays, ["nas", "ubuai", "haproxy"])
    assert done == ["nas"] and plays.run[-1] == "back_to ubuai"
    assert said.startswith(
        "ubuai could not be upgraded: ubuai: no model answers. It went back to what it was"
    )


def test_a_machine_that_cannot_be_made_safe_is_left_alone() -> None:
    plays = Plays(snapshot_ubuai="No snapshot can be taken of ubuai (local).")
    done, said = upgraded(plays, ["ubuai", "haproxy"])
    assert done == [] and plays.run[-1] == "snapshot ubuai"
    assert "ubuai was not upgraded, and nothing was changed on it: No snapshot can be taken" in said


def test_a_machine_that_is_not_well_after_going_back_keeps_its_snapshot_and_says_so() -> None:
    plays = Plays(recover_ubuai="no model answers.", back_to_ubuai="the proxy is gone.")
    _, said = upgraded(plays, ["ubuai"])
    assert "drop ubuai" not in plays.run
    assert "the proxy is gone." in said and f"-e host=ubuai -e back_to={NAME}" in said


def test_a_host_that_is_no_machine_stays_as_it_is_and_says_what_to_do() -> None:
    plays = Plays(recover_nas="nginx does not start.")
    _, said = upgraded(plays, ["nas", "ubuai"])
    assert plays.run[-1] == "recover nas"
    assert "stays as it is" in said and "playbooks/recover.yml -e host=nas" in said


def test_why_a_playbook_failed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(production.upgrade, "REPORT", tmp_path / "upgrade.json")
    why = production.upgrade.player("inventories/lab")("snapshots", host="nobody")
    assert why.startswith("localhost: -e host names one of qm1, ubuai, haproxy")


def groups_of(*sources: str) -> dict[str, Any]:
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(ROOT / source) for source in sources])
    found: dict[str, Any] = inventory.get_groups_dict()
    return found


def test_who_has_a_twin_goes_first_and_the_proxies_last() -> None:
    order = upgrade_order(groups_of("inventories/lab/hosts.yml", "inventories/profiles/ha.yml"))
    assert order == ["nas", "ubuai2", "ubuai", "gateway2", "qm1", "mac", "haproxy2", "haproxy"]


@pytest.mark.parametrize("inventory", ["lab", "production"])
def test_no_host_is_left_out_and_the_downloads_come_first(inventory: str) -> None:
    groups = groups_of(f"inventories/{inventory}/hosts.yml")
    order = upgrade_order(groups)
    assert sorted(order) == sorted(groups["managed_hosts"])
    assert order[0] in groups["backup_servers"] and order[-1] in groups["proxies"]
