"""One address keeps nobody else out of the proxy: not by silence, nor by requests, nor by slow uploads."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.unit.network.proxied import SITE, UNVERIFIED, WAIT_S, Proxy, ask

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("haproxy"), reason="apt-get install haproxy (`make test-tools`)"),
]
NOISY, QUIET = "127.0.0.2", "127.0.0.3"
ALL, CONNECTIONS, REQUESTS = 60, 20, 30


def until(proxy: Proxy, status: int | str) -> None:
    """Ask from the noisy address until the answer is this one, slowly enough not to be limited for that."""
    deadline = time.monotonic() + WAIT_S
    while (said := proxy.status(NOISY)) != status:
        assert time.monotonic() < deadline, f"{status} is awaited, the answer is {said}"
        time.sleep(0.5)  # so that REQUESTS in ten seconds are not reached


def silent(proxy: Proxy, stack: ExitStack, count: int) -> None:
    """Open connections of the noisy address that say nothing, until the proxy has counted them."""
    for _ in range(count):
        with suppress(ConnectionError):  # it is refused
            address = ("127.0.0.1", proxy.tls)
            stack.enter_context(socket.create_connection(address, WAIT_S, source_address=(NOISY, 0)))
    # The kernel takes a connection before one of the proxy's threads does, in no order between them.
    until(proxy, "refused")


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    limits = {
        "haproxy_unlimited_sources": ["127.0.0.1"],
        "haproxy_max_connections": ALL,
        "haproxy_address_connections": CONNECTIONS,
        "haproxy_address_request_rate": REQUESTS,
    }
    with Proxy(tmp_path, **limits).served() as served:
        yield served


def test_silent_connections_of_one_address_leave_the_ports_to_others(proxy: Proxy) -> None:
    with ExitStack() as stack:
        silent(proxy, stack, 2 * ALL)
        assert proxy.status(NOISY, tls=False) == "refused"
        assert [proxy.asked(QUIET, name) for name in ("haproxy", SITE)] == ["speech", "blog"]
        assert proxy.status(QUIET, tls=False) == 200


def test_an_address_is_served_again_when_it_has_let_go(proxy: Proxy) -> None:
    with ExitStack() as stack:
        silent(proxy, stack, 2 * CONNECTIONS)  # of exactly as many one was at times not counted
    until(proxy, 200)


def test_many_requests_of_one_address_are_refused_but_not_those_for_other_sites(proxy: Proxy) -> None:
    asked = [proxy.status(NOISY) for _ in range(REQUESTS + 1)]
    assert asked == [200] * REQUESTS + [429]
    assert proxy.asked(NOISY, SITE) == "blog"
    assert proxy.status(QUIET) == 200


def test_an_address_without_limits_has_none(proxy: Proxy) -> None:
    assert {proxy.status("127.0.0.1") for _ in range(2 * REQUESTS)} == {200}


def test_a_slow_upload_does_not_reach_the_server(proxy: Proxy) -> None:
    with (
        socket.create_connection(("127.0.0.1", proxy.tls), WAIT_S) as plain,
        UNVERIFIED.wrap_socket(plain, server_hostname="haproxy") as upload,
    ):
        upload.sendall(b"POST /transcribe HTTP/1.1\r\nHost: haproxy\r\nContent-Length: 100\r\n\r\nbegun")
        assert b" 408 " in upload.recv(4096)


def test_a_large_upload_passes(proxy: Proxy) -> None:
    answer = ask(proxy.tls, "haproxy", "/", tls=True, method="POST", body=b"x" * 3_000_000)
    assert json.loads(answer["body"])["bytes"] == 3_000_000
