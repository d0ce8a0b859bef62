"""The proxy encrypts towards the servers behind it, and asks none that it cannot tell from another."""

from __future__ import annotations

import json
import shutil
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.on_hosts.back_ends import BackEnd
from tests.unit.network.proxied import Proxy, ask

from hal.network.authority import Authority

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("haproxy"), reason="apt-get install haproxy (`make test-tools`)"),
]


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Any]:
    """Run a server with a certificate of a name and an authority, and return the proxy before it."""
    authority = Authority.create("Household")
    (tmp_path / "hal.ca").write_bytes(authority.pem)
    servers = []

    def start(name: str, issuer: Authority) -> Proxy:
        (tmp_path / "behind.pem").write_bytes(b"".join(issuer.issue([name])))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "behind.pem")
        server = BackEnd("speech over TLS")
        servers.append(server)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        return Proxy(
            tmp_path,
            haproxy_ca_certificate=authority.pem.decode(),
            haproxy_backends=[
                {
                    "name": "speech",
                    "kind": "http",
                    "tls": True,
                    "health": "/health",
                    "servers": [{"name": "ubuai", "address": "127.0.0.1", "port": server.server_port}],
                }
            ],
        )

    yield lambda name="ubuai", issuer=authority: start(name, issuer)
    for server in servers:
        threading.Thread(target=server.shutdown).start()
        server.server_close()


def test_a_server_with_its_own_certificate_is_asked(behind: Any) -> None:
    with behind().served() as proxy:
        answer = ask(proxy.tls, "haproxy", "/", tls=True)
    assert json.loads(answer["body"])["who"] == "speech over TLS"


@pytest.mark.parametrize("fault", ["another name", "another authority"])
def test_one_that_shows_another_certificate_is_not(behind: Any, fault: str) -> None:
    proxy = behind("nas") if fault == "another name" else behind(issuer=Authority.create("Household"))
    with proxy.served():
        assert ask(proxy.tls, "haproxy", "/", tls=True)["status"] == 503
