"""Pack hal_checks as one program, for hosts that Ansible's Python modules cannot run on.

Usage: python -m module_utils.pack_checks hal_checks.pyz
The program needs a Python and nothing else: `python hal_checks.pyz < order.json`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from module_utils.archives import write_zip

ROOT = "ansible/module_utils"  # the name under which the checks import each other
PACKED = ("hal_checks/*.py", "gpu/__init__.py", "gpu/lspci.py", "gpu/*_smi.py")
MAIN = "from ansible.module_utils.hal_checks.program import main\n\nmain()\n"


def pack(path: Path) -> None:
    """Write the program."""
    here = Path(__file__).parent
    sources = [source for pattern in PACKED for source in here.glob(pattern)]
    contents = {f"{ROOT}/{source.relative_to(here).as_posix()}": source.read_bytes() for source in sources}
    contents |= {"ansible/__init__.py": b"", "ansible/module_utils/__init__.py": b""}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_zip(path, contents | {"__main__.py": MAIN.encode()})


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
