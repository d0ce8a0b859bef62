# SPDX-License-Identifier: Apache-2.0
"""What ufw holds on a host, how that is changed, and what restores it if nobody can get in afterwards."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

from ansible.module_utils import guarded_paths
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.firewall_guard import FirewallGuard
from ansible.module_utils.listening_sockets import (
    ADDRESSES,
    COMMAND,
    INSIDE,
    Listener,
    interfaces_of_addresses,
    listening_sockets,
)

DEFAULTS = Path("/etc/default/ufw")
CONFIGURATION = Path("/etc/ufw/ufw.conf")
POLICIES = {"ACCEPT": "allow", "DROP": "deny", "REJECT": "reject"}
BEFORE = Path("/etc/ufw/before-hal.json")  # rules and settings from before HAL's first rule
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
MARK = "HAL"  # begins the comments of our own rules
# Of the rule that the role base makes when it moves SSH's port before HAL's first rules are there.
AHEAD = "HAL: SSH before the firewall is configured"
PROTOCOLS = ("tcp", "udp")

type Port = tuple[int, str]
USER_RULES = (Path("/etc/ufw/user.rules"), Path("/etc/ufw/user6.rules"))


class FirewallError(Exception):
    """ufw is not, or cannot be made, as demanded; the text says why."""


def is_own(comment: str) -> bool:
    """Return whether a rule with this comment is one of HAL's."""
    return comment == MARK or comment.startswith(f"{MARK}: ")


class Firewall:
    """What ufw holds: `rules` (comments by lines), `settings`, and the timer that restores them."""

    def __init__(self, module: AnsibleModule, *, required: bool) -> None:
        self.module = module
        self.rules: dict[str, str] = {}
        self.settings = {"enabled": "no", "incoming": "", "outgoing": "", "routed": "deny", "logging": ""}
        self.reverting = FirewallGuard(module)
        module.run_command_environ_update = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
        self.ufw = module.get_bin_path("ufw", required=required)
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
            "routed": POLICIES.get(values.get("DEFAULT_FORWARD_POLICY", "DROP"), ""),
            "logging": "low" if values.get("LOGLEVEL") == "on" else values.get("LOGLEVEL", ""),
        }
        self.reverting.read()

    def ports(self, line: str) -> set[Port]:
        """Return what a rule for what comes in names; nothing if it names no port, or an inner interface."""
        words = shlex.split(line)
        after = dict(itertools.pairwise(words))
        if words[0] == "route" or "out" in words[1:2] or INSIDE.match(after.get("on", "")):
            return set()
        target = dict(itertools.pairwise(words[words.index("to") :])) if "to" in words else {}
        named = target.get("port") or target.get("app") or ""
        if not {"from", "to", "proto"} & set(words):  # the short form: `allow 22/tcp`, `allow OpenSSH`
            named = words[-1]
        specifications = [f"{named}/{after['proto']}" if "proto" in after else named]
        if not named[:1].isdigit():
            said = self.module.run_command([self.ufw, "app", "info", named])[1] if named else ""
            specifications = re.findall(r"^ +([\d:,]+(?:/\w+)?)$", said, re.MULTILINE)
        found: set[Port] = set()
        for numbers, _, protocol in (specification.partition("/") for specification in specifications):
            for first, _, last in (part.partition(":") for part in numbers.split(",")):
                ports = range(int(first), int(last or first) + 1)
                found |= set(itertools.product(ports, [protocol] if protocol else PROTOCOLS))
        return found

    def foreign(self, known: set[Port]) -> dict[str, str]:
        """Return the rules that somebody made by hand and that none of ours replaces.

        `ufw allow 22` is for both protocols and is replaced although nobody names 22/udp.
        """
        either = {port for port, _ in known}
        kept = {}
        for line, comment in self.rules.items():
            if is_own(comment):
                continue
            ports = self.ports(line)
            both = {(port, protocol) for port, _ in ports for protocol in PROTOCOLS} == ports
            named = {port for port, _ in ports} <= either if both else ports <= known
            if not ports or not named:
                kept[line] = comment
        return kept

    def listeners(self) -> list[Listener]:
        """Return what listens and serves others, while the firewall lets everything in; else nothing."""
        if self.settings["enabled"] == "yes" and self.settings["incoming"] != "allow":
            return []
        interfaces = interfaces_of_addresses(self.run(*ADDRESSES))
        return [one for one in listening_sockets(self.run(*COMMAND), interfaces) if one.serves]

    def forwards_for_guests(self) -> bool:
        """Return whether the host has containers or guests for which it forwards whatever comes."""
        iptables = self.module.get_bin_path("iptables")
        return (
            any(INSIDE.match(name) for name in interfaces_of_addresses(self.run(*ADDRESSES)).values())
            and FORWARDING.read_text().strip() == "1"
            and (not iptables or "-P FORWARD ACCEPT" in self.run(iptables, "--list-rules", "FORWARD"))
        )

    def remember(self) -> None:
        """Write down rules and settings, unless HAL has rules among them already."""
        theirs = {line: comment for line, comment in self.rules.items() if comment != AHEAD}
        if not any(map(is_own, theirs.values())):
            record = json.dumps({"rules": theirs, "settings": self.settings}, indent=1)
            guarded_paths.write(BEFORE, record.encode(), guarded_paths.Attributes(0o600, None, None))

    def before(self) -> tuple[dict[str, str], dict[str, str]] | None:
        """Return the rules and the settings from before HAL's first rule; None: nobody wrote them."""
        if not BEFORE.exists():
            return None
        record = json.loads(BEFORE.read_text())
        stated = {name: value for name, value in record["settings"].items() if value}
        return record["rules"], self.settings | stated

    def guard(self, seconds: int) -> None:
        """Stop the timer that restores ufw and, unless after 0 seconds, start it anew."""
        if not seconds:
            self.reverting.stop()
            return
        active = self.settings["enabled"] == "yes"
        self.reverting.start(
            seconds,
            [DEFAULTS, CONFIGURATION, *USER_RULES],
            before=[] if active else [f"{self.ufw} --force disable"],  # it takes only its own rules away
            after=[f"{self.ufw} reload"] if active else [],
        )

    def apply(self, rules: dict[str, str], settings: dict[str, str]) -> None:
        """Set what differs: rules to add, rules to remove, defaults, logging, and the state at last."""
        for line, comment in rules.items():
            if self.rules.get(line) != comment:
                self.run(self.ufw, *shlex.split(line), *(["comment", comment] if comment else []))
        for line in self.rules.keys() - rules.keys():
            action = ["route", "delete"] if line.startswith("route ") else ["delete"]
            self.run(self.ufw, *action, *shlex.split(line.removeprefix("route ")))
        for direction in ("incoming", "outgoing", "routed"):
            if self.settings[direction] != settings[direction]:
                self.run(self.ufw, "default", settings[direction], direction)
        if self.settings["logging"] != settings["logging"]:
            self.run(self.ufw, "logging", settings["logging"])
        if self.settings["enabled"] != settings["enabled"]:
            self.run(self.ufw, "--force", "enable" if settings["enabled"] == "yes" else "disable")
        self.read()
