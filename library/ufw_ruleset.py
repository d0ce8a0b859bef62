#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Make ufw hold exactly the given rules."""

from __future__ import annotations

import ipaddress
import re
import shlex
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: ufw_ruleset
short_description: Make ufw hold exactly these rules
description:
  - Compares the rules, the defaults, the logging and the state of ufw with what is given, and changes only
    what differs. Rules that are not given are removed.
  - New rules are added before old ones are removed, and nothing is flushed, so that connections stay.
  - A change can be guarded by a timer that disables the firewall unless it is stopped in time.
options:
  rules:
    description:
      - All the flows that may come in. Of rules that differ only in their comment the first counts.
    type: list
    elements: dict
    required: true
    suboptions:
      port:
        description: A port, or V(any).
        type: str
        default: any
      protocol:
        description: The protocol. V(vrrp) has no ports.
        type: str
        choices: [tcp, udp, vrrp]
        default: tcp
      from:
        description: The address or network that may connect, or V(any).
        type: str
        default: any
      comment:
        description: What the flow is for. ufw allows no single quotation mark in it.
        type: str
        default: ""
  default_incoming:
    description: What happens to what comes in and matches no rule.
    type: str
    choices: [allow, deny, reject]
    default: deny
  default_outgoing:
    description: What happens to what goes out.
    type: str
    choices: [allow, deny, reject]
    default: allow
  logging:
    description: How much is logged.
    type: str
    choices: ["off", low, medium, high, full]
    default: low
  enabled:
    description: Whether the firewall is active, now and when the host starts.
    type: bool
    default: true
  revert_after:
    description:
      - If above 0, a change first starts the timer C(hal-firewall-revert), which disables the firewall after
        this many seconds. Stop the timer once a new connection has proved that the host can still be reached.
      - A timer that an earlier, interrupted run left behind is started anew and reported as a change, so that
        the caller stops it this time.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    description: A host without ufw counts as one without rules.
  diff_mode:
    support: full
    description: Shows settings and rules before and after, a rule a line.
author: HAL network
"""

EXAMPLES = r"""
- name: Open the web server and SSH
  ufw_ruleset:
    rules:
      - {port: 22, from: 198.18.0.1, comment: SSH}
      - {port: 443, from: 198.18.0.0/16, comment: web}
    revert_after: 60
"""

RETURN = r"""
added:
  description: The rules that were added or whose comment was changed, as ufw writes them.
  type: list
  elements: str
  returned: success
removed:
  description: The rules that were removed, as ufw writes them.
  type: list
  elements: str
  returned: success
armed:
  description: Whether the timer is now running that will disable the firewall.
  type: bool
  returned: success
"""

ARGUMENT_SPEC = {
    "rules": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "port": {"type": "str", "default": "any"},
            "protocol": {"type": "str", "choices": ["tcp", "udp", "vrrp"], "default": "tcp"},
            "from": {"type": "str", "default": "any"},
            "comment": {"type": "str", "default": ""},
        },
    },
    "default_incoming": {"type": "str", "choices": ["allow", "deny", "reject"], "default": "deny"},
    "default_outgoing": {"type": "str", "choices": ["allow", "deny", "reject"], "default": "allow"},
    "logging": {"type": "str", "choices": ["off", "low", "medium", "high", "full"], "default": "low"},
    "enabled": {"type": "bool", "default": True},
    "revert_after": {"type": "int", "default": 0},
}
DEFAULTS = Path("/etc/default/ufw")
CONFIGURATION = Path("/etc/ufw/ufw.conf")
POLICIES = {"ACCEPT": "allow", "DROP": "deny", "REJECT": "reject"}
REVERT = "hal-firewall-revert"


class FirewallError(Exception):
    """ufw is not, or cannot be made, as demanded; the text says why."""


def rule_line(rule: dict[str, Any]) -> str:
    """Return a rule as `ufw show added` writes it, without its comment."""
    port, protocol, source = rule["port"], rule["protocol"], rule["from"]
    if port != "any" and not (port.isdecimal() and 0 < int(port) < 65536):
        raise FirewallError(f"port {port!r} is neither a number from 1 to 65535 nor 'any'.")
    if port != "any" and protocol == "vrrp":
        raise FirewallError(f"port {port} of vrrp: that protocol has no ports.")
    if "'" in rule["comment"] or not rule["comment"].isprintable():
        raise FirewallError(f"The comment {rule['comment']!r} holds a character that ufw does not allow.")
    if source == "any":
        return f"allow {port}/{protocol}" if port != "any" else f"allow to any proto {protocol}"
    try:
        network = ipaddress.ip_network(source, strict=False)
    except ValueError:
        raise FirewallError(f"from: {source!r} is neither an address, nor a network, nor 'any'.") from None
    address = network.network_address if network.num_addresses == 1 else network
    return f"allow from {address}" + (f" to any port {port}" if port != "any" else "") + f" proto {protocol}"


def wanted_rules(rules: list[dict[str, Any]]) -> dict[str, str]:
    """Return the comments of the demanded rules by their lines."""
    wanted: dict[str, str] = {}
    for rule in rules:
        wanted.setdefault(rule_line(rule), rule["comment"])
    return wanted


def with_comment(line: str, comment: str) -> str:
    """Return a rule as ufw shows it."""
    return f"{line} comment '{comment}'" if comment else line


class Firewall:
    """What ufw holds: `rules` (comments by lines), `settings` and whether the reverting timer runs."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.rules: dict[str, str] = {}
        self.settings = {"enabled": "no", "incoming": "", "outgoing": "", "logging": ""}
        self.armed = False
        module.run_command_environ_update = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
        self.ufw = module.get_bin_path("ufw", required=not module.check_mode)
        if self.ufw:
            self.read()

    def run(self, *command: str) -> str:
        """Run a command; return what it says or raise FirewallError."""
        code, output, error = self.module.run_command(list(command))
        if code:
            raise FirewallError(f"'{shlex.join(command)}' failed: {(error or output).strip()}")
        return output

    def read(self) -> None:
        """Read rules, settings and state."""
        self.rules = {}
        for line in self.run(self.ufw, "show", "added").splitlines():
            if match := re.match(r"ufw (.+?)(?: comment '([^']*)')?$", line):
                self.rules[match[1]] = match[2] or ""
        values = dict(re.findall(r'^(\w+)="?(\w+)"?', DEFAULTS.read_text() + CONFIGURATION.read_text(), re.M))
        active = "Status: active" in self.run(self.ufw, "status") and values.get("ENABLED") == "yes"
        self.settings = {
            "enabled": "yes" if active else "no",
            "incoming": POLICIES.get(values.get("DEFAULT_INPUT_POLICY", ""), ""),
            "outgoing": POLICIES.get(values.get("DEFAULT_OUTPUT_POLICY", ""), ""),
            "logging": "low" if values.get("LOGLEVEL") == "on" else values.get("LOGLEVEL", ""),
        }
        self.armed = self.module.run_command(["systemctl", "is-active", f"{REVERT}.timer"])[0] == 0

    def guard(self, seconds: int) -> None:
        """Stop the reverting timer and, unless after 0 seconds, start it anew."""
        if self.armed:
            self.run("systemctl", "stop", f"{REVERT}.timer")
        if seconds:
            timer = [f"--unit={REVERT}", f"--on-active={seconds}s", "--timer-property=AccuracySec=1s"]
            self.run("systemd-run", "--quiet", "--collect", *timer, self.ufw, "--force", "disable")
        self.armed = bool(seconds)

    def apply(self, rules: dict[str, str], settings: dict[str, str]) -> None:
        """Set what differs: rules to add, rules to remove, defaults, logging, and the state at last."""
        for line, comment in rules.items():
            if self.rules.get(line) != comment:
                self.run(self.ufw, *shlex.split(line), *(["comment", comment] if comment else []))
        for line in self.rules.keys() - rules.keys():
            action = ["route", "delete"] if line.startswith("route ") else ["delete"]
            self.run(self.ufw, *action, *shlex.split(line.removeprefix("route ")))
        for direction in ("incoming", "outgoing"):
            if self.settings[direction] != settings[direction]:
                self.run(self.ufw, "default", settings[direction], direction)
        if self.settings["logging"] != settings["logging"]:
            self.run(self.ufw, "logging", settings["logging"])
        if self.settings["enabled"] != settings["enabled"]:
            self.run(self.ufw, "--force", "enable" if settings["enabled"] == "yes" else "disable")
        self.read()


def described(settings: dict[str, str], rules: dict[str, str]) -> str:
    """Return settings and rules, a line each."""
    lines = [f"{name}: {value}" for name, value in settings.items()]
    return "\n".join(lines + sorted(with_comment(*rule) for rule in rules.items())) + "\n"


def ensure(firewall: Firewall, params: dict[str, Any], check: bool) -> dict[str, Any]:
    """Make ufw hold what is demanded, or predict that; return what the module returns."""
    rules = wanted_rules(params["rules"])
    settings = {
        "enabled": "yes" if params["enabled"] else "no",
        "incoming": params["default_incoming"],
        "outgoing": params["default_outgoing"],
        "logging": params["logging"],
    }
    before, after = described(firewall.settings, firewall.rules), described(settings, rules)
    result = {
        "changed": before != after or firewall.armed,
        "added": [with_comment(*rule) for rule in rules.items() if rule not in firewall.rules.items()],
        "removed": [with_comment(*rule) for rule in firewall.rules.items() if rule[0] not in rules],
        "diff": {"before": before, "after": after},
    }
    if result["changed"] and not check:
        firewall.guard(params["revert_after"])
        if before != after:
            firewall.apply(rules, settings)
        if (firewall.rules, firewall.settings) != (rules, settings):
            firewall.apply(rules, settings)  # removing a rule may have taken half of one like it
        if (firewall.rules, firewall.settings) != (rules, settings):
            raise FirewallError(
                f"ufw does not hold what it was told to, but:\n{described(firewall.settings, firewall.rules)}"
            )
    return result | {"armed": firewall.armed}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = ensure(Firewall(module), module.params, module.check_mode)
    except FirewallError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
