"""A Mac can be the controller: what it runs needs no command of GNU's or Linux's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests import portability

ROOT = Path(__file__).parents[3]


def test_nothing_that_a_mac_runs_needs_gnu_or_linux():
    assert portability.faults(portability.controllers_files()) == []


def test_what_a_mac_runs_is_looked_at():
    files = {str(path.relative_to(ROOT)) for path in portability.controllers_files()}
    assert {
        "Makefile",
        "lab/bootstrap.sh",
        "production/init.py",
        "roles/proxmox_vm/tasks/forget.yml",
    } <= files


@pytest.mark.parametrize(
    "line",
    [
        "base64 --wrap=0 key",
        "base64 -w0 key",
        "sed -i s/a/b/ file",
        "sed -n -i p file",
        "x=$(readlink -f .)",
        "date -d yesterday",
        "date --utc +%F",
        "stat -c %s file",
        "a | grep -oP x",
        "xargs -r rm",
        "sort -V",
        "mktemp -p .",
        "df --output=avail .",
        "cp -a a b",
        "cp --reflink a b",
        "ln -sr a b",
        "tar -c --sort=name .",
        "find . -printf %p",
        "sha256sum file",
        "make -j $(nproc) x",
        "flock lock true",
        "timeout 5 true",
        "declare -A names",
        "echo ${name,,}",
        "mapfile -t lines",
    ],
)
def test_a_command_that_a_mac_has_not_is_found_with_what_to_write_instead(tmp_path, line):
    script = tmp_path / "script.sh"
    script.write_text(f"#!/bin/bash\n# {line}\n{line}\n")
    (fault,) = portability.faults([script])
    assert fault.startswith(f"{script}:3: ") and "; write " in fault


@pytest.mark.parametrize(
    "line",
    [
        "sed -e s/a/b/ file",
        "date -u +%F",
        "df -Pk .",
        "grep -E x",
        "cp -pR a b",
        "update --validate",
        "systemctl stop",
    ],
)
def test_what_a_mac_can_is_left_alone(tmp_path, line):
    script = tmp_path / "script.sh"
    script.write_text(f"{line}\n")
    assert portability.faults([script]) == []


def test_of_a_playbook_only_what_the_controller_does_counts(tmp_path):
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(
        """
- hosts: proxies
  tasks:
    - {name: On the host, ansible.builtin.command: sha256sum file}
    - name: On the controller
      delegate_to: localhost
      block:
        - {name: There, ansible.builtin.command: {argv: [stat, -c, "%s"]}}
- hosts: localhost
  tasks:
    - {name: Here, ansible.builtin.shell: sed -i x file}
"""
    )
    assert [fault.rpartition(": ")[2] for fault in portability.faults([playbook])] == [
        "stat -c %s",
        "sed -i x file",
    ]


# What these say of an option that they do not have, as BSD's programs do; everything else is passed on.
STAND_IN = """#!/bin/sh
for argument in "$@"; do
  case "$argument" in
    --*) echo "{0}: illegal option -- -" >&2; exit 64 ;;
  esac
done
exec {1} "$@"
"""
ABSENT = """apt-get apt-config dpkg dpkg-query flock getent ip lsb_release md5sum nproc podman setsid
    sha256sum systemctl timeout"""
BSD = """base64 cat chmod cksum cp cut date df du find head ln mkdir mktemp mv readlink rm sed sort stat tail
    touch tr wc xargs"""


@pytest.fixture
def mac(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a shell in which this machine's programs behave as a Mac's."""
    places = tmp_path / "bin"
    places.mkdir()
    scripts = dict.fromkeys(ABSENT.split(), '#!/bin/sh\necho "$0: command not found" >&2\nexit 127\n')
    scripts |= {name: STAND_IN.format(name, f"/usr/bin/{name}") for name in BSD.split()}
    scripts["uname"] = '#!/bin/sh\ncase "$1" in -m) echo arm64 ;; *) echo Darwin ;; esac\n'
    for name, text in scripts.items():
        (places / name).write_text(text)
        (places / name).chmod(0o755)
    return {**os.environ, "PATH": f"{places}:{ROOT}/.venv/bin:/usr/bin:/bin"}


def test_the_tools_of_the_real_network_are_installed_on_a_mac(mac):
    done = subprocess.run(
        ["make", "python-tools"], cwd=ROOT, env=mac, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lab_says_that_it_is_not_for_a_mac(mac):
    done = subprocess.run(
        ["make", "tools"], cwd=ROOT, env=mac, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0 and "the lab runs on Linux" in done.stderr


@pytest.mark.parametrize("target", ["production-init", "production-secrets"])
def test_the_verbs_for_the_real_network_need_no_lab(target):
    said = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert "bootstrap.sh --python-only" in said


@pytest.mark.slow
def test_production_is_filled_in_and_described_on_a_mac(production, mac):
    production.environment |= {"PATH": mac["PATH"]}
    done = production.init()
    assert done.returncode == 0, done.stdout + done.stderr
    described = production.ansible(
        "playbook", "playbooks/docs.yml", "-e", f"docs_directory={production.home}/docs"
    )
    assert described.returncode == 0, described.stdout + described.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("openrsync: protocol version 29\nrsync version 2.6.9 compatible", True),
        ("rsync  version 2.6.9  protocol version 29", True),
        ("rsync  version 3.4.1  protocol version 32", False),
    ],
)
def test_a_macs_own_rsync_is_named_before_anything_is_done(initialised, mac, said, fault):
    rsync = Path(mac["PATH"].partition(":")[0], "rsync")
    rsync.write_text(f"#!/bin/sh\ncat << END\n{said}\nEND\n")
    rsync.chmod(0o755)
    initialised.environment |= {"PATH": mac["PATH"]}
    done = initialised.ansible("playbook", "playbooks/validate.yml")
    assert ("brew install rsync" in done.stdout) == fault, done.stdout + done.stderr
