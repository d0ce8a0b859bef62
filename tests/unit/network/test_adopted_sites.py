"""A household's haproxy.cfg, taken over: every name, path and SNI is answered as before, beside HAL's own."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab.on_hosts.back_ends import BackEnd
from tests.ports import free_port
from tests.unit.network.proxied import ask, ask_raw, ask_websocket, haproxy, render

from hal.network.adoption.sites import adopt_sites
from hal.network.authority import Authority
from hal.network.catalogue import parse
from hal.network.proxy import proxy_frontends
from hal.network.sites import client_timeout, proxy_sites, site_faults, site_frontends

ROOT = Path(__file__).parents[3]
CONFIGURATIONS = ROOT / "tests/data/haproxy"
OWN_NAMES = ["haproxy", "192.0.2.100"]
MAP = "# Albums are photos.\nha.example.org home\nphotos.example.org   photos\nalbums.example.org photos\n"
SECRETS = {
    "SITE_ANNA": "$5$saltsalt$cKRA0A5uaKu0/NNi2WMrB.mMOAVMowckrDNQ4fKUJ06",
    "SITE_BERT": 'pa$$ w"ord',
    "SITE_X_AUTH_TOKEN": "s3cret-token",
    "SITE_ADMIN": "st@tistics",
    "SITE_CARL": 'carls "pass"',
    "SITE_X_API_KEY": "k3y for staff",
}
# What is asked of each configuration: names, and paths of each.
NAMES = {
    "by_acl": [
        "cloud.example.org",
        "files.example.org",
        "CLOUD.example.org",
        "b.labs.example.org",
        "labs.example.org",
        "wiki.example.org",
        "docs.example.org",
        "unknown.example.org",
    ],
    "by_map": ["ha.example.org", "photos.example.org", "albums.example.org", "unknown.example.org"],
    "by_sni": ["mail.example.org", "r1.mgmt.example.org", "blog.example.org", "unknown.example.org"],
    "by_household": [
        "ha.example.org",
        "dns.example.org",
        "old.example.org",
        "secure.example.org",
        "admin.example.org",
        "upload.example.org",
        "ups.other.test",
    ],
    "by_listen": ["shop.example.org", "unknown.example.org"],
    "by_rules": ["shop.example.org", "static.example.org", "www.example.org"],
    "by_redirect": ["www.example.org", "example.org", "unknown.example.org"],
    "by_appliance": ["nas.example.org", "CAM2.example.org", "nas.example.org:8443"],
    "by_compose": ["api.example.org", "staff.example.org", "ups.other.test"],
    "by_precedence": [
        "one.example.org",
        "two.example.org",
        "a.three.example.org",
        "four.example.org",
        "app.example.org",
    ],
    "by_protocol": ["mail.example.org", "ha.example.org", "photos.example.org", "unknown.example.org"],
    "by_capture": ["one.example.org", "old.example.org"],
    "by_values": [
        "www.example.org",
        "old.example.org",
        "static.example.org",
        "a.example.org",
        "x.example.org",
        "z.test",
    ],
}
PATHS = [
    "/",
    "/api/v1?x=1",
    "/rpc/call",
    "/.well-known/acme-challenge/token",
    "/old/page",
    "/v2/items",
    "/ping",
    "/style.css",
    "/admin/users",
    "/intern/a",
    "/metrics",
    "/proxy-serves",
    "/v1/audio/speech",
    "/stats",
    "/API/V1/x",
]
# Which parts of a configuration the description has no words for.
IN_THE_FRAGMENT = {
    "by_acl": set(),
    "by_map": set(),
    "by_sni": {"decrypted", "blog", "other"},
    "by_household": {"people", "admin", "upload", "stats"},
    "by_listen": {"shop", "shop_tls", "metrics_2"},  # HAL has a front end metrics
    "by_rules": {"edge", "shop", "static", "site"},
    "by_redirect": set(),
    "by_appliance": {"HAProxyLocalStats", "shared-merged", "nas_ipvANY", "cam_ipvANY"},
    "by_compose": {"staff", "web", "abuse", "api_app", "staff_app", "none_app"},
    "by_precedence": {"plain", "one", "two"},
    "by_protocol": {
        "by_protocol", "ssh", "plain", "mail", "home", "photos", "fallback", "here", "decrypted", "home_raw"
    },
    "by_capture": {"plain", "around", "one", "two", "raw"},
    "by_values": {"tls", "api"},
}  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("haproxy"), reason="apt-get install haproxy (`make test-tools`)"),
]


class Household:
    """A proxy with its back ends, certificates and ports, configured as one of the files says."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self.directory = name, directory
        self.ports = {key: free_port() for key in ("HTTP", "HTTPS", "INNER", "STATS", "GATEWAY", "METRICS")}
        self.servers: list[BackEnd] = []
        self.certificates = directory / "certificates"
        self.certificates.mkdir()
        self.authority = Authority.create("Household")
        (self.certificates / "ca.pem").write_bytes(self.authority.pem)
        for file, names in (
            ("wildcard", ["example.org", "*.example.org", "*.labs.example.org"]),
            ("other", ["ups.other.test"]),
        ):
            self.certificate(file, *names)
        self.certificate("hal", *OWN_NAMES)
        shutil.move(self.certificates / "hal.pem", directory / "hal.pem")
        shutil.move(self.certificates / "ca.pem", directory / "ca.pem")
        (directory / "hosts.map").write_text(MAP)
        (directory / "appliance.list").write_text(f"{self.certificates}/wildcard.pem\n")
        (directory / "gone.http").write_text(
            "HTTP/1.0 503 Gone\r\nContent-Type: text/plain\r\n\r\nback soon\n"
        )
        self.hal = self.server("gateway")
        self.text = re.sub(r"@([A-Za-z0-9:]+)@", self._place, (CONFIGURATIONS / f"{name}.cfg").read_text())
        self.text = self.text.replace(f"ca-base {self.certificates}", f"ca-base {directory}")

    def certificate(self, file: str, *names: str) -> Path:
        """Issue a certificate for names, and return its file, with the key."""
        path = self.certificates / f"{file}.pem"
        path.write_bytes(b"".join(self.authority.issue([*names])))
        return path

    def server(self, name: str, *, tls: bool = False) -> int:
        """Start a back end, and return its port."""
        certificate: Path | str = ""
        if tls:
            certificate = self.directory / f"server_{name}.pem"
            shutil.move(self.certificate("server", f"{name}.test"), certificate)
        self.servers.append(BackEnd(name, certificate=certificate))
        return self.servers[-1].server_port

    def _place(self, match: re.Match[str]) -> str:
        word = match[1]
        if word in self.ports:
            return str(self.ports[word])
        directories = {"CERTS": self.certificates, "MAP": self.directory / "hosts.map", "DIR": self.directory}
        if word in directories:
            return str(directories[word])
        kind, _, name = word.rpartition(":")
        known = next((server.server_port for server in self.servers if server.name == name), 0)
        tls = kind == "tls" or name == "wiki"
        return f"127.0.0.1:{known or self.server(name, tls=tls)}"

    @property
    def services(self) -> dict[str, Any]:
        """Return HAL's own services at the proxy."""
        common = {"description": "", "group": "proxies", "clients": ["clients"], "check": "flow"}
        routes = [{"service": "proxy_https"}, {"service": "proxy_gateway"}]
        return {
            "gateway": common
            | {
                "group": "gateways",
                "port": 8768,
                "protocol": "websocket",
                "health": "/readyz",
                "proxy": {"backend": "qm_voice_gateway", "routes": routes},
            },
            "proxy_gateway": common
            | {"port": self.ports["GATEWAY"], "protocol": "websocket", "frontend": "voice_gateway"},
            "proxy_https": common
            | {"port": self.ports["HTTPS"], "protocol": "https", "frontend": "voice_gateway_tls"},
            "proxy_http": common
            | {"port": self.ports["HTTP"], "protocol": "http", "frontend": "redirect", "redirect": True},
            "proxy_metrics": common | {"port": self.ports["METRICS"], "protocol": "http"},
        }

    def adopted(self) -> dict[str, Any]:
        """Return what becomes of the configuration."""
        maps = {str(self.directory / "hosts.map"): MAP}
        return adopt_sites([{"path": "haproxy.cfg", "text": self.text}], maps, self.services)

    def rendered(self) -> str:
        """Return the configuration that the role writes for what was adopted, as Ansible renders it."""
        adopted = yaml.safe_load(yaml.safe_dump(self.adopted()))  # as it comes back from the inventory
        sites, services = adopted["sites"], self.services
        fragments = [{"name": "old", "text": adopted["fragment"], "ports": adopted["ports"]}]
        secrets = {name: SECRETS[name] for name in adopted["secrets"]}
        faults = site_faults(
            {
                "sites": sites,
                "fragments": fragments,
                "services": services,
                "names": OWN_NAMES,
                "secrets": secrets,
                "certificates": [{"path": path} for path in adopted["certificates"]],
            }
        )
        assert faults == []
        variables = {
            "haproxy_frontends": proxy_frontends(parse(services)) + site_frontends(sites, services),
            "haproxy_backends": [
                {
                    "name": "qm_voice_gateway",
                    "kind": "websocket",
                    "health": "/readyz",
                    "servers": [{"name": "qm1", "address": "127.0.0.1", "port": self.hal}],
                }
            ],
            "haproxy_own_names": OWN_NAMES,
            "haproxy_sites": proxy_sites(sites, services),
            "haproxy_client_timeout": client_timeout(sites),
            "haproxy_site_certificates": [{"path": path} for path in adopted["certificates"]],
            "haproxy_fragments": fragments if adopted["fragment"] else [],
            "haproxy_site_secrets": secrets,
            "haproxy_private_paths": ["/metrics"],
            "haproxy_monitor_path": "/proxy-serves",
        }
        return render(variables, self.directory)

    def asked(self) -> dict[str, Any]:
        """Return every answer of the proxy that runs."""
        answers: dict[str, Any] = {}
        for tls in (False, True):
            port = self.ports["HTTPS" if tls else "HTTP"]
            for name in NAMES[self.name]:
                for path in PATHS:
                    answers[f"{name}{path} {tls}"] = ask(port, name, path, tls=tls)
                forwarded = {
                    "X-Forwarded-For": "203.0.113.9",
                    "Cookie": "SERVERID=two",
                    "Origin": "https://www.example.org",
                }
                answers[f"{name} forwarded {tls}"] = ask(port, name, "/", tls=tls, headers=forwarded)
                answers[f"{name} large {tls}"] = ask(
                    port, name, "/", tls=tls, method="POST", body=b"x" * 2000
                )
                answers[f"{name} websocket {tls}"] = ask_websocket(port, name, tls=tls)
                for user, password in (
                    ("anna", "geheim"),
                    ("bert", 'pa$$ w"ord'),
                    ("carl", 'carls "pass"'),
                    ("anna", "wrong"),
                ):
                    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
                    signed = {"Authorization": f"Basic {credentials}"}
                    answers[f"{name} {user} {password} {tls}"] = ask(port, name, "/", tls=tls, headers=signed)
        answers["what is no TLS"] = ask_raw(self.ports["HTTPS"], b"SSH-2.0-test\r\n")
        if "@STATS@" in (CONFIGURATIONS / f"{self.name}.cfg").read_text():
            for word in ("st@tistics", "wrong"):
                signed = {"Authorization": "Basic " + base64.b64encode(f"admin:{word}".encode()).decode()}
                page = ask(self.ports["STATS"], "x", "/stats", tls=False, headers=signed)
                answers[f"statistics {word}"] = page["status"]
        return answers


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Callable[[str], Household]]:
    """Return a function that builds a household after one of the configurations."""
    built: list[Household] = []

    def build(name: str) -> Household:
        built.append(Household(name, tmp_path))
        return built[-1]

    yield build
    for server in (server for one in built for server in one.servers):
        server.shutdown()
        server.server_close()


def is_nobodys(question: str, answers: dict[str, Any]) -> bool:
    """Return whether the household had no answer, so that HAL may have one."""
    name, *how, tls = question.split()
    asked = answers[f"{name}/ {tls}" if how else question]
    return tls in ("True", "False") and asked.get("status") == 503


@pytest.mark.parametrize("name", NAMES)
def test_every_name_path_and_sni_is_answered_as_before(
    household: Callable[[str], Household], name: str
) -> None:
    old = household(name)
    ports = (old.ports["HTTP"], old.ports["HTTPS"])
    with haproxy(re.sub(r"198\.51\.100\.", "127.0.0.", old.text), old.directory, *ports):
        before = old.asked()
    with haproxy(old.rendered(), old.directory, *ports):
        after = old.asked()
        own = [
            ask(old.ports["HTTPS"], own_name, path, tls=True)
            for own_name in OWN_NAMES
            for path in ("/", "/api/v1", "/intern/a")
        ]
        plain = ask(old.ports["HTTP"], "haproxy", "/.well-known/acme-challenge/token", tls=False)
    answered = [
        answer for answer in before.values() if isinstance(answer, dict) and answer.get("status") == 200
    ]
    assert len(answered) > 10
    unlike = {
        question: (answer, after[question])
        for question, answer in before.items()
        if after[question] != answer and not is_nobodys(question, before)
    }
    assert not unlike, json.dumps(unlike, indent=1)
    for answer in own:
        assert (answer["status"], json.loads(answer["body"])["who"]) == (200, "gateway")
        assert "haproxy" in answer["certificate"]
    assert (plain["status"], dict(plain["headers"])["location"][:16]) == (301, "https://haproxy/")


@pytest.mark.parametrize("name", NAMES)
def test_only_what_the_description_has_no_words_for_stays_as_it_was(
    household: Callable[[str], Household], name: str
) -> None:
    fragment = household(name).adopted()["fragment"]
    sections = re.findall(r"^(?:frontend|backend|listen|userlist) (\S+)", fragment, re.MULTILINE)
    assert set(sections) == IN_THE_FRAGMENT[name]


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("by_household", {"SITE_ANNA", "SITE_BERT", "SITE_X_AUTH_TOKEN", "SITE_ADMIN"}),
        ("by_compose", {"SITE_CARL", "SITE_X_API_KEY"}),
    ],
)
def test_no_secret_of_the_proxy_is_in_what_is_proposed(
    household: Callable[[str], Household], name: str, secrets: set[str]
) -> None:
    adopted = household(name).adopted()
    assert {*adopted["secrets"]} == secrets
    proposed = json.dumps(adopted)
    for secret in SECRETS.values():
        assert json.dumps(secret)[1:-1] not in proposed
