"""A front end on ports that HAL has too, as sites."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

from hal.network.adoption.settings import (
    ELSEWHERE,
    Bind,
    binds_of,
    header_of,
    is_unimportant,
    refuse_variables,
    setting,
    settings_of,
    split_condition,
)
from hal.network.haproxy_config import Line, NotUnderstood, Section, Test, read_condition, read_test
from hal.network.sites import HOST_NAME, NAME

LIMIT = re.compile(
    r"http-request deny (?:deny_status|status) 413 "
    r"if \{ req\.(?:body_size|hdr_val\(content-length\)) gt (\d+) \}",
    re.IGNORECASE,
)


class FrontEnd:
    """A front end on ports that HAL has too, as sites."""

    def __init__(self, section: Section, maps: Mapping[str, str], crt_base: str) -> None:
        self.section = section
        self.maps = maps
        self.crt_base = crt_base
        self.settings = settings_of(section)
        refuse_variables(section)
        self.certificates: list[str] = []
        self.decrypted = self.settings.mode == "http"
        self.acls: dict[str, list[Test]] = {}  # one that is named twice has both tests, also above the second
        for line in section.lines:
            if line.words[0] == "acl":
                tests = self.acls.setdefault(line.words[1], [])
                tests.append(read_test(line.words[2:], line, decrypted=self.decrypted))

    def sites(self) -> list[dict[str, Any]]:
        """Return the sites, with `backend` for where they lead, and their names still missing.

        Raises:
            NotUnderstood: a line says what the description cannot.
        """
        binds = binds_of(self.section)
        for bind in binds:
            self._read_bind(bind)
        every = [
            (
                ("https_ports" if bind.tls or self.settings.mode == "tcp" else "http_ports"),
                bind.port,
                self._of(bind.tls),
            )
            for bind in binds
        ]
        if all(sites == every[0][2] for _, _, sites in every):
            ports: dict[str, list[int]] = {}
            for key, port, _ in every:
                ports.setdefault(key, []).append(port)
            return [site | {key: sorted(set(found)) for key, found in ports.items()} for site in every[0][2]]
        return [site | {key: [port]} for key, port, sites in every for site in sites]

    def _read_bind(self, bind: Bind) -> None:
        """Take the certificates of a bind."""
        options = list(bind.options)
        if not bind.port or (bind.tls and not self.decrypted):
            raise NotUnderstood(bind.line)  # a socket; or TLS that is decrypted around what is no HTTP
        while options:
            match options:
                case [
                    "ssl" | "no-sslv3" | "no-tlsv10" | "no-tlsv11" | "no-tls-tickets" | "v4v6" | "v6only",
                    *rest,
                ]:
                    pass
                case ["alpn" | "npn", _, *rest] | ["ssl-min-ver", "TLSv1.2", *rest]:  # as HAL has it
                    pass
                case ["crt", path, *rest]:
                    self.certificates.append(str(PurePosixPath(self.crt_base) / path))
                case _:
                    raise NotUnderstood(bind.line)
            options = rest

    def _of(self, tls: bool) -> list[dict[str, Any]]:
        """Return the sites on a port where TLS is spoken, or is not."""
        redirects: list[dict[str, Any]] = []
        late: list[dict[str, Any]] = []  # HAProxy asks these after every `http-request`
        routes: list[dict[str, Any]] = []
        default: list[dict[str, Any]] = []
        common: dict[str, Any] = {"request_headers": [], "response_headers": []}
        for line in self.section.lines:
            words, condition = split_condition(line.words)
            if words[0] == "redirect" or words[:2] == ("http-request", "redirect"):
                for found in self._matches(condition, line, tls):
                    limit = {"max_body": common["max_body"]} if "max_body" in common else {}
                    way = self._redirect(words[words.index("redirect") + 1 :], line)
                    (late if words[0] == "redirect" else redirects).append(found | {"redirect": way} | limit)
            elif words[0] == "use_backend":
                routes += self._routes(words[1], condition, line, tls)
            elif words[0] == "default_backend":
                default = [{"default": True, "backend": words[1]}]
            elif words[0] in ("http-request", "http-response"):
                self._rule(words, condition, line, tls, common)
            elif not self._passes(line):
                raise NotUnderstood(line)
        settings = {key: value for key, value in common.items() if value}
        if client := self.settings.timeouts.get("client"):
            settings["timeouts"] = {"client": client}
        if self.settings.mode == "tcp":
            return _asked([site | {"passthrough": True} | settings for site in routes + default])
        plain = [
            site | settings | {"forwarded_for": self.settings.forwarded_for} for site in routes + default
        ]
        return _asked(redirects + late + plain)

    def _passes(self, line: Line) -> bool:
        """Take a line that is no rule; return whether it is understood."""
        match line.words:
            case ("tcp-request", "inspect-delay", _):
                return self.settings.mode == "tcp"
            case (
                "tcp-request",
                "content",
                "accept",
                "if",
                "{",
                "req.ssl_hello_type" | "req_ssl_hello_type",
                "1",
                "}",
            ):
                return self.settings.mode == "tcp"
            case ("acl" | "bind", *_):
                return True
        return setting(line, {"timeouts": {}}) or is_unimportant(line)

    def _matches(self, condition: Sequence[str], line: Line, tls: bool) -> list[dict[str, Any]]:
        """Return the keys of a site for each way in which a condition is true."""
        found = []
        for match in read_condition(condition, self.acls, line, tls=tls, decrypted=self.decrypted):
            keys = {key: list(value) for key, value in asdict(match).items() if value}
            found.append(keys if match.names or match.paths else keys | {"default": True})
        return found

    def _routes(self, target: str, condition: Sequence[str], line: Line, tls: bool) -> list[dict[str, Any]]:
        """Return the sites of a use_backend, with a map one for each of its names."""
        dynamic = self.decrypted and re.fullmatch(
            r"%\[(?:req\.)?hdr\(host\)(?:,lower|,field\(1,:\))*,map\(([^,()]+)(?:,([^()]+))?\)\]", target
        )
        if not dynamic:
            if "%" in target:
                raise NotUnderstood(line)
            return [match | {"backend": target} for match in self._matches(condition, line, tls)]
        if condition or dynamic[1] not in self.maps:
            raise NotUnderstood(line)
        by_target: dict[str, list[str]] = {}
        known: set[str] = set()
        for text in self.maps[dynamic[1]].splitlines():
            name, *rest = text.split(None, 1)[:2] or [""]
            if not name or name.startswith("#"):
                continue
            backend = "".join(rest).strip()  # the rest of the line: nothing begins a comment there
            if not NAME.fullmatch(backend) or not HOST_NAME.fullmatch(name) or "*" in name:
                raise NotUnderstood(line)
            if name not in known:  # the first is found
                by_target.setdefault(backend, []).append(name)
            known.add(name)
        named = [{"names": names, "backend": backend} for backend, names in by_target.items()]
        # No rule after this one is asked: what the map does not name is the default's.
        later = [
            rule.words for rule in self.section.lines if rule.words[0] in ("use_backend", "default_backend")
        ]
        last = dynamic[2] or (later[-1][1] if later[-1][0] == "default_backend" else "")
        if not last and later[-1] != line.words:
            raise NotUnderstood(line)
        return named + ([{"default": True, "backend": last}] if last else [])

    def _rule(
        self, words: Sequence[str], condition: Sequence[str], line: Line, tls: bool, common: dict[str, Any]
    ) -> None:
        """Take a rule for all requests of the front end."""
        if limit := LIMIT.fullmatch(" ".join((*words, *condition))):
            common["max_body"] = min(int(limit[1]), common.get("max_body", int(limit[1])))
            return
        header = header_of(words[1:], line)
        if not header or not _is_simple(condition, self.acls):
            raise NotUnderstood(line)
        if words[0] == "http-request" and words[2].lower() == "host":
            raise NotUnderstood(line)  # the rules after it see another name
        if read_condition(condition, self.acls, line, tls=tls):
            common["request_headers" if words[0] == "http-request" else "response_headers"].append(header)

    @staticmethod
    def _redirect(words: Sequence[str], line: Line) -> dict[str, Any]:
        """Return a site's redirect."""
        if any(ELSEWHERE.search(word) for word in words):
            raise NotUnderstood(line)
        match words:
            case ("scheme" | "prefix" | "location" as way, target):
                return {way: target, "code": 302}
            case ("scheme" | "prefix" | "location" as way, target, "code", code) if code.isdecimal():
                return {way: target, "code": int(code)}
        raise NotUnderstood(line)


def _asked(sites: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sites that are ever asked.

    None follows the first that answers every request, and none has a name that one before it answers whole.
    """
    found: list[dict[str, Any]] = []
    answered: set[str] = set()
    for site in sites:
        whole = not site.keys() & {"paths", "except_names", "except_paths"}
        if names := site.get("names"):
            left = [name for name in names if name not in answered]
            found += [site | {"names": left}] if left else []
            answered.update(left if whole else ())
            continue
        found.append(site)
        if whole:
            break
    return found


def _is_simple(condition: Sequence[str], acls: Mapping[str, Sequence[Test]]) -> bool:
    """Return whether a condition asks for nothing but whether TLS is spoken."""
    words = [word.removeprefix("!") for word in condition[1:]]
    return all(
        word in ("", "{", "}", "ssl_fc") or [t.kind for t in acls.get(word, ())] == ["tls"] for word in words
    )
