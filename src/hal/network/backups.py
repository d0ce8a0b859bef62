"""What of a host is backed up, which of it is watched, and the credentials of its repository."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hal.network.catalogue import WINDOWS
from hal.network.inventory import Groups, hosts_of

type Backups = Mapping[str, Mapping[str, Any]]

SNAPSHOT_TAG = "hal"  # of an account of OpenQM; the snapshots of all else have the name of their item
LISTED = 8  # snapshots that a sentence names
RESERVE = 0.1  # of the room for backups, which no host gets: to remove what is old takes some
OF_AN_ITEM = ("kind", "paths", "every", "unit")


def backup_items(backups: Backups, host: str, groups: Groups) -> dict[str, dict[str, Any]]:
    """Return what of a host is backed up.

    Args:
        backups: network_backups, as inventories/common/backups.yml has it.
        host: the inventory's name of the host.
        groups: the inventory's groups.

    Returns:
        {item: {kind, paths, every, unit}}; empty for a host without any.
    """
    return {
        name: {key: backup[key] for key in OF_AN_ITEM if key in backup}
        for name, backup in backups.items()
        if host in hosts_of(groups, backup["group"], backup.get("except", []))
    }


def backup_hosts(backups: Backups, groups: Groups) -> list[str]:
    """Return the hosts of which anything is backed up, sorted."""
    found = (hosts_of(groups, backup["group"], backup.get("except", [])) for backup in backups.values())
    return sorted({host for hosts in found for host in hosts})


def watched_backups(backups: Backups, groups: Groups) -> list[dict[str, str]]:
    """Return which backups must tell of themselves; Windows hosts have no exporter, see `watched_snapshots`.

    Args:
        backups: network_backups, as inventories/common/backups.yml has it.
        groups: the inventory's groups.

    Returns:
        [{host, item}]
    """
    return [
        {"host": host, "item": name}
        for name, backup in backups.items()
        for host in hosts_of(groups, backup["group"], [*backup.get("except", []), WINDOWS])
    ]


def watched_snapshots(backups: Backups, groups: Groups) -> dict[str, dict[str, dict[str, Any]]]:
    """Return of which items the keeper of the repositories must tell the age: those of Windows hosts.

    Args:
        backups: network_backups, as inventories/common/backups.yml has it.
        groups: the inventory's groups.

    Returns:
        {host: {item: {tag, every}}}: what its snapshots are tagged with, and the seconds between them.
    """
    windows = hosts_of(groups, WINDOWS, [])
    return {
        host: {
            name: {"tag": _tag(name, item["kind"]), "every": item["every"]}
            for name, item in backup_items(backups, host, groups).items()
        }
        for host in backup_hosts(backups, groups)
        if host in windows
    }


def chosen_snapshot(
    snapshots: Iterable[Mapping[str, Any]], item: str, kind: str, at: str = "", now: float | None = None
) -> dict[str, str]:
    """Return which snapshot of a Windows host's item is to be restored.

    Args:
        snapshots: of the host's repository, as `restic snapshots --json` lists them.
        item: the item's name.
        kind: its kind.
        at: the newest until then is taken: ISO 8601, UTC unless it says otherwise; empty for the newest.
        now: the present, in seconds since 1970, beyond which `at` is refused.

    Returns:
        {id, taken, listed, fault}: the snapshot, when it was made, a sentence with those there are, and why
        there is none to restore, else empty.
    """
    tag = _tag(item, kind)
    found = {
        datetime.fromisoformat(one["time"]).astimezone(UTC): str(one["id"])
        for one in snapshots
        if tag in (one.get("tags") or [])
    }
    times = sorted(found, reverse=True)
    listed = _listed([_utc(time) for time in times])
    try:
        until = datetime.fromisoformat(at) if at else datetime.max
    except ValueError:
        return _none(f"{at} is no time; write it as 2026-01-31T18:00", listed)
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    present = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    if at and until > present:
        return _none(f"{_utc(until.astimezone(UTC))} is in the future", listed)
    chosen = next((time for time in times if time <= until), None)
    if chosen is None:
        return _none(f"there is no backup of {item}{f' of {at} or before' if at else ''}", listed)
    return {"id": found[chosen], "taken": _utc(chosen), "listed": listed, "fault": ""}


def _none(fault: str, listed: str) -> dict[str, str]:
    return {"id": "", "taken": "", "listed": listed, "fault": f"{fault}. Nothing was restored. {listed}"}


def _tag(item: str, kind: str) -> str:
    """Return what the snapshots of a Windows host's item are tagged with."""
    return SNAPSHOT_TAG if kind == "qm" else item


def _utc(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


def _listed(times: list[str]) -> str:
    """Return a sentence with the times of snapshots, the newest first."""
    if not times:
        return "There are no snapshots of it on the backup server."
    if len(times) > LISTED:
        times = [*times[: LISTED - 1], f"… the oldest of {len(times)} {times[-1]}"]
    return f"There are snapshots of: {', '.join(times)}."


def data_had(had: Mapping[str, Iterable[str]], results: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return which items each host has had, so that none of these hosts is ever started without.

    Args:
        had: what is known already, {host: [item]}.
        results: of the checks, as `health_results` returns them. That of a host's backups tells which items
            are present there.
    """
    known = {host: set(names) for host, names in had.items()}
    for result in results:
        if result.get("kind") == "backup":
            present = {name for name, item in result.get("details", {}).items() if item.get("present")}
            known[result["host"]] = known.get(result["host"], set()) | present
    return {host: sorted(names) for host, names in sorted(known.items()) if names}


def backup_quotas(hosts: Sequence[str], total: float, own: Mapping[str, float]) -> dict[str, float]:
    """Return how much of the backup server each host may fill, in GiB, so that no host takes another's room.

    Args:
        hosts: those that have backups.
        total: network_backups_gib, of which a tenth is a reserve.
        own: network_backup_quotas_gib, of the hosts that have another share than the others.

    Returns:
        {host: GiB}: the hosts that `own` does not name share equally what is left.
    """
    others = [host for host in hosts if host not in own]
    left = total * (1 - RESERVE) - sum(float(own[host]) for host in hosts if host in own)
    return {host: round(float(own.get(host, left / max(len(others), 1))), 3) for host in hosts}


def quota_faults(hosts: Sequence[str], total: float, own: Mapping[str, float]) -> list[str]:
    """Return what is wrong with the hosts' quotas; the arguments are those of `backup_quotas`."""
    where = "group_vars/all/backups.yml: network_backup_quotas_gib"
    if unknown := sorted(own.keys() - set(hosts)):
        return [f"{where} names {', '.join(unknown)}; backups have {', '.join(hosts)}"]
    quotas = backup_quotas(hosts, total, own)
    if min(quotas.values(), default=1) > 0 and sum(quotas.values()) <= total * (1 - RESERVE) + 0.01:
        return []
    return [
        f"{where} shares out {sum(float(gib) for gib in own.values()):g} GiB and must leave room for every "
        f"host; of network_backups_gib, {total:g}, a tenth is kept free: raise that, with the server's disk"
    ]


def backup_repositories(
    backups: Backups, groups: Groups, secret: str, total: float, own: Mapping[str, float], *, former: str = ""
) -> dict[str, dict[str, Any]]:
    """Return each host's repository on the backup server: its credentials, and `quota_gib`.

    Args:
        backups: network_backups, as inventories/common/backups.yml has it.
        groups: the inventory's groups.
        secret: network_backup_secret.
        total: network_backups_gib.
        own: network_backup_quotas_gib.
        former: the network_backup_secret of before, while it is being replaced: what it opens is told as
            `former_encryption` and `former_offsite_encryption`.
    """
    quotas = backup_quotas(backup_hosts(backups, groups), float(total), own)
    return {
        host: {**backup_access(host, secret), "quota_gib": gib, **_former_passwords(host, former)}
        for host, gib in quotas.items()
    }


def _former_passwords(host: str, former: str) -> dict[str, str]:
    """Return what a repository and its off-site copy were encrypted with; empty without a former secret."""
    if not former:
        return {}
    access = backup_access(host, former)
    return {f"former_{name}": access[name] for name in ("encryption", "offsite_encryption")}


def backup_access(host: str, secret: str) -> dict[str, str]:
    """Return the credentials of a host's repository, all derived from one secret: a new host needs none.

    Args:
        host: the inventory's name of the host.
        secret: network_backup_secret; whoever has it can open every repository.

    Returns:
        {user, password, encryption, offsite_encryption, htpasswd}: whom the backup server lets in, what the
        repository and its off-site copy are encrypted with, and the line of the server's password file. The
        passwords are 256 bits long: for such, its unsalted SHA-1 is as good as a slow digest.
    """

    def derived(purpose: str) -> str:
        return hmac.new(secret.encode(), f"{purpose}:{host}".encode(), hashlib.sha256).hexdigest()

    password = derived("access")
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()  # noqa: S324 - of a random secret
    return {
        "user": host,
        "password": password,
        "encryption": derived("encryption"),
        "offsite_encryption": derived("offsite"),
        "htpasswd": f"{host}:{{SHA}}{digest}",
    }
