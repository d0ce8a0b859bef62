"""Fill in the production inventory: ask the few questions it takes, make the secrets, write the vault.

Usage: python -m production.init [--answers FILE] [--inventory DIRECTORY] [--vault-password-file FILE]

Run again, it offers what stands there as the answer; secrets that exist stay as they are.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from hal.network.backups import backup_hosts
from hal.network.catalogue import LISTENER_MODES
from hal.network.files import write_private
from hal.network.inventory import read_inventory
from hal.network.preparation import GPUS
from hal.network.store import sftp_address, store_keys
from hal.network.timezones import computers_zone
from production import questions
from production.inventory import BACKUP_SERVER, BACKUP_SERVERS, HOSTS, MACHINES, Inventory, OldNamesError
from production.questions import AnswerError, Question
from production.secrets import Vault, VaultError, complete, password_from, write_windows_certificate

PROJECT = Path(__file__).resolve().parent.parent
LOCAL = Path("~/.config/hal")
CALLED = {
    "qm1": "the QM server (Windows)",
    "ubuai": "the AI server",
    "haproxy": "the proxy",
    "nas": "the backup server",
    "pve": "the Proxmox host",
}


def joined(networks: list[str]) -> str:
    """Return networks as one answers."""
    return ", ".join(networks)


def form(inventory: Inventory) -> list[Question]:
    """Return the questions, each with what stands in the inventory as its default."""
    network = inventory.network.content
    key = Path("~/.ssh/id_ed25519.pub").expanduser()
    clients = inventory.group("clients")
    client = "none" if "mac" not in clients else clients["mac"]["address"].replace("dhcp", "here")
    asked = [
        Question(
            "administrator",
            "Your user name on the Linux hosts",
            questions.name,
            network["network_administrator_user"],
        ),
        Question(
            "administrator_key",
            "Your public SSH key, or its file",
            questions.public_key,
            network["network_administrator_key"] or (str(key) if key.is_file() else None),
        ),
    ]
    asked += [
        Question(
            "backup_server",
            "Where backups go: `machine` (a new one), `host` (Linux, exists) or `store` (SFTP, S3, REST)",
            questions.one_of(*BACKUP_SERVERS),
            inventory.backup_server,
        )
    ]
    asked += [
        Question(
            f"{host}_address",
            f"Address of {CALLED[host]}",
            questions.address,
            inventory.known(host).get("address") or None,
            only=("backup_server", "machine", "host") if host == BACKUP_SERVER else (),
        )
        for host in HOSTS
    ]
    in_store = ("backup_server", "store")
    asked += [
        Question(
            "backup_store",
            "The store: sftp:user@host:/path, s3:https://host/bucket or rest:https://host:8000/path",
            questions.store,
            network.get("network_backup_store") or None,
            only=in_store,
        ),
        Question(
            "backup_store_host_key",
            "  its SSH host key, `ssh-ed25519 AAAA…` (SFTP alone)",
            questions.anything,
            network.get("network_backup_store_host_key", ""),
            only=in_store,
        ),
        Question(
            "backup_store_user", "  its user or access key (S3, REST)", questions.anything, "", only=in_store
        ),
        Question(
            "backup_store_password",
            "  and the password or secret key (empty: the one in the vault)",
            questions.anything,
            "",
            secret=True,
            only=in_store,
        ),
    ]
    asked += [
        Question(
            "client",
            "The Mac that people talk to: `here` if it is this computer, its address, or `none`",
            questions.client,
            client,
        ),
        Question(
            "administrator_networks",
            "Networks that you administer from (192.0.2.7/32 is one computer)",
            questions.some_house_networks,
            joined(network["network_administrator_networks"]) or None,
        ),
        Question(
            "client_networks",
            "Networks that people use HAL from",
            questions.networks,
            joined(network["network_client_networks"]),
        ),
        Question(
            "trusted_networks",
            "  and those whose devices need no token",
            questions.house_networks,
            joined(network["network_trusted_networks"]),
        ),
        Question(
            "timezone",
            "The household's time zone, by which HAL knows what is today",
            questions.time_zone,
            network["network_timezone"] or computers_zone(),
        ),
        Question(
            "proxmox_node",
            "Name of the Proxmox node",
            questions.name,
            inventory.machines.content["network_proxmox_node"],
        ),
    ]
    for host in MACHINES:
        variables = inventory.known(host)
        known = str(variables["vmid"]) if variables.get("vmid") else None
        name = variables.get("machine", {}).get("name", host)
        only = ("backup_server", "machine") if host == BACKUP_SERVER else ()
        number = f"Number in Proxmox of {CALLED[host]}" + (", one that nothing has" if only else "")
        asked += [
            Question(f"{host}_vmid", number, questions.number, known, only=only),
            Question(f"{host}_machine", "  and its name there", questions.name, name, only=only),
        ]
    return [
        *asked,
        Question(
            "proxmox_token_secret",
            "Secret of the token hal@pve!ansible (empty: hypervisor.yml makes it)",
            questions.anything,
            "",
            secret=True,
        ),
        Question(
            "windows_user",
            "An administrator of the QM server",
            questions.name,
            inventory.windows.content["network_windows_user"],
        ),
        Question(
            "windows_password",
            "  and that account's password (empty: the one in the vault)",
            questions.anything,
            "",
            secret=True,
        ),
        Question(
            "gpu",
            "The AI server's GPU: auto (what is there), nvidia, amd or none",
            questions.one_of(*GPUS),
            inventory.models.content["network_gpu"],
        ),
        Question(
            "listener_mode",
            "Who serves port 8768: gateway (the Python gateway) or phantom (QM itself)",
            questions.one_of(*LISTENER_MODES),
            network["hal_listener_mode"],
        ),
    ]


def ask_person(asked: list[Question], inventory: Inventory) -> dict[str, Any] | None:
    """Ask a person, show what would be changed, and return the answers if it may be."""
    try:
        answers = questions.ask(asked)
        inventory.fill_in(answers)
        return answers if confirm(inventory) else None
    except (KeyboardInterrupt, EOFError):
        return None


def confirm(inventory: Inventory) -> bool:
    """Show what would be changed and ask whether it may be."""
    changes = inventory.changes()
    if not changes:
        return True
    print("\nThe inventory would change:", *changes, sep="\n  ")
    return input("Write this? [y/N]: ").strip().lower() in ("y", "yes")


def fill_vault(
    vault: Vault, held: dict[str, Any], answers: dict[str, Any], inventory: Inventory
) -> dict[str, Any]:
    """Write the vault with what is asked and what is made, if that changes it, and return what it holds."""
    given = {
        "network_proxmox_token_secret": answers["proxmox_token_secret"],
        "network_windows_password": answers["windows_password"],
        "network_backup_store_access": answers["backup_store_password"]
        and {"user": answers["backup_store_user"], "password": answers["backup_store_password"]},
    }
    wanted = complete(
        held | {name: value for name, value in given.items() if value},
        inventory.certificate_names(),
        list(inventory.group("clients")),
    )
    if wanted != held:
        vault.write(wanted)
        print(f"{vault.path}: written, encrypted")
    return wanted


def advise(
    answers: dict[str, Any], held: dict[str, Any], directory: Path, directory_of_inventory: Path
) -> None:
    """Say what comes next, in order."""
    steps = []
    if address := sftp_address(answers["backup_store"]):
        groups = read_inventory(directory_of_inventory / "hosts.yml").groups
        described = yaml.safe_load((directory_of_inventory / "group_vars/all/backups.yml").read_text())
        hosts = backup_hosts(described["network_backups"], groups)
        steps.append(
            f"On {address['host']}, let these keys in as {address['user']} (~/.ssh/authorized_keys):"
        )
        steps += [f"  restrict {key}" for key in store_keys(hosts, groups, held["network_backup_secret"])]
    if not (directory / "proxmox-ca.pem").exists():
        steps.append(f"scp root@{answers['pve_address']}:/etc/pve/pve-root-ca.pem {directory}/proxmox-ca.pem")
    if not held.get("network_proxmox_token_secret") and not (directory / "proxmox-token").exists():
        steps.append(
            "ansible-playbook -i inventories/production playbooks/hypervisor.yml   # see docs/production.md"
        )
    steps.append("ansible-playbook -i inventories/production site.yml --check --diff")
    print("\nNext:", *steps, sep="\n  ")


def run(options: argparse.Namespace) -> int:
    """Ask, write and validate; return the exit code.

    Raises:
        AnswerError: the file of answers has faults.
        OldNamesError: the inventory sets variables by old names.
        VaultError: the vault that is there cannot be used.
    """
    inventory = Inventory(options.inventory)
    asked = form(inventory)
    password_file = (options.vault_password_file or LOCAL / "vault-password").expanduser()
    vault_path = options.inventory / "vault.yml"
    if vault_path.exists() and not password_file.exists():
        raise VaultError(
            f"{vault_path} exists, and its password is not in {password_file}: put it there, or name its "
            "file with --vault-password-file."
        )
    if password_file.exists():  # a vault that cannot be opened is said before the questions
        Vault(vault_path, password_from(password_file)).read()
    answers: dict[str, Any] | None
    if options.answers:
        answers = questions.read(asked, options.answers)
        inventory.fill_in(answers)
    elif (answers := ask_person(asked, inventory)) is None:
        print("\nNothing was written.")
        return 1

    inventory.write()
    directory = LOCAL.expanduser()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    vault = Vault(vault_path, password_from(password_file))
    held = fill_vault(vault, vault.read(), answers, inventory)
    write_private(directory / "ca.crt", held["network_ca_certificate"].encode())
    certificate = write_windows_certificate(held, directory, "qm1", answers["qm1_address"])
    print(
        *inventory.changes(),
        f"{password_file}: the vault's password. Keep a copy where it outlives this computer",
        f"{directory}/ca.crt: our certificate authority, for clients to trust",
        sep="\n",
    )
    if certificate:
        print(certificate)
    if options.vault_password_file:
        print(f"Before every run: export ANSIBLE_VAULT_PASSWORD_FILE={password_file}")
    if options.validate:
        command = [
            sys.executable,
            "-m",
            "ansible",
            "playbook",
            "-i",
            str(options.inventory),
            "playbooks/validate.yml",
        ]
        environment = {"ANSIBLE_VAULT_PASSWORD_FILE": str(password_file)}
        print("\nWhat is still lacking:", flush=True)
        subprocess.run(command, cwd=PROJECT, env=os.environ | environment, check=False)
    advise(answers, held, directory, options.inventory)
    return 0


def main() -> int:
    """Parse the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", type=Path, help="a YAML file instead of a person: `key: answer`")
    parser.add_argument("--inventory", type=Path, default=PROJECT / "inventories/production")
    parser.add_argument("--vault-password-file", type=Path, help="by default ~/.config/hal/vault-password")
    parser.add_argument(
        "--no-validate", dest="validate", action="store_false", help="do not validate at the end"
    )
    try:
        return run(parser.parse_args())
    except (AnswerError, OldNamesError, VaultError) as error:
        print(f"production-init: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
