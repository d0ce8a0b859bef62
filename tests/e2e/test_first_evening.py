"""The first evening, rehearsed: the production inventory is filled in, and takes over machines that run.

Its addresses are answered with the lab's, and its secrets are the lab's, so that what runs stays what it is.
What the lab stands in for (Windows, the real models, Proxmox's own certificate) is overridden; all else is
production's own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from lab.network import SECRETS, STATE, addresses
from production.secrets import Vault, password_from

PROJECT = Path(__file__).resolve().parents[2]
REAL_ADDRESS = re.compile(r"\b10\.1\.\d+\.\d+")
WINDOWS = re.compile(r"(windows_hosts:)\n +hosts:\n +qm1:\n")
LAB = PROJECT / "inventories/lab/group_vars/all"

type Done = subprocess.CompletedProcess[str]


@dataclass
class Evening:
    """A person's home and checkout: the production inventory, as yet without any answer."""

    directory: Path

    @property
    def inventory(self) -> Path:
        return self.directory / "inventories/production"

    @property
    def local(self) -> Path:
        return self.directory / "home/.config/hal"

    @property
    def overrides(self) -> Path:
        return self.directory / "overrides.yml"

    def prepare(self) -> None:
        """Copy the inventory without its real addresses, and put the lab's secrets into its vault."""
        shutil.copytree(
            PROJECT / "inventories/production", self.inventory, ignore=shutil.ignore_patterns("vault.yml")
        )
        for file in self.inventory.rglob("*.yml"):
            file.write_text(file.read_text().replace("10.1.", "198.18."))
        vault = Vault(self.inventory / "vault.yml", password_from(self.local / "vault-password"))
        vault.write(yaml.safe_load(SECRETS.read_text()))
        self.overrides.write_text(yaml.safe_dump(self.stand_ins()))

    def stand_ins(self) -> dict[str, object]:
        """Return what the lab has instead of what a household has."""
        models = yaml.safe_load((LAB / "models.yml").read_text())
        return models | {
            "lab_directory": str(STATE),
            "ansible_ssh_private_key_file": str(STATE / "id_ed25519"),
            "network_known_hosts": str(STATE / "known_hosts"),
            "network_proxmox_api": yaml.safe_load((LAB / "machines.yml").read_text())["network_proxmox_api"],
            "network_proxmox_ca_path": str(STATE / "ca.crt"),
            "network_model_registry": "",
            "network_rest_server": {},  # Debian packages it
        }

    def answers(self) -> dict[str, object]:
        """Return what a person answers, with the lab's addresses."""
        at = addresses("managed_hosts", "hypervisors")
        return {
            **{f"{host}_address": at[host] for host in ("qm1", "ubuai", "haproxy", "nas", "pve")},
            **{"qm1_vmid": 103, "ubuai_vmid": 120, "haproxy_vmid": 100},
            "backup_server": "host",
            "administrator": "lawr",
            "administrator_key": (STATE / "id_ed25519.pub").read_text().strip(),
            "client": at["mac"],
            "administrator_networks": "198.18.0.1/32",
            "client_networks": "",
            "trusted_networks": "198.18.0.0/16",
            "timezone": "Europe/Berlin",
            "gpu": "none",
        }

    def run(self, *command: str) -> Done:
        """Run a module of Python in the project's directory, in this home."""
        environment = os.environ | {"HOME": str(self.directory / "home")}
        environment.pop("ANSIBLE_VAULT_PASSWORD_FILE", None)
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip

    def fill_in(self) -> Done:
        """Answer the questions as `make production-init` asks them; then the QM server is one on Linux."""
        file = self.directory / "answers.yml"
        file.write_text(yaml.safe_dump(self.answers()))
        done = self.run(
            "production.init", "--inventory", str(self.inventory), "--answers", str(file), "--no-validate"
        )
        hosts = self.inventory / "hosts.yml"
        text, replaced = WINDOWS.subn(r"\1 {hosts: {}}\n", hosts.read_text())
        assert replaced == 1
        hosts.write_text(text)
        return done

    def playbook(self, *arguments: str) -> Done:
        """Run a playbook on the production inventory."""
        return self.run(
            "ansible", "playbook", "-i", str(self.inventory), "-e", f"@{self.overrides}", *arguments
        )


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory, playbook: Callable[..., Done]):
    """Give an evening whose questions are answered; after it the lab is its own inventory's again."""
    made = Evening(tmp_path_factory.mktemp("evening"))
    made.prepare()
    done = made.fill_in()
    assert done.returncode == 0, done.stdout + done.stderr
    listed = made.run("ansible", "inventory", "-i", str(made.inventory), "--playbook-dir=playbooks", "--list")
    assert listed.returncode == 0 and not REAL_ADDRESS.search(listed.stdout), listed.stderr
    yield made
    back = playbook("site.yml")
    assert back.returncode == 0, back.stdout[-4000:]


def test_nothing_is_lacking_once_the_questions_are_answered(evening):
    done = evening.playbook("playbooks/validate.yml")
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_answers_replace_no_secret_that_is_there(evening):
    before = yaml.safe_load(SECRETS.read_text())
    held = Vault(evening.inventory / "vault.yml", password_from(evening.local / "vault-password")).read()
    assert {name: held[name] for name in before} == before


def test_a_check_reaches_every_machine_and_would_make_or_destroy_none(evening):
    done = evening.playbook("site.yml", "--check", "--diff")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "would be created" not in done.stdout
    assert not re.search(r"unreachable=[1-9]|failed=[1-9]", done.stdout), done.stdout[-4000:]


def test_the_machines_are_adopted_and_the_second_run_changes_nothing(evening, assert_unchanged):
    before = machines()
    first = evening.playbook("site.yml")
    assert first.returncode == 0, first.stdout[-4000:] + first.stderr[-2000:]
    assert_unchanged(evening.playbook("site.yml"))
    assert machines() == before


def test_the_household_is_answered_afterwards(evening, hal):
    answer = hal("ask", "--json", "What medications am I taking?")
    assert answer["intent"] == "MEDICATION" and "metformin" in answer["text"].lower()


def machines() -> dict[str, str]:
    """Return the identity of each machine that the hypervisor has."""
    guests = json.loads((STATE / "guests.json").read_text())["guests"]
    return {guest["name"]: guest["config"]["smbios1"] for guest in guests if not guest["template"]}
