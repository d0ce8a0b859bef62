"""ufw_ruleset against a stand-in for ufw that keeps rules the way ufw does."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

import ufw_ruleset

from .ufw_host import FRESH, RULES, Host


def test_a_fresh_host_gets_the_rules_and_then_the_firewall(host: Host) -> None:
    result = host.ensure()
    assert result["changed"]
    assert result["added"] == [
        "allow from 198.18.0.1 to any port 22 proto tcp comment 'HAL: SSH'",
        "allow 443/tcp comment 'HAL'",
    ]
    assert host.state["rules"] == {
        "allow from 198.18.0.1 to any port 22 proto tcp": "HAL: SSH",
        "allow 443/tcp": "HAL",
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


def test_rules_for_named_ports_go_after_the_new_ones_came(host: Host) -> None:
    host.become(
        FRESH | {"active": True, "rules": {"allow 22/tcp": "old", "allow 1234/tcp": "HAL: of before"}}
    )
    result = host.ensure()
    assert sorted(result["removed"]) == [
        "allow 1234/tcp comment 'HAL: of before'",
        "allow 22/tcp comment 'old'",
    ]
    added = host.calls.index("ufw allow from 198.18.0.1 to any port 22 proto tcp comment HAL: SSH")
    assert added < host.calls.index("ufw delete allow 22/tcp")
    assert len(host.state["rules"]) == 2


BY_HAND = [
    "allow 3000/tcp",
    "allow 443/udp",
    "allow 400:500/tcp",
    "allow 80,443,8404/tcp",
    "allow from 198.18.7.7",
    "allow from 198.18.7.7 port 22 to any port 23 proto tcp",
    "allow in on virbr0 to any port 22 proto tcp",
    "deny out 25/tcp",
    "route allow in on virbr0 out on eth0",
    "allow 'Nginx Full'",
    "allow Gone",
]
REPLACED = [
    "allow 22",
    "allow 22/tcp",
    "limit 443/tcp",
    "deny 22,443/tcp",
    "allow in on eth0 to any port 22 proto tcp",
    "allow from 198.18.7.7 to 198.18.10.20 port 443 proto tcp",
]


def test_rules_made_by_hand_for_ports_that_nobody_names_stay(host: Host) -> None:
    rules = dict.fromkeys([*BY_HAND, *REPLACED], "")
    host.become(FRESH | {"active": True, "rules": rules})
    result = host.ensure()
    assert set(host.state["rules"]) == {
        *BY_HAND,
        "allow from 198.18.0.1 to any port 22 proto tcp",
        "allow 443/tcp",
    }
    assert set(result["kept"]) == set(BY_HAND)
    assert not host.ensure()["changed"]


def test_a_rule_made_by_hand_goes_when_all_its_ports_are_named(host: Host) -> None:
    rules = {"allow 'Nginx Full'": "", "allow 3000/tcp": "", "allow 53": ""}
    host.become(FRESH | {"active": True, "rules": rules})
    known = [{"port": 80}, {"port": 3000}, {"port": 53, "protocol": "udp"}]
    assert host.ensure(known=known)["kept"] == []
    assert host.state["rules"].keys() == {"allow from 198.18.0.1 to any port 22 proto tcp", "allow 443/tcp"}


LISTENING = """\
tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=99999999,fd=3))
tcp LISTEN 0 511 *:3000 *:* users:(("grafana",pid=99999999,fd=8))
udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:* users:(("dnsmasq",pid=99999999,fd=4))
tcp LISTEN 0 32 192.168.122.1:53 0.0.0.0:* users:(("dnsmasq",pid=99999999,fd=6))
udp UNCONN 0 0 0.0.0.0%virbr0:67 0.0.0.0:* users:(("dnsmasq",pid=99999999,fd=3))
tcp LISTEN 0 5 127.0.0.1:631 0.0.0.0:* users:(("cupsd",pid=99999999,fd=7))
"""
BRIDGE = json.dumps(
    [
        {"ifname": "eth0", "addr_info": [{"local": "198.18.10.20"}]},
        {"ifname": "virbr0", "addr_info": [{"local": "192.168.122.1"}]},
        {"ifname": "tun0", "addr_info": [{}]},
    ]
)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("open_now", [{"active": False}, {"active": True, "default": {"incoming": "allow"}}])
def test_a_port_on_which_something_unknown_listens_is_not_closed(
    host: Host, check: bool, open_now: dict[str, Any]
) -> None:
    before = {**FRESH, **open_now, "default": FRESH["default"] | open_now.get("default", {})}
    host.become(before)
    host.says(ss=LISTENING, ip=BRIDGE)
    with pytest.raises(Exception) as failure:
        host.ensure(check=check, host="ubuai")
    said = failure.value.result["msg"]
    assert "dnsmasq on port 53/udp of every address" in said
    assert "grafana on port 3000/tcp of every address" in said
    entries = yaml.safe_load("\n".join(said.splitlines()[2:5]))["network_foreign_services"]
    assert entries == {
        "grafana_3000": {"group": "ubuai", "port": 3000, "protocol": "tcp", "clients": ["any"]},
        "dnsmasq_53_udp": {"group": "ubuai", "port": 53, "protocol": "udp", "clients": ["any"]},
    }
    assert "-e firewall_close_unknown=true" in said
    assert host.state == before
    assert not host.armed


def test_a_firewall_that_refuses_already_closes_nothing(host: Host) -> None:
    host.become(FRESH | {"active": True})
    host.says(ss=LISTENING, ip=BRIDGE)
    assert host.ensure()["changed"]


def test_unknown_ports_are_closed_on_demand(host: Host) -> None:
    host.says(ss=LISTENING, ip=BRIDGE)
    assert host.ensure(close_unknown=True)["changed"]
    assert host.state["active"]


@pytest.mark.parametrize(
    "rules",
    [["allow 3000/tcp", "allow 53"], ["limit 3000", "allow from 198.18.7.7 to any port 53"]],
)
def test_a_port_that_a_rule_made_by_hand_opens_is_kept_open(host: Host, rules: list[str]) -> None:
    host.become(FRESH | {"rules": dict.fromkeys(rules, "")})
    host.says(ss=LISTENING, ip=BRIDGE)
    host.ensure()
    assert host.state["rules"].keys() >= set(rules)


def test_a_port_that_the_inventory_names_is_no_surprise(host: Host) -> None:
    host.says(ss=LISTENING, ip=BRIDGE)
    host.ensure(known=[{"port": 3000}, {"port": 53, "protocol": "udp"}])
    assert host.state["active"]


def test_guests_of_the_host_keep_what_they_use_and_what_is_forwarded(host: Host) -> None:
    host.says(ss=LISTENING, ip=BRIDGE)
    host.ensure(close_unknown=True)
    assert {line for line in host.state["rules"] if "virbr0" in line} == {
        "allow in on virbr0 to any port 53 proto tcp",
        "allow in on virbr0 to any port 67 proto udp",
    }
    assert host.state["default"]["routed"] == "allow"
    assert not host.ensure()["changed"]


@pytest.mark.parametrize(
    "differs",
    [
        pytest.param({"ip": '[{"ifname": "vmbr0", "addr_info": []}]'}, id="no guests of its own"),
        pytest.param({"forwarding": "0\n"}, id="it forwards nothing"),
        pytest.param({"iptables": "-P FORWARD DROP\n"}, id="Docker says what is forwarded"),
    ],
)
def test_nothing_more_is_forwarded_than_before(host: Host, differs: dict[str, str]) -> None:
    host.says(**({"ip": BRIDGE} | differs))
    host.ensure()
    assert host.state["default"].get("routed", "deny") == "deny"


@pytest.mark.parametrize("old", [{"allow 443/tcp": "old"}, {"deny 443/tcp": ""}])
def test_a_changed_comment_or_action_updates_the_rule(host: Host, old: dict[str, str]) -> None:
    host.become(FRESH | {"active": True, "rules": old})
    host.ensure([{"port": 443, "comment": "new"}])
    assert host.state["rules"] == {"allow 443/tcp": "HAL: new"}


def test_a_comment_is_removed(host: Host) -> None:
    host.become(FRESH | {"active": True, "rules": {"allow 443/tcp": "HAL: old"}})
    assert host.ensure([{"port": 443}])["added"] == ["allow 443/tcp comment 'HAL'"]
    assert host.state["rules"] == {"allow 443/tcp": "HAL"}


def test_settings_are_brought_back(host: Host) -> None:
    drifted = {"default": {"incoming": "allow", "outgoing": "deny"}, "logging": "off"}
    host.become(FRESH | {"active": True} | drifted)
    result = host.ensure([])
    assert "incoming: allow" in result["diff"]["before"]
    assert (host.state["default"], host.state["logging"]) == (FRESH["default"], "low")


def test_a_firewall_that_would_be_gone_after_a_restart_is_enabled(host: Host) -> None:
    host.ensure()
    settings = host.folder / "ufw.conf"
    settings.write_text(settings.read_text().replace("ENABLED=yes", "ENABLED=no"))
    assert host.ensure()["changed"]
    assert "ENABLED=yes" in settings.read_text()


def test_it_can_be_disabled(host: Host) -> None:
    host.ensure()
    assert host.ensure(enabled=False)["changed"]
    assert not host.state["active"]
    assert not host.ensure(enabled=False)["changed"]


def test_the_guard_is_armed_before_the_first_change_only(host: Host) -> None:
    assert host.ensure(revert_after=60)["armed"]
    guard = host.calls.index("systemctl enable --now hal-firewall-revert.timer")
    change = host.calls.index("ufw allow 443/tcp comment HAL")
    assert guard < change
    assert "OnActiveSec=60s" in (host.folder / "hal-firewall-revert.timer").read_text()


@pytest.mark.parametrize("interrupted", [False, True])
@pytest.mark.parametrize(
    "before",
    [
        FRESH,
        FRESH | {"active": True, "rules": {"allow 22/tcp": "by hand"}},
        FRESH | {"active": True, "default": {"incoming": "deny", "outgoing": "deny"}, "logging": "full"},
    ],
)
def test_the_guard_restores_what_was_there(host: Host, before: dict[str, Any], *, interrupted: bool) -> None:
    host.become(before)
    files = {name: (host.folder / name).read_text() for name in ("defaults", "ufw.conf", "ufw.json")}
    host.ensure(revert_after=60)
    if interrupted:  # a second run, while the first one's guard still runs
        host.ensure([{"port": 5}], revert_after=60)
    assert host.state != before
    host.revert()
    assert host.state == before
    assert files == {name: (host.folder / name).read_text() for name in files}
    assert not host.armed
    last = [call for call in host.calls if call.startswith("ufw")][-1]
    assert last == ("ufw reload" if before["active"] else "ufw --force disable")


def test_no_change_arms_nothing(host: Host) -> None:
    host.ensure()
    assert not host.ensure(revert_after=60)["armed"]
    assert not host.armed


def test_a_guard_left_behind_is_reported_and_started_anew(host: Host) -> None:
    """Else it would undo the change later, unnoticed."""
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
    assert host.ensure([rule])["added"] == [f"{line} comment 'HAL'"]


def test_the_first_of_two_comments_counts(host: Host) -> None:
    assert host.ensure([{"port": 1, "comment": "a"}, {"port": 1, "comment": "b"}])["added"] == [
        "allow 1/tcp comment 'HAL: a'"
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


THEIRS = FRESH | {"rules": {"allow 22": "", "allow 8080/tcp": "films"}, "logging": "high"}
WAY_IN = {"allow from 198.18.0.1 to any port 22 proto tcp": "SSH"}


@pytest.mark.parametrize("active", [False, True])
def test_what_was_there_before_the_first_rule_comes_back_with_a_way_in(host: Host, active: bool) -> None:
    moved = {"allow 22/tcp": "HAL: SSH before the firewall is configured"}
    host.become(THEIRS | {"active": active, "rules": THEIRS["rules"] | moved})
    host.ensure()
    host.ensure([*RULES, {"port": "9000"}])  # a later change is not what was there before
    assert "allow 22" not in host.state["rules"]
    predicted = host.ensure(RULES[:1], check=True, restore=True)
    done = host.ensure(RULES[:1], restore=True, revert_after=60)
    assert host.state == THEIRS | {
        "active": active,
        "rules": THEIRS["rules"] | WAY_IN,
    }
    assert done["restored"] and host.armed and predicted["diff"] == done["diff"]
    assert not host.ensure(RULES[:1], restore=True)["removed"]


def test_a_firewall_that_was_put_back_is_remembered_anew_when_it_is_taken_over_again(host: Host) -> None:
    host.become(THEIRS)
    host.ensure()
    host.ensure(RULES[:1], restore=True)
    host.become(host.state | {"rules": {"allow 7777/tcp": "new"}})
    host.ensure()
    host.ensure(RULES[:1], restore=True)
    assert host.state["rules"] == {"allow 7777/tcp": "new"} | WAY_IN


def test_where_nobody_wrote_down_what_was_there_before_nothing_is_changed(host: Host) -> None:
    rules = {"allow 443/tcp": "HAL: web"}
    host.become(THEIRS | {"rules": rules})
    host.ensure()
    before = host.state
    result = host.ensure(RULES[:1], restore=True)
    assert (result["changed"], result["restored"], host.state) == (False, False, before)


def test_a_host_without_ufw_has_nothing_to_put_back(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ufw_ruleset.AnsibleModule, "get_bin_path", lambda *_, **__: None)
    assert not host.ensure(restore=True)["changed"]
