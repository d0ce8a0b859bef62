"""The household's other sites on the proxy, beside HAL's own names: what they are, and their faults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import IPv4Network, ip_address
from typing import Any, Self

from hal.network.catalogue import EVERYBODY, Described

SITES = "group_vars/all/sites.yml"
# The services whose ports sites share.
SHARED = {"http_ports": "proxy_http", "https_ports": "proxy_https"}
CODES = (301, 302, 303, 307, 308)

NAME = re.compile(r"[A-Za-z0-9_.:-]+")
HOST_NAME = re.compile(r"\*?[a-z0-9_.-]+|[a-z0-9_.-]+\*")
TIME = re.compile(r"([0-9]+)(us|ms|s|m|h|d)?")
TIME_UNITS = {"us": 0.001, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7}


@dataclass(frozen=True)
class Server:
    """Where a site's requests go: an address with its port, or a socket of the proxy's own.

    Attributes:
        tls: empty: plain; `none`: TLS that is not verified; else the file of the authority it is from.
        sni: the name that is asked for with TLS; `host`: that of the request.
        send_proxy: version of the PROXY protocol that tells it who asks, `v1` or `v2`; empty: not told.
    """

    address: str = ""
    port: int = 0
    name: str = ""
    socket: str = ""
    tls: str = ""
    sni: str = ""
    send_proxy: str = ""
    check: bool = False
    backup: bool = False
    weight: int = 0


@dataclass(frozen=True)
class Site:
    """A site: which requests are its own, and what becomes of them. docs/adopt.md explains each key."""

    name: str
    names: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    except_names: tuple[str, ...] = ()
    except_paths: tuple[str, ...] = ()
    http_ports: tuple[int, ...] = ()
    https_ports: tuple[int, ...] = ()
    passthrough: bool = False
    default: bool = False
    servers: tuple[Server, ...] = ()
    backend: str = ""
    redirect: Mapping[str, Any] = field(default_factory=dict)
    balance: str = "roundrobin"
    health: Mapping[str, Any] = field(default_factory=dict)
    forwarded_for: bool = True
    request_headers: tuple[Mapping[str, str], ...] = ()
    response_headers: tuple[Mapping[str, str], ...] = ()
    max_body: int = 0
    timeouts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, described: Described, ports: Mapping[str, int]) -> Self:
        """Read a well-formed site.

        Args:
            described: the site as the inventory has it.
            ports: the ports where HAL stands itself, which are a site's unless it names others:
                {http_ports, https_ports}.
        """
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in described.items()
        }
        given["servers"] = tuple(Server(**server) for server in described.get("servers", ()))
        if "http_ports" not in given and "https_ports" not in given:
            given |= {
                key: (port,)
                for key, port in ports.items()
                if not (given.get("passthrough") and key == "http_ports")
            }
        if given.get("passthrough"):
            given["forwarded_for"] = False  # what is encrypted cannot be told more
        return cls(**given)

    @property
    def ports(self) -> tuple[int, ...]:
        """Return every port of the site."""
        return self.http_ports + self.https_ports

    @property
    def leads_to(self) -> str:
        """Return the name of its back end; empty: it answers by a redirect."""
        return "" if self.redirect else self.backend or self.name


def milliseconds(time: str) -> float:
    """Return a time as HAProxy writes it, such as `30s` or a number of milliseconds; 0 if it is none."""
    match = TIME.fullmatch(str(time))
    return int(match[1]) * TIME_UNITS[match[2] or "ms"] if match else 0.0


def own_ports(services: Mapping[str, Described]) -> dict[str, int]:
    """Return the ports on which sites stand beside HAL: {http_ports, https_ports}."""
    return {key: services[name]["port"] for key, name in SHARED.items() if name in services}


def proxy_sites(sites: Sequence[Described], services: Mapping[str, Described]) -> list[dict[str, Any]]:
    """Return the sites with every key, in the order in which they are tried."""
    parsed = _well_formed(sites, services)
    return [
        vars(site) | {"servers": [vars(server) for server in site.servers], "leads_to": site.leads_to}
        for site in parsed
    ]


def with_sites(
    services: Mapping[str, Described],
    sites: Sequence[Described],
    fragments: Sequence[Described],
    clients: Sequence[str] = (EVERYBODY,),
    port_clients: Mapping[int, Sequence[str]] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the services with what the sites add: their clients, and services for their own ports.

    Args:
        services: every service, for all modes.
        sites: `network_sites`.
        fragments: `network_site_fragments`.
        clients: who may ask the sites: networks, groups, or EVERYBODY.
        port_clients: who may instead of them, by the port.
    """
    found = {name: dict(service) for name, service in services.items()}
    wanted = {port for site in _well_formed(sites, services) for port in site.ports}
    wanted |= {
        port
        for fragment in fragments
        if not [*_fragment_faults(fragment)]
        for port in fragment.get("ports", ())
    }
    shared = {services[name]["port"]: name for name in SHARED.values() if name in services}
    for port in sorted(wanted):
        allowed = (port_clients or {}).get(port, clients)
        if port in shared:
            service = found[shared[port]]
            service["clients"] = list(dict.fromkeys([*service["clients"], *allowed]))
        else:
            found[f"sites_{port}"] = {
                "description": "Sites of the household",
                "group": "proxies",
                "port": port,
                "protocol": "tcp",
                "clients": list(allowed),
                "check": "flow",
                "unit": "haproxy",
            }
    return found


def _well_formed(sites: Sequence[Any], services: Mapping[str, Described]) -> list[Site]:
    """Return the sites that can be read; validation names the others."""
    return [
        Site.parse(site, own_ports(services))
        for site in sites
        if isinstance(site, dict)
        and not [*_typed(Site, "", site)]
        and not [fault for server in site.get("servers", ()) for fault in _server_faults("", server)]
    ]


def client_timeout(sites: Sequence[Described]) -> str:
    """Return how long the proxy waits for clients, the longest that a site says; HAL's own is a minute."""
    said = [site.timeouts["client"] for site in _well_formed(sites, {}) if site.timeouts.get("client")]
    return str(max(["60s", *said], key=milliseconds))


def site_frontends(sites: Sequence[Described], services: Mapping[str, Described]) -> list[dict[str, Any]]:
    """Return where the proxy listens for sites alone: [{name, port, tls, redirect, routes}]."""
    parsed = _well_formed(sites, services)
    taken = {service["port"] for service in services.values() if "frontend" in service}
    wanted = {
        (port, tls)
        for site in parsed
        for tls in (False, True)
        for port in (site.https_ports if tls else site.http_ports)
    }
    return [
        {"name": f"sites_{port}", "port": port, "tls": tls, "redirect": False, "routes": []}
        for port, tls in sorted(wanted)
        if port not in taken
    ]


# What is wrong

_KINDS = {
    "tuple[str, ...]": list,
    "tuple[int, ...]": list,
    "tuple[Server, ...]": list,
    "str": str,
    "int": int,
    "bool": bool,
    "Mapping[str, Any]": dict,
    "Mapping[str, str]": dict,
    "tuple[Mapping[str, str], ...]": list,
}
_WORDS = {str: "a text", int: "a number", bool: "true or false", list: "a list", dict: "a mapping"}
_TIMEOUTS = ("client", "connect", "server", "tunnel", "check", "queue")
_REDIRECTS = ("scheme", "prefix", "location")
_HEADERS = ("set", "add", "delete")
_ENCRYPTED = ("paths", "except_paths", "redirect", "request_headers", "response_headers", "max_body")


def _typed(kind: type[Site] | type[Server], what: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Find keys that are missing, unknown or of the wrong kind."""
    known = {key.name: key for key in fields(kind)}
    for key, value in given.items():
        if key not in known:
            yield f"{what} has an unknown key, {key}; there are {', '.join(known)}"
            continue
        wanted = _KINDS[str(known[key].type)]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            yield f"{key} of {what} is {value!r}, which is not {_WORDS[wanted]}"
        elif isinstance(value, list) and "int" in str(known[key].type):
            wrong = [port for port in value if not isinstance(port, int) or not 1 <= port <= 65535]
            yield from (f"{key} of {what} has {port!r}, which is no port" for port in wrong)
    for name, about in known.items():
        if about.default is MISSING and about.default_factory is MISSING and name not in given:
            yield f"{what} has no {name}"


def _server_faults(what: str, server: Any) -> Iterator[str]:
    """Find what is wrong with one server of a site."""
    if not isinstance(server, dict):
        yield f"{what} has the server {server!r}, which is not {{address: …, port: …}}"
        return
    typed = [*_typed(Server, f"a server of {what}", server)]
    yield from typed
    if typed or "socket" in server:
        return
    try:
        ip_address(server.get("address", ""))
    except ValueError:
        yield f"a server of {what} has the address {server.get('address')!r}, which is no IP address"
    if not 1 <= server.get("port", 0) <= 65535:
        yield f"port {server.get('port')} of a server of {what} is not between 1 and 65535"
    if (tls := server.get("tls", "none")) != "none" and not tls.startswith(("/", "@")):
        yield (
            f"tls of a server of {what} is {tls!r}: name the file of the authority that vouches for it, "
            "or `none` if nobody does"
        )


def _name_faults(what: str, site: Mapping[str, Any]) -> Iterator[str]:
    """Find what is wrong with what a site is called, and with the names and paths that it answers."""
    if not NAME.fullmatch(site["name"]):
        yield f"{what} has a name with other characters than letters, digits, and _ . : -"
    for key in ("names", "except_names"):
        for name in site.get(key, ()):
            if not isinstance(name, str) or not HOST_NAME.fullmatch(name):
                yield f"{key} of {what} has {name!r}: a name in small letters, with * at most at one end"
    for key in ("paths", "except_paths"):
        for path in site.get(key, ()):
            if not isinstance(path, str) or not path.startswith("/") or set(path) & set(" \"'#{}\\"):
                yield f"{key} of {what} has {path!r}, which is not the beginning of a path, such as /api/"
    if not site.get("default") and not site.get("names") and not site.get("paths"):
        yield f"{what} has neither names nor paths; `default: true` says that it answers all that is left"


def _answer_faults(what: str, site: Mapping[str, Any]) -> Iterator[str]:
    """Find what is wrong with what a site does with a request."""
    ways = [key for key in ("servers", "backend", "redirect") if site.get(key)]
    if len(ways) != 1:
        said = " and ".join(ways) or "nowhere to go"
        yield f"{what} has {said}: it needs one of servers, backend and redirect"
    for server in site.get("servers", ()):
        yield from _server_faults(what, server)
    if (redirect := site.get("redirect")) and (
        len([key for key in _REDIRECTS if isinstance(redirect.get(key), str)]) != 1
        or redirect.keys() - {*_REDIRECTS, "code"}
        or redirect.get("code", 301) not in CODES
    ):
        yield f"redirect of {what} is {redirect!r}: it has one of {', '.join(_REDIRECTS)}, and code"
    for key in ("request_headers", "response_headers"):
        for header in site.get(key, ()):
            if not isinstance(header, dict) or len([way for way in _HEADERS if header.get(way)]) != 1:
                yield (
                    f"{key} of {what} has {header!r}, which is not {{set: NAME, value: VALUE}}, add or delete"
                )
    for key in _ENCRYPTED if site.get("passthrough") else ():
        if site.get(key):
            yield f"{what} is passed through encrypted, so that its {key} cannot be seen to"


def _time_faults(what: str, site: Mapping[str, Any]) -> Iterator[str]:
    """Find what is wrong with a site's timeouts."""
    for key, time in site.get("timeouts", {}).items():
        if key not in _TIMEOUTS:
            yield f"timeouts of {what} has {key}; there are {', '.join(_TIMEOUTS)}"
        elif not milliseconds(time):
            yield f"{key} of the timeouts of {what} is {time!r}, which is no time such as 30s or 1h"


def form_faults(what: str, site: Mapping[str, Any]) -> Iterator[str]:
    """Find what is wrong with a site by itself, its keys being of the right kind."""
    yield from _name_faults(what, site)
    yield from _answer_faults(what, site)
    yield from _time_faults(what, site)


def _port_faults(site: Site, services: Mapping[str, Described]) -> Iterator[str]:
    """Find ports of a site that HAL has, or where HAL speaks otherwise."""
    shared = own_ports(services)
    for port in dict.fromkeys(site.ports):
        yield from (
            f"site {site.name} has the port {port}, which is HAL's own ({other})"
            for other, service in services.items()
            if service["group"] in ("proxies", "managed_hosts")
            and service["port"] == port not in shared.values()
            and not other.startswith("sites_")
        )
    for key, spoken in (("http_ports", "TLS"), ("https_ports", "no TLS")):
        wrong = site.https_ports if key == "http_ports" else site.http_ports
        if shared.get(key) in wrong:
            yield (
                f"site {site.name} speaks {spoken} on port {shared[key]}, where HAL does not: "
                "give it another port"
            )


def _among_faults(
    sites: Sequence[Site], services: Mapping[str, Described], names: Sequence[str], fragments: str
) -> Iterator[str]:
    """Find what two sites, or a site and HAL, both want."""
    backends = {service["proxy"]["backend"] for service in services.values() if service.get("proxy")}
    frontends = {service["frontend"] for service in services.values() if service.get("frontend")}
    taken_names: set[str] = set()
    taken: dict[tuple[Any, ...], str] = {}
    last: dict[tuple[int, bool], str] = {}
    for site in sites:
        if site.name in taken_names:
            yield f"two sites have the name {site.name}"
        taken_names.add(site.name)
        if site.name in backends | frontends:
            yield f"site {site.name} has the name of one of HAL's own parts of the proxy: choose another"
        for name in site.names:
            if name in names:
                yield f"site {site.name} has the name {name}, which is HAL's own"
        yield from _port_faults(site, services)
        for port in dict.fromkeys(site.ports):
            if (kind := (port, site.passthrough)) in last:
                yield (
                    f"site {site.name} is never asked on port {port}, as {last[kind]} before it answers "
                    "everything: put that last"
                )
            excepts = (*site.except_names, *site.except_paths)
            if site.default and not excepts and not site.names and not site.paths:
                last.setdefault(kind, site.name)
            for claim in ((name, path, excepts) for name in site.names for path in site.paths or ("",)):
                first = taken.setdefault((port, *claim), site.name)
                if first != site.name:
                    yield f"sites {first} and {site.name} both answer {claim[0]}{claim[1]} on port {port}"
    described = {site.name for site in sites if site.servers} | backends
    for site in sites:
        section = re.compile(rf"^\s*(?:backend|listen)\s+{re.escape(site.backend)}(?!\S)", re.MULTILINE)
        if site.backend and site.backend not in described and not section.search(fragments):
            yield f"site {site.name} leads to {site.backend}, which no site and no fragment describes"


def _fragment_faults(fragment: Any) -> Iterator[str]:
    """Find what is wrong with one of the fragments."""
    if not isinstance(fragment, dict) or not isinstance(fragment.get("text"), str) or "name" not in fragment:
        yield "network_site_fragments has an entry that is not {name: ORIGIN, text: SECTIONS, ports: […]}"
    elif unknown := fragment.keys() - {"name", "text", "ports"}:
        yield f"the fragment {fragment['name']} has an unknown key, {', '.join(sorted(unknown))}"
    elif not isinstance(ports := fragment.get("ports", []), list) or not all(
        isinstance(port, int) for port in ports
    ):
        yield f"ports of the fragment {fragment['name']} are {ports!r}, which is no list of ports"


def _certificate_faults(certificates: Sequence[Any]) -> Iterator[str]:
    """Find certificates that cannot be served."""
    for given in certificates:
        if not isinstance(given, dict) or not (given.keys() == {"path"} or given.keys() == {"name", "pem"}):
            shown = [*given] if isinstance(given, dict) else given  # no content: it can be a key
            yield (
                f"network_site_certificates has {shown!r}, which is "
                "neither {path: FILE OR DIRECTORY ON THE PROXY} nor {name: NAME, pem: CERTIFICATE AND KEY}"
            )
        elif "path" in given and not str(given["path"]).startswith("/"):
            yield f"the certificate {given['path']} is no absolute path"
        elif "pem" in given:
            text = str(given["pem"])
            for part, mark in (("certificate", "BEGIN CERTIFICATE"), ("key", "PRIVATE KEY")):
                if mark not in text:
                    yield f"the certificate {given['name']} is without its {part}: put both into its pem"


def site_faults(described: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the sites, each after the file to edit; none when all is well.

    Args:
        described: {sites, fragments: [{name, text, ports}], certificates, secrets: {name: value}, networks,
            port_networks: {port: networks}, services: the catalogue, names: HAL's own names and addresses at
            the proxy}.
    """
    sites, services = described["sites"], described["services"]
    faults: list[str] = []
    well_formed = []
    for number, site in enumerate(sites, 1):
        what = (
            f"site {site['name']}" if isinstance(site, dict) and "name" in site else f"site number {number}"
        )
        if not isinstance(site, dict):
            faults.append(f"{what} is not a mapping")
            continue
        found = [*_typed(Site, what, site)] or [*form_faults(what, site)]
        faults += found
        if not found:
            well_formed.append(Site.parse(site, own_ports(services)))
    faults += [fault for fragment in described.get("fragments", ()) for fault in _fragment_faults(fragment)]
    fragments = [fragment for fragment in described.get("fragments", ()) if not [*_fragment_faults(fragment)]]
    texts = "\n".join(str(fragment.get("text", "")) for fragment in fragments)
    faults += _among_faults(well_formed, services, described["names"], texts)
    faults += _certificate_faults(described.get("certificates", ()))
    secrets = described.get("secrets", {})
    faults += [
        f"a fragment needs the secret {name}: put it into network_site_secrets in the vault "
        "(the value stands in /etc/haproxy/haproxy.cfg.before-hal, or still in haproxy.cfg)"
        for name in dict.fromkeys(re.findall(r"\$\{(SITE_[A-Z0-9_]+)\}", texts))
        if not secrets.get(name)
    ]
    named = [("network_site_networks", network) for network in described.get("networks", ())]
    for port, networks in described.get("port_networks", {}).items():
        named += [(f"network_site_port_networks.{port}", network) for network in networks]
    for variable, network in named:
        try:
            IPv4Network("0.0.0.0/0" if network == EVERYBODY else str(network))
        except ValueError as error:
            faults.append(f"{variable} has {network!r}, which is no network: {error}")
    return [f"{SITES}: {fault}" for fault in dict.fromkeys(faults)]
