"""Pack the QM programs and their data as one archive: pack.py ARCHIVE. The same files give the same bytes."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from module_utils.archives import write_zip  # noqa: E402 - found through the line above
from qm.install import DIRECTORIES  # noqa: E402


def main() -> None:
    """Write the archive, with a directory for each of QM's."""
    files = [path for name in DIRECTORIES for path in (HERE / name).iterdir()]
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    write_zip(target, {f"{path.parent.name}/{path.name}": path.read_bytes() for path in files})


if __name__ == "__main__":
    main()
