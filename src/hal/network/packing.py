"""Pack the checks as one program, for hosts that Ansible's Python modules cannot run on.

Usage: python -m hal.network.packing MODULE_UTILS OUTPUT.pyz
The program needs a Python and nothing else: `python OUTPUT.pyz < order.json`.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

ROOT = "ansible/module_utils"  # the name under which the checks import each other
PACKED = ("hal_checks/*.py", "gpu/__init__.py", "gpu/lspci.py", "gpu/*_smi.py")
MAIN = "from ansible.module_utils.hal_checks.program import main\n\nmain()\n"


def pack(module_utils: Path, output: Path) -> None:
    """Write the program; the same sources give the same bytes.

    Args:
        module_utils: the directory that has the checks.
        output: the program's file; its directory is made.
    """
    sources = [source for pattern in PACKED for source in module_utils.glob(pattern)]
    contents = {
        f"{ROOT}/{source.relative_to(module_utils).as_posix()}": source.read_bytes() for source in sources
    }
    contents |= {"ansible/__init__.py": b"", f"{ROOT}/__init__.py": b"", "__main__.py": MAIN.encode()}
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w") as archive:
        for name in sorted(contents):
            archive.writestr(zipfile.ZipInfo(name), contents[name])  # which has no time of today


if __name__ == "__main__":
    pack(*map(Path, sys.argv[1:]))
