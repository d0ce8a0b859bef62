"""How the proxy encrypts what is HAL's; the household's own sites encrypt as they did."""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.asker import trusting
from tests.ports import free_port
from tests.unit.network.proxied import SITE, WAIT_S, Proxy, ask

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("haproxy"), reason="apt-get install haproxy (`make test-tools`)"),
]
CBC = "ECDHE-ECDSA-AES128-SHA256"
HSTS = ("strict-transport-security", "max-age=31536000")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    built = Proxy(tmp_path_factory.mktemp("proxy"), haproxy_private_paths=["/metrics"])
    with built.served() as served:
        yield served


def agreed(proxy: Proxy, name: str, version: ssl.TLSVersion, ciphers: str = "ALL") -> str:
    """Return the suite that the proxy agrees to, or the alert with which it refuses."""
    context = trusting()
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    try:
        with (
            socket.create_connection(("127.0.0.1", proxy.tls), WAIT_S) as plain,
            context.wrap_socket(plain, server_hostname=name or None) as encrypted,
        ):
            return (encrypted.cipher() or ("none",))[0]
    except ssl.SSLError as error:
        return str(error.reason)


@pytest.mark.parametrize("name", ["haproxy", "unknown.example.org", ""])
def test_hal_takes_no_suite_without_authentication_of_what_it_encrypts(proxy: Proxy, name: str) -> None:
    assert agreed(proxy, name, ssl.TLSVersion.TLSv1_2, CBC) == "SSLV3_ALERT_HANDSHAKE_FAILURE"
    assert "GCM" in agreed(proxy, name, ssl.TLSVersion.TLSv1_2)
    assert agreed(proxy, name, ssl.TLSVersion.TLSv1_3).startswith("TLS_")


def test_a_site_with_its_own_certificate_takes_the_suites_that_it_took(proxy: Proxy) -> None:
    assert agreed(proxy, SITE, ssl.TLSVersion.TLSv1_2, CBC) == CBC


@pytest.mark.parametrize("name", ["haproxy", SITE])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_nothing_older_than_tls_1_2_is_taken(proxy: Proxy, name: str) -> None:
    assert agreed(proxy, name, ssl.TLSVersion.TLSv1_1) == "TLSV1_ALERT_PROTOCOL_VERSION"


def test_browsers_are_told_to_encrypt_for_hals_own_names_alone(proxy: Proxy) -> None:
    port = f"haproxy:{proxy.tls}"
    for name, path in (("haproxy", "/"), (port, "/"), ("haproxy", "/metrics")):
        assert HSTS in ask(proxy.tls, name, path, tls=True)["headers"], (name, path)
    for name in (SITE, "unknown.example.org"):
        answer = ask(proxy.tls, name, "/", tls=True)
        assert answer["status"] == 200
        assert HSTS[0] not in dict(answer["headers"]), name
    assert HSTS[0] not in dict(ask(proxy.plain, "haproxy", "/", tls=False)["headers"])


def test_browsers_are_told_so_without_sites_too_unless_it_is_turned_off(tmp_path: Path) -> None:
    for seconds, told in ((31536000, True), (0, False)):
        built = Proxy(tmp_path, haproxy_sites=[], haproxy_hsts_seconds=seconds)
        with built.served():
            headers = ask(built.tls, "haproxy", "/", tls=True)["headers"]
            assert (HSTS in headers) == told
            assert HSTS[0] not in dict(ask(built.tls, "unknown.example.org", "/", tls=True)["headers"])


def test_its_own_measurements_come_encrypted_alone(tmp_path: Path) -> None:
    port = free_port()
    built = Proxy(tmp_path, haproxy_metrics_port=port, haproxy_metrics_certificate="PEM")
    shutil.copy(tmp_path / "hal.pem", tmp_path / "metrics.pem")
    with built.served():
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=WAIT_S, context=trusting())
        connection.request("GET", "/metrics")
        assert b"haproxy_process_" in connection.getresponse().read()
        connection.close()
        with socket.create_connection(("127.0.0.1", port), WAIT_S) as plain:
            plain.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            assert b"haproxy_" not in plain.makefile("rb").read()
