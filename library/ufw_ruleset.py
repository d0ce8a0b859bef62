#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Make ufw hold the given rules, and close nothing that others use and nobody named."""

from __future__ import annotations

import ipaddress
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.listening_sockets import Listener
from ansible.module_utils.ufw_firewall import MARK, Firewall, FirewallError

DOCUMENTATION = r"""
module: ufw_ruleset
short_description: Make ufw hold these rules, and close nothing that nobody named
description:
  - Compares the rules, the defaults, the logging and the state of ufw with what is given, and changes only
    what differs. The rules that it makes have a comment that begins with C(HAL). Those of them that are no
    longer given are removed, and so are rules made by hand for ports that O(rules) or O(known) name. Other
    rules made by hand stay.
  - Fails, before anything is changed, if something listens on a port that nobody named and that the firewall
    would close. A firewall that refuses by default lets nobody in already, so that nothing is asked there.
    Sockets on loopback, clients that wait for answers and what Docker forwards do not count.
  - Where the firewall is enabled for the first time, what the host's own containers and guests use stays open
    to them, and what it forwards for them stays forwarded. ufw's chains are its own; those of Docker and
    libvirt are not touched.
  - New rules are added before old ones are removed, and nothing is flushed, so that connections stay.
  - A change can be guarded by a timer that restores what was there before, unless it is stopped in time.
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
  known:
    description: The ports that the inventory names beside those of O(rules), such as those closed on purpose.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: The port.
        type: int
        required: true
      protocol:
        description: The protocol.
        type: str
        choices: [tcp, udp]
        default: tcp
  host:
    description: What the inventory calls the host, for what is said of it.
    type: str
    default: HOST
  close_unknown:
    description: Whether ports on which something listens that nobody named are closed.
    type: bool
    default: false
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
      - If above 0, a change first starts the timer C(hal-firewall-revert), which after this many seconds
        restores the rules, settings and state from before the change, also after a restart meanwhile.
        Stop and disable the timer once a new connection has proved that the host can still be reached.
      - A timer that an earlier, interrupted run left behind is started anew and reported as a change, so that
        the caller stops it this time. It still restores what was there before that run.
    type: int
    default: 0
  restore:
    description:
      - Whether to make the firewall what it was before HAL's first rule instead, with I(rules) beside, which
        are not marked as HAL's then. The first change of a firewall writes down what it held.
      - Where nobody has written that down, nothing is changed.
    type: bool
    default: false
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
kept:
  description: The rules made by hand that stay, as ufw writes them.
  type: list
  elements: str
  returned: success
restored:
  description: Whether the firewall is, or would be, what it was before HAL, if that was asked for.
  type: bool
  returned: success
armed:
  description: Whether the timer is now running that will restore what was there before.
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
    "known": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "port": {"type": "int", "required": True},
            "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
        },
    },
    "host": {"type": "str", "default": "HOST"},
    "close_unknown": {"type": "bool", "default": False},
    "default_incoming": {"type": "str", "choices": ["allow", "deny", "reject"], "default": "deny"},
    "default_outgoing": {"type": "str", "choices": ["allow", "deny", "reject"], "default": "allow"},
    "logging": {"type": "str", "choices": ["off", "low", "medium", "high", "full"], "default": "low"},
    "enabled": {"type": "bool", "default": True},
    "revert_after": {"type": "int", "default": 0},
    "restore": {"type": "bool", "default": False},
}
type Demand = tuple[dict[str, str], dict[str, str], dict[str, str]]

INNER = "for containers and guests of this host"


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
        wanted.setdefault(rule_line(rule), f"{MARK}: {rule['comment']}" if rule["comment"] else MARK)
    return wanted


def with_comment(line: str, comment: str) -> str:
    """Return a rule as ufw shows it."""
    return f"{line} comment '{comment}'" if comment else line


def described(settings: dict[str, str], rules: dict[str, str]) -> str:
    """Return settings and rules, a line each."""
    lines = [f"{name}: {value}" for name, value in settings.items()]
    return "\n".join(lines + sorted(with_comment(*rule) for rule in rules.items())) + "\n"


def refusal(host: str, unknown: list[Listener]) -> str:
    """Return why the firewall is left alone, and what to add to the inventory."""
    entries = {}
    for one in unknown:
        entries[one.entry] = f"{{group: {host}, port: {one.port}, protocol: {one.protocol}, clients: [any]}}"
    lines = [
        f"The firewall of {host} would close what the inventory does not name: "
        f"{', '.join(map(str, unknown))}.",
        "Nothing was changed. What others are to reach goes into group_vars/all/network.yml, with who may:",
        "network_foreign_services:",
        *(f"  {name}: {entry}" for name, entry in entries.items()),
        "All else is closed by the same run with -e firewall_close_unknown=true",
    ]
    return "\n".join(lines)


def demanded(firewall: Firewall, params: dict[str, Any]) -> Demand:
    """Return the rules and settings that are demanded, and the rules made by hand that stay.

    Raises:
        FirewallError: something listens that would be closed, and nobody asked for that.
    """
    wanted = wanted_rules(params["rules"])
    known = {(int(one["port"]), one["protocol"]) for one in params["rules"] if one["port"] != "any"}
    known |= {(one["port"], one["protocol"]) for one in params["known"]}
    kept = firewall.foreign(known)
    settings = {
        "enabled": "yes" if params["enabled"] else "no",
        "incoming": params["default_incoming"],
        "outgoing": params["default_outgoing"],
        "routed": firewall.settings["routed"],
        "logging": params["logging"],
    }
    if params["enabled"] and params["default_incoming"] != "allow":
        known |= {
            port for line in kept if line.startswith(("allow", "limit")) for port in firewall.ports(line)
        }
        listeners = firewall.listeners()
        unknown = [one for one in listeners if not one.is_inside and (one.port, one.protocol) not in known]
        if unknown and not params["close_unknown"]:
            raise FirewallError(refusal(params["host"], unknown))
        for one in filter(lambda one: one.is_inside, listeners):
            kept.setdefault(f"allow in on {one.interface} to any port {one.port} proto {one.protocol}", INNER)
        if firewall.settings["enabled"] == "no" and firewall.forwards_for_guests():
            settings["routed"] = "allow"
    return kept | wanted, settings, kept


def ensure(firewall: Firewall, params: dict[str, Any], check: bool) -> dict[str, Any]:
    """Make ufw hold what is demanded, or predict that; return what the module returns."""
    if not params["restore"]:
        rules, settings, kept = demanded(firewall, params)
    elif found := firewall.before():
        kept, settings = found
        rules = kept | {rule_line(rule): rule["comment"] for rule in params["rules"]}
    else:
        rules, settings, kept = firewall.rules, firewall.settings, {}
    before, after = described(firewall.settings, firewall.rules), described(settings, rules)
    result = {
        "changed": before != after or firewall.reverting.armed,
        "added": [with_comment(*rule) for rule in rules.items() if rule not in firewall.rules.items()],
        "removed": [with_comment(*rule) for rule in firewall.rules.items() if rule[0] not in rules],
        "kept": [with_comment(*rule) for rule in kept.items() if rule[0] in firewall.rules],
        "diff": {"before": before, "after": after},
    }
    if result["changed"] and not check:
        firewall.guard(params["revert_after"])
        if before != after and not params["restore"]:
            firewall.remember()
        if before != after:
            firewall.apply(rules, settings)
        if (firewall.rules, firewall.settings) != (rules, settings):
            firewall.apply(rules, settings)  # removing a rule may have taken half of one like it
        if (firewall.rules, firewall.settings) != (rules, settings):
            raise FirewallError(
                f"ufw does not hold what it was told to, but:\n{described(firewall.settings, firewall.rules)}"
            )
    restored = params["restore"] and firewall.before() is not None
    return result | {"armed": firewall.reverting.armed, "restored": restored}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    try:
        required = not (module.check_mode or module.params["restore"])
        result = ensure(Firewall(module, required=required), module.params, module.check_mode)
    except FirewallError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
