"""Make this computer the controller with a recovery kit, and bring back everything that is lost.

Usage: python -m production.recover_house --kit FILE [--reinstalled HOST,…] [--unpack-only] [ARGUMENT …]

Each ARGUMENT is one of ansible-playbook. Run again, it leaves what it has put in place as it is. The
passphrase is asked for, or stands in HAL_KIT_PASSPHRASE, or in the file that HAL_KIT_PASSPHRASE_FILE names.
"""

from __future__ import annotations

import argparse
import getpass
import subprocess
import sys
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret, is_encrypted

from hal.network.recovery_kit import Kit, KitError, Places, Record, digests, passphrase

PROJECT = Path(__file__).resolve().parent.parent


def read(path: Path) -> Kit:
    """Return what a kit holds.

    Raises:
        KitError: there is none, it is damaged, or the passphrase is another one.
        OSError: it cannot be read.
    """
    if not path.is_file():
        raise KitError(f"There is no kit {path}: name it, as in KIT=/media/stick/hal.kit.")
    data = path.read_bytes()
    if not is_encrypted(data):
        raise KitError(f"{path} is no recovery kit: `make recovery-kit` writes one, encrypted.")
    given = passphrase(lambda: getpass.getpass("Passphrase of the kit: "))
    vault = VaultLib(secrets=[("default", VaultSecret(given.encode()))])
    try:
        return Kit.unpack(vault.decrypt(data))
    except AnsibleError:
        raise KitError(
            f"{path} cannot be opened: the passphrase is another one, or the file is damaged. Type it as it "
            "was written down; if that is right, take another copy of the kit."
        ) from None


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in the checkout."""
    return subprocess.run(
        ["git", "-C", str(PROJECT), *arguments], capture_output=True, text=True, check=False
    )


def is_as_cloned(path: Path) -> bool:
    """Return whether a file is as the checkout's commit has it, so that nothing of it can be lost."""
    known = git("ls-files", "--error-unmatch", str(path)).returncode == 0
    return known and git("diff", "--quiet", "HEAD", "--", str(path)).returncode == 0


def put(kit: Kit, path: Path, places: Places) -> None:
    """Put the files of a kit in place, unless that was done before, and say so.

    Raises:
        KitError: other files stand there.
    """
    local = places.path(kit.facts["local"])
    record = Record.read(local)
    done = record is not None and record.files == digests(kit.contents)
    differing = [] if done else [file for file in kit.differing(places) if not is_as_cloned(file)]
    if differing:
        raise KitError(
            "These files stand where the kit's belong, and differ from them. Move them away, and run "
            "this again; nothing was written:\n" + "\n".join(f"  {file}" for file in differing)
        )
    written = kit.put(places, keep=done)
    Record(str(path), kit.facts["made_at"], digests(kit.contents)).write(local)
    print(
        f"{path}, made {kit.facts['made_at']}: {len(written)} of {len(kit.contents)} files put in place.",
        flush=True,
    )
    made_at, here = kit.facts["commit"][:12], git("rev-parse", "HEAD").stdout[:12]
    if made_at != here:
        print(
            f"The kit was made at commit {made_at or 'unknown'}; this is {here or 'none of git'}. "
            f"If the plays refuse the kit's inventory: `git checkout {made_at}`, and this again."
        )


def run(options: argparse.Namespace, arguments: list[str]) -> int:
    """Put the kit in place, run the plays, and return the exit code.

    Raises:
        KitError, OSError: the kit cannot be used.
    """
    places = Places(PROJECT, Path.home())
    path = options.kit.expanduser().absolute()
    kit = read(path)
    put(kit, path, places)
    if options.unpack_only:
        return 0
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(places.path(kit.facts["inventory"]))]
    command += ["playbooks/recover_house.yml", *arguments]
    command += ["--extra-vars", f"reinstalled={options.reinstalled}"] if options.reinstalled else []
    return subprocess.run(command, cwd=PROJECT, check=False).returncode


def main() -> int:
    """Parse the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kit", type=Path, required=True, help="the file that `make recovery-kit` wrote")
    parser.add_argument(
        "--reinstalled", default="", help="hosts that were installed anew by hand, as pve,nas"
    )
    parser.add_argument("--unpack-only", action="store_true", help="put the files in place and run nothing")
    options, arguments = parser.parse_known_args()
    try:
        return run(options, arguments)
    except (KitError, OSError) as error:
        print(f"recover-house: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
