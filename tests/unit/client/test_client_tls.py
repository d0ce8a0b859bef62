"""wss: with the network's own certificate authority, and with one nobody knows."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for 127.0.0.1, valid for a day, and its key: one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "HAL test")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "ca.crt").write_bytes(built.public_bytes(pem))
    (tmp_path / "server.pem").write_bytes(built.public_bytes(pem) + private)
    return tmp_path


@pytest.fixture
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "server.pem")
    return context


async def test_the_networks_own_authority_is_trusted(gateway, hal, certificate, server_tls):
    fake = await gateway(ssl=server_tls)
    ca = certificate / "ca.crt"
    assert (await hal("ask", "q", "--url", fake.url, "--ca-file", ca)).out == "You asked: q\n"
    assert (await hal("status", HAL_GATEWAY_URL=fake.url, HAL_CA_FILE=str(ca))).code == 0


async def test_an_unknown_authority_is_refused(gateway, hal, server_tls):
    fake = await gateway(ssl=server_tls)
    done = await hal("ask", "q", "--url", fake.url)
    assert done.code == 3 and "certificate is not trusted" in done.err and "--ca-file" in done.err
    assert fake.frames == []
    status = await hal("status", "--json", "--url", fake.url)
    assert status.code == 3 and status.out.count("certificate is not trusted") == 2


async def test_tls_to_a_plain_port_is_told_apart(hal):
    async def plain(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        done = await hal("ask", "q", "--url", f"wss://127.0.0.1:{port}")
    assert done.code == 3 and "plain ws://" in done.err
