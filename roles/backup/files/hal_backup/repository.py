"""The repository on the backup server, spoken to with restic."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from items import BackupError, Item, content

Settings = dict[str, Any]  # {repository, password, access: {user, password}, ca_file, host, items}
NO_REPOSITORY = "Is there a repository at the following location?"  # of every version of restic
CONNECT_TIMEOUT_S = 5
RESTIC_TIMEOUT_S = 3600
CACHE = Path(os.environ.get("HAL_BACKUP_STATE", "/var/lib/hal/backup"), "cache")


def restic(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run restic; what it printed is returned.

    Raises:
        BackupError: it failed.
    """
    environment = {
        **os.environ,
        "RESTIC_REPOSITORY": settings["repository"],
        "RESTIC_PASSWORD": settings["password"],
        "RESTIC_REST_USERNAME": settings["access"]["user"],
        "RESTIC_REST_PASSWORD": settings["access"]["password"],
        "RESTIC_CACHE_DIR": str(CACHE),
        "GOMAXPROCS": "1",  # a backup is in no hurry; the services are
        **({"RESTIC_CACERT": settings["ca_file"]} if settings.get("ca_file") else {}),
    }
    try:
        done = subprocess.run(
            ["restic", "--retry-lock", "5m", *arguments],
            env=environment, capture_output=True, text=True, timeout=RESTIC_TIMEOUT_S, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise BackupError("restic is not installed: apt-get install restic") from None
    except subprocess.TimeoutExpired:
        raise BackupError(f"restic {arguments[0]} did not end within {RESTIC_TIMEOUT_S} s") from None
    if NO_REPOSITORY in done.stderr:
        raise BackupError(
            f"there is no repository for {settings['host']}: configuring the backup server makes it"
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise BackupError(f"restic {arguments[0]} ended with code {done.returncode}: {lines[-1]}")
    return done


def require_server(settings: Settings) -> None:
    """Find out in seconds whether the backup server answers; restic itself would try for minutes.

    Raises:
        BackupError: it does not.
    """
    scheme, _, rest = settings["repository"].partition(":")
    if scheme != "rest":
        return
    server = urlsplit(rest)
    try:
        socket.create_connection((server.hostname, server.port), CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise BackupError(
            f"the backup server {server.hostname}:{server.port} does not answer ({error}); is it up?"
        ) from error


def snapshots(settings: Settings, name: str, at: float) -> list[dict[str, Any]]:
    """Return the item's snapshots that are not younger than `at`, the newest first."""
    done = restic(settings, "snapshots", "--json", "--host", settings["host"], "--tag", name)
    found = [
        {"id": one["id"], "path": one["paths"][0], "time": datetime.fromisoformat(one["time"]).timestamp()}
        for one in json.loads(done.stdout)
    ]
    return sorted((one for one in found if one["time"] <= at), key=lambda one: one["time"], reverse=True)


def fetch_verified(
    settings: Settings, name: str, item: Item, at: float, stage: Path
) -> dict[str, Any] | None:
    """Bring the newest snapshot that agrees with its manifest into `stage`; return the manifest, or none.

    Raises:
        BackupError: there are snapshots, and none is sound.
    """
    faults = []
    for snapshot in snapshots(settings, name, at):
        shutil.rmtree(stage)
        stage.mkdir(mode=0o700)
        try:
            restic(settings, "restore", f"{snapshot['id']}:{snapshot['path']}", "--target", str(stage))
            manifest = json.loads((stage / "manifest.json").read_text())
            found = content(item, stage / "data")
            if found["digest"] == manifest["digest"]:
                return {**manifest, "snapshot": snapshot["id"]}
            faults.append(f"{snapshot['id'][:8]} differs from its manifest")
        except (BackupError, OSError, ValueError) as error:
            faults.append(f"{snapshot['id'][:8]}: {error}")
        print(f"{name}: passed over the snapshot {faults[-1]}", file=sys.stderr)
    if faults:
        raise BackupError(f"none of {len(faults)} snapshots is sound; the newest: {faults[0]}")
    return None
