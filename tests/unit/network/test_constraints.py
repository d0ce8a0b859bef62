"""The household's authority can vouch for the household and for nobody on the internet."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from hal.network.authority import Authority
from hal.network.certificates import AUTHORITY, AUTHORITY_KEY, certificate_names, new_authority, renew
from hal.network.constraints import constraints_of, refused_names

DAY = timedelta(days=1)
NAMES = {"network_proxy_certificate": ["haproxy", "hal", "10.1.50.100"]}
HOUSE = [
    ["haproxy", "hal", "10.1.50.100"],
    ["a-host-added-later", "192.168.7.7"],
    ["nas.home.arpa"],
    ["nas.lan"],
]
FOREIGN = [
    ["www.example.com"],
    ["example.de"],
    ["haproxy", "login.example.org"],
    ["haproxy", "203.0.113.7"],
    ["*.co.uk"],
]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority(NAMES)


def by_openssl(authority: Authority, pem: bytes, names: list[str], directory: Path) -> bool:
    (directory / "ca.crt").write_bytes(authority.pem)
    (directory / "server.pem").write_bytes(pem)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.crt", "server.pem"]
    return subprocess.run(command, cwd=directory, capture_output=True, check=False).returncode == 0


def by_python(authority: Authority, pem: bytes, names: list[str], directory: Path) -> bool:
    """Shake hands as the checks and the gateway do."""
    (directory / "server.pem").write_bytes(pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(directory / "server.pem")
    client = ssl.create_default_context(cadata=authority.pem.decode())
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.wrap_socket(here, server_hostname=names[0].replace("*", "www")).close()
    except ssl.SSLCertVerificationError:
        return False
    finally:
        here.close()
        thread.join()
    return True


def by_the_rules_of_webpki(authority: Authority, pem: bytes, names: list[str], directory: Path) -> bool:
    """Verify every name of the certificate, as strictly as Go does, with a verifier that is not OpenSSL's."""
    subject: x509.DNSName | x509.IPAddress
    try:
        subject = x509.IPAddress(ip_address(names[0]))
    except ValueError:
        subject = x509.DNSName(names[0].replace("*", "www"))
    verifier = PolicyBuilder().store(Store([authority.certificate])).build_server_verifier(subject)
    try:
        verifier.verify(x509.load_pem_x509_certificate(pem), [])
    except VerificationError:
        return False
    return True


VERIFIERS = [by_openssl, by_python, by_the_rules_of_webpki]


@pytest.mark.parametrize("verified", VERIFIERS)
@pytest.mark.parametrize("names", HOUSE, ids="-".join)
def test_what_is_of_a_house_is_trusted_also_a_host_that_is_added_later(authority, tmp_path, verified, names):
    pem = b"".join(authority.issue(names))
    assert verified(authority, pem, names, tmp_path)


@pytest.mark.parametrize("verified", VERIFIERS)
@pytest.mark.parametrize("names", FOREIGN, ids="-".join)
def test_nothing_of_the_internet_is_trusted_whoever_has_the_key(authority, tmp_path, verified, names):
    pem = b"".join(authority.issue(names))
    assert not verified(authority, pem, names, tmp_path)


@pytest.mark.parametrize("verified", VERIFIERS)
@pytest.mark.parametrize("names", FOREIGN, ids="-".join)
def test_without_constraints_all_of_that_would_be_trusted(tmp_path, verified, names):
    authority = Authority.create("HAL household")
    pem = b"".join(authority.issue(names))
    assert verified(authority, pem, names, tmp_path)


def test_what_verifiers_refuse_is_known_before_it_is_issued(authority):
    assert refused_names(authority.certificate, ["haproxy", "tv", "nas.lan", "10.9.9.9", "9.9.9.9"]) == [
        "tv",
        "9.9.9.9",
    ]
    assert refused_names(Authority.create("another").certificate, ["tv", "9.9.9.9"]) == []


def test_a_household_may_have_a_host_with_the_name_of_a_country_and_one_with_an_address_of_the_internet(
    tmp_path,
):
    names = ["tv", "203.0.113.7"]
    authority = new_authority({"network_proxy_certificate": names})
    assert refused_names(authority.certificate, names) == []
    assert by_openssl(authority, b"".join(authority.issue(names)), names, tmp_path)


def held(authority: Authority, names: list[str]) -> dict[str, str]:
    return {
        AUTHORITY: authority.pem.decode(),
        AUTHORITY_KEY: authority.key_pem.decode(),
        "network_proxy_certificate": b"".join(authority.issue(names, 90 * DAY)).decode(),
    }


def root(variables: dict[str, str]) -> x509.Certificate:
    return x509.load_pem_x509_certificate(variables[AUTHORITY].encode())


def test_an_authority_without_constraints_gets_them_when_all_is_renewed_and_old_and_new_go_together(tmp_path):
    former = Authority.create("HAL household", 3650 * DAY)
    before = held(former, NAMES["network_proxy_certificate"])
    assert renew(before, NAMES).variables == {}
    done = renew(before, NAMES, at_once=True)
    assert done.reasons[AUTHORITY] == "had no name constraints"
    after = before | done.variables
    assert constraints_of(root(after))
    new = Authority.load(after[AUTHORITY].encode(), after[AUTHORITY_KEY].encode())
    for trusted in (former, new):
        for variables in (before, after):
            pem = variables["network_proxy_certificate"].encode()
            assert by_openssl(trusted, pem, ["haproxy"], tmp_path)
    assert AUTHORITY not in renew(after, NAMES, at_once=True).variables


def test_an_authority_that_cannot_vouch_for_a_host_is_renewed_and_who_must_get_it_is_said(tmp_path):
    first = new_authority(NAMES)
    names = {"network_proxy_certificate": [*NAMES["network_proxy_certificate"], "tv"]}
    done = renew(held(first, NAMES["network_proxy_certificate"]), names)
    assert done.reasons[AUTHORITY].startswith(
        "permitted no certificate for tv: devices that Ansible does not"
    )
    assert done.reasons["network_proxy_certificate"] == "is not for tv"
    new = Authority.load(done.variables[AUTHORITY].encode(), first.key_pem)
    assert by_openssl(new, done.variables["network_proxy_certificate"].encode(), ["tv"], tmp_path)


def test_an_authority_that_was_brought_may_vouch_for_what_it_likes():
    theirs = held(Authority.create("Household of ours", 3650 * DAY), NAMES["network_proxy_certificate"])
    assert AUTHORITY not in renew(theirs, NAMES, at_once=True).variables


def test_an_authority_that_was_brought_keeps_its_constraints_and_what_it_cannot_vouch_for_is_said():
    constraints = x509.NameConstraints(None, [x509.DNSName("tv")])
    theirs = held(Authority.create("Household of ours", 3650 * DAY, constraints), ["haproxy"])
    names = {"network_proxy_certificate": ["haproxy", "tv"]}
    done = renew(theirs, names)
    assert AUTHORITY not in done.variables
    assert [each for each in done.left if "cannot vouch for tv" in each]
    late = renew(theirs, names, now=datetime.now(UTC) + 3000 * DAY)
    assert constraints_of(root(late.variables)) == constraints
    assert root(late.variables).subject == root(theirs).subject


def test_an_authority_near_its_end_gets_constraints_with_its_new_time():
    near = held(Authority.create("HAL household", 3650 * DAY), NAMES["network_proxy_certificate"])
    assert constraints_of(root(renew(near, NAMES, now=datetime.now(UTC) + 3000 * DAY).variables))


def test_the_certificates_of_the_lab_are_permitted(network):
    names = certificate_names(network["groups"], network["addresses"])
    assert (
        refused_names(new_authority({}).certificate, [name for those in names.values() for name in those])
        == []
    )
