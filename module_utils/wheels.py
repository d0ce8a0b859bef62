"""What the modules that collect wheels share: running pip, and digests of what they collect by."""

from __future__ import annotations

import hashlib
import subprocess
import sys
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
    aim = f"fetch the wheels of {lock.name} for Python {python_version} (is the package index within reach?)"
    run(command, directory, aim)


def digest(*parts: str | bytes) -> str:
    """Return the SHA-256 over the parts, in order."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.encode() if isinstance(part, str) else part)
        total.update(b"\0")
    return total.hexdigest()


def missing_locks(locks: list[Path]) -> str:
    """Return a sentence that names the locks that do not exist; nothing if they all do."""
    missing = [str(lock) for lock in locks if not lock.is_file()]
    return f"No such lock: {', '.join(missing)}. Compile it with `make lock`." if missing else ""
