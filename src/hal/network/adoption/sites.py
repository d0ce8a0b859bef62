"""A household's haproxy.cfg, taken over: as `network_sites`, and as it is where that has no words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hal.network.adoption.back_ends import backend_of
from hal.network.adoption.front_ends import FrontEnd
from hal.network.adoption.settings import binds_of
from hal.network.adoption.verbatim import Secrets, quoted
from hal.network.catalogue import Described
from hal.network.haproxy_config import (
    PROXIES,
    ConfigurationError,
    NotUnderstood,
    Section,
    read_configuration,
)
from hal.network.sites import Site, own_ports

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
        maps: the text of each map file that it names, by its path.
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
        self.bases = {
            line.words[0]: line.words[1]
            for section in self.sections
            if section.kind == "global"
            for line in section.lines
            if line.words[0] in ("crt-base", "ca-base")
        }

    def adopt(self) -> Adoption:
        """Return what becomes of the configuration."""
        rules = self._front_ends()
        self._back_ends(rules)
        self._others()
        self.result.fragment = self._fragment()
        self.result.secrets = self.secrets.names
        self.result.certificates = list(dict.fromkeys(self.result.certificates))
        return self.result

    def _front_ends(self) -> list[dict[str, Any]]:
        """Return the sites of all front ends; those that the description cannot say stay as they are."""
        rules: list[dict[str, Any]] = []
        taken: dict[int, Section] = {}
        for number, section in enumerate(self.sections):
            if section.kind not in ("frontend", "listen"):
                continue
            ports = {bind.port for bind in binds_of(section)} - {0}
            if ports and ports <= self.proxied_ports:
                self.result.left.append(
                    f"{section.head.where}: {section.kind} {section.name}, which HAL serves itself"
                )
                continue
            if conflict := sorted(ports & self.own_ports):
                raise ConfigurationError(
                    f"{section.head.where}: {section.kind} {section.name} listens on {conflict[0]}, which "
                    "HAL needs for itself: give it another port"
                )
            shared = ports & self.shared.keys()
            if not shared:
                self._keep(number)
                self.result.ports += sorted(ports)
                continue
            for port in sorted(shared):
                if taken.setdefault(port, section) is not section:
                    raise ConfigurationError(
                        f"{section.head.where}: {section.name} listens on {port} as {taken[port].name} "
                        "does, on another address; HAL listens on all: make them one front end, by the names"
                    )
            try:
                if section.kind == "listen":
                    raise NotUnderstood(section.head)
                front_end = FrontEnd(section, self.maps, self.bases.get("crt-base", "/"))
                rules += front_end.sites()
                self.result.certificates += front_end.certificates
            except NotUnderstood as reason:
                self.result.kept.append(f"{section.kind} {section.name}: {reason}")
                rules += self._move(number)
        return rules

    def _move(self, number: int) -> list[dict[str, Any]]:
        """Keep a front end as it is, behind HAL's, and return the sites that lead to it."""
        section = self.sections[number]
        rules, text = [], []
        mode = next((line.words[1] for line in section.lines if line.words[0] == "mode"), "")
        for line in section.lines:
            if line.words[0] != "bind":
                text.append(line.text)
        for bind in binds_of(section):
            place = f"{bind.address}:{bind.port}" if bind.port else bind.address
            options = " ".join(quoted(word) for word in bind.options)
            if bind.port in self.shared:
                passed = bind.tls or (mode == "tcp" and self.shared[bind.port] == "https_ports")
                place, options = f"abns@site_{section.name}_{bind.port}", f"accept-proxy {options}"
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
            elif bind.port:
                self.result.ports.append(bind.port)
            text.insert(0, f"    bind {place} {options}".rstrip())
        self._keep(number, text)
        return rules

    def _back_ends(self, rules: list[dict[str, Any]]) -> None:
        """Give the sites their servers, where the description can say them; keep the other back ends."""
        used = {word for text in self.verbatim.values() for word in re.findall(r"[A-Za-z0-9_.:-]+", text)}
        dynamic = any(
            re.search(r"use_backend\s+[\"']?%|use_backend.*map", text) for text in self.verbatim.values()
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
                site = backend_of(section, self.bases.get("ca-base", "/"))
                passed = site.pop("mode") == "tcp"
                if (
                    any(rule.get("passthrough", False) != passed for rule in wanted)
                    or section.name in self.names
                ):
                    raise NotUnderstood(section.head)
                described[section.name] = site
            except NotUnderstood as reason:
                self.result.kept.append(f"backend {section.name}: {reason}")
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
        for key in ("request_headers", "response_headers"):  # what the front end does comes first
            site[key] = rule.get(key, []) + own.get(key, [])
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
                    f"{line.where}: `{line.text.strip()}`, which HAL has its own of"
                    for line in section.lines
                    if line not in kept
                ]
                if kept:
                    self._keep(number, [line.text for line in kept])
            elif section.kind not in (*PROXIES, "defaults"):
                self._keep(number)

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
        named: list[
            Section
        ] = []  # defaults with a name stand once, which HAProxy could not tell from another
        for number in sorted(self.verbatim):
            section = self.sections[number]
            given = section.defaults
            if (
                section.kind in PROXIES
                and given is not latest
                and not (given in named and _names_them(section))
            ):
                latest = given
                head = f"defaults {given.name}" if given and given not in named else "defaults"
                parts.append(
                    "\n".join([head.strip(), *(line.text for line in (given.lines if given else ()))])
                )
                named += [given] if given and given.name else []
            parts.append(self.verbatim[number])
        return "\n\n".join("\n".join(self.secrets.taken_out(part)) for part in parts)


def _names_them(section: Section) -> bool:
    """Return whether a section names the defaults that it has."""
    return "from" in section.head.words[2:-1]
