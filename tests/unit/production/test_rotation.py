"""playbooks/rotate_secrets.yml on the controller: what it makes, shows and refuses; no host is contacted."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import yaml

from .conftest import ROOT

pytestmark = pytest.mark.slow

PLAYS = yaml.safe_load((ROOT / "playbooks/rotate_secrets.yml").read_text())
MADE = ("network_backup_secret", "network_device_tokens")
REACHED = {"ansible.builtin.set_fact": {"ansible_facts": {"os_family": "Debian"}}}
FORMER = "network_former_secrets"


def play(name: str) -> dict[str, Any]:
    return next(play for play in PLAYS if play["name"] == name)


@pytest.fixture
def production(initialised):
    return initialised


@pytest.fixture
def rotate(production, tmp_path):
    """Run the plays that change the vault, with others in between."""
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks/group_vars").symlink_to(ROOT / "playbooks/group_vars")

    def run(*arguments, names=("Make the new secrets", "End"), reached="managed_hosts", between=()):
        facts = {"hosts": reached, "gather_facts": False, "tasks": [REACHED]}
        playbook = tmp_path / "playbooks/play.yml"
        first, *rest = (play(name) for name in names)
        playbook.write_text(yaml.safe_dump([facts, first, *between, *rest]))
        before = production.opened().read()
        done = production.ansible("playbook", str(playbook), "-vvv", *arguments)
        for held in (before, production.opened().read(), production.opened().read().get(FORMER, {})):
            for secret in (held.get(MADE[0], "no such secret"), *held.get(MADE[1], {}).values()):
                assert secret not in done.stdout + done.stderr
        return done

    return run


def test_every_secret_that_was_made_is_another_and_the_vault_stays_encrypted(production, rotate):
    before = production.opened().read()
    done = rotate()
    assert done.returncode == 0, done.stdout + done.stderr
    after = production.opened().read()
    assert {name for name in after if after[name] != before.get(name)} == set(MADE)
    assert FORMER not in after and "Replaced: backups, tokens" in done.stdout
    assert production.vault.read_bytes().startswith(b"$ANSIBLE_VAULT")
    assert production.vault.stat().st_mode & 0o777 == 0o600
    assert "make recovery-kit KIT=FILE REPLACE=true" in done.stdout


def test_a_run_that_ends_after_its_first_step_is_gone_on_with(production, rotate):
    before = production.opened().read()
    assert rotate(names=["Make the new secrets"]).returncode == 0
    half = production.opened().read()
    assert half[FORMER]["network_backup_secret"] == before["network_backup_secret"]
    again = rotate()
    assert (
        again.returncode == 0 and "Gone on with, from a run that did not end: backups, tokens" in again.stdout
    )
    assert production.opened().read() == {name: half[name] for name in half if name != FORMER}


def test_between_the_services_are_told_both_and_in_the_end_the_new_ones_alone(production, rotate):
    before = production.opened().read()
    assert rotate(names=["Make the new secrets"]).returncode == 0
    half = production.opened().read()
    names = (
        "gateway_tokens",
        "haproxy_tokens",
        "backup_server_repositories",
        "backup_password",
        "client_token",
    )
    both = production.variables(*names)
    old, new = before["network_device_tokens"], half["network_device_tokens"]
    assert set(both["qm1"]["gateway_tokens"].values()) == {*old.values(), *new.values()}
    assert both["haproxy"]["haproxy_tokens"] == both["qm1"]["gateway_tokens"]
    assert both["mac"]["client_token"] == new["mac"]
    repository = both["nas"]["backup_server_repositories"]["qm1"]
    assert repository["encryption"] == both["qm1"]["backup_password"] != repository["former_encryption"]
    (production.inventory / "group_vars/all/refused.yml").write_text("former_refused: true\n")
    alone = production.variables(*names)
    assert alone["qm1"]["gateway_tokens"] == alone["haproxy"]["haproxy_tokens"] == new
    assert "former_encryption" not in alone["nas"]["backup_server_repositories"]["qm1"]
    assert alone["qm1"]["backup_password"] == both["qm1"]["backup_password"]


def test_one_kind_alone(production, rotate):
    before = production.opened().read()
    assert rotate("-e", "rotate_only=[tokens]").returncode == 0
    after = production.opened().read()
    assert {name for name in after if after[name] != before[name]} == {"network_device_tokens"}


def test_the_plays_that_follow_have_the_new_secrets_though_the_vault_was_read_before(production, rotate):
    shown = {
        "ansible.builtin.debug": {
            "msg": "{{ (network_backup_secret ~ network_device_tokens.checks) | hash('sha256') }}"
        }
    }
    done = rotate(between=[{"hosts": "haproxy", "gather_facts": False, "tasks": [shown]}])
    after = production.opened().read()
    both = after["network_backup_secret"] + after["network_device_tokens"]["checks"]
    assert hashlib.sha256(both.encode()).hexdigest() in done.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("-e", "rotate_only=wifi"), "rotate_only names wifi; there are backups, tokens, pair"),
        (
            ("-e", json.dumps({"rotate_only": ["backups"], "network_backup_store": "sftp:hal@nas:/x"})),
            "backups cannot be replaced here",
        ),
        (("--limit", "qm1"), "without --limit. Nothing was changed."),
    ],
)
def test_what_cannot_be_done_changes_nothing_and_is_said(production, rotate, arguments, why):
    before = production.vault.read_bytes()
    done = rotate(*arguments)
    assert done.returncode == 2 and why in " ".join(done.stdout.split()), done.stdout
    assert production.vault.read_bytes() == before


def test_a_host_that_does_not_answer_is_named_before_anything_is_made(production, rotate):
    before = production.vault.read_bytes()
    done = rotate(reached="managed_hosts:!mac")
    assert done.returncode == 2 and "mac: not reached." in done.stdout
    assert production.vault.read_bytes() == before


def test_a_check_says_what_would_be_replaced_and_makes_nothing(production, rotate):
    before = production.vault.read_bytes()
    done = rotate("--check")
    assert done.returncode == 0 and "Replaced: backups, tokens" in done.stdout
    assert "The former secrets are refused" not in done.stdout
    assert production.vault.read_bytes() == before


def test_nothing_is_taken_away_before_every_host_has_what_comes_in_its_place():
    """The order of the plays."""
    names = [play["name"] for play in PLAYS]
    assert names[1:] == [
        "Validate the description before any host is contacted",
        "Find out which systems the hosts have",
        "Make the new secrets",
        "Add the new passwords to the repositories",
        "Back up with the new passwords",
        "Ask with the new tokens",
        "Share the address with the new password",
        "Verify the network with the new secrets",
        "Find out which hosts have the new secrets",
        "Remove the former passwords of the repositories",
        "Refuse the former passwords of the backup server",
        "Refuse the former tokens",
        "Prove that the former tokens are refused",
        "End",
    ]
    refusing = [play["name"] for play in PLAYS if play.get("vars", {}).get("former_refused")]
    assert refusing == ["Refuse the former passwords of the backup server", "Refuse the former tokens"]


def test_a_host_on_which_a_task_failed_keeps_the_former_secrets_in_force(production, rotate, tmp_path):
    task = {"ansible.builtin.fail": {"msg": "no disk"}, "when": "inventory_hostname == 'qm1'"}
    failing = {"hosts": "managed_hosts", "gather_facts": False, "tasks": [task]}
    names = ["Make the new secrets", "Find out which hosts have the new secrets", "End"]
    done = rotate(names=names, between=[failing])
    assert done.returncode == 2 and "qm1: a task failed there" in " ".join(done.stdout.split())
    assert production.opened().read()[FORMER].keys() == set(MADE)
