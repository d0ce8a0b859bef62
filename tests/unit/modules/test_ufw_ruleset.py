"""ufw_ruleset against a stand-in for ufw that keeps rules the way ufw does."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ufw_ruleset

# Written into the test's folder as `ufw`. What it does was compared with ufw 0.36.2: a rule is found by
# everything but its action and comment, adding it again updates those, and deleting a missing one succeeds.
UFW = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
words = sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(["ufw", *words]) + "\\n")
state = json.loads((folder / "ufw.json").read_text())
words = [word for word in words if word != "--force"]
key = lambda words: " ".join(word for word in words if word not in ("allow", "deny", "limit"))
if words == ["show", "added"]:
    print("Added user rules (see 'ufw status' for running firewall):")
    for line, comment in state["rules"].items():
        print("ufw " + line + (f" comment '{{comment}}'" if comment else ""))
elif words == ["status"]:
    print("Status:", "active" if state["active"] else "inactive")
elif words[0] in ("enable", "disable"):
    state["active"] = words[0] == "enable"
elif words[0] == "default":
    state["default"][words[2]] = words[1]
elif words[0] == "logging":
    state["logging"] = words[1]
elif "delete" in words:
    words.remove("delete")
    if state["rules"].pop(" ".join(words), None) is None:
        print("Could not delete non-existent rule")
elif "comment" in words and words[-1] == "refused":
    sys.exit("ERROR: Invalid syntax")
else:
    words, comment = (words[:-2], words[-1]) if words[-2] == "comment" else (words, "")
    for line in [line for line in state["rules"] if key(line.split()) == key(words)]:
        del state["rules"][line]
    state["rules"][" ".join(words)] = comment
(folder / "ufw.json").write_text(json.dumps(state))
policy = {{"allow": "ACCEPT", "deny": "DROP", "reject": "REJECT"}}
(folder / "defaults").write_text(
    f'DEFAULT_INPUT_POLICY="{{policy[state["default"]["incoming"]]}}"\\n'
    f'DEFAULT_OUTPUT_POLICY="{{policy[state["default"]["outgoing"]]}}"\\n')
(folder / "ufw.conf").write_text(
    f'ENABLED={{"yes" if state["active"] else "no"}}\\nLOGLEVEL={{state["logging"]}}\\n')
"""
# `systemctl` and `systemd-run`: the timer is a file.
TIMER = """#!/bin/sh
echo "[\\"$(basename "$0")\\", \\"$*\\"]" >> {folder}/calls
case "$(basename "$0") $1" in
  "systemctl is-active") test -e {folder}/armed ;;
  "systemctl stop") rm {folder}/armed ;;
  "systemd-run "*) test ! -e {folder}/armed && touch {folder}/armed ;;
esac
"""
RULES = [{"port": 22, "from": "198.18.0.1/32", "comment": "SSH"}, {"port": "443"}]
FRESH = {"rules": {}, "active": False, "default": {"incoming": "deny", "outgoing": "allow"}, "logging": "low"}


class Host:
    """A host with the stand-ins."""

    def __init__(self, folder: Path, run_module: Callable[..., Any]) -> None:
        self.folder = folder
        self.run_module = run_module
        self.become(FRESH)

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

    def ensure(self, rules: Any = RULES, *, check: bool = False, **params: Any) -> Any:
        return self.run_module("ufw_ruleset", {"rules": rules, **params}, check=check)

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
    for name in ("systemctl", "systemd-run"):
        (programs / name).write_text(TIMER.format(folder=tmp_path))
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setattr(ufw_ruleset, "DEFAULTS", tmp_path / "defaults")
    monkeypatch.setattr(ufw_ruleset, "CONFIGURATION", tmp_path / "ufw.conf")
    return Host(tmp_path, run_module)


def test_a_fresh_host_gets_the_rules_and_then_the_firewall(host: Host) -> None:
    result = host.ensure()
    assert result["changed"]
    assert result["added"] == [
        "allow from 198.18.0.1 to any port 22 proto tcp comment 'SSH'",
        "allow 443/tcp",
    ]
    assert host.state["rules"] == {
        "allow from 198.18.0.1 to any port 22 proto tcp": "SSH",
        "allow 443/tcp": "",
    }
    changes = [
        call for call in host.calls if call.startswith("ufw") and "show" not in call and "status" not in call
    ]
    assert changes[-1] == "ufw --force enable"
    again = host.ensure()
    assert not again["changed"]
    assert again["diff"]["before"] == again["diff"]["after"]


def test_check_mode_predicts_and_changes_nothing(host: Host) -> None:
    predicted = host.ensure(check=True, revert_after=60)
    assert host.state == FRESH
    assert not host.armed
    done = host.ensure(revert_after=60)
    assert {name: predicted[name] for name in ("changed", "added", "removed", "diff")} == {
        name: done[name] for name in ("changed", "added", "removed", "diff")
    }


def test_a_host_without_ufw_is_predicted_but_not_changed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ufw_ruleset.AnsibleModule, "get_bin_path", lambda *_, **__: None)
    assert host.ensure(check=True)["changed"]


def test_rules_that_are_not_given_go_after_the_new_ones_came(host: Host) -> None:
    host.become(FRESH | {"active": True, "rules": {"allow 22/tcp": "old", "route allow in on lo": ""}})
    result = host.ensure()
    assert sorted(result["removed"]) == ["allow 22/tcp comment 'old'", "route allow in on lo"]
    added = host.calls.index("ufw allow from 198.18.0.1 to any port 22 proto tcp comment SSH")
    assert added < host.calls.index("ufw delete allow 22/tcp")
    assert "ufw route delete allow in on lo" in host.calls
    assert len(host.state["rules"]) == 2


@pytest.mark.parametrize("old", [{"allow 443/tcp": "old"}, {"deny 443/tcp": ""}])
def test_a_changed_comment_or_action_updates_the_rule(host: Host, old: dict[str, str]) -> None:
    host.become(FRESH | {"active": True, "rules": old})
    host.ensure([{"port": 443, "comment": "new"}])
    assert host.state["rules"] == {"allow 443/tcp": "new"}


def test_a_comment_is_removed(host: Host) -> None:
    host.become(FRESH | {"active": True, "rules": {"allow 443/tcp": "old"}})
    assert host.ensure([{"port": 443}])["added"] == ["allow 443/tcp"]
    assert host.state["rules"] == {"allow 443/tcp": ""}


def test_settings_are_brought_back(host: Host) -> None:
    drifted = {"default": {"incoming": "allow", "outgoing": "deny"}, "logging": "off"}
    host.become(FRESH | {"active": True} | drifted)
    result = host.ensure([])
    assert "incoming: allow" in result["diff"]["before"]
    assert (host.state["default"], host.state["logging"]) == (FRESH["default"], "low")


def test_it_can_be_disabled(host: Host) -> None:
    host.ensure()
    assert host.ensure(enabled=False)["changed"]
    assert not host.state["active"]
    assert not host.ensure(enabled=False)["changed"]


def test_the_guard_is_armed_before_the_first_change_only(host: Host) -> None:
    assert host.ensure(revert_after=60)["armed"]
    guard = next(number for number, call in enumerate(host.calls) if call.startswith("systemd-run"))
    change = host.calls.index("ufw allow 443/tcp")
    assert guard < change
    assert "--on-active=60s" in host.calls[guard]
    assert host.calls[guard].endswith("ufw --force disable")


def test_no_change_arms_nothing(host: Host) -> None:
    host.ensure()
    assert not host.ensure(revert_after=60)["armed"]
    assert not host.armed


def test_a_guard_left_behind_is_reported_and_started_anew(host: Host) -> None:
    """Else it would disable the firewall later, unnoticed."""
    host.ensure(revert_after=60)
    again = host.ensure(revert_after=60)
    assert again["changed"]
    assert again["added"] == again["removed"] == []
    assert host.armed
    assert not host.ensure(revert_after=0)["armed"]
    assert not host.armed


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ({"port": "any"}, "allow to any proto tcp"),
        ({"port": "any", "from": "198.18.7.7"}, "allow from 198.18.7.7 proto tcp"),
        (
            {"port": 53, "protocol": "udp", "from": "fd00:0::1/128"},
            "allow from fd00::1 to any port 53 proto udp",
        ),
        ({"port": 1, "from": "198.18.0.77/16"}, "allow from 198.18.0.0/16 to any port 1 proto tcp"),
        ({"protocol": "vrrp", "from": "198.18.7.7"}, "allow from 198.18.7.7 proto vrrp"),
    ],
)
def test_rules_are_written_as_ufw_shows_them(host: Host, rule: dict[str, Any], line: str) -> None:
    assert host.ensure([rule])["added"] == [line]


def test_the_first_of_two_comments_counts(host: Host) -> None:
    assert host.ensure([{"port": 1, "comment": "a"}, {"port": 1, "comment": "b"}])["added"] == [
        "allow 1/tcp comment 'a'"
    ]
    assert not host.ensure([{"port": 1, "comment": "a"}, {"port": 1, "comment": "b"}])["changed"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"port": 0}, "neither a number from 1 to 65535 nor 'any'"),
        ({"port": "ssh"}, "neither a number from 1 to 65535 nor 'any'"),
        ({"port": 112, "protocol": "vrrp"}, "port 112 of vrrp: that protocol has no ports"),
        ({"port": 1, "from": "10.0.0.300"}, "neither an address, nor a network, nor 'any'"),
        ({"port": 1, "comment": "it's"}, "holds a character that ufw does not allow"),
        ({"port": 1, "comment": "a\nb"}, "holds a character that ufw does not allow"),
        ({"port": 1, "comment": "refused"}, "failed: ERROR: Invalid syntax"),
    ],
)
def test_faults_are_named(host: Host, rule: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message):
        host.ensure([rule])
    assert host.state["rules"] == {}
