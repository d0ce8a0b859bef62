"""Which certificates of the household's own authority are due for renewal, and their renewal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from hal.network.authority import Authority
from hal.network.catalogue import CLIENTS, WINDOWS
from hal.network.constraints import constraints_for, constraints_of, refused_names
from hal.network.inventory import Groups, hosts_of
from hal.network.model import VIRTUAL_HOST

AUTHORITY_VALIDITY = timedelta(days=3650)
CERTIFICATE_VALIDITY = timedelta(days=820)  # a Mac trusts none that is valid for more than 825 days
AUTHORITY = "network_ca_certificate"
AUTHORITY_KEY = "network_ca_key"
AUTHORITY_NAME = "HAL household"  # in the certificates of those that HAL has made
# The groups of servers that serve over TLS, by the variable that holds their certificate. What a proxy shows
# to everybody may be of an authority that the other hosts do not know: among themselves it has another.
PROXY = "network_proxy_certificate"
SERVERS = {
    PROXY: "proxies",
    "network_backup_certificate": "backup_servers",
    "network_gateway_certificate": "gateways",
    "network_ai_certificate": "ai_servers",
}
# What is to be done about a certificate that no run can renew.
KEYLESS = f". {AUTHORITY_KEY}, which could renew it, is not among the secrets."
MISFIT = f". {AUTHORITY_KEY} is not the key of {AUTHORITY} and renews nothing: correct or delete it."
BROUGHT = ". It is not of the household's own authority: get a new one where it came from, and put it there."


@dataclass
class Renewal:
    """What a renewal comes to.

    Attributes:
        variables: the certificates as they are from now on, by their variables.
        reasons: by the variable of each renewed one, why.
        left: sentences about those that are due, and that only a person can replace.
    """

    variables: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def certificate_names(groups: Groups, addresses: Mapping[str, str]) -> dict[str, list[str]]:
    """Return, by the variable that holds a server certificate, the names and addresses that it is for.

    Of servers that there are none of, there is no certificate. Every Linux host that HAL administers, but for
    the clients, is named by one.

    Args:
        groups: the inventory's groups.
        addresses: address of each host, and of VIRTUAL_HOST where the proxies share one.
    """
    shared = [VIRTUAL_HOST] if VIRTUAL_HOST in addresses else []
    servers = {variable: list(groups.get(group, ())) for variable, group in SERVERS.items()}
    servers[PROXY] += shared
    # A host that serves the other hosts nothing but figures about itself.
    others = [group for variable, group in SERVERS.items() if variable != PROXY]
    servers["network_monitoring_certificate"] = hosts_of(groups, "managed_hosts", [WINDOWS, CLIENTS, *others])
    return {
        name: [*hosts, *(addresses[host] for host in hosts if host in addresses)]
        for name, hosts in servers.items()
        if hosts
    }


def certificate_of(names: Mapping[str, Iterable[str]], host: str) -> str:
    """Return the variable of the certificate with which the other hosts know a host; empty: there is none.

    Args:
        names: by the variable that holds a server certificate, the names and addresses that it is for.
        host: the host's name.
    """
    return next((variable for variable, known in names.items() if host in known and variable != PROXY), "")


def certificate_end(pem: str) -> int:
    """Return when the first certificate of a text ends, in seconds since 1970."""
    return int(_read(pem).not_valid_after_utc.timestamp())


def age_fault(certificate: x509.Certificate, now: datetime) -> str:
    """Return why a certificate is due, as less than a third of its time is left; empty: it is not."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if end <= now:
        return f"ended on {end:%Y-%m-%d}"
    return f"ends on {end:%Y-%m-%d}" if end - now < (end - begin) / 3 else ""


def server_fault(pem: str, authority: Authority, names: Iterable[str], now: datetime | None = None) -> str:
    """Return why a server certificate of an authority is to be renewed; empty: it is not.

    Args:
        pem: the certificate.
        authority: who should have issued it.
        names: the names and IPv4 addresses that it should be for.
        now: the time; by default the present.
    """
    certificate = _read(pem)
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return "is of another authority"
    if missing := [name for name in names if name not in _names_of(certificate)]:
        return f"is not for {', '.join(missing)}"
    return age_fault(certificate, now or datetime.now(UTC))


def is_own(pem: str, authority: x509.Certificate) -> bool:
    """Return whether a certificate names an authority, or a former one of that name, as its issuer."""
    return _read(pem).issuer == authority.subject


def authority_of(held: Mapping[str, Any]) -> Authority | None:
    """Return the authority that the secrets hold; None when its key is elsewhere or is another's."""
    try:
        return Authority.load(held[AUTHORITY].encode(), held.get(AUTHORITY_KEY, "").encode())
    except (ValueError, TypeError):
        return None


def new_authority(certificates: Mapping[str, Iterable[str]]) -> Authority:
    """Return a new authority for a household, which can vouch for its names and for none of the internet's.

    Args:
        certificates: by the variable that holds a certificate, the names and IPv4 addresses it must be for.
    """
    return Authority.create(AUTHORITY_NAME, AUTHORITY_VALIDITY, _constraints(certificates))


def _constraints(certificates: Mapping[str, Iterable[str]]) -> x509.NameConstraints:
    return constraints_for(chain.from_iterable(certificates.values()))


def _authority_fault(
    root: x509.Certificate, certificates: Mapping[str, Iterable[str]], now: datetime, *, at_once: bool
) -> str:
    """Return why the authority's certificate is to be renewed; empty: it is not."""
    if due := age_fault(root, now):
        return due
    if _is_hals(root) and (refused := _refused(root, certificates)):
        return (
            f"permitted no certificate for {refused}: devices that Ansible does not configure "
            "refuse those until they have the new one"
        )
    return "had no name constraints" if at_once and _is_hals(root) and not constraints_of(root) else ""


def _refused(root: x509.Certificate, certificates: Mapping[str, Iterable[str]]) -> str:
    """Return the names and addresses for which an authority cannot vouch, joined; empty: there are none."""
    return ", ".join(refused_names(root, chain.from_iterable(certificates.values())))


def _is_hals(root: x509.Certificate) -> bool:
    """Return whether HAL has made an authority; one that was brought may vouch for what it likes."""
    return [name.value for name in root.subject] == [AUTHORITY_NAME]


def renew(
    held: Mapping[str, Any],
    certificates: Mapping[str, list[str]],
    validity: timedelta = CERTIFICATE_VALIDITY,
    *,
    at_once: bool = False,
    now: datetime | None = None,
) -> Renewal:
    """Renew what is due: the authority's own certificate, with the same key, and those that it has issued.

    A certificate of somebody else is the household's own affair and stays as it is. A key that is not that of
    the authority's certificate renews nothing.

    Args:
        held: the secrets, with the authority's certificate and, where it is kept there, its key.
        certificates: by the variable that holds one, the names and IPv4 addresses that it must be for.
        validity: how long a new server certificate is valid.
        at_once: whether to renew the server certificates that are not due, too, and to give the authority
            name constraints if it has none.
        now: the time; by default the present.
    """
    now = now or datetime.now(UTC)
    done = Renewal()
    root = _read(held[AUTHORITY])
    key = held.get(AUTHORITY_KEY, "")
    authority = authority_of(held)
    keyless = MISFIT if key else KEYLESS
    if due := _authority_fault(root, certificates, now, at_once=at_once and authority is not None):
        if authority:
            constraints = _constraints(certificates) if _is_hals(root) else constraints_of(root)
            authority = authority.renewed(AUTHORITY_VALIDITY, constraints)
            done.variables[AUTHORITY], done.reasons[AUTHORITY] = authority.pem.decode(), due
        else:
            done.left.append(f"{AUTHORITY} {due}{keyless}")
    if not _is_hals(root) and (refused := _refused(root, certificates)):
        done.left.append(
            f"{AUTHORITY} cannot vouch for {refused}, and HAL does not change the constraints of an "
            "authority that was brought: bring one that can."
        )
    for variable, names in certificates.items():
        pem = held.get(variable, "")
        if authority and (not pem or is_own(pem, root)):
            due = server_fault(pem, authority, names, now) if pem else "was missing"
            if due or at_once:
                done.variables[variable] = b"".join(authority.issue(names, validity)).decode()
                done.reasons[variable] = due or "was to be renewed in any case"
        elif pem and (due := age_fault(_read(pem), now)):
            done.left.append(f"{variable} {due}{keyless if is_own(pem, root) else BROUGHT}")
    return done


def _read(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _names_of(certificate: x509.Certificate) -> set[str]:
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*held.get_values_for_type(x509.DNSName), *map(str, held.get_values_for_type(x509.IPAddress))}
