"""What a host of the lab holds, so that a host that came back can be compared with the one that was lost."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lab import containers
from lab.containers import Lab
from lab.description import Description

PROGRAM = Path(__file__).parent / "on_hosts/contents.py"
METRICS = "/var/lib/prometheus/node-exporter/hal_backup*.prom"
METRIC = re.compile(r'^hal_backup_(\w+)\{item="([^"]+)"\} (\S+)$', re.MULTILINE)
LAST_SUCCESS = "last_success_timestamp_seconds"
RESTORED = "/var/lib/hal/backup/restored.json"
DATABASE = {"database": "/var/lib/hal-engine/household.sqlite", "log": "conversation"}


@dataclass(frozen=True)
class Contents:
    """What a host holds at a moment.

    Attributes:
        digests: by table, file or model; None on a host that holds nothing that must stay the same.
        log: the conversation log as (session, question, Unix time); None on a host that keeps none.
    """

    digests: dict[str, str] | None
    log: list[tuple[str, str, float]] | None

    def missing_from(self, later: Contents) -> list[float]:
        """Return when each exchange of the log that a later state lacks was recorded, the oldest first."""
        gone = Counter(self.log or []) - Counter(later.log or [])
        return sorted(at for *_, at in gone.elements())

    def kept_until(self, later: Contents) -> float:
        """Return when the newest exchange that a later state still has was recorded; 0 without any."""
        kept = Counter(self.log or []) & Counter(later.log or [])
        return max((at for *_, at in kept), default=0.0)


def _order(description: Description, host: str) -> dict[str, Any]:
    """Return what a host holds that must be the same after its loss, for the program that reads it."""
    groups = description.groups_of(host)
    order: dict[str, Any] = {}
    if "qm_servers" in groups:
        order |= DATABASE
    if "ai_servers" in groups:
        order |= {
            "trees": ["/var/lib/hal-models"],
            "models": f"http://127.0.0.1:{description.port('ollama')}",
        }
    if "proxies" in groups:
        order |= {"trees": ["/etc/haproxy"]}
    return order


def read_all(lab: Lab, description: Description, hosts: Iterable[str]) -> Contents:
    """Return what hosts hold together, each digest under its host; PodmanError if it cannot be read."""
    held = {host: read(lab, description, host) for host in hosts}
    digests = {
        f"{host}: {name}": digest
        for host, each in held.items()
        for name, digest in (each.digests or {}).items()
    }
    logs = [each.log for each in held.values() if each.log is not None]
    return Contents(
        None if all(each.digests is None for each in held.values()) else digests,
        [entry for log in logs for entry in log] if logs else None,
    )


def read(lab: Lab, description: Description, host: str) -> Contents:
    """Return what a host holds; PodmanError if it cannot be read."""
    order = _order(description, host)
    said = json.loads(_run(lab, host, ["python3", "-c", PROGRAM.read_text()], json.dumps(order).encode()))
    log = [(session, asked, datetime.fromisoformat(at).timestamp()) for session, asked, at in said["log"]]
    return Contents(said["digests"] if order else None, log if "log" in order else None)


def backups(lab: Lab, host: str) -> dict[str, dict[str, float]]:
    """Return what the host's backups say of themselves, by item: last_success_timestamp_seconds, …"""
    items: dict[str, dict[str, float]] = {}
    for name, item, value in METRIC.findall(
        _run(lab, host, ["sh", "-c", f"cat {METRICS} 2>/dev/null || true"])
    ):
        items.setdefault(item, {})[name] = float(value)
    return items


def restored_all(lab: Lab, items: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any] | None]:
    """Return the last record of how each item of hosts got its data, as "HOST ITEM"; none without any."""
    found: dict[str, dict[str, Any] | None] = {}
    for host, names in items.items():
        records = restored(lab, host)
        found |= {f"{host} {name}": records.get(name) for name in names}
    return found


def restored(lab: Lab, host: str) -> dict[str, dict[str, Any]]:
    """Return the last record of how each item got its data; empty if nothing was restored."""
    done = _run(lab, host, ["sh", "-c", f"cat {RESTORED} 2>/dev/null || echo '[]'"])
    return {record["item"]: record for record in json.loads(done)}


def _run(lab: Lab, host: str, command: list[str], standard_input: bytes = b"") -> str:
    arguments = ["exec", "--interactive", "--workdir", "/", lab.container(host), *command]
    return containers.podman(arguments, standard_input)
