"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    write_whole(path, data, 0o600)


def write_public(path: Path, text: str) -> None:
    """Write a file that everybody may read."""
    write_whole(path, text.encode(), 0o644)


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Write a file, or what a link names, with these permissions, as a whole or not at all."""
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)  # whatever the umask
        file.write(data)
        file.flush()
        os.fsync(
            descriptor
        )  # else a loss of power soon after could leave an empty file in the old one's place
    temporary.replace(path)
