"""Give the production vault another password, so that the former one opens nothing of it any more.

Usage: python -m production.vault_password [--inventory DIRECTORY] [--vault-password-file FILE]

Interrupted anywhere, it is run again: the new password lies beside the former one before the vault is
encrypted with it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from production.init import LOCAL, PROJECT
from production.secrets import Vault, VaultError, password_from


def replace_password(vault_path: Path, password_file: Path) -> str:
    """Encrypt a vault with a new password, and return what there is to tell.

    Args:
        vault_path: the vault.
        password_file: the file that has its password, and then has the new one.

    Raises:
        VaultError: there is no vault, its password is not in the file, or it cannot be opened.
    """
    if not vault_path.exists() or not password_file.exists():
        lacking = password_file if vault_path.exists() else vault_path
        raise VaultError(
            f"{lacking} does not exist: `make production-init` makes the vault and its password."
        )
    beside = password_file.with_name(f"{password_file.name}.new")
    begun = beside.exists()  # by a run that did not end
    former, new = password_from(password_file), password_from(beside)
    try:
        vault = Vault(vault_path, former)
        vault.read()
    except VaultError:
        if not begun:
            beside.unlink()
            raise
        Vault(vault_path, new).read()
    else:
        vault.encrypt_with(new)
    beside.replace(password_file)
    return (
        f"{vault_path} has a new password, which is in {password_file}. Copy both again to where your copies "
        "are, and make the recovery kit and its sheet again: `make recovery-kit KIT=FILE REPLACE=true`. Who "
        "has a copy of the vault of before, and its password, knows the secrets in it: replace them, too "
        "(docs/security.md)."
    )


def main() -> int:
    """Parse the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inventory", type=Path, default=PROJECT / "inventories/production")
    parser.add_argument("--vault-password-file", type=Path, help="by default ~/.config/hal/vault-password")
    options = parser.parse_args()
    password_file = (options.vault_password_file or LOCAL / "vault-password").expanduser()
    try:
        print(replace_password(options.inventory / "vault.yml", password_file))
    except VaultError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
