"""What an item is made of: an SQLite database, or files; copied as it is at one moment, and put back."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

Item = dict[str, Any]  # {kind: sqlite | files, paths, every, unit}
SETTLED_S = (
    2  # a file that was written to this recently may be written to again within the same tick of its clock
)


class BackupError(Exception):
    """Something cannot be backed up or restored; the text says why and what to do."""


class QuotaError(BackupError):
    """The backup server takes no more from this host; what it has can be read and restored."""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_of(path: Path) -> list[Path]:
    """Return a file itself, or the files and links of a directory, sorted."""
    return [path] if not path.is_dir() else sorted(file for file in path.rglob("*") if not file.is_dir())


def is_there(path: Path) -> bool:
    """Return whether there is something to back up: a file, or a directory with one in it."""
    return bool(files_of(path)) and files_of(path)[0].exists()


def database_content(path: Path) -> dict[str, Any]:
    """Return the number of rows of each table and a digest of them all.

    Raises:
        BackupError: it is not a sound database.
    """
    digest, rows = hashlib.sha256(), {}
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30)) as database:
            found = database.execute("PRAGMA integrity_check").fetchone()[0]
            if found != "ok":
                raise BackupError(f"{path} is damaged: {found}")
            tables = database.execute(
                "SELECT name FROM sqlite_schema"
                " WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            )
            for (table,) in tables.fetchall():
                rows[table] = 0
                for row in database.execute(f'SELECT * FROM "{table}" ORDER BY rowid'):  # noqa: S608 - a name from the schema
                    rows[table] += 1
                    digest.update(repr((table, row)).encode())
    except sqlite3.Error as error:
        raise BackupError(explained(path, error)) from error
    return {"rows": rows, "files": 1, "digest": digest.hexdigest()}


def files_content(root: Path, paths: list[str]) -> dict[str, Any]:
    """Return the number of files below these paths and a digest of names and contents."""
    digest, count = hashlib.sha256(), 0
    for path in paths:
        for file in files_of(root / path.lstrip("/")):
            held = str(file.readlink()) if file.is_symlink() else sha256(file)
            digest.update(f"{file.relative_to(root)}\0{held}\n".encode())
            count += 1
    return {"rows": {}, "files": count, "digest": digest.hexdigest()}


def content(item: Item, root: Path) -> dict[str, Any]:
    """Return {rows, files, digest} of an item as it stands below a root."""
    if item["kind"] == "sqlite":
        return database_content(root / item["paths"][0].lstrip("/"))
    return files_content(root, item["paths"])


def signature(item: Item) -> list[list[Any]] | None:
    """Return what differs once the item's files were written to; none while that cannot be told."""
    stats, newest = [], 0
    for path in map(Path, item["paths"]):
        for file in files_of(path) + [Path(f"{path}-wal")] * (item["kind"] == "sqlite"):
            with contextlib.suppress(FileNotFoundError):
                found = file.lstat()
                stats.append([str(file), found.st_size, found.st_mtime_ns, found.st_ino])
                newest = max(newest, found.st_mtime_ns)
    return stats if time.time_ns() - newest > SETTLED_S * 10**9 else None


def fault_of(item: Item, patience_s: float) -> str:
    """Return what is wrong with a database that is there; empty for one that is sound, and for files.

    Args:
        item: what it is made of.
        patience_s: how long to wait for who has locked it.
    """
    path = Path(item["paths"][0])
    if item["kind"] != "sqlite" or not is_there(path):
        return ""
    try:
        opened = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=patience_s)
        with contextlib.closing(opened) as database:
            found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        return explained(path, error)
    return "" if found == "ok" else f"{path} is damaged ({found.splitlines()[-1]})"


def explained(path: Path, error: sqlite3.Error) -> str:
    """Return what SQLite's error means for a database."""
    damaged = error.sqlite_errorname.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
    return f"{path} is damaged ({error})" if damaged else f"{path} cannot be read as a database: {error}"


def copy_item(item: Item, root: Path) -> None:
    """Copy an item, as it is at one moment, below a root."""
    for path in map(Path, item["paths"]):
        target = root / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if item["kind"] == "sqlite":
            with (
                contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30)) as source,
                contextlib.closing(sqlite3.connect(target)) as copy,
            ):
                source.backup(copy)  # all pages in one step: one moment
                copy.execute("PRAGMA journal_mode = DELETE")
            shutil.copystat(path, target)
        elif path.is_dir():
            shutil.copytree(path, target, symlinks=True)
        else:
            shutil.copy2(path, target, follow_symlinks=False)


def place(item: Item, stage: Path, aside: Path) -> None:
    """Move what was fetched to where it belongs, each path at once; what was there goes to `aside`.

    It belongs to whom the replaced file, or else the directory around it, belongs to.
    """
    for path in map(Path, item["paths"]):
        source = stage / "data" / str(path).lstrip("/")
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        owner = (path if path.exists() else path.parent).stat()
        beside = path.with_name(f".{path.name}.restoring")
        if beside.is_dir():
            shutil.rmtree(beside)
        if source.is_dir():
            shutil.copytree(source, beside, symlinks=True)
        else:
            shutil.copy2(source, beside)
        for file in [beside, *beside.rglob("*")]:
            os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)
        for old in [path, *(Path(f"{path}{end}") for end in ("-wal", "-shm") if item["kind"] == "sqlite")]:
            if old.exists():
                kept = aside / str(old).lstrip("/")
                kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.move(old, kept)
        beside.rename(path)
