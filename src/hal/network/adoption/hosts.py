"""What a host has beside HAL: what stays, what HAL changes, what is in its way, and what nobody has named."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from hal.network.adoption.clients import (
    Listener,
    holds,
    is_ipv6,
    is_on_loopback,
    is_on_one,
    is_unsaid,
    refuses_some,
    way_out,
    who_reaches,
)
from hal.network.adoption.known import BASE_PROGRAMS, BASE_UNITS, FIREWALLS, OWN_UNITS
from hal.network.catalogue import EVERYBODY, Described
from hal.network.model import is_network

LINUX = "linux"
OLLAMA_UNIT = "/etc/systemd/system/ollama.service"
OLLAMA_MODELS = "/var/lib/ollama/models"  # of the role ollama
TAKE_OVER = "ollama_take_over"  # the variable that has check_hosts.yml hand an Ollama over
GIVE_UP = "programs_replace_existing"  # the one that has it pass over servers that somebody set up
SSH_PROGRAMS = ("sshd", "systemd")

type Reading = Mapping[str, Any]


@dataclass
class Found:
    """What was found on one host, a sentence each.

    Attributes:
        here: what it serves and the inventory knows.
        changes: what HAL changes of it.
        left: what HAL leaves as it is.
        in_the_way: what stands where HAL must, and keeps site.yml from changing the host.
        unknown: what is in no inventory, or was not understood.
        services: entries for network_foreign_services.
        models: entries for network_language_models.
        clients: entries for network_service_clients.
    """

    here: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    in_the_way: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: list[dict[str, Any]] = field(default_factory=list)
    clients: dict[str, list[str]] = field(default_factory=dict)


def found_on_host(
    reading: Reading,
    host: str,
    services: Mapping[str, Described],
    *,
    known_ports: Sequence[Mapping[str, Any]] = (),
    models: Sequence[Mapping[str, Any]] = (),
    administrator: str = "",
    disks: Sequence[str] = (),
    proxy: Mapping[str, Any] | None = None,
    rules: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return what was found on a host: the fields of Found.

    Args:
        reading: what the module host_reading returned; parts that were not read are passed over.
        host: its name.
        services: what it runs as the inventory has it, HAL's and the household's own.
        known_ports: the ports that the inventory names in any mode, [{port, protocol}].
        models: network_language_models.
        administrator: the user that HAL itself makes.
        disks: where the disks are mounted that the inventory describes.
        proxy: what the module haproxy_existing returned, of a proxy.
        rules: of the firewall as HAL would make it, as `flows.firewall_rules` has them.
    """
    if (system := reading.get("system", LINUX)) != LINUX:
        return asdict(Found(left=[f"It runs {system.title()}, of which nothing is read"]))
    served = proxy or {}
    # Those of a proxy are its sites' affair: a service beside them would have the same port.
    sites = [{"port": port, "protocol": "tcp"} for port in served.get("ports") or ()]
    found = _Host(reading, host, services, [*known_ports, *sites]).found(models, administrator, disks, rules)
    for file in served.get("configuration") or ():
        found.changes.append(f"{file['path']} is replaced, and kept once as {file['path']}.before-hal")
    if served.get("unknown"):
        found.unknown.append(f"the proxy serves {served['summary']}: not in network_sites")
    return asdict(found)


def site_networks(reading: Reading, adopted: Mapping[str, Any]) -> dict[int, list[str]]:
    """Return who may ask a proxy's sites by the host's own firewall, by the ports that not everybody reaches.

    Args:
        reading: what the module host_reading returned of the proxy.
        adopted: what `adopt_sites` made of its configuration.
    """
    host = _Host(reading, "", {}, ())
    if not host.firewall.get("refuses"):
        return {}
    ports = {*adopted["ports"]}
    for site in adopted["sites"]:
        ports.update(site.get("http_ports", ()), site.get("https_ports", ()))
    allowed = {port: host.sources((port, "tcp")) for port in sorted(ports)}
    return {port: sources for port, sources in allowed.items() if sources != [EVERYBODY]}


def obstacles(
    reading: Reading,
    services: Mapping[str, Described],
    *,
    take_over_ollama: bool = False,
    replace_programs: bool = False,
) -> list[str]:
    """Return what stands on a host where HAL must, a sentence each.

    Args:
        reading: as of `found_on_host`.
        services: as of `found_on_host`.
        take_over_ollama: whether an Ollama that HAL did not install is handed over, and is none.
        replace_programs: whether servers that somebody set up are given up, and are none.
    """
    passed_over = {"ollama": take_over_ollama, "programs": replace_programs}
    reading = {name: part for name, part in reading.items() if not passed_over.get(name)}
    return [*_Host(reading, "", services, ()).in_the_way()]


def ollama_handover(reading: Reading) -> str:
    """Return the shell command that hands over an Ollama that HAL did not install; empty: there is none.

    Its models go where HAL's are, so that none is fetched again; its program and unit stay beside HAL's. If
    it is cut off, the unit, which is last, still tells that there is something to hand over.

    Args:
        reading: as of `found_on_host`.
    """
    ollama = reading["ollama"]
    if ollama["owner"] != "household":
        return ""
    program, unit, directory = (ollama[key] for key in ("program", "unit", "directory"))
    steps = ["systemctl disable --now ollama"] if unit else []
    if directory and directory != OLLAMA_MODELS:
        # -T: into the place of a directory that is there and empty, and not beneath it.
        move = f"mv -T {shlex.quote(directory)} {OLLAMA_MODELS}"
        steps += [f"mkdir -p {PurePosixPath(OLLAMA_MODELS).parent}", move]
    for path in (f"{unit or OLLAMA_UNIT}.d" if ollama["drop_ins"] else "", program, unit):
        steps += [f"mv {path} {path}.before-hal"] if path else []
    return " && ".join(steps)


def adoption_hosts(hosts: Sequence[str], hostvars: Any) -> dict[str, Any]:
    """Return what was found on each host, by its name: the fields of Found.

    Args:
        hosts: the hosts that were to be read.
        hostvars: Ansible's, in which `adopt_found` is what `found_on_host` or `found_on_windows` returned.
    """
    failed = Found(unknown=["It was not read: see above what failed there"])
    return {host: hostvars[host].get("adopt_found") or asdict(failed) for host in hosts}


class _Host:
    """One host, with what the inventory says of it."""

    def __init__(
        self,
        reading: Reading,
        host: str,
        services: Mapping[str, Described],
        known_ports: Sequence[Mapping[str, Any]],
    ) -> None:
        self.reading, self.host, self.services = reading, host, services
        self.by_port = {
            (service["port"], "udp" if service["protocol"] == "udp" else "tcp"): name
            for name, service in services.items()
        }
        self.known = {(one["port"], one.get("protocol", "tcp")) for one in known_ports} | self.by_port.keys()
        self.own_units = {
            f"{service['unit']}.service" for service in services.values() if service.get("unit")
        }
        self.units: Sequence[Mapping[str, Any]] = reading.get("units") or ()
        self.listeners: Sequence[Listener] = reading.get("listeners") or ()
        self.firewall: Mapping[str, Any] = reading.get("firewall") or {}
        self.ollama: Mapping[str, Any] = reading.get("ollama") or {}

    def found(
        self,
        models: Sequence[Mapping[str, Any]],
        administrator: str,
        disks: Sequence[str],
        rules: Sequence[Mapping[str, Any]],
    ) -> Found:
        """Return what was found; arguments as of `found_on_host`."""
        found = Found(in_the_way=[*self.in_the_way()])
        self._sort_listeners(found)
        self._sort_rules(found, rules)
        self._sort_models(found, models)
        found.left += [*self._units_of_others(), *self._people(administrator), *self._schedules()]
        found.left += [
            f"container {one['name']} ({one['engine']}, {one['image']}, {one['state']}"
            f"{', ' + one['ports'] if one['ports'] else ''})"
            for one in self.reading.get("containers") or ()
        ]
        found.left += [
            f"disk {one['device']} on {one['path']} ({one['type']}, {one['gib']} GiB), which HAL neither "
            "mounts nor brings back"
            for one in self.reading.get("disks") or ()
            if one["path"] not in disks
        ]
        found.unknown += [f"Not read: {sentence}" for sentence in self.reading.get("unread") or ()]
        return found

    def in_the_way(self) -> Iterator[str]:
        """Yield what stands where HAL must."""
        for one in self.listeners:
            name = self.by_port.get((one["port"], one["protocol"]), "")
            service = self.services.get(name, {})
            is_ssh = service.get("protocol") == "ssh" and one["program"] in SSH_PROGRAMS
            asked = service.get("unit") and one["unit"] and not is_ssh
            if asked and not self._is_hals(one):
                yield f"{one['text']}, where HAL's {name} is to listen: {way_out(one)}"
        for unit in self.units:
            if unit["name"] in FIREWALLS and not unit["ours"]:
                yield (
                    f"{unit['name']} makes rules beside ufw, by which HAL's firewall is made: "
                    f"`systemctl disable --now {unit['name']}`, and name in the inventory what is to be open"
                )
        if self.ollama.get("owner") == "household" and "ollama" in self.services:
            yield self._ollama_of_the_household()
        for program, files in (self.reading.get("programs") or {}).items():
            names = [name for name, service in self.services.items() if service.get("unit") == program]
            if names:
                yield (
                    f"{program} with settings of the household's ({', '.join(files)}), where HAL runs "
                    f"{' and '.join(names)} with settings of its own: give that another host in the "
                    f"inventory, or move what {program} serves here to another; -e {GIVE_UP}=true gives it "
                    "up, and its files stay beside HAL's as .before-hal"
                )

    def _ollama_of_the_household(self) -> str:
        """Return how an Ollama that was not installed by HAL is handed over with its models."""
        count, directory = len(self.ollama["models"]), self.ollama["directory"]
        having = f" with {count} {'model' if count == 1 else 'models'} in {directory}" if count else ""
        return (
            f"an Ollama that HAL did not install ({self.ollama['program'] or self.ollama['unit']}){having}: "
            f"-e {TAKE_OVER}=true hands it over, by `{ollama_handover(self.reading)}`"
        )

    def _sort_listeners(self, found: Found) -> None:
        """Say of each socket whether the inventory knows it."""
        seen: set[tuple[int, str, str]] = set()
        # A program that listens for others and for the host alone is one that others reach.
        for one in sorted(self.listeners, key=lambda one: not self._is_reached(one)):
            port, key = (one["port"], one["protocol"]), (one["port"], one["protocol"], one["program"])
            if key in seen or not (one["serves"] or self._is_foreign(one)):
                continue
            seen.add(key)
            unsaid = [rule["text"] for rule in self._rules_of(port) if is_unsaid(rule)]
            if port in self.known:
                if port in self.by_port and one["serves"]:
                    found.here.append(f"{self.by_port[port]}: {one['text']}")
            elif not self._is_reached(one):
                found.left.append(f"{one['text']}, which {who_reaches(one)}")
            elif self.firewall.get("refuses") and not self.sources(port):
                by_ipv6 = any(rule["allows"] for rule in self._rules_of(port))
                whom = "IPv6 alone" if by_ipv6 else "nobody"
                found.left.append(f"{one['text']}, which its firewall lets {whom} reach")
            else:
                correct = f"; correct who may connect, as no inventory says `{'`, `'.join(unsaid)}`"
                found.unknown.append(
                    f"{one['text']}: not in network_foreign_services{correct if unsaid else ''}"
                )
                found.services.setdefault(
                    one["entry"],
                    {
                        "description": one["program"] + (f" ({one['unit']})" if one["unit"] else ""),
                        "group": self.host,
                        "port": one["port"],
                        "protocol": one["protocol"],
                        "clients": self.sources(port) or [EVERYBODY],
                    },
                )

    def _is_foreign(self, listener: Listener) -> bool:
        """Return whether a socket on loopback is of a program that somebody installed."""
        return not self._is_hals(listener) and listener["program"] not in BASE_PROGRAMS

    def _is_hals(self, listener: Listener) -> bool:
        """Return whether a socket is of a service of HAL's, also of one that another mode has."""
        unit = listener["unit"]
        return bool(listener["ours"] or unit in self.own_units or OWN_UNITS.fullmatch(unit))

    def _is_reached(self, listener: Listener) -> bool:
        """Return whether others reach a socket, also by a rule for a port that looks like a client's."""
        port = (listener["port"], listener["protocol"])
        by_rule = listener["protocol"] == "udp" and not is_on_loopback(listener) and self.sources(port)
        return bool(listener["serves"] or by_rule) and not listener["inside"]

    def _rules_of(self, port: tuple[int, str]) -> list[Mapping[str, Any]]:
        """Return the rules made by hand for a port."""
        rules = self.firewall.get("rules") or ()
        return [rule for rule in rules if list(port) in [list(one) for one in rule["ports"]]]

    def sources(self, port: tuple[int, str]) -> list[str]:
        """Return who may connect to a port with IPv4 by the rules made by hand; none: no rule says so."""
        sources = [
            rule["source"] or EVERYBODY
            for rule in self._rules_of(port)
            if rule["allows"] and not is_ipv6(rule)
        ]
        if any(source == EVERYBODY or not is_network(source) for source in sources):
            return [EVERYBODY]
        return list(dict.fromkeys(sources))

    def _sort_rules(self, found: Found, of_hal: Sequence[Mapping[str, Any]]) -> None:
        """Say what becomes of the firewall and its rules made by hand."""
        if self.firewall and not self.firewall["refuses"]:
            found.changes.append("ufw is enabled, and refuses what the inventory does not name")
        for rule in self.firewall.get("rules") or ():
            ports = {(port, protocol) for port, protocol in rule["ports"]}
            numbers = {port for port, _ in ports}
            both = ports == {(port, protocol) for port in numbers for protocol in ("tcp", "udp")}
            # As `Firewall.foreign` of ufw_firewall has it, which decides.
            replaced = ports and (
                numbers <= {port for port, _ in self.known} if both else ports <= self.known
            )
            admitted = [one["from"] for one in of_hal if (one.get("port"), one["protocol"]) in ports]
            if further := self._further_clients(rule, of_hal):
                for name, source in further.items():
                    found.clients[name] = list(dict.fromkeys([*found.clients.get(name, []), source]))
                found.unknown.append(
                    f"the firewall's rule `{rule['text']}` lets in more than HAL would: not in "
                    "network_service_clients" + ("; it is for one interface alone" if is_on_one(rule) else "")
                )
            elif replaced and rule["allows"] and is_on_one(rule):
                found.unknown.append(
                    f"the firewall's rule `{rule['text']}` is for one interface, which the inventory has no "
                    "word for, and gives way: correct who may connect there"
                )
            elif replaced and not rule["allows"] and refuses_some(rule, admitted):
                found.unknown.append(
                    f"the firewall's rule `{rule['text']}` refuses some whom the inventory lets in, and "
                    "gives way: leave them out of those who may connect"
                )
            elif replaced:
                found.changes.append(f"the firewall's rule `{rule['text']}` gives way to the inventory's")
            else:
                found.left.append(f"the firewall's rule `{rule['text']}`")

    def _further_clients(
        self, rule: Mapping[str, Any], of_hal: Sequence[Mapping[str, Any]]
    ) -> dict[str, str]:
        """Return the services of HAL's that a rule opens to more than HAL would, with its source.

        Who may administer a host, and ask the proxy, has variables of its own.
        """
        source = rule["source"] if is_network(rule["source"]) else EVERYBODY
        found = {}
        for port, protocol in rule["ports"] if rule["allows"] and not is_ipv6(rule) else ():
            name = self.by_port.get((port, protocol), "")
            service = self.services.get(name, {})
            admitted = [
                one["from"] for one in of_hal if (one.get("port"), one["protocol"]) == (port, protocol)
            ]
            named = service and service["protocol"] != "ssh" and not service.get("frontend")
            if named and not any(holds(network, source) for network in admitted):
                found[name] = source
        return found

    def _sort_models(self, found: Found, models: Sequence[Mapping[str, Any]]) -> None:
        """Say which of Ollama's models the inventory does not name."""
        named = {model["name"] for model in models}
        for model in self.ollama.get("models") or ():
            told = f"model {model['name']}, {model['gib']} GiB"
            if model["name"] in named:
                found.here.append(told)
            elif model["name"].count("/") > 1:
                found.left.append(f"{told}, of another registry than Ollama's, from which HAL fetches none")
            elif "ollama" in self.services:
                found.unknown.append(f"{told}: not in network_language_models")
                found.models.append({"name": model["name"], "digest": model["digest"], "gib": model["gib"]})
            else:
                found.left.append(told)
        if self.ollama.get("owner") == "household" and "ollama" not in self.services:
            found.left.append(f"Ollama ({self.ollama['program'] or self.ollama['unit']})")

    def _units_of_others(self) -> Iterator[str]:
        """Yield the units that neither the distribution nor HAL brought."""
        for unit in self.units:
            name = unit["name"]
            known = unit["ours"] or name in self.own_units or name in FIREWALLS
            if not known and not BASE_UNITS.fullmatch(name) and not OWN_UNITS.fullmatch(name):
                yield f"unit {name}" + (f" ({unit['description']})" if unit["description"] else "")

    def _people(self, administrator: str) -> Iterator[str]:
        """Yield who else can log in, and the further keys of HAL's own user."""
        users = self.reading.get("users") or ()
        own = {key["fingerprint"] for user in users if user["name"] == administrator for key in user["keys"]}
        for user in users:
            keys = [
                f"{key['fingerprint']}{' ' + key['comment'] if key['comment'] else ''}"
                for key in user["keys"]
                if user["name"] != "root" or key["fingerprint"] not in own
            ]
            if user["name"] == administrator:
                if len(keys) > 1:
                    yield f"the {len(keys)} keys of {administrator}: {', '.join(keys)}"
            elif user["name"] != "root" or keys:
                yield f"user {user['name']} ({', '.join(keys) or 'no key'})"

    def _schedules(self) -> Iterator[str]:
        """Yield what cron runs."""
        for one in self.reading.get("schedules") or ():
            yield f"cron, {one['path']}: {one['program']} as {one['user']} ({one['when']})"
