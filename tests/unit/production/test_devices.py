"""Who may ask is changed on the controller: by `hal devices`, and by a playbook."""

from __future__ import annotations

import hashlib
import json

import pytest
import yaml

from .conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def production(initialised):
    return initialised


@pytest.fixture
def devices(production):
    """Run `hal devices` on a new production inventory, without telling its hosts."""

    def run(command, *arguments):
        apply = [] if command == "list" else ["--no-apply"]
        options = [*arguments, *apply, "--inventory", str(production.inventory)]
        return production.run("production.devices", command, *options)

    return run


def tokens(production):
    return production.opened().read()["network_device_tokens"]


def test_a_device_gets_a_token_that_is_shown_once_and_loses_it(production, devices):
    before = production.opened().read()
    added = devices("add", "tablet")
    assert added.returncode == 0, added.stderr
    assert added.stdout.strip() == tokens(production)["tablet"] and len(added.stdout.strip()) >= 40
    listed = devices("list")
    assert listed.stdout.splitlines() == ["checks  the checks", "mac  installed by Ansible", "tablet"]
    assert added.stdout.strip() not in listed.stdout + listed.stderr + added.stderr
    assert production.vault.read_bytes().startswith(b"$ANSIBLE_VAULT")
    assert production.vault.stat().st_mode & 0o777 == 0o600
    assert devices("revoke", "tablet").returncode == 0
    assert production.opened().read() == before


def test_a_token_that_ansible_installs_is_not_shown(production, devices):
    before = tokens(production)["mac"]
    replaced = devices("add", "mac", "--replace")
    assert replaced.returncode == 0 and replaced.stdout == ""
    assert tokens(production)["mac"] != before


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "mac"), "mac has a token already"),
        (("revoke", "radio"), "radio has no token. There are: checks, mac"),
        (("revoke", "checks"), "cannot ask without"),
    ],
)
def test_what_cannot_be_done_changes_nothing(production, devices, arguments, why):
    before = production.vault.read_bytes()
    done = devices(*arguments)
    assert done.returncode == 1 and why in done.stderr and done.stdout == ""
    assert production.vault.read_bytes() == before


def test_without_the_vaults_password_it_says_what_to_do(production, devices):
    production.password.unlink()
    done = devices("list")
    assert done.returncode == 1 and "its password is not in ~/.config/hal/vault-password" in done.stderr


@pytest.fixture
def play(production, tmp_path):
    """Run the play of playbooks/devices.yml that changes the vault; then show what the gateway would have."""
    plays = yaml.safe_load((ROOT / "playbooks/devices.yml").read_text())
    change = next(play for play in plays if play["name"] == "Change the tokens in the vault")
    shown = {"ansible.builtin.debug": {"msg": "{{ gateway_tokens | to_json | hash('sha256') }}"}}
    told = {"hosts": "qm1", "gather_facts": False, "tasks": [shown]}
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks/group_vars").symlink_to(ROOT / "playbooks/group_vars")
    playbook = tmp_path / "playbooks/play.yml"
    playbook.write_text(yaml.safe_dump([change, told]))
    return lambda *arguments: production.ansible("playbook", str(playbook), "-vvv", *arguments)


def test_the_playbook_changes_the_vault_and_what_the_gateways_are_told(production, play):
    done = play("-e", "add=tablet,kitchen")
    assert done.returncode == 0, done.stdout + done.stderr
    held = tokens(production)
    assert held.keys() == {"mac", "checks", "tablet", "kitchen"}
    assert hashlib.sha256(json.dumps(held).encode()).hexdigest() in done.stdout
    assert not [name for name, token in held.items() if token in done.stdout + done.stderr]
    before = production.vault.read_bytes()
    assert play("-e", "revoke=tablet", "--check").returncode == 0
    refused = play("-e", "revoke=radio")
    assert refused.returncode == 2 and "radio has no token" in refused.stdout
    assert production.vault.read_bytes() == before
