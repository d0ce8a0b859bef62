# SPDX-License-Identifier: Apache-2.0
"""Which configuration files are as Debian's packages brought them."""

from __future__ import annotations

import hashlib
from pathlib import Path


def packaged_files(told: str) -> dict[str, str]:
    """Return the MD5 of each configuration file by its path.

    Args:
        told: what `dpkg-query --show --showformat '${Conffiles}\\n'` says, of one package or of all.
    """
    return {words[0]: words[1] for line in told.splitlines() if len(words := line.split()) > 1}


def as_packaged(path: Path, brought: str | None) -> bool:
    """Return whether a file has the MD5 that a package brought it with; None: no package did."""
    return brought == hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
