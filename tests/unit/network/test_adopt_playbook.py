"""playbooks/adopt.yml on files and programs of the test's own: what it proposes is read as it is written."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml
from tests.ports import free_port
from tests.unit.network.test_validate_playbook import SECRETS, ansible

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
HOUSEHOLD = """\
global
    log /dev/log local0
defaults
    mode http
    timeout client 2m
frontend web
    bind *:80
    bind *:443 ssl crt /etc/ssl/home
    http-request redirect scheme https code 301 unless { ssl_fc }
    use_backend cloud if { hdr(host) -i cloud.example.org }
    use_backend admin if { hdr(host) -i admin.example.org }
userlist people
    user anna insecure-password "s3cret {{ word }}"
backend cloud
    server cloud 192.0.2.5:8080 check
backend admin
    http-request auth unless { http_auth(people) }
    http-request set-header X-Text "{{ no template }}"
    server admin 192.0.2.6:8080
listen stats
    bind :8404
    stats enable
"""


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a playbook on a copy of the lab's inventory and a haproxy.cfg."""
    inventory = shutil.copytree(
        ROOT / "inventories/lab",
        tmp_path / "lab",
        ignore=shutil.ignore_patterns("secrets.yml", "profile.yml", "sites*", "haproxy_*", "taken_over*"),
    )

    def run(name: str, *options: str, **variables: object) -> subprocess.CompletedProcess[str]:
        given = (
            SECRETS
            | {
                "ansible_connection": "local",
                "ansible_become": False,
                "ansible_python_interpreter": sys.executable,
                "haproxy_configuration_path": str(tmp_path / "haproxy.cfg"),
                "haproxy_defaults_path": str(tmp_path / "none"),
                "haproxy_program": "true",
                "adopt_parts": [],
                "adopt_page": str(tmp_path / "reports/adopt.html"),
                "proxmox_vm_answers": "local",
            }
            | variables
        )
        given = {name: value for name, value in given.items() if value is not None}
        command = [sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), f"playbooks/{name}.yml"]
        return subprocess.run(
            [*command, *options, "-e", json.dumps(given)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_proposal_is_read_as_it_is_written_and_makes_the_proxy_known(
    play: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(HOUSEHOLD)
    done = play("adopt")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Kept as it is: backend admin" in done.stdout and "s3cret" not in done.stdout
    assert configuration.read_text() == HOUSEHOLD
    place = tmp_path / "lab/group_vars/all"
    proposal, fragment = place / "sites_haproxy.yml.proposed", place / "haproxy_haproxy.cfg.proposed"
    sites = yaml.safe_load(proposal.read_text())
    assert [site["name"] for site in sites["network_sites"]] == ["to_https", "cloud", "admin_2"]
    assert sites["network_site_certificates"] == [{"path": "/etc/ssl/home"}]
    assert "s3cret" not in proposal.read_text() + fragment.read_text()
    assert "{{ no template }}" in fragment.read_text()

    proposal.rename(place / "sites.yml")
    fragment.rename(place / "haproxy_haproxy.cfg")
    done = play("validate")
    assert "a fragment needs the secret SITE_ANNA" in done.stdout
    done = play("validate", network_site_secrets={"SITE_ANNA": "x"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "has no site that the inventory does not know" in play("adopt").stdout
    arguments = ["-i", str(tmp_path / "lab"), "--playbook-dir", "playbooks", "-e", json.dumps(SECRETS)]
    done = ansible("ansible", "haproxy", *arguments, "-m", "ansible.builtin.debug", "-a", "var=haproxy_sites")
    assert '"leads_to": "cloud"' in done.stdout, done.stdout + done.stderr

    configuration.write_text(HOUSEHOLD + "backend new\n")
    assert play("adopt").returncode == 0
    assert proposal.exists() and yaml.safe_load((place / "sites.yml").read_text()) == sites


def test_a_configuration_that_cannot_be_read_is_told_with_its_line_and_nothing_is_written(
    play: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(HOUSEHOLD + '    stats realm "Household\n')
    before = sorted((tmp_path / "lab/group_vars/all").iterdir())
    done = play("adopt")
    assert done.returncode == 2
    assert f"{configuration}, line {len(HOUSEHOLD.splitlines()) + 1}: no closing quotation" in done.stdout
    assert sorted((tmp_path / "lab/group_vars/all").iterdir()) == before


def test_a_configuration_that_haproxy_would_not_start_with_is_told_and_nothing_is_written(
    play: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "haproxy.cfg").write_text(HOUSEHOLD)
    program = tmp_path / "haproxy"
    program.write_text("#!/bin/sh\necho '[ALERT] (7) : config : no key in /etc/ssl/home' >&2; exit 1\n")
    program.chmod(0o755)
    before = sorted((tmp_path / "lab/group_vars/all").iterdir())
    done = play("adopt", haproxy_program=str(program))
    assert done.returncode == 2
    said = " ".join(done.stdout.split())
    assert "does not accept its own configuration: no key in /etc/ssl/home. It would not start again." in said
    assert sorted((tmp_path / "lab/group_vars/all").iterdir()) == before


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that has programs of every host say something."""

    def write(**said: str) -> None:
        for name, text in said.items():
            (tmp_path / name).write_text(f"#!/bin/sh\necho '{text}'\n")
            (tmp_path / name).chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    write(ss="", ip="[]", systemctl="")
    return write


def test_what_listens_is_proposed_and_then_nothing_is_unknown(
    play: Callable[..., subprocess.CompletedProcess[str]], say: Callable[..., None], tmp_path: Path
) -> None:
    say(ss='tcp LISTEN 0 5 0.0.0.0:8123 0.0.0.0:* users:(("hass",pid=999999,fd=3))')
    place, page = tmp_path / "lab/group_vars/all", tmp_path / "reports/adopt.html"
    before = sorted(place.iterdir())
    done = play("adopt", "--check", adopt_parts=["listeners"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nas: Not known: hass on port 8123/tcp of every address" in done.stdout
    assert sorted(place.iterdir()) == before and "5 to decide" in page.read_text()

    play("adopt", adopt_parts=["listeners"])
    proposal = place / "taken_over.yml.proposed"
    services = yaml.safe_load(proposal.read_text())["network_foreign_services"]
    assert {service["group"] for service in services.values()} == {"nas", "mac", "qm1", "ubuai", "haproxy"}
    proposal.rename(place / "taken_over.yml")
    assert play("validate").returncode == 0
    done = play("adopt", adopt_parts=["listeners"])
    assert "Nothing is unknown." in done.stdout, done.stdout + done.stderr
    assert not proposal.exists() and "Nothing is unknown" in page.read_text()


def test_a_host_where_something_stands_in_the_way_is_left_before_anything_is_changed_there(
    play: Callable[..., subprocess.CompletedProcess[str]], say: Callable[..., None]
) -> None:
    done = play("check_hosts")
    assert done.returncode == 0, done.stdout + done.stderr
    say(systemctl="firewalld.service enabled\nId=firewalld.service")
    done = play("check_hosts", "--check")
    assert done.returncode == 2
    assert "Nothing was changed on ubuai, which has" in done.stdout
    assert "`systemctl disable --now firewalld.service`" in done.stdout
    listed = play("configure", "--list-tasks").stdout
    assert listed.index("Fail if something stands where HAL must") < listed.index("Configure the base system")


def test_unadopt_puts_back_on_the_named_host_what_was_there_and_says_so(
    play: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    settings = tmp_path / "kept/settings"
    settings.parent.mkdir()
    settings.write_text("# HAL network writes this file.\n")
    settings.with_name("settings.before-hal").write_text("theirs\n")
    roots = [str(settings.parent)]
    play = partial(play, unadopt_firewall=False)  # it would be that of this machine
    refused = play("unadopt", unadopt_roots=roots, host="nobody")
    assert refused.returncode == 2 and "Name the Linux host on which to put back" in refused.stdout
    assert play("unadopt", "--check", unadopt_roots=roots, host="ubuai").returncode == 0
    assert settings.read_text() == "# HAL network writes this file.\n"
    done = play("unadopt", unadopt_roots=roots, host="ubuai")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{settings} is as it was before HAL." in done.stdout and settings.read_text() == "theirs\n"
    assert "ubuai has nothing that HAL kept." in play("unadopt", unadopt_roots=roots, host="ubuai").stdout


@pytest.fixture
def ssh_port() -> Iterator[int]:
    """Return the port of a server that greets as SSH does, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            while True:
                try:
                    server.accept()[0].sendall(b"SSH-2.0-Test\r\n")
                except OSError:
                    return

        threading.Thread(target=greet, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that reads one host by SSH, which lets nobody in, and tells how it was asked."""
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\nexit 255\n')
    program.chmod(0o755)
    (tmp_path / "lab/host_vars").mkdir(parents=True)

    def ask(
        play: Callable[..., subprocess.CompletedProcess[str]], host: str, text: str = "", **variables: object
    ) -> list[str]:
        (tmp_path / f"lab/host_vars/{host}.yml").write_text(f"{{{text}}}\n")
        play(
            "adopt",
            f"--limit={host}",
            ansible_connection=None,
            ansible_host="127.0.0.1",
            ansible_ssh_executable=str(program),
            proxmox_vm_answers="ssh",
            **variables,
        )
        return (tmp_path / "asked").read_text().splitlines()

    return ask


def test_a_host_whose_ssh_port_hal_has_not_yet_moved_is_read(
    play: Callable[..., subprocess.CompletedProcess[str]], asked: Callable[..., list[str]], ssh_port: int
) -> None:
    for line in asked(play, "haproxy", proxmox_vm_ssh_ports=[free_port(), ssh_port]):
        assert re.search(rf"Port={ssh_port}\b", line)


@pytest.mark.parametrize("host", ["nas", "haproxy"], ids=["no virtual machine", "a virtual machine"])
def test_a_host_that_somebody_reaches_at_another_port_and_as_another_user_is_read(
    play: Callable[..., subprocess.CompletedProcess[str]],
    asked: Callable[..., list[str]],
    ssh_port: int,
    host: str,
) -> None:
    before = f"ssh_before: {{port: {ssh_port}, user: admin}}, network_ssh_port: {free_port()}"
    first, *later = asked(play, host, before)
    assert later, "it is not asked as anybody else"
    for line, user in [(first, "lawr"), *((line, "admin") for line in later)]:
        assert re.search(rf'Port={ssh_port}\b.*User="{user}"', line)
