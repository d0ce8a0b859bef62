"""What a simulated Windows host has of the household's: adoption reads it, its firewall closes none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from simulator.bench import PROJECT, Bench, Run
from simulator.machine import Machine
from simulator.states import with_open_firewall, with_own_gateway

pytestmark = pytest.mark.slow

INVENTORY = PROJECT / "tests/windows/inventory"
CLOSES = "The firewall of qm1 would close what the inventory does not name: Plex Media Server.exe on tcp port"
FILMS = "plex_media_server_32400"


def adopt(machine: Machine, directory: Path) -> tuple[Run, dict[str, Any], str]:
    """Run adopt.yml, and return it with what it proposes and its page."""
    inventory = shutil.copytree(INVENTORY, directory / "inventory")
    page = directory / "adopt.html"
    with Bench("qm1", machine) as bench:
        options = f"--inventory={inventory}", "--limit=qm1,localhost", f"--extra-vars=adopt_page={page}"
        run = bench.run("playbooks/adopt.yml", *options)
    proposed = inventory / "group_vars/all/taken_over.yml.proposed"
    variables = yaml.safe_load(proposed.read_text()) if proposed.exists() else {}
    return run, variables, page.read_text() if page.exists() else run.output


def open_firewall(machine: Machine, directory: Path, **variables: Any) -> Run:
    """Run the role that configures the firewall."""
    playbook = directory / "firewall.yml"
    rule = {"port": 5986, "protocol": "tcp", "from": "127.0.0.1/32", "comment": "winrm"}
    play = {"name": "Open", "hosts": "qm1", "gather_facts": True, "roles": ["firewall"]}
    playbook.write_text(yaml.safe_dump([play | {"vars": {"firewall_rules": [rule]}}]))
    with Bench("qm1", machine, variables) as bench:
        return bench.run(str(playbook), f"--inventory={INVENTORY}")


def test_what_a_windows_host_serves_is_proposed_and_what_stays_is_told(tmp_path: Path) -> None:
    machine = with_open_firewall()
    run, proposed, page = adopt(machine, tmp_path)
    assert run.code == 0, run.output
    films = proposed["network_foreign_services"][FILMS]
    assert (films["group"], films["port"], films["clients"]) == ("qm1", 32400, ["any"])
    assert "Plex Media Server.exe on tcp port 32400: not in network_foreign_services" in page
    assert "service w32time" in page and "qmsvc" not in page
    assert not any(call["outcome"].get("changed") for call in run.calls if "outcome" in call)


def test_a_gateway_that_was_started_by_hand_is_told_as_in_the_way(tmp_path: Path) -> None:
    run, proposed, page = adopt(with_own_gateway(), tmp_path)
    assert (run.code, proposed) == (0, {}), run.output
    assert "python.exe voice_gateway.py (process 4321) on port 8768" in page


def test_a_firewall_that_is_off_is_not_made_to_close_what_nobody_has_named(tmp_path: Path) -> None:
    machine = with_open_firewall()
    run = open_firewall(machine, tmp_path)
    assert run.code != 0 and CLOSES in run.output
    assert f"  {FILMS}: {{group: qm1, port: 32400, protocol: tcp, clients: [any]}}" in run.output
    assert not any(kind.endswith("win_firewall") for kind, _ in machine.resources)


@pytest.mark.parametrize(
    "variables",
    [{"firewall_close_unknown": True}, {"firewall_known_ports": [{"port": 32400, "protocol": "tcp"}]}],
    ids=["closing", "named"],
)
def test_it_is_closed_where_that_is_asked_for_and_passed_over_where_it_is_named(
    tmp_path: Path, variables: dict[str, Any]
) -> None:
    machine = with_open_firewall()
    run = open_firewall(machine, tmp_path, **variables)
    assert run.code == 0, run.output
    assert any(kind.endswith("win_firewall") for kind, _ in machine.resources)
