"""The vault gets another password, and nobody is locked out whenever that ends early."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from production.secrets import Vault, VaultError
from production.vault_password import replace_password

from .conftest import ROOT

SECRETS = {"network_backup_secret": "kept"}
FORMER = "the former one"


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    (tmp_path / "vault-password").write_text(f"{FORMER}\n")
    Vault(tmp_path / "vault.yml", FORMER).write(SECRETS)
    return tmp_path / "vault.yml"


@pytest.fixture
def password(vault: Path) -> Path:
    return vault.with_name("vault-password")


def test_the_former_password_opens_nothing_and_the_new_one_everything(vault: Path, password: Path) -> None:
    text = Vault(vault, FORMER)._vault.decrypt(vault.read_bytes())
    said = replace_password(vault, password)
    new = password.read_text().strip()
    assert len(new) >= 40 and new not in said
    assert Vault(vault, new).read() == SECRETS
    assert Vault(vault, new)._vault.decrypt(vault.read_bytes()) == text, "comments stay"
    with pytest.raises(VaultError, match="another password"):
        Vault(vault, FORMER).read()
    assert password.stat().st_mode & 0o077 == 0 and vault.stat().st_mode & 0o077 == 0
    assert {file.name for file in vault.parent.iterdir()} == {"vault.yml", "vault-password"}


@pytest.mark.parametrize("reached", ["new password made", "vault encrypted"])
def test_a_run_that_was_killed_is_gone_on_with(vault: Path, password: Path, reached: str) -> None:
    password.with_name("vault-password.new").write_text("made by the run that was killed\n")
    if reached == "vault encrypted":
        Vault(vault, FORMER).encrypt_with("made by the run that was killed")
    replace_password(vault, password)
    assert password.read_text().strip() == "made by the run that was killed"
    assert Vault(vault, "made by the run that was killed").read() == SECRETS


def test_a_password_that_is_not_the_vaults_changes_nothing(vault: Path, password: Path) -> None:
    password.write_text("somebody else's\n")
    before = vault.read_bytes()
    with pytest.raises(VaultError, match="another password"):
        replace_password(vault, password)
    assert vault.read_bytes() == before and password.read_text() == "somebody else's\n"
    assert not password.with_name("vault-password.new").exists()


@pytest.mark.parametrize("lacking", ["vault.yml", "vault-password"])
def test_what_is_not_there_is_named(vault: Path, lacking: str) -> None:
    vault.with_name(lacking).unlink()
    command = [sys.executable, "-m", "production.vault_password", "--inventory", str(vault.parent)]
    command += ["--vault-password-file", str(vault.with_name("vault-password"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert lacking in done.stderr and "make production-init" in done.stderr and "Traceback" not in done.stderr
