"""The gateway's encrypted port, and back ends that it asks over HTTPS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from tests.ports import free_port
from tests.unit.gateway.conftest import WAIT_S
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake

from hal.gateway.backends import http
from hal.network.authority import Authority
from hal.shared.breaker import Unreachable
from hal.shared.socket_settings import SocketSettings


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return an authority, whose certificate stands in `ca.crt` and that of 127.0.0.1 in `server.pem`."""
    made = Authority.create("Household")
    (tmp_path / "ca.crt").write_bytes(made.pem)
    (tmp_path / "server.pem").write_bytes(b"".join(made.issue(["qm1", "127.0.0.1"])))
    return made


@pytest.fixture
def trusting(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    """Return what trusts the authority."""
    return ssl.create_default_context(cafile=tmp_path / "ca.crt")


@pytest.fixture
async def port(authority: Authority, tmp_path: Path, start_gateway: Any) -> int:
    """Run a gateway and return its encrypted port."""
    chosen = free_port()
    await start_gateway(tls_port=chosen, certificate_file=tmp_path / "server.pem")
    return chosen


async def test_a_turn_passes_encrypted(port: int, trusting: ssl.SSLContext) -> None:
    async with connect(f"wss://127.0.0.1:{port}", ssl=trusting) as socket, asyncio.timeout(WAIT_S):
        assert json.loads(await socket.recv())["type"] == "connected"
        await socket.send('{"type": "text_input", "text": "What allergies do I have?"}')
        while (frame := json.loads(await socket.recv()))["type"] != "response":
            pass
    assert frame["status"] == "success"


async def test_nothing_is_said_in_clear_at_that_port(port: int) -> None:
    with pytest.raises((OSError, EOFError, InvalidHandshake)):
        await connect(f"ws://127.0.0.1:{port}", open_timeout=WAIT_S)


async def test_suites_without_authentication_of_what_they_encrypt_are_refused(
    port: int, trusting: ssl.SSLContext
) -> None:
    trusting.maximum_version = ssl.TLSVersion.TLSv1_2
    trusting.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", port, ssl=trusting)


async def test_who_begins_no_handshake_keeps_nobody_waiting(port: int, trusting: ssl.SSLContext) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(100):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        async with asyncio.timeout(WAIT_S), connect(f"wss://127.0.0.1:{port}", ssl=trusting) as socket:
            assert json.loads(await socket.recv())["type"] == "connected"


def test_a_port_without_a_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="certificate_file must name a certificate"):
        SocketSettings(tls_port=8769)
    with pytest.raises(ValueError, match="must differ"):
        SocketSettings(tls_port=8768, certificate_file=tmp_path)


@pytest.mark.parametrize("content", [None, "", "no certificate"])
async def test_a_certificate_that_cannot_be_used_is_told(
    start_gateway: Any, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "server.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=f"the certificate {file} cannot be used"):
        await start_gateway(tls_port=free_port(), certificate_file=file)
    with pytest.raises(ValueError, match=f"certificate {file} cannot be used"):
        http.make_client(file)


async def test_a_back_end_is_asked_only_if_the_authority_vouches_for_it(
    authority: Authority, tmp_path: Path
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, http.make_client(tmp_path / "ca.crt") as client, http.make_client() as stranger:
        assert await http.post(client, url, {}) == {}
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            await http.post(stranger, url, {})
