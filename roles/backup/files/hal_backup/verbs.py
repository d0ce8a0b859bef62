"""Back an item up, and tell when that was done last."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from items import BackupError, Item, QuotaError, content, copy_item, fault_of, is_there, signature
from repository import Settings, has_snapshot, remove_stale_locks, require_server, restic

STATE = Path(os.environ.get("HAL_BACKUP_STATE", "/var/lib/hal/backup"))
METRICS = Path(os.environ.get("HAL_BACKUP_METRICS", "/var/lib/prometheus/node-exporter"))
ASKED_AFTER_S = (
    600  # whether a store still has the last snapshot, which costs restic a second and many requests
)
UNCHANGED_AT_MOST_S = 86400  # then there is a new snapshot of what has not changed, too
LATE_PERIODS, LATE_MARGIN_S = 3, 60
RESTORED = "restored.json"  # below STATE
REFUSED = "refused"  # below an item's directory: why the server has taken no more
ASKED_S, WAITED_S = 2, 30  # for who has locked a database: when its state is asked, and when it is backed up


def utc(seconds: float) -> str:
    """Return a time, in seconds since 1970, as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def missing_paths(item: Item) -> list[str]:
    """Return the paths of an item at which there is nothing."""
    return [path for path in item["paths"] if not is_there(Path(path))]


def read_state(name: str) -> dict[str, Any]:
    """Return what is known of an item's last backup: snapshot, taken, signature, asked, last_success."""
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


@contextlib.contextmanager
def unlocked(settings: Settings, name: str) -> Iterator[None]:
    """Remove the lock that this item's last backup has left in the repository if it was killed."""
    begun = STATE / name / "begun"
    if begun.exists():
        remove_stale_locks(settings)
    begun.touch()
    yield
    begun.unlink()  # not after an error: restic itself may have been killed


def succeeded(name: str, item: Item, state: dict[str, Any], seconds: float) -> None:
    """Record a success, for `status` and for Prometheus."""
    state["last_success"] = time.time()
    write_whole(STATE / name / "state.json", json.dumps(state))
    (STATE / name / REFUSED).unlink(missing_ok=True)
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
    if missing := missing_paths(item):
        if state:
            raise BackupError(f"{', '.join(missing)} is gone; `hal-backup restore {name}` brings it back")
        return "nothing to back up yet"
    require_server(settings)
    seen = signature(item)
    if seen is not None and seen == state.get("signature") and began - state["taken"] < UNCHANGED_AT_MOST_S:
        if still_there(settings, state):
            succeeded(name, item, state, time.time() - began)
            return f"unchanged since {utc(state['taken'])}"
        print(f"{name}: the backup server no longer has {state['snapshot'][:8]}", file=sys.stderr)
    if fault := fault_of(item, WAITED_S):
        advice = f"`hal-backup restore {name} --overwrite` puts the last backup there and keeps it aside"
        raise BackupError(f"{fault}. {advice}" if "damaged" in fault else fault)
    with alone(name) as stage, unlocked(settings, name):
        copy_item(item, stage / "data")
        manifest = {"item": name, "host": settings["host"], "taken": began, **content(item, stage / "data")}
        (stage / "manifest.json").write_text(json.dumps(manifest))
        arguments = ("backup", "--json", "--host", settings["host"], "--tag", name, str(stage))
        try:
            done = restic(settings, *arguments)
        except QuotaError as error:
            write_whole(STATE / name / REFUSED, str(error))
            raise
    snapshot = json.loads(done.stdout.strip().splitlines()[-1])["snapshot_id"]
    succeeded(name, item, {"snapshot": snapshot, "taken": began, "signature": seen}, time.time() - began)
    return f"backed up as {snapshot[:8]}: {counted(manifest)}"


def still_there(settings: Settings, state: dict[str, Any]) -> bool:
    """Return whether the last snapshot is still there; a store is asked now and then, as `asked` tells."""
    dear = settings["repository"].startswith(("sftp:", "s3:"))
    if dear and time.time() - state.get("asked", 0) < ASKED_AFTER_S:
        return True
    state["asked"] = time.time()
    return has_snapshot(settings, state["snapshot"])


def counted(found: dict[str, Any]) -> str:
    """Return rows or files in words."""
    return (
        ", ".join(f"{table} {rows}" for table, rows in found["rows"].items()) or f"{found['files']} file(s)"
    )


def restored_records() -> list[dict[str, Any]]:
    """Return how the items of this host got their data, the latest last."""
    path = STATE / RESTORED
    records: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    return records


def proven_s(name: str) -> float | None:
    """Return how many seconds ago a backup of an item was proven to be restorable; none without a proof."""
    try:
        return round(time.time() - (STATE / name / "proven").stat().st_mtime, 1)
    except FileNotFoundError:
        return None


def refused(name: str) -> str | None:
    """Return why the server has taken no more of an item; none while it does."""
    try:
        return (STATE / name / REFUSED).read_text()
    except FileNotFoundError:
        return None


def status(settings: Settings, name: str, item: Item, since: float) -> dict[str, Any]:
    """Return when an item was backed up last, whether the server has that, and how it got its data.

    It is late when that, or `since` without any, is too long ago, or the server no longer has it. While the
    server does not answer, nobody knows: `on_server` is none then.
    """
    state = read_state(name)
    last, limit = state.get("last_success"), LATE_PERIODS * item["every"] + LATE_MARGIN_S
    on_server = None
    if last:
        with contextlib.suppress(BackupError):
            on_server = has_snapshot(settings, state["snapshot"])
    return {
        "item": name,
        "present": not missing_paths(item),
        "fault": fault_of(item, ASKED_S),
        "refused": refused(name),
        "last_success": last and utc(last),
        "age_s": last and round(time.time() - last, 1),
        "every_s": item["every"],
        "on_server": on_server,
        "proven_s": proven_s(name),
        "origin": next((record for record in reversed(restored_records()) if record["item"] == name), None),
        "late": time.time() - (last or since) > limit or on_server is False,
    }
