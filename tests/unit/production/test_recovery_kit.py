"""The recovery kit makes another computer the controller: it lacks nothing that a play reads there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from lab.credentials import ssh_key_pair
from tests.code_reader import pictures, read
from tests.ports import free_port

from hal.network.backups import backup_access
from hal.network.recovery_kit import RECORD, VAULT_PASSWORD, Kit, Record

from .conftest import ANSWERS, PRODUCTION, ROOT
from .test_validation import VALIDATE, faults

pytestmark = pytest.mark.slow

PASSPHRASE = "six words that nobody else guesses"
# What a controller has in its home; ~/.ssh is where the kit looks for the administrator's key.
HOMES = ("~/.config/hal", "~/.ssh")


class Computer:
    """A computer with a clone of this tree and a home of its own, its inventory's addresses on loopback."""

    def __init__(self, directory: Path, source: Path) -> None:
        self.project = directory / "hal"
        self.home = directory / "home"
        self.local = self.home / ".config/hal"
        self.inventory = self.project / "inventories/production"
        self.home.mkdir(parents=True)
        subprocess.run(["git", "clone", "--quiet", str(source), str(self.project)], check=True)

    def run(
        self, *command: str, passphrase: str = PASSPHRASE, program: Path | None = None, vault: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a module of Python, or another program, in the clone, with this home."""
        environment = os.environ | {"HOME": str(self.home), "HAL_KIT_PASSPHRASE": passphrase}
        environment.pop("ANSIBLE_VAULT_PASSWORD_FILE", None)
        environment |= {"ANSIBLE_VAULT_PASSWORD_FILE": vault} if vault else {}
        return subprocess.run(
            [*([program] if program else [sys.executable, "-m"]), *command],
            cwd=self.project, env=environment, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip

    def play(self, playbook: str, *arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook on the clone's production inventory."""
        return self.run(
            "ansible", "playbook", "-i", "inventories/production", playbook, *arguments, **options
        )

    def unpack(self, kit: Path, *arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
        """Put a kit in place, and run nothing."""
        return self.run("production.recover_house", "--kit", str(kit), "--unpack-only", *arguments, **options)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository of this tree as it stands here, its production addresses on loopback."""
    tree = tmp_path_factory.mktemp("tree")
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
    port = free_port()
    for file in (tree / PRODUCTION.relative_to(ROOT)).rglob("*.yml"):
        text = re.sub(r"\b10\.1\.", "127.1.", file.read_text())
        file.write_text(re.sub(r"\bport: 22\b", f"port: {port}", text))
    for arguments in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "--message=A tree"],
    ):
        subprocess.run(["git", "-C", str(tree), *arguments], check=True)
    return tree


@pytest.fixture(scope="module")
def controller(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Computer:
    """Return the household's controller, which has all that it needs."""
    computer = Computer(tmp_path_factory.mktemp("controller"), tree)
    private, public = ssh_key_pair()
    (computer.home / ".ssh").mkdir(mode=0o700)
    (computer.home / ".ssh/household").write_bytes(private)
    (computer.home / ".ssh/household.pub").write_bytes(public)
    answers = computer.home / "answers.yml"
    content = ANSWERS | {"administrator_key": public.decode().strip(), "proxmox_token_secret": ""}
    answers.write_text(yaml.safe_dump(content))
    answers.chmod(0o600)
    done = computer.run("production.init", "--answers", str(answers), "--no-validate")
    assert done.returncode == 0, done.stderr
    shutil.copy(computer.local / "ca.crt", computer.local / "proxmox-ca.pem")
    for name, text in (
        ("proxmox-token", "11111111-2222-3333-4444-555555555555\n"),
        ("known_hosts", "127.1.70.10 ssh-ed25519 AAAA\n"),
        ("data.json", '{"qm1": ["account"]}\n'),
    ):
        (computer.local / name).write_text(text)
    return computer


@pytest.fixture(scope="module")
def kit(controller: Computer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the controller's kit."""
    path = tmp_path_factory.mktemp("stick") / "hal.kit"
    done = controller.play("playbooks/recovery_kit.yml", "-e", f"kit={path}")
    assert done.returncode == 0, done.stdout
    assert "NOT IN THE KIT" not in done.stdout
    return path


@pytest.fixture
def another(kit: Path, tree: Path, tmp_path: Path) -> Computer:
    """Return a computer that has become the controller by the kit."""
    computer = Computer(tmp_path, tree)
    done = computer.unpack(kit)
    assert done.returncode == 0, done.stderr
    return computer


def kit_age(computer: Computer) -> str:
    """Return what the checks say of a controller's kit."""
    done = computer.run(
        "ansible", "adhoc", "localhost", "-i", "inventories/production", "--playbook-dir", "playbooks",
        "-m", "recovery_kit", "-a", '{"controller": "{{ network_controller }}"}',
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return re.sub(r"\s+", " ", done.stdout)


def opened(kit: Path) -> Kit:
    """Return what a kit holds."""
    return Kit.unpack(VaultLib([("default", VaultSecret(PASSPHRASE.encode()))]).decrypt(kit.read_bytes()))


def test_another_computer_lacks_nothing_that_the_controller_has(controller, kit, tree, tmp_path):
    another = Computer(tmp_path, tree)
    assert len(faults(another.play(VALIDATE))) > 5
    done = another.unpack(kit)
    assert done.returncode == 0, done.stderr
    lacking = [fault.replace(str(tmp_path), "") for fault in faults(another.play(VALIDATE))]
    here = [fault.replace(str(controller.home.parent), "") for fault in faults(controller.play(VALIDATE))]
    assert lacking == here
    assert all("cannot be reached" in fault or "does not answer" in fault for fault in lacking), lacking
    assert (another.home / ".ssh/household").stat().st_mode & 0o777 == 0o600
    assert (another.local / "data.json").read_text() == (controller.local / "data.json").read_text()


def test_everything_in_the_local_directory_and_the_inventory_is_in_the_kit(controller, kit):
    held = {name for name in opened(kit).contents if name.startswith("home/.config/hal/")}
    there = {path.name for path in controller.local.iterdir()} - {RECORD}
    assert held == {f"home/.config/hal/{name}" for name in there}
    files = [path for path in controller.inventory.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {f"project/{path.relative_to(controller.project)}" for path in files} <= opened(
        kit
    ).contents.keys()


def test_no_play_reads_a_file_of_the_controllers_home_that_no_kit_holds():
    """Whatever a play reads on the controller stands in the checkout, or where the kit takes all there is."""
    sources = [
        *(path for top in ("inventories", "playbooks", "roles") for path in (ROOT / top).rglob("*.yml")),
        *(path for top in ("vars_plugins", "action_plugins") for path in (ROOT / top).glob("*.py")),
    ]
    read = {
        (place, str(path.relative_to(ROOT)))
        for path in sources
        for line in path.read_text().splitlines()
        for place in re.findall(r"~/[\w./-]+", line)
    }
    assert read, "at least the local directory is there"
    assert {(place, path) for place, path in read if not place.startswith(HOMES)} == set()


def test_nothing_of_the_kit_is_in_clear_and_nobody_else_may_read_it(controller, kit):
    assert kit.stat().st_mode & 0o777 == 0o600
    assert kit.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256\n")
    sheet = kit.with_name("hal.kit.html").read_text()
    secrets = [path.read_text().strip() for path in controller.local.glob("*password")]
    secrets += [(controller.local / "proxmox-token").read_text().strip(), PASSPHRASE]
    secrets += (controller.home / ".ssh/household").read_text().splitlines()[1:-1]
    assert not [secret for secret in secrets if secret in sheet or secret.encode() in kit.read_bytes()]
    for told in ("REINSTALLED=pve", "127.1.33.1", "repository <code>qm1</code>", "the template of Windows"):
        assert told in sheet


def shown(sheet: str, needed: str) -> str:
    """Return the command on a sheet that has something in it."""
    return next(
        code for code in map(unescape, re.findall("<code>(.*?)</code>", sheet, re.DOTALL)) if needed in code
    )


def test_the_paper_alone_opens_the_backups_and_the_vault_for_whoever_has_the_passphrase(
    controller, kit, tree, tmp_path
):
    another = Computer(tmp_path, tree)
    sheet = kit.with_name("hal.kit.html").read_text()
    scanned = [read(picture) for picture in pictures(sheet)]
    assert scanned and f"{len(scanned)} of {len(scanned)}" in sheet
    (another.project / "paper.vault").write_text("\n".join(scanned))
    (another.home / "passphrase").write_text(PASSPHRASE)
    (another.home / "wrong").write_text("another passphrase altogether")
    _, *decrypt = shown(sheet, "decrypt --output").split()
    for file, code in (("wrong", 1), ("passphrase", 0)):
        done = another.run("ansible", "vault", *decrypt, vault=str(another.home / file))
        assert done.returncode == code, done.stderr
    held = yaml.safe_load((another.project / "paper.yml").read_text())
    assert held["vault_password"] == (controller.local / "vault-password").read_text().strip()
    vault = VaultLib([("default", VaultSecret(held["vault_password"].encode()))])
    secrets = yaml.safe_load(vault.decrypt((controller.inventory / "vault.yml").read_bytes()))
    assert held["network_backup_secret"] == secrets["network_backup_secret"]
    assert not {"network_proxmox_token_secret", "network_ca_key"} & held.keys()

    _, *tell = shlex.split(shown(sheet, "backup_access"))
    told = another.run("ansible", "adhoc", *tell)
    assert told.returncode == 0, told.stdout + told.stderr
    host = re.search("{{ '(.*?)' ", " ".join(tell))[1]
    assert backup_access(host, held["network_backup_secret"])["offsite_encryption"] in told.stdout


def test_a_kit_that_exists_is_replaced_only_when_that_is_said(controller, kit):
    before = kit.read_bytes()
    done = controller.play("playbooks/recovery_kit.yml", "-e", f"kit={kit}")
    assert done.returncode == 2 and "exists. Name another file, or say REPLACE=yes" in done.stdout
    assert kit.read_bytes() == before


@pytest.mark.parametrize(
    ("passphrase", "sentence"),
    [("", "No passphrase was given"), ("too short", "must have 16 characters or more")],
)
def test_a_weak_passphrase_is_refused(controller, tmp_path, passphrase, sentence):
    path = tmp_path / "hal.kit"
    done = controller.play("playbooks/recovery_kit.yml", "-e", f"kit={path}", passphrase=passphrase)
    assert done.returncode == 2 and sentence in done.stdout
    assert not path.exists()


def test_a_wrong_passphrase_and_a_damaged_kit_are_told_apart_from_none(kit, tree, tmp_path):
    another = Computer(tmp_path, tree)
    damaged, no_kit = tmp_path / "damaged", tmp_path / "none"
    damaged.write_bytes(kit.read_bytes()[:-200])
    no_kit.write_text("a shopping list")
    for done, sentence in (
        (another.unpack(kit, passphrase="another passphrase altogether"), "the passphrase is another one"),
        (another.unpack(damaged), "or the file is damaged"),
        (another.unpack(no_kit), "is no recovery kit"),
        (another.unpack(tmp_path / "missing"), "There is no kit"),
        (another.unpack(kit, passphrase=""), "No passphrase was given"),
    ):
        assert done.returncode == 1 and sentence in done.stderr and "Traceback" not in done.stderr
    assert not another.local.exists()


def test_what_differs_is_never_overwritten_and_a_second_time_changes_nothing(kit, tree, tmp_path):
    another = Computer(tmp_path, tree)
    another.local.mkdir(parents=True)
    (another.local / "ca.crt").write_text("another authority")
    hosts = another.inventory / "hosts.yml"
    mine = hosts.read_text() + "# mine\n"
    hosts.write_text(mine)
    refused = another.unpack(kit)
    assert refused.returncode == 1
    assert str(another.local / "ca.crt") in refused.stderr and str(hosts) in refused.stderr
    assert hosts.read_text() == mine and not another.inventory.joinpath("vault.yml").exists()

    (another.local / "ca.crt").unlink()
    subprocess.run(["git", "-C", str(another.project), "checkout", "--quiet", "--", str(hosts)], check=True)
    assert another.unpack(kit).returncode == 0
    (another.local / "data.json").write_text("{}\n")  # as the checks do
    (another.local / "known_hosts").unlink()
    again = another.unpack(kit)
    assert again.returncode == 0 and " 1 of " in again.stdout
    assert (another.local / "data.json").read_text() == "{}\n"


def test_a_kit_opens_the_vault_also_where_a_program_gives_its_password(another):
    password = another.local / "vault-password"
    held = password.read_text().strip()
    password.unlink()
    program = another.home / "vault-pass"
    program.write_text(f"#!/bin/sh\necho {held}\n")
    program.chmod(0o700)
    kit = another.home / "hal.kit"
    arguments = ("playbooks/recovery_kit.yml", "-e", f"kit={kit}")

    done = another.play(*arguments)
    assert done.returncode == 0 and "NOT IN THE KIT: the vault's password" in done.stdout
    assert VAULT_PASSWORD not in opened(kit).contents

    done = another.play(*arguments, "-e", "replace=true", vault=str(program))
    assert done.returncode == 0 and "NOT IN THE KIT" not in done.stdout
    assert opened(kit).contents[VAULT_PASSWORD].decode().strip() == held

    password.write_text("of another vault\n")
    password.chmod(0o600)
    done = another.play(*arguments, "-e", "replace=true")
    assert done.returncode == 0 and "NOT IN THE KIT: the vault's password" in done.stdout


@pytest.mark.parametrize(("given", "place"), [("~/Jane's stick/hal.kit", "home"), ("a stick/hal.kit", "hal")])
def test_make_takes_any_path_from_where_it_runs(another, given, place):
    ansible = another.project / ".venv/bin/ansible-playbook"
    ansible.parent.mkdir(parents=True)
    ansible.write_text(f'#!/bin/sh\nexec {sys.executable} -m ansible playbook "$@"\n')
    ansible.chmod(0o755)
    make = Path(shutil.which("make") or "make")
    done = another.run("--old-file=python-tools", "recovery-kit", f"KIT={given}", program=make)
    assert done.returncode == 0, done.stdout + done.stderr
    path = another.home.parent / place / given.removeprefix("~/")
    assert opened(path).contents and path.with_name("hal.kit.html").exists()


def test_no_fault_of_the_controllers_files_fails_a_run_that_only_asks_for_the_kits_age(another):
    with (another.local / "film.mkv").open("wb") as file:
        file.truncate(30 * 2**20)
    assert "cannot be told" in kit_age(another) and "film.mkv" in kit_age(another)
    (another.local / RECORD).unlink()
    assert "There is no recovery kit" in kit_age(another)


def test_the_health_says_when_the_kit_is_older_than_what_it_holds(controller, kit):
    made = Record.read(controller.local)
    assert made is not None and Path(made.path) == kit
    assert "holds what this computer has now" in kit_age(controller)
    known_hosts = controller.local / "known_hosts"
    before = known_hosts.read_text()
    known_hosts.write_text(before + "127.1.10.20 ssh-ed25519 AAAA\n")
    assert "is older than what it holds: known_hosts has changed" in kit_age(controller)
    known_hosts.write_text(before)


def test_hosts_that_were_installed_anew_lose_their_old_host_keys_and_no_others_do(kit, tree, tmp_path):
    another = Computer(tmp_path, tree)
    assert another.unpack(kit).returncode == 0
    known_hosts = another.local / "known_hosts"
    kept = known_hosts.read_text()
    key = "127.1.33.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n"
    known_hosts.write_text(kept + key)

    refused = another.play("playbooks/recover_house.yml", "-e", "reinstalled=qm1")
    assert refused.returncode == 2 and "Machines of Proxmox are made anew without" in refused.stdout
    assert known_hosts.read_text() == kept + key

    another.play("playbooks/recover_house.yml", "-e", "reinstalled=pve")  # which is not there
    assert key not in known_hosts.read_text() and kept in known_hosts.read_text()
