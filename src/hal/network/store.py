"""A restic store that exists already, where backups go instead of to a backup server of our own."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from hal.network.catalogue import WATCHERS
from hal.network.inventory import HOSTS, NETWORK, Groups

HOST_ALIAS = "backup-store"  # by which the store's host key is known, whatever its address
_USER_AT_HOST = r"(?P<user>[\w.+-]+)@(?P<host>[\w.-]+)"
_SFTP = (
    re.compile(rf"sftp:{_USER_AT_HOST}:(?P<path>[\w./+~-]+)", re.ASCII),
    re.compile(rf"sftp://{_USER_AT_HOST}(?::(?P<port>\d{{1,5}}))?/(?P<path>[\w./+~-]+)", re.ASCII),
)
# What the maintenance's unit sees as empty, by ProtectHome= and PrivateTmp=.
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - named, never written to
_HOST_KEY = re.compile(r"(ssh-(ed25519|rsa)|ecdsa-sha2-\S+) [A-Za-z0-9+/]{40,}=*")
_ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def sftp_address(store: str) -> dict[str, Any]:
    """Return who logs in where to a store by SFTP, {user, host, port}; empty for a store of another kind."""
    for form in _SFTP:
        if found := form.fullmatch(store):
            parts = found.groupdict()
            return {"user": parts["user"], "host": parts["host"], "port": int(parts.get("port") or 22)}
    return {}


def store_ssh_key(host: str, secret: str) -> dict[str, str]:
    """Return the SSH key by which a host logs in to the store, derived as its other credentials are.

    Args:
        host: the inventory's name of the host.
        secret: network_backup_secret.

    Returns:
        {private, public}: PEM, and the line for authorized_keys. The key is one of ECDSA, which every version
        of OpenSSH reads in a form that is the same at each run.
    """
    number = int(hmac.new(secret.encode(), f"ssh:{host}".encode(), hashlib.sha512).hexdigest(), 16)
    key = ec.derive_private_key(number % (_ORDER_OF_P256 - 1) + 1, ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return {"private": private.decode(), "public": f"{public.decode()} {host}"}


def sftp_command(ssh: Mapping[str, Any], key_file: str, known_hosts_file: str, program: str = "ssh") -> str:
    """Return the command by which restic speaks to a store by SFTP; empty without one.

    Args:
        ssh: {user, host, port}, as `sftp_address` returns it.
        key_file: has the private key.
        known_hosts_file: has the store's host key, for HOST_ALIAS; any other key is refused.
        program: of OpenSSH.
    """
    if not ssh:
        return ""
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "10",
        "GlobalKnownHostsFile": "none",
        "HostKeyAlias": HOST_ALIAS,
        "IdentitiesOnly": "yes",
        "ServerAliveInterval": "30",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "UserKnownHostsFile": known_hosts_file,
    }
    named = " ".join(f"-o {name}={value}" for name, value in options.items())
    # Of Windows' two slashes restic's splitting of a command takes one for an escape.
    files = f"-i {key_file} {named}".replace("\\", "/")
    return f"{program} -F none {files} -p {ssh['port']} -l {ssh['user']} {ssh['host']} -s sftp"


def url_faults(store: str, name: str = "network_backup_store") -> Iterator[str]:
    """Find what is wrong with the address of a store, which stands in the variable `name`."""
    kind, _, rest = store.partition(":")
    if kind == "sftp" and not sftp_address(store):
        yield f"{name} is {store!r}; write sftp:user@host:/path or sftp://user@host:port//path"
    if kind in ("s3", "rest"):
        try:
            url = urlsplit(rest)
            host, user, _ = url.hostname, url.username, url.port
        except ValueError:
            host = user = None
        example = "s3:https://host/bucket" if kind == "s3" else "rest:https://host:8000/path"
        if user:
            yield f"{name} has a user name or a password in it; they belong into {name}_access, in the vault"
        elif not host or url.scheme != "https" or re.search(r"\s", rest):
            yield f"{name} is {store!r}; write {example}, with TLS"
        elif kind == "s3" and not url.path.strip("/"):
            yield f"{name} is {store!r}, without a bucket; write {example}"
    if kind not in ("sftp", "s3", "rest"):
        yield f"{name} is {store!r}, which begins with none of sftp:, s3: and rest:"


def _credential_faults(store: str, name: str, host_key: Any, access: Mapping[str, Any]) -> Iterator[str]:
    """Find credentials that a store needs and that are missing; `access` are those by variable."""
    if store.startswith("sftp:"):
        if not _HOST_KEY.fullmatch(str(host_key).strip()):
            yield (
                f"{name}_host_key is no public host key; `ssh-keyscan -t ed25519 HOST` shows one, without "
                "the name before it; compare it on the store itself"
            )
        return
    for variable, given in access.items():
        if given and not (isinstance(given, dict) and given.get("user") and given.get("password")):
            yield f"{variable} must be {{user: …, password: …}}, in the vault"


def _offsite_faults(declared: Mapping[str, Any]) -> Iterator[str]:
    """Find what is wrong with the place of the off-site copies."""
    name, place = "network_backup_offsite", str(declared["offsite"])
    if declared["store"]:
        yield f"{name} copies what a backup server has, and network_backup_store takes the place of that"
    if place.startswith("/"):
        if PurePosixPath(place).is_relative_to("/srv/backups"):
            yield f"{name} is {place}, which is lost with the backups themselves: name another disk"
        if hidden := [root for root in _HIDDEN if PurePosixPath(place).is_relative_to(root)]:
            yield (
                f"{name} is {place}, and the maintenance of the backups sees nothing below {hidden[0]}: "
                "mount the disk elsewhere, such as below /media"
            )
        return
    faults = [*url_faults(place, name)]
    access = {f"{name}_access": declared["offsite_access"]}
    yield from faults or _credential_faults(place, name, declared["offsite_host_key"], access)


def store_faults(declared: Mapping[str, Any]) -> list[str]:
    """Return why backups have nowhere to go, each after the file to edit; none when all is well.

    Args:
        declared: what to look at, with
            store: network_backup_store; empty when there is a backup server;
            host_key, access, maintenance_access: the variables that begin with its name;
            offsite: network_backup_offsite, a store or a directory of the backup server; empty for none;
            offsite_host_key, offsite_access: the variables of those names;
            groups: the inventory's groups.
    """
    name, store, groups = "network_backup_store", str(declared["store"]), declared["groups"]
    servers = groups.get("backup_servers", [])
    found = [f"{NETWORK}: {fault}" for fault in (_offsite_faults(declared) if declared["offsite"] else ())]
    if not store:
        missing = f"the group backup_servers has no host, and {name} names no store instead"
        return found + ([] if servers else [f"{HOSTS}: {missing}"])
    if servers:
        found.append(
            f"{NETWORK}: {name} is set, and the group backup_servers has {', '.join(servers)}: "
            "backups go to one of them; take the other away"
        )
    if not groups.get(WATCHERS):
        found.append(
            f"{HOSTS}: the group {WATCHERS} has no host; without a backup server it serves the downloads and "
            "maintains the backups"
        )
    access = {f"{name}_{key}": declared[key] for key in ("access", "maintenance_access")}
    faults = [*url_faults(store)] or [*_credential_faults(store, name, declared["host_key"], access)]
    return found + [f"{NETWORK}: {fault}" for fault in faults]


def store_keys(hosts: list[str], groups: Groups, secret: str) -> list[str]:
    """Return the lines for authorized_keys of a store by SFTP: of the hosts, and of who maintains it."""
    admitted = dict.fromkeys([*hosts, *groups.get(WATCHERS, [])[:1]])
    return [store_ssh_key(host, secret)["public"] for host in admitted]
