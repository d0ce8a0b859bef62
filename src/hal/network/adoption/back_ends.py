"""A back end with its servers, as keys of a site."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any

from hal.network.adoption.settings import (
    CHECK_TIMES,
    SITE_TIMEOUTS,
    header_of,
    is_unimportant,
    refuse_variables,
    setting,
    settings_of,
    split_condition,
)
from hal.network.haproxy_config import Line, NotUnderstood, Section
from hal.network.sites import form_faults

VERSIONS = ("HTTP/1.0", "HTTP/1.1")


def _health(line: Line, found: dict[str, Any]) -> bool:
    """Take a line that says what servers are asked; return whether it is one."""
    match line.words:
        case ("option", "httpchk", *asked) if len(asked) < 4 and (asked[2:] or ["HTTP/1.0"])[0] in VERSIONS:
            path = asked[-1] if len(asked) == 1 else (asked[1:] or ["/"])[0]
            found |= {"method": asked[0] if len(asked) > 1 else "OPTIONS", "path": path}
        case ("http-check", "send", "meth", method, "uri", path):
            found |= {"method": method, "path": path}
        case ("http-check", "send", "meth", method, "uri", path, "ver", "HTTP/1.1", "hdr", name, host) if (
            name.lower() == "host"
        ):
            found |= {"method": method, "path": path, "host": host}
        case ("http-check", "expect", "status", status) if status.isdecimal() and "status" not in found:
            found["status"] = int(status)
        case _:
            return False
    return True


def _header_rule(line: Line, site: dict[str, Any]) -> bool:
    """Take a line that changes a header of every request or answer; return whether it is one."""
    rule, *rest = line.words
    if rule not in ("http-request", "http-response") or split_condition(rest)[1]:
        return False
    if header := header_of(rest, line):
        site["request_headers" if rule == "http-request" else "response_headers"].append(header)
    return header is not None


def backend_of(section: Section, ca_base: str) -> dict[str, Any]:
    """Return a back end as keys of a site, and its `mode`.

    Raises:
        NotUnderstood: a line says what the description cannot.
    """
    settings = settings_of(section)
    refuse_variables(section)
    site: dict[str, Any] = {"servers": [], "request_headers": [], "response_headers": []}
    health: dict[str, Any] = {}
    for line in section.lines:
        match line.words:
            case ("server", name, place, *options):
                site["servers"].append(_server(name, place, options, line, ca_base))
            case _ if not (
                _health(line, health)
                or _header_rule(line, site)
                or setting(line, {"timeouts": {}})
                or is_unimportant(line)
            ):
                raise NotUnderstood(line)
    if ("option", "httpchk") not in (line.words[:2] for line in section.lines):
        health = {}  # without it HAProxy passes over `http-check`, and only connects
    checked = [server for server in site["servers"] if server.get("check")]
    if not site["servers"] or (health and checked and len(checked) < len(site["servers"])):
        raise NotUnderstood(section.head)  # no server, or some that are asked and some that are not
    if health and checked:
        site["health"] = health
        for server in site["servers"]:
            del server["check"]
    if settings.balance != "roundrobin":
        site["balance"] = settings.balance
    site["timeouts"] = {key: time for key, time in settings.timeouts.items() if key in SITE_TIMEOUTS}
    if [*form_faults("", {"name": "x", "default": True} | site)]:
        raise NotUnderstood(section.head)  # such as a timeout that never ends
    return site | {"forwarded_for": settings.forwarded_for, "mode": settings.mode}


def _server(name: str, place: str, options: Sequence[str], line: Line, ca_base: str) -> dict[str, Any]:
    """Return a server of a site."""
    address, _, port = place.rpartition(":")
    try:
        ip_address(address)
    except ValueError:
        raise NotUnderstood(line) from None  # a name, which is looked up, or a socket
    if not port.isdecimal():
        raise NotUnderstood(line)
    server: dict[str, Any] = {"name": name, "address": address, "port": int(port)}
    words, tls, verify, authority = list(options), False, "", ""
    while words:
        match words:
            case ["ssl", *rest]:
                tls = True
            case ["verify", verify, *rest]:
                pass
            case ["ca-file", authority, *rest]:
                pass
            case _:
                rest = _server_option(words, server, line)
        words = rest
    if tls and verify != "none" and not authority:
        raise NotUnderstood(line)
    if tls:
        from_file = authority if authority.startswith("@") else str(PurePosixPath(ca_base) / authority)
        server["tls"] = "none" if verify == "none" else from_file
    return server


def _server_option(words: Sequence[str], server: dict[str, Any], line: Line) -> list[str]:
    """Take the first option that has nothing to do with certificates, and return the words after it."""
    match words:
        case ["check" | "backup" as word, *rest]:
            server[word] = True
        case [word, _, *rest] if word in CHECK_TIMES:
            pass
        case ["weight", weight, *rest] if weight.isdecimal() and int(weight):  # 0 is asked by nobody
            server["weight"] = int(weight)
        case ["sni", sni, *rest] if found := re.fullmatch(r"str\(([^()]+)\)", sni):
            server["sni"] = found[1]
        case ["sni", "req.hdr(host)" | "hdr(host)", *rest]:
            server["sni"] = "host"
        case ["send-proxy" | "send-proxy-v2" as proxy, *rest]:
            server["send_proxy"] = "v2" if proxy.endswith("v2") else "v1"
        case _:
            raise NotUnderstood(line)
    return rest
