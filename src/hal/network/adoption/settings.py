"""What the sections of a haproxy.cfg say that the description of sites can say, too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hal.network.haproxy_config import ConfigurationError, Line, NotUnderstood, Section

# What makes no difference to an answer, or what HAL's own configuration has already.
UNIMPORTANT = {"log", "log-format", "maxconn", "retries", "description", "capture", "fullconn"}
UNIMPORTANT_OPTIONS = {
    "httplog",
    "tcplog",
    "dontlognull",
    "redispatch",
    "http-server-close",
    "http-keep-alive",
    "httpclose",
    "abortonclose",
    "clitcpka",
    "srvtcpka",
    "tcpka",
    "log-health-checks",
    "dontlog-normal",
    "tcp-smart-accept",
    "tcp-smart-connect",
}
SITE_TIMEOUTS = ("connect", "server", "tunnel", "check", "queue")
CHECK_TIMES = ("inter", "fastinter", "downinter", "fall", "rise")
OTHER_TIMEOUTS = ("http-request", "http-keep-alive", "client-fin", "server-fin", "tarpit")
ERROR_PAGE = "/etc/haproxy/errors/{}.http"  # the package's, which say what HAProxy says without them
# What a header's value takes from rules that are not described, or from what is called otherwise at HAL's.
ELSEWHERE = re.compile(
    r"%ID|%(?:\{[^}]*\})?(?:f|ft|b)(?![A-Za-z])|unique-id|capture\.re[qs]\.hdr|table_|\bvar\(|\blua\."
    r"|\b(?:fe|be|sc[0-9]?|so)_|\bhttp_auth|\bsrc_(?!port)"
)
PRIVATE_HEADER = re.compile(r"authorization|token|secret|key|cookie|password", re.IGNORECASE)


PORTS = re.compile(r"\d+(-\d+)?")
EVERYWHERE = ("", "*", "0.0.0.0", "::")  # noqa: S104 - these are read, and listened on by nobody


@dataclass(frozen=True)
class Bind:
    """One address where a section listens; port 0 is a socket, or speaks another protocol than TCP."""

    address: str
    port: int
    options: tuple[str, ...]
    line: Line

    @property
    def tls(self) -> bool:
        """Return whether clients speak TLS with the proxy."""
        return "ssl" in self.options

    @property
    def on_loopback(self) -> bool:
        """Return whether no other host reaches it."""
        return self.address in ("localhost", "::1") or self.address.startswith("127.")


@dataclass(frozen=True)
class Settings:
    """What a section has from its defaults and itself and the description can say."""

    mode: str = "tcp"  # as HAProxy has it where nothing is said
    timeouts: Mapping[str, str] = field(default_factory=dict)
    forwarded_for: bool = False
    balance: str = "roundrobin"


def binds_of(section: Section) -> list[Bind]:
    """Return where a section listens, one for each port.

    Raises:
        ConfigurationError: it is not known on which port.
    """
    found = []
    for line in section.lines:
        if line.words[0] == "bind":
            for place in line.words[1].split(","):
                address, _, ports = place.rpartition(":")
                if place.startswith(
                    ("/", "abns@", "unix@", "uxst@", "fd@", "sockpair@", "quic", "udp", "rhttp@")
                ):
                    found.append(Bind(place, 0, line.words[2:], line))
                    continue
                if not PORTS.fullmatch(ports):
                    raise ConfigurationError(
                        f"{line.where}: `{line.text.strip()}` does not say on which port it listens: "
                        "write the port in digits"
                    )
                first, _, last = ports.partition("-")
                family, at, address = address.rpartition("@")
                if family not in ("ipv4", "ipv6"):
                    address = family + at + address
                address = address.strip("[]") or ("::" if family == "ipv6" else "")
                found += [
                    Bind(address, port, line.words[2:], line)
                    for port in range(int(first), int(last or first) + 1)
                ]
    return found


def settings_of(section: Section, *, lenient: bool = False) -> Settings:
    """Return what a section has from its defaults, and what it says of that itself.

    Args:
        section: the section.
        lenient: whether what the description cannot say is passed over.

    Raises:
        NotUnderstood: the defaults say what the description cannot.
    """
    found: dict[str, Any] = {"timeouts": {}}
    for line in section.defaults.lines if section.defaults else []:
        if not setting(line, found) and not is_unimportant(line) and not lenient:
            raise NotUnderstood(line)
    for line in section.lines:
        setting(line, found)
    return Settings(**found)


def setting(line: Line, found: dict[str, Any]) -> bool:
    """Take a line that is a setting; return whether it is one."""
    match line.words:
        case ("mode", "http" | "tcp" as mode):
            found["mode"] = mode
        case ("timeout", kind, time) if kind in (*SITE_TIMEOUTS, "client"):
            found["timeouts"][kind] = time
        case ("option", "forwardfor"):
            found["forwarded_for"] = True
        case ("balance", "roundrobin" | "leastconn" | "source" | "first" as balance):
            found["balance"] = balance
        case _:
            return False
    return True


def is_unimportant(line: Line) -> bool:
    """Return whether a line makes no difference to an answer."""
    match line.words:
        case ("no", "option", name) | ("option", name):
            return name in UNIMPORTANT_OPTIONS
        case ("timeout", kind, _):
            return kind in OTHER_TIMEOUTS
        case ("default-server", *options):
            return all(option in CHECK_TIMES for option in options[::2])
        case ("errorfile", code, page):
            return page == ERROR_PAGE.format(code)
        case (word, *_):
            return word in UNIMPORTANT
    return False


def header_of(words: Sequence[str], line: Line) -> dict[str, str] | None:
    """Return a header that a rule sets, adds or deletes, without its condition; None: another rule."""
    match words:
        case ("set-header" | "add-header" as how, name, value):
            if PRIVATE_HEADER.search(name) or ELSEWHERE.search(value):
                raise NotUnderstood(line)
            return {how.removesuffix("-header"): name, "value": value}
        case ("del-header", name):
            return {"delete": name}
    return None


def split_condition(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what stands before a rule's `if` or `unless`, and the condition."""
    for place, word in enumerate(words):
        if word in ("if", "unless"):
            return tuple(words[:place]), tuple(words[place:])
    return tuple(words), ()


def refuse_variables(section: Section) -> None:
    """Leave a section as it is that takes values from HAProxy's environment, which is not known here."""
    for line in section.lines:
        if "$" in line.text:
            raise NotUnderstood(line)
