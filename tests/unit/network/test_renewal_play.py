"""configure.yml renews what is due among the secrets, as Ansible runs it; no host is contacted."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from production.secrets import Vault, complete

from hal.network.authority import Authority
from hal.network.certificates import server_fault

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "the vault's password"
NAMES = {
    "network_proxy_certificate": ["haproxy", "198.18.50.100"],
    "network_backup_certificate": ["nas", "198.18.70.10"],
}
OVER = timedelta(minutes=-30)


class House:
    """A copy of the lab's inventory with secrets of its own, plain or encrypted."""

    def __init__(self, directory: Path, *, encrypted: bool) -> None:
        self.inventory = directory / "inventories/lab"
        self.authority_file = directory / "ca.crt"
        self.encrypted = encrypted
        self.file = self.inventory / ("vault.yml" if encrypted else "group_vars/all/secrets.yml")
        self.vault = Vault(self.file, PASSWORD)
        ignored = shutil.ignore_patterns("secrets.yml", "profile.yml")
        shutil.copytree(ROOT / "inventories", directory / "inventories", ignore=ignored)
        (directory / "playbooks").mkdir()
        (directory / "playbooks/group_vars").symlink_to(ROOT / "playbooks/group_vars")
        plays = yaml.safe_load((ROOT / "playbooks/configure.yml").read_text())
        self.play = next(play for play in plays if play["name"] == "Renew the certificates that are due")
        self.playbook = directory / "playbooks/play.yml"

    @property
    def secrets(self) -> dict[str, Any]:
        held: dict[str, Any] = self.vault.read() if self.encrypted else yaml.safe_load(self.file.read_text())
        return held

    @secrets.setter
    def secrets(self, held: dict[str, Any]) -> None:
        if self.encrypted:
            self.vault.write(held)
        else:
            self.file.write_text("# Made by the lab.\n" + yaml.safe_dump(held))

    def run(self, *arguments: str, **variables: Any) -> str:
        """Run the play, and return what was shown; the proxy's certificate in digits that hide its key."""
        shown = {
            "ansible.builtin.debug": {"msg": "proxy gets {{ network_proxy_certificate | hash('sha256') }}"}
        }
        told = {"hosts": "proxies", "gather_facts": False, "tasks": [shown]}
        self.playbook.write_text(yaml.safe_dump([self.play, told]))
        password = self.playbook.with_name("password")
        password.write_text(PASSWORD)
        given = {"network_secrets_file": str(self.file.relative_to(self.inventory))}
        given |= {"network_ca_path": str(self.authority_file), "ansible_connection": "local"} | variables
        command = [sys.executable, "-m", "ansible", "playbook", "-i", str(self.inventory)]
        done = subprocess.run(
            [*command, "-e", json.dumps(given), *arguments, str(self.playbook)],
            cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
            env=os.environ | {"ANSIBLE_VAULT_PASSWORD_FILE": str(password)},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "PRIVATE KEY" not in done.stdout + done.stderr
        return done.stdout


def gets(secrets: dict[str, Any]) -> str:
    """Return what is shown when the proxy gets the certificate of these secrets."""
    return f"proxy gets {hashlib.sha256(secrets['network_proxy_certificate'].encode()).hexdigest()}"


def authority(secrets: dict[str, Any]) -> Authority:
    return Authority.load(secrets["network_ca_certificate"].encode(), secrets["network_ca_key"].encode())


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def house(request, tmp_path):
    """Return a house whose certificates are over."""
    house = House(tmp_path, encrypted=request.param)
    house.secrets = complete({}, NAMES, ["mac"], OVER)
    return house


def test_what_is_over_is_renewed_where_it_stands_and_a_second_run_changes_nothing(house):
    before = house.secrets
    shown = house.run()
    after = house.secrets
    assert {name for name in after if after[name] != before[name]} == NAMES.keys()
    assert not [name for name in NAMES if server_fault(after[name], authority(after), NAMES[name])]
    assert "network_proxy_certificate ended on" in shown and gets(after) in shown
    assert house.file.stat().st_mode & 0o777 == 0o600
    beginning = b"$ANSIBLE_VAULT" if house.encrypted else b"# Made by the lab.\n"
    assert house.file.read_bytes().startswith(beginning)
    assert "0 changes" in house.run()
    assert house.secrets == after


def test_a_check_says_what_would_be_renewed_and_writes_nothing(house):
    before = house.file.read_bytes()
    shown = house.run("--check")
    assert "network_backup_certificate ended on" in shown and gets(house.secrets) not in shown
    assert house.file.read_bytes() == before


def test_a_certificate_that_the_household_has_brought_is_kept_and_named(house):
    theirs = Authority.create("Somebody else").issue(["hal.example.org"], OVER)
    house.secrets = house.secrets | {"network_proxy_certificate": b"".join(theirs).decode()}
    before = house.secrets
    shown = house.run(certificates_at_once=True)
    assert "get a new one where it came from" in " ".join(shown.split()) and gets(before) in shown
    assert {name for name in before if house.secrets[name] != before[name]} == {"network_backup_certificate"}


def test_a_certificate_that_hosts_have_from_elsewhere_is_not_replaced_by_one_of_the_secrets(house):
    elsewhere = complete({}, NAMES, ["mac"])
    (house.inventory / "group_vars/proxies.yml").write_text(
        yaml.safe_dump({"network_proxy_certificate": elsewhere["network_proxy_certificate"]})
    )
    assert gets(elsewhere) in house.run()


def test_what_is_due_and_does_not_stand_in_the_file_is_named_and_not_renewed_each_time(house):
    elsewhere = house.secrets | complete(house.secrets, NAMES, ["mac"])
    over = {"network_proxy_certificate": house.secrets["network_proxy_certificate"]}
    house.secrets = elsewhere
    (house.inventory / "group_vars/proxies.yml").write_text(yaml.safe_dump(over))
    (house.inventory / "group_vars/gateways.yml").write_text(yaml.safe_dump(over))
    before = house.file.read_bytes()
    shown = " ".join(house.run().split())
    assert "It does not stand in" in shown and "0 changes" in shown and gets(over) in shown
    assert house.file.read_bytes() == before


def test_the_controllers_copy_of_the_authority_follows_it(house):
    old = Authority.create("HAL household", OVER)
    house.secrets = house.secrets | {
        "network_ca_certificate": old.pem.decode(), "network_ca_key": old.key_pem.decode(),
    }  # fmt: skip
    house.run()
    after = house.secrets
    assert house.authority_file.read_text() == after["network_ca_certificate"] != old.pem.decode()
    assert not [name for name in NAMES if server_fault(after[name], authority(after), NAMES[name])]
