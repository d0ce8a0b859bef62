"""The client's tasks as a Mac runs them: its facts are given, its paths are below a folder of the test."""

from __future__ import annotations

import getpass
import os
import plistlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {"HAL_GATEWAY_URL": "ws://qm1:8768", "HAPROXY_USER": "it's & me"}
ZSHRC = "alias ll='ls -l'\n"


class Mac:
    """A home and the directories of the client on a Mac that is none."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.home.mkdir()
        (self.home / ".zshrc").write_text(ZSHRC)
        self.agent = self.home / "Library/LaunchAgents/network.hal.environment.plist"

    def run(self, *arguments: str, stage: str = "configure", **variables: Any) -> str:
        """Run a stage of the role; return what Ansible printed, with its exit code in front."""
        facts = {"os_family": "Darwin", "distribution": "MacOSX", "cacheable": True}
        client = {
            "client_environment": ENVIRONMENT,
            "client_user": getpass.getuser(),
            "client_home": str(self.home),
            "client_path": str(self.root / "opt/client"),
            "client_bin_path": str(self.root / "bin"),
            "client_settings_path": str(self.root / "etc"),
        }
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": client | variables,
            "tasks": [
                {"ansible.builtin.set_fact": facts},
                {"ansible.builtin.include_role": {"name": "client", "tasks_from": stage}},
            ],
        }
        (self.root / "play.yml").write_text(yaml.safe_dump([play]))
        done = subprocess.run(
            ["ansible-playbook", "-i", "localhost,", str(self.root / "play.yml"), *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return f"{done.returncode} {done.stdout}{done.stderr}"


@pytest.fixture
def mac(tmp_path: Path) -> Mac:
    return Mac(tmp_path)


def test_zsh_knows_the_network_and_keeps_what_it_knew(mac: Mac) -> None:
    assert mac.run().startswith("0 ")
    assert " changed=0 " in mac.run()
    zshrc = (mac.home / ".zshrc").read_text()
    assert zshrc.startswith(ZSHRC)
    done = subprocess.run(
        ["bash", "-c", f"source {mac.home}/.zshrc; echo $HAL_GATEWAY_URL; echo $HAPROXY_USER"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["ws://qm1:8768", "it's & me"]
    assert not mac.agent.exists()


def test_the_token_is_for_its_user_alone_and_goes_when_it_is_revoked(mac: Mac) -> None:
    assert "told-nobody" not in mac.run("--diff", "-vvv", client_token="told-nobody")
    token = mac.root / "etc/token"
    shell = f". {mac.root}/opt/client/bin/network_config.sh; echo $HAL_TOKEN_FILE"
    assert (token.read_text(), token.stat().st_mode & 0o777) == ("told-nobody\n", 0o600)

    def known(**environment: str) -> str:
        return subprocess.run(
            ["sh", "-c", shell], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert known() == str(token)
    assert known(HAL_TOKEN_FILE="/elsewhere") == "/elsewhere"
    assert mac.run(client_token="").startswith("0 ")
    assert not token.exists() and known() == ""


def test_programs_of_the_dock_get_the_environment_if_wanted(mac: Mac) -> None:
    assert mac.run(stage="launch_agent", client_launch_agent=True).startswith("0 ")
    agent = plistlib.loads(mac.agent.read_bytes())
    assert agent["RunAtLoad"] is True
    shell, option, script = agent["ProgramArguments"]
    (mac.root / "launchctl").write_text('#!/bin/sh\nprintf "%s|" "$@"; echo\n')
    (mac.root / "launchctl").chmod(0o755)
    done = subprocess.run(
        [shell, option, script],
        env={"PATH": f"{mac.root}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        f"setenv|{name}|{value}|" for name, value in sorted(ENVIRONMENT.items())
    ]
    assert mac.run(stage="launch_agent").startswith("0 ")
    assert not mac.agent.exists()


def test_a_check_changes_nothing(mac: Mac) -> None:
    for stage in ("configure", "launch_agent"):
        assert mac.run("--check", stage=stage, client_launch_agent=True).startswith("0 ")
    assert sorted(path.name for path in mac.home.iterdir()) == [".zshrc"]
    assert (mac.home / ".zshrc").read_text() == ZSHRC


def test_a_mac_without_a_python_is_told_what_to_install(mac: Mac) -> None:
    old = mac.root / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    said = mac.run(stage="preflight", client_pythons=[str(old), "/nowhere/python3.13"])
    assert not said.startswith("0 ")
    assert "brew install python@3.13" in said
    assert mac.run(stage="preflight", client_pythons=[str(old), sys.executable]).startswith("0 ")
