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

DAY = datetime.timedelta(days=1)


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate of an address, and its key: `certificate(address, begins, ends)`, in days."""

    def make(address="127.0.0.1", begins=-1, ends=1):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "HAL test")])
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins * DAY)
            .not_valid_after(now + ends * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (tmp_path / "ca.crt").write_bytes(built.public_bytes(pem))
        (tmp_path / "server.pem").write_bytes(built.public_bytes(pem) + private)
        return tmp_path / "ca.crt"

    return make


@pytest.fixture
def server_tls(tmp_path):
    """Return how a server shows the certificate that was made last: `server_tls()`."""

    def make():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.pem")
        return context

    return make


async def test_the_networks_own_authority_is_trusted(gateway, hal, certificate, server_tls):
    ca = certificate()
    fake = await gateway(ssl=server_tls())
    assert (await hal("ask", "q", "--url", fake.url, "--ca-file", ca)).out == "You asked: q\n"
    assert (await hal("status", HAL_GATEWAY_URL=fake.url, HAL_CA_FILE=str(ca))).code == 0


async def test_the_authoritys_file_may_say_whose_it_is_in_any_language(gateway, hal, certificate, server_tls):
    ca = certificate()
    ca.write_bytes("# Müllers Zertifikat\n".encode() + ca.read_bytes())
    fake = await gateway(ssl=server_tls())
    assert (await hal("ask", "q", "--url", fake.url, "--ca-file", ca)).out == "You asked: q\n"


async def test_an_unknown_authority_is_refused(gateway, hal, certificate, server_tls):
    certificate()
    fake = await gateway(ssl=server_tls())
    done = await hal("ask", "q", "--url", fake.url)
    assert done.code == 3 and "certificate is not trusted" in done.err and "--ca-file" in done.err
    assert fake.frames == []
    status = await hal("status", "--json", "--url", fake.url)
    assert status.code == 3 and status.out.count("certificate is not trusted") == 2


@pytest.mark.parametrize(
    ("faulty", "advice", "unfit"),
    [
        ({"begins": -2, "ends": -1}, "it has expired: renew it", "--ca-file"),
        ({"begins": 1, "ends": 2}, "it is not valid yet: check the date and time", "--ca-file"),
        ({"address": "127.0.0.9"}, "it is not for this address", "--ca-file"),
        ({}, "set HAL_CA_FILE or --ca-file", "expired"),
    ],
)
async def test_the_advice_fits_what_is_wrong_with_a_certificate(
    gateway, hal, certificate, server_tls, faulty, advice, unfit
):
    ca = certificate(**faulty)
    fake = await gateway(ssl=server_tls())
    done = await hal("ask", "q", "--url", fake.url, *(["--ca-file", ca] if faulty else []))
    assert done.code == 3 and "certificate is not trusted" in done.err
    assert advice in done.err and unfit not in done.err and "that the gateway runs" not in done.err


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
