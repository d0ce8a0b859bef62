"""What is told of backups: their ages as JSON, and metrics for Prometheus."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import repositories
import upkeep

METRICS = Path("/var/lib/prometheus/node-exporter/hal_backup_check.prom")
AGES = METRICS.with_name("hal_backup_ages.prom")


def newest(settings: dict[str, Any], host: str) -> dict[str, float]:
    """Return when the newest snapshot with each tag was made, in seconds since 1970.

    Raises:
        RepositoryError: the repository does not tell.
    """
    found: dict[str, float] = {}
    for snapshot in json.loads(repositories.restic(settings, host, "snapshots", "--json", "--no-lock")) or []:
        moment = datetime.fromisoformat(snapshot["time"]).timestamp()
        for tag in snapshot.get("tags") or []:
            found[tag] = max(moment, found.get(tag, 0.0))
    return found


def tell_ages(settings: dict[str, Any]) -> None:
    """Print how old the watched backups are, as JSON, and tell Prometheus.

    What is printed is {host: {item: {last, age_s, late, fault}}}, times in seconds. Of a repository that does
    not answer, or has no such snapshot, what was known last counts, or the time of these settings: it becomes
    late by itself.
    """
    since = repositories.SETTINGS.stat().st_mtime
    told: dict[str, dict[str, Any]] = {}
    figures: list[tuple[str, str, float | None]] = []
    for host, items in settings["watched"].items():
        fault, found = None, {}
        try:
            found = newest(settings, host)
        except (repositories.RepositoryError, ValueError) as error:
            fault = str(error)
            print(f"{host}: {error}", file=sys.stderr)
        for name, item in items.items():
            if item["tag"] in found:
                repositories.mark(host, name, found[item["tag"]])
            known, limit = repositories.last(host, name), 3 * item["every"] + 60
            age = time.time() - (known or since)
            found_now = {"last": known or None, "age_s": round(age), "late": age > limit, "fault": fault}
            told.setdefault(host, {})[name] = found_now
            figures += [
                ("snapshot_timestamp_seconds", f'host="{host}",item="{name}"', known or since),
                ("snapshot_age_limit_seconds", f'host="{host}",item="{name}"', limit),
            ]
    print(json.dumps(told))
    write_figures(AGES, figures)


def write_metrics(settings: dict[str, Any]) -> None:
    """Tell Prometheus when each repository was found sound and copied off-site, and how large it is."""
    since = repositories.SETTINGS.stat().st_mtime
    figures: list[tuple[str, str, float | None]] = []
    for host in settings["passwords"]:
        labels = f'host="{host}"'
        figures += [
            ("check_last_success_timestamp_seconds", labels, repositories.last(host, "checked") or None),
            ("size_bytes", labels, repositories.size(settings, host)),
            ("size_limit_bytes", labels, upkeep.quota(settings, host) or None),
        ]
        if settings["offsite"]:  # one that was never made is as old as these settings
            figures += [
                (
                    "offsite_last_success_timestamp_seconds",
                    labels,
                    repositories.last(host, "offsite") or since,
                ),
                ("offsite_age_limit_seconds", labels, settings["offsite"]["days"] * upkeep.DAY_S),
            ]
    write_figures(METRICS, figures)


def write_figures(file: Path, figures: list[tuple[str, str, float | None]]) -> None:
    """Write metrics for Prometheus, given as names, labels and values; those without a value are left out."""
    new = file.with_suffix(f".{os.getpid()}")  # another run may write them, too
    new.write_text(
        "".join(
            f"hal_backup_{name}{{{labels}}} {value:.0f}\n"
            for name, labels, value in sorted(figures, key=lambda figure: figure[0])
            if value is not None
        )
    )
    new.chmod(0o644)
    new.replace(file)
