"""In which order the hosts are upgraded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def upgrade_order(groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the hosts in the order in which they are upgraded, one after the other.

    The servers that have the downloads come first, since the others install from there. A service comes after
    those that it asks. Of hosts that stand in for each other the last one, which serves only when the first
    does not, is the first to be upgraded. The proxies, through which everybody comes, are last.

    Args:
        groups: the hosts of each group of the inventory.
    """
    standby_first = {name: list(hosts)[::-1] for name, hosts in groups.items()}
    downloads = groups.get("backup_servers") or groups.get("monitoring_servers") or []
    late = [*standby_first.get("qm_servers", []), *groups.get("clients", [])]
    late += [host for host in groups["managed_hosts"] if host not in groups.get("proxies", [])]
    last = standby_first.get("proxies", [])
    early = [*standby_first.get("ai_servers", []), *standby_first.get("gateways", [])]
    order = [*downloads, *(host for host in early if host not in groups.get("qm_servers", [])), *late, *last]
    return list(dict.fromkeys(order))
