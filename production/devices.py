"""The devices that may ask HAL, each with a token of its own: `hal devices list|add NAME|revoke NAME`.

A new token is shown once, on standard output. Then the hosts are told, without a restart of anything.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecretsContext, get_file_vault_secret
from vars_plugins.vault_file import VarsModule

from hal.network.devices import CHECKS, Change, DeviceError, change, changed_text, tokens_in
from hal.network.inventory import read_inventory

PROJECT = Path(__file__).resolve().parent.parent
FILES = ("vault.yml", "group_vars/all/secrets.yml")


class Devices:
    """The devices of an inventory.

    Args:
        inventory: its directory.
    """

    def __init__(self, inventory: Path) -> None:
        self._inventory = inventory
        self._vault = VarsModule()
        if given := os.environ.get("ANSIBLE_VAULT_PASSWORD_FILE"):
            secret = get_file_vault_secret(filename=given, loader=DataLoader())
            secret.load()
            VaultSecretsContext.initialize(VaultSecretsContext([("default", secret)]))

    @property
    def file(self) -> Path:
        """The file of the secrets.

        Raises:
            DeviceError: there is none yet.
        """
        for name in FILES:
            if (self._inventory / name).is_file():
                return self._inventory / name
        raise DeviceError(f"{self._inventory} has no secrets yet: `make production-init` makes them.")

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens by the devices' names."""
        return tokens_in(self._vault.text(self.file))

    @property
    def installed(self) -> set[str]:
        """The devices to which Ansible brings their tokens."""
        return set(read_inventory(self._inventory / "hosts.yml").groups.get("clients", ()))

    def change(
        self, add: list[str] | None = None, revoke: list[str] | None = None, *, replace: bool = False
    ) -> Change:
        """Change the tokens in the vault. Raises DeviceError."""
        done = change(self.tokens, add or [], revoke or [], replace=replace)
        self._vault.rewrite(self.file, lambda text: changed_text(text, done.tokens))
        return done

    def apply(self) -> int:
        """Tell the hosts; return the exit code of that."""
        command = [sys.executable, "-m", "ansible", "playbook", "-i", str(self._inventory)]
        return subprocess.run(
            [*command, "playbooks/devices.yml"], cwd=PROJECT, stdout=sys.stderr, check=False
        ).returncode


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit code.

    Raises:
        DeviceError: it cannot be done, and nothing was.
    """
    devices = Devices(options.inventory.resolve())
    if options.command == "list":
        installed = devices.installed
        for name in sorted(devices.tokens):
            where = "the checks" if name == CHECKS else "installed by Ansible" if name in installed else ""
            print(f"{name}  {where}".rstrip())
        return 0
    if options.command == "add":
        done = devices.change(add=[options.name], replace=options.replace)
        if options.name not in devices.installed | {CHECKS}:
            print(f"The token of {options.name}, which is shown this once:", file=sys.stderr)
            print(done.tokens[options.name], flush=True)
    else:
        devices.change(revoke=[options.name])
    if not options.apply:
        print("The hosts know of it after the next site.yml or playbooks/devices.yml.", file=sys.stderr)
        return 0
    code = devices.apply()
    if code:
        print("Not every host was told: run playbooks/devices.yml again.", file=sys.stderr)
    return code


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and return the exit code."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--inventory", type=Path, default=PROJECT / "inventories/production")
    parser = argparse.ArgumentParser(
        prog="hal devices", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", parents=[common], help="show which devices have a token")
    for name, summary in (("add", "give a device a token"), ("revoke", "take a device's token away")):
        command = commands.add_parser(name, parents=[common], help=summary)
        command.add_argument("name", metavar="NAME")
        command.add_argument("--no-apply", dest="apply", action="store_false", help="change the vault alone")
        if name == "add":
            command.add_argument("--replace", action="store_true", help="another token instead of its own")
    try:
        return run(parser.parse_args(argv))
    except (DeviceError, AnsibleError, OSError) as error:
        print(f"hal devices: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
