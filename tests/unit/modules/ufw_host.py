"""A host whose ufw is a stand-in that keeps its rules in files."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import firewall_guard, ufw_firewall

# Written into the test's folder as `ufw`. What it does was compared with ufw 0.36.2: a rule is found by
# everything but its action and comment, adding it again updates those, and deleting a missing one succeeds.
# It is started hundreds of times, so it imports little.
UFW = """#!{python} -IS
import json, sys
folder = {folder!r}
words = sys.argv[1:]
with open(folder + "/calls", "a") as calls:
    calls.write(json.dumps(["ufw", *words]) + "\\n")
with open(folder + "/ufw.json") as file:
    state = json.load(file)
words = [word for word in words if word != "--force"]
key = lambda words: " ".join(word for word in words if word not in ("allow", "deny", "limit"))
line = lambda words: " ".join("'" + word + "'" if " " in word else word for word in words)
if words == ["show", "added"]:
    print("Added user rules (see 'ufw status' for running firewall):")
    for rule, comment in state["rules"].items():
        print("ufw " + rule + (f" comment '{{comment}}'" if comment else ""))
elif words == ["status"]:
    print("Status:", "active" if state["active"] else "inactive")
elif words[:2] == ["app", "info"]:
    if words[2] != "Nginx Full":
        sys.exit("ERROR: Could not find a profile matching '" + words[2] + "'")
    print("Profile: Nginx Full\\nTitle: Web Server\\n\\nPorts:\\n  80,443/tcp")
    sys.exit()
elif words == ["reload"]:
    pass
elif words[0] in ("enable", "disable"):
    state["active"] = words[0] == "enable"
elif words[0] == "default":
    state["default"][words[2]] = words[1]
elif words[0] == "logging":
    state["logging"] = words[1]
elif "delete" in words:
    words.remove("delete")
    if state["rules"].pop(line(words), None) is None:
        print("Could not delete non-existent rule")
elif "comment" in words and words[-1] == "HAL: refused":
    sys.exit("ERROR: Invalid syntax")
else:
    words, comment = (words[:-2], words[-1]) if words[-2] == "comment" else (words, "")
    for old in [old for old in state["rules"] if key(old.split()) == key(words)]:
        del state["rules"][old]
    state["rules"][line(words)] = comment
def write(name, text):
    with open(folder + "/" + name, "w") as file:
        file.write(text)
write("ufw.json", json.dumps(state))
if words in (["show", "added"], ["status"], ["reload"]):
    sys.exit()
policy = {{"allow": "ACCEPT", "deny": "DROP", "reject": "REJECT"}}
write(
    "defaults",
    f'DEFAULT_INPUT_POLICY="{{policy[state["default"]["incoming"]]}}"\\n'
    f'DEFAULT_OUTPUT_POLICY="{{policy[state["default"]["outgoing"]]}}"\\n'
    f'DEFAULT_FORWARD_POLICY="{{policy[state["default"].get("routed", "deny")]}}"\\n')
write(
    "ufw.conf",
    f'ENABLED={{"yes" if state["active"] else "no"}}\\nLOGLEVEL={{state["logging"]}}\\n')
"""
# `systemctl`: that the timer is enabled and runs is a file.
TIMER = """#!/bin/sh
echo "[\\"systemctl\\", \\"$*\\"]" >> {folder}/calls
case "$1" in
  is-active) test -e {folder}/armed ;;
  disable) rm -f {folder}/armed ;;
  enable) test ! -e {folder}/armed && touch {folder}/armed ;;
esac
"""
# `ss`, `ip` and `iptables` say what the test wrote into a file of their name.
SAYS = """#!/bin/sh
cat {folder}/$(basename "$0")
"""
NOTHING = {"ss": "", "ip": "[]", "iptables": "-P FORWARD ACCEPT\n"}
RULES = [{"port": 22, "from": "198.18.0.1/32", "comment": "SSH"}, {"port": "443"}]
FRESH = {"rules": {}, "active": False, "default": {"incoming": "deny", "outgoing": "allow"}, "logging": "low"}


class Host:
    """A host with the stand-ins."""

    def __init__(self, folder: Path, run_module: Callable[..., Any]) -> None:
        self.folder = folder
        self.run_module = run_module
        self.become(FRESH)
        self.says(**NOTHING)

    def become(self, state: dict[str, Any]) -> None:
        """Set what ufw holds."""
        (self.folder / "ufw.json").write_text(json.dumps(state))
        policy = {"allow": "ACCEPT", "deny": "DROP"}
        lines = [
            f'DEFAULT_{a}_POLICY="{policy[state["default"][b]]}"'
            for a, b in (("INPUT", "incoming"), ("OUTPUT", "outgoing"))
        ]
        (self.folder / "defaults").write_text("\n".join(lines) + "\n")
        enabled = "yes" if state["active"] else "no"
        (self.folder / "ufw.conf").write_text(f"ENABLED={enabled}\nLOGLEVEL={state['logging']}\n")

    def says(self, **programs: str) -> None:
        """Set what other programs say of the host."""
        for program, text in programs.items():
            (self.folder / program).write_text(text)

    def ensure(self, rules: Any = RULES, *, check: bool = False, **params: Any) -> Any:
        return self.run_module("ufw_ruleset", {"rules": rules, **params}, check=check)

    def revert(self) -> None:
        """Do what systemd does when the timer has run out."""
        unit = (self.folder / "hal-firewall-revert.service").read_text()
        for line in unit.splitlines():
            if line.startswith("ExecStart="):
                subprocess.run(shlex.split(line.removeprefix("ExecStart=")), check=True)

    @property
    def state(self) -> Any:
        return json.loads((self.folder / "ufw.json").read_text())

    @property
    def calls(self) -> list[str]:
        return [" ".join(json.loads(line)) for line in (self.folder / "calls").read_text().splitlines()]

    @property
    def armed(self) -> bool:
        return (self.folder / "armed").exists()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_module: Callable[..., Any]) -> Host:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ufw").write_text(UFW.format(python=sys.executable, folder=str(tmp_path)))
    for name in NOTHING:
        (programs / name).write_text(SAYS.format(folder=tmp_path))
    (programs / "systemctl").write_text(TIMER.format(folder=tmp_path))
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setattr(ufw_firewall, "DEFAULTS", tmp_path / "defaults")
    monkeypatch.setattr(ufw_firewall, "CONFIGURATION", tmp_path / "ufw.conf")
    monkeypatch.setattr(ufw_firewall, "BEFORE", tmp_path / "before-hal.json")
    monkeypatch.setattr(ufw_firewall, "FORWARDING", tmp_path / "forwarding")
    (tmp_path / "forwarding").write_text("1\n")
    monkeypatch.setattr(ufw_firewall, "USER_RULES", (tmp_path / "ufw.json",))
    monkeypatch.setattr(firewall_guard, "UNITS", tmp_path)
    monkeypatch.setattr(firewall_guard, "KEPT", tmp_path / "kept")
    return Host(tmp_path, run_module)
