"""Everything that is missing is named in one list before anything is done, and nothing else happens."""

from __future__ import annotations

import pytest
from production.secrets import Vault

from .conftest import ANSWERS

pytestmark = pytest.mark.slow

VALIDATE = "playbooks/validate.yml"


def faults(done):
    """Return the list of faults that a run ended with, which is all that it may end with."""
    output = done.stdout + done.stderr
    assert "Traceback" not in output and "is undefined" not in output
    assert done.returncode == 2, output
    _, _, rest = done.stdout.partition('"msg": [')
    lines = [line.strip().strip('",') for line in rest.partition("]\n}")[0].splitlines()]
    return [line for line in lines if line][1:]


def test_a_checkout_is_told_all_that_it_lacks_and_does_nothing(production):
    done = production.ansible("playbook", "site.yml", "--check")
    found = faults(done)
    for sentence in (
        "group_vars/all/network.yml: network_administrator_networks is empty",
        "hosts.yml: the address of nas is '', which is no IPv4 address",
        "group_vars/all/network.yml: network_administrator_key is empty: `make production-init` asks for it",
        "group_vars/all/network.yml: mac has no fixed address, and network_client_networks names no network",
        "hosts.yml: the vmid of qm1 is 0",
        "hosts.yml: the vmid of ubuai is 0",
        "hosts.yml: the vmid of haproxy is 0",
        "hosts.yml: the vmid of nas is 0",
        "vault.yml: there is none yet. `make production-init` makes it",
        "ca.crt: it is missing. It is made by `make production-init`",
        "proxmox-ca.pem: it is missing. It is made by `scp root@127.1.33.1:/etc/pve/pve-root-ca.pem",
    ):
        assert [fault for fault in found if sentence in fault], sentence
    assert len(found) == 11
    assert "PLAY [Provision" not in done.stdout


def test_what_answers_the_questions_leaves_only_what_other_machines_must_do(production):
    production.init(proxmox_token_secret=None, backup_server="host", nas_vmid=None)
    found = faults(production.ansible("playbook", VALIDATE))
    for sentence in (
        "proxmox-ca.pem: it is missing",
        "vault.yml: the secret network_proxmox_token_secret is missing",
        f"nas (127.1.70.10:{production.ssh_port}) does not answer: Connection refused",
    ):
        assert [fault for fault in found if sentence in fault], (sentence, found)
    assert len(found) == 3


def test_a_proxmox_that_does_not_answer_is_one_more_fault(production):
    production.init(backup_server="host", nas_vmid=None)
    (production.local / "proxmox-ca.pem").write_text((production.local / "ca.crt").read_text())
    found = faults(production.ansible("playbook", VALIDATE))
    assert len(found) == 2
    assert "The Proxmox API at 127.1.33.1:8006 cannot be reached" in found[0]
    assert ANSWERS["proxmox_token_secret"] not in "".join(found)


def plain(production):
    production.vault.write_text("network_windows_password: plain-password\n")


def locked(production):
    Vault(production.vault, "another password").write({"network_windows_password": "x"})


def without_password(production):
    production.password.unlink()


def shown_to_others(production):
    production.password.chmod(0o644)


def no_variables(production):
    production.opened().write(["plain-password"])


def placeholder(production):
    vault = production.opened()
    vault.write(vault.read() | {"network_windows_password": "CHANGE-ME"})


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (plain, "vault.yml: it is not encrypted, and nothing in it is used. Run `ansible-vault encrypt"),
        (locked, "vault.yml: it cannot be decrypted: its password is another one"),
        (
            without_password,
            "vault.yml: it cannot be decrypted: its password is not in ~/.config/hal/vault-password",
        ),
        (shown_to_others, "vault.yml: it is not opened: others may read its password. Run `chmod 600"),
        (no_variables, "vault.yml: it holds no variables"),
        (placeholder, "vault.yml: the secret network_windows_password is still a placeholder"),
    ],
)
def test_a_vault_that_cannot_be_used_is_named_once(initialised, damage, sentence):
    damage(initialised)
    done = initialised.ansible("playbook", VALIDATE)
    named = [fault for fault in faults(done) if fault.startswith("vault.yml")]
    assert len(named) == 1 and sentence in named[0]
    assert "plain-password" not in done.stdout + done.stderr


def test_a_password_that_ansible_is_given_opens_the_vault(initialised):
    elsewhere = initialised.home / "elsewhere"
    initialised.password.rename(elsewhere)
    initialised.environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(elsewhere)
    assert not [
        fault for fault in faults(initialised.ansible("playbook", VALIDATE)) if fault.startswith("vault.yml")
    ]


def test_a_choice_that_does_not_exist_is_named(initialised):
    models = initialised.inventory / "group_vars/all/models.yml"
    models.write_text(models.read_text().replace("network_gpu: auto", "network_gpu: intel"))
    found = faults(initialised.ansible("playbook", VALIDATE))
    assert "group_vars/all/models.yml: network_gpu is 'intel'; it can be auto, nvidia, amd, none" in found


def test_two_machines_cannot_have_one_number(production):
    production.init(ubuai_vmid=103)
    assert "hosts.yml: 103 is the vmid of qm1 and of ubuai" in faults(
        production.ansible("playbook", VALIDATE)
    )


@pytest.mark.parametrize("playbook", ["site.yml", "playbooks/hypervisor.yml", "playbooks/verify.yml"])
def test_every_playbook_reads_with_this_inventory(production, playbook):
    done = production.ansible("playbook", "--syntax-check", playbook)
    assert done.returncode == 0, done.stderr


def test_the_graph_has_every_host_in_its_groups(production):
    done = production.ansible("inventory", "--graph")
    assert done.returncode == 0
    for group in ("qm_servers", "windows_hosts"):
        assert done.stdout.partition(f"@{group}:")[2].splitlines()[1].endswith("--qm1")
    assert done.stdout.partition("@hypervisors:")[2].splitlines()[1].endswith("--pve")
