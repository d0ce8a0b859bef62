#!/usr/bin/python3
"""Remove old snapshots from every repository; once a day free the space and check what is kept.

Usage: hal-backup-maintenance [--check | --create]
       --check    free and check now
       --create   make the repositories that are missing, and nothing else
Settings are in /etc/hal/backup-server.json. restic runs as the server's user, so that the server can read
what it writes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/hal/backup-server.json")
STATE = Path("/var/lib/hal/backup-server")
METRICS = Path("/var/lib/prometheus/node-exporter/hal_backup_check.prom")
DAY_S = 86400


def restic(settings: dict[str, Any], host: str, *arguments: str) -> str | None:
    """Run restic on a host's repository; return why it failed, or none."""
    environment = {
        **os.environ,
        "RESTIC_REPOSITORY": f"{settings['directory']}/{host}",
        "RESTIC_PASSWORD": settings["passwords"][host],
        "GOMAXPROCS": "1",
    }
    done = subprocess.run(
        ["restic", "--no-cache", "--retry-lock", "10m", *arguments],
        env=environment,
        user=settings["user"],
        group=settings["user"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    return f"restic {arguments[0]} ended with code {done.returncode}: {done.stderr.strip()[-400:]}"


def create(settings: dict[str, Any], host: str) -> str | None:
    """Make a repository; return why that failed, or none.

    It is made here and not by the host, whose items may begin at the same time: of two repositories begun
    in one place none can be read. What one that was never finished has left is removed: `config` comes last.
    """
    directory = Path(settings["directory"]) / host
    if any(file.is_file() for part in ("data", "snapshots") for file in (directory / part).rglob("*")):
        return f"{directory} has backups, but its file `config` is missing; look at its disk first"
    shutil.rmtree(directory, ignore_errors=True)  # as a rule there is none
    return restic(settings, host, "init")


def exists(settings: dict[str, Any], host: str) -> bool:
    """Return whether a host has a repository."""
    return (Path(settings["directory"]) / host / "config").exists()


def last_check(host: str) -> float:
    """Return when a repository was found sound, in seconds since 1970; 0 for never."""
    record = STATE / f"{host}.checked"
    return record.stat().st_mtime if record.exists() else 0.0


def maintain(settings: dict[str, Any], host: str, *, check: bool) -> str | None:
    """Bring one repository into order; return what failed, or none."""
    check = check or time.time() - last_check(host) > DAY_S
    keep = [f"--keep-{name}={count}" for name, count in settings["keep"].items()]
    fault = restic(
        settings, host, "forget", "--group-by", "host,tags", *keep, *(["--prune"] if check else [])
    )
    if fault is None and check:
        fault = restic(settings, host, "check", f"--read-data-subset={settings['check_percent']}%")
        if fault is None:
            STATE.mkdir(parents=True, exist_ok=True)
            (STATE / f"{host}.checked").touch()
            print(f"{host}: checked")
    return fault


def write_metrics(settings: dict[str, Any]) -> None:
    """Tell Prometheus when each repository was found sound."""
    checks = {host: last_check(host) for host in settings["passwords"]}
    new = METRICS.with_suffix(".new")
    new.write_text(
        "".join(
            f'hal_backup_check_last_success_timestamp_seconds{{host="{host}"}} {at:.0f}\n'
            for host, at in checks.items()
            if at
        )
    )
    new.chmod(0o644)
    new.replace(METRICS)


def main() -> int:
    """Create or maintain the repositories; one that fails does not keep the others from it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--create", action="store_true")
    options = parser.parse_args()
    settings = json.loads(SETTINGS.read_text())
    faults = {
        host: create(settings, host) if options.create else maintain(settings, host, check=options.check)
        for host in settings["passwords"]
        if options.create != exists(settings, host)
    }
    for host, fault in faults.items():
        if fault:
            print(f"{host}: {fault}", file=sys.stderr)
        elif options.create:
            print(f"{host}: created")
    write_metrics(settings)
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
