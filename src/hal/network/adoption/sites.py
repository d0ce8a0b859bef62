"""A household's haproxy.cfg, taken over: as `network_sites`, and as it is where that has no words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hal.network.adoption.back_ends import backend_of
from hal.network.adoption.front_ends import FrontEnd
from hal.network.adoption.settings import EVERYWHERE, Bind, binds_of, settings_of
from hal.network.adoption.verbatim import Secrets, told, without_secrets
from hal.network.catalogue import Described
from hal.network.haproxy_config import (
    PROXIES,
    ConfigurationError,
    NotUnderstood,
    Section,
    read_configuration,
)
from hal.network.haproxy_words import quoted, split_words
from hal.network.sites import Site, form_faults, own_ports

OWN_GLOBALS = {
    "log",
    "user",
    "group",
    "chroot",
    "stats",
    "daemon",
    "pidfile",
    "master-worker",
    "hard-stop-after",
    "ssl-default-bind-options",
    "log-send-hostname",
    "log-tag",
}

CHROOT = "/var/lib/haproxy"
SOCKET = re.compile(r"(unix@|uxst@)?/")
FAMILIES = ("v4v6", "v6only")  # of addresses: a socket has none


@dataclass
class Adoption:
    """What becomes of a configuration.

    Attributes:
        sites: the sites, in the order in which they are tried.
        certificates: files and directories of certificates on the proxy.
        fragment: what the description has no words for, as it was; empty: nothing.
        ports: where the fragment listens, beside the ports that HAL has.
        secrets: what the fragment's secrets are called.
        kept: why parts are in the fragment: the lines that are not understood.
        left: what HAL does itself from now on, and is taken over by nobody.
    """

    sites: list[dict[str, Any]] = field(default_factory=list)
    certificates: list[str] = field(default_factory=list)
    fragment: str = ""
    ports: list[int] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def adopt_sites(
    files: Sequence[Mapping[str, str]], maps: Mapping[str, str], services: Mapping[str, Described]
) -> dict[str, Any]:
    """Return what becomes of a configuration: the fields of Adoption.

    Args:
        files: the configuration, [{path, text}], in the order in which HAProxy reads it.
        maps: the text of each map file that it names, by its path, and of each page of errors that a person
            changed.
        services: HAL's own catalogue, without sites.

    Raises:
        ConfigurationError: it cannot be read, or stands where HAL must.
    """
    return asdict(_Adopter(files, maps, services).adopt())


class _Adopter:
    """Takes one configuration over."""

    def __init__(
        self, files: Sequence[Mapping[str, str]], maps: Mapping[str, str], services: Mapping[str, Described]
    ) -> None:
        self.sections = read_configuration(files)
        self.maps = maps
        self.shared = {port: key for key, port in own_ports(services).items()}
        self.own_ports = {
            service["port"]
            for service in services.values()
            if service["group"] in ("proxies", "managed_hosts")
        } - self.shared.keys()
        self.proxied_ports = {s["port"] for s in services.values() if s.get("frontend")} - self.shared.keys()
        self.own_frontends = {service["frontend"] for service in services.values() if service.get("frontend")}
        self.own_frontends.add("metrics")
        self.own_backends = {s["proxy"]["backend"] for s in services.values() if s.get("proxy")}
        self.result = Adoption()
        self.secrets = Secrets()
        self.verbatim: dict[int, str] = {}  # the sections of the fragment by their number, with their text
        self.names = set(self.own_frontends | self.own_backends)
        everything = "\n".join(line.text for section in self.sections for line in section.lines)
        self.captures_used = re.search(r"capture\.re[qs]\.hdr", everything) is not None
        self.names_used = re.search(r"\bfe_(?:name|id|conn|req|sess)", everything) is not None
        self.bases = {
            line.words[0]: line.words[1]
            for section in self.sections
            if section.kind == "global"
            for line in section.lines
            if line.words[0] in ("crt-base", "ca-base")
        }

    def adopt(self) -> Adoption:
        """Return what becomes of the configuration."""
        self._check_sockets()
        rules = self._front_ends()
        self._back_ends(rules)
        self._others()
        self.result.fragment = self._fragment()
        self.result.secrets = self.secrets.names
        self.result.certificates = list(dict.fromkeys(self.result.certificates))
        return self.result

    def _check_sockets(self) -> None:
        """Refuse servers at sockets that HAL's HAProxy, which sees one directory alone, would not find.

        Raises:
            ConfigurationError: which, and what to do.
        """
        lines = [line for section in self.sections for line in section.lines]
        if ("chroot", CHROOT) in (line.words for line in lines):
            return
        for line in lines:
            if line.words[0] == "server" and line.words[2:3] and SOCKET.match(line.words[2]):
                raise ConfigurationError(
                    f"{line.where}: `{' '.join(line.words[:3])}` leads to a socket, which HAL's "
                    f"HAProxy does not find outside of {CHROOT}: have that program listen at a port of "
                    "127.0.0.1"
                )

    def _front_ends(self) -> list[dict[str, Any]]:
        """Return the sites of all front ends; those that the description cannot say stay as they are."""
        rules: list[dict[str, Any]] = []
        taken: dict[int, Section] = {}
        for number, section in enumerate(self.sections):
            if section.kind not in ("frontend", "listen"):
                continue
            binds = binds_of(section)
            ports = {bind.port for bind in binds} - {0}
            if ports and ports <= self.proxied_ports:
                self.result.left.append(
                    f"{section.head.where}: {section.kind} {section.name}, which HAL serves itself"
                )
                continue
            self._check_own(section, ports)
            shared = ports & self.shared.keys()
            if not shared:
                self._keep(number)
                self.result.ports += [bind.port for bind in binds if bind.port and not bind.on_loopback]
                continue
            self._check_shared(section, binds)
            for port in sorted(shared):
                if taken.setdefault(port, section) is not section:
                    raise ConfigurationError(
                        f"{section.head.where}: {section.name} listens on {port} as {taken[port].name} "
                        "does, on another address; HAL listens on all: make them one front end, by the names"
                    )
            try:
                if section.kind == "listen":
                    raise NotUnderstood(section.head)
                self._check_use(section)
                front_end = FrontEnd(section, self.maps, self.bases.get("crt-base", "/"))
                found = front_end.sites()
                if any(
                    self.shared.get(port) == "http_ports"
                    for site in found
                    for port in site.get("https_ports", ())
                ):
                    raise NotUnderstood(section.head)  # `mode tcp`, where HAL reads what is asked
                if any(fault for site in found for fault in form_faults("", {"name": "x"} | site)):
                    raise NotUnderstood(section.head)  # such as a name that is none
                rules += found
                self.result.certificates += front_end.certificates
            except NotUnderstood as reason:
                self.result.kept.append(f"{section.kind} {section.name}: {told(reason.line)}")
                rules += self._move(number)
        return rules

    def _check_own(self, section: Section, ports: Iterable[int]) -> None:
        """Refuse a section that listens on a port which HAL has alone.

        Raises:
            ConfigurationError: which.
        """
        own = self.own_ports if section.kind in PROXIES else self.own_ports | self.shared.keys()
        if conflict := sorted(own.intersection(ports)):
            raise ConfigurationError(
                f"{section.head.where}: {section.kind} {section.name} listens on {conflict[0]}, which "
                "HAL needs for itself: give it another port"
            )

    def _check_use(self, section: Section) -> None:
        """Leave a section as it is that shows pages which a person changed, or on which others rely."""
        for line in [*(section.defaults.lines if section.defaults else []), *section.lines]:
            if line.words[0] == "errorfile" and line.words[-1] in self.maps:
                raise NotUnderstood(line)
            if line.words[0] == "capture" and self.captures_used:
                raise NotUnderstood(line)
        if section.kind == "frontend" and self.names_used:
            raise NotUnderstood(section.head)

    def _check_shared(self, section: Section, binds: Sequence[Bind]) -> None:
        """Refuse a front end that HAL cannot stand before on their common ports; tell what changes.

        Raises:
            ConfigurationError: why, and what to do.
        """
        what = f"{section.kind} {section.name}"
        encrypted = settings_of(section, lenient=True).mode == "tcp"
        kinds: dict[int, tuple[str, ...]] = {}
        for bind in (bind for bind in binds if bind.port in self.shared):
            where, port = bind.line.where, bind.port
            tls = self.shared[port] == "https_ports"
            if bind.on_loopback:
                raise ConfigurationError(
                    f"{where}: {what} listens on {port} for this host alone, where HAL listens for "
                    "others, too: give it another port"
                )
            if (
                "accept-proxy" in bind.options
                or "accept-netscaler-cip" in bind.options
                or any("expect-proxy" in line.words for line in section.lines)
            ):
                raise ConfigurationError(
                    f"{where}: {what} is told by another proxy who asks on {port}, where HAL's "
                    "clients tell nothing: let that proxy ask on another port"
                )
            if bind.tls != tls and not (tls and encrypted):
                spoken = (
                    "speaks TLS on {}, where HAL speaks none"
                    if bind.tls
                    else "speaks no TLS on {}, as HAL does"
                )
                raise ConfigurationError(f"{where}: {what} {spoken.format(port)}: give it another port")
            options = tuple(option for option in bind.options if option not in FAMILIES)
            if kinds.setdefault(port, options) != options:
                raise ConfigurationError(
                    f"{where}: {what} listens on {port} in two ways, on two addresses; HAL listens on "
                    "all: make them one, by the names"
                )
            if ":" in bind.address or "v4v6" in bind.options or "v6only" in bind.options:
                self.result.left.append(f"{where}: IPv6 of {what}: HAL listens on {port} with IPv4")
            elif bind.address not in EVERYWHERE:
                self.result.left.append(
                    f"{where}: the address {bind.address} of {what}: HAL listens on {port} of all"
                )
            if "interface" in bind.options:
                self.result.left.append(
                    f"{where}: the interface that {what} listens on alone: HAL listens on {port} of all"
                )

    def _move(self, number: int) -> list[dict[str, Any]]:
        """Keep a front end as it is, behind HAL's, and return the sites that lead to it."""
        section = self.sections[number]
        rules: list[dict[str, Any]] = []
        binds: list[str] = []
        # A connection from HAL's front end says who asks once it stands.
        text = [
            re.sub(r"^(\s*tcp-request\s+)connection\b", r"\1session", line.text)
            for line in section.lines
            if line.words[0] != "bind"
        ]
        encrypted = settings_of(section, lenient=True).mode == "tcp"
        moved: set[int] = set()
        for bind in binds_of(section):
            place, options = f"{bind.address}:{bind.port}" if bind.port else bind.address, bind.options
            if bind.port in self.shared:
                if bind.port in moved:  # the same, on another address
                    continue
                moved.add(bind.port)
                passed = bind.tls or (encrypted and self.shared[bind.port] == "https_ports")
                place = f"abns@site_{section.name}_{bind.port}"
                options = ("accept-proxy", *_of_a_socket(options))
                rules.append(
                    {
                        "name": self._name(f"{section.name}_{bind.port}"),
                        "default": True,
                        "passthrough": passed,
                        "forwarded_for": False,
                        ("https_ports" if passed else "http_ports"): [bind.port],
                        "servers": [{"socket": place.removeprefix("abns@"), "send_proxy": "v2"}],
                    }
                )
            elif bind.port and not bind.on_loopback:
                self.result.ports.append(bind.port)
            binds.append(f"    bind {' '.join(quoted(word) for word in (place, *options))}")
        self._keep(number, [*binds, *text])
        return rules

    def _back_ends(self, rules: list[dict[str, Any]]) -> None:
        """Give the sites their servers, where the description can say them; keep the other back ends."""
        used = {word for text in self.verbatim.values() for word in re.findall(r"[A-Za-z0-9_.:-]+", text)}
        dynamic = any(
            re.search(r"use_backend\s+\S*%|use_backend.*map", text) for text in self.verbatim.values()
        )
        described: dict[str, dict[str, Any]] = {}
        for number, section in enumerate(self.sections):
            if section.kind != "backend":
                continue
            if section.name in self.own_backends:
                self.result.left.append(f"{section.head.where}: backend {section.name}, which is HAL's own")
                continue
            wanted = [rule for rule in rules if rule.get("backend") == section.name]
            try:
                if not wanted or dynamic or section.name in used:
                    self._keep(number)
                    continue
                self._check_use(section)
                site = backend_of(section, self.bases.get("ca-base", "/"))
                passed = site.pop("mode") == "tcp"
                if (
                    any(rule.get("passthrough", False) != passed for rule in wanted)
                    or section.name in self.names
                ):
                    raise NotUnderstood(section.head)
                described[section.name] = site
            except NotUnderstood as reason:
                self.result.kept.append(f"backend {section.name}: {told(reason.line)}")
                self._keep(number)
        self.names |= {
            section.name
            for section in self.sections
            if section.kind in PROXIES and section.name not in described
        }
        for rule in rules:
            self.result.sites.append(self._site(rule, described))

    def _site(self, rule: dict[str, Any], described: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """Return a site for a rule of a front end. Of several to one back end the first has the servers."""
        backend = rule.get("backend", "")
        own = described.get(backend, {})
        site = {key: value for key, value in rule.items() if key != "backend"}
        site["request_headers"] = rule.get("request_headers", []) + own.get("request_headers", [])
        # Answers come from the back end: what it says of them comes first.
        site["response_headers"] = own.get("response_headers", []) + rule.get("response_headers", [])
        site["forwarded_for"] = rule.get("forwarded_for", False) or own.get("forwarded_for", False)
        if own and backend not in self.names:
            self.names.add(backend)
            places: dict[str, Any] = {key: own[key] for key in ("servers", "health", "balance") if key in own}
            site |= {
                "name": backend,
                **places,
                "timeouts": own.get("timeouts", {}) | rule.get("timeouts", {}),
            }
        elif backend:
            site |= {"name": self._name(backend), "backend": backend}
            if not own and self._says_who_asks(backend):
                site["forwarded_for"] = False
        elif "name" not in site:
            site["name"] = self._name("to_" + str(site["redirect"].get("scheme", "elsewhere")))
        if site.get("passthrough") or site.get("redirect"):
            del site["forwarded_for"]
        order = [*Site.__dataclass_fields__]
        kept = {key: value for key, value in site.items() if value not in ([], {}, ())}
        return dict(sorted(kept.items(), key=lambda item: order.index(item[0])))

    def _says_who_asks(self, backend: str) -> bool:
        """Return whether a back end that is kept as it is adds X-Forwarded-For itself."""
        return any(
            line.words[:2] == ("option", "forwardfor")
            for section in self.sections
            if section.kind == "backend" and section.name == backend
            for line in [*(section.defaults.lines if section.defaults else []), *section.lines]
        )

    def _name(self, wanted: str) -> str:
        """Return a name that nothing has yet."""
        number, name = 1, wanted
        while name in self.names:
            number += 1
            name = f"{wanted}_{number}"
        self.names.add(name)
        return name

    def _others(self) -> None:
        """Keep the sections that are no proxies, and of `global` what HAL does not say itself."""
        for number, section in enumerate(self.sections):
            if section.kind == "global":
                kept = [line for line in section.lines if line.words[0] not in OWN_GLOBALS]
                self.result.left += [
                    f"{line.where}: `{without_secrets(line.text)}`, which HAL has its own of"
                    for line in section.lines
                    if line not in kept
                ]
                if kept:
                    self._keep(number, [line.text for line in kept])
            elif section.kind not in (*PROXIES, "defaults"):
                self._keep(number)
                listening = [bind for bind in binds_of(section) if bind.port and not bind.on_loopback]
                self._check_own(section, [bind.port for bind in listening])
                self.result.ports += [bind.port for bind in listening]

    def _keep(self, number: int, lines: Sequence[str] | None = None) -> None:
        """Keep a section as it is, or with these lines."""
        section = self.sections[number]
        head = section.head.text.strip()
        if section.kind in ("frontend", "listen") and section.name in self.own_frontends:
            head = head.replace(section.name, self._name(section.name), 1)
        own = [line.text for line in section.lines] if lines is None else lines
        self.verbatim[number] = "\n".join([head, *own])

    def _fragment(self) -> str:
        """Return the sections that are kept, each after its defaults, with names for their secrets."""
        parts: list[str] = []
        latest: Section | str | None = "HAL's"
        written: list[Section] = []
        for number in sorted(self.verbatim):
            section, text = self.sections[number], self.verbatim[number]
            if section.kind in PROXIES and section.defaults is not latest:
                own, named = section.defaults, "from" in section.head.words[1:-1]
                if own and any(own is one for one in written):  # a name is there once
                    head, *lines = text.split("\n")
                    words = " ".join(map(quoted, split_words(head)))  # without its comment
                    text = "\n".join([head if named else f"{words} from {own.name}", *lines])
                else:
                    latest = own
                    parts.append(
                        "\n".join([line.text for line in [own.head, *own.lines]]) if own else "defaults"
                    )
                    written += [own] if own and own.name else []
            parts.append(text)
        return "\n\n".join("\n".join(self.secrets.taken_out(part)) for part in parts)


def _of_a_socket(options: Sequence[str]) -> Iterator[str]:
    """Yield the options of a bind that hold at a socket, too: those of addresses have no meaning there."""
    is_interface = False
    for option in options:
        if not is_interface and option not in (*FAMILIES, "interface"):
            yield option
        is_interface = option == "interface"
