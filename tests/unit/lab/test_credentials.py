"""The lab's keys and secrets: private, strong, kept, and accepted by those who check them."""

import contextlib
import socket
import ssl
import subprocess
import threading

import pytest
import yaml
from lab import credentials

API = ["pve", "127.0.0.2"]
CERTIFICATES = {"network_proxy_certificate": ["haproxy", "198.18.50.100"]}


@pytest.fixture
def made(tmp_path):
    """Create the credentials and return their directory and the file of secret variables."""
    state, secrets = tmp_path / "state", tmp_path / "secrets.yml"
    assert credentials.create(state, secrets, API, CERTIFICATES, ["mac"]) is True
    return state, secrets


def test_secrets_are_private(made):
    state, secrets = made
    private = [secrets, *(state / name for name in ("id_ed25519", "pve.key", "pve.password"))]
    assert [path.stat().st_mode & 0o777 for path in private] == [0o600] * 4
    assert state.stat().st_mode & 0o777 == 0o700


def test_what_exists_is_kept(made):
    state, secrets = made
    before = secrets.read_bytes(), (state / "id_ed25519").read_bytes()
    assert credentials.create(state, secrets, API, CERTIFICATES, ["mac"]) is False
    assert (secrets.read_bytes(), (state / "id_ed25519").read_bytes()) == before


def test_what_is_lacking_is_made_and_the_rest_kept(made):
    state, secrets = made
    before = yaml.safe_load(secrets.read_text())
    more = CERTIFICATES | {"network_backup_certificate": ["nas", "198.18.70.10"]}
    assert credentials.create(state, secrets, API, more, ["mac"]) is True
    after = yaml.safe_load(secrets.read_text())
    assert after.keys() - before.keys() == {"network_backup_certificate"}
    assert {name: after[name] for name in before} == before


def test_two_labs_share_no_secret(made, tmp_path):
    other = tmp_path / "other.yml"
    credentials.create(tmp_path / "other", other, API, CERTIFICATES, ["mac"])
    mine, theirs = (yaml.safe_load(path.read_text()) for path in (made[1], other))
    assert mine.keys() == theirs.keys()
    assert not [name for name in mine if mine[name] == theirs[name]]


def test_the_key_pair_belongs_together(made):
    state, _ = made
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(state / "id_ed25519")], capture_output=True, text=True, check=True
    ).stdout
    assert derived.split()[:2] == (state / "id_ed25519.pub").read_text().split()[:2]


@pytest.fixture
def connect(made):
    """Shake hands with a server that has the hypervisor's certificate, under a name."""
    state, _ = made
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(state / "pve.crt", state / "pve.key")
    client = ssl.create_default_context(cafile=str(state / "ca.crt"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on

    def answer(end):
        with contextlib.suppress(OSError):
            server.wrap_socket(end, server_side=True).close()

    def shake_hands(name):
        here, there = socket.socketpair()
        with here, there:
            thread = threading.Thread(target=answer, args=(there,))
            thread.start()
            try:
                client.wrap_socket(here, server_hostname=name).close()
            finally:
                here.close()
                thread.join()

    return shake_hands


@pytest.mark.parametrize("name", ["pve", "127.0.0.2"])
def test_a_client_trusts_the_certificate_by_name_and_by_address(connect, name):
    connect(name)


@pytest.mark.parametrize("name", ["haproxy", "127.0.0.3"])
def test_a_client_does_not_trust_it_for_another_host(connect, name):
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(name)


def test_the_proxys_certificate_holds_its_key_and_name(made):
    variables = yaml.safe_load(made[1].read_text())
    pem = variables["network_proxy_certificate"]
    assert pem.count("BEGIN CERTIFICATE") == pem.count("BEGIN PRIVATE KEY") == 1
    text = subprocess.run(
        ["openssl", "x509", "-noout", "-text"], input=pem, capture_output=True, text=True, check=True
    ).stdout
    assert "DNS:haproxy" in text and "IP Address:198.18.50.100" in text
