"""What can be done with an item: back it up, restore it, tell when that was done last."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from items import BackupError, Item, content, copy_item, is_there, place, signature
from repository import Settings, fetch_verified, require_server, restic

STATE = Path(os.environ.get("HAL_BACKUP_STATE", "/var/lib/hal/backup"))
METRICS = Path(os.environ.get("HAL_BACKUP_METRICS", "/var/lib/prometheus/node-exporter"))
UNCHANGED_AT_MOST_S = 86400  # then there is a new snapshot of what has not changed, too
LATE_PERIODS, LATE_MARGIN_S = 3, 60


def utc(seconds: float) -> str:
    """Return a time, in seconds since 1970, as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def read_state(name: str) -> dict[str, Any]:
    """Return what is known of an item's last backup: snapshot, taken, signature, last_success."""
    try:
        state: dict[str, Any] = json.loads((STATE / name / "state.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return state


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that a reader finds all of it or what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.chmod(mode)
    new.replace(path)


@contextlib.contextmanager
def alone(name: str) -> Iterator[Path]:
    """Be the only one who works on an item; gives an empty directory that only root can read."""
    (STATE / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    with (STATE / name / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stage = STATE / name / "stage"
        shutil.rmtree(stage, ignore_errors=True)  # only a run that was killed has left one
        stage.mkdir(mode=0o700)
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)  # else the next run does; what was backed up stands


def succeeded(name: str, item: Item, state: dict[str, Any], seconds: float) -> None:
    """Record a success, for `status` and for Prometheus."""
    state["last_success"] = time.time()
    write_whole(STATE / name / "state.json", json.dumps(state))
    figures = {
        "last_success_timestamp_seconds": round(state["last_success"], 3),
        "period_seconds": item["every"],
        "last_duration_seconds": round(seconds, 3),
    }
    text = "".join(f'hal_backup_{key}{{item="{name}"}} {value}\n' for key, value in figures.items())
    write_whole(METRICS / f"hal_backup_{name}.prom", text, 0o644)


def back_up(settings: Settings, name: str, item: Item) -> str:
    """Make a snapshot of an item unless the last one still holds; return what was done."""
    began, state = time.time(), read_state(name)
    missing = [path for path in item["paths"] if not is_there(Path(path))]
    if missing:
        if state:
            raise BackupError(f"{', '.join(missing)} is gone; `hal-backup restore {name}` brings it back")
        return "nothing to back up yet"
    require_server(settings)
    seen = signature(item)
    if seen is not None and seen == state.get("signature") and began - state["taken"] < UNCHANGED_AT_MOST_S:
        succeeded(name, item, state, time.time() - began)
        return f"unchanged since {utc(state['taken'])}"
    with alone(name) as stage:
        copy_item(item, stage / "data")
        manifest = {"item": name, "host": settings["host"], "taken": began, **content(item, stage / "data")}
        (stage / "manifest.json").write_text(json.dumps(manifest))
        arguments = ("backup", "--json", "--host", settings["host"], "--tag", name, str(stage))
        done = restic(settings, *arguments)
    snapshot = json.loads(done.stdout.strip().splitlines()[-1])["snapshot_id"]
    succeeded(name, item, {"snapshot": snapshot, "taken": began, "signature": seen}, time.time() - began)
    return f"backed up as {snapshot[:8]}: {counted(manifest)}"


def counted(found: dict[str, Any]) -> str:
    """Return rows or files in words."""
    return (
        ", ".join(f"{table} {rows}" for table, rows in found["rows"].items()) or f"{found['files']} file(s)"
    )


@contextlib.contextmanager
def stopped(item: Item) -> Iterator[None]:
    """Keep the service that uses an item from running meanwhile, if it runs."""
    unit = str(item.get("unit", ""))
    active = ["systemctl", "is-active", "--quiet", unit]
    running = bool(unit) and subprocess.run(active, check=False).returncode == 0
    if running:
        subprocess.run(["systemctl", "stop", unit], check=True)
    try:
        yield
    finally:
        if running:
            subprocess.run(["systemctl", "start", unit], check=True)


def restore(settings: Settings, name: str, item: Item, at: float, *, overwrite: bool) -> str:
    """Bring an item back where there is none, or over what is there; return what was done."""
    present = [path for path in item["paths"] if is_there(Path(path))]
    if present and not overwrite:
        return f"kept: {', '.join(present)} is there"
    require_server(settings)
    began = time.time()
    with alone(name) as stage:
        manifest = fetch_verified(settings, name, item, at, stage)
        if manifest is None:
            return "nothing to restore: there is no backup" + (" as old as that" if at < began else "")
        aside = STATE / name / "replaced" / utc(began)
        with stopped(item):
            place(item, stage, aside)
            found = content(item, Path("/"))
    record = {
        "item": name,
        "snapshot": manifest["snapshot"],
        "taken_at": utc(manifest["taken"]),
        "restored_at": utc(time.time()),
        "seconds": round(time.time() - began, 1),
        **found,
        "digest_equal": found["digest"] == manifest["digest"],
    }
    restored = STATE / "restored.json"
    earlier = json.loads(restored.read_text()) if restored.exists() else []
    write_whole(restored, json.dumps([*earlier, record], indent=2))
    if not record["digest_equal"]:
        raise BackupError(
            f"{name} was restored from {manifest['snapshot'][:8]}, but differs from its manifest"
        )
    return (
        f"restored the snapshot {manifest['snapshot'][:8]} of {record['taken_at']},"
        f" {began - manifest['taken']:.0f} s old: {counted(found)}; the digest is equal"
        + (f"; what was there is in {aside}" if present else "")
    )


def status(name: str, item: Item, since: float) -> dict[str, Any]:
    """Return when an item was backed up last, and whether that, or `since` without any, is too long ago."""
    last = read_state(name).get("last_success")
    limit = LATE_PERIODS * item["every"] + LATE_MARGIN_S
    return {
        "item": name,
        "last_success": last and utc(last),
        "age_s": last and round(time.time() - last, 1),
        "every_s": item["every"],
        "late": time.time() - (last or since) > limit,
    }
