"""Certificates of the household's own authority are renewed in time; those of others are left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from hal.network.authority import Authority
from hal.network.certificates import certificate_names, certificate_of, renew, server_fault

DAY = timedelta(days=1)
NAMES = {"network_proxy_certificate": ["haproxy", "127.1.50.100"]}
PROXY, ROOT = "network_proxy_certificate", "network_ca_certificate"


def secrets(authority: Authority, names: list[str] | None = None) -> dict[str, str]:
    """Return the secrets as they stand after an authority has issued the proxy's certificate for 90 days."""
    return {
        "network_ca_certificate": authority.pem.decode(),
        "network_ca_key": authority.key_pem.decode(),
        PROXY: b"".join(authority.issue(names or NAMES[PROXY], 90 * DAY)).decode(),
    }


def after(days: int) -> datetime:
    return datetime.now(UTC) + days * DAY


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("HAL household", 3650 * DAY)


@pytest.fixture(scope="module")
def held(authority: Authority) -> dict[str, str]:
    return secrets(authority)


def test_what_has_time_left_is_kept(held):
    assert renew(held, NAMES, now=after(59)).variables == {}


@pytest.mark.parametrize(("days", "why"), [(61, "ends on"), (91, "ended on")])
def test_what_has_less_than_a_third_left_or_is_over_is_renewed(held, authority, days, why):
    done = renew(held, NAMES, now=after(days))
    assert done.reasons[PROXY].startswith(why)
    assert server_fault(done.variables[PROXY], authority, NAMES[PROXY]) == ""
    assert "PRIVATE KEY" in done.variables[PROXY]


def test_what_lacks_a_name_is_renewed(authority):
    done = renew(secrets(authority, ["haproxy"]), NAMES)
    assert done.reasons == {PROXY: "is not for 127.1.50.100"}


def test_what_a_former_authority_of_the_household_has_issued_is_renewed(authority, held):
    former = secrets(Authority.create("HAL household", 3650 * DAY))
    done = renew(held | {PROXY: former[PROXY]}, NAMES)
    assert done.reasons == {PROXY: "is of another authority"}


@pytest.mark.parametrize("days", [0, 89, 400])
@pytest.mark.parametrize("at_once", [False, True])
def test_what_the_household_has_brought_is_never_replaced_but_named_when_it_is_due(held, days, at_once):
    theirs = secrets(Authority.create("Somebody else", 3650 * DAY), ["hal.example.org"])
    done = renew(held | {PROXY: theirs[PROXY]}, NAMES, at_once=at_once, now=after(days))
    assert PROXY not in done.variables
    advised = [PROXY in sentence and "get a new one where it came from" in sentence for sentence in done.left]
    assert advised == ([True] if days else [])


def test_all_of_ones_own_are_renewed_at_once_when_asked(held):
    assert renew(held, NAMES, at_once=True).reasons == {
        PROXY: "was to be renewed in any case",
        ROOT: "had no name constraints",
    }


def test_a_renewed_authority_keeps_its_key_so_that_old_and_new_vouch_for_the_same():
    held = secrets(Authority.create("HAL household", 3000 * DAY))
    done = renew(held, NAMES, now=after(2500))
    assert done.reasons[ROOT].startswith("ends on")
    old, new = (
        x509.load_pem_x509_certificate(held[ROOT].encode()),
        x509.load_pem_x509_certificate(done.variables[ROOT].encode()),
    )
    assert new.not_valid_after_utc > old.not_valid_after_utc
    for certificate in (held[PROXY], done.variables[PROXY]):
        for root in (old, new):
            x509.load_pem_x509_certificate(certificate.encode()).verify_directly_issued_by(root)
    assert not renew(held | done.variables, NAMES).variables


def test_without_the_authoritys_key_what_is_due_is_named(held):
    keyless = {name: value for name, value in held.items() if name != "network_ca_key"}
    done = renew(keyless, NAMES, now=after(89))
    assert done.variables == {}
    assert [sentence.split()[0] for sentence in done.left] == [PROXY]
    assert "network_ca_key" in done.left[0]


def test_a_key_of_another_authority_renews_nothing_and_what_is_due_is_named_with_it(held):
    other = Authority.create("HAL household", 3650 * DAY).key_pem.decode()
    done = renew(held | {"network_ca_key": other}, NAMES, now=after(89))
    assert done.variables == {}
    (told,) = done.left
    assert told.startswith(PROXY) and "network_ca_key is not the key of network_ca_certificate" in told


def test_a_certificate_is_for_each_proxy_and_for_the_address_that_they_share():
    groups = {"proxies": ["haproxy", "haproxy2"], "backup_servers": ["nas"], "gateways": ["qm1"]}
    addresses = {"haproxy": "127.0.0.1", "haproxy2": "127.0.0.2", "nas": "127.0.0.3", "hal": "127.0.0.4"}
    addresses["qm1"] = "127.0.0.5"
    assert certificate_names(groups, addresses) == {
        PROXY: ["haproxy", "haproxy2", "hal", "127.0.0.1", "127.0.0.2", "127.0.0.4"],
        "network_backup_certificate": ["nas", "127.0.0.3"],
        "network_gateway_certificate": ["qm1", "127.0.0.5"],
    }


def test_every_linux_host_but_the_clients_has_a_certificate_and_one_alone():
    groups = {
        "managed_hosts": ["qm1", "gateway2", "ubuai", "haproxy", "nas", "watch", "mac"],
        "proxies": ["haproxy"], "backup_servers": ["nas"], "gateways": ["qm1", "gateway2"],
        "ai_servers": ["ubuai"], "monitoring_servers": ["nas", "watch"], "clients": ["mac"],
        "windows_hosts": ["qm1"],
    }  # fmt: skip
    addresses = {host: f"127.0.0.{number}" for number, host in enumerate(groups["managed_hosts"])}
    names = certificate_names(groups, addresses)
    assert names["network_monitoring_certificate"] == ["haproxy", "watch", "127.0.0.3", "127.0.0.5"]
    assert {host: certificate_of(names, host) for host in groups["managed_hosts"][1:]} == {
        "gateway2": "network_gateway_certificate", "ubuai": "network_ai_certificate",
        "haproxy": "network_monitoring_certificate",  # the other one may be of another authority
        "nas": "network_backup_certificate", "watch": "network_monitoring_certificate", "mac": "",
    }  # fmt: skip


def test_of_a_host_without_a_fixed_address_only_the_name_is_certified():
    names = certificate_names({"managed_hosts": ["watch", "haproxy"]}, {"haproxy": "127.0.0.1"})
    assert names == {"network_monitoring_certificate": ["watch", "haproxy", "127.0.0.1"]}
