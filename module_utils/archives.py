"""Zip archives that are the same, byte for byte, whenever and wherever they are made."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can hold


def write_zip(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write files, by name, into an archive; uncompressed, as versions of zlib compress differently."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3  # as on Unix, so that the mode counts
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, contents[name])
