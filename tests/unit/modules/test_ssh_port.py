"""ssh_port against servers on the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import ssh_port

type Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that send some bytes to whoever connects, and close; return their ports."""
    with contextlib.ExitStack() as stack:

        def start(greeting: bytes) -> int:
            class Handler(socketserver.BaseRequestHandler):
                def handle(self) -> None:
                    self.request.sendall(greeting)

            server = stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler))
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            stack.callback(server.shutdown)
            return int(server.server_address[1])

        yield start


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken but not listening, so that it refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def params(*ports: int, timeout: float = 10) -> dict[str, Any]:
    return {"host": "127.0.0.1", "ports": list(ports), "timeout": timeout, "interval": 0.01}


def test_finds_the_port_that_speaks_ssh(run_module: Any, serve: Serve, closed_port: int) -> None:
    port = serve(b"SSH-2.0-OpenSSH_10.0\r\n")
    result = run_module("ssh_port", params(closed_port, serve(b"HTTP/1.1 400\r\n"), port))
    assert result["port"] == port
    assert result["banner"] == "SSH-2.0-OpenSSH_10.0"
    assert result["changed"] is False


def test_reads_past_lines_before_the_banner(run_module: Any, serve: Serve) -> None:
    port = serve(b"Authorised use only.\r\nSSH-2.0-x\r\n")
    assert run_module("ssh_port", params(port))["banner"] == "SSH-2.0-x"


def test_runs_in_check_mode(run_module: Any, serve: Serve) -> None:
    port = serve(b"SSH-2.0-x\r\n")
    assert run_module("ssh_port", params(port), check=True)["port"] == port


def test_says_what_each_port_said(run_module: Any, serve: Serve, closed_port: int) -> None:
    other, silent, long = serve(b"220 mail\r\n"), serve(b""), serve(b"x" * 5000)
    ports = params(closed_port, other, silent, long, timeout=0.5)
    with pytest.raises(Exception, match="did not answer SSH within") as failure:
        run_module("ssh_port", ports)
    answers = failure.value.result["answers"]
    assert answers[str(closed_port)] == "refused"
    assert answers[str(other)] == "no SSH banner but '220 mail'"
    assert answers[str(silent)] == "closed without a banner"
    assert answers[str(long)] == "no SSH banner but 'a long line'"
    assert f"port {closed_port} refused" in failure.value.result["msg"]


def test_waits_for_a_server_that_is_not_up_yet(run_module: Any, serve: Serve) -> None:
    """The port refuses at first: its server starts only after the first attempt was refused."""
    started: dict[int, int] = {}
    original = ssh_port.read_banner

    async def refuse_first(host: str, port: int) -> str:
        if port not in started:
            started[port] = serve(b"SSH-2.0-late\r\n")
            raise ConnectionRefusedError
        return str(await original(host, started[port]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssh_port, "read_banner", refuse_first)
        assert run_module("ssh_port", params(1))["banner"] == "SSH-2.0-late"


def test_takes_of_two_that_answer_the_one_named_first_however_slow(run_module: Any, serve: Serve) -> None:
    first, second = serve(b"SSH-2.0-first\r\n"), serve(b"SSH-2.0-second\r\n")
    quick = asyncio.Event()
    original = ssh_port.read_banner

    async def last(host: str, port: int) -> str:
        banner = str(await original(host, port))
        if port == first:
            await quick.wait()
            await asyncio.sleep(0.05)  # the other has long been counted
        quick.set()
        return banner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssh_port, "read_banner", last)
        assert run_module("ssh_port", params(first, second))["port"] == first


@pytest.mark.parametrize("ports", [[], [0], [65536]])
def test_refuses_ports_that_cannot_be(run_module: Any, ports: list[int]) -> None:
    with pytest.raises(Exception, match="from 1 to 65535"):
        run_module("ssh_port", {"host": "127.0.0.1", "ports": ports})
