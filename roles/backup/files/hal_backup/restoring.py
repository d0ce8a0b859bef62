"""Bring an item back: onto a host that has lost it, over what is there, or beside it."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from items import BackupError, Item, content, is_there, place
from repository import Settings, fetch_verified, manifest_of, remove_stale_locks, require_server, snapshots
from verbs import (
    RESTORED,
    STATE,
    alone,
    counted,
    missing_paths,
    read_state,
    restored_records,
    utc,
    write_whole,
)

LISTED = 8  # snapshots that a sentence names


@dataclass(frozen=True)
class Wish:
    """What is to be restored by hand, and how.

    Attributes:
        at: the newest backup until then is taken, in seconds since 1970; none for the newest of all.
        overwrite: whether what is there is replaced, and kept aside.
        into: a directory to restore into, beside the live data.
        check: only say what would be restored.
    """

    at: float | None = None
    overwrite: bool = False
    into: Path | None = None
    check: bool = False


def listed(found: list[dict[str, Any]]) -> str:
    """Return a sentence with the times of an item's snapshots, the newest first."""
    if not found:
        return "There are no snapshots of it on the backup server."
    times = [utc(one["time"]) for one in found]
    if len(times) > LISTED:
        times = [*times[: LISTED - 1], f"… the oldest of {len(times)} {times[-1]}"]
    return f"There are snapshots of: {', '.join(times)}."


@contextlib.contextmanager
def stopped(item: Item) -> Iterator[None]:
    """Stop the service that uses an item meanwhile; it is started again if it ran, or had failed."""
    unit = str(item.get("unit", ""))
    state = subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True, check=False)
    wanted = bool(unit) and state.stdout.strip() in ("active", "activating", "reloading", "failed")
    if wanted:
        subprocess.run(["systemctl", "stop", unit], check=True)
    try:
        yield
    finally:
        if wanted:
            subprocess.run(["systemctl", "reset-failed", unit], check=False, capture_output=True)
            subprocess.run(["systemctl", "start", unit], check=True)


def record(entry: dict[str, Any]) -> None:
    """Record how an item got its data."""
    write_whole(STATE / RESTORED, json.dumps([*restored_records(), entry], indent=2))


def recover(settings: Settings, name: str, item: Item, *, had: bool, empty: bool) -> str:
    """Bring back what this host lacks, and nothing else; return what was done.

    Args:
        settings: those of this host.
        name: of the item.
        item: what it is made of.
        had: whether this host is known to have had it, so that it must not start without.
        empty: whether somebody has declared that it starts without it.

    Raises:
        BackupError: it had it, and there is no backup.
    """
    missing = missing_paths(item)
    if len(missing) < len(item["paths"]):
        return f"kept: {', '.join(path for path in item['paths'] if path not in missing)} is there"
    if empty:
        record({"item": name, "started_empty_at": utc(time.time())})
        return "starts empty, as declared"
    require_server(settings)
    remove_stale_locks(settings)
    found = snapshots(settings, name)
    if found:
        return bring_back(settings, name, item, found)
    if had or read_state(name):
        raise BackupError(
            f"{settings['host']} has had this data. It is gone ({', '.join(missing)}), and the backup server"
            " has no backup of it: perhaps it was made anew. Nothing is started without it. Bring the"
            f" backups back, or, to start without this data for good, say: -e start_empty={settings['host']}"
        )
    return "nothing to restore: there is no backup, and none is known"


def restore(settings: Settings, name: str, item: Item, wish: Wish) -> str:
    """Restore an item as somebody wishes; return what was done, or would be.

    Raises:
        BackupError: it cannot be, or there is data that nobody has said is to be replaced.
    """
    require_server(settings)
    remove_stale_locks(settings)
    every = snapshots(settings, name)
    if wish.at is not None and wish.at > time.time():
        raise BackupError(f"{utc(wish.at)} is in the future. Nothing was restored. {listed(every)}")
    found = [one for one in every if wish.at is None or one["time"] <= wish.at]
    if not found:
        until = f" of {utc(wish.at)} or before" if wish.at is not None else ""
        raise BackupError(f"there is no backup{until}. Nothing was restored. {listed(every)}")
    at = wish.into or Path("/")
    present = [str(path) for path in placed(item, at) if is_there(path)]
    if wish.check:
        manifest = manifest_of(settings, found[0])
        return (
            f"would restore the snapshot {found[0]['id'][:8]} of {utc(manifest['taken'])}:"
            f" {counted(manifest)}; {', '.join(present) or 'nothing'} is there. {listed(every)}"
        )
    if present and (wish.into or not wish.overwrite):
        advice = "Name another directory" if wish.into else "-e overwrite=true (--overwrite) replaces it"
        raise BackupError(f"{', '.join(present)} is there and was kept. {advice}. {listed(every)}")
    return bring_back(settings, name, item, found, wish.into)


def placed(item: Item, root: Path) -> list[Path]:
    """Return an item's paths as they are below a root."""
    return [root / path.lstrip("/") for path in item["paths"]]


def bring_back(
    settings: Settings, name: str, item: Item, found: list[dict[str, Any]], into: Path | None = None
) -> str:
    """Put the first sound one of these snapshots in its place, or into a directory; return what was done.

    Raises:
        BackupError: none is sound, or what was put there is not what was backed up.
    """
    began = time.time()
    with alone(name) as stage:
        manifest = fetch_verified(settings, name, item, found, stage)
        aside = STATE / name / "replaced" / utc(began)
        if into is not None:
            shutil.copytree(stage / "data", into, symlinks=True, dirs_exist_ok=True)
            now = content(item, into)
        else:
            with stopped(item):
                place(item, stage, aside)
                now = content(item, Path("/"))
    equal = now["digest"] == manifest["digest"]
    if into is None:
        record({
            "item": name,
            "snapshot": manifest["snapshot"],
            "taken_at": utc(manifest["taken"]),
            "restored_at": utc(time.time()),
            "seconds": round(time.time() - began, 1),
            **now,
            "digest_equal": equal,
            "replaced": aside.exists(),
        })  # fmt: skip
    if not equal:
        raise BackupError(
            f"{name} was restored from {manifest['snapshot'][:8]}, but differs from its manifest"
        )
    return (
        f"restored the snapshot {manifest['snapshot'][:8]} of {utc(manifest['taken'])},"
        f" {began - manifest['taken']:.0f} s old: {counted(now)}; the digest is equal"
        + (f"; what was there is in {aside}" if aside.exists() else "")
        + (f"; it is in {into}" if into is not None else "")
    )
