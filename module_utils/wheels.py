"""What the modules that collect wheels share: running pip, digests, and one collector at a time."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


class CommandFailed(Exception):
    """A command ended with an error; the text says what for and why."""


def run(command: list[str], directory: Path, aim: str) -> None:
    """Run a command in a directory. Raises CommandFailed with what it was for and what it said last."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise CommandFailed(f"Could not {aim}: {said}")


def download(lock: Path, directory: Path, python_version: str, platforms: list[str]) -> None:
    """Download the wheels of a lock for other machines than this; pip checks every hash.

    Args:
        lock: the lock, compiled with hashes. pip judges its markers for this machine.
        directory: receives the wheels.
        python_version: the Python that installs them.
        platforms: their platforms, the best first.

    Raises:
        CommandFailed: the index is out of reach, has no such wheel, or one with another hash.
    """
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", "--implementation=cp", f"--python-version={python_version}"),
        *(f"--platform={platform}" for platform in platforms),
        *("--dest", str(directory.resolve()), "--requirement", str(lock.resolve())),
    ]
    run(command, directory, f"fetch the wheels of {lock.name} (is the package index within reach?)")


def digest(*parts: str | bytes) -> str:
    """Return the SHA-256 over the parts, in order."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.encode() if isinstance(part, str) else part)
        total.update(b"\0")
    return total.hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader, or a run that is killed, never sees half of it."""
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(path)


def missing_locks(locks: list[Path]) -> str:
    """Return a sentence that names the locks that do not exist; nothing if they all do."""
    missing = [str(lock) for lock in locks if not lock.is_file()]
    return f"No such lock: {', '.join(missing)}. Compile it with `make lock`." if missing else ""


@contextlib.contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Create a directory and hold its lock: another run may be collecting the same."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
