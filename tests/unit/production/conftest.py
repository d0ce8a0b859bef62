"""The production inventory with every address on loopback: nothing here may reach a real network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from production.secrets import Vault
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
PRODUCTION = ROOT / "inventories/production"
REAL_ADDRESS = re.compile(r"\b10\.1\.\d+\.\d+")
ANSWERS = {
    "administrator": "lawr",
    "administrator_key": "ssh-ed25519 " + "A" * 68 + " somebody",
    "qm1_address": "127.1.34.103",
    "ubuai_address": "127.1.10.20",
    "haproxy_address": "127.1.50.100",
    "nas_address": "127.1.70.10",
    "pve_address": "127.1.33.1",
    "client": "here",
    "administrator_networks": "127.1.99.7/32",
    "client_networks": "127.1.60.0/24",
    "trusted_networks": "127.1.60.0/24",
    "proxmox_node": "pve",
    "qm1_vmid": 103,
    "ubuai_vmid": 120,
    "haproxy_vmid": 100,
    "nas_vmid": 110,
    "proxmox_token_secret": "11111111-2222-3333-4444-555555555555",
    "windows_password": "a-windows-password",
}

type Done = subprocess.CompletedProcess[str]


class Production:
    """A copy of the production inventory as a checkout has it, its addresses on loopback, and an empty home.

    SSH is on a port where this machine's own server is not.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.inventory = directory / "inventories/production"
        self.home = directory / "home"
        self.home.mkdir()
        self.local = self.home / ".config/hal"
        self.vault = self.inventory / "vault.yml"
        self.password = self.local / "vault-password"
        self.answers = directory / "answers.yml"
        self.environment = os.environ | {"HOME": str(self.home)}
        self.environment.pop("ANSIBLE_VAULT_PASSWORD_FILE", None)
        self.ssh_port = free_port()
        shutil.copytree(PRODUCTION, self.inventory, ignore=shutil.ignore_patterns("vault.yml"))
        for file in self.inventory.rglob("*.yml"):
            text = re.sub(r"\b10\.1\.", "127.1.", file.read_text())
            file.write_text(re.sub(r"\bport: 22\b", f"port: {self.ssh_port}", text))
        self._harmless: set[bytes] = set()

    def copy(self, directory: Path) -> Production:
        """Return another one that has all that this one has; no file says where it lies."""
        copied = Production(directory)
        for place in (self.inventory, self.home):
            shutil.copytree(place, directory / place.relative_to(self._directory), dirs_exist_ok=True)
        copied.ssh_port = self.ssh_port
        copied._harmless |= self._harmless
        return copied

    def files(self) -> dict[Path, bytes]:
        """Return every file there is."""
        return {
            path: path.read_bytes()
            for top in (self.inventory, self.home)
            for path in top.rglob("*")
            if path.is_file() and ".ansible" not in path.parts
        }

    def run(self, *command: str) -> Done:
        """Run a module of Python in the project's directory, with this home."""
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip

    def init(self, *arguments: str, mode: int = 0o600, **changes: Any) -> Done:
        """Run production-init with a file of answers, which keywords change; None leaves an answer out."""
        content = {key: value for key, value in (ANSWERS | changes).items() if value is not None}
        self.answers.write_text(yaml.safe_dump(content))
        self.answers.chmod(mode)
        options = ["--inventory", str(self.inventory), "--answers", str(self.answers), "--no-validate"]
        return self.run("production.init", *options, *arguments)

    def ansible(self, program: str, *arguments: str) -> Done:
        """Run one of Ansible's programs on the inventory, once no real address is left in it."""
        self.make_sure()
        return self.run("ansible", program, "-i", str(self.inventory), *arguments)

    def make_sure(self) -> None:
        """Fail if a real address is left in the inventory."""
        state = b"".join(path.read_bytes() for path in sorted(self.inventory.rglob("*.yml")))
        if state not in self._harmless:
            inventory = ["-i", str(self.inventory), "--playbook-dir", "playbooks"]
            listed = self.run("ansible", "inventory", *inventory, "--list")
            assert listed.returncode == 0, listed.stderr
            assert not REAL_ADDRESS.search(listed.stdout)
            self._harmless.add(state)

    def variables(self, *names: str) -> dict[str, dict[str, Any]]:
        """Return variables of every host, as the playbooks see them: {host: {name: value}}."""
        quoted = ",".join(f"'{name}'" for name in names)
        values = f"msg={{{{query('ansible.builtin.vars',{quoted},default='')}}}}"
        done = self.ansible(
            "adhoc", "managed_hosts", "--playbook-dir", "playbooks", "-o", "-c", "local",
            "-m", "ansible.builtin.debug", "-a", values,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        lines = [line.partition(" | SUCCESS => ") for line in done.stdout.splitlines()]
        return {
            host: dict(zip(names, json.loads(content)["msg"], strict=True))
            for host, _, content in lines
            if content
        }

    def opened(self) -> Vault:
        """Return the vault, with the password that was kept for it."""
        return Vault(self.vault, self.password.read_text().strip())


@pytest.fixture
def production(tmp_path: Path) -> Production:
    """Return the inventory of a fresh checkout."""
    return Production(tmp_path)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Production:
    """Return an inventory that has been filled in, not to be changed."""
    production = Production(tmp_path_factory.mktemp("filled"))
    done = production.init()
    assert done.returncode == 0, done.stderr
    production.make_sure()
    return production


@pytest.fixture
def initialised(filled: Production, tmp_path: Path) -> Production:
    """Return an inventory that has been filled in, for one test to change."""
    return filled.copy(tmp_path)
