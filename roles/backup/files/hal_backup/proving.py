"""Prove that the newest backup of an item can be restored, in a place of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from items import BackupError, Item
from repository import Settings, fetch_verified, remove_stale_locks, require_server, snapshots
from verbs import METRICS, STATE, counted, read_state, utc, write_whole


def prove(settings: Settings, name: str, item: Item) -> str:
    """Restore the newest snapshot of an item into a scratch directory, and compare it with its manifest.

    A database is checked as a whole. The live data is not touched, and backups go on meanwhile. When that
    succeeded last is recorded for `status` and for Prometheus; without any success the metric is 0.

    Raises:
        BackupError: it cannot be restored, or is not what was backed up.
    """
    try:
        require_server(settings)
        remove_stale_locks(settings)
        found = snapshots(settings, name)
        if not found:
            if read_state(name):
                raise BackupError("the backup server has no backup of it")
            return "nothing to prove: there is no backup, and none is known"
        (STATE / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="proof-", dir=STATE / name) as scratch:
            manifest = fetch_verified(settings, name, item, found[:1], Path(scratch))
    except BackupError:
        tell(name)
        raise
    (STATE / name / "proven").touch()
    tell(name)
    snapshot = f"{manifest['snapshot'][:8]} of {utc(manifest['taken'])}"
    return f"proven restorable: the snapshot {snapshot}, {counted(manifest)}"


def tell(name: str) -> None:
    """Tell Prometheus when a backup of an item was proven last."""
    proof = STATE / name / "proven"
    proven = round(proof.stat().st_mtime, 3) if proof.exists() else 0
    write_whole(
        METRICS / f"hal_backup_proof_{name}.prom",
        f'hal_backup_proven_timestamp_seconds{{item="{name}"}} {proven}\n',
        0o644,
    )
