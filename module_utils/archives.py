"""Archives of downloads, unpacked so that all of one is there or nothing."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

STAGING = ".unpacking"


class UnpackError(Exception):
    """An archive cannot be unpacked; the text says which, and why."""


def unpack(archive: Path, directory: Path, last: str, *, merge: bool = False) -> None:
    """Unpack an archive into a directory, for everybody to read; what else is in that stays.

    Args:
        archive: a zip archive, or what the program `tar` can read.
        directory: where to; it is made if need be.
        last: the path below the directory that tells whether all is there, perhaps with wildcards: it comes
            last, so that a run that is killed leaves no part of an archive for the whole.
        merge: whether directories of the archive add to those that are there, instead of replacing them.

    Raises:
        UnpackError: it is no such archive, or `last` is not in it.
    """
    staging = directory / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        _extract(archive, staging)
        if not next(staging.glob(last), None):
            raise UnpackError(f"{archive} does not hold {last}. Correct what is said of the archive.")
        for path in staging.rglob("*"):
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if executable else 0o644)
        parts = Path(last).parts
        for entry in sorted(staging.iterdir(), key=lambda entry: entry.match(parts[0])):
            _replace(entry, directory / entry.name, parts[1:] if merge else None)
    finally:
        shutil.rmtree(staging)


def _extract(archive: Path, directory: Path) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            file.extractall(directory)
        return
    command = ["tar", "--extract", "--no-same-owner", "--file", str(archive), "--directory", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnpackError(f"{archive} cannot be unpacked: {done.stderr.strip()[-300:]}")


def _replace(path: Path, target: Path, last: Sequence[str] | None) -> None:
    """Move a file or directory to where another one may be; with `last`, a directory is added to."""
    if target.is_dir() and not target.is_symlink():
        if last is not None and path.is_dir():
            for entry in sorted(path.iterdir(), key=lambda entry: bool(last) and entry.match(last[0])):
                _replace(entry, target / entry.name, last[1:])
            return
        shutil.rmtree(target)
    path.replace(target)
