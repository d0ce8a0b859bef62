"""What a host of the lab holds, so that a host that came back can be compared with the one that was lost."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import containers
from containers import Lab
from description import Description

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
        digests: by table, file or model.
        log: the conversation log as (session, question, Unix time); None on a host that keeps none.
    """

    digests: dict[str, str]
    log: list[tuple[str, str, float]] | None

    def newest(self, before: float) -> float | None:
        """Return when the newest exchange of the log before a moment was recorded."""
        return max((at for *_, at in self.log or [] if at <= before), default=None)


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


def read(lab: Lab, description: Description, host: str) -> Contents:
    """Return what a host holds; PodmanError if it cannot be read."""
    order = _order(description, host)
    said = json.loads(_run(lab, host, ["python3", "-c", PROGRAM.read_text()], json.dumps(order).encode()))
    log = [(session, asked, datetime.fromisoformat(at).timestamp()) for session, asked, at in said["log"]]
    return Contents(said["digests"], log if "log" in order else None)


def backups(lab: Lab, host: str) -> dict[str, dict[str, float]]:
    """Return what the host's backups say of themselves, by item: last_success_timestamp_seconds, …"""
    items: dict[str, dict[str, float]] = {}
    for name, item, value in METRIC.findall(
        _run(lab, host, ["sh", "-c", f"cat {METRICS} 2>/dev/null || true"])
    ):
        items.setdefault(item, {})[name] = float(value)
    return items


def restored(lab: Lab, host: str) -> list[dict[str, Any]]:
    """Return what the host's last restore says of each item; empty if nothing was restored."""
    done = _run(lab, host, ["sh", "-c", f"cat {RESTORED} 2>/dev/null || echo '[]'"])
    items: list[dict[str, Any]] = json.loads(done)
    return items


def _run(lab: Lab, host: str, command: list[str], standard_input: bytes = b"") -> str:
    arguments = ["exec", "--interactive", "--workdir", "/", lab.container(host), *command]
    return containers.podman(arguments, standard_input)
